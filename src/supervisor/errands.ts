// One-shot tasks for workers between runs, so that no other threads have to start for them: a queue
// of tasks, and a queue of the workers that are up and idle.
import type { Helper, Outcome } from '../program/actor.ts';

export type Errands = {
  readonly threads: number;
  /** Queues a task. Never rejects: the end of its thread is a fault, too. */
  run(task: unknown): Promise<Outcome<unknown>>;
};

/** A worker's handle, as far as errands need it. */
export type HelperHandle = {
  call<T>(method: (actor: Helper) => Promise<Outcome<T>>): Promise<Outcome<T>>;
};

export function openErrands(workers: readonly HelperHandle[]): Errands {
  const idle: HelperHandle[] = [];
  const waiting: ((worker: HelperHandle) => void)[] = [];
  const free = (worker: HelperHandle) => {
    const next = waiting.shift();
    if (next) next(worker);
    else idle.push(worker);
  };
  // The first that is up begins; one that cannot come up says so to the first task that it gets.
  for (const worker of workers) void worker.call((actor) => actor.ready()).then(() => free(worker));
  return {
    threads: workers.length,
    async run(task) {
      const worker = idle.shift() ?? (await new Promise<HelperHandle>((go) => waiting.push(go)));
      const outcome = await worker.call((actor) => actor.errand(task));
      free(worker);
      return outcome;
    },
  };
}
