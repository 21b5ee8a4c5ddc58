// Samples by column: what coordinate methods read. One partition of the rows, numbered from 0.
//
//   sparse   entries of 8 bytes, row i32 and value f32, rows ascending in a column. Columns stand in the
//            order of their lengths, the longest first, so that neighbours are loops of the same length:
//            a column of 5 entries costs less than the branch that ends it, where that is not foreseen.
//
//            order    columns × i32         position → column
//            place    columns × i32         column → position
//            starts   (columns + 1) × i32   position → first entry
//
//   dense    x: columns × stride f32, stride the rows padded with zeros to a multiple of 4
//
// Values are f32 as they were read; whatever they are multiplied and added to is f64. A list of columns is
// i32 numbers at `list`; with list 0 they are all of the next positions (sparse), or column 0, 1, … (dense).
import { STORAGE_U8 } from '../data';
import { high64, hsum64, low64 } from '../simd';

/** Columns that are longer than this are in no order: the end of their loops is rare. */
const LENGTH_MAX: i32 = 1023;

/**
 * The order of columns by their lengths, stable, and their starts. counts: in, entries of each column; out,
 * where columns_scatter writes the next of each. buckets: LENGTH_MAX + 1 cells of work. Returns the sum.
 */
export function columns_order(columns: i32, counts: usize, starts: usize, order: usize, buckets: usize): i32 {
  const cells = <usize>(LENGTH_MAX + 1) << 2;
  memory.fill(buckets, 0, cells);
  const end = <usize>columns << 2;
  for (let j: usize = 0; j < end; j += 4) {
    const bucket = buckets + (<usize>(LENGTH_MAX - min(LENGTH_MAX, load<i32>(counts + j))) << 2);
    store<i32>(bucket, load<i32>(bucket) + 1);
  }
  let before = 0;
  for (let at = buckets; at < buckets + cells; at += 4) {
    const size = load<i32>(at);
    store<i32>(at, before);
    before += size;
  }
  for (let j = 0; j < columns; j++) {
    const length = load<i32>(counts + (<usize>j << 2));
    const bucket = buckets + (<usize>(LENGTH_MAX - min(LENGTH_MAX, length)) << 2);
    const position = <usize>load<u32>(bucket);
    store<i32>(bucket, <i32>position + 1);
    store<i32>(order + (position << 2), j);
  }
  let sum = 0;
  for (let k: usize = 0; k < end; k += 4) {
    store<i32>(starts + k, sum);
    const count = counts + (<usize>load<u32>(order + k) << 2);
    const length = load<i32>(count);
    store<i32>(count, sum);
    sum += length;
  }
  store<i32>(starts + end, sum);
  return sum;
}

/** place[order[k]] ← k */
export function columns_place(columns: i32, order: usize, place: usize): void {
  for (let k = 0; k < columns; k++) {
    store<i32>(place + (<usize>load<u32>(order + (<usize>k << 2)) << 2), k);
  }
}

/** Entries of `count` sparse rows, the first of them row `first`, to their columns. */
export function columns_scatter(
  count: i32, first: i32, directory: usize, next: usize, entries: usize,
): void {
  for (let i = 0; i < count; i++) {
    let column = load<usize>(directory), x = load<usize>(directory, 4);
    const end = column + (<usize>load<i32>(directory, 8) << 2);
    for (; column < end; column += 4, x += 4) {
      const cursor = next + (<usize>load<u32>(column) << 2);
      const at = <usize>load<u32>(cursor);
      store<i32>(cursor, <i32>at + 1);
      const entry = entries + (at << 3);
      store<i32>(entry, first + i);
      store<f32>(entry, load<f32>(x), 4);
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

// @ts-ignore: decorator
@inline
function term(entry: usize, v: usize, skip: usize): f64 {
  const x = <f64>load<f32>(entry + skip, 4);
  return x * load<f64>(v + (<usize>load<u32>(entry + skip) << 3));
}

/**
 * out[k] = Σ_i x_i,list[k] · v_i for k < count; v, out f64. map: `place`; with list 0 it is `order` from the
 * first position on, `starts` too, and sums go to out[order[k]].
 */
export function columns_dots_sparse(
  count: i32, list: usize, map: usize, starts: usize, entries: usize, v: usize, out: usize,
): void {
  for (let k: usize = 0; k < <usize>count << 2; k += 4) {
    const number = <usize>load<u32>((list ? list : map) + k) << 2;
    const cell = starts + (list ? <usize>load<u32>(map + number) << 2 : k);
    let at = entries + (<usize>load<u32>(cell) << 3);
    const end = entries + (<usize>load<u32>(cell, 4) << 3);
    let a: f64 = 0, b: f64 = 0, c: f64 = 0, d: f64 = 0;
    for (; at + 32 <= end; at += 32) {
      a += term(at, v, 0);
      b += term(at, v, 8);
      c += term(at, v, 16);
      d += term(at, v, 24);
    }
    for (; at < end; at += 8) a += term(at, v, 0);
    store<f64>(out + (list ? k << 1 : number << 1), a + b + (c + d));
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

/** v_i += Σ_k a[k] · x_i,list[k] for k < count; a, v f64. map, starts: as above, and a[order[k]]. */
export function columns_add_sparse(
  count: i32, list: usize, map: usize, starts: usize, entries: usize, a: usize, v: usize,
): void {
  for (let k: usize = 0; k < <usize>count << 2; k += 4) {
    const number = <usize>load<u32>((list ? list : map) + k) << 2;
    const factor = load<f64>(a + (list ? k << 1 : number << 1));
    if (factor == 0) continue;
    const cell = starts + (list ? <usize>load<u32>(map + number) << 2 : k);
    const end = entries + (<usize>load<u32>(cell, 4) << 3);
    for (let at = entries + (<usize>load<u32>(cell) << 3); at < end; at += 8) {
      const place = v + (<usize>load<u32>(at) << 3);
      store<f64>(place, load<f64>(place) + factor * <f64>load<f32>(at, 4));
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
 * sums[j] = Σ w x and squares[j] = Σ w (x − c_j)² over the partition's rows, for the columns of `count`
 * positions (sparse: order and starts from the first one on) or all columns (dense); all f64.
 * weights 0: ones. centres 0: c = 0. `total` is Σ w over all rows: those without an entry have x = 0.
 * sums or squares 0: not wanted.
 */
export function columns_moments_sparse(
  count: i32, total: f64, order: usize, starts: usize, entries: usize,
  weights: usize, centres: usize, sums: usize, squares: usize,
): void {
  for (let k: usize = 0; k < <usize>count << 2; k += 4) {
    const j = <usize>load<u32>(order + k) << 3;
    const end = entries + (<usize>load<u32>(starts + k, 4) << 3);
    const c = centres ? load<f64>(centres + j) : 0;
    let sum: f64 = 0, square: f64 = 0, weight: f64 = 0;
    for (let at = entries + (<usize>load<u32>(starts + k) << 3); at < end; at += 8) {
      const w: f64 = weights ? load<f64>(weights + (<usize>load<u32>(at) << 3)) : 1;
      const x = <f64>load<f32>(at, 4);
      weight += w;
      sum += w * x;
      square += w * (x - c) * (x - c);
    }
    if (sums) store<f64>(sums + j, sum);
    if (squares) store<f64>(squares + j, square + (total - weight) * c * c);
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
