// The subproblem of a block of variables, in slots:
//
//   min_u  g'(u − u₀) + ½ (u − u₀)' (G + diag λ₂) (u − u₀) + Σ_j λ₁_j |u_j|
//
// g is the gradient at u of everything but |·|, kept up to date. G: f32, row stride `stride`, a multiple
// of 4; the vectors f64. Coordinate descent finds the support and its signs; conjugate gradients find
// the minimum on the free variables (u ≠ 0) without coordinate descent's slowness where they correlate
// (Friedman et al. 2010 for the one, Nocedal & Wright, chapter 16, for the other: gradient projection).
import { high64, low64, madd, hsum } from '../simd';

/** How far −g_j is from the subdifferential of λ₁|u_j|. */
// @ts-ignore: decorator
@inline
function violation(g: f64, u: f64, l1: f64): f64 {
  if (u > 0) return abs<f64>(g + l1);
  if (u < 0) return abs<f64>(g - l1);
  return max<f64>(0, abs<f64>(g) - l1);
}

/** The largest violation of optimality of `count` variables. */
export function block_violation(count: i32, g: usize, u: usize, l1: usize): f64 {
  let most: f64 = 0;
  for (let j: usize = 0; j < <usize>count << 3; j += 8) {
    most = max<f64>(most, violation(load<f64>(g + j), load<f64>(u + j), load<f64>(l1 + j)));
  }
  return most;
}

/** Numbers of the variables that are not 0, or should not be, to `list`; returns how many. */
export function block_active(count: i32, g: usize, u: usize, l1: usize, list: usize): i32 {
  let found: usize = 0;
  for (let j: usize = 0; j < <usize>count; j++) {
    const at = j << 3;
    const value = load<f64>(u + at);
    if (value == 0 && abs<f64>(load<f64>(g + at)) <= load<f64>(l1 + at)) continue;
    store<i32>(list + (found << 2), <i32>j);
    found++;
  }
  return <i32>found;
}

/** The rows and columns of G in `list` to a matrix of stride `outStride`, 0 beyond `count`. */
export function block_gather(
  count: i32, list: usize, stride: i32, G: usize, outStride: i32, out: usize,
): void {
  for (let a: usize = 0; a < <usize>count; a++) {
    const row = G + <usize>load<u32>(list + (a << 2)) * (<usize>stride << 2);
    const to = out + a * (<usize>outStride << 2);
    for (let b: usize = 0; b < <usize>count; b++) {
      store<f32>(to + (b << 2), load<f32>(row + (<usize>load<u32>(list + (b << 2)) << 2)));
    }
    for (let b = <usize>count; b < <usize>outStride; b++) store<f32>(to + (b << 2), 0);
  }
}

/** out[k] ← x[list[k]], f64 */
export function f64_gather(count: i32, list: usize, x: usize, out: usize): void {
  for (let k: usize = 0; k < <usize>count; k++) {
    store<f64>(out + (k << 3), load<f64>(x + (<usize>load<u32>(list + (k << 2)) << 3)));
  }
}

/** out[list[k]] ← x[k], f64 */
export function f64_scatter(count: i32, list: usize, x: usize, out: usize): void {
  for (let k: usize = 0; k < <usize>count; k++) {
    store<f64>(out + (<usize>load<u32>(list + (k << 2)) << 3), load<f64>(x + (k << 3)));
  }
}

/** y ← y − x, f64 */
export function f64_subtract(n: i32, x: usize, y: usize): void {
  for (let k: usize = 0; k < <usize>n << 3; k += 8) {
    store<f64>(y + k, load<f64>(y + k) - load<f64>(x + k));
  }
}

/** g ← g + a · row, the row `n` values of f32, n a multiple of 4. */
// @ts-ignore: decorator
@inline
function addRow(n: i32, a: f64, row: usize, g: usize): void {
  const f = f64x2.splat(a);
  const end = row + (<usize>n << 2);
  for (; row < end; row += 16, g += 32) {
    const v = v128.load(row);
    v128.store(g, f64x2.add(v128.load(g), f64x2.mul(f, low64(v))));
    v128.store(g, f64x2.add(v128.load(g, 16), f64x2.mul(f, high64(v))), 16);
  }
}

