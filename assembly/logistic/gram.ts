// Second moments of chosen features under the rows' curvature: the Hessian of the binary logistic loss
// on a block of features, what a block's subproblem and a preconditioner are made of.
import { columnsOf, pairsOf, valuesOf } from './row';

/**
 * G += Σ h_i x_i x_iᵀ over every `step`-th of `count` rows, of the features with slots: map, (d + 1) × i32, has
 * the slot of each, ascending with the feature, or −1; the last entry is the intercept's. G: k × k f64,
 * row-major, lower triangle. work: 2 (d + 16) · 4 + (d + 2) · 12 bytes. Returns the number of rows added.
 */
export function logistic_gram(
  storage: i32, count: i32, step: i32, directory: usize, d: i32, scale: f32, h: usize, map: usize, k: i32,
  G: usize, work: usize,
): i32 {
  const values64 = work + ((<usize>(2 * (d + 16)) << 2) + 7 & ~7);
  const slots = values64 + (<usize>(d + 2) << 3);
  const own = load<i32>(map + (<usize>d << 2));
  let added = 0;
  for (let i = 0; i < count; i += step) {
    const entry = directory + (<usize>i << 4);
    const n = pairsOf(storage, entry, d, scale, work);
    const columns = columnsOf(storage, entry, work), values = valuesOf(storage, entry, d, work);
    let m: usize = 0;
    if (n < 0) {
      for (let j: usize = 0; j < <usize>d; j++) {
        const x = load<f32>(columns + (j << 2));
        const slot = load<i32>(map + (j << 2));
        store<i32>(slots + (m << 2), slot);
        store<f64>(values64 + (m << 3), <f64>scale * <f64>x);
        m += <usize>i32(slot >= 0 && x != 0);
      }
    } else {
      for (let j: usize = 0; j < <usize>n << 2; j += 4) {
        const slot = load<i32>(map + (<usize>load<u32>(columns + j) << 2));
        store<i32>(slots + (m << 2), slot);
        store<f64>(values64 + (m << 3), <f64>load<f32>(values + j));
        m += <usize>i32(slot >= 0);
      }
    }
    if (own >= 0) {
      store<i32>(slots + (m << 2), own);
      store<f64>(values64 + (m << 3), 1);
      m++;
    }
    const weight = load<f64>(h + (<usize>i << 3));
    added++;
    if (m == <usize>k) addWhole(<usize>k, weight, values64, G);
    else addPicked(m, <usize>k, weight, values64, slots, G);
  }
  return added;
}

/** All slots occur: the rows of G are added to as they lie. */
// @ts-ignore: decorator
@inline
function addWhole(k: usize, weight: f64, x: usize, G: usize): void {
  for (let a: usize = 0; a < k; a++) {
    const row = G + ((a * k) << 3);
    const s = weight * load<f64>(x + (a << 3));
    const sv = f64x2.splat(s);
    const end = (a + 1) << 3;
    let b: usize = 0;
    for (; b + 16 <= end; b += 16) {
      v128.store(row + b, f64x2.add(v128.load(row + b), f64x2.mul(sv, v128.load(x + b))));
    }
    if (b < end) store<f64>(row + b, load<f64>(row + b) + s * load<f64>(x + b));
  }
}

// @ts-ignore: decorator
@inline
function addPicked(m: usize, k: usize, weight: f64, x: usize, slots: usize, G: usize): void {
  for (let a: usize = 0; a < m; a++) {
    const row = G + ((<usize>load<u32>(slots + (a << 2)) * k) << 3);
    const s = weight * load<f64>(x + (a << 3));
    for (let b: usize = 0; b <= a; b++) {
      const cell = row + (<usize>load<u32>(slots + (b << 2)) << 3);
      store<f64>(cell, load<f64>(cell) + s * load<f64>(x + (b << 3)));
    }
  }
}
