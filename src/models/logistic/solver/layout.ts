// Shapes and shared buffers of the solver of binary logistic regression.
import type { Samples } from '../../../data/dataset.ts';
import type { BufferSpec, Context, ScheduleContext, Setup } from '../../../program/program.ts';
import type { StepState } from '../../../program/steps.ts';
import { blockBytes } from '../../linear/block.ts';
import type { ScheduleKind } from '../../../scheduler/schedule.ts';
import type { Lambdas } from '../../linear/lambdas.ts';
import { strideOf, triangleBytes } from './gram.ts';
import { onEveryPartition, type Shared, type Stepping } from '../../phases.ts';

export type LogisticOptions = Lambdas & {
  /** Share of the L1 penalty. */
  readonly alpha: number;
  readonly intercept: boolean;
  /** Which features join a block of those in use. */
  readonly schedule: ScheduleKind;
  /** Weights of class 0 and class 1, or what makes both weigh the same. */
  readonly classWeights: readonly [number, number] | 'balanced';
  /** Ends when gap ≤ tolerance · objective. */
  readonly tolerance: number;
  /** Most passes over the data. */
  readonly passes: number;
};

/** Where rows are on the line z + t·q, and what a row of each class weighs. */
type Line = { readonly c0: number; readonly c1: number; readonly t: number };
/** Duals: where they are taken, and factors for those of each class. */
export type Duals = Line & {
  /** Along the step from z (t is 0), instead of at z + t·q. */
  readonly along: boolean;
  readonly s0: number;
  readonly s1: number;
};

/** Part `round` of `rounds` of a pass of the dual ascent (ascent.ts). */
export type Round = {
  readonly c0: number;
  readonly c1: number;
  readonly pass: number;
  readonly round: number;
  readonly rounds: number;
  /** 1/l2, B² and σ′ of assembly/logistic/ascent.ts. */
  readonly inverse: number;
  readonly boost: number;
  readonly lanes: number;
};

/** Turns of coordinate descent on the columns (cycles.ts). */
export type Cycles = {
  readonly l1: number;
  readonly l2: number;
  /** Ends when violations are this share of those of the first turn. */
  readonly share: number;
  /** And no feature of all violates. */
  readonly whole: boolean;
  /** Says which random numbers. */
  readonly turn: number;
};

/** What the scheduler asks of the workers, phase by phase. */
export type Phase =
  | { readonly kind: 'open' | 'product' | 'diagonal' }
  | ({ readonly kind: 'advance'; readonly taken: number; readonly fresh: boolean } & Line)
  | ({ readonly kind: 'dual' } & Duals)
  | ({ readonly kind: 'entropy' } & Duals)
  | { readonly kind: 'gram'; readonly k: number; readonly step: number }
  | { readonly kind: 'norms' | 'columns' }
  | ({ readonly kind: 'cycles' } & Cycles)
  | ({ readonly kind: 'round' } & Round);
export type Work = Shared<Phase>;
/** What a phase without numbers of its own answers is 0; a gram's rows. */
export type Answer = number;
export type Scheduler = ScheduleContext<LogisticOptions, StepState<Work, Answer>>;
export type Phases<T> = Stepping<Work, Answer, T>;

/** f64 cells of one partition's line of `sums`. */
export const cell = {
  /** Of an advance: Σ c loss, Σ c H(a), Σ c a of each class, rows wrong. */
  ...{ loss: 0, entropy: 1, mass1: 2, mass0: 3, wrong: 4 },
  /** Of an entropy: Σ c H, Σ c a of each class. */
  ...{ dualEntropy: 5, dualMass1: 6, dualMass0: 7 },
  /** Rows of class 1, counted once. */
  positives: 8,
  /** Of the dual ascent: Σ ‖x‖²; of a pass of it: about the gap, and Σ c loss. */
  ...{ norms: 9, met: 10, metLoss: 11 },
} as const;
export const sumsLine = 128;

/** f64 cells of `results`. */
export const result = { objective: 0, gap: 1, passes: 2, wrong: 3, nonzeros: 4 } as const;
export const resultsBytes = 64;
/** f64 cells of one λ's facts. */
export const fact = { lambda: 0, objective: 1, gap: 2, nonzeros: 3 } as const;
export const factBytes = 32;

/** Features that are few enough to precondition with all their second moments. */
export const narrowMax = 512;
/** Most variables of a block, the intercept included: their second moments are kept. */
export const blockMax = 4096;

/**
 * Where a dual ascent begins (ascent.ts): with L2 alone, on wide and sparse data. More lanes than
 * these are in each other's way.
 */
const lanesMax = 8;
export function ascends({ options, data, partitions }: Setup<LogisticOptions>): boolean {
  const { storage, columns } = data as Samples;
  const wide = storage === 'csr' && columns >= narrowMax;
  return options.alpha === 0 && wide && partitions <= lanesMax;
}

