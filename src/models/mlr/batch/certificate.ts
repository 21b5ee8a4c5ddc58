// The certificate of mlr's batch solver, the scheduler's side: mend the duals until they are
// feasible, rebuild the weights that belong to them, and measure the gap in f64 (the formula stands
// above the kernels in assembly/models/softmax-certificate.ts).
import type { Samples } from '../../../data/dataset.ts';
import { batchShape, cell, result, resultsBytes, sumCell } from './layout.ts';
import { everyPartition, type MlrBatchWork, type Scheduler } from './work.ts';
import { solveSymmetric } from './solve.ts';

type Numbers<T> = Generator<readonly MlrBatchWork[], T, readonly void[]>;

/** The change t of the duals that makes Σ α = Σ e_y: (Σ diag α − ααᵀ) t = Σ (α − e_y). */
function planCorrection(ctx: Scheduler): void {
  const { arena, options, partitions } = ctx;
  const { classes: K, rowBytes } = batchShape(ctx);
  const r = new Float64Array(K);
  const matrix = new Float64Array(K * K);
  for (let p = 0; p < partitions; p++) {
    const at = ctx.buffer('balance') / 8 + p * (K + K * K);
    arena.f64.subarray(at, at + K).forEach((value, k) => (r[k] = (r[k] ?? 0) + value));
    const part = arena.f64.subarray(at + K, at + K + K * K);
    part.forEach((value, i) => (matrix[i] = (matrix[i] ?? 0) + value));
  }
  const out = arena.f32.subarray(
    ctx.buffer('correction') / 4,
    (ctx.buffer('correction') + rowBytes) / 4,
  );
  out.fill(0);
  ctx.share('correction', 0, rowBytes);
  if (!options.intercept) return;
  const meanOf = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / K;
  const level = meanOf(r);
  // The matrix has the constant vector as its kernel: fix that direction at the others' scale.
  let trace = 0;
  for (let k = 0; k < K; k++) trace += matrix[k * K + k] ?? 0;
  const shift = Math.max(trace, 1e-300) / (K * K);
  const solved = solveSymmetric(
    matrix.map((value) => value + shift),
    r.map((value) => value - level),
  );
  const middle = meanOf(solved);
  out.set(solved.map((value) => value - middle));
}

/** Weights without centring and the intercept row, from the tables, to `out`; returns ‖W‖². */
function writeOut(ctx: Scheduler, out: number, biasNow: Float64Array): number {
  const { arena, kernels, options } = ctx;
  const { features, rowBytes } = batchShape(ctx);
  const weights = ctx.table('weights').at;
  const bytes = features * rowBytes;
  arena.u8.copyWithin(out, weights, weights + bytes);
  const meanDot = ctx.buffer('outBias');
  arena.u8.fill(0, meanDot, meanDot + 2 * rowBytes);
  const centre = ctx.table('state').at + rowBytes;
  kernels.mlr_dual_uncentre(features, rowBytes, ctx.buffer('mean'), centre, out, meanDot);
  const bias = arena.f32.subarray((out + bytes) / 4, (out + bytes + rowBytes) / 4).fill(0);
  if (options.intercept)
    biasNow.forEach((b, k) => (bias[k] = b - (arena.f64[meanDot / 8 + k] ?? 0)));
  return kernels.f32_sum_squares((features * rowBytes) / 4, out);
}

/** What Σ (α − e_y) is still off by, at most: against the largest intercept that could use it. */
function imbalance(ctx: Scheduler): number {
  const { arena, options, partitions } = ctx;
  const { classes: K, rowBytes, features } = batchShape(ctx);
  if (!options.intercept) return 0;
  const { rows: n } = ctx.data as Samples;
  const intercepts = (ctx.buffer('out') + features * rowBytes) / 4;
  let off = 0;
  let largest = 0;
  for (let k = 0; k < K; k++) {
    let sum = 0;
    for (let p = 0; p < partitions; p++) {
      sum += arena.f64[ctx.buffer('balance') / 8 + p * (K + K * K) + k] ?? 0;
    }
    off += Math.abs(sum);
    largest = Math.max(largest, Math.abs(arena.f32[intercepts + k] ?? 0));
  }
  return (off / n) * largest;
}

/** Mends the duals and rebuilds weights from them, into the tables. */
function* mend(ctx: Scheduler): Numbers<void> {
  const { rowBytes, features } = batchShape(ctx);
  yield* everyPartition(ctx, { kind: 'balance' });
  planCorrection(ctx);
  const weights = ctx.table('weights').at;
  const shared = ctx.table('state').at;
  ctx.arena.u8.fill(0, weights, weights + features * rowBytes);
  ctx.arena.u8.fill(0, shared + rowBytes, shared + 3 * rowBytes);
  yield* everyPartition(ctx, { kind: 'rebuild' });
}

/** Scores `out` against the duals and writes the results down; is the gap small enough? */
function* conclude(
  ctx: Scheduler,
  parts: { readonly squares: number; readonly apart: number; readonly passes: number },
): Numbers<boolean> {
  const { arena, options } = ctx;
  const { rows: n } = ctx.data as Samples;
  yield* everyPartition(ctx, { kind: 'score' });
  const half = options.lambda / 2;
  const objective = sumCell(ctx, cell.scoreLoss) / n + half * parts.squares;
  const gap = sumCell(ctx, cell.scoreGap) / n + half * parts.apart + imbalance(ctx);
  const results = ctx.buffer('results') / 8;
  arena.f64[results + result.objective] = objective;
  arena.f64[results + result.gap] = gap;
  arena.f64[results + result.passes] = parts.passes;
  arena.f64[results + result.wrong] = sumCell(ctx, cell.scoreWrong);
  ctx.share('results', 0, resultsBytes);
  ctx.report({ pass: parts.passes, objective, gap: gap / objective });
  return gap <= options.tolerance * objective;
}

/** Of a dual ascent: the weights of the duals become `out`. `bias`: the centred intercepts. */
export function* certifyDuals(
  ctx: Scheduler,
  bias: Float64Array,
  passes: number,
): Numbers<boolean> {
  yield* mend(ctx);
  const squares = writeOut(ctx, ctx.buffer('out'), bias);
  return yield* conclude(ctx, { squares, apart: 0, passes });
}

/** Of a descent: `out` stays, the duals are its probabilities, mended. */
export function* certifyWeights(ctx: Scheduler, passes: number): Numbers<boolean> {
  const { kernels } = ctx;
  const { features, rowBytes, classes } = batchShape(ctx);
  yield* everyPartition(ctx, { kind: 'dualize' });
  yield* mend(ctx);
  const length = (features * rowBytes) / 4;
  const out = ctx.buffer('out');
  const other = ctx.buffer('rebuilt');
  writeOut(ctx, other, new Float64Array(classes));
  kernels.f32_axpy(length, -1, out, other);
  const apart = kernels.f32_sum_squares(length, other);
  const squares = kernels.f32_sum_squares(length, out);
  return yield* conclude(ctx, { squares, apart, passes });
}
