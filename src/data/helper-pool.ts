// A loader pool without threads of its own: the workers of a host do its tasks between their runs.
import { limits } from '../base/limits.ts';
import type { Fault } from '../base/errors.ts';
import type { LoaderPool } from './loader-pool.ts';
import type { Failure, LoaderTask, ResultOf } from './tasks.ts';

/** Threads that carry out tasks for others. */
export type Helpers = {
  readonly threads: number;
  run(task: unknown): Promise<{ ok: true; value: unknown } | { ok: false; fault: Fault }>;
};

/** A pool of threads that are there already, each with scratch of its own. `close` leaves them. */
export function helperPool(helpers: Helpers): LoaderPool {
  return {
    threads: helpers.threads,
    chunkBytes: limits.chunkBytes,
    async run<T extends LoaderTask>(task: T): Promise<ResultOf<T> | Failure> {
      const outcome = await helpers.run(task);
      if (!outcome.ok) return { kind: 'failure', ...outcome.fault };
      return outcome.value as ResultOf<T> | Failure;
    },
    close: () => Promise.resolve(),
  };
}
