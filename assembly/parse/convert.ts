// What happens to parsed blocks afterwards: copy, renumber, widen, and sort entries into rows.

/** Copies n bytes; the ranges may overlap. */
export function bytes_copy(n: u32, from: usize, to: usize): void {
  memory.copy(to, from, n);
}

export function bytes_zero(n: u32, at: usize): void {
  memory.fill(at, 0, n);
}

/** x[i] ← x[i] + delta */
export function i32_shift(n: i32, delta: i32, x: usize): void {
  const shift = i32x4.splat(delta);
  const body = x + (<usize>(n & ~3) << 2);
  while (x < body) {
    v128.store(x, i32x4.add(v128.load(x), shift));
    x += 16;
  }
  for (let i = 0; i < (n & 3); i++) {
    store<i32>(x, load<i32>(x) + delta);
    x += 4;
  }
}

/** x[i] ← x[i] − base where that lies in [0, count), else −1 */
export function i32_rebase(n: i32, base: i32, count: i32, x: usize): void {
  for (let i = 0; i < n; i++) {
    const id = load<i32>(x) - base;
    store<i32>(x, <u32>id < <u32>count ? id : -1);
    x += 4;
  }
}

/** to[i] ← map[from[i]]; from[i] ≥ 0. In place when to = from. */
export function i32_remap(n: i32, map: usize, from: usize, to: usize): void {
  for (let i = 0; i < n; i++) {
    store<i32>(to, load<i32>(map + (<usize>load<i32>(from) << 2)));
    from += 4;
    to += 4;
  }
}

/** to[i] ← from[i], u8 to i32; seen[b] ← 1 for every byte b met (256 × i32). */
export function u8_labels(n: i32, seen: usize, from: usize, to: usize): void {
  for (let i = 0; i < n; i++) {
    const label: u32 = load<u8>(from + i);
    store<i32>(seen + (<usize>label << 2), 1);
    store<i32>(to + (<usize>i << 2), label);
  }
}

/** to: rows × stride u8, zero-padded ← from: rows × columns u8 */
export function u8_rows_pad(rows: i32, columns: i32, stride: i32, from: usize, to: usize): void {
  for (let r = 0; r < rows; r++) {
    memory.copy(to, from, columns);
    memory.fill(to + columns, 0, stride - columns);
    from += columns;
    to += stride;
  }
}

/** to: rows × toStride u8, zero-padded ← from: rows × fromStride f32, integers in 0..255 */
export function f32_to_u8_rows(
  rows: i32, columns: i32, fromStride: i32, toStride: i32, from: usize, to: usize,
): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      store<u8>(to + c, <u8><i32>load<f32>(from + (<usize>c << 2)));
    }
    memory.fill(to + columns, 0, toStride - columns);
    from += <usize>fromStride << 2;
    to += toStride;
  }
}

/** to: rows × toStride f32, zero-padded ← from: rows × fromStride u8 */
export function u8_to_f32_rows(
  rows: i32, columns: i32, fromStride: i32, toStride: i32, from: usize, to: usize,
): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      store<f32>(to + (<usize>c << 2), <f32>(<i32>load<u8>(from + c)));
    }
    for (let c = columns; c < toStride; c++) store<f32>(to + (<usize>c << 2), 0);
    from += fromStride;
    to += <usize>toStride << 2;
  }
}

/**
 * Values `first` … of a matrix of `rows` rows given column by column, into row-major x of f32, or
 * of u8 when `bytes`. Columns from `columns` on are left out.
 */
export function f32_columns_to_rows(
  n: i32, first: f64, rows: i32, columns: i32, stride: i32, bytes: i32, from: usize, x: usize,
): void {
  let column = <i32>Math.floor(first / <f64>rows);
  let row = <i32>(first - <f64>column * <f64>rows);
  for (let i = 0; i < n && column < columns; i++) {
    const value = load<f32>(from + (<usize>i << 2));
    const at = <usize>row * <usize>stride + <usize>column;
    if (bytes != 0) store<u8>(x + at, <u8><i32>value);
    else store<f32>(x + (at << 2), value);
    if (++row == rows) {
      row = 0;
      column++;
    }
  }
}

/**
 * rowStart[0 … rows] ← sums of counts[0 … rows − 1] so far; counts[r] ← place of row r's first
 * entry when the block's first entry is number `first`. Returns the number of the next block's
 * first entry.
 */
export function csr_row_starts(rows: i32, first: i32, counts: usize, rowStart: usize): i32 {
  let sum = 0;
  for (let r = 0; r < rows; r++) {
    const place = <usize>r << 2, count = load<i32>(counts + place);
    store<i32>(rowStart + place, sum);
    store<i32>(counts + place, first + sum);
    sum += count;
  }
  store<i32>(rowStart + (<usize>rows << 2), sum);
  return first + sum;
}

/** Rows of counts, at most `rowsMax`, that hold at most `entriesMax` entries (at least one row). */
export function csr_take_rows(rowsMax: i32, entriesMax: i32, counts: usize): i32 {
  let sum: i64 = 0;
  for (let r = 0; r < rowsMax; r++) {
    sum += load<i32>(counts + (<usize>r << 2));
    if (sum > entriesMax && r > 0) return r;
  }
  return rowsMax;
}

/**
 * Puts each entry at the place its row's cursor is at. base: of rows and columns; columns from
 * `columns` on are left out. Returns 0, or 1 when the entries are not the ones that were counted.
 */
