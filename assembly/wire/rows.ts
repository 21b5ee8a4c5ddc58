// Rows between tables and the wire. In a table a row stands every rowBytes, padded; on the wire its
// `columns` values follow each other. `rows` are numbers (i32), or 0 for the rows from `base` on.

// @ts-ignore: decorator
@inline
function numberAt(list: usize, i: i32): i32 {
  return list ? load<i32>(list + (<usize>i << 2)) : i;
}

// @ts-ignore: decorator
@inline
function rowPlace(base: usize, rowBytes: i32, list: usize, i: i32): usize {
  return base + <usize>numberAt(list, i) * <usize>rowBytes;
}

/** out[i] ← values of row i whose bits are not all 0 */
export function rows_nonzeros(
  count: i32, columns: i32, rowBytes: i32, rows: usize, base: usize, out: usize,
): void {
  const zero = i32x4.splat(0);
  const body = <usize>(columns & ~3) << 2;
  for (let i = 0; i < count; i++) {
    const row = rowPlace(base, rowBytes, rows, i);
    let sums = zero;
    let at: usize = 0;
    for (; at < body; at += 16) sums = i32x4.sub(sums, i32x4.ne(v128.load(row + at), zero));
    let n = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1);
    n += i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
    for (let j = columns & ~3; j < columns; j++, at += 4) n += i32(load<i32>(row + at) != 0);
    store<i32>(out + (<usize>i << 2), n);
  }
}

/** out ← the values of `count` rows, which `take` sets to 0 (padding too). */
export function rows_pack(
  take: i32, count: i32, columns: i32, rowBytes: i32, rows: usize, base: usize, out: usize,
): void {
  const zero = i32x4.splat(0);
  const body = <usize>(columns & ~3) << 2;
  const end = <usize>columns << 2;
  for (let i = 0; i < count; i++) {
    const row = rowPlace(base, rowBytes, rows, i);
    let at: usize = 0;
    if (take) {
      for (; at < body; at += 16) {
        v128.store(out + at, v128.load(row + at));
        v128.store(row + at, zero);
      }
    } else {
      for (; at < body; at += 16) v128.store(out + at, v128.load(row + at));
    }
    for (; at < end; at += 4) store<i32>(out + at, load<i32>(row + at));
    if (take && body < end) v128.store(row + body, zero);
    out += end;
  }
}

/** y ← x for n values */
// @ts-ignore: decorator
@inline
function copy(n: i32, x: usize, y: usize): void {
  const body = <usize>(n & ~3) << 2;
  const end = <usize>n << 2;
  let at: usize = 0;
  for (; at < body; at += 16) v128.store(y + at, v128.load(x + at));
  for (; at < end; at += 4) store<i32>(y + at, load<i32>(x + at));
}

/** y ← y + x; −1, or the first i whose sum is not finite (nothing from its group on is added) */
// @ts-ignore: decorator
@inline
function addFloats(n: i32, x: usize, y: usize): i32 {
  const body = <usize>(n & ~3) << 2;
  const end = <usize>n << 2;
  let at: usize = 0;
  for (; at < body; at += 16) {
    const sum = f32x4.add(v128.load(y + at), v128.load(x + at));
    const rest = f32x4.sub(sum, sum); // 0 for a finite lane, NaN for the others
    const bad = i32x4.bitmask(f32x4.ne(rest, rest));
    if (bad) return <i32>(at >>> 2) + ctz(bad);
    v128.store(y + at, sum);
  }
  for (; at < end; at += 4) {
    const sum = load<f32>(y + at) + load<f32>(x + at);
    if (!isFinite(sum)) return <i32>(at >>> 2);
    store<f32>(y + at, sum);
  }
  return -1;
}

// @ts-ignore: decorator
@inline
function addIntegers(n: i32, x: usize, y: usize): void {
  const body = <usize>(n & ~3) << 2;
  const end = <usize>n << 2;
  let at: usize = 0;
  for (; at < body; at += 16) v128.store(y + at, i32x4.add(v128.load(y + at), v128.load(x + at)));
  for (; at < end; at += 4) store<i32>(y + at, load<i32>(y + at) + load<i32>(x + at));
}

