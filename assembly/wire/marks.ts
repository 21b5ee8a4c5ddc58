// Marks: a byte for every row of a table. 0 unchanged, 1 changed, 2 only a rounding error is left.

/**
 * Writes first + i to `out` for every mark i < n that is `wanted`, or not 0 when `wanted` is 0, and
 * clears it when `clear` is set. Room for n numbers. Returns how many.
 */
export function marks_list(
  n: i32, first: i32, wanted: i32, clear: i32, marks: usize, out: usize,
): i32 {
  const start = out;
  const pattern = i8x16.splat(<i8>wanted);
  const zero = i8x16.splat(0);
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    const v = v128.load(marks + i);
    if (!v128.any_true(v)) continue;
    const hits = wanted ? i8x16.eq(v, pattern) : i8x16.ne(v, zero);
    let mask = i8x16.bitmask(hits);
    if (clear) v128.store(marks + i, v128.andnot(v, hits));
    while (mask) {
      store<i32>(out, first + i + ctz(mask));
      mask &= mask - 1;
      out += 4;
    }
  }
  for (; i < n; i++) {
    const mark = <i32>load<u8>(marks + i);
    if (wanted ? mark != wanted : mark == 0) continue;
    store<i32>(out, first + i);
    if (clear) store<u8>(marks + i, 0);
    out += 4;
  }
  return <i32>((out - start) >>> 2);
}

/** marks[rows[i]] ← value */
export function marks_set(count: i32, value: i32, rows: usize, marks: usize): void {
  for (let i = 0; i < count; i++) {
    store<u8>(marks + <usize>load<i32>(rows + (<usize>i << 2)), <u8>value);
  }
}

/** marks[i] ← 1 for the rows i < count with a bit that is not 0. A row is rowBytes, of 16. */
export function marks_of_rows(count: i32, rowBytes: i32, values: usize, marks: usize): void {
  for (let i = 0; i < count; i++) {
    for (let at: usize = 0; at < <usize>rowBytes; at += 16) {
      if (!v128.any_true(v128.load(values + at))) continue;
      store<u8>(marks + i, 1);
      break;
    }
    values += rowBytes;
  }
}

/** Rows within [first, last), with their places in the list; returns how many. */
export function rows_within(
  count: i32, first: i32, last: i32, rows: usize, outRows: usize, outPicks: usize,
): i32 {
  let found: usize = 0;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (<usize>i << 2));
    store<i32>(outRows + found, row);
    store<i32>(outPicks + found, i);
    found += <usize>select<i32>(4, 0, row >= first && row < last);
  }
  return <i32>(found >>> 2);
}
