// Duals of binary logistic regression out of scores, and what they are worth.
//
//   at a point       a_i = σ(−y_i z_i)                       optimal for the scores z
//   along a step     a_i − h_i/c_i y_i q_i, in [0, 1]         as the quadratic model of the loss at z, of curvature
//                                                            h, says they will be at z + q: if q solves that model
//                                                            with the penalty, they meet the penalty's constraints
//
// Those of class 1 are multiplied with s1, of class 0 with s0.
import { exp64, log64 } from '../math';
import { addRow, columnsOf, pairsOf, valuesOf } from './row';

/** a for a margin m, less `step`: what the model says of a step. */
// @ts-ignore: decorator
@inline
function dualOf(m: f64, step: f64): f64 {
  const e = exp64(-abs(m));
  return min<f64>(1, max<f64>(0, (m > 0 ? e : 1) / (1 + e) - step));
}

/** v += Σ c y s a x: at z + t·q, or with h (then t is 0) from z along q. work: 2 (d + 16) · 4 bytes. */
export function logistic_dual(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, c0: f64, c1: f64,
  s0: f64, s1: f64, t: f64, h: usize, z: usize, q: usize, v: usize, work: usize,
): void {
  for (let i = 0; i < count; i++) {
    const n = pairsOf(storage, directory, d, scale, work);
    const columns = columnsOf(storage, directory, work), values = valuesOf(storage, directory, d, work);
    const positive = load<i32>(directory, 12) > 0;
    const step = load<f64>(q);
    const at = load<f64>(z) + t * step;
    const y: f64 = positive ? 1 : -1;
    const c = positive ? c1 : c0;
    const a = dualOf(y * at, h ? load<f64>(h) * y * step / c : 0);
    addRow(n, columns, values, d, scale, positive ? c * s1 * a : -c * s0 * a, v);
    if (h) h += 8;
    directory += 16;
    z += 8;
    q += 8;
  }
}

/**
 * Adds {Σ c H(s a), Σ c s a of class 1, Σ c s a of class 0} to the three f64 at `sums`; H(a) = −a ln a −
 * (1 − a) ln(1 − a).
 */
export function logistic_entropy(
  count: i32, directory: usize, c0: f64, c1: f64, s0: f64, s1: f64, t: f64, h: usize,
  z: usize, q: usize, sums: usize,
): void {
  let sum: f64 = 0, mass1: f64 = 0, mass0: f64 = 0;
  for (let i = 0; i < count; i++) {
    const positive = load<i32>(directory, 12) > 0;
    const step = load<f64>(q);
    const y: f64 = positive ? 1 : -1;
    const s = positive ? s1 : s0, c = positive ? c1 : c0;
    const m = y * (load<f64>(z) + t * step), ahead = h ? load<f64>(h) * y * step / c : 0;
    const whole = dualOf(m, ahead), a = s * whole;
    // 1 − s a = (1 − a) + a (1 − s), both not negative
    const rest = dualOf(-m, -ahead) + (1 - s) * whole;
    let own: f64 = 0;
    if (a > 1e-300) own -= a * log64(a);
    if (rest > 1e-300) own -= rest * log64(rest);
    sum += c * own;
    if (positive) mass1 += c * a;
    else mass0 += c * a;
    if (h) h += 8;
    directory += 16;
    z += 8;
    q += 8;
  }
  store<f64>(sums, load<f64>(sums) + sum);
  store<f64>(sums, load<f64>(sums, 8) + mass1, 8);
  store<f64>(sums, load<f64>(sums, 16) + mass0, 16);
}
