// mlr by preconditioned L-BFGS: what the batch solver does where dual ascent would crawl: features
// of large or very different scale (a row's q = ‖x − x̄‖²/λn in the hundreds and more).
//
//   d_t = −H_t g_t,  H_t from the last m pairs (s, y) by the two-loop recursion (Nocedal 1980)
//   H_0 = [ Σ w xxᵀ/n + λ I + damping ]⁻¹ for every class, w the mean curvature of a row's softmax,
//         looked at again as W moves; above 1024 features the diagonal of Böhning's bound (1992)
//   W ← W + t d, t by bisection to the weak Wolfe conditions (c₁ = 1e-4, c₂ = 0.9)
//
// The scheduler does the vector arithmetic (d·K values); the workers evaluate loss and gradient. So
// it is what runs on several hosts: `out` goes to them, gradients come back.
import type { Samples } from '../../../data/dataset.ts';
import type { Steps } from '../../../program/steps.ts';
import { batchShape, cell, gramRowsMax, historyPairs, sumCell } from './layout.ts';
import { everyPartition, type MlrBatchWork, type Scheduler } from './work.ts';

type Numbers<T> = Generator<readonly MlrBatchWork[], T, readonly void[]>;

/** Byte offsets of vectors of d [+ 1] rows in the `descent` buffer. */
function openVectors(ctx: Scheduler) {
  const { rows, rowBytes } = batchShape(ctx);
  const bytes = rows * rowBytes;
  const at = (index: number) => ctx.buffer('descent') + index * bytes;
  return {
    bytes,
    length: bytes / 4,
    gradient: at(0),
    before: at(1),
    direction: at(2),
    start: at(3),
    change: (slot: number) => at(4 + slot),
    turn: (slot: number) => at(4 + historyPairs + slot),
  };
}
type Vectors = ReturnType<typeof openVectors>;

/** Objective at `out`, its gradient into `gradient`. */
function* evaluate(ctx: Scheduler, vectors: Vectors): Numbers<number> {
  const { arena, kernels, options, partitions } = ctx;
  const { features, rowBytes } = batchShape(ctx);
  const { rows: n } = ctx.data as Samples;
  yield* everyPartition(ctx, { kind: 'gradient' });
  const { gradient, length, bytes } = vectors;
  arena.u8.fill(0, gradient, gradient + bytes);
  for (let p = 0; p < partitions; p++) {
    kernels.f32_add(length, ctx.buffer('gradients') + p * bytes, gradient);
  }
  kernels.f32_scale(length, 1 / n, gradient);
  // the intercept, the last row, has no penalty
  const penalized = (features * rowBytes) / 4;
  kernels.f32_axpy(penalized, options.lambda, ctx.buffer('out'), gradient);
  const squares = kernels.f32_sum_squares(penalized, ctx.buffer('out'));
  return sumCell(ctx, cell.loss) / n + (options.lambda / 2) * squares;
}

/** Multiplies a vector with H_0, in place. */
type Preconditioner = (vector: number) => void;

/** H_0 from the second moments of rows weighted with their curvature at `out`: d [+ 1] ≤ 1024. */
function* preconditionWhole(ctx: Scheduler): Numbers<Preconditioner> {
  const { arena, kernels, options, partitions } = ctx;
  const { rows: D, rowBytes, features } = batchShape(ctx);
  yield* everyPartition(ctx, { kind: 'dualize' });
  yield* everyPartition(ctx, { kind: 'gram' });
  const at = ctx.buffer('gram') / 8;
  const total = arena.f64.subarray(at, at + D * D);
  for (let p = 1; p < partitions; p++) {
    const part = arena.f64.subarray(at + p * D * D, at + (p + 1) * D * D);
    for (let i = 0; i < D * D; i++) total[i] = (total[i] ?? 0) + (part[i] ?? 0);
  }
  const scale = 1 / sumCell(ctx, cell.norms);
  let trace = 0;
  for (let j = 0; j < D; j++) trace += scale * (total[j * D + j] ?? 0);
  for (let i = 0; i < D * D; i++) total[i] = (total[i] ?? 0) * scale;
  for (let j = 0; j < D; j++) {
    const own = total[j * D + j] ?? 0;
    const penalty = j < features ? options.lambda : 0;
    // A share of every feature's own moment: a share of the mean would drown those of small scale.
    total[j * D + j] = 1.01 * own + penalty + (1e-9 * trace) / D;
  }
  kernels.cholesky(D, at * 8);
  return (vector) => kernels.cholesky_solve(D, at * 8, rowBytes, vector, ctx.buffer('solve'));
}

