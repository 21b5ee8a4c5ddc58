// Samples by column: what coordinate methods read. One partition of the rows, numbered from 0.
//
//   sparse   starts: (columns + 2) × i32    index: row numbers, i32, ascending in a column    value: f32
//   dense    x: columns × stride f32, stride the rows padded with zeros to a multiple of 4
//
// Values are f32 as they were read; whatever they are multiplied and added to is f64.
// A list of columns is i32 numbers at `list`; with list 0 they are column 0, 1, …
import { STORAGE_U8 } from '../data';
import { high64, hsum64, low64 } from '../simd';

/**
 * Counts of columns in the cells [2, columns + 2) → where columns_scatter writes each column, in the
 * cells [1, columns + 1). Returns the sum of all counts.
 */
export function columns_starts(columns: i32, starts: usize): i32 {
  let sum = 0;
  store<i32>(starts, 0);
  for (let j = 0; j <= columns; j++) {
    starts += 4;
    const next = sum + (j < columns ? load<i32>(starts, 4) : 0);
    store<i32>(starts, sum);
    sum = next;
  }
  return sum;
}

/** Entries of `count` sparse rows, the first of them row `first`, to their columns. */
export function columns_scatter(
  count: i32, first: i32, directory: usize, starts: usize, index: usize, value: usize,
): void {
  for (let i = 0; i < count; i++) {
    let column = load<usize>(directory), x = load<usize>(directory, 4);
    const end = column + (<usize>load<i32>(directory, 8) << 2);
    for (; column < end; column += 4, x += 4) {
      const cursor = starts + (<usize>load<u32>(column) << 2);
      const at = <usize>load<u32>(cursor, 4);
      store<i32>(cursor, <i32>at + 1, 4);
      store<i32>(index + (at << 2), first + i);
      store<f32>(value + (at << 2), load<f32>(x));
    }
    directory += 16;
  }
}

