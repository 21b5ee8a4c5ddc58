// Rows of tables: gathering what a push reads and folding in what it wrote.

/** out row i ← base row rows[i], for i < count. A row is rowBytes bytes, a multiple of 16. */
export function rows_gather(count: i32, rowBytes: i32, rows: usize, base: usize, out: usize): void {
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (<usize>i << 2));
    memory.copy(out, base + <usize>row * <usize>rowBytes, rowBytes);
    out += rowBytes;
  }
}

/** The smallest clocks[rows[i]] of the rows outside [first, last); 2^31 − 1 when there is none. */
export function rows_oldest(count: i32, rows: usize, clocks: usize, first: i32, last: i32): i32 {
  let oldest = i32.MAX_VALUE;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (<usize>i << 2));
    if (row >= first && row < last) continue;
    oldest = min(oldest, load<i32>(clocks + (<usize>row << 2)));
  }
  return oldest;
}

/**
 * y ← y + x over n values, n a multiple of 4. Returns −1, or the first i whose sum is NaN or infinite
 * (nothing from its group of 4 on is added).
 */
export function f32_add_checked(n: i32, x: usize, y: usize): i32 {
  const end = x + (<usize>n << 2);
  let at = x;
  while (at < end) {
    const v = v128.load(at);
    const sum = f32x4.add(v128.load(y), v);
    // s − s is 0 for a finite lane and NaN for the rest; NaN ≠ NaN.
    const zero = f32x4.sub(sum, sum);
    const bad = i32x4.bitmask(f32x4.ne(zero, f32x4.splat(0)));
    if (bad) return <i32>((at - x) >>> 2) + ctz(bad);
    v128.store(y, sum);
    at += 16;
    y += 16;
  }
  return -1;
}

/**
 * base row rows[i] += values row i, for the rows in [first, last). Returns −1, or the first row
 * with a sum that is not finite.
 */
export function f32_rows_add(
  count: i32, rowBytes: i32, rows: usize, values: usize, base: usize, first: i32, last: i32,
): i32 {
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (<usize>i << 2));
    if (row >= first && row < last) {
      const place = base + <usize>row * <usize>rowBytes;
      if (f32_add_checked(rowBytes >> 2, values, place) >= 0) return row;
    }
    values += rowBytes;
  }
  return -1;
}

/** The same for 32-bit integers, which are always finite. */
export function i32_rows_add(
  count: i32, rowBytes: i32, rows: usize, values: usize, base: usize, first: i32, last: i32,
): i32 {
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (<usize>i << 2));
    if (row >= first && row < last) {
      let place = base + <usize>row * <usize>rowBytes;
      for (let at: i32 = 0; at < rowBytes; at += 16) {
        v128.store(place, i32x4.add(v128.load(place), v128.load(values + at)));
        place += 16;
      }
    }
    values += rowBytes;
  }
  return -1;
}

/** Copies rows of `bytes` bytes from one stride to another: drops or leaves out padding. */
export function rows_repack(
  rows: i32, bytes: i32, fromStride: i32, toStride: i32, from: usize, to: usize,
): void {
  for (let i = 0; i < rows; i++) {
    memory.copy(to, from, bytes);
    from += fromStride;
    to += toStride;
  }
}
