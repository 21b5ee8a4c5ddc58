// Ratings by row of one side, for solvers that go row by row (mf-rows.ts): ids are cut into parts of
// about equal numbers of ratings, and a part's ratings stand row after row.
import { mix } from '../math';

/**
 * Cuts n ids, as they come, into G parts of about equal cost, a rating 1 and a row 8. rank[id] = id;
 * part[id]: its part; starts: G + 1 ids.
 */
export function mf_cut(
  n: i32, G: i32, counts: usize, rank: usize, part: usize, starts: usize,
): void {
  let total: i64 = 0;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) total += <i64>load<i32>(counts + i) + 8;
  let before: i64 = 0;
  let current = 0;
  store<i32>(starts, 0);
  for (let id = 0; id < n; id++) {
    const at = <usize>id << 2;
    while (current + 1 < G && before * <i64>G >= total * <i64>(current + 1)) {
      current++;
      store<i32>(starts + (<usize>current << 2), id);
    }
    store<i32>(rank + at, id);
    store<i32>(part + at, current);
    before += <i64>load<i32>(counts + at) + 8;
  }
  while (current < G) store<i32>(starts + (<usize>(++current) << 2), n);
}

/** starts: rows + 1 sums of the counts before; cursors: the first rows of them. */
export function mf_row_starts(rows: i32, counts: usize, starts: usize, cursors: usize): void {
  let at = 0;
  for (let i: usize = 0; i < <usize>rows << 2; i += 4) {
    store<i32>(starts + i, at);
    store<i32>(cursors + i, at);
    at += load<i32>(counts + i);
  }
  store<i32>(starts + (<usize>rows << 2), at);
}

/**
 * Puts ratings, value − mean, where their rows' cursors are. every > 1: only those (which = 0) whose
 * other side's part is a multiple of `every`, or only the rest (which = 1).
 */
export function mf_place_rows(
  count: i32, firstRow: i32, mean: f64, every: i32, which: i32, row: usize, other: usize, value: usize,
  otherPart: usize, cursors: usize, ids: usize, values: usize,
): void {
  for (let j: usize = 0; j < <usize>count << 2; j += 4) {
    const id = load<i32>(other + j);
    if (every > 1) {
      const rest = load<i32>(otherPart + (<usize>id << 2)) % every;
      if (i32(rest != 0) != which) continue;
    }
    const cursor = cursors + (<usize>(load<i32>(row + j) - firstRow) << 2);
    const at = <usize>load<i32>(cursor) << 2;
    store<i32>(cursor, load<i32>(cursor) + 1);
    store<i32>(ids + at, id);
    store<f32>(values + at, <f32>(<f64>load<f32>(value + j) - mean));
  }
}

/**
 * Ratings r as confidence 1 + w, w = a·r, in 1: √w, and in place of r the target (1 + w)/√w that makes
 * Σ (1+w)(1−s)² − s² a sum of squares of target − √w·s. r ≤ 0 weighs nothing.
 */
export function mf_confidence(count: i32, a: f64, values: usize, weights: usize): void {
  for (let j: usize = 0; j < <usize>count << 2; j += 4) {
    const w = a * <f64>load<f32>(values + j);
    const root = w > 0 ? sqrt(w) : 0;
    store<f32>(weights + j, <f32>root);
    store<f32>(values + j, root > 0 ? <f32>((1 + w) / root) : 0);
  }
}

/**
 * First values of rows [first, last) of a table in blocks of b lanes, n rows: lanes skip … skip + rank
 * ~ level + spread · (approximately N(0, 1)), |·| where nonNegative, by id; lane `one` is 1 (−1: none),
 * the others 0. Rows without ratings are 0 but for that lane.
 */
export function mf_first_rows(
  first: i32, last: i32, n: i32, b: i32, blocks: i32, skip: i32, rank: i32, one: i32, nonNegative: i32,
  seed: u32, level: f32, spread: f32, counts: usize, table: usize,
): void {
  for (let id = first; id < last; id++) {
    const rated = load<i32>(counts + (<usize>id << 2)) > 0;
    for (let lane = 0; lane < b * blocks; lane++) {
      let value: f32 = lane == one ? 1 : 0;
      if (rated && lane >= skip && lane < skip + rank) {
        const h = mix(seed, <u32>id * <u32>rank + <u32>lane);
        const g = mix(h, 1);
        // Sum of four uniforms: variance 4/12, scaled to 1.
        const sum = <f32>(h & 0xffff) + <f32>(h >> 16) + <f32>(g & 0xffff) + <f32>(g >> 16);
        value = level + spread * (sum / 65536 - 2) * <f32>1.7320508;
        if (nonNegative) value = abs(value);
      }
      const at = (<usize>(lane / b) * <usize>n + <usize>id) * <usize>b + <usize>(lane % b);
      store<f32>(table + (at << 2), value);
    }
  }
}
