// A point w that moves along directions, and what the workers know of it: scores z + t·q, loss,
// gradient and curvature. All sums are over the rows, not divided by their number n:
//
//   n F(w) = Σ c_i loss_i + l1 ‖w‖₁ + l2/2 ‖w‖²        l1 = n λα, l2 = n λ(1 − α)
import { onEveryPartition } from '../../phases.ts';
import {
  cell,
  send,
  shapeOf,
  sumCell,
  summed,
  vectorsOf,
  type Answer,
  type Phase,
  type Phases,
  type Scheduler,
  type Vectors,
} from './layout.ts';

export type Line = {
  readonly ctx: Scheduler;
  readonly v: Vectors;
  /** The λ at hand, its place in the path, n λα and n λ(1 − α). */
  lambda: number;
  index: number;
  l1: number;
  l2: number;
  readonly c0: number;
  readonly c1: number;
  /** Where on the line between z and z + q the workers are, and what of it z does not have yet. */
  t: number;
  /** Σ c loss there; w has the weights that belong to it. */
  loss: number;
  /** By how much of itself the last step lowered the objective. */
  fall: number;
  /** The last block's duals were meant to be feasible for all features. */
  aimed: boolean;
  /** Passes over the data. */
  passes: number;
};

/** The weights of the classes: as given, or such that both sum to n/2. */
function classWeights(ctx: Scheduler): readonly [number, number] {
  const { n } = shapeOf(ctx);
  const { classWeights: given } = ctx.options;
  const positives = sumCell(ctx, cell.positives);
  return given === 'balanced' ? [n / (2 * (n - positives)), n / (2 * positives)] : given;
}

/** A line from w = 0 in the direction of the intercept that is best there. */
export function* openLine(ctx: Scheduler): Phases<Line> {
  const { arena, options } = ctx;
  const { n, d, bytes } = shapeOf(ctx);
  const v = vectorsOf(ctx);
  yield* onEveryPartition<Phase, Answer>(ctx, { kind: 'open' });
  const [c0, c1] = classWeights(ctx);
  const positives = sumCell(ctx, cell.positives);
  arena.u8.fill(0, v.w, v.w + bytes);
  arena.u8.fill(0, v.direction, v.direction + bytes);
  const best = Math.log((c1 * positives) / (c0 * (n - positives)));
  if (options.intercept) arena.f64[v.direction / 8 + d] = Math.fround(best);
  return {
    ...{ ctx, v, c0, c1, lambda: 0, index: 0, l1: 0, l2: 0 },
    ...{ t: 0, loss: 0, fall: 1, aimed: false, passes: 0 },
  };
}

/** Goes where v.direction leads from w = 0. */
export function* begin(line: Line): Phases<void> {
  const { ctx, v } = line;
  const { bytes } = shapeOf(ctx);
  yield* advance(line);
  ctx.arena.u8.copyWithin(v.w, v.direction, v.direction + bytes);
}

/** Loss, gradient and curvature at z + t·q into the workers' memory and v.g. */
function* evaluate(line: Line, ask: { taken: number; t: number; fresh: boolean }): Phases<void> {
  const { ctx, v, c0, c1 } = line;
  yield* summed(ctx, { kind: 'advance', c0, c1, ...ask }, v.g);
  line.t = ask.t;
  line.loss = sumCell(ctx, cell.loss);
  line.passes += 1;
  if (!ctx.options.intercept) ctx.arena.f64[v.g / 8 + shapeOf(ctx).d] = 0;
}

/** A whole step along v.direction; w is the caller's to move. */
export function* advance(line: Line): Phases<void> {
  send(line.ctx, line.v.direction);
  yield* evaluate(line, { taken: line.t, t: 1, fresh: true });
}

/** l1 ‖w‖₁ + l2/2 ‖w‖² */
export function penaltyAt({ ctx, l1, l2 }: Line, w: number): number {
  const { d } = shapeOf(ctx);
  const { kernels } = ctx;
  const first = l1 > 0 ? l1 * kernels.f64_sum_abs(d, w) : 0;
  return first + (l2 > 0 ? (l2 / 2) * kernels.f64_dot(d, w, w) : 0);
}

const decrease = 0.01;
const halvingsMax = 40;

/**
 * Moves w along v.direction until n F falls by a share of `slope` < 0, what the direction promises
 * for a whole step. False when no step lowers it by more than rounding: w stays.
 */
export function* search(line: Line, slope: number): Phases<boolean> {
  const { ctx, v } = line;
  const { arena, kernels } = ctx;
  const { length, bytes } = shapeOf(ctx);
  const start = v.solved;
  const from = line.loss + penaltyAt(line, v.w);
  arena.u8.copyWithin(start, v.w, v.w + bytes);
  yield* advance(line);
  let t = 1;
  for (let halvings = 0; halvings < halvingsMax; halvings++) {
    kernels.f64_axpy(length, t, v.direction, v.w);
    const value = line.loss + penaltyAt(line, v.w);
    if (value <= from + decrease * t * slope + 1e-14 * Math.abs(from)) {
      line.fall = (from - value) / value;
      return true;
    }
    arena.u8.copyWithin(v.w, start, start + bytes);
    t /= 2;
    yield* evaluate(line, { taken: 0, t, fresh: false });
  }
  yield* evaluate(line, { taken: 0, t: 0, fresh: false });
  return false;
}