/**
 * One sweep of coordinate descent: u_j ← S(h u_j − g_j, λ₁)/h with h = G_jj + λ₂. The vectors have room
 * for `stride` values. Returns the largest change of a gradient that a step removed.
 */
export function block_sweep(
  count: i32, stride: i32, G: usize, l1: usize, l2: usize, g: usize, u: usize,
): f64 {
  let most: f64 = 0;
  for (let j: usize = 0; j < <usize>count; j++) {
    const at = j << 3;
    const row = G + j * (<usize>stride << 2);
    const ridge = load<f64>(l2 + at);
    const h = <f64>load<f32>(row + (j << 2)) + ridge;
    if (!(h > 0)) continue;
    const before = load<f64>(u + at);
    const z = h * before - load<f64>(g + at);
    const size = max<f64>(0, abs<f64>(z) - load<f64>(l1 + at)) / h;
    const after = z < 0 ? -size : size;
    const change = after - before;
    if (change == 0) continue;
    most = max<f64>(most, h * abs<f64>(change));
    store<f64>(u + at, after);
    addRow(stride, change, row, g);
    store<f64>(g + at, load<f64>(g + at) + ridge * change);
  }
  return most;
}

/** y ← (G + diag λ₂) p for p in f64 and, at p32, in f32 with `stride` values. */
function multiply(count: i32, stride: i32, G: usize, l2: usize, p: usize, p32: usize, y: usize): void {
  for (let j = 0; j < stride; j++) {
    store<f32>(p32 + (<usize>j << 2), j < count ? <f32>load<f64>(p + (<usize>j << 3)) : 0);
  }
  const bytes = <usize>stride << 2;
  const end = p32 + bytes;
  let i: usize = 0;
  for (; i < <usize>count; i += 2) {
    // The last row of an odd number is its own partner.
    const two = i + 1 < <usize>count;
    let a = G + i * bytes, b = two ? a + bytes : a;
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0;
    let x = p32;
    for (; x + 32 <= end; x += 32, a += 32, b += 32) {
      const u = v128.load(x), v = v128.load(x, 16);
      a0 = madd(v128.load(a), u, a0);
      a1 = madd(v128.load(a, 16), v, a1);
      b0 = madd(v128.load(b), u, b0);
      b1 = madd(v128.load(b, 16), v, b1);
    }
    if (x < end) {
      a0 = madd(v128.load(a), v128.load(x), a0);
      b0 = madd(v128.load(b), v128.load(x), b0);
    }
    const at = i << 3;
    store<f64>(y + at, <f64>hsum(f32x4.add(a0, a1)) + load<f64>(l2 + at) * load<f64>(p + at));
    if (!two) break;
    const next = <f64>hsum(f32x4.add(b0, b1));
    store<f64>(y + at, next + load<f64>(l2 + at, 8) * load<f64>(p + at, 8), 8);
  }
}

// @ts-ignore: decorator
@inline
function dot(count: i32, x: usize, y: usize): f64 {
  let sum: f64 = 0;
  for (let j: usize = 0; j < <usize>count << 3; j += 8) sum += load<f64>(x + j) * load<f64>(y + j);
  return sum;
}

/**
 * Conjugate gradients on the free variables: d with (G + λ₂) d ≈ −(g + λ₁ sign u) there and 0 elsewhere.
 * Ends at `steps`, when the residual has shrunk to `share`, or where the curvature ends. Returns the
 * number of steps. work: 3 · count f64 and stride f32.
 */
