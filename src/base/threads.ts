// How many worker threads: asked for at every edge, so it stands below all of them.
import { availableParallelism } from 'node:os';
import { SystemError } from './errors.ts';
import { limits } from './limits.ts';

/** One worker per core, as many as there may be. */
export function defaultThreads(): number {
  return Math.min(availableParallelism(), limits.workersMax);
}

/** @throws ERR_CONFIG for a number of threads that cannot be. */
export function checkThreads(threads: number): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= limits.workersMax) return threads;
  const rule = `--threads must be an integer from 1 to ${limits.workersMax}`;
  throw new SystemError('ERR_CONFIG', `${rule}, got ${threads}`);
}
