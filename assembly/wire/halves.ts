// Values in 16 bits. f16: 5 bits of exponent, 10 of mantissa (IEEE 754 binary16); bf16: the upper
// half of an f32. To the nearest, ties to even. What is too large, infinities included, becomes the
// largest finite number of its sign (65504; 3.39e38): a delta is cut, and its rest sent later.
// `kind` is 1 for f16 and 2 for bf16.

const SIGN: i32 = 0x80000000;

/** Bits of |x| for four values → f16 without sign. Below 2^−14 the adder does the rounding. */
// @ts-ignore: decorator
@inline
function toF16(bits: v128): v128 {
  const isNaN = i32x4.gt_s(bits, i32x4.splat(0x7f800000));
  const u = i32x4.min_s(bits, i32x4.splat(0x477fe000)); // 65504
  const magic = i32x4.splat(0x3f000000); // 0.5: one unit of its last place is 2^−24
  const small = i32x4.sub(f32x4.add(u, magic), magic);
  const odd = v128.and(i32x4.shr_u(u, 13), i32x4.splat(1));
  const biased = i32x4.add(i32x4.add(u, i32x4.splat(<i32>0xc8000fff)), odd);
  const isSmall = i32x4.lt_s(u, i32x4.splat(0x38800000)); // 2^−14
  const finite = v128.bitselect(small, i32x4.shr_u(biased, 13), isSmall);
  return v128.bitselect(i32x4.splat(0x7e00), finite, isNaN);
}

// @ts-ignore: decorator
@inline
function fromF16(h: v128): v128 {
  const magnitude = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13);
  const exponent = v128.and(magnitude, i32x4.splat(0x0f800000));
  const normal = i32x4.add(magnitude, i32x4.splat(0x38000000));
  const special = i32x4.add(normal, i32x4.splat(0x38000000));
  const least = i32x4.splat(0x38800000); // 2^−14
  const small = f32x4.sub(v128.or(magnitude, least), least);
  const value = v128.bitselect(special, normal, i32x4.eq(exponent, i32x4.splat(0x0f800000)));
  const bits = v128.bitselect(small, value, i32x4.eq(exponent, i32x4.splat(0)));
  return v128.or(bits, i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16));
}

// @ts-ignore: decorator
@inline
function toBf16(bits: v128): v128 {
  const isNaN = i32x4.gt_s(bits, i32x4.splat(0x7f800000));
  const u = i32x4.min_s(bits, i32x4.splat(0x7f7f0000));
  const odd = v128.and(i32x4.shr_u(u, 16), i32x4.splat(1));
  const finite = i32x4.shr_u(i32x4.add(i32x4.add(u, i32x4.splat(0x7fff)), odd), 16);
  return v128.bitselect(i32x4.splat(0x7fc0), finite, isNaN);
}

/** Four f32 values → four halves in the low bits of the lanes. */
// @ts-ignore: decorator
@inline
function encode(kind: i32, v: v128): v128 {
  const sign = v128.and(v, i32x4.splat(SIGN));
  const bits = v128.xor(v, sign);
  return v128.or(kind == 1 ? toF16(bits) : toBf16(bits), i32x4.shr_u(sign, 16));
}

// @ts-ignore: decorator
@inline
function decode(kind: i32, h: v128): v128 {
  return kind == 1 ? fromF16(h) : i32x4.shl(h, 16);
}

/** to ← the halves of n values; from ← what their rounding left, from − decoded(to). */
export function halves_encode(kind: i32, n: i32, from: usize, to: usize): void {
  for (let i = 0; i + 4 <= n; i += 4) {
    const v = v128.load(from);
    const h = encode(kind, v);
    v128.store(from, f32x4.sub(v, decode(kind, h)));
    store<i64>(to, i64x2.extract_lane(i16x8.narrow_i32x4_u(h, h), 0));
    from += 16;
    to += 8;
  }
  for (let i = 0; i < (n & 3); i++) {
    const v = i32x4.splat(load<i32>(from));
    const h = encode(kind, v);
    store<f32>(from, f32x4.extract_lane(f32x4.sub(v, decode(kind, h)), 0));
    store<u16>(to, <u16>i32x4.extract_lane(h, 0));
    from += 4;
    to += 2;
  }
}

/** to ← the f32 values of n halves */
export function halves_decode(kind: i32, n: i32, from: usize, to: usize): void {
  for (let i = 0; i + 4 <= n; i += 4) {
    v128.store(to, decode(kind, v128.load_ext<u16>(from)));
    from += 8;
    to += 16;
  }
  for (let i = 0; i < (n & 3); i++) {
    const h = i32x4.splat(<i32>load<u16>(from));
    store<i32>(to, i32x4.extract_lane(decode(kind, h), 0));
    from += 2;
    to += 4;
  }
}
