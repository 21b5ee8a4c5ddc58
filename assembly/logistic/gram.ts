// Second moments of chosen features under the rows' curvature: the Hessian of the binary logistic loss
// on a block of features, what a block's subproblem and a preconditioner are made of. f32 is enough:
// the gradients that a step is measured by are f64.
//
// A triangle is packed: row a from cell a (a + 1)/2 on.
import { madd } from '../simd';
import { columnsOf, pairsOf, valuesOf } from './row';

/**
 * G += s Σ h_i x_i x_iᵀ over every s-th of `count` rows, s = step, of the features with slots: map, (d + 1) × i32,
 * has the slot of each, ascending with the feature, or −1; its last entry is the intercept's. G: the packed lower
 * triangle of k × k f32. work: 2 (d + 16) · 4 + (d + 2) · 8 bytes.
 */
export function logistic_gram(
  storage: i32, count: i32, step: i32, directory: usize, d: i32, scale: f32, h: usize, map: usize, k: i32,
  G: usize, work: usize,
): void {
  const slots = work + (<usize>(2 * (d + 16)) << 2);
  const picked = slots + (<usize>(d + 2) << 2);
  const own = load<i32>(map + (<usize>d << 2));
  for (let i = 0; i < count; i += step) {
    const entry = directory + (<usize>i << 4);
    const n = pairsOf(storage, entry, d, scale, work);
    const columns = columnsOf(storage, entry, work), values = valuesOf(storage, entry, d, work);
    let m: usize = 0;
    if (n < 0) {
      for (let j: usize = 0; j < <usize>d << 2; j += 4) {
        const x = load<f32>(columns + j);
        const slot = load<i32>(map + j);
        store<i32>(slots + m, slot);
        store<f32>(picked + m, scale * x);
        m += <usize>select<i32>(4, 0, slot >= 0 && x != 0);
      }
    } else {
      for (let j: usize = 0; j < <usize>n << 2; j += 4) {
        const slot = load<i32>(map + (<usize>load<u32>(columns + j) << 2));
        store<i32>(slots + m, slot);
        store<f32>(picked + m, load<f32>(values + j));
        m += <usize>select<i32>(4, 0, slot >= 0);
      }
    }
    if (own >= 0) {
      store<i32>(slots + m, own);
      store<f32>(picked + m, 1);
      m += 4;
    }
    const weight = <f32>(<f64>step * load<f64>(h + (<usize>i << 3)));
    if (m == <usize>k << 2) addWhole(m, weight, picked, G);
    else addPicked(m, weight, picked, slots, G);
  }
}

/** All slots occur: the rows of G are added to as they lie. */
// @ts-ignore: decorator
@inline
function addWhole(bytes: usize, weight: f32, x: usize, G: usize): void {
  for (let a: usize = 0; a < bytes; a += 4) {
    const s = weight * load<f32>(x + a);
    const sv = f32x4.splat(s);
    let b: usize = 0;
    for (; b + 12 <= a; b += 16) v128.store(G + b, madd(sv, v128.load(x + b), v128.load(G + b)));
    for (; b <= a; b += 4) store<f32>(G + b, load<f32>(G + b) + s * load<f32>(x + b));
    G += a + 4;
  }
}

// @ts-ignore: decorator
@inline
function addPicked(bytes: usize, weight: f32, x: usize, slots: usize, G: usize): void {
  for (let a: usize = 0; a < bytes; a += 4) {
    const slot = <usize>load<u32>(slots + a);
    const row = G + ((slot * (slot + 1)) << 1);
    const s = weight * load<f32>(x + a);
    for (let b: usize = 0; b <= a; b += 4) {
      const cell = row + (<usize>load<u32>(slots + b) << 2);
      store<f32>(cell, load<f32>(cell) + s * load<f32>(x + b));
    }
  }
}

/**
 * Adds up `parts` triangles, `bytes` bytes one behind the other, in order, into the first, and writes the
 * whole k × k matrix, rows of `stride` values with 0 beyond k.
 */
export function gram_square(k: i32, parts: i32, bytes: usize, x: usize, stride: i32, out: usize): void {
  const cells = (<usize>k * <usize>(k + 1)) << 1;
  for (let p = 1; p < parts; p++) {
    const part = x + <usize>p * bytes;
    let at: usize = 0;
    for (; at + 16 <= cells; at += 16) {
      v128.store(x + at, f32x4.add(v128.load(x + at), v128.load(part + at)));
    }
    for (; at < cells; at += 4) store<f32>(x + at, load<f32>(x + at) + load<f32>(part + at));
  }
  const rowBytes = <usize>stride << 2;
  // Tiles of 16 rows: the mirror writes a line of each of them, and comes back to it.
  for (let top: usize = 0; top < <usize>k; top += 16) {
    const last = min<usize>(top + 16, <usize>k);
    for (let a = top; a < last; a++) {
      memory.copy(out + a * rowBytes, x + ((a * (a + 1)) << 1), (a + 1) << 2);
      for (let b = <usize>k; b < <usize>stride; b++) store<f32>(out + a * rowBytes + (b << 2), 0);
    }
    for (let b: usize = 0; b < last; b++) {
      for (let a = max<usize>(top, b + 1); a < last; a++) {
        store<f32>(out + b * rowBytes + (a << 2), load<f32>(out + a * rowBytes + (b << 2)));
      }
    }
  }
}

/** out ← x, f32 to f64 */
export function f32_widen(n: i32, x: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>n << 2; i += 4) store<f64>(out + (i << 1), <f64>load<f32>(x + i));
}
