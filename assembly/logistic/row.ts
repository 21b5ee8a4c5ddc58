// A row of any storage against f64 vectors: what the kernels of binary logistic regression share.
// f32 rows are taken as they lie (n = −1), all others as n (column, value) pairs.
import { STORAGE_F32, STORAGE_U8, unpackDense } from '../data';
import { high64, hsum64, low64 } from '../simd';

/** Pairs of a row: u8 rows are unpacked to `work`, 2 (d + 16) · 4 bytes. −1 for a row of f32. */
// @ts-ignore: decorator
@inline
export function pairsOf(storage: i32, entry: usize, d: i32, scale: f32, work: usize): i32 {
  if (storage == STORAGE_F32) return -1;
  if (storage == STORAGE_U8) {
    return unpackDense(storage, d, load<usize>(entry), scale, work, work + (<usize>(d + 16) << 2));
  }
  return load<i32>(entry, 8);
}

// @ts-ignore: decorator
@inline
export function columnsOf(storage: i32, entry: usize, work: usize): usize {
  return storage == STORAGE_U8 ? work : load<usize>(entry);
}

// @ts-ignore: decorator
@inline
export function valuesOf(storage: i32, entry: usize, d: i32, work: usize): usize {
  return storage == STORAGE_U8 ? work + (<usize>(d + 16) << 2) : load<usize>(entry, 4);
}

/** Σ_j x_j v_j over d floats. */
// @ts-ignore: decorator
@inline
function dotDense(d: i32, x: usize, v: usize): f64 {
  let a = f64x2.splat(0), b = a;
  const body = x + (<usize>(d & ~3) << 2);
  while (x < body) {
    const four = v128.load(x);
    a = f64x2.add(a, f64x2.mul(low64(four), v128.load(v)));
    b = f64x2.add(b, f64x2.mul(high64(four), v128.load(v, 16)));
    x += 16;
    v += 32;
  }
  let tail: f64 = 0;
  for (let i = 0; i < (d & 3); i++) {
    tail += <f64>load<f32>(x) * load<f64>(v);
    x += 4;
    v += 8;
  }
  return hsum64(f64x2.add(a, b)) + tail;
}

/** x·v for a row of n pairs, or of d floats when n < 0. Four sums hide the latency of the add. */
// @ts-ignore: decorator
@inline
export function dotRow(n: i32, columns: usize, values: usize, d: i32, scale: f32, v: usize): f64 {
  if (n < 0) return <f64>scale * dotDense(d, columns, v);
  let a: f64 = 0, b: f64 = 0, c: f64 = 0, e: f64 = 0;
  const body = columns + (<usize>(n & ~3) << 2), end = columns + (<usize>n << 2);
  while (columns < body) {
    a += <f64>load<f32>(values) * load<f64>(v + (<usize>load<u32>(columns) << 3));
    b += <f64>load<f32>(values, 4) * load<f64>(v + (<usize>load<u32>(columns, 4) << 3));
    c += <f64>load<f32>(values, 8) * load<f64>(v + (<usize>load<u32>(columns, 8) << 3));
    e += <f64>load<f32>(values, 12) * load<f64>(v + (<usize>load<u32>(columns, 12) << 3));
    columns += 16;
    values += 16;
  }
  while (columns < end) {
    a += <f64>load<f32>(values) * load<f64>(v + (<usize>load<u32>(columns) << 3));
    columns += 4;
    values += 4;
  }
  return a + b + (c + e);
}

/** out += a·x */
// @ts-ignore: decorator
@inline
export function addRow(
  n: i32, columns: usize, values: usize, d: i32, scale: f32, a: f64, out: usize,
): void {
  if (n < 0) {
    const s = a * <f64>scale, av = f64x2.splat(s);
    const body = columns + (<usize>(d & ~3) << 2);
    while (columns < body) {
      const four = v128.load(columns);
      v128.store(out, f64x2.add(v128.load(out), f64x2.mul(av, low64(four))));
      v128.store(out, f64x2.add(v128.load(out, 16), f64x2.mul(av, high64(four))), 16);
      columns += 16;
      out += 32;
    }
    for (let i = 0; i < (d & 3); i++) {
      store<f64>(out, load<f64>(out) + s * <f64>load<f32>(columns));
      columns += 4;
      out += 8;
    }
    return;
  }
  const end = columns + (<usize>n << 2);
  while (columns < end) {
    const cell = out + (<usize>load<u32>(columns) << 3);
    store<f64>(cell, load<f64>(cell) + a * <f64>load<f32>(values));
    columns += 4;
    values += 4;
  }
}
