// mlr by deterministic dual coordinate ascent with a certificate: schedule, push, pull.
//
//   min_W,b (1/n) Σ_i −ln softmax(Wᵀx_i + b)_{y_i} + λ/2 ‖W‖²                (b is not penalized)
//
//   pass:   some rounds; in each, every partition p ascends the dual of its share of the round's rows
//           on its own copy of W, in an order that is new each pass; W ← W + (1/σ) Σ_p ΔW_p with
//           subproblems made σ times as curved (CoCoA+, Ma et al. 2015: σ = P is safe; 0.625 P is
//           enough when copies are merged often, and is raised to P if the gap does not fall)
//   certificate, when the gap that the pass met is small enough:
//           mend the duals until Σ α_i = Σ e_{y_i} · rebuild W from them · score in f64
//           gap = objective − dual ≥ objective − optimum
//
// P is 2 unless --partitions says otherwise, never the number of workers; sums are taken in partition
// order: the result is the same bits for any number of workers. Needs λ > 0.
import { SystemError } from '../../base/errors.ts';
import { assert } from '../../base/assert.ts';
import type { Samples } from '../../data/dataset.ts';
import { defineProgram, type ScheduleContext } from '../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../program/steps.ts';
import { ranges } from '../../scheduler/rotation.ts';
import {
  batchBuffers,
  batchClassesMax,
  batchShape,
  cell,
  result,
  sumCell,
  type MlrBatchOptions,
} from './batch-layout.ts';
import {
  dualRound,
  measureBalance,
  rebuild,
  score,
  startBatch,
  startDuals,
  sumColumns,
  type BatchState,
  type RoundPlan,
} from './batch-worker.ts';
import { solveSymmetric } from './solve.ts';

type Own = { readonly first: number; readonly last: number };
export type MlrBatchWork = Own &
  (
    | { readonly kind: 'sumColumns' | 'balance' | 'rebuild' | 'score' }
    | { readonly kind: 'start'; readonly M: number }
    | ({ readonly kind: 'round' } & RoundPlan)
  );
/** A phase for all partitions: the work without whose it is. */
type Phase = MlrBatchWork extends infer W ? (W extends Own ? Omit<W, keyof Own> : never) : never;

type Scheduler = ScheduleContext<MlrBatchOptions, StepState<MlrBatchWork, void>>;