/**
 * base row rows[i] ← itself + values row picks[i], a row of values every valueBytes. `picks` 0: row
 * i. Returns −1, or the first i with a sum that is not finite.
 */
export function rows_add(
  isFloat: i32, count: i32, columns: i32, rowBytes: i32, valueBytes: i32,
  picks: usize, rows: usize, values: usize, base: usize,
): i32 {
  for (let i = 0; i < count; i++) {
    const row = rowPlace(base, rowBytes, rows, i);
    const source = rowPlace(values, valueBytes, picks, i);
    if (isFloat) {
      if (addFloats(columns, source, row) >= 0) return i;
    } else addIntegers(columns, source, row);
  }
  return -1;
}

/** base row rows[i] ← values row i */
export function rows_set(
  count: i32, columns: i32, rowBytes: i32, rows: usize, values: usize, base: usize,
): void {
  for (let i = 0; i < count; i++) {
    copy(columns, values, rowPlace(base, rowBytes, rows, i));
    values += <usize>columns << 2;
  }
}

/**
 * Columns and values of the entries of `count` rows whose bits are not all 0, row after row; `take`
 * sets the rows to 0. Returns how many entries.
 */
export function entries_pack(
  take: i32, count: i32, columns: i32, rowBytes: i32, rows: usize, base: usize,
  outColumns: usize, outValues: usize,
): i32 {
  const start = outColumns;
  const zero = i32x4.splat(0);
  const body = columns & ~3;
  for (let i = 0; i < count; i++) {
    const row = rowPlace(base, rowBytes, rows, i);
    for (let j = 0; j < columns; j += 4) {
      const at = row + (<usize>j << 2);
      let mask = 0;
      if (j < body) {
        const v = v128.load(at);
        if (!v128.any_true(v)) continue;
        mask = i32x4.bitmask(i32x4.ne(v, zero));
      } else {
        for (let k = 0; j + k < columns; k++) mask |= i32(load<i32>(at + (<usize>k << 2)) != 0) << k;
      }
      while (mask) {
        const k = ctz(mask);
        mask &= mask - 1;
        store<i32>(outColumns, j + k);
        store<i32>(outValues, load<i32>(at + (<usize>k << 2)));
        outColumns += 4;
        outValues += 4;
      }
    }
    if (take) memory.fill(row, 0, rowBytes);
  }
  return <i32>((outColumns - start) >>> 2);
}

/**
 * Adds counts[i] entries to base row rows[i]; `set` clears the row first. Returns −1, or the first i
 * with a sum that is not finite.
 */
export function entries_add(
  isFloat: i32, set: i32, count: i32, rowBytes: i32, rows: usize, counts: usize,
  columns: usize, values: usize, base: usize,
): i32 {
  for (let i = 0; i < count; i++) {
    const row = rowPlace(base, rowBytes, rows, i);
    if (set) memory.fill(row, 0, rowBytes);
    const end = columns + (<usize>load<i32>(counts + (<usize>i << 2)) << 2);
    for (; columns < end; columns += 4, values += 4) {
      const at = row + (<usize>load<i32>(columns) << 2);
      if (isFloat) {
        const sum = load<f32>(at) + load<f32>(values);
        if (!isFinite(sum)) return i;
        store<f32>(at, sum);
      } else store<i32>(at, load<i32>(at) + load<i32>(values));
    }
  }
  return -1;
}

/** out[i] ← number of entries of sparse row i */
export function sparse_counts(count: i32, rows: usize, directory: usize, out: usize): void {
  for (let i = 0; i < count; i++) {
    store<i32>(out + (<usize>i << 2), load<i32>(rowPlace(directory, 16, rows, i), 4));
  }
}

