// Texts, one document a line: the whole line, or one field of a delimited line with other fields
// for label, date and name.
import {
  AFTER_QUOTE, BAD_DATE, EMPTY_FIELD, FEW_FIELDS, MANY_FIELDS, NO_ROOM, NUMBER, OPEN_QUOTE, finish, lineEnd,
  refuse, skipBlanks, skipLine,
} from './codes';
import { storeLabel } from './labels';
import { readNumber } from './number';
import { text_bag } from './words';

/** In the state of a kernel: unknown words and bytes that are not UTF-8; room for a word. */
const FOUND: usize = 72;
const WORD: usize = 128;
const QUOTE: u32 = 34;

// @ts-ignore: decorator
@inline
function begin(state: usize, rowStart: usize): void {
  store<i64>(state, 0, FOUND);
  store<i32>(rowStart, 0);
}

/** Every line of [text, end) is a document, empty ones too. rowStart: rows + 1. */
export function parse_text(
  text: usize, end: usize, state: usize, table: usize, where: usize, rowsMax: i32, entriesMax: i32,
  target: usize, rowStart: usize, index: usize, count: usize,
): i32 {
  let p = text, rows = 0, n = 0;
  begin(state, rowStart);
  while (p < end) {
    const last = skipLine(p), at = <usize>n << 2;
    if (rows >= rowsMax) return refuse(state, NO_ROOM, p, rows, 0);
    const found = text_bag(
      p, last, table, where, state + WORD, state + FOUND, entriesMax - n, index + at, count + at,
    );
    if (found < 0) return refuse(state, NO_ROOM, p, rows, 0);
    n += found;
    store<i32>(target + (<usize>rows << 2), -1);
    rows++;
    store<i32>(rowStart + (<usize>rows << 2), n);
    p = last + 1;
  }
  return finish(state, rows, rows, n);
}

/** Behind the field at p: its delimiter, or the end of its line; 0 when its quote stays open. */
function fieldEnd(p: usize, delimiter: u32): usize {
  let c: u32 = load<u8>(p);
  if (c == QUOTE) {
    for (c = load<u8>(++p); c != 10; c = load<u8>(++p)) {
      if (c == QUOTE && load<u8>(++p) != QUOTE) return p;
    }
    return 0;
  }
  while (c != delimiter && c != 10) c = load<u8>(++p);
  return c == 10 && load<u8>(p - 1) == 13 ? p - 1 : p;
}

/** Two digits behind a hyphen at p as a number; 0 when they are none. */
function part(p: usize): i32 {
  const a = <u32>load<u8>(p, 1) - 48, b = <u32>load<u8>(p, 2) - 48;
  return load<u8>(p) == 45 && a <= 9 && b <= 9 ? <i32>(a * 10 + b) : 0;
}

/**
 * The date [p, end) in years: a number, or YYYY-MM or YYYY-MM-DD as the share of the year that is
 * over. NaN for an empty field; −Infinity when it is none.
 */
function readDate(p: usize, end: usize, state: usize): f64 {
  p = skipBlanks(p);
  if (p >= end) return NaN;
  const behind = readNumber(p, state);
  if (behind == 0 || behind > end) return -Infinity;
  const year = load<f64>(state, NUMBER);
  if (skipBlanks(behind) >= end) return year;
  const month = part(behind), more = behind + 3;
  if (month < 1 || month > 12) return -Infinity;
  if (skipBlanks(more) >= end) return year + <f64>(month - 1) / 12;
  const day = part(more);
  if (day < 1 || day > 31) return -Infinity;
  return year + <f64>(month - 1) / 12 + <f64>(day - 1) / 372;
}

/**
 * A document a line of `columns` fields: words from field `textField`, label, date and name from
 * theirs (−1: none). Lines without a field are skipped. target: rows × i32 label number or −1;
 * dates: rows × f32 years, NaN without; names: rows × 2 u32, from and to, quotes left out.
 */
export function parse_text_fields(
  text: usize, end: usize, state: usize, delimiter: i32, columns: i32, textField: i32,
  labelField: i32, dateField: i32, nameField: i32, table: usize, where: usize, rowsMax: i32,
  entriesMax: i32, labelsMax: i32, labelBytesMax: i32, labels: usize, target: usize, dates: usize,
  names: usize, rowStart: usize, index: usize, count: usize,
): i32 {
  let p = text, line = 0, rows = 0, n = 0;
  begin(state, rowStart);
  for (; p < end; line++) {
    const blank = lineEnd(skipBlanks(p));
    if (blank != 0) {
      p = skipLine(p) + 1;
      continue;
    }
    if (rows >= rowsMax) return refuse(state, NO_ROOM, p, line, 0);
    const place = <usize>rows << 2;
    store<i32>(target + place, -1);
    store<f32>(dates + place, NaN);
    store<u64>(names + (place << 1), 0);
    for (let field = 0; field < columns; field++) {
      const at = p;
      p = fieldEnd(p, delimiter);
      if (p == 0) return refuse(state, OPEN_QUOTE, at, line, field);
      let from = at, to = p;
      if (load<u8>(at) == QUOTE) {
        from++;
        to--;
      }
      if (field == textField) {
        const entry = <usize>n << 2;
        const found = text_bag(
          from, to, table, where, state + WORD, state + FOUND, entriesMax - n, index + entry,
          count + entry,
        );
        if (found < 0) return refuse(state, NO_ROOM, at, line, 0);
        n += found;
      } else if (field == dateField) {
        const date = readDate(from, to, state);
        if (date == -Infinity) return refuse(state, BAD_DATE, at, line, field);
        store<f32>(dates + place, <f32>date);
      } else if (field == nameField) {
        store<u32>(names + (place << 1), <u32>from);
        store<u32>(names + (place << 1), <u32>to, 4);
      } else if (field == labelField) {
        if (to == from) return refuse(state, EMPTY_FIELD, at, line, field);
        const cell = target + place;
        if (!storeLabel(state, labels, labelsMax, labelBytesMax, from, to, line, field, cell)) {
          return load<i32>(state);
        }
      }
      const ended = lineEnd(p) != 0, separated = load<u8>(p) == delimiter;
      if (!ended && !separated) return refuse(state, AFTER_QUOTE, p, line, field);
      if (ended && field + 1 < columns) return refuse(state, FEW_FIELDS, p, line, field + 1);
      if (separated && field + 1 == columns) return refuse(state, MANY_FIELDS, p, line, columns);
      if (separated) p++;
    }
    p = skipLine(p) + 1;
    rows++;
    store<i32>(rowStart + (<usize>rows << 2), n);
  }
  return finish(state, line, rows, n);
}
