// A Newton direction by preconditioned conjugate gradients: (H + l2 I) p = −(g + l2 w), H the rows'
// curvature, which only products with vectors ask for (a truncated Newton method; Lin, Weng and
// Keerthi 2008). Preconditioned with all second moments where features are few, with the diagonal
// where they are many.
//
// With l1 it is the direction of the features that are free to move, at the signs that they have
// (Byrd, Chin, Nocedal and Oztoprak 2016): what is left where a block of all of them is too large.
import { curvatureOf, strideOf } from './gram.ts';
import { narrowMax, send, shapeOf, summed, type Phases, type Scheduler } from './layout.ts';
import type { Line } from './line.ts';

/** solved ← M⁻¹ residual. */
type Precondition = () => void;

function* byDiagonal({ ctx, v, l2 }: Line): Phases<Precondition> {
  const { arena, kernels } = ctx;
  const { d, length } = shapeOf(ctx);
  yield* summed(ctx, { kind: 'diagonal' }, v.diagonal);
  const diagonal = arena.f64.subarray(v.diagonal / 8, v.diagonal / 8 + length);
  kernels.f64_shift(d, l2, v.diagonal);
  if (!((diagonal[d] ?? 0) > 0)) diagonal[d] = 1;
  return () => kernels.f64_divide(length, v.residual, v.diagonal, v.solved);
}

/** Rows that are worth their time: as much of it as some twenty products take. */
function gramStep(ctx: Scheduler): number {
  const { data, n, length } = shapeOf(ctx);
  const entries = data.storage === 'csr' ? data.nonzeros / Math.max(1, n) : data.columns;
  const rows = Math.max(4000, 8 * length, (80 * n) / Math.max(1, entries));
  return Math.max(1, Math.floor(n / rows));
}

function* byGram(line: Line): Phases<Precondition> {
  const { ctx, v, l2 } = line;
  const { arena, kernels, options } = ctx;
  const { d, bytes } = shapeOf(ctx);
  const k = options.intercept ? d + 1 : d;
  const features = Array.from({ length: k }, (_, j) => j);
  yield* curvatureOf(ctx, features, gramStep(ctx));
  const G = ctx.buffer('factor');
  const stride = strideOf(k);
  for (let j = 0; j < k; j++) {
    kernels.f32_widen(k, ctx.buffer('square') + j * stride * 4, G + j * k * 8);
    const cell = G / 8 + j * k + j;
    // f32 knows a moment to some 1e-6; without a penalty a pivot may vanish.
    arena.f64[cell] = (arena.f64[cell] ?? 0) * (1 + 1e-5) + (j < d ? l2 : 1e-10);
  }
  if (kernels.cholesky(k, G) !== 0) return yield* byDiagonal(line);
  return () => {
    arena.u8.copyWithin(v.solved, v.residual, v.residual + bytes);
    kernels.cholesky_solve_vector(k, G, v.solved);
  };
}

/** curved ← (H + l2 I) search, for the features that are free. */
function* multiply(line: Line): Phases<void> {
  const { ctx, v, l1, l2 } = line;
  const { d } = shapeOf(ctx);
  send(ctx, v.search);
  yield* summed(ctx, { kind: 'product' }, v.curved);
  line.passes += 1;
  ctx.kernels.f64_axpy(d, l2, v.search, v.curved);
  if (l1 > 0) ctx.kernels.f64_mask(d, v.dual, v.curved);
  if (!ctx.options.intercept) ctx.arena.f64[v.curved / 8 + d] = 0;
}

/** residual ← minus the gradient of the features that are free, which `dual` keeps too. */
function startResidual({ ctx, v, l1, l2 }: Line): void {
  const { arena, kernels } = ctx;
  const { d, length, bytes } = shapeOf(ctx);
  arena.u8.fill(0, v.residual, v.residual + bytes);
  kernels.f64_axpy(length, -1, v.g, v.residual);
  if (l1 > 0) kernels.logistic_free(d, l1, l2, v.w, v.g, v.residual);
  else kernels.f64_axpy(d, -l2, v.w, v.residual);
  arena.u8.copyWithin(v.dual, v.residual, v.residual + bytes);
}

/** What a step along v.direction promises: its slope, with the penalty's l1 as it will be. */
export function promiseOf(line: Line): number {
  const { ctx, v, l1, l2 } = line;
  const { kernels, arena } = ctx;
  const { d, length, bytes } = shapeOf(ctx);
  const slope =
    kernels.f64_dot(length, v.g, v.direction) + l2 * kernels.f64_dot(d, v.w, v.direction);
  if (l1 === 0) return slope;
  arena.u8.copyWithin(v.curved, v.w, v.w + bytes);
  kernels.f64_axpy(length, 1, v.direction, v.curved);
  return slope + l1 * (kernels.f64_sum_abs(d, v.curved) - kernels.f64_sum_abs(d, v.w));
}

const productsMax = 200;

/**
 * v.direction ← the direction, to a residual of `share` of the gradient's length. Returns what it
 * promises: below 0, or there is none.
 */
export function* newtonDirection(line: Line, share: number): Phases<number> {
  const { ctx, v, l1 } = line;
  const { arena, kernels } = ctx;
  const { d, length, bytes } = shapeOf(ctx);
  const whole = d < narrowMax && l1 === 0;
  const precondition = yield* whole ? byGram(line) : byDiagonal(line);
  arena.u8.fill(0, v.direction, v.direction + bytes);
  startResidual(line);
  precondition();
  arena.u8.copyWithin(v.search, v.solved, v.solved + bytes);
  let rho = kernels.f64_dot(length, v.residual, v.solved);
  const least = share ** 2 * kernels.f64_dot(length, v.residual, v.residual);
  for (let products = 0; products < productsMax && rho > 0; products++) {
    yield* multiply(line);
    const alpha = rho / kernels.f64_dot(length, v.search, v.curved);
    if (!Number.isFinite(alpha)) break;
    kernels.f64_axpy(length, alpha, v.search, v.direction);
    kernels.f64_axpy(length, -alpha, v.curved, v.residual);
    if (kernels.f64_dot(length, v.residual, v.residual) <= least) break;
    precondition();
    const next = kernels.f64_dot(length, v.residual, v.solved);
    kernels.f64_xpay(length, next / rho, v.solved, v.search);
    rho = next;
  }
  if (l1 > 0) kernels.logistic_project(d, v.dual, v.w, v.direction);
  const promise = promiseOf(line);
  return promise < 0 || l1 === 0 ? promise : shrinkingDirection(line);
}

/** Where cutting a step off has turned it uphill: what the diagonal of the curvature alone says. */
function shrinkingDirection(line: Line): number {
  const { ctx, v, l1, l2 } = line;
  const { arena, kernels } = ctx;
  const { d, bytes } = shapeOf(ctx);
  arena.u8.fill(0, v.direction, v.direction + bytes);
  kernels.logistic_shrink(d, l1, l2, v.w, v.g, v.diagonal, v.direction);
  return promiseOf(line);
}
