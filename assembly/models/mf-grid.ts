// Prepares ratings for block rotation. Users and items are put in a random order and each order is
// cut into G parts of about equal numbers of ratings; block (a, b) has the ratings of user part a and
// item part b. In a block ratings are grouped in runs of one user, users ascending, so that a
// user's row stays in registers and an item needs 2 bytes.
//
//   chunk (as parsed)  ──partition──▶  chunk sorted by user part  ──count, lay out, place──▶  blocks
//
// Every step is a count or a move, so the result does not depend on who does it.

import { mix } from '../math';
import { value1 } from './mf';

/**
 * Can every rating of a chunk be written as minimum + step·k with a byte k, and read back as the same
 * f32? 1 or 0.
 */
export function mf_codable(count: i32, value: usize, minimum: f32, step: f32): i32 {
  for (let j: usize = 0; j < <usize>count << 2; j += 4) {
    const r = load<f32>(value + j);
    const k = nearest((r - minimum) / step);
    if (!(k >= 0 && k <= 255) || minimum + step * k != r) return 0;
  }
  return 1;
}

/** n[user] += 1, m[item] += 1 over a chunk; adds {Σ r, Σ r²} to the two f64 at sums. */
export function mf_count(
  count: i32, user: usize, item: usize, value: usize, n: usize, m: usize, sums: usize,
): void {
  let sum: f64 = 0, squares: f64 = 0;
  for (let j: usize = 0; j < <usize>count << 2; j += 4) {
    const u = n + (<usize>load<u32>(user + j) << 2);
    const i = m + (<usize>load<u32>(item + j) << 2);
    store<i32>(u, load<i32>(u) + 1);
    store<i32>(i, load<i32>(i) + 1);
    const r = <f64>load<f32>(value + j);
    sum += r;
    squares += r * r;
  }
  store<f64>(sums, load<f64>(sums) + sum);
  store<f64>(sums, load<f64>(sums, 8) + squares, 8);
}

/**
 * A random order of n ids and its cut into G parts of about equal total count.
 * rank[id]: place in the order; part[rank]: its part; starts: G + 1 ranks. order: n × i32 workspace,
 * then order[rank] = id.
 */
export function mf_order(
  n: i32, G: i32, seed: u32, counts: usize, order: usize, rank: usize, part: usize, starts: usize,
): void {
  let total: i64 = 0;
  for (let i = 0; i < n; i++) {
    store<i32>(order + (<usize>i << 2), i);
    total += <i64>load<i32>(counts + (<usize>i << 2));
  }
  let state = seed;
  for (let i = n - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    const j = <i32>((<u64>state * <u64>(i + 1)) >> 32);
    const a = order + (<usize>i << 2), b = order + (<usize>j << 2);
    const keep = load<i32>(a);
    store<i32>(a, load<i32>(b));
    store<i32>(b, keep);
  }
  let before: i64 = 0;
  let current = 0;
  store<i32>(starts, 0);
  for (let i = 0; i < n; i++) {
    const id = load<i32>(order + (<usize>i << 2));
    while (current + 1 < G && before * <i64>G >= total * <i64>(current + 1)) {
      current++;
      store<i32>(starts + (<usize>current << 2), i);
    }
    store<i32>(rank + (<usize>id << 2), i);
    store<i32>(part + (<usize>i << 2), current);
    before += <i64>load<i32>(counts + (<usize>id << 2));
  }
  while (current < G) store<i32>(starts + (<usize>(++current) << 2), n);
}

/**
 * Rewrites a chunk in place: ids become ranks, ratings are sorted by user part, input order kept.
 * ends: G × i32, where each part ends. work: 12 bytes a rating + 4 G.
 */
export function mf_partition(
  count: i32, G: i32, user: usize, item: usize, value: usize,
  userRank: usize, itemRank: usize, userPart: usize, ends: usize, work: usize,
): void {
  memory.fill(ends, 0, <usize>G << 2);
  const bytes = <usize>count << 2;
  const users = work, items = work + bytes, values = items + bytes, next = values + bytes;
  for (let j: usize = 0; j < bytes; j += 4) {
    const u = load<u32>(userRank + (<usize>load<u32>(user + j) << 2));
    store<u32>(users + j, u);
    store<u32>(items + j, load<u32>(itemRank + (<usize>load<u32>(item + j) << 2)));
    const cell = ends + (<usize>load<u32>(userPart + (<usize>u << 2)) << 2);
    store<i32>(cell, load<i32>(cell) + 1);
  }
  memory.copy(values, value, bytes);
  let sum = 0;
  for (let g: usize = 0; g < <usize>G << 2; g += 4) {
    store<i32>(next + g, sum);
    sum += load<i32>(ends + g);
    store<i32>(ends + g, sum);
  }
  for (let j: usize = 0; j < bytes; j += 4) {
    const u = load<u32>(users + j);
    const cell = next + (<usize>load<u32>(userPart + (<usize>u << 2)) << 2);
    const place = <usize>load<i32>(cell) << 2;
    store<i32>(cell, load<i32>(cell) + 1);
    store<u32>(user + place, u);
    store<u32>(item + place, load<u32>(items + j));
    store<u32>(value + place, load<u32>(values + j));
  }
}