/** H_0 from Böhning's bound on the diagonal, for wide data. */
function* preconditionDiagonal(ctx: Scheduler): Numbers<Preconditioner> {
  const { arena, kernels, options, partitions } = ctx;
  const { rows: D, rowBytes, classes: K, features } = batchShape(ctx);
  const { rows: n } = ctx.data as Samples;
  yield* everyPartition(ctx, { kind: 'columnSquares' });
  const sums = ctx.buffer('columnSums') / 8;
  const factors = arena.f32.subarray(ctx.buffer('factors') / 4, ctx.buffer('factors') / 4 + D);
  for (let j = 0; j < D; j++) {
    let squares = 0;
    for (let p = 0; p < partitions; p++) squares += arena.f64[sums + p * features + j] ?? 0;
    factors[j] = j < features ? 1 / ((1.01 * squares) / (n * K) + options.lambda) : K;
  }
  return (vector) => kernels.rows_scale(D, rowBytes, ctx.buffer('factors'), vector);
}

/** Evaluations after which curvature has changed enough to look at it again. */
const refreshAt: ReadonlySet<number> = new Set([10, 25, 50, 90, 150, 230, 330]);

/** The pairs (s, y) of the last steps, newest last, and the recursion over them. */
class History {
  readonly #ctx: Scheduler;
  readonly #vectors: Vectors;
  readonly #pairs: { slot: number; rho: number }[] = [];
  #gamma = 1;
  #next = 0;

  constructor(ctx: Scheduler, vectors: Vectors) {
    this.#ctx = ctx;
    this.#vectors = vectors;
  }

  /** Where the next pair goes. */
  get slot(): number {
    return this.#next % historyPairs;
  }