export function block_newton(
  count: i32, stride: i32, steps: i32, share: f64,
  G: usize, l1: usize, l2: usize, g: usize, u: usize, d: usize, work: usize,
): i32 {
  const bytes = <usize>count << 3;
  const r = work, p = r + bytes, q = p + bytes, p32 = (q + bytes + 15) & ~15;
  for (let j: usize = 0; j < bytes; j += 8) {
    const value = load<f64>(u + j);
    let rest: f64 = 0;
    if (value > 0) rest = -load<f64>(g + j) - load<f64>(l1 + j);
    else if (value < 0) rest = -load<f64>(g + j) + load<f64>(l1 + j);
    store<f64>(r + j, rest);
    store<f64>(p + j, rest);
    store<f64>(d + j, 0);
  }
  let rr = dot(count, r, r);
  const enough = share * share * rr;
  let step = 0;
  while (step < steps && rr > enough && rr > 0) {
    multiply(count, stride, G, l2, p, p32, q);
    for (let j: usize = 0; j < bytes; j += 8) if (load<f64>(u + j) == 0) store<f64>(q + j, 0);
    const curvature = dot(count, p, q);
    if (!(curvature > 1e-12 * dot(count, p, p))) break;
    const alpha = rr / curvature;
    let next: f64 = 0;
    for (let j: usize = 0; j < bytes; j += 8) {
      store<f64>(d + j, load<f64>(d + j) + alpha * load<f64>(p + j));
      const rest = load<f64>(r + j) - alpha * load<f64>(q + j);
      store<f64>(r + j, rest);
      next += rest * rest;
    }
    const beta = next / rr;
    for (let j: usize = 0; j < bytes; j += 8) {
      store<f64>(p + j, load<f64>(r + j) + beta * load<f64>(p + j));
    }
    rr = next;
    step++;
  }
  return step;
}

/**
 * Moves u along d: to the first sign change at most, or as far as d goes with all that would change
 * their sign set to 0, whichever is lower. Keeps g. Returns by how much the objective fell.
 * work: 3 · count f64 and stride f32.
 */
export function block_line(
  count: i32, stride: i32, G: usize, l1: usize, l2: usize, g: usize, u: usize, d: usize, work: usize,
): f64 {
  const bytes = <usize>count << 3;
  const e = work, He = e + bytes, Hd = He + bytes, p32 = (Hd + bytes + 15) & ~15;
  let t: f64 = 1;
  let slope: f64 = 0, slopeE: f64 = 0;
  let crosses = false;
  for (let j: usize = 0; j < bytes; j += 8) {
    const value = load<f64>(u + j), step = load<f64>(d + j);
    const penalty = load<f64>(l1 + j);
    const gradient = load<f64>(g + j);
    const crossing = value * (value + step) < 0;
    const short = crossing ? -value : step;
    if (crossing) {
      crosses = true;
      t = min<f64>(t, -value / step);
    }
    store<f64>(e + j, short);
    const sign: f64 = value > 0 ? penalty : value < 0 ? -penalty : 0;
    slope += step * (gradient + sign);
    slopeE += short * (gradient + sign);
  }
  multiply(count, stride, G, l2, d, p32, Hd);
  const fall = -t * slope - 0.5 * t * t * dot(count, d, Hd);
  let fallE: f64 = -1;
  if (crosses) {
    multiply(count, stride, G, l2, e, p32, He);
    fallE = -slopeE - 0.5 * dot(count, e, He);
  }
  const best = max<f64>(fall, fallE);
  if (!(best > 0)) return 0;
  const whole = fallE >= fall;
  const step: f64 = whole ? 1 : t;
  const direction = whole ? e : d, H = whole ? He : Hd;
  for (let j: usize = 0; j < bytes; j += 8) {
    const before = load<f64>(u + j), change = step * load<f64>(direction + j);
    let after = before + change;
    if (before * after < 0 || abs<f64>(after) < 1e-15 * abs<f64>(before)) after = 0;
    store<f64>(u + j, after);
    store<f64>(g + j, load<f64>(g + j) + step * load<f64>(H + j));
  }
  return best;
}

/** g ← g + Σ_k d[k] G[list[k]], rows of n values; and λ₂ d where a variable itself is. d: f64. */
export function block_apply(
  n: i32, count: i32, list: usize, stride: i32, G: usize, l2: usize, d: usize, g: usize,
): void {
  for (let k: usize = 0; k < <usize>count; k++) {
    const change = load<f64>(d + (k << 3));
    if (change == 0) continue;
    const slot = <usize>load<u32>(list + (k << 2));
    addRow((n + 3) & ~3, change, G + slot * (<usize>stride << 2), g);
    const own = g + (slot << 3);
    store<f64>(own, load<f64>(own) + load<f64>(l2 + (slot << 3)) * change);
  }
}
