// Dense vectors. n elements at byte offsets x, y; any alignment, 16 is fastest. The order of every
// sum depends on n alone, so the same input gives the same bits.
import { high64, hsum, hsum64, low64, madd } from '../simd';

/** Σ x[i]·y[i] in f32. Four accumulators hide the latency of the add. */
export function f32_dot(n: i32, x: usize, y: usize): f32 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  const body = x + (<usize>(n & ~15) << 2);
  while (x < body) {
    a = madd(v128.load(x), v128.load(y), a);
    b = madd(v128.load(x, 16), v128.load(y, 16), b);
    c = madd(v128.load(x, 32), v128.load(y, 32), c);
    d = madd(v128.load(x, 48), v128.load(y, 48), d);
    x += 64;
    y += 64;
  }
  for (let i = 0; i < ((n >> 2) & 3); i++) {
    a = madd(v128.load(x), v128.load(y), a);
    x += 16;
    y += 16;
  }
  let tail: f32 = 0;
  for (let i = 0; i < (n & 3); i++) {
    tail += load<f32>(x) * load<f32>(y);
    x += 4;
    y += 4;
  }
  return hsum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d))) + tail;
}

/** Σ x[i]·y[i] of f32 values, multiplied and summed in f64: for objectives and step lengths. */
export function f32_dot_wide(n: i32, x: usize, y: usize): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0);
  const body = x + (<usize>(n & ~3) << 2);
  while (x < body) {
    const u = v128.load(x), v = v128.load(y);
    a = f64x2.add(a, f64x2.mul(low64(u), low64(v)));
    b = f64x2.add(b, f64x2.mul(high64(u), high64(v)));
    x += 16;
    y += 16;
  }
  let tail: f64 = 0;
  for (let i = 0; i < (n & 3); i++) {
    tail += <f64>load<f32>(x) * <f64>load<f32>(y);
    x += 4;
    y += 4;
  }
  return hsum64(f64x2.add(a, b)) + tail;
}

/** y ← y + a·x */
export function f32_axpy(n: i32, a: f32, x: usize, y: usize): void {
  const av = f32x4.splat(a);
  const body = x + (<usize>(n & ~15) << 2);
  while (x < body) {
    v128.store(y, madd(av, v128.load(x), v128.load(y)));
    v128.store(y, madd(av, v128.load(x, 16), v128.load(y, 16)), 16);
    v128.store(y, madd(av, v128.load(x, 32), v128.load(y, 32)), 32);
    v128.store(y, madd(av, v128.load(x, 48), v128.load(y, 48)), 48);
    x += 64;
    y += 64;
  }
  for (let i = 0; i < (n & 15); i++) {
    store<f32>(y, load<f32>(y) + a * load<f32>(x));
    x += 4;
    y += 4;
  }
}

/** y ← y + x */
export function f32_add(n: i32, x: usize, y: usize): void {
  const body = x + (<usize>(n & ~7) << 2);
  while (x < body) {
    v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
    v128.store(y, f32x4.add(v128.load(y, 16), v128.load(x, 16)), 16);
    x += 32;
    y += 32;
  }
  for (let i = 0; i < (n & 7); i++) {
    store<f32>(y, load<f32>(y) + load<f32>(x));
    x += 4;
    y += 4;
  }
}

/** y ← y + x, 32-bit integers, wrapping */
export function i32_add(n: i32, x: usize, y: usize): void {
  const body = x + (<usize>(n & ~3) << 2);
  while (x < body) {
    v128.store(y, i32x4.add(v128.load(y), v128.load(x)));
    x += 16;
    y += 16;
  }
  for (let i = 0; i < (n & 3); i++) {
    store<i32>(y, load<i32>(y) + load<i32>(x));
    x += 4;
    y += 4;
  }
}

/** x ← a·x */
export function f32_scale(n: i32, a: f32, x: usize): void {
  const av = f32x4.splat(a);
  const body = x + (<usize>(n & ~3) << 2);
  while (x < body) {
    v128.store(x, f32x4.mul(av, v128.load(x)));
    x += 16;
  }
  for (let i = 0; i < (n & 3); i++) {
    store<f32>(x, a * load<f32>(x));
    x += 4;
  }
}

/** x ← x + a, for every element */
export function f32_shift(n: i32, a: f32, x: usize): void {
  for (let i = 0; i < n; i++) {
    store<f32>(x, load<f32>(x) + a);
    x += 4;
  }
}

/** Σ x[i]², squared and summed in f64. */
export function f32_sum_squares(n: i32, x: usize): f64 {
  return f32_dot_wide(n, x, x);
}

/** The first i with x[i] NaN or infinite, −1 when all are finite. */
export function f32_finite(n: i32, x: usize): i32 {
  for (let i = 0; i < n; i++) {
    const value = load<f32>(x + (<usize>i << 2));
    if (value - value != 0) return i;
  }
  return -1;
}