function* everyPartition(ctx: Scheduler, phase: Phase): Steps<MlrBatchWork, void> {
  const { partitions, workers } = ctx;
  yield ranges(partitions, Math.min(workers, partitions)).map((own) => ({ ...phase, ...own }));
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** A new order i = (a·j + c) mod n: a coprime to n and large, so that neighbours are far apart. */
function drawOrder(ctx: Scheduler, n: number): { a: number; c: number } {
  const { prng } = ctx;
  let a = Math.floor(n * (0.25 + 0.5 * prng.uniform())) || 1;
  while (gcd(a, n) !== 1) a += 1;
  return { a, c: prng.below(n) };
}

/**
 * Rounds of a pass. Often merged copies need a smaller σ (0.625 P, measured; stable above P/2), but a
 * round must be worth its meeting: at least a fraction of a millisecond, and several times the copying
 * of the weights. At least 8 P rounds of rows would be a whole pass: more than that changes nothing.
 */
function roundsOf(ctx: Scheduler): number {
  const { partitions } = ctx;
  if (partitions === 1) return 1;
  const { features, rowBytes } = batchShape(ctx);
  const { rows: n, storage, nonzeros, columns } = ctx.data as Samples;
  const entries = storage === 'csr' ? nonzeros / n : columns / 2;
  const rowUnits = ((entries + 16) * rowBytes) / 4;
  const rowsMin = Math.max(4e6 / rowUnits, (3 * features * rowBytes) / rowUnits);
  const rows = Math.min(Math.ceil(n / 8), Math.ceil(rowsMin));
  return Math.max(1, Math.round(n / (partitions * rows)));
}

/** x̄ from the partitions' column sums; returns ‖x̄‖². Without an intercept nothing is centred. */
function planMean(ctx: Scheduler): number {
  const { arena, options, partitions } = ctx;
  const { features } = batchShape(ctx);
  const { rows: n } = ctx.data as Samples;
  const mean = arena.f32.subarray(ctx.buffer('mean') / 4, ctx.buffer('mean') / 4 + features);
  const sums = ctx.buffer('columnSums') / 8;
  let squares = 0;
  for (let j = 0; j < features; j++) {
    let sum = 0;
    for (let p = 0; p < partitions; p++) sum += arena.f64[sums + p * features + j] ?? 0;
    const value = options.intercept ? Math.fround(sum / n) : 0;
    mean[j] = value;
    squares += value * value;
  }
  return squares;
}

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

/** Weights without centring and the intercept row, from the tables, into `out`; returns ‖W‖². */
function writeOut(ctx: Scheduler, biasNow: Float64Array): number {
  const { arena, kernels, options } = ctx;
  const { features, rowBytes } = batchShape(ctx);
  const weights = ctx.table('weights').at;
  const out = ctx.buffer('out');
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

/** Mends, rebuilds and scores; returns the objective and a gap that bounds its distance. */
function* certify(
  ctx: Scheduler,
  bias: Float64Array,
): Generator<readonly MlrBatchWork[], { objective: number; gap: number }, readonly void[]> {
  const { arena, options } = ctx;
  const { rowBytes, features } = batchShape(ctx);
  const { rows: n } = ctx.data as Samples;
  yield* everyPartition(ctx, { kind: 'balance' });
  planCorrection(ctx);
  const weights = ctx.table('weights').at;
  const shared = ctx.table('state').at;
  arena.u8.fill(0, weights, weights + features * rowBytes);
  arena.u8.fill(0, shared + rowBytes, shared + 3 * rowBytes);
  yield* everyPartition(ctx, { kind: 'rebuild' });
  const penalty = (options.lambda / 2) * writeOut(ctx, bias);
  yield* everyPartition(ctx, { kind: 'score' });
  const objective = sumCell(ctx, cell.scoreLoss) / n + penalty;
  return { objective, gap: sumCell(ctx, cell.scoreGap) / n + imbalance(ctx) };
}

function* steps(ctx: Scheduler): Steps<MlrBatchWork, void> {
  const { arena, options, partitions } = ctx;
  const { classes: K } = batchShape(ctx);
  const { rows: n } = ctx.data as Samples;
  yield* everyPartition(ctx, { kind: 'sumColumns' });
  const M = planMean(ctx);
  yield* everyPartition(ctx, { kind: 'start', M });
  // B² of the intercept's value: measured to be fast within a factor of a few either way.
  const boost = options.intercept ? 0.09 * (sumCell(ctx, cell.norms) / n) || 1 : 0;
  const shared = ctx.table('state');
  const centre = new Float64Array(K);
  const multiplier = new Float64Array(K);
  const bias = arena.f32.subarray(shared.at / 4, shared.at / 4 + K);
  const results = arena.f64.subarray(ctx.buffer('results') / 8, ctx.buffer('results') / 8 + 8);
  const rounds = roundsOf(ctx);
  let sigma = partitions === 1 ? 1 : 0.625 * partitions;
  let least = Infinity;
  let certifyAfter = 0;
  for (let pass = 1; pass <= options.passes; pass++) {
    const before = centre.map((value, k) => value + boost * (multiplier[k] ?? 0));
    bias.set(before);
    const started = bias.slice();
    const order = drawOrder(ctx, n);
    for (let round = 0; round < rounds; round++) {
      const [from, to] = [round, round + 1].map((r) => Math.floor((n * r) / rounds)) as [
        number,
        number,
      ];
      yield* everyPartition(ctx, { kind: 'round', ...order, from, to, sigma, M, boost });
    }
    const reached = Float64Array.from(bias);
    for (let k = 0; boost > 0 && k < K; k++) {
      multiplier[k] = (multiplier[k] ?? 0) + ((reached[k] ?? 0) - (started[k] ?? 0)) / boost;
      centre[k] = (centre[k] ?? 0) + boost * (multiplier[k] ?? 0);
    }
    const met = sumCell(ctx, cell.gap) / n;
    const loss = sumCell(ctx, cell.loss) / n;
    // Partitions that step over each other keep the gap from falling: back to the safe σ = P.
    if (met > 0.98 * least) sigma = Math.min(partitions, 1.25 * sigma);
    least = Math.min(least, met);
    const last = pass === options.passes;
    if (!last && (met > options.tolerance * loss || pass < certifyAfter)) {
      ctx.report({ pass, loss, gapMet: met / loss });
      continue;
    }
    const { objective, gap } = yield* certify(ctx, reached);
    results[result.objective] = objective;
    results[result.gap] = gap;
    results[result.passes] = pass;
    results[result.wrong] = sumCell(ctx, cell.scoreWrong);
    ctx.report({ pass, objective, gap: gap / objective });
    if (gap <= options.tolerance * objective) return;
    certifyAfter = pass + 2;
  }
}

export const mlrBatch = defineProgram<
  MlrBatchOptions,
  MlrBatchWork,
  BatchState,
  StepState<MlrBatchWork, void>,
  void
>({
  name: 'mlr-batch',
  tables(setup) {
    const { features, classes } = batchShape(setup);
    assert(setup.options.lambda > 0, 'the batch solver was given a positive lambda');
    if (classes > batchClassesMax) {
      const rule = `--solver batch takes at most ${batchClassesMax} classes`;
      throw new SystemError('ERR_CONFIG', `${rule}, the data has ${classes}: use --solver sgd`);
    }
    return [
      { name: 'weights', rows: features, columns: classes, staleness: 0 },
      // bias, c, s: see assembly/models/softmax-dual.ts
      { name: 'state', rows: 3, columns: classes, staleness: 0 },
    ];
  },
  buffers: batchBuffers,
  deltaBytes(setup) {
    const { features, rowBytes } = batchShape(setup);
    const own = Math.ceil(setup.partitions / Math.min(setup.workers, setup.partitions));
    return own * ((features + 3) * rowBytes + 256);
  },
  start: startBatch,
  push(ctx, work) {
    for (let p = work.first; p < work.last; p++) {
      switch (work.kind) {
        case 'sumColumns':
          sumColumns(ctx, p);
          break;
        case 'start':
          startDuals(ctx, p, work.M);
          break;
        case 'round':
          dualRound(ctx, p, work);
          break;
        case 'balance':
          measureBalance(ctx, p);
          break;
        case 'rebuild':
          rebuild(ctx, p);
          break;
        case 'score':
          score(ctx, p);
          break;
      }
    }
  },
  ...stepwise<MlrBatchOptions, MlrBatchWork, void>(steps),
});
