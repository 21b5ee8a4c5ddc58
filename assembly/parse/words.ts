// Texts into words, and words into numbers: a table that all loader threads fill at once.
//
//   table    0 i32 entries     4 i32 bytes of texts     8 i32 1: it was full
//           12 i32 slots − 1  16 u32 slots: × i32 entry + 1, open addressing
//           20 u32 entries    24 i32 entries at most    28 u32 texts   32 i32 bytes at most
//           36 u32 letters: 0x20000 × u32, what a code point becomes in a word (below)
//           40 i32 entries from 0 that are stop words   44 i32 code points of the shortest word
//           48 i32 1: complete, words that it has not are unknown
//           52 u32 where of thread 0, threads × entries at most × i32
//   entry    0 u32 text    4 i32 bytes    8 u32 hash   12 i32 documents that have it
//
// A word is a longest run of letters, marks and digits, one of them no ASCII digit, in lower case;
// a joiner (apostrophe, hyphen) between two of them belongs to it. letters[c] is 0 for what
// separates words, JOINER + the joiner's own ASCII form, or the lower-case code point.
//
// Threads meet in two places alone: a new entry takes its number and its text's place by atomic
// adds, and goes into its slot by compare-exchange when it is complete. Who loses the race for a
// word leaves an entry that nobody has; its `documents` stay 0. Which number a word gets depends
// on time, so the numbers are replaced when all texts are read.

const JOINER: u32 = 0x80000000;
const WORD_BYTES: usize = 64;
const LETTERS_END: u32 = 0x20000;

// @ts-ignore: decorator
@inline
function same(a: usize, b: usize, bytes: i32): bool {
  while (bytes >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    bytes -= 8;
  }
  while (bytes > 0 && load<u8>(a) == load<u8>(b)) {
    a++;
    b++;
    bytes--;
  }
  return bytes == 0;
}

/** Number of the word [at, at + bytes), new or old; −1 when the table is complete or full. */
function internWord(table: usize, at: usize, bytes: i32, hash: u32): i32 {
  const mask = load<u32>(table, 12);
  const slots: usize = load<u32>(table, 16), entries: usize = load<u32>(table, 20);
  let slot = (hash ^ (hash >> 15)) & mask, mine = 0, number = -1;
  for (;;) {
    const place = slots + (<usize>slot << 2);
    let found = atomic.load<i32>(place);
    if (found == 0) {
      if (mine == 0) mine = addEntry(table, at, bytes, hash) + 1;
      if (mine == 0) break;
      found = atomic.cmpxchg<i32>(place, 0, mine);
      if (found == 0) {
        number = mine - 1;
        break;
      }
    }
    const entry = entries + (<usize>(found - 1) << 4);
    if (load<u32>(entry, 8) == hash && load<i32>(entry, 4) == bytes) {
      if (same(load<u32>(entry), at, bytes)) {
        number = found - 1;
        break;
      }
    }
    slot = (slot + 1) & mask;
  }
  return number;
}

/** A full table is an error in the end, so what is left half done in it does not matter. */
function addEntry(table: usize, at: usize, bytes: i32, hash: u32): i32 {
  if (load<i32>(table, 48) != 0 || atomic.load<i32>(table, 8) != 0) return -1;
  const number = atomic.add<i32>(table, 1);
  const start = atomic.add<i32>(table, bytes, 4);
  if (number >= load<i32>(table, 24) || start > load<i32>(table, 32) - bytes) {
    atomic.store<i32>(table, 1, 8);
    return -1;
  }
  const text: usize = <usize>load<u32>(table, 28) + start;
  memory.copy(text, at, bytes);
  const entry = <usize>load<u32>(table, 20) + (<usize>number << 4);
  store<u32>(entry, <u32>text);
  store<i32>(entry, bytes, 4);
  store<u32>(entry, hash, 8);
  store<i32>(entry, 0, 12);
  return number;
}

// @ts-ignore: decorator
@inline
function hashed(hash: u32, c: u32): u32 {
  return (hash ^ c) * 16777619;
}

/** Puts the words of [p, end), one a line, into the table as they are. */
export function words_intern(p: usize, end: usize, table: usize): void {
  while (p < end) {
    let hash: u32 = 2166136261, q = p;
    while (load<u8>(q) != 10) {
      const bytes = max(width(q), 1);
      hash = hashed(hash, bytes == 1 ? <u32>load<u8>(q) : charAt(q, bytes));
      q += bytes;
    }
    if (q > p) internWord(table, p, <i32>(q - p), hash);
    p = q + 1;
  }
}

/** Bytes of the UTF-8 character that begins with c ≥ 0x80 at p; 0 when it is none. */
function bytesOfChar(p: usize, c: u32): usize {
  const d: u32 = load<u8>(p, 1);
  if ((d & 0xc0) != 0x80) return 0;
  if (c < 0xe0) return c >= 0xc2 ? 2 : 0;
  if ((load<u8>(p, 2) & 0xc0) != 0x80) return 0;
  if (c < 0xf0) return c == 0xe0 && d < 0xa0 ? 0 : c == 0xed && d >= 0xa0 ? 0 : 3;
  if ((load<u8>(p, 3) & 0xc0) != 0x80 || c > 0xf4) return 0;
  return (c == 0xf0 && d < 0x90) || (c == 0xf4 && d >= 0x90) ? 0 : 4;
}

