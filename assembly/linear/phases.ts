// Coordinate descent by phases: what a loss says of scores z, and sums over variables. Vectors are f64.
//
//   square     f(z) = (z − y)²/2                with u = z − y kept in place of z
//   logistic   f(z) = ln(1 + exp(−y z)),        y = ±1, f'(z) = −y a, a = σ(−y z), f'' = a (1 − a)
//
// Scores are kept without their offset t: what is meant is z + t.
import { exp64, log1p64, log64 } from '../math';
import { hsum64 } from '../simd';

/** Targets of `count` rows of a directory. numbers 1: they are f32; 0: classes, +1 for class 1, else −1. */
export function phase_targets(numbers: i32, count: i32, directory: usize, y: usize): void {
  for (let i = 0; i < count; i++) {
    const own: f64 = numbers ? <f64>load<f32>(directory, 12) : load<i32>(directory, 12) == 1 ? 1 : -1;
    store<f64>(y, own);
    directory += 16;
    y += 8;
  }
}

/** Square loss at scores 0: y −= mean, and u = −y. */
export function phase_residuals(n: i32, mean: f64, y: usize, u: usize): void {
  const end = y + (<usize>n << 3);
  for (; y < end; y += 8, u += 8) {
    const own = load<f64>(y) - mean;
    store<f64>(y, own);
    store<f64>(u, -own);
  }
}

/** To the f64 at `sums` are added {Σ (u + t)²/2, Σ u + t, Σ (u + t) y}. */
export function phase_square_sums(n: i32, t: f64, y: usize, u: usize, sums: usize): void {
  const tv = f64x2.splat(t);
  let squares = f64x2.splat(0), slopes = squares, products = squares;
  const body = u + (<usize>(n & ~1) << 3);
  for (; u < body; u += 16, y += 16) {
    const own = f64x2.add(v128.load(u), tv);
    squares = f64x2.add(squares, f64x2.mul(own, own));
    slopes = f64x2.add(slopes, own);
    products = f64x2.add(products, f64x2.mul(own, v128.load(y)));
  }
  let a = hsum64(squares), b = hsum64(slopes), c = hsum64(products);
  if (n & 1) {
    const own = load<f64>(u) + t;
    a += own * own;
    b += own;
    c += own * load<f64>(y);
  }
  store<f64>(sums, load<f64>(sums) + 0.5 * a);
  store<f64>(sums, load<f64>(sums, 8) + b, 8);
  store<f64>(sums, load<f64>(sums, 16) + c, 16);
}

/**
 * A row weighs c: c1 for y = 1, c0 for y = −1. g = c f'(z + t), times s1 or s0, and to the f64 at `sums` are
 * added {Σ c f, Σ c f', Σ c f'', Σ c a of y = 1, Σ c a of y = −1, Σ c H(a)}, without s; H: see below.
 */
export function phase_logistic_slopes(
  n: i32, t: f64, c0: f64, c1: f64, s0: f64, s1: f64, y: usize, z: usize, g: usize, sums: usize,
): void {
  let loss: f64 = 0, slopes: f64 = 0, curvature: f64 = 0, mass1: f64 = 0, mass0: f64 = 0, entropy: f64 = 0;
  for (let i = 0; i < n; i++) {
    const own = load<f64>(y);
    const m = own * (load<f64>(z) + t);
    const e = exp64(-abs(m)), inverse = 1 / (1 + e);
    const c = own > 0 ? c1 : c0;
    const a = c * (m > 0 ? e * inverse : inverse);
    const f = c * (log1p64(e) + max<f64>(-m, 0));
    loss += f;
    slopes -= own * a;
    curvature += c * (e * inverse * inverse);
    if (own > 0) mass1 += a;
    else mass0 += a;
    // H(a) = f + a m; where a is 0 and m infinite, that is 0.
    entropy += f + (a > 0 ? a * m : 0);
    store<f64>(g, own > 0 ? -s1 * a : s0 * a);
    y += 8;
    z += 8;
    g += 8;
  }
  store<f64>(sums, load<f64>(sums) + loss);
  store<f64>(sums, load<f64>(sums, 8) + slopes, 8);
  store<f64>(sums, load<f64>(sums, 16) + curvature, 16);
  store<f64>(sums, load<f64>(sums, 24) + mass1, 24);
  store<f64>(sums, load<f64>(sums, 32) + mass0, 32);
  store<f64>(sums, load<f64>(sums, 40) + entropy, 40);
}

