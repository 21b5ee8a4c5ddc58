// Second moments and symmetric systems in float64: what assembly/linalg/gram.ts is held against.
import { sum } from './rounding.ts';
import type { Pairs } from './softmax.ts';

/** Σ x xᵀ with Σ |x||x|ᵀ beside it, n × n, both triangles. */
export function gram(rows: readonly Pairs[], n: number, weights: readonly number[]) {
  const value = new Float64Array(n * n);
  const size = new Float64Array(n * n);
  for (const [at, row] of rows.entries()) {
    const w = weights[at]!;
    for (const [i, x] of row) {
      for (const [j, y] of row) {
        value[i * n + j]! += w * x * y;
        size[i * n + j]! += Math.abs(w * x * y);
      }
    }
  }
  return { value, size };
}

/** (L Lᵀ)_ij and (|L| |L|ᵀ)_ij of a lower triangle. */
export function product(L: Float64Array, n: number, i: number, j: number) {
  const terms = Array.from({ length: Math.min(i, j) + 1 }, (_, k) => L[i * n + k]! * L[j * n + k]!);
  return { value: sum(terms), size: sum(terms.map(Math.abs)) };
}

/** The lower triangle as the whole symmetric matrix. */
export function mirrored(lower: Float64Array, n: number): Float64Array {
  return lower.map((_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return lower[Math.max(i, j) * n + Math.min(i, j)]!;
  });
}
