// Reducers: how the owner of rows takes deltas in, in place of A ← A + Δ. For i < count, base row
// rows[i] takes delta row i; a row is rowBytes, a multiple of 16. They return −1, or the number of
// the first row that would not be finite; rows before it are done. A user's own has the arguments of
// rows_add_nonnegative.

// @ts-ignore: decorator
@inline
function isBad(v: v128): bool {
  const zero = f32x4.sub(v, v); // 0 for a finite lane, NaN for the others
  return v128.any_true(f32x4.ne(zero, zero));
}

/** a ← max(0, a + δ): the projection onto what is not negative. */
export function rows_add_nonnegative(
  count: i32, rowBytes: i32, rows: usize, deltas: usize, base: usize,
): i32 {
  const zero = f32x4.splat(0);
  for (let i = 0; i < count; i++) {
    const number = load<i32>(rows + (<usize>i << 2));
    const row = base + <usize>number * <usize>rowBytes;
    for (let at: usize = 0; at < <usize>rowBytes; at += 16) {
      const sum = f32x4.add(v128.load(row + at), v128.load(deltas + at));
      if (isBad(sum)) return number;
      v128.store(row + at, f32x4.max(sum, zero));
    }
    deltas += rowBytes;
  }
  return -1;
}

/** a ← sign(a + δ)·max(0, |a + δ| − t): the proximal step of t·‖a‖₁. */
export function rows_add_shrunk(
  threshold: f32, count: i32, rowBytes: i32, rows: usize, deltas: usize, base: usize,
): i32 {
  const t = f32x4.splat(threshold), zero = f32x4.splat(0), sign = i32x4.splat(0x80000000);
  for (let i = 0; i < count; i++) {
    const number = load<i32>(rows + (<usize>i << 2));
    const row = base + <usize>number * <usize>rowBytes;
    for (let at: usize = 0; at < <usize>rowBytes; at += 16) {
      const sum = f32x4.add(v128.load(row + at), v128.load(deltas + at));
      if (isBad(sum)) return number;
      const size = f32x4.max(f32x4.sub(f32x4.abs(sum), t), zero);
      v128.store(row + at, v128.or(size, v128.and(sum, sign)));
    }
    deltas += rowBytes;
  }
  return -1;
}

/**
 * AdaptiveRevision (McMahan & Streeter, NIPS 2014, algorithm 3), in steps d = −g:
 *
 *   b ← D − D₀        what was added between the read that d comes from and now
 *   z ← z + d² + 2·d·b,   ẑ ← max(ẑ, z)
 *   a ← a + η·d − (η₀ − η)·b    with η = α/√(1 + ẑ), η₀ the same before this delta;   D ← D + d
 *
 * State row r, stateBytes each: 16 bytes {clock + 1 of D₀} and then D, D₀, z, ẑ of rowBytes each,
 * zero at first. D₀ is D before the row's first delta of the newest clock: exact where all deltas of
 * a clock come from reads of the clock before, and otherwise the least delay that they can have.
 */
export function rows_add_revised(
  alpha: f32, clock: i32, stateBytes: i32, count: i32, rowBytes: i32,
  rows: usize, deltas: usize, base: usize, states: usize,
): i32 {
  for (let i = 0; i < count; i++) {
    const number = load<i32>(rows + (<usize>i << 2));
    const row = base + <usize>number * <usize>rowBytes;
    const state = states + <usize>number * <usize>stateBytes;
    const sums = state + 16, old = sums + rowBytes, z = old + rowBytes, most = z + rowBytes;
    if (clock + 1 > load<i32>(state)) {
      store<i32>(state, clock + 1);
      memory.copy(old, sums, rowBytes);
    }
    for (let at: usize = 0; at < <usize>rowBytes; at += 4) {
      const d = load<f32>(deltas + at);
      if (d == 0) continue;
      const sum = load<f32>(sums + at);
      const b = sum - load<f32>(old + at);
      const before = load<f32>(most + at);
      const revised = load<f32>(z + at) + d * d + 2 * d * b;
      const after = max(before, revised);
      const was = alpha / sqrt<f32>(1 + before), rate = alpha / sqrt<f32>(1 + after);
      const value = load<f32>(row + at) + rate * d - (was - rate) * b;
      if (!isFinite(value) || !isFinite(revised)) return number;
      store<f32>(row + at, value);
      store<f32>(sums + at, sum + d);
      store<f32>(z + at, revised);
      store<f32>(most + at, after);
    }
    deltas += rowBytes;
  }
  return -1;
}
