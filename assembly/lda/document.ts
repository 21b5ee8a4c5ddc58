// A document's topics, in the two forms that samplers have: what reads them reads both.
//
//   exact (sample.ts)           [ T | N_d | entry … ]   T entries in any order, then empty ones
//   mh (proposals.ts)           [ T | ~N_d | scale | 0 ] [ cell … ] [ entry … ]
//
//     entry  u32   n_dk << bits | k; empty: n = 0 and k = K
//     cell   u32   i << bits | k: token i of the document and its topic, K when it has none yet
//     T            −1; in the first pass, whose entries are a list, how many topics there are
//
// Cells and entries fill multiples of 16 bytes. Entries are a hash table of buckets of 4: topic k is
// at home in bucket k × scale / 2^32, or the next one (round about) that had room when it came. A
// bucket that was passed is full: a search ends where it finds an empty entry, and there is one.
// With room for all topics a bucket is home to 4 and nobody goes elsewhere.

/** Bytes before a document's cells. */
// @ts-ignore: decorator
@inline
export const HEAD: i32 = 16;

/** The scale that gives each topic an entry of its own. */
// @ts-ignore: decorator
@inline
const DIRECT: u32 = 1 << 30;

/** Bytes of a document of n tokens: its head and an entry for each topic that it can have. */
// @ts-ignore: decorator
@inline
export function exactBytes(n: i32, k: i32): i32 {
  return 8 + (((min(n, k) + 3) & ~3) << 2);
}

/** Bytes of the cells of n tokens. */
// @ts-ignore: decorator
@inline
export function cellBytes(n: i32): i32 {
  return ((n + 3) & ~3) << 2;
}

/** Buckets of a document of n tokens: one more entry than it can have topics, or one for each. */
// @ts-ignore: decorator
@inline
export function bucketsOf(n: i32, k: i32): i32 {
  return min((n + 4) >> 2, (k + 3) >> 2);
}

// @ts-ignore: decorator
@inline
export function scaleOf(buckets: i32, k: i32): u32 {
  return buckets == (k + 3) >> 2 ? DIRECT : <u32>((<u64>buckets << 32) / <u64>k);
}

/** N_d. */
// @ts-ignore: decorator
@inline
export function lengthOf(document: usize): i32 {
  const n = load<i32>(document, 4);
  return n < 0 ? ~n : n;
}

/** How many entries there are to look at; those with n = 0 are none. */
// @ts-ignore: decorator
@inline
export function entriesOf(document: usize, k: i32): i32 {
  const n = load<i32>(document, 4);
  return n < 0 ? bucketsOf(~n, k) << 2 : load<i32>(document);
}

/** The first of them. */
// @ts-ignore: decorator
@inline
export function entriesAt(document: usize): usize {
  const n = load<i32>(document, 4);
  const head = n < 0 ? HEAD + cellBytes(~n) : 8;
  return document + <usize>head;
}

/** The document after this one. */
// @ts-ignore: decorator
@inline
export function nextDocument(document: usize, k: i32): usize {
  const n = load<i32>(document, 4);
  const bytes = n < 0 ? mhBytes(~n, k) : exactBytes(n, k);
  return document + <usize>bytes;
}

/** Bytes of a document of n tokens with cells. */
// @ts-ignore: decorator
@inline
export function mhBytes(n: i32, k: i32): i32 {
  return HEAD + cellBytes(n) + (bucketsOf(n, k) << 4);
}

// @ts-ignore: decorator
@inline
export function homeOf(topic: i32, scale: u32): i32 {
  return <i32>((<u64>topic * <u64>scale) >>> 32);
}

/** Where topic k's entry is, or the empty one that it would get. `empty` is the number of topics. */
// @ts-ignore: decorator
@inline
export function slotOf(topic: i32, scale: u32, buckets: i32, mask: i32, empty: i32, entries: usize): usize {
  const wanted = i32x4.splat(topic), masks = i32x4.splat(mask), empties = i32x4.splat(empty);
  let b = homeOf(topic, scale);
  while (true) {
    const bucket = entries + (<usize>b << 4), entry = v128.load(bucket);
    const same = i32x4.bitmask(i32x4.eq(v128.and(entry, masks), wanted));
    if (same) return bucket + (<usize>ctz(same) << 2);
    const free = i32x4.bitmask(i32x4.eq(entry, empties));
    if (free) return bucket + (<usize>ctz(free) << 2);
    b = b + 1 == buckets ? 0 : b + 1;
  }
}

/** Empties an entry; who was passed on because its bucket was full moves up. */
export function release(slot: usize, scale: u32, buckets: i32, mask: i32, empty: i32, entries: usize): void {
  let hole = slot, b = <i32>((slot - entries) >>> 4);
  const empties = i32x4.splat(empty);
  let full = !v128.any_true(i32x4.eq(v128.load(entries + (<usize>b << 4)), empties));
  store<u32>(hole, empty);
  if (!full || scale == DIRECT) return;
  let c = b;
  while (true) {
    c = c + 1 == buckets ? 0 : c + 1;
    const bucket = entries + (<usize>c << 4);
    full = !v128.any_true(i32x4.eq(v128.load(bucket), empties));
    for (let at = bucket; at < bucket + 16; at += 4) {
      const entry = load<u32>(at);
      if (entry == <u32>empty) continue;
      let way = c - homeOf(entry & mask, scale), wayFromHole = c - b;
      if (way < 0) way += buckets;
      if (wayFromHole < 0) wayFromHole += buckets;
      if (way < wayFromHole) continue;
      store<u32>(hole, entry);
      store<u32>(at, empty);
      hole = at;
      b = c;
      break;
    }
    if (!full) return;
  }
}
