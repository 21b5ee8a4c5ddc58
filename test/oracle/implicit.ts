// Implicit feedback over all pairs in float64, dense: the objective of src/models/mf/model.ts, and
// its minimum by alternating least squares.
//
//   Σ_(u,i) c (t − p·q)² + λ (Σ ‖p‖² + Σ ‖q‖²)     c = 1 + a r, t = 1 where r > 0; else c 1, t 0
import type { Triple } from './factorization.ts';
import { eliminate } from './mlr.ts';

export type Implicit = {
  readonly users: number;
  readonly items: number;
  readonly rank: number;
  readonly lambda: number;
  readonly confidence: number;
};

/** What all users gave all items, row by row. */
function counts(shape: Implicit, triples: readonly Triple[]): Float64Array {
  const all = new Float64Array(shape.users * shape.items);
  for (const [user, item, count] of triples) all[user * shape.items + item] = count;
  return all;
}

export function implicitObjective(
  shape: Implicit,
  triples: readonly Triple[],
  factors: { readonly users: ArrayLike<number>; readonly items: ArrayLike<number> },
): number {
  const { rank, lambda, confidence } = shape;
  let total = 0;
  counts(shape, triples).forEach((count, pair) => {
    const [user, item] = [Math.floor(pair / shape.items), pair % shape.items];
    let score = 0;
    for (let k = 0; k < rank; k++) {
      score += factors.users[user * rank + k]! * factors.items[item * rank + k]!;
    }
    total += (1 + confidence * count) * ((count > 0 ? 1 : 0) - score) ** 2;
  });
  for (const rows of [factors.users, factors.items]) {
    for (let cell = 0; cell < rows.length; cell++) total += lambda * rows[cell]! ** 2;
  }
  return total;
}

/** The least objective that many sweeps of exact solves find from the given items. */
export function implicitMinimum(
  shape: Implicit,
  triples: readonly Triple[],
  start: ArrayLike<number>,
): number {
  const { users, items, rank, lambda, confidence } = shape;
  const all = counts(shape, triples);
  const p = new Float64Array(users * rank);
  const q = Float64Array.from(start);
  const solve = (size: number, others: number, own: Float64Array, other: Float64Array) => {
    const countOf = (row: number, j: number) =>
      own === p ? all[row * items + j]! : all[j * items + row]!;
    for (let row = 0; row < size; row++) {
      const matrix = new Float64Array(rank * rank);
      const right = new Float64Array(rank);
      for (let k = 0; k < rank; k++) matrix[k * rank + k] = lambda;
      for (let j = 0; j < others; j++) {
        const count = countOf(row, j);
        const c = 1 + confidence * count;
        for (let k = 0; k < rank; k++) {
          const v = other[j * rank + k]!;
          if (count > 0) right[k]! += c * v;
          for (let m = 0; m < rank; m++) matrix[k * rank + m]! += c * v * other[j * rank + m]!;
        }
      }
      own.set(eliminate(matrix, right), row * rank);
    }
  };
  for (let sweep = 0; sweep < 300; sweep++) {
    solve(users, items, p, q);
    solve(items, users, q, p);
  }
  return implicitObjective(shape, triples, { users: p, items: q });
}
