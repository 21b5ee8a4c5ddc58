// The workers' side of mlr's batch solver: each phase over one partition of the rows. The formulas
// stand above the kernels in assembly/models/softmax-dual.ts.
import type { Samples } from '../../../data/dataset.ts';
import type { Context, PushContext } from '../../../program/program.ts';
import { openRowsAt, partitionRows, storageCode, unpackBytes } from '../../rows.ts';
import { batchShape, cell, sumsLine, type MlrBatchOptions } from './layout.ts';
import type { MlrShape } from '../shape.ts';

export type BatchState = {
  readonly data: Samples;
  readonly shape: MlrShape;
  readonly work: number;
  /** Local bias, c and s of a pass: 3 rows. */
  readonly local: number;
};
export type BatchContext = PushContext<MlrBatchOptions, BatchState>;

/** One round of a pass: which steps of the order (a, c), and the scales of the subproblem. */
export type RoundPlan = {
  readonly a: number;
  readonly c: number;
  /** Steps from … to − 1, shared out over the lanes. */
  readonly from: number;
  readonly to: number;
  /** σ: how much more curved than alone. */
  readonly sigma: number;
  readonly M: number;
  readonly boost: number;
};

/** Rows of one kernel call: about a millisecond. */
const chunkRows = 512;

export function startBatch(ctx: Context<MlrBatchOptions>): BatchState {
  const shape = batchShape(ctx);
  const data = ctx.data as Samples;
  const work = ctx.arena.allocate(unpackBytes(data, 4 * shape.rowBytes + 64));
  return { data, shape, work, local: ctx.arena.allocate(3 * shape.rowBytes) };
}

/** What each phase writes for the scheduler: its partitions' parts of these buffers. */
const written = {
  sumColumns: ['sums', 'columnSums'],
  start: ['sums'],
  round: ['sums'],
  balance: ['balance'],
  rebuild: [],
  score: ['sums', 'balance'],
  gradient: ['sums', 'gradients'],
  gram: ['sums', 'gram'],
  columnSquares: ['columnSums'],
  dualize: [],
} as const;

/** Shares what a phase over the partitions [first, last) writes. */
export function sharePhase(
  ctx: BatchContext,
  { kind, first, last }: { kind: keyof typeof written; first: number; last: number },
): void {
  const { features, rows, classes: K, rowBytes } = ctx.state.shape;
  const bytes = {
    sums: sumsLine,
    columnSums: features * 8,
    balance: (K + K * K) * 8,
    gradients: rows * rowBytes,
    gram: rows * rows * 8,
  };
  for (const name of written[kind]) {
    ctx.share(name, first * bytes[name], (last - first) * bytes[name]);
  }
}

type Slice = { readonly row: number; readonly count: number; readonly directory: number };

/** Calls `each` with pieces of partition p's rows, in order. */
function slices(ctx: BatchContext, p: number, each: (slice: Slice) => void): void {
  const { first, last } = partitionRows(ctx.state.data.rows, ctx.partitions, p);
  for (let row = first; row < last; row += chunkRows) {
    ctx.poll();
    const count = Math.min(chunkRows, last - row);
    each({ row, count, directory: ctx.buffer('directory') + row * 16 });
  }
}

function sumsOf(ctx: BatchContext, p: number): number {
  return ctx.buffer('sums') + p * sumsLine;
}

/** The row directory, and Σ x per column. */
export function sumColumns(ctx: BatchContext, p: number): void {
  const { kernels, arena, state } = ctx;
  const { data, shape } = state;
  const range = partitionRows(data.rows, ctx.partitions, p);
  openRowsAt(ctx, data, range, ctx.buffer('directory') + range.first * 16);
  const line = sumsOf(ctx, p);
  arena.u8.fill(0, line, line + sumsLine);
  const sums = ctx.buffer('columnSums') + p * shape.features * 8;
  arena.u8.fill(0, sums, sums + shape.features * 8);
  const storage = storageCode[data.storage];
  slices(ctx, p, ({ count, directory }) => {
    const { work } = state;
    kernels.rows_sum_columns(storage, count, directory, shape.features, data.scale, sums, work);
  });
}

