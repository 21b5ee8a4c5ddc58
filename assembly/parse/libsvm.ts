// libsvm text: `label index:value … [# comment]`, one sample a line, indices ascending.
import {
  BAD_INDEX, BAD_LABEL, BAD_NUMBER, HIGH_INDEX, INDEX_ORDER, LARGE_NUMBER, LOW_INDEX, NO_COLON,
  NO_ROOM, NUMBER, QID, finish, isBlank, lineEnd, refuse, skipBlanks, skipLine,
} from './codes';
import { storeLabel } from './labels';
import { fits, readNumber } from './number';

/** Behind the number at p, which stands alone before a blank; 0 when it is refused. */
function readLabel(p: usize, state: usize, line: i32): usize {
  const end = readNumber(p, state);
  let code = BAD_LABEL;
  if (end != 0 && (isBlank(load<u8>(end)) || load<u8>(end) == 35 || lineEnd(end) != 0)) {
    if (fits(<f32>load<f64>(state, NUMBER))) return end;
    code = LARGE_NUMBER;
  }
  refuse(state, code, p, line, 0);
  return 0;
}

/** What stands at `at` is not `index:`; its digits end at p. */
function refuseIndex(state: usize, at: usize, p: usize, line: i32): i32 {
  const after: u32 = load<u8>(p);
  let code = BAD_INDEX;
  if (p > at && (isBlank(after) || after == 35 || lineEnd(p) != 0)) code = NO_COLON;
  if (load<u8>(at) == 113) code = QID;
  return refuse(state, code, at, line, 0);
}

/**
 * Parses the lines of [text, end). base: 0, 1, or −1 while it is unknown, when indices are stored
 * as if 1-based (so a 0 becomes −1). Entries of columns from `columns` on are left out and counted.
 * target: rows × i32 label number, or × f32 the label itself when `numeric`; rowStart: rows + 1.
 */
export function parse_libsvm(
  text: usize, end: usize, state: usize, base: i32, columns: i32, indexMax: i32, rowsMax: i32,
  entriesMax: i32, labelsMax: i32, labelBytesMax: i32, labels: usize, numeric: i32, target: usize,
  rowStart: usize, index: usize, value: usize,
): i32 {
  let p = text, line = 0, rows = 0, n = 0, dropped = 0;
  let lowest = i32.MAX_VALUE, highest = -1;
  const shift = base == 0 ? 0 : 1, least = base == 1 ? 1 : 0;
  store<i32>(rowStart, 0);
  while (p < end) {
    p = skipBlanks(p);
    let c: u32 = load<u8>(p);
    if (c == 35) p = skipLine(p);
    let skip = lineEnd(p);
    if (skip != 0) {
      p += skip;
      line++;
      continue;
    }
    if (rows >= rowsMax) return refuse(state, NO_ROOM, p, line, 0);
    // the label
    const start = p, place = target + (<usize>rows << 2);
    p = readLabel(p, state, line);
    if (p == 0) return load<i32>(state);
    if (numeric != 0) {
      store<f32>(place, <f32>load<f64>(state, NUMBER));
    } else if (!storeLabel(state, labels, labelsMax, labelBytesMax, start, p, line, 0, place)) {
      return load<i32>(state);
    }
    // its entries
    let previous = -1;
    for (;;) {
      p = skipBlanks(p);
      skip = lineEnd(p);
      if (skip != 0) break;
      c = load<u8>(p);
      if (c == 35) {
        p = skipLine(p);
        skip = 1;
        break;
      }
      const at = p;
      let d = c - 48, i: i32 = 0;
      while (d <= 9) {
        i = i * 10 + <i32>d;
        if (i > indexMax) return refuse(state, HIGH_INDEX, at, line, 0);
        d = <u32>load<u8>(++p) - 48;
      }
      if (d != 10 || p == at) return refuseIndex(state, at, p, line);
      if (i <= previous) return refuse(state, INDEX_ORDER, at, line, previous);
      if (i < least) return refuse(state, LOW_INDEX, at, line, 0);
      previous = i;
      const digitsAt = ++p;
      let x: f32;
      d = <u32>load<u8>(p) - 48;
      if (d <= 9 && load<u8>(p, 1) == 32) {
        // one digit: most of what binary and count data have
        x = <f32>d;
        p++;
      } else {
        p = readNumber(p, state);
        if (p == 0) return refuse(state, BAD_NUMBER, digitsAt, line, 0);
        c = load<u8>(p);
        if (c != 32 && c != 10 && c != 9 && c != 35 && lineEnd(p) == 0) {
          return refuse(state, BAD_NUMBER, digitsAt, line, 0);
        }
        x = <f32>load<f64>(state, NUMBER);
        if (!fits(x)) return refuse(state, LARGE_NUMBER, digitsAt, line, 0);
      }
      const column = i - shift;
      if (column >= columns) {
        dropped++;
        continue;
      }
      if (n >= entriesMax) return refuse(state, NO_ROOM, at, line, 0);
      lowest = min(lowest, i);
      highest = max(highest, i);
      store<i32>(index + (<usize>n << 2), column);
      store<f32>(value + (<usize>n << 2), x);
      n++;
    }
    p += skip;
    line++;
    rows++;
    store<i32>(rowStart + (<usize>rows << 2), n);
  }
  store<i32>(state, lowest, 20);
  store<i32>(state, highest, 24);
  store<i32>(state, dropped, 28);
  return finish(state, line, rows, n);
}