/** cells[(user − firstUser)·G + item part] += 1 over a segment of a partitioned chunk. */
export function mf_count_runs(
  count: i32, G: i32, firstUser: i32, user: usize, item: usize, itemPart: usize, cells: usize,
): void {
  for (let j: usize = 0; j < <usize>count << 2; j += 4) {
    const b = load<i32>(itemPart + (<usize>load<u32>(item + j) << 2));
    const cell = cells + (<usize>((load<i32>(user + j) - firstUser) * G + b) << 2);
    store<i32>(cell, load<i32>(cell) + 1);
  }
}

/** The number of runs in block b of a user part: users with a count there. */
export function mf_runs(users: i32, G: i32, b: i32, cells: usize): i32 {
  let runs = 0;
  for (let u = 0; u < users; u++) runs += i32(load<i32>(cells + (<usize>(u * G + b) << 2)) != 0);
  return runs;
}

/**
 * Writes the runs of block b and turns its counts into places: cells[u·G + b] becomes where the
 * run starts, counted from `first`. Returns the number of ratings in the block.
 */
export function mf_lay_out(
  users: i32, G: i32, b: i32, firstUser: i32, first: i32, cells: usize, runs: usize,
): i32 {
  let at = first;
  for (let u = 0; u < users; u++) {
    const cell = cells + (<usize>(u * G + b) << 2);
    const count = load<i32>(cell);
    store<i32>(cell, at);
    if (count == 0) continue;
    store<i32>(runs, firstUser + u);
    store<i32>(runs, count, 4);
    runs += 8;
    at += count;
  }
  return at - first;
}

/**
 * Puts a segment's ratings into their runs: item within its part (u16), (r − mean)·scale as f32 or,
 * when step ≠ 0, the byte (r − mean)/step with `mean` the least rating.
 */
export function mf_place(
  count: i32, G: i32, firstUser: i32, mean: f64, scale: f64, step: f64,
  user: usize, item: usize, value: usize, itemPart: usize, itemStarts: usize,
  cells: usize, ix: usize, values: usize,
): void {
  for (let j: usize = 0; j < <usize>count << 2; j += 4) {
    const i = load<i32>(item + j);
    const b = load<i32>(itemPart + (<usize>i << 2));
    const cell = cells + (<usize>((load<i32>(user + j) - firstUser) * G + b) << 2);
    const place = <usize>load<i32>(cell);
    store<i32>(cell, <i32>place + 1);
    store<u16>(ix + (place << 1), <u16>(i - load<i32>(itemStarts + (<usize>b << 2))));
    const above = <f64>load<f32>(value + j) - mean;
    if (step != 0) store<u8>(values + place, <u8>nearest(above / step));
    else store<f32>(values + (place << 2), <f32>(above * scale));
  }
}

/** sums[item of the block] += value over a block, in run order (f64). */
export function mf_item_sums(
  runCount: i32, runs: usize, ix: usize, values: usize, sums: usize, code: usize,
): void {
  const valueBytes: usize = code ? 1 : 4;
  for (let run = 0; run < runCount; run++) {
    for (let left = load<i32>(runs, 4); left > 0; left--) {
      const cell = sums + (<usize>load<u16>(ix) << 3);
      store<f64>(cell, load<f64>(cell) + <f64>value1(code, values));
      ix += 2;
      values += valueBytes;
    }
    runs += 8;
  }
}

/** sums[user − firstUser] += value − bias of its item over a block, in run order (f64). */
export function mf_user_sums(
  runCount: i32, firstUser: i32, rowBytes: i32, runs: usize, ix: usize, values: usize,
  items: usize, sums: usize, code: usize,
): void {
  const valueBytes: usize = code ? 1 : 4;
  for (let run = 0; run < runCount; run++) {
    let sum: f64 = 0;
    for (let left = load<i32>(runs, 4); left > 0; left--) {
      const itemBias = load<f32>(items + <usize>load<u16>(ix) * <usize>rowBytes, 4);
      sum += <f64>(value1(code, values) - itemBias);
      ix += 2;
      values += valueBytes;
    }
    const cell = sums + (<usize>(load<i32>(runs) - firstUser) << 3);
    store<f64>(cell, load<f64>(cell) + sum);
    runs += 8;
  }
}

