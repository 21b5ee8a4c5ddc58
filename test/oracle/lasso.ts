// The lasso and the elastic net in float64, one coordinate after the other, and their certificate,
// by the formulas of the literature and not those of the solver.
//
//   1/(2n) ‖y − Xβ − b‖² + λ (α Σ s_j |β_j| + (1−α)/2 Σ (s_j β_j)²)
//
// s_j: the column's standard deviation when standardized (about 0 without an intercept), else 1.
import { sum } from './rounding.ts';

export type LassoProblem = {
  /** Rows of numbers. */
  readonly x: readonly (readonly number[])[];
  readonly y: readonly number[];
  readonly lambda: number;
  readonly alpha?: number;
  readonly intercept?: boolean;
  readonly standardize?: boolean;
};

export type LassoSolution = { readonly beta: readonly number[]; readonly intercept: number };

const mean = (values: readonly number[]) => sum(values) / values.length;
function dot(a: readonly number[], b: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** Columns and labels about their means if there is an intercept, and the penalties' factors. */
function prepare({ x, y, intercept = true, standardize = false }: LassoProblem) {
  const columns = (x[0] ?? []).map((_, j) => x.map((row) => row[j]!));
  const means = columns.map((column) => (intercept ? mean(column) : 0));
  const centred = columns.map((column, j) => column.map((value) => value - means[j]!));
  const label = intercept ? mean(y) : 0;
  const labels = y.map((value) => value - label);
  const factor = centred.map((c) => (standardize ? Math.sqrt(dot(c, c) / y.length) : 1));
  return { means, centred, label, labels, factor };
}

/** Cyclic coordinate descent until nothing moves. */
export function solveLasso(problem: LassoProblem, sweeps = 20_000): LassoSolution {
  const { lambda, alpha = 1, y } = problem;
  const n = y.length;
  const { means, centred, label, labels, factor } = prepare(problem);
  const beta = centred.map(() => 0);
  const r = [...labels];
  const squares = centred.map((c) => dot(c, c) / n);
  const curvature = squares.map((s, j) => s + lambda * (1 - alpha) * factor[j]! ** 2);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let most = 0;
    centred.forEach((column, j) => {
      const h = curvature[j]!;
      if (!(squares[j]! > 1e-24)) return;
      const before = beta[j]!;
      const z = dot(column, r) / n + squares[j]! * before;
      const size = Math.max(0, Math.abs(z) - lambda * alpha * factor[j]!) / h;
      const after = Math.sign(z) * size;
      const change = after - before;
      if (change === 0) return;
      beta[j] = after;
      column.forEach((value, i) => (r[i]! -= change * value));
      most = Math.max(most, change * change * h);
    });
    if (most < 1e-28 * dot(labels, labels)) break;
  }
  return { beta, intercept: label - dot(means, beta) };
}

export function lassoObjective(problem: LassoProblem, solution: LassoSolution): number {
  const { x, y, lambda, alpha = 1 } = problem;
  const { factor } = prepare(problem);
  const r = y.map((value, i) => value - solution.intercept - dot(x[i]!, solution.beta));
  const scaled = solution.beta.map((value, j) => Math.abs(value) * factor[j]!);
  const ridge = (lambda * (1 - alpha) * dot(scaled, scaled)) / 2;
  return dot(r, r) / (2 * y.length) + lambda * alpha * sum(scaled) + ridge;
}

/**
 * The duality gap at any β, with the best intercept: of the lasso over the rows that the L2 penalty
 * adds, [X; √(nλ₂) S] and [y; 0], or with the L2 penalty's conjugate, whichever is smaller.
 */
export function lassoGap(problem: LassoProblem, solution: LassoSolution): number {
  const { lambda, alpha = 1, y } = problem;
  const n = y.length;
  const { centred, labels, factor } = prepare(problem);
  const { beta } = solution;
  const [l1, l2] = [lambda * alpha, lambda * (1 - alpha)];
  const r = labels.map((value, i) => value - sum(centred.map((c, j) => c[i]! * beta[j]!)));
  const below = beta.map((value, j) => -Math.sqrt(n * l2) * factor[j]! * value);
  const slopes = centred.map((c, j) => dot(c, r) + Math.sqrt(n * l2) * factor[j]! * below[j]!);
  const most = Math.max(...slopes.map((s, j) => (factor[j]! > 0 ? Math.abs(s) / factor[j]! : 0)));
  const theta = [...r, ...below].map((value) => value / Math.max(l1 * n, most));
  const target = [...labels, ...below.map(() => 0)];
  const off = theta.map((value, i) => value - target[i]! / (l1 * n));
  const dual = dot(labels, labels) / (2 * n) - ((l1 * l1 * n) / 2) * dot(off, off);
  const primal =
    (dot(r, r) + dot(below, below)) / (2 * n) +
    l1 * sum(beta.map((value, j) => Math.abs(value) * factor[j]!));
  // The conjugate of the L2 penalty makes every residual feasible.
  const over = centred.map((c, j) => {
    if (!(factor[j]! > 0) || l2 === 0) return 0;
    return Math.max(0, Math.abs(dot(c, r)) / (n * factor[j]!) - l1) ** 2 / (2 * l2);
  });
  const conjugate = dot(r, labels) / n - dot(r, r) / (2 * n) - sum(over);
  return primal - (l2 === 0 ? dual : Math.max(dual, conjugate));
}
