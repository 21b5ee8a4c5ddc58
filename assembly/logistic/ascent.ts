// Binary logistic regression with L2 by dual coordinate ascent, row by row, sparse rows.
//
//   dual  Σ c_i H(a_i) − l2/2 ‖w‖²,   w = (1/l2) Σ c_i y_i a_i x_i,  a_i ∈ [0, 1]
//
// A row's subproblem, all else fixed: a = σ(−m) at the margin m that this a leads to, the root of
//
//   m − m₀ − q (σ(−m) − a_old) = 0          m₀ = y x·w,  q = σ′ c (‖x‖² + B²)/l2
//
// which rises with m; Newton's method, kept between the ends of an interval that has it. (Yu, Huang and Lin
// 2011 for one lane; σ′: lanes that ascend at once are as careful as their number asks, Ma et al. 2015.)
// The intercept is a feature of value B: what moves w moves b = w_d by B² as much.
import { exp64, log64 } from '../math';
import { addRow, dotRow } from './row';

/** Rows of a group: what lies together is read together. Its order within is the file's. */
const GROUP: i32 = 32;
/** Newton steps of a row, at most: a later pass comes back. */
const STEPS: i32 = 20;

/** norms_i ← ‖x_i‖², f64; returns their sum. */
export function logistic_norms(count: i32, directory: usize, norms: usize): f64 {
  let total: f64 = 0;
  for (let i = 0; i < count; i++) {
    let value = load<usize>(directory, 4);
    const end = value + (<usize>load<u32>(directory, 8) << 2);
    let sum: f64 = 0;
    for (; value < end; value += 4) sum += <f64>load<f32>(value) * <f64>load<f32>(value);
    store<f64>(norms + (<usize>i << 3), sum);
    total += sum;
    directory += 16;
  }
  return total;
}

/** The root m; returns σ(−m), by the last step's slope. */
// @ts-ignore: decorator
@inline
function dualAfter(m0: f64, p0: f64, a: f64, q: f64): f64 {
  const reach = m0 + q * (p0 - a);
  let low = min<f64>(m0, reach), high = max<f64>(m0, reach);
  let m = m0, p = p0;
  for (let step = 0; step < STEPS; step++) {
    const slope = p * (1 - p);
    const off = m - m0 - q * (p - a);
    if (off > 0) high = m;
    else low = m;
    const change = off / (1 + q * slope);
    if (abs(change) < 0.01) return min<f64>(1, max<f64>(0, p + slope * change));
    m -= change;
    if (m <= low || m >= high) m = 0.5 * (low + high);
    const e = exp64(-abs(m));
    p = (m > 0 ? e : 1) / (1 + e);
  }
  return p;
}

/**
 * Ascends over groups g = (a·j + c) mod `groups`, j = first … last − 1, of the rows of one lane: their number is
 * `count`. w: (d + 1) f64 of the lane's own, at its end b; alpha, norms: f64 per row. inverse: 1/l2. boost: B²,
 * 0 without an intercept. Adds {Σ c (σ(−m₀) − a)²/2h, about the duality gap, Σ c loss} of the rows as they were
 * met to the two f64 at `sums`.
 */
export function logistic_ascent(
  first: i32, last: i32, groups: i32, a: i32, c: i32, count: i32, directory: usize, d: i32, c0: f64, c1: f64,
  inverse: f64, boost: f64, lanes: f64, w: usize, alpha: usize, norms: usize, sums: usize,
): void {
  const last8 = <usize>d << 3;
  let met: f64 = 0, loss: f64 = 0;
  for (let j = first; j < last; j++) {
    const group = <i32>((<u64>a * <u64>j + <u64>c) % <u64>groups) * GROUP;
    const end = min(group + GROUP, count);
    // One logarithm for a group: its factors 1 + e are at most 2.
    let factors0: f64 = 1, factors1: f64 = 1;
    for (let i = group; i < end; i++) {
      const entry = directory + (<usize>i << 4);
      const columns = load<usize>(entry), values = load<usize>(entry, 4), n = load<i32>(entry, 8);
      const positive = load<i32>(entry, 12) > 0;
      const dual = alpha + (<usize>i << 3);
      const z = dotRow(n, columns, values, d, 1, w) + load<f64>(w + last8);
      const m = positive ? z : -z, weight = positive ? c1 : c0;
      const e = exp64(-abs(m)), p = (m > 0 ? e : 1) / (1 + e);
      const old = load<f64>(dual), off = p - old;
      met += weight * off * off / (p * (1 - p) + old * (1 - old) + 1e-300);
      loss += weight * max<f64>(0, -m);
      if (positive) factors1 *= 1 + e;
      else factors0 *= 1 + e;
      const share = weight * lanes * inverse;
      const now = dualAfter(m, p, old, share * (load<f64>(norms + (<usize>i << 3)) + boost));
      store<f64>(dual, now);
      const step = positive ? share * (now - old) : share * (old - now);
      addRow(n, columns, values, d, 1, step, w);
      store<f64>(w + last8, load<f64>(w + last8) + boost * step);
    }
    loss += c0 * log64(factors0) + c1 * log64(factors1);
  }
  store<f64>(sums, load<f64>(sums) + met);
  store<f64>(sums, load<f64>(sums, 8) + loss, 8);
}

/** w ← w + share · Σ_p (x_p − w) over `parts` vectors of n values, one behind the other: lanes meet. */
export function f64_merge(n: i32, parts: i32, share: f64, x: usize, w: usize): void {
  const bytes = <usize>n << 3;
  for (let at: usize = 0; at < bytes; at += 8) {
    const from = load<f64>(w + at);
    let sum: f64 = 0;
    for (let p: usize = 0; p < <usize>parts; p++) sum += load<f64>(x + p * bytes + at) - from;
    store<f64>(w + at, from + share * sum);
  }
}
