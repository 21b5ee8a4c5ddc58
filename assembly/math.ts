// exp and log, for lanes and for scalars. Constants are loaded into locals by the caller's loop
// where it matters; here they are few enough to stay in registers.
import { madd } from './simd';

/**
 * e^x for four f32 lanes; x is clamped to [−87, 88]. 2^n · e^r with |r| ≤ ln 2 / 2 and, for e^r, the
 * polynomial of degree 6 with the least relative error that has the value and slope of e^r at 0
 * (3e-9; Taylor's has 1.7e-7): relative error < 1.2e-7, nearly all of it rounding. exp4(0) = 1.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(88));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.4426950408889634)));
  // ln 2 in two parts, the first short enough that its product with n is exact.
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(0.001381454112319597);
  p = madd(p, r, f32x4.splat(0.008368745394184692));
  p = madd(p, r, f32x4.splat(0.04166839079204811));
  p = madd(p, r, f32x4.splat(0.16666520396695622));
  p = madd(p, r, f32x4.splat(0.4999999343201547));
  p = madd(p, r, f32x4.splat(1));
  p = madd(p, r, f32x4.splat(1));
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, scale);
}

/**
 * ln x for four positive normal f32 lanes: x = m·2^e with m in [√½, √2), ln m = 2·artanh(s),
 * s = (m − 1)/(m + 1), to s⁹; error about 1e-7 of the larger of 1 and |ln x|.
 */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  // Adding the bits of 1/√½ in steps of an exponent splits at √½ instead of at 1.
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(shifted, 23);
  const m = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const s = f32x4.div(f32x4.sub(m, f32x4.splat(1)), f32x4.add(m, f32x4.splat(1)));
  const q = f32x4.mul(s, s);
  let p = f32x4.splat(2.0 / 9);
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 7));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 5));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 3));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2));
  const e = f32x4.convert_i32x4_s(exponent);
  return f32x4.add(f32x4.mul(e, f32x4.splat(0.6931471805599453)), f32x4.mul(s, p));
}

/** artanh(s) / s from q = s², for |s| ≤ .1716. */
// @ts-ignore: decorator
@inline
function artanhSeries(q: f64): f64 {
  let sum: f64 = 1.0 / 19;
  sum = sum * q + 1.0 / 17;
  sum = sum * q + 1.0 / 15;
  sum = sum * q + 1.0 / 13;
  sum = sum * q + 1.0 / 11;
  sum = sum * q + 1.0 / 9;
  sum = sum * q + 1.0 / 7;
  sum = sum * q + 1.0 / 5;
  sum = sum * q + 1.0 / 3;
  sum = sum * q + 1;
  return sum;
}

/** ln x for a positive normal x: x = m·2^e, ln m = 2·artanh((m−1)/(m+1)); error < 1e-15 relative. */
// @ts-ignore: decorator
@inline
export function log64(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  let exponent = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  const s = (m - 1) / (m + 1);
  const q = s * s;
  const sum = artanhSeries(q);
  return 2 * s * sum + <f64>exponent * 0.6931471805599453;
}

/** e^x in f64 for x ≤ 0, by 2^n · e^r and a Taylor polynomial of degree 12; 0 below −700. */
// @ts-ignore: decorator
@inline
export function exp64(x: f64): f64 {
  if (x < -700) return 0;
  const n = nearest(x * 1.4426950408889634);
  let r = x - n * 0.6931471803691238;
  r = r - n * 1.9082149292705877e-10;
  let p: f64 = 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  return p * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** ln(1 + e) for 0 ≤ e ≤ 1: small e keeps its relative accuracy, as 2·artanh(e / (2 + e)). */
// @ts-ignore: decorator
@inline
export function log1p64(e: f64): f64 {
  if (e > 0.41) return log64(1 + e);
  const s = e / (2 + e); // below .171: the series of log64 holds
  return 2 * s * artanhSeries(s * s);
}

/** A 32-bit mix of (seed, i), for values that depend on neither thread nor order. */
// @ts-ignore: decorator
@inline
export function mix(seed: u32, i: u32): u32 {
  let z = seed + i * 0x9e3779b9;
  z = (z ^ (z >> 16)) * 0x21f0aaad;
  z = (z ^ (z >> 15)) * 0x735a2d97;
  return z ^ (z >> 15);
}
