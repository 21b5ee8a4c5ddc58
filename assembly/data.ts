// The row directory: 16 bytes a sample, so that rows of any storage can be visited in any order.
//
//   dense  { place of the row, 0, 0, target }          csr  { indices, values, nonzeros, target }
//
// `unpack` turns a row of any storage into (column, value) pairs, zeros left out: the kernels of the
// models have one form, and a row of pixels that is four fifths zero costs one fifth.

export const STORAGE_U8: i32 = 0;
export const STORAGE_F32: i32 = 1;

/** Directory entries of `rows` dense rows from `x` on. */
export function directory_dense(rows: i32, strideBytes: i32, x: usize, target: usize, out: usize): void {
  for (let i = 0; i < rows; i++) {
    store<usize>(out, x);
    store<i64>(out, 0, 4);
    store<i32>(out, load<i32>(target + (<usize>i << 2)), 12);
    x += strideBytes;
    out += 16;
  }
}

/** Directory entries of `rows` sparse rows of a block. */
export function directory_csr(
  rows: i32, rowStart: usize, index: usize, value: usize, target: usize, out: usize,
): void {
  for (let i = 0; i < rows; i++) {
    const cell = rowStart + (<usize>i << 2);
    const first = load<i32>(cell);
    store<usize>(out, index + (<usize>first << 2));
    store<usize>(out, value + (<usize>first << 2), 4);
    store<i32>(out, load<i32>(cell, 4) - first, 8);
    store<i32>(out, load<i32>(target + (<usize>i << 2)), 12);
    out += 16;
  }
}

/** Fisher-Yates over `count` entries; xorshift32 from `seed` (not 0). Returns the last state. */
export function directory_shuffle(count: i32, seed: u32, directory: usize): u32 {
  let state = seed;
  for (let i = count - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    // The high part of a product is uniform enough: count is far below 2^32.
    const j = <i32>((<u64>state * <u64>(i + 1)) >> 32);
    const a = directory + (<usize>i << 4);
    const b = directory + (<usize>j << 4);
    const keep = v128.load(a);
    v128.store(a, v128.load(b));
    v128.store(b, keep);
  }
  return state;
}

/** Rows of `count` whose target is `wanted`. */
export function directory_count(count: i32, wanted: i32, directory: usize): i32 {
  let found = 0;
  for (let i = 0; i < count; i++) found += i32(load<i32>(directory + (<usize>i << 4), 12) == wanted);
  return found;
}

/** Nonzero pixels of a row of d bytes as (column, scale·value); returns their number. */
// @ts-ignore: decorator
@inline
function unpackU8(d: i32, x: usize, scale: f32, columns: usize, values: usize): i32 {
  let n: usize = 0;
  for (let at = 0; at < d; at += 16) {
    const pixels = v128.load(x + at);
    let mask = 0xffff ^ i8x16.bitmask(i8x16.eq(pixels, i8x16.splat(0)));
    while (mask) {
      const j = at + ctz(mask);
      mask &= mask - 1;
      store<i32>(columns + n, j);
      store<f32>(values + n, scale * <f32>load<u8>(x + j));
      n += 4;
    }
  }
  return <i32>(n >>> 2);
}

/** Nonzero values of a row of d floats; returns their number. */
// @ts-ignore: decorator
@inline
function unpackF32(d: i32, x: usize, scale: f32, columns: usize, values: usize): i32 {
  let n: usize = 0;
  for (let j = 0; j < d; j++) {
    const value = load<f32>(x + (<usize>j << 2));
    store<i32>(columns + n, j);
    store<f32>(values + n, scale * value);
    n += <usize>select<i32>(4, 0, value != 0);
  }
  return <i32>(n >>> 2);
}

/** Dense row → pairs at columns, values (room for d + 16 each). */
// @ts-ignore: decorator
@inline
export function unpackDense(
  storage: i32, d: i32, x: usize, scale: f32, columns: usize, values: usize,
): i32 {
  if (storage == STORAGE_U8) return unpackU8(d, x, scale, columns, values);
  return unpackF32(d, x, scale, columns, values);
}

/** counts[column] += 1 for every entry of `count` sparse rows. */
export function csr_count_columns(count: i32, directory: usize, counts: usize): void {
  for (let i = 0; i < count; i++) {
    let at = load<usize>(directory);
    const end = at + (<usize>load<i32>(directory, 8) << 2);
    for (; at < end; at += 4) {
      const cell = counts + (<usize>load<i32>(at) << 2);
      store<i32>(cell, load<i32>(cell) + 1);
    }
    directory += 16;
  }
}

/** Σ of squared values over `count` rows, in f64. */
export function rows_sum_squares(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, work: usize,
): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) {
    let n = load<i32>(directory, 8);
    let values = load<usize>(directory, 4);
    if (storage <= STORAGE_F32) {
      values = work + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, load<usize>(directory), scale, work, values);
    }
    for (let j = 0; j < n; j++) {
      const value = <f64>load<f32>(values + (<usize>j << 2));
      sum += value * value;
    }
    directory += 16;
  }
  return sum;
}
