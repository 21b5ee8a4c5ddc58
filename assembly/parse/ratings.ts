// Triples `user item value`, one a line: ratings, and the entries of a Matrix Market file.
import { countOf } from './bags';
import {
  BAD_COUNT, BAD_ID, BAD_LABEL, BAD_NUMBER, DONE, EMPTY_FIELD, ID_RANGE, LARGE_ID, LARGE_NUMBER,
  MANY_ENTRIES, MANY_FIELDS, NUMBER, ROW_ORDER, finish, isBlank, lineEnd, refuse, skipBlanks, skipLine,
} from './codes';
import { storeLabel } from './labels';
import { fits, readNumber } from './number';

/**
 * Behind the separator at p: blanks, or one comma or `::` among them; p itself when there is none.
 */
// @ts-ignore: decorator
@inline
function skipSeparator(p: usize, strict: i32): usize {
  p = skipBlanks(p);
  if (strict != 0) return p;
  const c: u32 = load<u8>(p);
  if (c == 44) return skipBlanks(p + 1);
  if (c == 58 && load<u8>(p, 1) == 58) return skipBlanks(p + 2);
  return p;
}

/** Reads the id at p into `place`; returns what stands behind its separator, 0 when it is refused. */
function readId(
  p: usize, state: usize, strict: i32, least: i32, most: i32, line: i32, field: i32, place: usize,
): usize {
  const at = p;
  let d = <u32>load<u8>(p) - 48, id: u64 = 0;
  while (d <= 9) {
    // A line is too short to wrap an id that has stopped growing.
    if (id < 10000000000) id = id * 10 + d;
    d = <u32>load<u8>(++p) - 48;
  }
  const next = skipSeparator(p, strict);
  let code = DONE;
  if (p == at) code = lineEnd(p) != 0 ? EMPTY_FIELD : BAD_ID;
  else if (id > 2147483646) code = LARGE_ID;
  else if (next == p && lineEnd(p) == 0) code = BAD_ID;
  else if (<i32>id < least || <i32>id > most) code = ID_RANGE;
  store<i32>(place, <i32>id);
  if (code == DONE) return next;
  refuse(state, code, at, line, field);
  return 0;
}

/**
 * Parses the lines of [text, end). strict (Matrix Market): blanks separate and nothing may follow;
 * else a comma, `::` or blanks separate and what follows the value is skipped. Ids lie in
 * [least, userMax] and [least, itemMax]. fields: 3, or 2 when every value is 1. With a label table
 * (labels ≠ 0) values are label texts and `value` gets their numbers as i32; with countMax ≠ 0 they
 * are integers in [1, countMax] and `value` gets them as i32. With after ≥ 0 users come in order,
 * none below `after`.
 */
export function parse_ratings(
  text: usize, end: usize, state: usize, strict: i32, fields: i32, least: i32, userMax: i32,
  itemMax: i32, countMax: i32, after: i32, entriesMax: i32, labelsMax: i32, labelBytesMax: i32, labels: usize,
  user: usize, item: usize, value: usize,
): i32 {
  let p = text, line = 0, n = 0;
  let lowUser = i32.MAX_VALUE, highUser = -1, lowItem = i32.MAX_VALUE, highItem = -1;
  let sum: f64 = 0;
  let lowest: f32 = f32.MAX_VALUE, highest: f32 = -f32.MAX_VALUE;
  while (p < end) {
    p = skipBlanks(p);
    let skip = lineEnd(p);
    if (skip != 0) {
      p += skip;
      line++;
      continue;
    }
    if (n >= entriesMax) return refuse(state, MANY_ENTRIES, p, line, 0);
    const place = <usize>n << 2, begin = p;
    p = readId(p, state, strict, least, userMax, line, 0, user + place);
    if (p == 0) return load<i32>(state);
    const u = load<i32>(user + place);
    if (after >= 0) {
      if (u < after) return refuse(state, ROW_ORDER, begin, line, after);
      after = u;
    }
    lowUser = min(lowUser, u);
    highUser = max(highUser, u);
    p = readId(p, state, strict, least, itemMax, line, 1, item + place);
    if (p == 0) return load<i32>(state);
    const i = load<i32>(item + place);
    lowItem = min(lowItem, i);
    highItem = max(highItem, i);
    let x: f32 = 1;
    if (fields == 3) {
      if (lineEnd(p) != 0) return refuse(state, EMPTY_FIELD, p, line, 2);
      const at = p;
      p = readNumber(p, state);
      const wrong = labels != 0 ? BAD_LABEL : countMax != 0 ? BAD_COUNT : BAD_NUMBER;
      if (p == 0) return refuse(state, wrong, at, line, 2);
      const next = skipSeparator(p, strict);
      if (next == p && lineEnd(p) == 0) return refuse(state, wrong, at, line, 2);
      x = <f32>load<f64>(state, NUMBER);
      if (!fits(x)) return refuse(state, LARGE_NUMBER, at, line, 2);
      if (countMax != 0 && countOf(load<f64>(state, NUMBER), countMax) == 0) {
        return refuse(state, BAD_COUNT, at, line, 2);
      }
      if (labels != 0) {
        const slot = value + place;
        if (!storeLabel(state, labels, labelsMax, labelBytesMax, at, p, line, 2, slot)) {
          return load<i32>(state);
        }
      }
      p = next;
    }
    if (countMax != 0) store<i32>(value + place, <i32>x);
    else if (labels == 0) store<f32>(value + place, x);
    sum += x;
    lowest = min(lowest, x);
    highest = max(highest, x);
    if (strict != 0 && lineEnd(p) == 0) return refuse(state, MANY_FIELDS, p, line, fields);
    p = skipLine(p) + 1;
    line++;
    n++;
  }
  store<i32>(state, lowUser, 20);
  store<i32>(state, highUser, 24);
  store<i32>(state, 0, 28);
  store<i32>(state, lowItem, 36);
  store<i32>(state, highItem, 40);
  store<f64>(state, sum, 48);
  store<f32>(state, lowest, 56);
  store<f32>(state, highest, 60);
  return finish(state, line, n, n);
}
