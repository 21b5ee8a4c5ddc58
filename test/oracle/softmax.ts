// Multinomial logistic regression in float64, with the bounds of an f32 computation of it.
//
//   z_k = b_k + Σ_j x_j W_jk     p = softmax(z)    loss = −ln p_y     G_jk = Σ x_j (p_k − 1[y = k])
import { gamma, sum, U32, U64 } from './rounding.ts';

/** Relative errors that assembly/math.ts promises; kernels-softmax.test.ts holds it to them. */
export const EXP4_ERROR = 1.2e-7;
export const EXP64_ERROR = 5 * U64;
export const LOG64_ERROR = 1e-15;
/** exp4 takes everything below −87 for −87. */
export const EXP4_LEAST = Math.exp(-87);

export type Pairs = readonly (readonly [column: number, value: number])[];

export type Problem = {
  readonly rows: readonly Pairs[];
  readonly targets: ArrayLike<number>;
  readonly columns: number;
  readonly classes: number;
  readonly intercept: boolean;
  /** (columns [+ 1]) × classes, feature-major, unpadded. */
  readonly weights: ArrayLike<number>;
};

/** z of one row, and Σ |terms| of the largest: what its rounding errors are proportional to. */
export function scores({ classes, columns, intercept, weights }: Problem, row: Pairs) {
  let size = 0;
  const z = Array.from({ length: classes }, (_, k) => {
    const terms = row.map(([j, x]) => x * weights[j * classes + k]!);
    if (intercept) terms.push(weights[columns * classes + k]!);
    size = Math.max(size, sum(terms.map(Math.abs)));
    return sum(terms);
  });
  return { z, size };
}

export function softmax(z: readonly number[]) {
  const top = Math.max(...z);
  const terms = z.map((score) => Math.exp(score - top));
  const total = sum(terms);
  return { p: terms.map((term) => term / total), logSum: Math.log(total) + top };
}

/** Σ loss of the rows with a target, and the error of the same in f64. */
export function loss(problem: Problem) {
  let bound = 0;
  const losses = problem.rows.map((row, i) => {
    const y = problem.targets[i]!;
    if (y < 0) return 0;
    const { z, size } = scores(problem, row);
    const { logSum } = softmax(z);
    // Both z_y and the log-sum move by at most the error of a score; then exp, sum and log.
    bound += 2 * gamma(row.length + 1, U64) * size + EXP64_ERROR + gamma(z.length + 1, U64);
    bound +=
      LOG64_ERROR * Math.log(z.length) + gamma(3, U64) * (Math.abs(logSum) + Math.abs(z[y]!));
    return logSum - z[y]!;
  });
  const value = sum(losses);
  return { value, bound: bound + gamma(losses.length + 1, U64) * sum(losses.map(Math.abs)) };
}

/**
 * Loss and gradient with the bounds of f32: scores are sums of n + 1 terms (ζ), so ln p is off by
 * 2 ζ, the roundings of z − max z, the error of exp4 above and below the line, and the sum's.
 */
export function gradient(problem: Problem) {
  const { rows, targets, columns, classes, intercept } = problem;
  const length = (columns + (intercept ? 1 : 0)) * classes;
  const [value, bound, size] = [0, 1, 2].map(() => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let lossValue = 0;
  let lossBound = 0;
  const seen = new Int32Array(columns + 1);
  rows.forEach((row, i) => {
    const y = targets[i]!;
    if (y < 0) return;
    const { z, size: scoreSize } = scores(problem, row);
    const { p, logSum } = softmax(z);
    const zeta = gamma(row.length + 1) * scoreSize;
    const spread = Math.max(...z) - Math.min(...z) + 2 * zeta;
    const shifted = 2 * zeta + 2 * U32 * spread;
    const relative = Math.expm1(shifted + 2 * EXP4_ERROR * (1 + EXP4_ERROR) + gamma(classes + 5));
    const everywhere: Pairs = intercept ? [...row, [columns, 1]] : row;
    for (let k = 0; k < classes; k++) {
      const r = p[k]! - (k === y ? 1 : 0);
      const off = p[k]! * relative + classes * EXP4_LEAST;
      const error = off + U32 * (Math.abs(r) + off);
      for (const [j, x] of everywhere) {
        value[j * classes + k]! += x * r;
        bound[j * classes + k]! += Math.abs(x) * error;
        size[j * classes + k]! += Math.abs(x) * (Math.abs(r) + error);
      }
    }
    for (const [j] of everywhere) seen[j]!++;
    lossValue += logSum - z[y]!;
    lossBound += shifted + EXP4_ERROR + gamma(classes + 3) + classes * EXP4_LEAST;
    lossBound += gamma(4, U64) * (Math.abs(logSum) + Math.abs(z[y]!));
  });
  for (let at = 0; at < length; at++) {
    bound[at]! += gamma(seen[Math.floor(at / classes)]! + 1) * size[at]!;
  }
  lossBound += gamma(rows.length, U64) * Math.abs(lossValue);
  return { value, bound, size, loss: lossValue, lossBound };
}
