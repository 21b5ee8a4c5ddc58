// The first pass of the proposing sampler: every token gets its topic from the counts of the tokens
// before it, by the exact conditional. Proposals would need some hundred rounds a token to begin as
// well: counts are few yet, and few topics have both the word and the document.
//
//   p(z = k) ∝ n_dk q_k + α_k q_k        q_k = (n_wk + β) / (n_k + Vβ)
//
// as sample.ts does it, with its plan and its sums; documents are those with cells. In this pass
// their entries are a list, from the front; `settle` makes a table of it.
import { fraction } from '../random';
import { HEAD, bucketsOf, cellBytes, slotOf } from './document';
import { descend, find, lda_begin, shift } from './sample';

/** Byte places within a plan. */
// @ts-ignore: decorator
@inline
const K = 0, BITS = 4, PLACES = 8, STARTS = 16, ROWS = 20, LENGTHS = 24, ENTRIES = 28, ALPHA = 32,
  TOTALS = 36, Q = 40, COUNTS = 44, MARKS = 48, FOUND = 52, SUMS = 56, TOPS = 60, RUNNING = 64,
  DOCUMENTS = 68, BETA = 72, VBETA = 80;

/** Whether the tokens of words [first, last) have no topics yet. */
export function unopened(first: i32, last: i32, plan: usize): bool {
  const starts = load<usize>(plan, STARTS), from = load<i32>(starts + (<usize>first << 2));
  if (from == load<i32>(starts + (<usize>last << 2))) return false;
  const place = load<i32>(load<usize>(plan, PLACES) + (<usize>from << 2));
  const cell = load<u32>(load<usize>(plan, DOCUMENTS) + <usize>place);
  return (cell & ((1 << load<i32>(plan, BITS)) - 1)) == load<u32>(plan, K);
}

/** The list of a document's topics becomes a table; `room` has place for its entries. */
export function settle(document: usize, k: i32, mask: i32, room: usize): void {
  const n = ~load<i32>(document, 4), scale = load<u32>(document, 8), t = load<i32>(document);
  const buckets = bucketsOf(n, k), entries = document + <usize>(HEAD + cellBytes(n));
  memory.copy(room, entries, <usize>t << 2);
  for (let j = 0; j < t; j++) store<u32>(entries + (<usize>j << 2), k);
  for (let j = 0; j < t; j++) {
    const entry = load<u32>(room + (<usize>j << 2));
    store<u32>(slotOf(entry & mask, scale, buckets, mask, k, entries), entry);
  }
  store<i32>(document, -1);
}

/** The topic of a token of a document of n topics, and where its entry is: place << 32 | topic. */
// @ts-ignore: decorator
@inline
function draw(
  state: u64, n: i32, k: i32, bits: i32, total: f64, entries: usize, plan: usize,
): u64 {
  const q = load<usize>(plan, Q), running = load<usize>(plan, RUNNING);
  const mask = (1 << bits) - 1, masks = i32x4.splat(mask), zero = f32x4.splat(0);
  let carry = zero;
  for (let j: usize = 0; j < <usize>n << 2; j += 16) {
    const entry = v128.load(entries + j);
    const which = v128.and(entry, masks);
    let value = v128.load32_zero(q + (<usize>i32x4.extract_lane(which, 0) << 2));
    value = v128.load_lane<f32>(q + (<usize>i32x4.extract_lane(which, 1) << 2), value, 1);
    value = v128.load_lane<f32>(q + (<usize>i32x4.extract_lane(which, 2) << 2), value, 2);
    value = v128.load_lane<f32>(q + (<usize>i32x4.extract_lane(which, 3) << 2), value, 3);
    value = f32x4.mul(value, f32x4.convert_i32x4_s(i32x4.shr_u(entry, bits)));
    value = f32x4.add(value, v128.shuffle<f32>(zero, value, 0, 4, 5, 6));
    value = f32x4.add(value, v128.shuffle<f32>(zero, value, 0, 1, 4, 5));
    value = f32x4.add(value, carry);
    v128.store(running + j, value);
    carry = v128.shuffle<f32>(value, value, 3, 3, 3, 3);
  }
  const owned = <f64>f32x4.extract_lane(carry, 0), x = fraction(state) * (owned + total);
  if (x >= owned) {
    const sums = load<usize>(plan, SUMS), tops = load<usize>(plan, TOPS);
    const topic = descend(x - owned, k, sums, tops, load<usize>(plan, ALPHA), q);
    return (<u64>find(topic, n, mask, entries) << 32) | <u64>topic;
  }
  const limit = f32x4.splat(<f32>x);
  let place = 0;
  for (let j: usize = 0; j < <usize>n << 2; j += 16) {
    place += popcnt(i32x4.bitmask(f32x4.le(v128.load(running + j), limit)));
  }
  place = min(place, n - 1);
  return (<u64>place << 32) | <u64>(load<i32>(entries + (<usize>place << 2)) & mask);
}

