// The certificate of mlr's dual solver in float64: balance, mending, rebuilding and the gap.
import { negativeEntropy } from './dual.ts';
import { sum } from './rounding.ts';
import type { Pairs } from './softmax.ts';

type Duals = readonly ArrayLike<number>[];

/** Σ (α − e_y) and Σ (diag α − ααᵀ), the latter row-major. */
export function balance(alpha: Duals, targets: ArrayLike<number>, classes: number) {
  const all = Array.from({ length: classes }, (_, k) => k);
  const r = all.map((k) => sum(alpha.map((a, i) => a[k]! - (k === targets[i] ? 1 : 0))));
  const matrix = all.flatMap((k) =>
    all.map((l) => sum(alpha.map((a) => (k === l ? a[k]! : 0) - a[k]! * a[l]!))),
  );
  return { r, matrix };
}

/** α ← max(0, α − α (t − α·t)), renormalized. */
export function mend(alpha: ArrayLike<number>, t: ArrayLike<number>) {
  const mean = sum(Array.from(alpha, (a, k) => a * t[k]!));
  const mended = Array.from(alpha, (a, k) => Math.max(0, a - a * (t[k]! - mean)));
  const total = sum(mended);
  const result = mended.map((a) => a / total);
  return { alpha: result, negEntropy: negativeEntropy(result) };
}

/** Σ_i x_i (e_y − α_i)ᵀ over rows given as pairs, with Σ of the magnitudes and a column's terms. */
export function outer(
  rows: readonly Pairs[],
  duals: { readonly alpha: Duals; readonly targets: ArrayLike<number> },
  columns: number,
  classes: number,
) {
  const value = new Float64Array(columns * classes);
  const size = new Float64Array(columns * classes);
  const terms = new Int32Array(columns);
  rows.forEach((row, i) => {
    for (const [j, x] of row) {
      terms[j]! += 1;
      for (let k = 0; k < classes; k++) {
        const step = (k === duals.targets[i] ? 1 : 0) - duals.alpha[i]![k]!;
        value[j * classes + k]! += x * step;
        size[j * classes + k]! += Math.abs(x) * (1 + Math.abs(duals.alpha[i]![k]!));
      }
    }
  });
  return { value, size, terms };
}
