// Decimal numbers: [+-] digits [. digits] [e [+-] digits], read into an f64.
//
//   value = mantissa · 10^exponent, the mantissa being the first 19 significant digits as a u64
//
// Up to 15 digits and |exponent| ≤ 22 both factors are exact in f64 and so the result is the
// nearest f64 (Clinger 1990). Beyond that it is off by at most 2 units in the last place of an f64,
// 2^-28 of one of the f32 that is stored, so the f32 is almost always the nearest one, never off by
// more than 1.
import { NUMBER } from './codes';

/** 10^0 … 10^64: f32 reaches from 1e-45 to 3e38 and the mantissa below 1.9e19. Never written. */
const POWERS: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
  1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25,
  1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38,
  1e39, 1e40, 1e41, 1e42, 1e43, 1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51,
  1e52, 1e53, 1e54, 1e55, 1e56, 1e57, 1e58, 1e59, 1e60, 1e61, 1e62, 1e63, 1e64,
]);

function scale(mantissa: u64, exponent: i32): f64 {
  const value = <f64>mantissa;
  if (exponent == 0 || mantissa == 0) return value;
  if (exponent < 0) return exponent < -64 ? 0 : value / load<f64>(POWERS + (<usize>-exponent << 3));
  return exponent > 38 ? Infinity : value * load<f64>(POWERS + (<usize>exponent << 3));
}

/** The mantissa again for a text of more than 19 digits; what is cut off goes into the exponent. */
function longNumber(p: usize, exponent: i32): f64 {
  let mantissa: u64 = 0;
  let kept = 0, cut = 0, fraction = 0, behind = false;
  for (;; p++) {
    const c: u32 = load<u8>(p);
    if (c == 46 && !behind) {
      behind = true;
      continue;
    }
    const d = c - 48;
    if (d > 9) break;
    if (behind) fraction++;
    if (kept == 19) {
      cut++;
      continue;
    }
    mantissa = mantissa * 10 + d;
    if (mantissa != 0) kept++;
  }
  return scale(mantissa, exponent + cut - fraction);
}

/**
 * Reads the number at p, which must be followed by a byte that is not part of it (a line feed at
 * the latest). Returns the address behind it with the value at state + NUMBER, or 0: no number.
 * Infinity stands for a value beyond f64 or f32.
 */
export function readNumber(p: usize, state: usize): usize {
  let c: u32 = load<u8>(p);
  const negative = c == 45;
  if (negative || c == 43) c = load<u8>(++p);
  const first = p;
  let mantissa: u64 = 0;
  let d = c - 48;
  while (d <= 9) {
    mantissa = mantissa * 10 + d;
    d = <u32>load<u8>(++p) - 48;
  }
  let digits = <i32>(p - first), exponent = 0;
  // '.' − '0' and, below, 'e' − '0' or 'E' − '0', as unsigned numbers
  if (d == <u32>-2) {
    const point = ++p;
    d = <u32>load<u8>(p) - 48;
    while (d <= 9) {
      mantissa = mantissa * 10 + d;
      d = <u32>load<u8>(++p) - 48;
    }
    exponent = -<i32>(p - point);
    digits -= exponent;
  }
  if (digits == 0) return 0;
  let explicit = 0;
  if (d == 53 || d == 21) {
    c = load<u8>(++p);
    const minus = c == 45;
    if (minus || c == 43) c = load<u8>(++p);
    d = c - 48;
    if (d > 9) return 0;
    while (d <= 9) {
      // Far beyond every number of ours, and lines are too short for digits that make up for it.
      if (explicit < 100000000) explicit = explicit * 10 + <i32>d;
      d = <u32>load<u8>(++p) - 48;
    }
    if (minus) explicit = -explicit;
  }
  const value = digits > 19 ? longNumber(first, explicit) : scale(mantissa, exponent + explicit);
  store<f64>(state, negative ? -value : value, NUMBER);
  return p;
}

/** True when the number just read fits an f32. */
// @ts-ignore: decorator
@inline
export function fits(value: f32): bool {
  return abs(value) <= f32.MAX_VALUE;
}
