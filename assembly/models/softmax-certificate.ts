// The certificate of mlr's dual solver: duals mended until Σ α_i = Σ e_{y_i}, weights rebuilt from them,
// and the gap between the two measured in f64.
//
//   gap = objective(W, b) − dual(α) = (1/n) Σ_i KL(α_i ‖ softmax z_i) + λ/2 ‖W − W(α)‖² + b·Σ_i (α_i − e_{y_i})/n
//
// The first term is a sum of terms that are not negative, so nothing cancels; the second is of second
// order in the rounding of W (f32) and left out; the third is bounded by the caller.
// See softmax-dual.ts for the problem and the meaning of c and s.
import { STORAGE_F32, unpackDense } from '../data';
import { exp64, log64 } from '../math';
import { madd } from '../simd';
import { addGradient, scores64 } from './softmax';

/**
 * How far the duals of `count` rows are from Σ α = Σ e_y, and the change that would mend it:
 * r_k += α_k − 1[y = k] (K × f64), matrix += diag α − ααᵀ (K × K f64, row-major).
 */
export function mlr_dual_balance(
  count: i32, directory: usize, K: i32, rowBytes: i32, alpha: usize, r: usize, matrix: usize,
): void {
  for (let i = 0; i < count; i++) {
    const y = load<i32>(directory, 12);
    directory += 16;
    for (let k = 0; k < K; k++) {
      const ak = <f64>load<f32>(alpha + (<usize>k << 2));
      const cell = r + (<usize>k << 3);
      store<f64>(cell, load<f64>(cell) + ak - f64(k == y));
      // A row of the optimum is nearly one class: most products are too small to matter to a
      // correction that only restores feasibility.
      if (ak < 1e-7) continue;
      const row = matrix + (<usize>(k * K) << 3);
      const diagonal = row + (<usize>k << 3);
      store<f64>(diagonal, load<f64>(diagonal) + ak);
      for (let l = 0; l < K; l++) {
        const place = row + (<usize>l << 3);
        store<f64>(place, load<f64>(place) - ak * <f64>load<f32>(alpha + (<usize>l << 2)));
      }
    }
    alpha += rowBytes;
  }
}

/**
 * Mends the duals of `count` rows: α ← max(0, α − α (t − α·t)), renormalized, t: K × f32; and rebuilds from
 * them w += il Σ x (e_y − α)ᵀ (d rows), centre += il Σ (e_y − α), shift += il Σ m (e_y − α) (rows after
 * the bias in `state`).
 */
export function mlr_dual_rebuild(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, K: i32, rowBytes: i32,
  correction: usize, il: f32, alpha: usize, negEntropy: usize, dots: usize,
  w: usize, state: usize, work: usize,
): void {
  const bytes = <usize>rowBytes;
  const h = work, pairs = work + bytes;
  for (let i = 0; i < count; i++) {
    let columns = load<usize>(directory), values = load<usize>(directory, 4);
    let n = load<i32>(directory, 8);
    const y = load<i32>(directory, 12);
    directory += 16;
    if (storage <= STORAGE_F32) {
      const x = columns;
      columns = pairs;
      values = pairs + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, x, scale, columns, values);
    }
    let mean: f64 = 0, sum: f64 = 0, entropy: f64 = 0;
    for (let k = 0; k < K; k++) {
      mean += <f64>load<f32>(alpha + (<usize>k << 2)) * <f64>load<f32>(correction + (<usize>k << 2));
    }
    for (let k = 0; k < K; k++) {
      const ak = <f64>load<f32>(alpha + (<usize>k << 2));
      const mended = max<f64>(0, ak - ak * (<f64>load<f32>(correction + (<usize>k << 2)) - mean));
      store<f32>(alpha + (<usize>k << 2), <f32>mended);
      sum += mended;
    }
    const inverse = 1 / sum;
    for (let k = 0; k < K; k++) {
      const ak = <f32>(<f64>load<f32>(alpha + (<usize>k << 2)) * inverse);
      store<f32>(alpha + (<usize>k << 2), ak);
      if (ak > 1e-30) entropy -= <f64>ak * log64(<f64>ak);
      store<f32>(h + (<usize>k << 2), il * (f32(k == y) - ak));
    }
    for (let at = <usize>K << 2; at < bytes; at += 4) store<f32>(h + at, 0);
    store<f32>(negEntropy + (<usize>i << 2), <f32>-entropy);
    const m = f32x4.splat(load<f32>(dots + (<usize>i << 2)));
    for (let at: usize = 0; at < bytes; at += 16) {
      const hi = v128.load(h + at);
      const centre = state + bytes + at, shift = centre + bytes;
      v128.store(centre, f32x4.add(hi, v128.load(centre)));
      v128.store(shift, madd(m, hi, v128.load(shift)));
    }
    addGradient(n, columns, values, h, w, bytes);
    alpha += bytes;
  }
}