/** The first pass over the tokens of words [first, last). Returns their number. */
export function open(first: i32, last: i32, state: u64, plan: usize): i32 {
  const k = load<i32>(plan, K), bits = load<i32>(plan, BITS), starts = load<usize>(plan, STARTS);
  const places = load<usize>(plan, PLACES), alpha = load<usize>(plan, ALPHA);
  const totals = load<usize>(plan, TOTALS), q = load<usize>(plan, Q), counts = load<usize>(plan, COUNTS);
  const marks = load<usize>(plan, MARKS), found = load<usize>(plan, FOUND);
  const sums = load<usize>(plan, SUMS), tops = load<usize>(plan, TOPS);
  const documents = load<usize>(plan, DOCUMENTS);
  const beta = <f32>load<f64>(plan, BETA), vBeta = <f32>load<f64>(plan, VBETA);
  const mask = (1 << bits) - 1, one = 1 << bits;
  lda_begin(plan);
  for (let w = first; w < last; w++) {
    const from = load<i32>(starts + (<usize>w << 2)), to = load<i32>(starts + (<usize>w << 2), 4);
    if (from == to) continue;
    const row = load<usize>(plan, ENTRIES) + (<usize>load<i32>(load<usize>(plan, ROWS) + (<usize>w << 2)) << 3);
    const length = load<usize>(plan, LENGTHS) + (<usize>w << 2);
    let listed = load<i32>(length);
    for (let j = 0; j < listed; j++) {
      const topic = load<i32>(row + (<usize>j << 3)), n = load<i32>(row + (<usize>j << 3), 4);
      const at = <usize>topic << 2, value = load<f32>(q + at);
      const raised = (<f32>n + beta) / (<f32>load<i32>(totals + at) + vBeta);
      store<i32>(counts + at, n);
      store<u8>(marks + <usize>topic, 1);
      store<i32>(found + (<usize>j << 2), topic);
      store<f32>(q + at, raised);
      shift(topic, <f64>load<f32>(alpha + at) * (<f64>raised - <f64>value), sums, tops);
    }
    let total: f64 = 0;
    for (let t = 0; t <= (k - 1) >> 10; t++) total += load<f64>(tops + (<usize>t << 3));
    for (let i = from; i < to; i++) {
      const cell = documents + <usize>load<i32>(places + (<usize>i << 2)), index = load<u32>(cell) >>> bits;
      const cells = cell - (<usize>index << 2), document = cells - HEAD;
      const entries = cells + <usize>cellBytes(~load<i32>(document, 4));
      const n = load<i32>(document);
      state += 0x9e3779b97f4a7c15;
      const drawn = draw(state, n, k, bits, total, entries, plan);
      const topic = <i32>drawn, place = <i32>(drawn >> 32), slot = entries + (<usize>place << 2);
      if (place == n) {
        store<u32>(slot, topic | one);
        store<i32>(document, n + 1);
      } else store<u32>(slot, load<u32>(slot) + one);
      store<u32>(cell, (index << bits) | topic);
      const at = <usize>topic << 2;
      const many = load<i32>(counts + at) + 1, all = load<i32>(totals + at) + 1;
      store<i32>(counts + at, many);
      store<i32>(totals + at, all);
      const value = load<f32>(q + at), more = (<f32>many + beta) / (<f32>all + vBeta);
      const rise = <f64>load<f32>(alpha + at) * (<f64>more - <f64>value);
      store<f32>(q + at, more);
      shift(topic, rise, sums, tops);
      total += rise;
      if (load<u8>(marks + <usize>topic)) continue;
      store<u8>(marks + <usize>topic, 1);
      store<i32>(found + (<usize>(listed++) << 2), topic);
    }
    for (let j = 0; j < listed; j++) {
      const topic = load<i32>(found + (<usize>j << 2)), at = <usize>topic << 2;
      const plain = beta / (<f32>load<i32>(totals + at) + vBeta);
      const change = <f64>load<f32>(alpha + at) * (<f64>plain - <f64>load<f32>(q + at));
      store<i32>(row + (<usize>j << 3), topic);
      store<i32>(row + (<usize>j << 3), load<i32>(counts + at), 4);
      store<i32>(counts + at, 0);
      store<u8>(marks + <usize>topic, 0);
      store<f32>(q + at, plain);
      shift(topic, change, sums, tops);
    }
    store<i32>(length, listed);
  }
  return load<i32>(starts + (<usize>last << 2)) - load<i32>(starts + (<usize>first << 2));
}
