// Second moments of some columns: G_jk = Σ_i w_i (x_ij − m_j) t_j (x_ik − m_k) t_k, for j, k in a list of
// slots. A slot has a column, its mean m under the weights w (0 without an intercept) and a scale t.
//
//        old slots   new slots            G is symmetric and f32. New slots are appended: rows of all
//      ┌───────────┬───────────┐          slots are computed against the new ones, from slot k on,
//  old │   known   │  new part │          and mirrored.
//      ├───────────┼───────────┤
//  new │  mirror   │ ◥ mirror  │
//      └───────────┴───────────┘
//
// Sparse: Gustavson's product, a row of G at a time, in f64: for an entry x_ik of the row's column, the
// new slots' entries of data row i, which `gram_compact` has put together. Dense: tiles of 4 rows of G,
// in f32 over 256 data rows at a time, those sums added up in f64. Both only ever precondition: what
// ends a solver is measured from the columns themselves, in f64.
//
// A partition's places are 8 cells of i32: rows, stride, place, starts, entries (columns.ts), x, rowStart, byRow.
// An entry by row is 8 bytes: slot (from the first new one on), f32 value.
import { hsum, madd } from '../simd';

const PLACES_BYTES: usize = 32;
const CHUNK_ROWS: i32 = 256;

/** Where the start of a column stands. */
// @ts-ignore: decorator
@inline
function startOf(places: usize, column: usize): usize {
  return load<usize>(places, 12) + (<usize>load<u32>(load<usize>(places, 8) + (column << 2)) << 2);
}

/**
 * The entries of `count` new columns by row, slots ascending in a row. list: of the new slots. cursor:
 * rows + 1 cells of work. Returns the number of entries.
 */
export function gram_compact(count: i32, list: usize, places: usize, cursor: usize): i32 {
  const rows = load<i32>(places);
  const entries = load<usize>(places, 16), rowStart = load<usize>(places, 24), byRow = load<usize>(places, 28);
  memory.fill(rowStart, 0, (<usize>rows + 1) << 2);
  for (let c: usize = 0; c < <usize>count; c++) {
    const cell = startOf(places, <usize>load<u32>(list + (c << 2)));
    const end = entries + (<usize>load<u32>(cell, 4) << 3);
    for (let at = entries + (<usize>load<u32>(cell) << 3); at < end; at += 8) {
      const row = rowStart + (<usize>load<u32>(at) << 2);
      store<i32>(row, load<i32>(row, 4) + 1, 4);
    }
  }
  let sum = 0;
  for (let i: usize = 0; i <= <usize>rows << 2; i += 4) {
    sum += load<i32>(rowStart + i);
    store<i32>(rowStart + i, sum);
    store<i32>(cursor + i, sum);
  }
  for (let c: usize = 0; c < <usize>count; c++) {
    const cell = startOf(places, <usize>load<u32>(list + (c << 2)));
    const end = entries + (<usize>load<u32>(cell, 4) << 3);
    for (let at = entries + (<usize>load<u32>(cell) << 3); at < end; at += 8) {
      const row = cursor + (<usize>load<u32>(at) << 2);
      const entry = <usize>load<u32>(row);
      store<i32>(row, <i32>entry + 1);
      store<i32>(byRow + (entry << 3), <i32>c);
      store<f32>(byRow + (entry << 3), load<f32>(at, 4), 4);
    }
  }
  return sum;
}

/**
 * Rows [first, last) of the new part: out row k − first, cells max(0, k − base) … count of `count` new
 * slots from slot `base` on, f32. weights: place of each partition's weights, i32 cells, or 0; total: their
 * sum. list, centres, scales: of all slots. work: count f64.
 */
export function gram_sparse(
  partitions: i32, places: usize, weights: usize, first: i32, last: i32, base: i32, count: i32, total: f64,
  list: usize, centres: usize, scales: usize, out: usize, work: usize,
): void {
  for (let k = first; k < last; k++) {
    const least = max(0, k - base);
    memory.fill(work, 0, <usize>count << 3);
    const column = <usize>load<u32>(list + (<usize>k << 2));
    const t = load<f64>(scales + (<usize>k << 3));
    for (let p: usize = 0; p < <usize>partitions; p++) {
      const place = places + p * PLACES_BYTES;
      const cell = startOf(place, column);
      const entries = load<usize>(place, 16);
      const rowStart = load<usize>(place, 24), byRow = load<usize>(place, 28);
      const w: usize = weights ? load<usize>(weights + (p << 2)) : 0;
      const end = entries + (<usize>load<u32>(cell, 4) << 3);
      for (let at = entries + (<usize>load<u32>(cell) << 3); at < end; at += 8) {
        const i = <usize>load<u32>(at);
        const row = rowStart + (i << 2);
        const from = byRow + (<usize>load<u32>(row) << 3);
        let x = <f64>load<f32>(at, 4);
        if (w) x *= load<f64>(w + (i << 3));
        for (let e = byRow + (<usize>load<u32>(row, 4) << 3); e > from; ) {
          e -= 8;
          const slot = load<i32>(e);
          if (slot < least) break;
          const sum = work + (<usize>slot << 3);
          store<f64>(sum, load<f64>(sum) + x * <f64>load<f32>(e, 4));
        }
      }
    }
    const m = total * load<f64>(centres + (<usize>k << 3));
    const row = out + <usize>(k - first) * (<usize>count << 2);
    for (let c: usize = least; c < <usize>count; c++) {
      const slot = (<usize>base + c) << 3;
      const sum = load<f64>(work + (c << 3)) - m * load<f64>(centres + slot);
      store<f32>(row + (c << 2), <f32>(t * load<f64>(scales + slot) * sum));
    }
  }
}