/** w_j ← w_j − mean_j · centre, for `rows` rows; out (Kp × f64) += Σ_j mean_j · w_j of the result. */
export function mlr_dual_uncentre(
  rows: i32, rowBytes: i32, mean: usize, centre: usize, w: usize, out: usize,
): void {
  for (let j = 0; j < rows; j++) {
    const mu = load<f32>(mean + (<usize>j << 2));
    for (let k: usize = 0; k < <usize>rowBytes; k += 4) {
      const value = load<f32>(w + k) - mu * load<f32>(centre + k);
      store<f32>(w + k, value);
      const cell = out + (k << 1);
      store<f64>(cell, load<f64>(cell) + <f64>mu * <f64>value);
    }
    w += rowBytes;
  }
}

/**
 * Scores `count` rows in f64 at weights w ((d [+ 1]) rows): adds {Σ loss, rows, rows wrong, Σ KL(α ‖ p)} to
 * the four f64 at `sums`, and Σ (α − e_y) to the K f64 at r. work: 2 · (d + 16) · 4 + 2 · rowBytes bytes.
 */
export function mlr_dual_score(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, K: i32, rowBytes: i32,
  intercept: i32, w: usize, alpha: usize, sums: usize, r: usize, work: usize,
): void {
  const z = work, pairs = work + 2 * rowBytes;
  const bias = intercept ? w + <usize>d * <usize>rowBytes : 0;
  let losses: f64 = 0, gaps: f64 = 0, wrong = 0;
  for (let i = 0; i < count; i++) {
    let columns = load<usize>(directory), values = load<usize>(directory, 4);
    let n = load<i32>(directory, 8);
    const y = load<i32>(directory, 12);
    directory += 16;
    if (storage <= STORAGE_F32) {
      const x = columns;
      columns = pairs;
      values = pairs + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, x, scale, columns, values);
    }
    scores64(n, columns, values, w, rowBytes, bias, z);
    let top = load<f64>(z), best = 0, total: f64 = 0;
    for (let k = 0; k < K; k++) {
      const score = load<f64>(z + (<usize>k << 3));
      if (score > top) {
        top = score;
        best = k;
      }
      total += <f64>load<f32>(alpha + (<usize>k << 2));
    }
    let sum: f64 = 0;
    for (let k = 0; k < K; k++) sum += exp64(load<f64>(z + (<usize>k << 3)) - top);
    const lse = log64(sum) + top;
    losses += lse - load<f64>(z + (<usize>y << 3));
    wrong += i32(best != y);
    for (let k = 0; k < K; k++) {
      const a = <f64>load<f32>(alpha + (<usize>k << 2)) / total;
      if (a > 0) gaps += a * (log64(a) - load<f64>(z + (<usize>k << 3)) + lse);
      const cell = r + (<usize>k << 3);
      store<f64>(cell, load<f64>(cell) + a - f64(k == y));
    }
    alpha += rowBytes;
  }
  store<f64>(sums, load<f64>(sums) + losses);
  store<f64>(sums, load<f64>(sums, 8) + <f64>count, 8);
  store<f64>(sums, load<f64>(sums, 16) + <f64>wrong, 16);
  store<f64>(sums, load<f64>(sums, 24) + gaps, 24);
}
