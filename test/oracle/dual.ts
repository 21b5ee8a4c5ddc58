// The dual of mlr in float64: a row's subproblem, its value and its optimum, solved slowly.
//
//   F(α) = H(α) + α·z − (q/2) ‖α − α_old‖²        α on the simplex
import { EXP4_ERROR, softmax, type Pairs } from './softmax.ts';
import { gamma, sum } from './rounding.ts';

export type Subproblem = {
  readonly z: readonly number[];
  readonly q: number;
  readonly old: ArrayLike<number>;
};

/** Σ p ln p with 0 ln 0 = 0. */
export function negativeEntropy(p: ArrayLike<number>): number {
  return sum(Array.from(p, (value) => (value > 0 ? value * Math.log(value) : 0)));
}

export function value({ z, q, old }: Subproblem, alpha: ArrayLike<number>): number {
  const linear = z.map((score, k) => {
    const step = alpha[k]! - old[k]!;
    return alpha[k]! * score - (q / 2) * step * step;
  });
  return sum(linear) - negativeEntropy(alpha);
}

/** e^t with t + q e^t = c: the left side rises and is convex, so Newton never overshoots. */
function share(q: number, c: number): number {
  let t = Math.min(c, c > 0 ? Math.log(Math.max(c, 1) / q + 1) : c);
  if (t + q * Math.exp(t) < c) t = c;
  for (let turn = 0; turn < 60; turn++) {
    const e = q * Math.exp(t);
    const next = t - (t + e - c) / (1 + e);
    if (next === t) break;
    t = next;
  }
  return Math.exp(t);
}

/** The α that maximizes F: ln α_k + q α_k = z_k + q α_old_k − μ, μ by bisection: Σ α = 1. */
export function optimum({ z, q, old }: Subproblem): number[] {
  const c = z.map((score, k) => score + q * old[k]!);
  let low = Math.max(...c) - q - 1;
  let high = Math.max(...c) + Math.log(z.length) + 1;
  for (let turn = 0; turn < 70; turn++) {
    const middle = (low + high) / 2;
    if (sum(c.map((value) => share(q, value - middle))) > 1) low = middle;
    else high = middle;
  }
  const alpha = c.map((value) => share(q, value - high));
  const total = sum(alpha);
  return alpha.map((value) => value / total);
}

/** KL(α ‖ softmax z) by its formula, α as it is. */
export function divergence(z: readonly number[], alpha: ArrayLike<number>): number {
  const dot = sum(z.map((score, k) => score * alpha[k]!));
  return negativeEntropy(alpha) - dot + softmax(z).logSum;
}

/**
 * How far Σ p ln p may be off when it is p·u − ln Σ e^u of an f32 softmax of |u| ≤ size: ln p is
 * u − ln Σ e^u up to the error of exp4, of u − max u and of the division; p·u and the log-sum, and
 * Σ p = 1 by which it is multiplied, to a few more roundings than K.
 */
export function entropyBound(classes: number, size: number): number {
  return EXP4_ERROR + 3 * gamma(classes + 8) * (1 + 2 * size) + classes * 1e-30;
}

/** Scores z_k = Σ x_j W_jk [+ b_k − c_k (m − M) − s_k], and their f32 error. */
export function dualScores(
  row: Pairs,
  at: {
    readonly classes: number;
    readonly w: ArrayLike<number>;
    readonly state?: readonly ArrayLike<number>[];
    readonly m: number;
    readonly M: number;
  },
) {
  let error = 0;
  const z = Array.from({ length: at.classes }, (_, k) => {
    const terms = row.map(([j, x]) => x * at.w[j * at.classes + k]!);
    if (at.state) {
      const [bias, centre, shift] = at.state.map((part) => part[k]!) as [number, number, number];
      terms.push(bias, centre * (at.M - at.m), -shift);
    }
    // The terms' products and sums, and the rounding of M − m.
    error = Math.max(error, gamma(terms.length + 3) * sum(terms.map(Math.abs)));
    return sum(terms);
  });
  return { z, error };
}
