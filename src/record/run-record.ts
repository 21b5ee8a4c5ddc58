// What a host writes down of a run, beside what any run of the job has.
import { SystemError } from '../base/errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { AnyProgram } from '../program/program.ts';
import type { RunPlan } from '../program/plan.ts';
import { limits } from '../base/limits.ts';

export type RunRecord =
  /** In lock-step or scheduled: doing it again is enough. */
  | { readonly kind: 'plain'; readonly scheduled: boolean }
  | {
      readonly kind: 'timed';
      /** Threads in the order in which they had the table lock. */
      readonly tickets: Uint8Array;
      /** Tapes of the workers. */
      readonly workers: readonly Uint8Array[];
      /** Tape of the mailbox; undefined where there are no other hosts. */
      readonly inputs: Uint8Array | undefined;
    };

/** Gives the plan of a recorded run room for tickets, where its result depends on them. */
export function withTickets(arena: Arena, program: AnyProgram, plan: RunPlan): RunPlan {
  if (plan.lockStep || program.schedule !== undefined) return plan;
  const cached = plan.tables.find(({ cache }) => cache !== undefined);
  if (cached !== undefined || program.prefetch !== undefined) {
    const what = cached ? `a row cache (table "${cached.name}")` : 'prefetch';
    const rule = `--record works without row caches and prefetch, and ${program.name} has ${what}`;
    throw new SystemError('ERR_CONFIG', `${rule}\nleave --record out, or train with bsp`);
  }
  const bytes = limits.recordBytes;
  return { ...plan, tickets: { at: arena.allocate(bytes), bytes } };
}

/** @throws ERR_CONFIG for a run that did what a record does not have. */
export function checkRecorded(plan: RunPlan): void {
  if (plan.tickets === undefined || plan.tables.length === plan.planned) return;
  const rule = '--record works without tables that are created while running';
  throw new SystemError('ERR_CONFIG', `${rule}\nleave --record out, or declare them before`);
}