  /** Takes the pair in `slot` in, if it curves upwards. `h` multiplies with H_0. */
  take(h: Preconditioner): void {
    const { kernels, arena } = this.#ctx;
    const { length, bytes, change, turn, direction } = this.#vectors;
    const { slot } = this;
    const curvature = kernels.f32_dot_wide(length, change(slot), turn(slot));
    if (!(curvature > 0)) return;
    arena.u8.copyWithin(direction, turn(slot), turn(slot) + bytes);
    h(direction);
    const scale = kernels.f32_dot_wide(length, turn(slot), direction);
    if (!(scale > 0) || !Number.isFinite(curvature / scale)) return;
    this.#gamma = curvature / scale;
    this.#pairs.push({ slot, rho: 1 / curvature });
    if (this.#pairs.length > historyPairs) this.#pairs.shift();
    this.#next += 1;
  }

  /** direction ← −H g. */
  direct(h: Preconditioner): void {
    const { kernels, arena } = this.#ctx;
    const { length, bytes, gradient, change, turn, direction } = this.#vectors;
    arena.u8.copyWithin(direction, gradient, gradient + bytes);
    const weights = new Map<number, number>();
    for (const { slot, rho } of [...this.#pairs].reverse()) {
      const weight = rho * kernels.f32_dot_wide(length, change(slot), direction);
      weights.set(slot, weight);
      kernels.f32_axpy(length, -weight, turn(slot), direction);
    }
    h(direction);
    kernels.f32_scale(length, this.#gamma, direction);
    for (const { slot, rho } of this.#pairs) {
      const weight = rho * kernels.f32_dot_wide(length, turn(slot), direction);
      kernels.f32_axpy(length, (weights.get(slot) ?? 0) - weight, change(slot), direction);
    }
    kernels.f32_scale(length, -1, direction);
  }
}

const line = { decrease: 1e-4, curvature: 0.9, evaluationsMax: 20 } as const;

/**
 * Moves `out` along `direction` until the weak Wolfe conditions hold; undefined when no step lowers
 * the objective by more than rounding.
 */
function* search(ctx: Scheduler, vectors: Vectors, from: number): Numbers<number | undefined> {
  const { arena, kernels } = ctx;
  const { bytes, length, gradient, direction, start } = vectors;
  const out = ctx.buffer('out');
  const slope = kernels.f32_dot_wide(length, gradient, direction);
  if (!(slope < 0)) return undefined;
  arena.u8.copyWithin(start, out, out + bytes);
  let [low, high, t] = [0, Infinity, 1];
  for (let tries = 0; tries < line.evaluationsMax; tries++) {
    arena.u8.copyWithin(out, start, start + bytes);
    kernels.f32_axpy(length, t, direction, out);
    ctx.share('out', 0, bytes);
    const value = yield* evaluate(ctx, vectors);
    // f32 gradients know the objective to about 1e-7 of itself.
    const enough = value <= from + line.decrease * t * slope + 1e-7 * Math.abs(from);
    if (!enough || !Number.isFinite(value)) high = t;
    else if (kernels.f32_dot_wide(length, gradient, direction) < line.curvature * slope) low = t;
    else return value;
    t = high === Infinity ? 2 * t : (low + high) / 2;
  }
  // What is certified and returned is the last point that was accepted, not the last one tried.
  arena.u8.copyWithin(out, start, start + bytes);
  ctx.share('out', 0, bytes);
  return undefined;
}

/**
 * Descends from W = 0 in `out`. `certify` is asked whenever ‖g‖²/2λ says that the gap may be small
 * enough, and at the end; it says whether to stop.
 */
export function* descend(
  ctx: Scheduler,
  certify: (evaluations: number) => Numbers<boolean>,
): Steps<MlrBatchWork, void> {
  const { arena, kernels, options } = ctx;
  const { features, rowBytes } = batchShape(ctx);
  const vectors = openVectors(ctx);
  const { bytes, length, gradient, before, start } = vectors;
  const out = ctx.buffer('out');
  arena.u8.fill(0, out, out + bytes);
  ctx.share('out', 0, bytes);
  const whole = batchShape(ctx).rows <= gramRowsMax;
  let h = yield* whole ? preconditionWhole(ctx) : preconditionDiagonal(ctx);
  const history = new History(ctx, vectors);
  let value = yield* evaluate(ctx, vectors);
  let evaluations = 1;
  let certifyAfter = 0;
  while (evaluations < options.passes) {
    history.direct(h);
    arena.u8.copyWithin(before, gradient, gradient + bytes);
    const found = yield* search(ctx, vectors, value);
    if (found === undefined) break;
    evaluations += 1;
    value = found;
    ctx.report({ pass: evaluations, objective: value });
    // s = W − W_before, y = g − g_before
    const { change, turn } = vectors;
    const { slot } = history;
    arena.u8.copyWithin(change(slot), out, out + bytes);
    kernels.f32_axpy(length, -1, start, change(slot));
    arena.u8.copyWithin(turn(slot), gradient, gradient + bytes);
    kernels.f32_axpy(length, -1, before, turn(slot));
    if (whole && refreshAt.has(evaluations)) h = yield* preconditionWhole(ctx);
    history.take(h);
    const squares = kernels.f32_sum_squares((features * rowBytes) / 4, gradient);
    if (squares / (2 * options.lambda) > options.tolerance * value) continue;
    if (evaluations < certifyAfter) continue;
    if (yield* certify(evaluations)) return;
    certifyAfter = evaluations + 5;
  }
  yield* certify(evaluations);
}
