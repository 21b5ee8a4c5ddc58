// Duals of binary logistic regression out of scores, and what they are worth.
//
//   at a point       a_i = σ(−y_i z_i)                       optimal for the scores z
//   along a step     a_i − a_i (1 − a_i) y_i q_i, in [0, 1]   as the quadratic model of the loss at z says they
//                                                            will be at z + q: if q solves that model with the
//                                                            penalty, they meet the penalty's constraints
//
// Those of class 1 are multiplied with s1, of class 0 with s0.
import { exp64, log64 } from '../math';
import { addRow, columnsOf, pairsOf, valuesOf } from './row';

/** a for a margin m; with step ≠ 0 (y q), along it. */
// @ts-ignore: decorator
@inline
function dualOf(m: f64, step: f64): f64 {
  const e = exp64(-abs(m));
  const inverse = 1 / (1 + e);
  const a = m > 0 ? e * inverse : inverse;
  return min<f64>(1, max<f64>(0, a - e * inverse * inverse * step));
}

/** 1 − a of the same, without what a difference from 1 would lose. */
// @ts-ignore: decorator
@inline
function restOf(m: f64, step: f64): f64 {
  return dualOf(-m, -step);
}

/** v += Σ c y s a x: at z + t·q, or when `along` from z along q (t is 0). work: 2 (d + 16) · 4 bytes. */
export function logistic_dual(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, c0: f64, c1: f64,
  s0: f64, s1: f64, t: f64, along: i32, z: usize, q: usize, v: usize, work: usize,
): void {
  for (let i = 0; i < count; i++) {
    const n = pairsOf(storage, directory, d, scale, work);
    const columns = columnsOf(storage, directory, work), values = valuesOf(storage, directory, d, work);
    const positive = load<i32>(directory, 12) > 0;
    const step = load<f64>(q);
    const at = load<f64>(z) + t * step;
    const y: f64 = positive ? 1 : -1;
    const a = dualOf(y * at, along ? y * step : 0);
    addRow(n, columns, values, d, scale, positive ? c1 * s1 * a : -c0 * s0 * a, v);
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
  count: i32, directory: usize, c0: f64, c1: f64, s0: f64, s1: f64, t: f64, along: i32,
  z: usize, q: usize, sums: usize,
): void {
  let sum: f64 = 0, mass1: f64 = 0, mass0: f64 = 0;
  for (let i = 0; i < count; i++) {
    const positive = load<i32>(directory, 12) > 0;
    const step = load<f64>(q);
    const y: f64 = positive ? 1 : -1;
    const m = y * (load<f64>(z) + t * step), ahead = along ? y * step : 0;
    const s = positive ? s1 : s0, c = positive ? c1 : c0;
    const whole = dualOf(m, ahead), a = s * whole;
    // 1 − s a = (1 − a) + a (1 − s), both not negative
    const rest = restOf(m, ahead) + (1 - s) * whole;
    let h: f64 = 0;
    if (a > 1e-300) h -= a * log64(a);
    if (rest > 1e-300) h -= rest * log64(rest);
    sum += c * h;
    if (positive) mass1 += c * a;
    else mass0 += c * a;
    directory += 16;
    z += 8;
    q += 8;
  }
  store<f64>(sums, load<f64>(sums) + sum);
  store<f64>(sums, load<f64>(sums, 8) + mass1, 8);
  store<f64>(sums, load<f64>(sums, 16) + mass0, 16);
}