function charAt(p: usize, bytes: usize): u32 {
  const c: u32 = load<u8>(p), d: u32 = load<u8>(p, 1) & 63;
  if (bytes == 2) return ((c & 31) << 6) | d;
  const e: u32 = load<u8>(p, 2) & 63;
  if (bytes == 3) return ((c & 15) << 12) | (d << 6) | e;
  return ((c & 7) << 18) | (d << 12) | (e << 6) | (load<u8>(p, 3) & 63);
}

/** letters[c] of the character at p, of `bytes` bytes. */
// @ts-ignore: decorator
@inline
function letterAt(p: usize, bytes: usize, letters: usize): u32 {
  const c = bytes == 1 ? <u32>load<u8>(p) : charAt(p, bytes);
  return c < LETTERS_END ? load<u32>(letters + (<usize>c << 2)) : c;
}

/** Writes c ≥ 0x80 as UTF-8; returns what is behind it. */
function putChar(at: usize, c: u32): usize {
  if (c < 0x800) {
    store<u8>(at, 0xc0 | (c >> 6));
    store<u8>(at, 0x80 | (c & 63), 1);
    return at + 2;
  }
  if (c < 0x10000) {
    store<u8>(at, 0xe0 | (c >> 12));
    store<u8>(at, 0x80 | ((c >> 6) & 63), 1);
    store<u8>(at, 0x80 | (c & 63), 2);
    return at + 3;
  }
  store<u8>(at, 0xf0 | (c >> 18));
  store<u8>(at, 0x80 | ((c >> 12) & 63), 1);
  store<u8>(at, 0x80 | ((c >> 6) & 63), 2);
  store<u8>(at, 0x80 | (c & 63), 3);
  return at + 4;
}

// @ts-ignore: decorator
@inline
function width(p: usize): usize {
  const c: u32 = load<u8>(p);
  return c < 0x80 ? 1 : bytesOfChar(p, c);
}

/**
 * The document [p, end) into distinct words and their counts, from entry 0 of index and count on.
 * where: a word's entry, × i32 for every word of the table; it needs no clearing, for an entry is
 * believed when it has the word. word: room for a word. found: 2 × i32 ← + unknown words, and bytes
 * that are not UTF-8.
 * Returns the number of entries, −1 when entriesMax is not enough.
 */
export function text_bag(
  p: usize, end: usize, table: usize, where: usize, word: usize, found: usize, entriesMax: i32,
  index: usize, count: usize,
): i32 {
  const letters: usize = load<u32>(table, 36), stops = load<i32>(table, 40);
  const shortest = load<i32>(table, 44), most = word + WORD_BYTES;
  let n = 0, bad = 0, unknown = 0;
  while (p < end) {
    let bytes = width(p);
    if (bytes == 0) {
      bad++;
      p++;
      continue;
    }
    let c = letterAt(p, bytes, letters);
    p += bytes;
    if (c == 0 || c >= JOINER) continue;
    // a word
    let at = word, length = 0, hash: u32 = 2166136261, text = false;
    for (;;) {
      if (c < 0x80) {
        store<u8>(at, c);
        hash = hashed(hash, c);
        text = text || c > 57;
        at++;
      } else {
        at = putChar(at, c);
        hash = hashed(hash, c);
        text = true;
      }
      length++;
      if (at > most) at = most + 1;
      if (p >= end) break;
      bytes = width(p);
      if (bytes == 0) break;
      c = letterAt(p, bytes, letters);
      if (c == 0) break;
      if (c >= JOINER) {
        const behind = p + bytes, joiner = c & 0x7f;
        if (behind >= end) break;
        bytes = width(behind);
        if (bytes == 0) break;
        c = letterAt(behind, bytes, letters);
        if (c == 0 || c >= JOINER) break;
        store<u8>(at, joiner);
        hash = hashed(hash, joiner);
        at++;
        length++;
        p = behind;
      }
      p += bytes;
    }
    if (!text || length < shortest || at > most) continue;
    const entry = internWord(table, word, <i32>(at - word), hash);
    if (entry < stops) {
      unknown += i32(entry < 0);
      continue;
    }
    const cell = where + (<usize>entry << 2), known = load<i32>(cell);
    if (<u32>known < <u32>n && load<i32>(index + (<usize>known << 2)) == entry) {
      const counted = count + (<usize>known << 2);
      store<i32>(counted, load<i32>(counted) + 1);
      continue;
    }
    if (n >= entriesMax) return -1;
    store<i32>(index + (<usize>n << 2), entry);
    store<i32>(count + (<usize>n << 2), 1);
    store<i32>(cell, n);
    n++;
  }
  store<i32>(found, load<i32>(found) + unknown);
  store<i32>(found, load<i32>(found, 4) + bad, 4);
  return n;
}

/** documents of entry index[i] ← + 1: every word of a document stands in it once. */
export function word_documents(n: i32, table: usize, index: usize): void {
  const entries = <usize>load<u32>(table, 20) + 12;
  for (let i = 0; i < n; i++, index += 4) {
    atomic.add<i32>(entries + (<usize>load<i32>(index) << 4), 1);
  }
}

/**
 * Entries that between `least` and `most` documents have, stop words left out, in their order;
 * returns how many.
 */
export function word_select(table: usize, least: i32, most: i32, to: usize): i32 {
  const entries: usize = load<u32>(table, 20), end = load<i32>(table);
  let n = 0;
  for (let i = load<i32>(table, 40); i < end; i++) {
    const documents = load<i32>(entries + (<usize>i << 4), 12);
    if (documents < least || documents > most) continue;
    store<i32>(to + (<usize>n << 2), i);
    n++;
  }
  return n;
}
