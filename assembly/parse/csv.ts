// Dense rows of numbers with at most one label column: CSV (RFC 4180), and one value a line.
import {
  AFTER_QUOTE, BAD_LABEL, BAD_NUMBER, EMPTY_FIELD, FEW_FIELDS, LARGE_NUMBER,
  MANY_FIELDS, NO_ROOM, NUMBER, OPEN_QUOTE, finish, isBlank, lineEnd, refuse,
} from './codes';
import { storeLabel } from './labels';
import { fits, readNumber } from './number';

const QUOTE: u32 = 34;

/** Blanks around a field do not count. The delimiter may be a blank itself: only 32 eats both. */
// @ts-ignore: decorator
@inline
function skipAround(p: usize, delimiter: u32): usize {
  let c: u32 = load<u8>(p);
  while (c == 32 || (c == 9 && delimiter != 9)) c = load<u8>(++p);
  return p;
}

/** Behind the closing quote of the field that opens at p; 0 when the line ends first. */
function skipQuoted(p: usize): usize {
  let c: u32 = load<u8>(++p);
  while (c != 10) {
    if (c == QUOTE && load<u8>(++p) != QUOTE) return p;
    c = load<u8>(++p);
  }
  return 0;
}

/** Behind the last byte of the unquoted text at p that is not blank. */
function skipText(p: usize, delimiter: u32): usize {
  let last = p, c: u32 = load<u8>(p);
  while (c != 10 && c != delimiter && !(delimiter == 32 && c == 9)) {
    if (!isBlank(c) && c != 13) last = p + 1;
    c = load<u8>(++p);
  }
  return last;
}

/**
 * Parses the lines of [text, end): `columns` fields a row, field `labelColumn` (−1: none) a label,
 * the others numbers. x: rows × stride f32, the first `keep` features, then zeros. target: rows ×
 * i32 label number, or × f32 the label itself (numeric = 1); numeric = 2: label numbers, but every
 * text must be a decimal number. A label's text keeps its quotes.
 */
export function parse_csv(
  text: usize, end: usize, state: usize, delimiter: i32, columns: i32, labelColumn: i32, keep: i32,
  stride: i32, rowsMax: i32, labelsMax: i32, labelBytesMax: i32, labels: usize, numeric: i32,
  target: usize, x: usize,
): i32 {
  let p = text, line = 0, rows = 0, bytesOnly = 1;
  while (p < end) {
    p = skipAround(p, delimiter);
    const blank = lineEnd(p);
    if (blank != 0) {
      p += blank;
      line++;
      continue;
    }
    if (rows >= rowsMax) return refuse(state, NO_ROOM, p, line, 0);
    const row = x + (<usize>rows * stride << 2);
    let k = 0;
    for (let field = 0; field < columns; field++) {
      p = skipAround(p, delimiter);
      let c: u32 = load<u8>(p);
      const at = p, quoted = c == QUOTE;
      if (c == delimiter || lineEnd(p) != 0) return refuse(state, EMPTY_FIELD, p, line, field);
      if (field == labelColumn) {
        p = quoted ? skipQuoted(p) : skipText(p, delimiter);
        if (p == 0) return refuse(state, OPEN_QUOTE, at, line, field);
        if (p == at) return refuse(state, EMPTY_FIELD, at, line, field);
        const place = target + (<usize>rows << 2);
        if (numeric != 0) {
          const inside: usize = quoted ? 1 : 0;
          if (readNumber(at + inside, state) + inside != p) {
            return refuse(state, BAD_LABEL, at, line, field);
          }
          const label = <f32>load<f64>(state, NUMBER);
          if (!fits(label)) return refuse(state, LARGE_NUMBER, at, line, field);
          store<f32>(place, label);
        }
        if (
          numeric != 1 &&
          !storeLabel(state, labels, labelsMax, labelBytesMax, at, p, line, field, place)
        ) {
          return load<i32>(state);
        }
      } else {
        p = readNumber(quoted ? p + 1 : p, state);
        if (p == 0) return refuse(state, BAD_NUMBER, at, line, field);
        if (quoted && load<u8>(p++) != QUOTE) return refuse(state, BAD_NUMBER, at, line, field);
        const v = <f32>load<f64>(state, NUMBER);
        if (!fits(v)) return refuse(state, LARGE_NUMBER, at, line, field);
        if (k < keep) {
          store<f32>(row + (<usize>k << 2), v);
          if (bytesOnly != 0 && !(v >= 0 && v <= 255 && v == <f32><i32>v)) bytesOnly = 0;
        }
        k++;
      }
      // what stands behind the field: nearly always the delimiter
      if (load<u8>(p) == delimiter && delimiter != 32 && field + 1 < columns) {
        p++;
        continue;
      }
      const behind = p;
      p = skipAround(p, delimiter);
      c = load<u8>(p);
      const ended = lineEnd(p) != 0;
      const separated = !ended && (c == delimiter || (delimiter == 32 && p != behind));
      if (!ended && !separated) {
        const code = quoted ? AFTER_QUOTE : BAD_NUMBER;
        return refuse(state, code, quoted ? p : at, line, field);
      }
      if (ended && field + 1 < columns) return refuse(state, FEW_FIELDS, p, line, field + 1);
      if (separated && field + 1 == columns) return refuse(state, MANY_FIELDS, p, line, columns);
      if (separated && delimiter != 32) p++;
    }
    for (k = min(k, keep); k < stride; k++) store<f32>(row + (<usize>k << 2), 0);
    p += lineEnd(p);
    line++;
    rows++;
  }
  store<i32>(state, 0, 28);
  store<i32>(state, bytesOnly, 44);
  return finish(state, line, rows, 0);
}
