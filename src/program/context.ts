// Makes the contexts that a program's functions receive, out of a thread's memory and the plan.
import { createPrng, type Prng } from '../base/prng.ts';
import { SystemError } from '../base/errors.ts';
import type { Event, Sender } from '../mailbox/messages.ts';
import { limits } from '../base/limits.ts';
import { scratchAt } from '../memory/layout.ts';
import type { Arena } from '../memory/arena.ts';
import type { Kernels } from '../memory/signatures.ts';
import type { WorkerTape } from '../record/worker-tape.ts';
import type { Control } from '../store/control.ts';
import type { FoldPlace } from '../store/fold.ts';
import type { TableLock } from '../store/lock.ts';
import { openRowCache } from '../store/row-cache.ts';
import type { Cached } from '../store/wire/slots.ts';
import { openView, type MutableView, type TableView } from '../store/views.ts';
import type { TablePlan } from '../store/table.ts';
import { hostsOf, type RunPlan } from './plan.ts';
import type { AnyProgram, Context } from './program.ts';

/** What an actor's loop works with: its thread's place in the host, the program and the plan. */
export type Stage = {
  readonly thread: number;
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly userKernels: Context<unknown>['userKernels'];
  readonly control: Control;
  readonly lock: TableLock;
  readonly events: Sender<Event>;
  readonly program: AnyProgram;
  readonly plan: RunPlan;
  /** Of a run that is recorded or replayed. */
  readonly tape?: WorkerTape;
  /** Time for measuring waits: a simulator has its own. */
  readonly nowMs: () => number;
};

/** The half of a thread's scratch that is the runtime's: it merges sparse rows there. */
function runtimeScratch({ arena, thread }: Stage): {
  scratch: number;
  scratchBytes: number;
} {
  const scratchBytes = limits.scratchBytes / 2;
  return { scratch: scratchAt(arena.layout, thread) + scratchBytes, scratchBytes };
}

/** What this thread folds with. */
export function foldPlaceOf(stage: Stage): FoldPlace {
  const { arena, kernels, userKernels } = stage;
  return { arena, kernels, userKernels, ...runtimeScratch(stage) };
}

/** A value for every table of the plan, also of those that are created later. */
export function perTable<T>(plan: RunPlan, make: (table: TablePlan) => T): () => readonly T[] {
  const made: T[] = [];
  return () => {
    for (const table of plan.tables.slice(made.length)) made.push(make(table));
    return made;
  };
}

/** By table: the slots with rows of other hosts, where a table has them. */
export function cachesOf({ arena, plan }: Stage): () => readonly (Cached | undefined)[] {
  return perTable(plan, (table) => {
    const replica = plan.cluster?.replicas[table.id];
    if (table.cache === undefined || replica === undefined) return undefined;
    const cache = openRowCache(arena, table, table.cache, replica);
    return { cache, deltas: replica.deltas, marks: replica.touched };
  });
}

/** What a program is told of its run, before it starts and at a barrier. */
export function setupOf(plan: RunPlan) {
  const { options, data, partitions, seed, cluster } = plan;
  const workers = cluster?.workers ?? plan.workers;
  return { options, data, partitions, seed, workers, hosts: hostsOf(plan) };
}

/** The part that all functions of a program share. */
export function makeContext(stage: Stage, clockNow: () => number): Context<unknown> {
  const { arena, kernels, userKernels, plan, thread, events, control } = stage;
  const scratch = { at: scratchAt(arena.layout, thread), bytes: limits.scratchBytes / 2 };
  return {
    ...setupOf(plan),
    ...{ arena, kernels, userKernels, scratch },
    buffer(name) {
      const at = plan.buffers[name];
      if (at !== undefined) return at;
      throw new SystemError('ERR_PROGRAM', `the program declares no buffer "${name}"`);
    },
    poll: () => control.poll(thread),
    report(values) {
      events.offer({ kind: 'progress', clock: clockNow(), values });
    },
  };
}

export type Views = { table(name: string): TableView; all(): readonly MutableView[] };

/** A view on each table of the plan, found by name. */
export function makeViews(stage: Stage): Views {
  const { arena, kernels, plan } = stage;
  const all = perTable(plan, (table) => openView(arena, kernels, table));
  const byName = new Map<string, MutableView>();
  return {
    all,
    table(name) {
      if (byName.size < plan.tables.length) {
        all().forEach((view, id) => byName.set(plan.tables[id]?.name ?? '', view));
      }
      const view = byName.get(name);
      if (view !== undefined) return view;
      const known = plan.tables.map((table) => table.name).join(', ');
      throw new SystemError('ERR_PROGRAM', `no table "${name}"; the program declares ${known}`);
    },
  };
}

/** The scheduler's randomness must not depend on the number of workers: a stream of its own. */
export const schedulerStream = -1;

/** Randomness of one push: a stream of its own for every partition and clock. */
export function pushPrng(seed: number, partition: number, clock: number): Prng {
  return createPrng(seed, Math.imul(clock, limits.partitionsMax + 1) + partition + 1);
}
