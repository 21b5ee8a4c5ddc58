// The judge: how good coefficients are, in float64, on the text's own decimals; one formula for
// everybody, apart from every solver's.
//
//   lasso      P = 1/(2n) ‖y − Xb‖² + λ‖b‖₁, no intercept. With r = y − Xb, θ = r / max(λn, ‖Xᵀr‖∞)
//              and D = ‖y‖²/2n − λ²n/2 ‖θ − y/(λn)‖², the error is (P − D) / (‖y‖²/2n)
//   logistic   F = (1/n) Σ log(1 + exp(−y z)) + λ‖w‖₁, or + λ/2 ‖w‖²; the error is F/F* − 1
import type { Problem } from './data.ts';

/** z += X b */
function scores({ rows, columns, values, places }: Problem, b: Float64Array): Float64Array {
  const z = new Float64Array(rows);
  for (let j = 0; j < columns; j++) {
    const weight = b[j] ?? 0;
    if (weight === 0) continue;
    const start = places === undefined ? j * rows : places.starts[j]!;
    const end = places === undefined ? start + rows : places.starts[j + 1]!;
    for (let k = start; k < end; k++)
      z[places === undefined ? k - start : places.rows[k]!]! += weight * values[k]!;
  }
  return z;
}

/** ‖Xᵀ v‖∞ */
function largestDot({ rows, columns, values, places }: Problem, v: Float64Array): number {
  let largest = 0;
  for (let j = 0; j < columns; j++) {
    const start = places === undefined ? j * rows : places.starts[j]!;
    const end = places === undefined ? start + rows : places.starts[j + 1]!;
    let sum = 0;
    for (let k = start; k < end; k++)
      sum += v[places === undefined ? k - start : places.rows[k]!]! * values[k]!;
    largest = Math.max(largest, Math.abs(sum));
  }
  return largest;
}

/** The λ from which on all coefficients of a lasso are 0. */
export const lambdaMax = (problem: Problem): number =>
  largestDot(problem, problem.y) / problem.rows;

/** The relative duality gap of a lasso, and P, both over ‖y‖²/2n. */
export function lassoGap(
  problem: Problem,
  b: Float64Array,
  lambda: number,
): { gap: number; objective: number } {
  const { rows: n, y } = problem;
  const z = scores(problem, b);
  const r = y.map((label, i) => label - z[i]!);
  const square = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
  const primal = square(r) / (2 * n) + lambda * b.reduce((sum, value) => sum + Math.abs(value), 0);
  const scale = Math.max(lambda * n, largestDot(problem, r));
  const apart = square(r.map((value, i) => value / scale - y[i]! / (lambda * n)));
  const null_ = square(y) / (2 * n);
  const dual = null_ - ((lambda * lambda * n) / 2) * apart;
  return { gap: (primal - dual) / null_, objective: primal / null_ };
}

/** F of a logistic regression. */
export function logisticObjective(
  problem: Problem,
  w: Float64Array,
  { lambda, penalty }: { lambda: number; penalty: 'l1' | 'l2' },
): number {
  const { rows: n, y } = problem;
  const z = scores(problem, w);
  const loss = y.reduce((sum, label, i) => sum + Math.log1p(Math.exp(-label * z[i]!)), 0);
  const size = w.reduce(
    (sum, value) => sum + (penalty === 'l1' ? Math.abs(value) : (value * value) / 2),
    0,
  );
  return loss / n + lambda * size;
}
