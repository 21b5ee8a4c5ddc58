// Matrix factorization in float64: the objective of src/models/mf/model.ts, its errors, and the
// minimum without biases by alternating least squares.
//
//   Σ_(u,i) (r − μ − b_u − b_i − p_u·q_i)² + λ Σ_(u,i) (‖p_u‖² + ‖q_i‖²)
import type { Prng } from '../../src/base/prng.ts';
import { eliminate } from './mlr.ts';
import { sum } from './rounding.ts';

/** Known ids from 0; −1 is one that training did not have. */
export type Triple = readonly [user: number, item: number, rating: number];

/** Row-major factors; biases may be empty. */
export type Factors = {
  readonly rank: number;
  readonly mean: number;
  readonly users: ArrayLike<number>;
  readonly items: ArrayLike<number>;
  readonly userBias: ArrayLike<number>;
  readonly itemBias: ArrayLike<number>;
};

/** μ + b_u + b_i + p_u·q_i; what an unknown id would add is left out. */
export function predicted(f: Factors, user: number, item: number): number {
  let score = f.mean;
  if (user >= 0) score += f.userBias[user] ?? 0;
  if (item >= 0) score += f.itemBias[item] ?? 0;
  for (let k = 0; user >= 0 && item >= 0 && k < f.rank; k++) {
    score += f.users[user * f.rank + k]! * f.items[item * f.rank + k]!;
  }
  return score;
}

export function squaredErrors(f: Factors, triples: readonly Triple[]): number {
  return sum(triples.map(([user, item, rating]) => (rating - predicted(f, user, item)) ** 2));
}

export function rmse(f: Factors, triples: readonly Triple[]): number {
  return Math.sqrt(squaredErrors(f, triples) / triples.length);
}

export function objective(f: Factors, triples: readonly Triple[], lambda: number): number {
  const squares = (rows: ArrayLike<number>, row: number) => {
    let total = 0;
    for (let k = 0; k < f.rank; k++) total += rows[row * f.rank + k]! ** 2;
    return total;
  };
  const penalty = triples.map(([user, item]) => squares(f.users, user) + squares(f.items, item));
  return squaredErrors(f, triples) + lambda * sum(penalty);
}

/** rows[row] ← argmin: (Σ v vᵀ + λ n I) x = Σ r v over the row's ratings. */
function solveRows(
  rank: number,
  rows: Float64Array,
  others: Float64Array,
  lambda: number,
  byRow: (readonly [number, number])[][],
) {
  byRow.forEach((ratings, row) => {
    const matrix = new Float64Array(rank * rank);
    const right = new Float64Array(rank);
    for (const [other, rating] of ratings) {
      for (let k = 0; k < rank; k++) {
        const v = others[other * rank + k]!;
        right[k]! += rating * v;
        matrix[k * rank + k]! += lambda;
        for (let m = 0; m < rank; m++) matrix[k * rank + m]! += v * others[other * rank + m]!;
      }
    }
    if (ratings.length > 0) rows.set(eliminate(matrix, right), row * rank);
  });
}

/** The best minimum without biases of several random starts. */
export function alternatingLeastSquares(
  triples: readonly Triple[],
  shape: { users: number; items: number; rank: number; lambda: number },
  prng: Prng,
): number {
  const { rank, lambda } = shape;
  const group = (count: number, side: 0 | 1) => {
    const groups = Array.from({ length: count }, (): (readonly [number, number])[] => []);
    for (const triple of triples) groups[triple[side]]!.push([triple[1 - side]!, triple[2]]);
    return groups;
  };
  const [byUser, byItem] = [group(shape.users, 0), group(shape.items, 1)];
  let best = Infinity;
  for (let start = 0; start < 3; start++) {
    const users = new Float64Array(shape.users * rank);
    const items = Float64Array.from({ length: shape.items * rank }, () => prng.uniform());
    let before = Infinity;
    for (let sweep = 0; sweep < 500; sweep++) {
      solveRows(rank, users, items, lambda, byUser);
      solveRows(rank, items, users, lambda, byItem);
      const factors = { rank, mean: 0, users, items, userBias: [], itemBias: [] };
      const now = objective(factors, triples, lambda);
      if (before - now < 1e-7 * now) break;
      before = now;
    }
    best = Math.min(best, before);
  }
  return best;
}