/** Columns and values of `count` sparse rows, row after row; `take` empties the rows. */
export function sparse_pack(
  take: i32, count: i32, rows: usize, directory: usize, outColumns: usize, outValues: usize,
): void {
  for (let i = 0; i < count; i++) {
    const entry = rowPlace(directory, 16, rows, i);
    const columns = load<usize>(entry) << 4;
    const n = load<i32>(entry, 4);
    copy(n, columns, outColumns);
    copy(n, columns + (<usize>load<i32>(entry, 8) << 2), outValues);
    outColumns += <usize>n << 2;
    outValues += <usize>n << 2;
    if (take) store<i32>(entry, 0, 4);
  }
}

/**
 * out[i] ← Σ |δ|/(|v| + 1e−6) over row rows[i] of `deltas` and `base`: how much of the values an
 * update changes (Wei et al., SoCC 2015, relative magnitude); finite where a value is 0.
 */
export function rows_importance(
  isFloat: i32, count: i32, columns: i32, rowBytes: i32, rows: usize,
  deltas: usize, base: usize, out: usize,
): void {
  for (let i = 0; i < count; i++) {
    let delta = rowPlace(deltas, rowBytes, rows, i);
    let value = rowPlace(base, rowBytes, rows, i);
    let sum: f32 = 0;
    for (let j = 0; j < columns; j++, delta += 4, value += 4) {
      const d = isFloat ? load<f32>(delta) : <f32>load<i32>(delta);
      const v = isFloat ? load<f32>(value) : <f32>load<i32>(value);
      sum += abs(d) / (abs(v) + <f32>1e-6);
    }
    store<f32>(out + (<usize>i << 2), sum);
  }
}

/**
 * Sorts rows by the cheapest way to send them, as long as they fit in `room` bytes:
 *
 *   runs         { first, count }: 8 dense rows or more that follow each other
 *   list         the other dense rows
 *   entryRows    rows with so few entries that naming columns is cheaper (counts: entryCounts)
 *
 * `width`: bytes of a value. `asEntries`: all rows are entries (a sparse table). `skip`: rows without
 * entries are left out. head ← { rows looked at, runs, listed rows, entry rows, entries }.
 */
export function rows_plan(
  count: i32, first: i32, columns: i32, width: i32, room: i32, asEntries: i32, skip: i32,
  rows: usize, counts: usize, head: usize,
  runs: usize, list: usize, entryRows: usize, entryCounts: usize,
): void {
  const rowCost = columns * width;
  let i = 0, runCount = 0, listed = 0, entryRowCount = 0, entries = 0;
  let left = room;
  while (i < count) {
    const n = load<i32>(counts + (<usize>i << 2));
    const row = rows ? numberAt(rows, i) : first + i;
    if (n == 0 && skip) {
      i++;
      continue;
    }
    const entryCost = 8 + n * (4 + width);
    if (asEntries || entryCost < rowCost) {
      const cost = entryCost + (entryRowCount ? 0 : 32);
      if (cost > left) break;
      left -= cost;
      store<i32>(entryRows + (<usize>entryRowCount << 2), row);
      store<i32>(entryCounts + (<usize>(entryRowCount++) << 2), n);
      entries += n;
      i++;
      continue;
    }
    let run = 0;
    while (i + run < count) {
      const m = load<i32>(counts + (<usize>(i + run) << 2));
      if (8 + m * (4 + width) < rowCost || (m == 0 && skip)) break;
      if (rows && numberAt(rows, i + run) != row + run) break;
      run++;
    }
    if (run >= 8) {
      const fit = min<i32>(run, (left - 32) / rowCost);
      if (fit <= 0) break;
      left -= 32 + fit * rowCost;
      store<i32>(runs + (<usize>runCount << 3), row);
      store<i32>(runs + (<usize>(runCount++) << 3), fit, 4);
      i += fit;
      if (fit < run) break;
      continue;
    }
    const end = i + run;
    for (; i < end; i++) {
      const cost = 4 + rowCost + (listed ? 0 : 32);
      if (cost > left) break;
      left -= cost;
      store<i32>(list + (<usize>(listed++) << 2), rows ? numberAt(rows, i) : first + i);
    }
    if (i < end) break;
  }
  store<i32>(head, i);
  store<i32>(head, runCount, 4);
  store<i32>(head, listed, 8);
  store<i32>(head, entryRowCount, 12);
  store<i32>(head, entries, 16);
}