/** First duals e_y, and every row's m_i and ‖x_i − x̄‖². */
export function startDuals(ctx: BatchContext, p: number, M: number): void {
  const { kernels, arena, state, options } = ctx;
  const { data, shape } = state;
  let norms = 0;
  slices(ctx, p, ({ row, count, directory }) => {
    norms += kernels.mlr_dual_start(
      ...([storageCode[data.storage], count, directory, shape.features, data.scale] as const),
      ...([shape.rowBytes, options.intercept ? ctx.buffer('mean') : 0, M] as const),
      ...([ctx.buffer('dots') + row * 4, ctx.buffer('norms') + row * 4] as const),
      ...([ctx.buffer('alpha') + row * shape.rowBytes] as const),
      ...([ctx.buffer('negEntropy') + row * 4, state.work] as const),
    );
  });
  arena.f64[sumsOf(ctx, p) / 8 + cell.norms] = norms;
}

/** A round of dual coordinate ascent from the shared weights, on a local copy; incs the change. */
export function dualRound(ctx: BatchContext, p: number, plan: RoundPlan): void {
  const { kernels, arena, state, options } = ctx;
  const { data, shape, local } = state;
  const { features, rowBytes } = shape;
  const weights = ctx.table('weights');
  const shared = ctx.table('state');
  const copy = weights.incRange(0, features);
  arena.u8.copyWithin(copy, weights.at, weights.at + features * rowBytes);
  arena.u8.copyWithin(local, shared.at, shared.at + 3 * rowBytes);
  const sums = sumsOf(ctx, p);
  // A pass adds up over its rounds.
  if (plan.from === 0) arena.f64.fill(0, sums / 8, sums / 8 + 2);
  const own = partitionRows(plan.to - plan.from, options.lanes, p);
  const last = plan.from + own.last;
  for (let from = plan.from + own.first; from < last; from += chunkRows) {
    ctx.poll();
    const to = Math.min(from + chunkRows, last);
    kernels.mlr_dual_pass(
      ...([storageCode[data.storage], from, to, data.rows, plan.a, plan.c] as const),
      ...([ctx.buffer('directory'), features, data.scale, shape.classes, rowBytes] as const),
      ...([options.intercept ? 1 : 0, copy, local, ctx.buffer('alpha')] as const),
      ...([ctx.buffer('negEntropy'), ctx.buffer('dots'), ctx.buffer('norms'), plan.M] as const),
      ...([1 / (options.lambda * data.rows), plan.boost, plan.sigma, sums, state.work] as const),
    );
  }
  kernels.mlr_dual_delta((features * rowBytes) / 4, plan.sigma, weights.at, copy);
  kernels.mlr_dual_delta((3 * rowBytes) / 4, plan.sigma, shared.at, local);
  const change = shared.incRange(0, 3);
  arena.u8.copyWithin(change, local, local + 3 * rowBytes);
}

/** Σ (α − e_y) and Σ (diag α − ααᵀ). */
export function measureBalance(ctx: BatchContext, p: number): void {
  const { kernels, arena, state } = ctx;
  const { classes: K, rowBytes } = state.shape;
  const r = ctx.buffer('balance') + p * (K + K * K) * 8;
  arena.u8.fill(0, r, r + (K + K * K) * 8);
  slices(ctx, p, ({ row, count, directory }) => {
    const alpha = ctx.buffer('alpha') + row * rowBytes;
    kernels.mlr_dual_balance(count, directory, K, rowBytes, alpha, r, r + K * 8);
  });
}

/** Mends the duals and rebuilds the weights from them (the tables were cleared before). */
export function rebuild(ctx: BatchContext, p: number): void {
  const { kernels, state, options } = ctx;
  const { data, shape } = state;
  const w = ctx.table('weights').incRange(0, shape.features);
  const change = ctx.table('state').incRange(0, 3);
  slices(ctx, p, ({ row, count, directory }) => {
    kernels.mlr_dual_rebuild(
      ...([storageCode[data.storage], count, directory, shape.features, data.scale] as const),
      ...([shape.classes, shape.rowBytes, ctx.buffer('correction')] as const),
      ...([1 / (options.lambda * data.rows), ctx.buffer('alpha') + row * shape.rowBytes] as const),
      ...([ctx.buffer('negEntropy') + row * 4, ctx.buffer('dots') + row * 4] as const),
      ...([w, change, state.work] as const),
    );
  });
}