/** Features in use from which on columns are turned over; the fall that says the end is near. */
export const cycles = { least: 1536, closing: 3e-3 } as const;
export function canCycle({ options, data, hosts }: Setup<LogisticOptions>): boolean {
  const { storage, columns } = data as Samples;
  const many = storage === 'csr' && columns > cycles.least;
  return options.alpha > 0 && many && hosts.length === 1;
}

/** Features and the intercept. */
export const lengthOf = ({ columns }: Pick<Samples, 'columns'>) => columns + 1;
export const shapeOf = (ctx: Pick<Setup<LogisticOptions>, 'data'>) => {
  const data = ctx.data as Samples;
  return { data, n: data.rows, d: data.columns, length: lengthOf(data), bytes: 8 * lengthOf(data) };
};

/** Vectors of d + 1 f64 that the scheduler alone uses. */
const vectors = ['w', 'g', 'direction', 'residual', 'search', 'solved', 'curved', 'dual'] as const;
export type Vectors = Readonly<Record<(typeof vectors)[number] | 'diagonal', number>>;

export function vectorsOf(
  ctx: Pick<Context<LogisticOptions>, 'buffer' | keyof Setup<LogisticOptions>>,
): Vectors {
  const { bytes } = shapeOf(ctx);
  const at = (index: number) => ctx.buffer('vectors') + index * bytes;
  const named = vectors.map((name, index) => [name, at(index)] as const);
  return { ...Object.fromEntries(named), diagonal: at(vectors.length) } as Vectors;
}

export function logisticBuffers(setup: Setup<LogisticOptions>): readonly BufferSpec[] {
  const { partitions } = setup;
  const { n, d, bytes } = shapeOf(setup);
  const { alpha, path } = setup.options;
  const narrow = d < narrowMax ? d + 1 : 0;
  const k = alpha > 0 ? Math.min(d + 1, blockMax) : narrow;
  return [
    { name: 'directory', bytes: n * 16 },
    { name: 'z', bytes: n * 8 },
    { name: 'q', bytes: n * 8 },
    { name: 'h', bytes: n * 8 },
    { name: 'before', bytes: n * 8 },
    // Duals and squares of the rows' lengths.
    { name: 'alpha', bytes: ascends(setup) ? n * 8 : 0 },
    { name: 'norms', bytes: ascends(setup) ? n * 8 : 0 },
    { name: 'sums', bytes: partitions * sumsLine },
    // Of turns over the columns: a record a row, the features, where the partitions' columns are.
    { name: 'records', bytes: canCycle(setup) ? n * 16 : 0 },
    { name: 'list', bytes: canCycle(setup) ? d * 4 : 0 },
    { name: 'places', bytes: canCycle(setup) ? partitions * 16 + 16 : 0 },
    // What the scheduler sends, and the partitions' parts of what it gets back.
    { name: 'vector', bytes },
    { name: 'parts', bytes: partitions * bytes },
    { name: 'map', bytes: (d + 1) * 4 },
    { name: 'gram', bytes: partitions * triangleBytes(k) },
    { name: 'square', bytes: k * strideOf(k) * 4 },
    { name: 'factor', bytes: alpha > 0 ? 0 : narrow * narrow * 8 },
    { name: 'block', bytes: alpha > 0 ? blockBytes(k) + 4 * strideOf(k) * 8 : 0 },
    { name: 'vectors', bytes: (vectors.length + 1) * bytes },
    { name: 'out', bytes: (d + 1) * 4 },
    { name: 'results', bytes: resultsBytes },
    { name: 'facts', bytes: Math.max(1, path) * factBytes },
  ];
}

/** Adds up cell `index` over the partitions, in order. */
export function sumCell(
  ctx: Pick<Context<unknown>, 'arena' | 'buffer' | 'partitions'>,
  index: number,
): number {
  let sum = 0;
  for (let p = 0; p < ctx.partitions; p++) {
    sum += ctx.arena.f64[(ctx.buffer('sums') + p * sumsLine) / 8 + index] ?? 0;
  }
  return sum;
}

/** A phase whose partitions each write a vector; their sum goes to `out`. */
export function* summed(ctx: Scheduler, phase: Phase, out: number): Phases<void> {
  const { length } = shapeOf(ctx);
  yield* onEveryPartition<Phase, Answer>(ctx, phase);
  ctx.kernels.f64_sum_parts(length, ctx.partitions, ctx.buffer('parts'), out);
}

/** Copies a vector to where all workers see it. */
export function send(ctx: Scheduler, vector: number): void {
  const { bytes } = shapeOf(ctx);
  const at = ctx.buffer('vector');
  ctx.arena.u8.copyWithin(at, vector, vector + bytes);
  ctx.share('vector', 0, bytes);
}
