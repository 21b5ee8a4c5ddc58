// Dense vectors in float64: what assembly/linalg/vector.ts is held against.
import { sum } from './rounding.ts';

/** Σ x·y of f32 values: each product is exact in f64, the sum is compensated. */
export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return sum(Array.from(x, (value, i) => value * y[i]!));
}

export const magnitudes = (x: ArrayLike<number>) => Array.from(x, Math.abs);
