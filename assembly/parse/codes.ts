// What a parse kernel answers, and where it leaves its findings. src/data/parse/codes.ts has the
// same numbers and turns them into words.
//
//   state    0 i32 code     4 u32 address of the offending byte     8 i32 lines read
//           12 i32 rows    16 i32 entries   20/24 i32 lowest, highest index (or user)
//           28 i32 entries left out         32 i32 number of the offending field
//           36/40 i32 lowest, highest item  44 i32 1 when every value is an integer in 0..255
//           48 f64 sum of values            56/60 f32 smallest, largest value
//           64 f64 the last number read
//           72 i32 unknown words      76 i32 bytes that are not UTF-8     128 … a word
//
// Every parse kernel takes whole lines: the byte before `end` is a line feed. No token holds one,
// so a scan that stops at a line feed never leaves the text, whatever the bytes.

export const DONE: i32 = 0;
export const BAD_LABEL: i32 = 1;
export const LONG_LABEL: i32 = 2;
export const MANY_LABELS: i32 = 3;
export const BAD_INDEX: i32 = 4;
export const NO_COLON: i32 = 5;
export const BAD_NUMBER: i32 = 6;
export const LARGE_NUMBER: i32 = 7;
export const INDEX_ORDER: i32 = 8;
export const LOW_INDEX: i32 = 9;
export const HIGH_INDEX: i32 = 10;
export const QID: i32 = 11;
export const BAD_ID: i32 = 12;
export const LARGE_ID: i32 = 13;
export const ID_RANGE: i32 = 14;
export const EMPTY_FIELD: i32 = 15;
export const FEW_FIELDS: i32 = 16;
export const MANY_FIELDS: i32 = 17;
export const OPEN_QUOTE: i32 = 18;
export const AFTER_QUOTE: i32 = 19;
export const MANY_ENTRIES: i32 = 20;
export const NO_ROOM: i32 = 21;
export const BAD_COUNT: i32 = 22;
export const BAD_TERMS: i32 = 23;
export const HIGH_WORD: i32 = 24;
export const BAD_DATE: i32 = 25;
export const ROW_ORDER: i32 = 26;

export const NUMBER: usize = 64;

/** Stops a kernel: `code` at byte `at` of line `line`, field `field`. */
export function refuse(state: usize, code: i32, at: usize, line: i32, field: i32): i32 {
  store<i32>(state, code);
  store<u32>(state, <u32>at, 4);
  store<i32>(state, line, 8);
  store<i32>(state, field, 32);
  return code;
}

/** What every parser leaves when it has read all: what else it found stands in the state already. */
export function finish(state: usize, line: i32, rows: i32, entries: i32): i32 {
  store<i32>(state, line, 8);
  store<i32>(state, rows, 12);
  store<i32>(state, entries, 16);
  store<i32>(state, DONE);
  return DONE;
}

// @ts-ignore: decorator
@inline
export function isBlank(c: u32): bool {
  return c == 32 || c == 9;
}

/** Bytes of the line end at p: 1, more with carriage returns before it, 0 when there is none. */
// @ts-ignore: decorator
@inline
export function lineEnd(p: usize): usize {
  const c: u32 = load<u8>(p);
  if (c == 10) return 1;
  return c == 13 ? longLineEnd(p) : 0;
}

/** CR LF, and the CR CR LF that files have after one conversion too many. */
function longLineEnd(p: usize): usize {
  let q = p + 1;
  while (load<u8>(q) == 13) q++;
  return load<u8>(q) == 10 ? q + 1 - p : 0;
}

// @ts-ignore: decorator
@inline
export function skipBlanks(p: usize): usize {
  while (isBlank(load<u8>(p))) p++;
  return p;
}

export function skipLine(p: usize): usize {
  while (load<u8>(p) != 10) p++;
  return p;
}