/**
 * First values of rows [first, last): the factors ~ spread · (approximately N(0, 1)), lane `one` is 1
 * and lane `bias` is sums/(count + prior) when there are biases (one ≥ 0). order[rank] = id: the
 * values depend on the id, not on its rank.
 */
export function mf_start_rows(
  first: i32, last: i32, rowBytes: i32, lanes: i32, seed: u32, spread: f32, one: i32, bias: i32,
  prior: f64, order: usize, counts: usize, sums: usize, rows: usize,
): void {
  for (let row = first; row < last; row++) {
    const place = rows + <usize>row * <usize>rowBytes;
    const id = load<i32>(order + (<usize>row << 2));
    memory.fill(place, 0, rowBytes);
    // What no rating will ever touch stays 0, so that it never adds noise to a prediction.
    const learned = load<i32>(counts + (<usize>id << 2)) > 0 ? lanes : 0;
    for (let lane = 0; lane < learned; lane++) {
      const h = mix(seed, <u32>id * <u32>lanes + <u32>lane);
      const g = mix(h, 1);
      // Sum of four uniforms: variance 4/12, scaled to 1.
      const sum = <f32>(h & 0xffff) + <f32>(h >> 16) + <f32>(g & 0xffff) + <f32>(g >> 16);
      store<f32>(place + (<usize>lane << 2), spread * (sum / 65536 - 2) * <f32>1.7320508);
    }
    if (one < 0) continue;
    const n = <f64>load<i32>(counts + (<usize>id << 2));
    const sum = load<f64>(sums + (<usize>(row - first) << 3));
    store<f32>(place + (<usize>one << 2), 1);
    store<f32>(place + (<usize>bias << 2), <f32>(sum / (n + prior)));
  }
}

/**
 * Step sizes and decays per rank. base = min(1, √(mean count / count)) for items, 1 for users;
 * y = (λ n + c) base / share, yBias = c n⁰ base / share, with share = n for a user (per rating) and
 * the number of slices for an item (per slice).
 */
export function mf_rates(
  n: i32, items: i32, lambda: f64, c: f64, meanCount: f64, slices: f64,
  order: usize, counts: usize, base: usize, y: usize, yBias: usize,
): void {
  for (let rank = 0; rank < n; rank++) {
    const at = <usize>rank << 2;
    const count = max<f64>(1, <f64>load<i32>(counts + (<usize>load<i32>(order + at) << 2)));
    const share = items ? slices : count;
    const step = items ? min<f64>(1, sqrt<f64>(meanCount / count)) : 1;
    store<f32>(base + at, <f32>step);
    store<f32>(y + at, <f32>((step * (lambda * count + c)) / share));
    store<f32>(yBias + at, <f32>((step * c) / share));
  }
}

/** Σ_rank count · ‖factors‖² in f64, over rows [first, last); the first `skip` lanes do not count. */
export function mf_penalty(
  first: i32, last: i32, rowBytes: i32, skip: i32, order: usize, counts: usize, rows: usize,
): f64 {
  let sum: f64 = 0;
  for (let row = first; row < last; row++) {
    const place = rows + <usize>row * <usize>rowBytes;
    let squares: f64 = 0;
    for (let at = <usize>skip << 2; at < <usize>rowBytes; at += 4) {
      const value = <f64>load<f32>(place + at);
      squares += value * value;
    }
    sum += squares * <f64>load<i32>(counts + (<usize>load<i32>(order + (<usize>row << 2)) << 2));
  }
  return sum;
}

/**
 * Rows in id order and original units: out row id ← factor lanes · √scale, and its bias · scale to
 * biases[id] (f32; 0 skips). lanes: first factor lane `skip`, `rank` of them.
 */
export function mf_export(
  n: i32, rowBytes: i32, skip: i32, rank: i32, biasLane: i32, scale: f64,
  order: usize, rows: usize, out: usize, biases: usize,
): void {
  const root = sqrt(scale);
  for (let row = 0; row < n; row++) {
    const id = <usize>load<i32>(order + (<usize>row << 2));
    const place = rows + <usize>row * <usize>rowBytes;
    const target = out + id * (<usize>rank << 2);
    for (let lane = 0; lane < rank; lane++) {
      const value = <f64>load<f32>(place + (<usize>(skip + lane) << 2));
      store<f32>(target + (<usize>lane << 2), <f32>(root * value));
    }
    if (biases) {
      const bias = <f64>load<f32>(place + (<usize>biasLane << 2));
      store<f32>(biases + (id << 2), <f32>(scale * bias));
    }
  }
}
