// The hosts of a job inside one process: each runs the job's real code (load, train, score) over a
// memory of its own. They gather from hand to hand, a run of one host alone is done at once, and a
// run of all waits until all have asked for it and is then carried out by whoever made them: on
// virtual time (simulated-runs.ts), or as it was recorded (replayed-runs.ts).
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import type { World } from '../base/world.ts';
import type { Arena } from '../memory/arena.ts';
import { instantiate } from '../memory/kernels.ts';
import type { RunRequest } from '../program/plan.ts';
import type { AnyProgram } from '../program/program.ts';
import { runAlone } from '../sim/alone.ts';
import { openHostArena } from '../sim/simulated-host.ts';
import type { JobHost, RunHooks, RunResult } from '../supervisor/host.ts';
import { loadUserKernels } from '../supervisor/user-kernels.ts';

/** What one host asked for. */
export type HostRun = {
  readonly rank: number;
  readonly arena: Arena;
  readonly program: AnyProgram;
  readonly request: RunRequest;
  /** The program's own kernels. */
  readonly userModule?: WebAssembly.Module;
  readonly hooks: RunHooks;
};

export type HostsOptions = {
  /** Worker threads by rank. */
  readonly threads: readonly number[];
  readonly module: WebAssembly.Module;
  /** By rank. What is in them is cleared. */
  readonly memories: readonly WebAssembly.Memory[];
  /** Carries out a run that all hosts asked for; the results by rank. */
  readonly runAll: (runs: readonly HostRun[]) => Promise<readonly RunResult[]>;
  /** Carries out a run of one host alone, where that is more than to run it. */
  readonly runOne?: (run: HostRun) => Promise<RunResult>;
};

/** Something that all hosts come to: the last one settles it for all. */
type Meeting<T, R> = {
  readonly brought: (T | undefined)[];
  readonly waiting: { resolve(all: readonly R[]): void; reject(error: Error): void }[];
};

class Meetings<T, R> {
  readonly #size: number;
  readonly #settle: (all: readonly T[]) => Promise<readonly R[]>;
  readonly #open = new Map<string, Meeting<T, R>>();
  readonly #left = new Set<number>();

  constructor(size: number, settle: (all: readonly T[]) => Promise<readonly R[]>) {
    this.#size = size;
    this.#settle = settle;
  }

  come(name: string, rank: number, brings: T): Promise<readonly R[]> {
    const fresh = { brought: new Array<T | undefined>(this.#size).fill(undefined), waiting: [] };
    const meeting = this.#open.get(name) ?? fresh;
    this.#open.set(name, meeting);
    assert(meeting.brought[rank] === undefined, 'a host comes to a meeting once');
    meeting.brought[rank] = brings;
    return new Promise((resolve, reject) => {
      meeting.waiting.push({ resolve, reject });
      if (this.#left.size > 0) return this.#miss(name, meeting);
      const all = meeting.brought.filter((each) => each !== undefined);
      if (all.length < this.#size) return;
      this.#open.delete(name);
      this.#settle(all).then(
        (results) => meeting.waiting.forEach((each) => each.resolve(results)),
        (error: Error) => meeting.waiting.forEach((each) => each.reject(error)),
      );
    });
  }

  /** A host comes no more: who waits for it waits in vain. */
  leave(rank: number): void {
    this.#left.add(rank);
    for (const [name, meeting] of this.#open) this.#miss(name, meeting);
  }

  #miss(name: string, { brought, waiting }: Meeting<T, R>): void {
    const missing = [...this.#left].find((rank) => brought[rank] === undefined);
    if (missing === undefined) return;
    this.#open.delete(name);
    const error = new SystemError('ERR_PEER_LOST', `rank ${missing} ended before ${name}`);
    for (const each of waiting) each.reject(error);
  }
}

/** Reads by staleness, added up over workers; without zeros at the end. */
export function sumLags(all: readonly (readonly number[])[]): number[] {
  const lags: number[] = [];
  for (const own of all) own.forEach((n, lag) => (lags[lag] = (lags[lag] ?? 0) + n));
  while (lags.at(-1) === 0) lags.pop();
  return lags;
}

/** A run of one host alone, at once. */
export function runAloneOn(
  { hooks, ...run }: HostRun,
  module: WebAssembly.Module,
  threads: number,
): RunResult {
  const onEvent: RunHooks['onEvent'] = (event, thread) => hooks.onEvent?.(event, thread);
  const { plan, clocks, lags } = runAlone({ ...run, module, threads, onEvent });
  return { plan, clocks, stalenessHistogram: sumLags(lags), tableBytes: [] };
}

/** The hosts of one job, by rank. */
export function openHosts(options: HostsOptions): readonly JobHost[] {
  const { threads, module, memories } = options;
  const size = threads.length;
  const gatherings = new Meetings<Uint8Array, Uint8Array>(size, (all) => Promise.resolve(all));
  const runs = new Meetings<HostRun, RunResult>(size, (all) => options.runAll(all));
  return threads.map((workers, rank): JobHost => {
    const memory = memories[rank];
    assert(memory !== undefined, 'a host has a memory');
    const arena = openHostArena(memory, workers);
    const world: World = {
      ...{ rank, size, threads },
      allGather: async (name, bytes) => {
        const all = await gatherings.come(name, rank, bytes.slice());
        return all.map((each) => each.slice());
      },
      readRemote: () =>
        Promise.reject(new SystemError('ERR_INTERNAL', 'hosts of one process have the same files')),
    };
    let begun = 0;
    return {
      ...{ arena, module, world, threads: workers, loaders: 1 },
      kernels: instantiate(module, memory),
      wake: () => undefined,
      errands: () => undefined,
      async run(program, request, hooks = {}) {
        const userModule = await loadUserKernels(request.userKernels);
        const own = { rank, arena, program, request, hooks };
        const run = userModule === undefined ? own : { ...own, userModule };
        if (request.local === true || size === 1) {
          return options.runOne?.(run) ?? runAloneOn(run, module, workers);
        }
        begun += 1;
        const results = await runs.come(`run ${begun}`, rank, run);
        const result = results[rank];
        assert(result !== undefined, 'a run has a result for every host');
        return result;
      },
      linkStatistics: () => Promise.resolve([]),
      close() {
        gatherings.leave(rank);
        runs.leave(rank);
        clear(arena);
        return Promise.resolve();
      },
    };
  });
}

/** Makes the memory what it was, for the next job. */
function clear(arena: Arena): void {
  arena.u8.fill(0, arena.layout.arenaAt, arena.mark());
}

/** What all hosts came to, or the error that ended them: not that the others waited in vain. */
export async function allDone<T>(jobs: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(jobs);
  const errors = settled.flatMap((each) =>
    each.status === 'rejected' ? [each.reason as unknown] : [],
  );
  const isVain = (error: unknown) => error instanceof SystemError && error.code === 'ERR_PEER_LOST';
  if (errors.length > 0) throw errors.find((error) => !isVain(error)) ?? errors[0];
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}
