// What the samplers work on, out of bags of words: sample.ts and document.ts draw it.
import { HEAD, bucketsOf, exactBytes, mhBytes, scaleOf } from './document';

// @ts-ignore: decorator
@inline
function tokensOf(row: i32, rowStart: usize, count: usize): i32 {
  let n = 0;
  const end = load<i32>(rowStart + (<usize>row << 2), 4);
  for (let j = load<i32>(rowStart + (<usize>row << 2)); j < end; j++) n += load<i32>(count + (<usize>j << 2));
  return n;
}

/** Adds how often each word occurs in rows [first, last) of a block to counts (V × i32). */
export function lda_count(
  first: i32, last: i32, rowStart: usize, index: usize, count: usize, counts: usize,
): void {
  const end = load<i32>(rowStart + (<usize>last << 2));
  for (let j = load<i32>(rowStart + (<usize>first << 2)); j < end; j++) {
    const at = counts + (<usize>load<i32>(index + (<usize>j << 2)) << 2);
    store<i32>(at, load<i32>(at) + load<i32>(count + (<usize>j << 2)));
  }
}

/** Bytes of the documents of rows [first, last); −1 when one has `most` tokens or more. */
export function lda_document_bytes(
  first: i32, last: i32, k: i32, most: i32, rowStart: usize, count: usize,
): i32 {
  let bytes = 0;
  for (let row = first; row < last; row++) {
    const n = tokensOf(row, rowStart, count);
    if (n >= most) return -1;
    bytes += exactBytes(n, k);
  }
  return bytes;
}

/**
 * Writes documents without topics from byte `place` of a part's documents on, and their tokens where
 * cursors (V × i32) say, which move on; the place after the last document.
 */
export function lda_place(
  first: i32, last: i32, k: i32, place: i32, rowStart: usize, index: usize, count: usize,
  cursors: usize, documents: usize, places: usize, topics: usize,
): i32 {
  for (let row = first; row < last; row++) {
    const n = tokensOf(row, rowStart, count), document = documents + <usize>place;
    const bytes = exactBytes(n, k);
    store<i32>(document, 0);
    store<i32>(document, n, 4);
    for (let at = 8; at < bytes; at += 4) store<i32>(document + <usize>at, k);
    const end = load<i32>(rowStart + (<usize>row << 2), 4);
    for (let j = load<i32>(rowStart + (<usize>row << 2)); j < end; j++) {
      const cursor = cursors + (<usize>load<i32>(index + (<usize>j << 2)) << 2);
      let at = load<i32>(cursor);
      for (let c = load<i32>(count + (<usize>j << 2)); c > 0; c--) {
        store<i32>(places + (<usize>at << 2), place);
        store<i32>(topics + (<usize>at << 2), -1);
        at++;
      }
      store<i32>(cursor, at);
    }
    place += bytes;
  }
  return place;
}

/** With cells: bytes of the documents of rows [first, last); −1 when one has `most` tokens or more. */
export function lda_mh_bytes(
  first: i32, last: i32, k: i32, most: i32, rowStart: usize, count: usize,
): i32 {
  let bytes = 0;
  for (let row = first; row < last; row++) {
    const n = tokensOf(row, rowStart, count);
    if (n >= most) return -1;
    bytes += mhBytes(n, k);
  }
  return bytes;
}

/**
 * With cells: writes documents without topics from byte `place` of a part's documents on, and their
 * tokens where cursors (V × i32) say, which move on; the place after the last document.
 */
export function lda_mh_place(
  first: i32, last: i32, k: i32, place: i32, rowStart: usize, index: usize, count: usize,
  cursors: usize, documents: usize, places: usize,
): i32 {
  const bits = 32 - clz(k);
  for (let row = first; row < last; row++) {
    const n = tokensOf(row, rowStart, count), document = documents + <usize>place;
    const buckets = bucketsOf(n, k), bytes = mhBytes(n, k);
    store<i32>(document, 0);
    store<i32>(document, ~n, 4);
    store<u32>(document, scaleOf(buckets, k), 8);
    store<i32>(document, 0, 12);
    for (let at = HEAD; at < bytes; at += 4) store<i32>(document + <usize>at, k);
    let i = 0;
    const end = load<i32>(rowStart + (<usize>row << 2), 4);
    for (let j = load<i32>(rowStart + (<usize>row << 2)); j < end; j++) {
      const cursor = cursors + (<usize>load<i32>(index + (<usize>j << 2)) << 2);
      let at = load<i32>(cursor);
      for (let c = load<i32>(count + (<usize>j << 2)); c > 0; c--, i++, at++) {
        const cell = HEAD + (i << 2);
        store<i32>(places + (<usize>at << 2), place + cell);
        store<u32>(document + <usize>cell, (i << bits) | k);
      }
      store<i32>(cursor, at);
    }
    place += bytes;
  }
  return place;
}

/**
 * Rows of the word-topic table: word w has room for min(N_w, K) topics from entry rows[w] on, and
 * none of them yet. Words are cut into G blocks of about as many tokens: block b begins with word
 * blocks[b]. Returns the entries of all.
 */
export function lda_rows(
  v: i32, k: i32, g: i32, counts: usize, rows: usize, lengths: usize, blocks: usize,
): i32 {
  let total: i64 = 0;
  for (let w = 0; w < v; w++) total += <i64>load<i32>(counts + (<usize>w << 2));
  let entries = 0, b = 0, before: i64 = 0;
  for (let w = 0; w < v; w++) {
    const n = load<i32>(counts + (<usize>w << 2));
    while (b < g && before * <i64>g >= total * <i64>b) {
      store<i32>(blocks + (<usize>b << 2), w);
      b++;
    }
    store<i32>(rows + (<usize>w << 2), entries);
    store<i32>(lengths + (<usize>w << 2), 0);
    entries += min(n, k);
    before += <i64>n;
  }
  for (; b <= g; b++) store<i32>(blocks + (<usize>b << 2), v);
  store<i32>(rows + (<usize>v << 2), entries);
  return entries;
}

/** Counts (V × i32) become places: starts[w] (V + 1) of word w's first, and so are counts. Returns Σ. */
export function lda_starts(v: i32, counts: usize, starts: usize): i32 {
  let place = 0;
  for (let w: usize = 0; w < <usize>v << 2; w += 4) {
    const n = load<i32>(counts + w);
    store<i32>(counts + w, place);
    store<i32>(starts + w, place);
    place += n;
  }
  store<i32>(starts + (<usize>v << 2), place);
  return place;
}
