// Dense f64 vectors: n elements at byte offsets x, y. The order of a sum depends on n alone.
import { hsum64 } from '../simd';

/** Σ x[i]·y[i] */
export function f64_dot(n: i32, x: usize, y: usize): f64 {
  let a = f64x2.splat(0), b = a, c = a, e = a;
  const body = x + (<usize>(n & ~7) << 3);
  while (x < body) {
    a = f64x2.add(a, f64x2.mul(v128.load(x), v128.load(y)));
    b = f64x2.add(b, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
    c = f64x2.add(c, f64x2.mul(v128.load(x, 32), v128.load(y, 32)));
    e = f64x2.add(e, f64x2.mul(v128.load(x, 48), v128.load(y, 48)));
    x += 64;
    y += 64;
  }
  let tail: f64 = 0;
  for (let i = 0; i < (n & 7); i++) {
    tail += load<f64>(x) * load<f64>(y);
    x += 8;
    y += 8;
  }
  return hsum64(f64x2.add(f64x2.add(a, b), f64x2.add(c, e))) + tail;
}

/** y ← y + a·x */
export function f64_axpy(n: i32, a: f64, x: usize, y: usize): void {
  const av = f64x2.splat(a);
  const body = x + (<usize>(n & ~3) << 3);
  while (x < body) {
    v128.store(y, f64x2.add(v128.load(y), f64x2.mul(av, v128.load(x))));
    v128.store(y, f64x2.add(v128.load(y, 16), f64x2.mul(av, v128.load(x, 16))), 16);
    x += 32;
    y += 32;
  }
  for (let i = 0; i < (n & 3); i++) {
    store<f64>(y, load<f64>(y) + a * load<f64>(x));
    x += 8;
    y += 8;
  }
}

/** out ← Σ_p x_p over `parts` vectors of n values that lie one behind the other, in order. */
export function f64_sum_parts(n: i32, parts: i32, x: usize, out: usize): void {
  const bytes = <usize>n << 3;
  for (let at: usize = 0; at < bytes; at += 8) {
    let sum = load<f64>(x + at);
    for (let p: usize = 1; p < <usize>parts; p++) sum += load<f64>(x + p * bytes + at);
    store<f64>(out + at, sum);
  }
}

/** out[i] ← x[i] / y[i] */
export function f64_divide(n: i32, x: usize, y: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) {
    store<f64>(out + i, load<f64>(x + i) / load<f64>(y + i));
  }
}

/** y ← x + a·y */
export function f64_xpay(n: i32, a: f64, x: usize, y: usize): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) {
    store<f64>(y + i, load<f64>(x + i) + a * load<f64>(y + i));
  }
}

/** Σ |x[i]| */
export function f64_sum_abs(n: i32, x: usize): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize>n << 3; i += 8) sum += abs(load<f64>(x + i));
  return sum;
}

/** max |x[i]|, 0 of none */
export function f64_max_abs(n: i32, x: usize): f64 {
  let most: f64 = 0;
  for (let i: usize = 0; i < <usize>n << 3; i += 8) most = max<f64>(most, abs(load<f64>(x + i)));
  return most;
}

/** Σ max(0, |x[i]| − threshold)² */
export function f64_excess_squares(n: i32, threshold: f64, x: usize): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize>n << 3; i += 8) {
    const over = max<f64>(0, abs(load<f64>(x + i)) - threshold);
    sum += over * over;
  }
  return sum;
}

/** step ← f32(x + step) − x: the step that ends at f32 values. */
export function f64_round_step(n: i32, x: usize, step: usize): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) {
    const from = load<f64>(x + i);
    store<f64>(step + i, <f64><f32>(from + load<f64>(step + i)) - from);
  }
}

/** x ← x + a, for every element */
export function f64_shift(n: i32, a: f64, x: usize): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) store<f64>(x + i, load<f64>(x + i) + a);
}
