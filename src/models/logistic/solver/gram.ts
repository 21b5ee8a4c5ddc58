// The curvature on a list of features, from all partitions: G = Σ h x xᵀ, f32.
import { onEveryPartition } from '../../phases.ts';
import { shapeOf, type Answer, type Phase, type Phases, type Scheduler } from './layout.ts';

/** Values from one row of G to the next. */
export const strideOf = (k: number) => (k + 3) & ~3;
/** Bytes of a partition's triangle. */
export const triangleBytes = (k: number) => (2 * k * (k + 1) + 15) & ~15;

/**
 * G of features in ascending order (the last may be the intercept's, d), into `square`; from every
 * `step`-th row as if all were like those.
 */
export function* curvatureOf(
  ctx: Scheduler,
  features: ArrayLike<number>,
  step: number,
): Phases<void> {
  const { arena, kernels, partitions } = ctx;
  const { length } = shapeOf(ctx);
  const k = features.length;
  const map = arena.i32.subarray(ctx.buffer('map') / 4, ctx.buffer('map') / 4 + length).fill(-1);
  for (let slot = 0; slot < k; slot++) map[features[slot] ?? 0] = slot;
  ctx.share('map', 0, length * 4);
  yield* onEveryPartition<Phase, Answer>(ctx, { kind: 'gram', k, step });
  const [G, square] = [ctx.buffer('gram'), ctx.buffer('square')];
  kernels.gram_square(k, partitions, triangleBytes(k), G, strideOf(k), square);
}