/** Dense rows of a directory, the first of them row `first`, to column-major f32. */
export function columns_transpose(
  storage: i32, count: i32, first: i32, directory: usize, columns: i32, scale: f32,
  stride: i32, x: usize,
): void {
  // 16 rows at a time: a cache line of every column is written whole.
  for (let i = 0; i < count; i += 16) {
    const rows = min(16, count - i);
    for (let j: usize = 0; j < <usize>columns; j++) {
      let out = x + ((j * <usize>stride + <usize>(first + i)) << 2);
      let entry = directory + (<usize>i << 4);
      for (let r = 0; r < rows; r++) {
        const row = load<usize>(entry);
        const value = storage == STORAGE_U8 ? <f32>load<u8>(row + j) : load<f32>(row + (j << 2));
        store<f32>(out, scale * value);
        out += 4;
        entry += 16;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function columnOf(list: usize, k: usize): usize {
  return list ? <usize>load<u32>(list + (k << 2)) : k;
}

/** out[k] = Σ_i x_i,list[k] · v_i for k < count; v, out f64. */
export function columns_dots_sparse(
  count: i32, list: usize, starts: usize, index: usize, value: usize, v: usize, out: usize,
): void {
  for (let k: usize = 0; k < <usize>count; k++) {
    const cell = starts + (columnOf(list, k) << 2);
    const first = <usize>load<u32>(cell) << 2, last = <usize>load<u32>(cell, 4) << 2;
    let a: f64 = 0, b: f64 = 0;
    let at = first;
    for (; at + 8 <= last; at += 8) {
      const i = index + at, x = value + at;
      a += <f64>load<f32>(x) * load<f64>(v + (<usize>load<u32>(i) << 3));
      b += <f64>load<f32>(x, 4) * load<f64>(v + (<usize>load<u32>(i, 4) << 3));
    }
    if (at < last) {
      a += <f64>load<f32>(value + at) * load<f64>(v + (<usize>load<u32>(index + at) << 3));
    }
    store<f64>(out + (k << 3), a + b);
  }
}

/** The same of dense columns; v is `stride` values long, and 0 after the last row. */
export function columns_dots_dense(
  count: i32, list: usize, stride: i32, x: usize, v: usize, out: usize,
): void {
  const bytes = <usize>stride << 2;
  for (let k: usize = 0; k < <usize>count; k++) {
    let at = x + columnOf(list, k) * bytes;
    const end = at + bytes;
    let w = v;
    let a = f64x2.splat(0), b = f64x2.splat(0), c = f64x2.splat(0), d = f64x2.splat(0);
    for (; at + 32 <= end; at += 32, w += 64) {
      const u = v128.load(at), t = v128.load(at, 16);
      a = f64x2.add(a, f64x2.mul(low64(u), v128.load(w)));
      b = f64x2.add(b, f64x2.mul(high64(u), v128.load(w, 16)));
      c = f64x2.add(c, f64x2.mul(low64(t), v128.load(w, 32)));
      d = f64x2.add(d, f64x2.mul(high64(t), v128.load(w, 48)));
    }
    if (at < end) {
      const u = v128.load(at);
      a = f64x2.add(a, f64x2.mul(low64(u), v128.load(w)));
      b = f64x2.add(b, f64x2.mul(high64(u), v128.load(w, 16)));
    }
    store<f64>(out + (k << 3), hsum64(f64x2.add(f64x2.add(a, c), f64x2.add(b, d))));
  }
}

/** v_i += Σ_k a[k] · x_i,list[k] for k < count; a, v f64. */
export function columns_add_sparse(
  count: i32, list: usize, starts: usize, index: usize, value: usize, a: usize, v: usize,
): void {
  for (let k: usize = 0; k < <usize>count; k++) {
    const factor = load<f64>(a + (k << 3));
    if (factor == 0) continue;
    const cell = starts + (columnOf(list, k) << 2);
    const last = <usize>load<u32>(cell, 4) << 2;
    for (let at = <usize>load<u32>(cell) << 2; at < last; at += 4) {
      const place = v + (<usize>load<u32>(index + at) << 3);
      store<f64>(place, load<f64>(place) + factor * <f64>load<f32>(value + at));
    }
  }
}

/** The same of dense columns; v is `stride` values long. */
export function columns_add_dense(
  count: i32, list: usize, stride: i32, x: usize, a: usize, v: usize,
): void {
  const bytes = <usize>stride << 2;
  for (let k: usize = 0; k < <usize>count; k++) {
    const factor = load<f64>(a + (k << 3));
    if (factor == 0) continue;
    const f = f64x2.splat(factor);
    let at = x + columnOf(list, k) * bytes;
    const end = at + bytes;
    for (let w = v; at < end; at += 16, w += 32) {
      const u = v128.load(at);
      v128.store(w, f64x2.add(v128.load(w), f64x2.mul(f, low64(u))));
      v128.store(w, f64x2.add(v128.load(w, 16), f64x2.mul(f, high64(u))), 16);
    }
  }
}

/**
 * sums[j] = Σ w x and squares[j] = Σ w (x − c_j)² over the partition's rows, for every column; all f64.
 * weights 0: ones. centres 0: c = 0. `total` is Σ w over all rows: those without an entry have x = 0.
 * sums or squares 0: not wanted.
 */
export function columns_moments_sparse(
  columns: i32, total: f64, starts: usize, index: usize, value: usize,
  weights: usize, centres: usize, sums: usize, squares: usize,
): void {
  for (let j: usize = 0; j < <usize>columns; j++) {
    const cell = starts + (j << 2);
    const last = <usize>load<u32>(cell, 4) << 2;
    const c = centres ? load<f64>(centres + (j << 3)) : 0;
    let sum: f64 = 0, square: f64 = 0, weight: f64 = 0;
    for (let at = <usize>load<u32>(cell) << 2; at < last; at += 4) {
      const w: f64 = weights ? load<f64>(weights + (<usize>load<u32>(index + at) << 3)) : 1;
      const x = <f64>load<f32>(value + at);
      weight += w;
      sum += w * x;
      square += w * (x - c) * (x - c);
    }
    if (sums) store<f64>(sums + (j << 3), sum);
    if (squares) store<f64>(squares + (j << 3), square + (total - weight) * c * c);
  }
}

/** The same of dense columns of `rows` rows. */
export function columns_moments_dense(
  columns: i32, rows: i32, stride: i32, x: usize,
  weights: usize, centres: usize, sums: usize, squares: usize,
): void {
  for (let j: usize = 0; j < <usize>columns; j++) {
    const column = x + ((j * <usize>stride) << 2);
    const c = centres ? load<f64>(centres + (j << 3)) : 0;
    let sum: f64 = 0, square: f64 = 0;
    for (let i: usize = 0; i < <usize>rows; i++) {
      const w: f64 = weights ? load<f64>(weights + (i << 3)) : 1;
      const value = <f64>load<f32>(column + (i << 2));
      sum += w * value;
      square += w * (value - c) * (value - c);
    }
    if (sums) store<f64>(sums + (j << 3), sum);
    if (squares) store<f64>(squares + (j << 3), square);
  }
}