/** CHUNK_ROWS of column `x`, centred, scaled and weighted, 0 from `rows` on. */
// @ts-ignore: decorator
@inline
function pack(rows: i32, x: usize, m: f64, t: f64, weights: usize, to: usize): void {
  for (let i = 0; i < CHUNK_ROWS; i++) {
    let value: f64 = 0;
    if (i < rows) {
      value = (<f64>load<f32>(x + (<usize>i << 2)) - m) * t;
      if (weights) value *= load<f64>(weights + (<usize>i << 3));
    }
    store<f32>(to + (<usize>i << 2), <f32>value);
  }
}

/** gram_sparse of dense columns. work: 4 · 256 f32 and 4 · count f64. */
export function gram_dense(
  partitions: i32, places: usize, weights: usize, first: i32, last: i32, base: i32, count: i32,
  list: usize, centres: usize, scales: usize, out: usize, work: usize,
): void {
  const sums = work + ((4 * CHUNK_ROWS) << 2);
  const width = <usize>CHUNK_ROWS << 2;
  for (let k = first; k < last; k += 4) {
    const tile = min(4, last - k);
    const least = max(0, k - base);
    memory.fill(sums, 0, <usize>(4 * count) << 3);
    for (let p: usize = 0; p < <usize>partitions; p++) {
      const place = places + p * PLACES_BYTES;
      const rows = load<i32>(place), bytes = <usize>load<i32>(place, 4) << 2;
      const x = load<usize>(place, 20);
      const w: usize = weights ? load<usize>(weights + (p << 2)) : 0;
      for (let i = 0; i < rows; i += CHUNK_ROWS) {
        const size = min(CHUNK_ROWS, rows - i);
        const skip = <usize>i << 2;
        for (let r = 0; r < 4; r++) {
          const slot = <usize>min(k + r, last - 1);
          const column = x + <usize>load<u32>(list + (slot << 2)) * bytes + skip;
          const m = load<f64>(centres + (slot << 3)), t = load<f64>(scales + (slot << 3));
          pack(size, column, m, t, w ? w + (skip << 1) : 0, work + <usize>r * width);
        }
        const steps = <usize>((size + 3) & ~3) << 2;
        for (let c: usize = least; c < <usize>count; c++) {
          const slot = <usize>base + c;
          let at = x + <usize>load<u32>(list + (slot << 2)) * bytes + skip;
          const t = load<f64>(scales + (slot << 3));
          const tv = f32x4.splat(<f32>t);
          const mv = f32x4.splat(<f32>load<f64>(centres + (slot << 3)));
          let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
          const end = work + steps;
          for (let y = work; y < end; y += 16, at += 16) {
            const v = f32x4.mul(tv, f32x4.sub(v128.load(at), mv));
            a0 = madd(v, v128.load(y), a0);
            a1 = madd(v, v128.load(y, 1024), a1);
            a2 = madd(v, v128.load(y, 2048), a2);
            a3 = madd(v, v128.load(y, 3072), a3);
          }
          const cell = sums + (c << 5);
          store<f64>(cell, load<f64>(cell) + <f64>hsum(a0));
          store<f64>(cell, load<f64>(cell, 8) + <f64>hsum(a1), 8);
          store<f64>(cell, load<f64>(cell, 16) + <f64>hsum(a2), 16);
          store<f64>(cell, load<f64>(cell, 24) + <f64>hsum(a3), 24);
        }
      }
    }
    for (let r = 0; r < tile; r++) {
      const row = out + <usize>(k + r - first) * (<usize>count << 2);
      for (let c: usize = max(0, k + r - base); c < <usize>count; c++) {
        store<f32>(row + (c << 2), <f32>load<f64>(sums + (c << 5) + (<usize>r << 3)));
      }
    }
  }
}

/**
 * Puts new parts into G, with their mirror: G[k][base + c] = G[base + c][k] = Σ_h part_h[k][c] for all
 * k < base + count. A part is partBytes bytes; G's rows are `stride` f32.
 */
export function gram_place(
  parts: i32, partBytes: i32, base: i32, count: i32, stride: i32, part: usize, G: usize,
): void {
  const rowBytes = <usize>stride << 2;
  // Tiles: a column of 16 cells of G is 16 cache lines, which the next 15 use too.
  for (let top = 0; top < base + count; top += 16) {
    const bottom = min(top + 16, base + count);
    for (let left = max(0, (top - base) & ~15); left < count; left += 16) {
      const right = min(left + 16, count);
      for (let k = top; k < bottom; k++) {
        const row = G + <usize>k * rowBytes;
        const from = part + <usize>k * (<usize>count << 2);
        for (let c = max(left, k - base); c < right; c++) {
          let sum = load<f32>(from + (<usize>c << 2));
          for (let h: usize = 1; h < <usize>parts; h++) {
            sum += load<f32>(from + h * <usize>partBytes + (<usize>c << 2));
          }
          store<f32>(row + (<usize>(base + c) << 2), sum);
          store<f32>(G + <usize>(base + c) * rowBytes + (<usize>k << 2), sum);
        }
      }
    }
  }
}
