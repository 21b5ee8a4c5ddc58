// What hosts of a scheduled run share bytes of, numbered alike on all of them: dense tables,
// buffers, and the workers' delta logs. A place is the number of a space and bytes within it, never
// an address, for each host's memory is laid out in its own way.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import { logAt, type RunPlan } from './plan.ts';

/** Bytes of a space. On the wire: the three numbers, place behind place. */
export type Part = { readonly space: number; readonly from: number; readonly bytes: number };

export type Spaces = {
  /** @throws ERR_PROGRAM when no buffer or table is called so. */
  numberOf(name: string): number;
  /** The delta log of a worker of all hosts at a clock. */
  logOf(worker: number, clock: number): number;
  /** The byte offset of a part in this host's memory; it is within its space. */
  at(part: Part): number;
};

export function openSpaces(plan: RunPlan): Spaces {
  const { tables, buffers, bufferBytes, logs, cluster } = plan;
  const slots = plan.pipeline + 1;
  const spaces = [
    ...tables.map(({ name, at, rows, rowBytes }) => ({ name, at, bytes: rows * rowBytes })),
    ...Object.entries(buffers).map(([name, at]) => ({ name, at, bytes: bufferBytes[name] ?? 0 })),
  ];
  const numbers = new Map(spaces.map(({ name }, number) => [name, number]));
  const workers = cluster?.workers ?? plan.workers;
  const spaceOf = (space: number) => {
    if (space < spaces.length) return spaces[space];
    const slot = (space - spaces.length) % slots;
    const worker = (space - spaces.length - slot) / slots;
    const bytes = worker < workers ? logs.bytes : 0;
    return { name: `the deltas of worker ${worker}`, at: logAt(plan, worker, slot), bytes };
  };
  return {
    numberOf(name) {
      const number = numbers.get(name);
      if (number !== undefined) return number;
      throw new SystemError('ERR_PROGRAM', `share: the program declares no buffer "${name}"`);
    },
    logOf: (worker, clock) => spaces.length + worker * slots + (clock % slots),
    at({ space, from, bytes }) {
      const found = spaceOf(space);
      assert(found !== undefined, 'hosts of a run have the same spaces');
      const whole = [from, bytes].every((value) => Number.isSafeInteger(value) && value >= 0);
      if (whole && from + bytes <= found.bytes) return found.at + from;
      const rule = `"${found.name}" has ${found.bytes} bytes`;
      throw new SystemError('ERR_PROGRAM', `share: ${rule}, got ${bytes} from byte ${from}`);
    },
  };
}
