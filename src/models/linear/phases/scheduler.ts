// What the scheduler of coordinate descent by phases keeps, and how it asks all partitions.
import type { Samples } from '../../../data/dataset.ts';
import type { ScheduleContext } from '../../../program/program.ts';
import { ranges } from '../../../scheduler/rotation.ts';
import type { Audited } from './audit.ts';
import type { Flow, FlowState } from './flow.ts';
import { cellCount, phasesShape, type PhasesOptions, type PhasesShape } from './layout.ts';
import type { PhaseStep, PhaseWork } from './worker.ts';

/** `audited`: with --audit, of the phase that is about to begin. */
export type PhasesSchedule = FlowState<PhaseWork> & { audited?: Audited };
export type Scheduler = ScheduleContext<PhasesOptions, PhasesSchedule>;

/** The model as it is, with the changes of all phases that have ended. Vectors lie in buffers. */
export type Problem = {
  readonly ctx: Scheduler;
  readonly shape: PhasesShape;
  l1: number;
  l2: number;
  /** Of the targets, with an intercept and numbers; else 0. */
  mean: number;
  /** What a row weighs on average. */
  rowWeight: number;
  /** t: what is added to scores so that columns count as centred, and the intercept. */
  offset: number;
  /** What curvatures are multiplied with: 1, or more where steps were too long. */
  caution: number;
  /** Works sent. */
  sent: number;
  /** Phases that have ended, and those of them that the workers have the changes of. */
  ended: number;
  told: number;
  readonly means: Float64Array;
  readonly inverses: Float64Array;
  readonly curvatures: Float64Array;
  readonly weights: Float64Array;
};

export function openProblem(ctx: Scheduler): Problem {
  const shape = phasesShape(ctx);
  const vector = (name: string) => {
    const at = ctx.buffer(name) / 8;
    return ctx.arena.f64.subarray(at, at + shape.variables).fill(0);
  };
  return {
    ...{
      ctx,
      shape,
      l1: 0,
      l2: 0,
      mean: 0,
      rowWeight: 1,
      offset: 0,
      caution: 1,
      sent: 0,
      ended: 0,
      told: 0,
    },
    ...{ means: vector('means'), inverses: vector('inverses').fill(1) },
    ...{ curvatures: vector('curvatures'), weights: vector('weights') },
  };
}

/** Sends a step to all partitions, each on a worker of the host that has its rows. */
export function* send(problem: Problem, step: PhaseStep): Flow<PhaseWork> {
  const { partitions, workers, hosts } = problem.ctx;
  const most = hosts.length > 1 ? workers : Math.min(workers, partitions);
  problem.sent += 1;
  yield ranges(partitions, most).map((own) => ({ ...step, ...own }));
}

/** Sends it and waits for the answer. */
export function* ask(problem: Problem, step: PhaseStep): Flow<PhaseWork> {
  yield* send(problem, step);
  yield { pulled: problem.sent };
}

/** A cell added up over the partitions, in order. */
export function sumCell({ ctx }: Problem, index: number): number {
  let sum = 0;
  const at = ctx.buffer('cells') / 8 + index;
  for (let p = 0; p < ctx.partitions; p++) sum += ctx.arena.f64[at + p * cellCount] ?? 0;
  return sum;
}

export const rowsOf = ({ ctx }: Problem) => (ctx.data as Samples).rows;
