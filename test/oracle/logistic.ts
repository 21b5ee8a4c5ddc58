// Binary logistic regression in float64, the slow way: coordinate by coordinate.
//
//   F = (1/n) Σ c_i ln(1 + exp(−y_i z_i)) + λ (α ‖w‖₁ + (1 − α)/2 ‖w‖²)
import type { Pairs } from './softmax.ts';

export type LogisticProblem = {
  readonly rows: readonly Pairs[];
  /** 0 or 1. */
  readonly targets: readonly number[];
  readonly columns: number;
  readonly intercept: boolean;
  readonly lambda: number;
  readonly ratio: number;
  /** Of class 0 and 1. */
  readonly weights: readonly [number, number];
};

const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const sigmoid = (x: number) =>
  x > 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

const signOf = (target: number) => (target > 0 ? 1 : -1);

/** Scores of weights with the intercept, if any, behind them. */
export function scoresOf({ rows, columns }: LogisticProblem, w: ArrayLike<number>): number[] {
  return rows.map((row) => row.reduce((sum, [j, x]) => sum + x * w[j]!, w[columns] ?? 0));
}

export function objective(problem: LogisticProblem, w: ArrayLike<number>): number {
  const { targets, columns, lambda, ratio, weights } = problem;
  const losses = scoresOf(problem, w).map(
    (z, i) => weights[targets[i]! > 0 ? 1 : 0] * softplus(-signOf(targets[i]!) * z),
  );
  let penalty = 0;
  for (let j = 0; j < columns; j++) {
    penalty += ratio * Math.abs(w[j]!) + ((1 - ratio) / 2) * w[j]! ** 2;
  }
  return losses.reduce((sum, loss) => sum + loss, 0) / targets.length + lambda * penalty;
}

/** Derivatives in one coordinate of the loss: the first two. */
function slopeOf(problem: LogisticProblem, column: readonly [number, number][], z: number[]) {
  const { targets, weights } = problem;
  const n = targets.length;
  let first = 0;
  let second = 0;
  for (const [i, x] of column) {
    const y = signOf(targets[i]!);
    const c = weights[y > 0 ? 1 : 0];
    const a = sigmoid(-y * z[i]!);
    first -= (c * y * a * x) / n;
    second += (c * a * (1 - a) * x * x) / n;
  }
  return { first, second };
}

/** The optimum: Newton's method, one coordinate after the other, with halving, until all stand. */
export function optimum(problem: LogisticProblem): { w: number[]; value: number } {
  const { rows, columns, intercept, lambda, ratio } = problem;
  const D = columns + (intercept ? 1 : 0);
  const columnsOf: [number, number][][] = Array.from({ length: D }, () => []);
  rows.forEach((row, i) => {
    for (const [j, x] of row) columnsOf[j]!.push([i, x]);
    if (intercept) columnsOf[columns]!.push([i, 1]);
  });
  const w = new Array<number>(D).fill(0);
  const z = rows.map(() => 0);
  for (let sweep = 0; sweep < 20_000; sweep++) {
    let most = 0;
    for (const [j, column] of columnsOf.entries()) {
      const l1 = j < columns ? lambda * ratio : 0;
      const l2 = j < columns ? lambda * (1 - ratio) : 0;
      const { first, second } = slopeOf(problem, column, z);
      const h = second + l2 + 1e-12;
      const aim = h * w[j]! - (first + l2 * w[j]!);
      const full = (Math.sign(aim) * Math.max(0, Math.abs(aim) - l1)) / h - w[j]!;
      const at = (step: number) => {
        let value = l1 * Math.abs(w[j]! + step) + (l2 / 2) * (w[j]! + step) ** 2;
        for (const [i, x] of column) {
          const y = signOf(problem.targets[i]!);
          const c = problem.weights[y > 0 ? 1 : 0];
          value += (c * softplus(-y * (z[i]! + step * x))) / rows.length;
        }
        return value;
      };
      let step = full;
      const before = at(0);
      while (Math.abs(step) > 1e-14 && at(step) > before) step /= 2;
      if (Math.abs(step) <= 1e-14) continue;
      w[j] = w[j]! + step;
      for (const [i, x] of column) z[i]! += step * x;
      most = Math.max(most, Math.abs(step) * Math.sqrt(h));
    }
    if (most < 1e-9) break;
  }
  return { w, value: objective(problem, w) };
}

/** The dual value of duals a in [0, 1], made feasible by factors; −∞ is never needed. */
export function dualValue(problem: LogisticProblem, duals: readonly number[]): number {
  const { rows, targets, columns, intercept, lambda, ratio, weights } = problem;
  const n = rows.length;
  const weightOf = (i: number) => weights[targets[i]! > 0 ? 1 : 0];
  const mass = [0, 0];
  duals.forEach((a, i) => (mass[targets[i]! > 0 ? 1 : 0]! += weightOf(i) * a));
  const least = Math.min(mass[0]!, mass[1]!);
  const factors = mass.map((own) => (intercept && own > 0 ? least / own : 1));
  const feasible = duals.map((a, i) => a * factors[targets[i]! > 0 ? 1 : 0]!);
  const v = new Array<number>(columns).fill(0);
  rows.forEach((row, i) => {
    for (const [j, x] of row) v[j]! += (weightOf(i) * signOf(targets[i]!) * feasible[i]! * x) / n;
  });
  const [l1, l2] = [lambda * ratio, lambda * (1 - ratio)];
  const most = v.reduce((high, value) => Math.max(high, Math.abs(value)), 0);
  const s = l2 === 0 && most > l1 ? l1 / most : 1;
  const entropy = (p: number) =>
    p <= 0 || p >= 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log1p(-p);
  const gained = feasible.reduce((sum, a, i) => sum + weightOf(i) * entropy(s * a), 0) / n;
  const lost = v.reduce((sum, value) => sum + Math.max(0, Math.abs(s * value) - l1) ** 2, 0);
  return gained - (l2 === 0 ? 0 : lost / (2 * l2));
}

/** F(w) − D at the duals that the scores of w have. */
export function gapOf(problem: LogisticProblem, w: ArrayLike<number>): number {
  const duals = scoresOf(problem, w).map((z, i) => sigmoid(-signOf(problem.targets[i]!) * z));
  return objective(problem, w) - dualValue(problem, duals);
}
