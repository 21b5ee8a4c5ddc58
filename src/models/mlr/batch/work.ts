// The work of mlr's batch solver: what the scheduler hands to the workers, phase by phase.
import type { ScheduleContext } from '../../../program/program.ts';
import type { StepState, Steps } from '../../../program/steps.ts';
import { ranges } from '../../../scheduler/rotation.ts';
import { onEveryPartition } from '../../phases.ts';
import type { MlrBatchOptions } from './layout.ts';
import type { RoundPlan } from './worker.ts';

type Own = { readonly first: number; readonly last: number };
export type MlrBatchWork = Own &
  (
    | { readonly kind: 'sumColumns' | 'balance' | 'rebuild' | 'score' }
    | { readonly kind: 'gradient' | 'gram' | 'columnSquares' | 'dualize' }
    | { readonly kind: 'start'; readonly M: number }
    | ({ readonly kind: 'round' } & RoundPlan)
  );
/** A phase for all partitions: the work without whose it is. */
type Phase = MlrBatchWork extends infer W ? (W extends Own ? Omit<W, keyof Own> : never) : never;

export type Scheduler = ScheduleContext<MlrBatchOptions, StepState<MlrBatchWork, void>>;

/** One phase over all partitions, each on a worker of the host that has its rows. */
export const everyPartition = (ctx: Scheduler, phase: Phase) => onEveryPartition<Phase>(ctx, phase);

/** One phase over the lanes of a dual ascent, shared out over the workers. */
export function* everyLane(ctx: Scheduler, phase: Phase): Steps<MlrBatchWork, void> {
  const { lanes } = ctx.options;
  yield ranges(lanes, Math.min(ctx.workers, lanes)).map((own) => ({ ...phase, ...own }));
}