export function csr_scatter(
  n: i32, base: i32, rows: i32, columns: i32, total: i32, row: usize, column: usize, x: usize,
  cursor: usize, index: usize, value: usize,
): i32 {
  for (let i = 0; i < n; i++) {
    const place = <usize>i << 2;
    const r = load<i32>(row + place) - base, c = load<i32>(column + place) - base;
    if (c >= columns) continue;
    if (<u32>r >= <u32>rows) return 1;
    const to = atomic.add<i32>(cursor + (<usize>r << 2), 1);
    if (<u32>to >= <u32>total) return 1;
    store<i32>(index + (<usize>to << 2), c);
    store<f32>(value + (<usize>to << 2), load<f32>(x + place));
  }
  return 0;
}

/**
 * Rows first … first + rows − 1 of entries in the order of their rows, from entry `from` on: where
 * each row starts. Returns the entry behind them.
 */
export function csr_sorted_rows(
  n: i32, from: i32, first: i32, rows: i32, row: usize, rowStart: usize,
): i32 {
  let i = from;
  store<i32>(rowStart, from);
  for (let r = 0; r < rows; r++) {
    while (i < n && load<i32>(row + (<usize>i << 2)) <= first + r) i++;
    store<i32>(rowStart + (<usize>(r + 1) << 2), i);
  }
  return i;
}

/** counts[row[i] − base] ← + 1 for the entries whose column is below `columns`. */
export function csr_count_entries(
  n: i32, base: i32, rows: i32, columns: i32, row: usize, column: usize, counts: usize,
): i32 {
  let dropped = 0;
  for (let i = 0; i < n; i++) {
    const place = <usize>i << 2;
    const r = load<i32>(row + place) - base, c = load<i32>(column + place) - base;
    if (<u32>r >= <u32>rows) continue;
    if (c >= columns) dropped++;
    else atomic.add<i32>(counts + (<usize>r << 2), 1);
  }
  return dropped;
}

function swap(a: usize, b: usize): void {
  const t = load<i32>(a);
  store<i32>(a, load<i32>(b));
  store<i32>(b, t);
}

function siftDown(root: i32, n: i32, index: usize, value: usize): void {
  for (;;) {
    let child = 2 * root + 1;
    if (child >= n) return;
    const at = index + (<usize>child << 2);
    if (child + 1 < n && load<i32>(at, 4) > load<i32>(at)) child++;
    const a = <usize>root << 2, b = <usize>child << 2;
    if (load<i32>(index + a) >= load<i32>(index + b)) return;
    swap(index + a, index + b);
    swap(value + a, value + b);
    root = child;
  }
}

/** Heap sort: no recursion, no room needed, n log n whatever the order. */
function sortRow(n: i32, index: usize, value: usize): void {
  for (let root = (n >> 1) - 1; root >= 0; root--) siftDown(root, n, index, value);
  for (let last = n - 1; last > 0; last--) {
    swap(index, index + (<usize>last << 2));
    swap(value, value + (<usize>last << 2));
    siftDown(0, last, index, value);
  }
}

/**
 * Sorts the entries of each row by column. Returns the first row that has a column twice, or −1.
 */
export function csr_sort_rows(rows: i32, rowStart: usize, index: usize, value: usize): i32 {
  for (let r = 0; r < rows; r++) {
    const place = rowStart + (<usize>r << 2);
    const first = load<i32>(place), n = load<i32>(place, 4) - first;
    const at = index + (<usize>first << 2);
    let i = 1;
    while (i < n && load<i32>(at + (<usize>i << 2)) > load<i32>(at + (<usize>(i - 1) << 2))) i++;
    if (i >= n) continue;
    sortRow(n, at, value + (<usize>first << 2));
    for (i = 1; i < n; i++) {
      if (load<i32>(at + (<usize>i << 2)) == load<i32>(at + (<usize>(i - 1) << 2))) return r;
    }
  }
  return -1;
}

/** The first column that stands twice in a sorted row. */
export function csr_twice(n: i32, index: usize): i32 {
  for (let i = 1; i < n; i++) {
    const at = index + (<usize>i << 2);
    if (load<i32>(at) == load<i32>(at - 4)) return load<i32>(at);
  }
  return -1;
}

/** The place of the `skip`-th entry (from 0) that is (row, column), or −1. */
export function triple_find(
  n: i32, row: i32, column: i32, skip: i32, rows: usize, columns: usize,
): i32 {
  for (let i = 0; i < n; i++) {
    const place = <usize>i << 2;
    if (load<i32>(rows + place) != row || load<i32>(columns + place) != column) continue;
    if (skip-- == 0) return i;
  }
  return -1;
}

/** to[at[i] − base] ← map[from[i]], or from[i] without a map (map = 0). at[i] − base < rows. */
export function i32_scatter(
  n: i32, base: i32, rows: i32, map: usize, at: usize, from: usize, to: usize,
): void {
  for (let i = 0; i < n; i++) {
    const place = <usize>i << 2, r = load<i32>(at + place) - base;
    if (<u32>r >= <u32>rows) continue;
    const x = load<i32>(from + place);
    store<i32>(to + (<usize>r << 2), map == 0 ? x : load<i32>(map + (<usize>x << 2)));
  }
}

/** The first i with x[i] = wanted, −1 when there is none. */
export function i32_find(n: i32, wanted: i32, x: usize): i32 {
  for (let i = 0; i < n; i++) if (load<i32>(x + (<usize>i << 2)) == wanted) return i;
  return -1;
}

/** x[i] ← a */
export function i32_fill(n: i32, a: i32, x: usize): void {
  for (let i = 0; i < n; i++) store<i32>(x + (<usize>i << 2), a);
}