/** x ln x, and 0 at 0. */
// @ts-ignore: decorator
@inline
function timesLog(x: f64): f64 {
  return x > 1e-300 ? x * log64(x) : 0;
}

/**
 * Σ c H(s |g_i| / c), H(a) = −a ln a − (1 − a) ln(1 − a): of slopes g = ∓c a, and with what they were
 * multiplied. c: c1 for y = 1, c0 for y = −1.
 */
export function phase_logistic_entropy(n: i32, s: f64, c0: f64, c1: f64, y: usize, g: usize): f64 {
  const s0 = s / c0, s1 = s / c1;
  let sum: f64 = 0;
  const end = g + (<usize>n << 3);
  for (; g < end; g += 8, y += 8) {
    const first = load<f64>(y) > 0;
    const a = (first ? s1 : s0) * abs(load<f64>(g));
    sum -= (first ? c1 : c0) * (timesLog(a) + timesLog(1 - a));
  }
  return sum;
}

/** w = c1 where y is 1, c0 where it is −1: what rows weigh. */
export function phase_row_weights(n: i32, c0: f64, c1: f64, y: usize, w: usize): void {
  const end = y + (<usize>n << 3);
  for (; y < end; y += 8, w += 8) store<f64>(w, load<f64>(y) > 0 ? c1 : c0);
}

/**
 * Folds `parts` vectors of n sums x·g, one behind the other, in order: out_j = (Σ_p x_p,j − slopes m_j) r_j.
 * m 0: no means, r 0: ones. Returns max |out_j|.
 */
export function phase_gradient(
  n: i32, parts: i32, slopes: f64, x: usize, m: usize, r: usize, out: usize,
): f64 {
  const bytes = <usize>n << 3;
  let most: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) {
    let sum = load<f64>(x + at);
    for (let p: usize = 1; p < <usize>parts; p++) sum += load<f64>(x + p * bytes + at);
    if (m) sum -= slopes * load<f64>(m + at);
    if (r) sum *= load<f64>(r + at);
    store<f64>(out + at, sum);
    most = max(most, abs(sum));
  }
  return most;
}

/** Σ max(0, s |g_j| − l)²: what a penalty l ‖w‖₁ + ‖w‖²/2 has to do with a gradient s g. */
export function phase_excess(n: i32, s: f64, l: f64, g: usize): f64 {
  let sum: f64 = 0;
  const end = g + (<usize>n << 3);
  for (; g < end; g += 8) {
    const own = max<f64>(s * abs(load<f64>(g)) - l, 0);
    sum += own * own;
  }
  return sum;
}

/** Σ l1 |w_j| + l2 w_j²/2 */
export function phase_penalty(n: i32, l1: f64, l2: f64, w: usize): f64 {
  let absolute: f64 = 0, squares: f64 = 0;
  const end = w + (<usize>n << 3);
  for (; w < end; w += 8) {
    const own = load<f64>(w);
    absolute += abs(own);
    squares += own * own;
  }
  return l1 * absolute + 0.5 * l2 * squares;
}

/** slots[list[k]] = k + 1 for k < count, or 0 where `on` is 0: what `phase_products` looks columns up in. */
export function phase_mark(count: i32, list: usize, slots: usize, on: i32): void {
  for (let k = 0; k < count; k++) {
    store<i32>(slots + (<usize>load<u32>(list + (<usize>k << 2)) << 2), on ? k + 1 : 0);
  }
}

/**
 * out[k] = Σ_i x_i x_i,k for the marked columns k < count: through the rows i of one sparse column of
 * `length` entries (columns.ts); directory: of the partition's rows. out f64.
 */
export function phase_products(
  count: i32, length: i32, entries: usize, directory: usize, slots: usize, out: usize,
): void {
  memory.fill(out, 0, <usize>count << 3);
  const cells = out - 8;
  const last = entries + (<usize>length << 3);
  for (; entries < last; entries += 8) {
    const row = directory + (<usize>load<u32>(entries) << 4);
    const x = <f64>load<f32>(entries, 4);
    let column = load<usize>(row), v = load<usize>(row, 4);
    const end = column + (<usize>load<i32>(row, 8) << 2);
    for (; column < end; column += 4, v += 4) {
      const slot = <usize>load<u32>(slots + (<usize>load<u32>(column) << 2));
      if (slot == 0) continue;
      const cell = cells + (slot << 3);
      store<f64>(cell, load<f64>(cell) + x * <f64>load<f32>(v));
    }
  }
}
