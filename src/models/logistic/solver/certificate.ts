// The certificate: how far the objective can be from the optimum, by a dual point.
//
//   D(a) = Σ c_i H(a_i) − 1/(2 l2) Σ_j max(0, |v_j| − l1)²,   v = Σ c_i y_i a_i x_i,  a_i ∈ [0, 1]
//
// H is the entropy −a ln a − (1 − a) ln(1 − a). Without l2 (lasso's penalty alone) all |v_j| must
// be at most l1; with an intercept Σ c_i y_i a_i has to be 0. Duals are made so by a factor for
// each class, which can only be below 1. There are two to choose from (assembly/logistic/dual.ts):
//
//   at w      a = σ(−y z): right where |v| shrinks little, L2 and what ends a long run
//   along     those that the quadratic model of the last step promised. They miss the constraints
//             by what the block's solver left, the others by what the model was wrong: with L1 they
//             certify a step or two earlier.
import { onEveryPartition } from '../../phases.ts';
import {
  cell,
  factBytes,
  result,
  resultsBytes,
  shapeOf,
  sumCell,
  summed,
  type Answer,
  type Phase,
  type Phases,
  type Scheduler,
} from './layout.ts';
import { advance, penaltyAt, type Line } from './line.ts';

/** Factors that make the masses of both classes the same. */
function balanced(ctx: Scheduler, mass1: number, mass0: number): { s0: number; s1: number } {
  if (!ctx.options.intercept || mass1 === mass0) return { s0: 1, s1: 1 };
  return mass1 > mass0 ? { s0: 1, s1: mass0 / mass1 } : { s0: mass1 / mass0, s1: 1 };
}

/** What the dual loses by the vector v at `at`, and how far it has to shrink to be feasible. */
function penaltyOf({ ctx, l1, l2 }: Line, at: number): { cost: number; shrink: number } {
  const { d } = shapeOf(ctx);
  if (l2 > 0) return { cost: ctx.kernels.f64_excess_squares(d, l1, at) / (2 * l2), shrink: 1 };
  const most = ctx.kernels.f64_max_abs(d, at);
  return { cost: 0, shrink: most > l1 ? l1 / most : 1 };
}

/** A guess at the gap of n F from what is known at w: no pass over the data. */
export function gapGuess(line: Line): { gap: number; value: number } {
  const { ctx, v } = line;
  const { d } = shapeOf(ctx);
  const value = line.loss + penaltyAt(line, v.w);
  const { cost, shrink } = penaltyOf(line, v.g);
  // Duals of both classes that do not balance, by Σ c y a = −g_d, are worth b g_d too much or too
  // little; balance itself costs its square.
  const [off, b] = [ctx.arena.f64[v.g / 8 + d] ?? 0, ctx.arena.f64[v.w / 8 + d] ?? 0];
  const mass = sumCell(ctx, cell.mass1) + sumCell(ctx, cell.mass0);
  const tilt = off === 0 ? 0 : (off * off) / mass - off * b;
  // H is concave and H(0) = 0: what shrinks keeps at least its share.
  return { gap: value - shrink * sumCell(ctx, cell.entropy) + cost + tilt, value };
}

/** D of the duals `at w` or `along` the last step. */
function* dualValue(line: Line, along: boolean): Phases<number> {
  const { ctx, v, c0, c1 } = line;
  const t = along ? 0 : line.t;
  const measure = function* (factors: { s0: number; s1: number }): Phases<number> {
    const phase: Phase = { kind: 'entropy', c0, c1, t, along, ...factors };
    yield* onEveryPartition<Phase, Answer>(ctx, phase);
    return sumCell(ctx, cell.dualEntropy);
  };
  const one = { s0: 1, s1: 1 };
  // What balances needs the masses; without an intercept the one measure at the end will do.
  let entropy = along ? undefined : sumCell(ctx, cell.entropy);
  if (along && ctx.options.intercept) entropy = yield* measure(one);
  const masses = along
    ? ([cell.dualMass1, cell.dualMass0] as const)
    : ([cell.mass1, cell.mass0] as const);
  const scales = balanced(ctx, sumCell(ctx, masses[0]), sumCell(ctx, masses[1]));
  let at = v.g;
  if (along || scales.s0 < 1 || scales.s1 < 1) {
    at = v.dual;
    yield* summed(ctx, { kind: 'dual', c0, c1, t, along, ...scales }, at);
    line.passes += 1;
  }
  const { cost, shrink } = penaltyOf(line, at);
  const s0 = shrink * scales.s0;
  const s1 = shrink * scales.s1;
  if (entropy === undefined || s0 < 1 || s1 < 1) entropy = yield* measure({ s0, s1 });
  return entropy - cost;
}

/** Moves w to the nearest f32 values: those that are returned. */
function* round(line: Line): Phases<void> {
  const { ctx, v } = line;
  const { length, bytes } = shapeOf(ctx);
  ctx.arena.u8.fill(0, v.direction, v.direction + bytes);
  ctx.kernels.f64_round_step(length, v.w, v.direction);
  if (ctx.kernels.f64_max_abs(length, v.direction) === 0) return;
  yield* advance(line);
  ctx.kernels.f64_axpy(length, 1, v.direction, v.w);
}

/**
 * The gap in full: is it small enough? Then it is written down with the weights; `last`: anyway.
 */
export function* certify(
  line: Line,
  { along, last }: { along: boolean; last: boolean },
): Phases<boolean> {
  const { ctx, v, lambda, index } = line;
  const { arena, options } = ctx;
  const { n, d, length } = shapeOf(ctx);
  // Before rounding: the dual of L2 feels it in the square of a large column.
  const dual = yield* dualValue(line, along);
  const before = line.loss + penaltyAt(line, v.w);
  if (!last && before - dual > options.tolerance * before) return false;
  yield* round(line);
  const value = line.loss + penaltyAt(line, v.w);
  const gap = Math.max(0, value - dual);
  const out = arena.f32.subarray(ctx.buffer('out') / 4, ctx.buffer('out') / 4 + length);
  out.set(arena.f64.subarray(v.w / 8, v.w / 8 + length));
  ctx.share('out', 0, length * 4);
  const results = ctx.buffer('results') / 8;
  arena.f64[results + result.objective] = value / n;
  arena.f64[results + result.gap] = gap / n;
  arena.f64[results + result.passes] = line.passes;
  arena.f64[results + result.wrong] = sumCell(ctx, cell.wrong);
  let nonzeros = 0;
  for (let j = 0; j < d; j++) nonzeros += out[j] === 0 ? 0 : 1;
  arena.f64[results + result.nonzeros] = nonzeros;
  ctx.share('results', 0, resultsBytes);
  const facts = ctx.buffer('facts') + index * factBytes;
  arena.f64.set([lambda, value / n, gap / n, nonzeros], facts / 8);
  ctx.share('facts', index * factBytes, factBytes);
  ctx.report({ pass: line.passes, objective: value / n, gap: gap / value, nonzeros });
  return gap <= options.tolerance * value;
}
