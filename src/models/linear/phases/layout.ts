// Options, shapes and shared buffers of coordinate descent by phases (program.ts).
//
//   lists     a line for each phase that may still be asked for: count, then variables, i32
//   changes   the same lines: what each variable's unscaled coefficient changed by, f64
//   sums      a line for each of these and each partition: x_j·g, then six sums over its rows, f64
//   gradients a line for each partition: a sum for each variable, f64
//   cells     a line for each partition: sums over its rows, f64
//   audit     with --audit a line for each partition: audit.ts
import type { Lambdas } from '../lambdas.ts';
import type { Samples } from '../../../data/dataset.ts';
import type { BufferSpec, Context, Setup } from '../../../program/program.ts';
import type { ScheduleKind } from '../../../scheduler/schedule.ts';

export type Loss = 'square' | 'logistic';

export type PhaseSchedule = {
  readonly kind: ScheduleKind;
  /** Variables of a phase. */
  readonly phaseSize: number;
  /** Two variables whose columns correlate as much are not updated at once; 1: no filter. */
  readonly threshold: number;
  /** Dynamic: by Δ² instead of |Δ|. */
  readonly squared: boolean;
  /** Dynamic: η as a share of the mean priority. */
  readonly floor: number;
  /** Dynamic: each certificate sets the priorities by its gradient, which is of all variables. */
  readonly refresh: boolean;
  readonly schedulers: number;
};

export type PhasesOptions = Lambdas & {
  readonly loss: Loss;
  /** Penalty λ (α ‖w‖₁ + (1 − α)/2 ‖w‖²). */
  readonly alpha: number;
  /** Logistic: what a row of each class weighs; balanced: rows of both weigh n/2 in all. */
  readonly classWeights: readonly [number, number] | 'balanced';
  readonly intercept: boolean;
  readonly standardize: boolean;
  readonly schedule: PhaseSchedule;
  /** Phases in flight before the newest: it does not see their changes. */
  readonly pipeline: number;
  /** Ends when the gap is at most this share of the objective, or of the one of w = 0. */
  readonly tolerance: number;
  /**
   * Where the objective does not fall from one certificate to the next, steps become shorter: they
   * are safe at last, whatever is in flight. Without it a run can diverge, and says so.
   */
  readonly damping: boolean;
  readonly relativeTo: 'objective' | 'start';
  /** Of one λ. One pass: as many updates as there are variables. */
  readonly passes: number;
  /** Passes between certificates; they are rarer in long runs. */
  readonly certifyEvery: number;
  /** Pairs in flight are measured for the auditor. */
  readonly audit: boolean;
};

/** Cells of a partition, and behind the dots of a phase: as kernels add them up. */
export const cell = { loss: 0, slopes: 1, products: 2, curvature: 2, mass1: 3, mass0: 4 } as const;
export const cellCount = 6;

export const result = {
  ...{ objective: 0, gap: 1, updates: 2, phases: 3, turnedDown: 4, certificates: 5 },
  ...{ diverged: 6, correlated: 7, rows: 8, start: 9, caution: 10, lambda: 11, nonzeros: 12 },
  ...{ values: 13 },
} as const;
const resultCells = 16;

/** A row of `trace` for each certificate: what was reached by then. */
export const traced = { updates: 0, phases: 1, objective: 2, gap: 3 } as const;
export const traceCells = 4;
export const traceRowsMax = 4096;

/** A row of `path` for each λ: what became of it. */
export const pathCell = { lambda: 0, objective: 1, gap: 2, nonzeros: 3 } as const;
export const pathCells = 4;

export const isWeighted = ({ loss, classWeights }: PhasesOptions) =>
  loss === 'logistic' && (classWeights === 'balanced' || classWeights.some((own) => own !== 1));

export type PhasesShape = {
  readonly rows: number;
  readonly variables: number;
  /** Variables of a phase at most. */
  readonly size: number;
  /** Lines of `lists`: a phase's is read until all workers have its changes. */
  readonly slots: number;
  /** Variables whose moments are asked for at once, at most; 0 without a filter. */
  readonly candidates: number;
};

type Plan = Pick<Setup<PhasesOptions>, 'data' | 'options'>;

export function phasesShape({ data, options }: Plan): PhasesShape {
  const { rows, columns: variables } = data as Samples;
  const { pipeline, schedule } = options;
  const size = Math.min(schedule.phaseSize, variables);
  const asked = Math.min(variables, (pipeline + 3) * size);
  const candidates = schedule.threshold < 1 ? asked : 0;
  return { rows, variables, size, slots: 2 * pipeline + 4, candidates };
}

/** Cells of a partition's line of `audit`. */
export const auditLine = ({ size, candidates }: PhasesShape) => (2 + size) * candidates;

export function phasesBuffers(setup: Setup<PhasesOptions>): readonly BufferSpec[] {
  const shape = phasesShape(setup);
  const { variables, size, slots, candidates } = shape;
  const { partitions } = setup;
  const each = variables * 8;
  return [
    { name: 'lists', bytes: slots * (size + 1) * 4 },
    { name: 'changes', bytes: slots * size * 8 },
    { name: 'sums', bytes: slots * partitions * (size + cellCount) * 8 },
    { name: 'gradients', bytes: partitions * each },
    { name: 'cells', bytes: partitions * cellCount * 8 },
    { name: 'candidates', bytes: (candidates + 1) * 4 },
    { name: 'moments', bytes: partitions * candidates * candidates * 8 },
    { name: 'audit', bytes: setup.options.audit ? partitions * auditLine(shape) * 8 : 0 },
    { name: 'means', bytes: each },
    { name: 'inverses', bytes: each },
    { name: 'curvatures', bytes: each },
    { name: 'gradient', bytes: each },
    { name: 'weights', bytes: each },
    // What a row of each class weighs.
    { name: 'classWeights', bytes: 16 },
    // What is returned: a coefficient for each column, and the intercept; in f64 and in f32.
    { name: 'out', bytes: each + 8 },
    { name: 'coefficients', bytes: variables * 4 + 16 },
    { name: 'results', bytes: resultCells * 8 },
    { name: 'trace', bytes: traceRowsMax * traceCells * 8 },
    { name: 'path', bytes: Math.max(1, setup.options.path) * pathCells * 8 },
  ];
}

type Places = Context<PhasesOptions>;

/** Where the lines of a phase are. */
export function slotOf(ctx: Places, phase: number) {
  const { size, slots } = phasesShape(ctx);
  const slot = phase % slots;
  const line = (size + cellCount) * 8;
  const list = slot * (size + 1) * 4;
  return {
    list: { offset: list, at: ctx.buffer('lists') + list },
    changes: { offset: slot * size * 8, at: ctx.buffer('changes') + slot * size * 8 },
    sums: (p: number) => {
      const offset = (slot * ctx.partitions + p) * line;
      return { offset, at: ctx.buffer('sums') + offset };
    },
    line,
  };
}