/** Loss, errors and gap in f64, of the weights in `out` and the duals. */
export function score(ctx: BatchContext, p: number): void {
  const { kernels, arena, state, options } = ctx;
  const { data, shape } = state;
  const { classes: K, rowBytes } = shape;
  const sums = sumsOf(ctx, p) + cell.scoreLoss * 8;
  arena.f64.fill(0, sums / 8, sums / 8 + 4);
  const r = ctx.buffer('balance') + p * (K + K * K) * 8;
  arena.u8.fill(0, r, r + K * 8);
  slices(ctx, p, ({ row, count, directory }) => {
    const alpha = ctx.buffer('alpha') + row * rowBytes;
    kernels.mlr_dual_score(
      ...([storageCode[data.storage], count, directory, shape.features, data.scale, K] as const),
      ...([rowBytes, options.intercept ? 1 : 0, ctx.buffer('out'), alpha] as const),
      ...([sums, r, state.work] as const),
    );
  });
}

/** Σ loss and its gradient (not divided by n) at the weights in `out`. */
export function measureGradient(ctx: BatchContext, p: number): void {
  const { kernels, arena, state, options } = ctx;
  const { data, shape } = state;
  const bytes = shape.rows * shape.rowBytes;
  const gradient = ctx.buffer('gradients') + p * bytes;
  arena.u8.fill(0, gradient, gradient + bytes);
  let loss = 0;
  slices(ctx, p, ({ count, directory }) => {
    loss += kernels.mlr_gradient(
      ...([storageCode[data.storage], count, directory, shape.features, data.scale] as const),
      ...([shape.classes, shape.rowBytes, options.intercept ? 1 : 0] as const),
      ...([ctx.buffer('out'), gradient, state.work] as const),
    );
  });
  arena.f64[sumsOf(ctx, p) / 8 + cell.loss] = loss;
}

/** α ← the probabilities of the weights in `out`. */
export function dualize(ctx: BatchContext, p: number): void {
  const { kernels, state, options } = ctx;
  const { data, shape } = state;
  slices(ctx, p, ({ row, count, directory }) => {
    kernels.mlr_softmax_rows(
      ...([storageCode[data.storage], count, directory, shape.features, data.scale] as const),
      ...([shape.classes, shape.rowBytes, options.intercept ? 1 : 0, ctx.buffer('out')] as const),
      ...([ctx.buffer('alpha') + row * shape.rowBytes, state.work] as const),
    );
  });
}

/** Rows enough to know the second moments of d features well: the rest would only cost time. */
const gramRows = (shape: MlrShape) => Math.max(4000, 8 * shape.rows);

/**
 * Σ w xxᵀ over evenly spread rows, w their curvature at the duals; their number goes to the norms'
 * cell, which is free by then.
 */
export function addGram(ctx: BatchContext, p: number): void {
  const { kernels, arena, state, options } = ctx;
  const { data, shape } = state;
  const bytes = shape.rows * shape.rows * 8;
  const gram = ctx.buffer('gram') + p * bytes;
  arena.u8.fill(0, gram, gram + bytes);
  const step = Math.max(1, Math.floor(data.rows / gramRows(shape)));
  let added = 0;
  slices(ctx, p, ({ row, count, directory }) => {
    added += kernels.gram_add_curved(
      ...([storageCode[data.storage], count, step, directory, shape.features, data.scale] as const),
      ...([options.intercept ? 1 : 0, shape.classes, shape.rowBytes] as const),
      ...([ctx.buffer('alpha') + row * shape.rowBytes, gram, state.work] as const),
    );
  });
  arena.f64[sumsOf(ctx, p) / 8 + cell.norms] = added;
}

/** Σ x² per column. */
export function addColumnSquares(ctx: BatchContext, p: number): void {
  const { kernels, arena, state } = ctx;
  const { data, shape } = state;
  const sums = ctx.buffer('columnSums') + p * shape.features * 8;
  arena.u8.fill(0, sums, sums + shape.features * 8);
  const storage = storageCode[data.storage];
  slices(ctx, p, ({ count, directory }) => {
    const { work } = state;
    kernels.rows_sum_squares_columns(
      ...([storage, count, directory, shape.features, data.scale, sums, work] as const),
    );
  });
}
