// Bags of words, one document a line: `word:count …` behind nothing, a label, or the number of
// pairs; and what happens to parsed documents afterwards.
import {
  BAD_COUNT, BAD_INDEX, BAD_TERMS, HIGH_INDEX, HIGH_WORD, LOW_INDEX, NO_COLON, NO_ROOM,
  NUMBER, finish, isBlank, lineEnd, refuse, skipBlanks, skipLine,
} from './codes';
import { storeLabel } from './labels';
import { readNumber } from './number';

/** What a line begins with. */
const LABEL: i32 = 1;
const TERMS: i32 = 2;

/** A count that is one: integer and in [1, countMax]; else 0. */
// @ts-ignore: decorator
@inline
export function countOf(value: f64, countMax: i32): i32 {
  return value >= 1 && value <= <f64>countMax && value == floor(value) ? <i32>value : 0;
}

/** What stands at `at` is not `word:`; its digits end at p. */
function refuseWord(state: usize, at: usize, p: usize, line: i32): i32 {
  const bare = p > at && (isBlank(load<u8>(p)) || lineEnd(p) != 0);
  return refuse(state, bare ? NO_COLON : BAD_INDEX, at, line, 0);
}

/** Behind the text that stands at p. */
function skipText(p: usize): usize {
  while (!isBlank(load<u8>(p)) && lineEnd(p) == 0) p++;
  return p;
}

/**
 * Parses the lines of [text, end). head: 0 nothing, 1 a label, 2 the number of pairs (lda-c). With
 * head 0 an empty line is an empty document, else it is none; a line with a comment (#) alone is
 * none. Words in [least, wordMax], as they stand in the file, in any order.
 * target: rows × i32 label number (−1 without); rowStart: rows + 1; index, count: entries × i32.
 */
export function parse_bags(
  text: usize, end: usize, state: usize, head: i32, least: i32, wordMax: i32, indexMax: i32,
  countMax: i32, rowsMax: i32, entriesMax: i32, labelsMax: i32, labelBytesMax: i32, labels: usize,
  target: usize, rowStart: usize, index: usize, count: usize,
): i32 {
  let p = text, line = 0, rows = 0, n = 0;
  let lowest = i32.MAX_VALUE, highest = -1;
  store<i32>(rowStart, 0);
  while (p < end) {
    p = skipBlanks(p);
    const comment = load<u8>(p) == 35;
    if (comment) p = skipLine(p);
    let skip = lineEnd(p);
    if (skip != 0 && (comment || head != 0)) {
      p += skip;
      line++;
      continue;
    }
    if (rows >= rowsMax) return refuse(state, NO_ROOM, p, line, 0);
    const place = target + (<usize>rows << 2), start = p, first = n;
    let terms: f64 = 0;
    store<i32>(place, -1);
    if (head == LABEL) {
      p = skipText(p);
      if (!storeLabel(state, labels, labelsMax, labelBytesMax, start, p, line, 0, place)) {
        return load<i32>(state);
      }
    } else if (head == TERMS) {
      p = readNumber(p, state);
      if (p == 0 || (!isBlank(load<u8>(p)) && lineEnd(p) == 0)) {
        return refuse(state, BAD_TERMS, start, line, 0);
      }
      terms = load<f64>(state, NUMBER);
    }
    for (;;) {
      p = skipBlanks(p);
      skip = lineEnd(p);
      if (skip != 0) break;
      let c: u32 = load<u8>(p);
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
      if (d != 10 || p == at) return refuseWord(state, at, p, line);
      if (i < least) return refuse(state, LOW_INDEX, at, line, 0);
      if (i > wordMax) return refuse(state, HIGH_WORD, at, line, wordMax);
      const digitsAt = ++p;
      let x: i32;
      d = <u32>load<u8>(p) - 48;
      if (d - 1 <= 8 && load<u8>(p, 1) == 32) {
        x = <i32>d;
        p++;
      } else {
        p = readNumber(p, state);
        if (p == 0) return refuse(state, BAD_COUNT, digitsAt, line, 0);
        c = load<u8>(p);
        x = countOf(load<f64>(state, NUMBER), countMax);
        if (x == 0 || (!isBlank(c) && c != 35 && lineEnd(p) == 0)) {
          return refuse(state, BAD_COUNT, digitsAt, line, 0);
        }
      }
      if (n >= entriesMax) return refuse(state, NO_ROOM, at, line, 0);
      lowest = min(lowest, i);
      highest = max(highest, i);
      store<i32>(index + (<usize>n << 2), i);
      store<i32>(count + (<usize>n << 2), x);
      n++;
    }
    if (head == TERMS && terms != <f64>(n - first)) {
      return refuse(state, BAD_TERMS, start, line, n - first);
    }
    p += skip;
    line++;
    rows++;
    store<i32>(rowStart + (<usize>rows << 2), n);
  }
  store<i32>(state, lowest, 20);
  store<i32>(state, highest, 24);
  store<i32>(state, 0, 28);
  return finish(state, line, rows, n);
}

/** Documents without a word. */
export function bag_empty(rows: i32, rowStart: usize): i32 {
  let empty = 0;
  for (let r = 0; r < rows; r++, rowStart += 4) {
    empty += i32(load<i32>(rowStart) == load<i32>(rowStart, 4));
  }
  return empty;
}

/** Σ x[i], as f64 */
export function i32_total(n: i32, x: usize): f64 {
  let a: f64 = 0;
  for (let i = 0; i < n; i++) a += <f64>load<i32>(x + (<usize>i << 2));
  return a;
}

/** 1, 4, 10, 23, 57, 132, 301, 701 and then 2.25 times the one before. */
function nextGap(gap: i32): i32 {
  if (gap > 701) return max(701, <i32>(<i64>gap * 4 / 9));
  if (gap > 57) return gap > 301 ? 301 : gap > 132 ? 132 : 57;
  return gap > 23 ? 23 : gap > 10 ? 10 : gap > 4 ? 4 : gap > 1 ? 1 : 0;
}

function firstGap(n: i32): i32 {
  if (n > 1577) return <i32>(<i64>n * 4 / 9);
  return nextGap(min(max(n / 2 + 1, 2), 701));
}

/** Shell sort, gaps of Ciura (2001): rows are short, and no room is needed. */
function sortBag(n: i32, index: usize, count: usize): void {
  for (let gap = firstGap(n); gap > 0; gap = nextGap(gap)) {
    for (let i = gap; i < n; i++) {
      const at = <usize>i << 2;
      const word = load<i32>(index + at), times = load<i32>(count + at);
      let j = i;
      while (j >= gap) {
        const from = <usize>(j - gap) << 2;
        if (load<i32>(index + from) <= word) break;
        const to = <usize>j << 2;
        store<i32>(index + to, load<i32>(index + from));
        store<i32>(count + to, load<i32>(count + from));
        j -= gap;
      }
      store<i32>(index + (<usize>j << 2), word);
      store<i32>(count + (<usize>j << 2), times);
    }
  }
}

/**
 * Documents in their final form, in place: word ← map[word] − base, or word − base without a map
 * (map = 0); words outside [0, words) are left out; each document sorted, a word that stands twice
 * summed up. The entries move together: rowStart[0] becomes 0. Returns the number of entries.
 */
export function bag_rows(
  rows: i32, base: i32, words: i32, map: usize, rowStart: usize, index: usize, count: usize,
): i32 {
  let n = 0, from = load<i32>(rowStart);
  store<i32>(rowStart, 0);
  for (let r = 1; r <= rows; r++) {
    const end = load<i32>(rowStart + (<usize>r << 2)), first = n;
    let previous = -1, ascending = true;
    for (; from < end; from++) {
      let word = load<i32>(index + (<usize>from << 2));
      if (map != 0) word = load<i32>(map + (<usize>word << 2));
      word -= base;
      if (<u32>word >= <u32>words) continue;
      ascending = ascending && word > previous;
      previous = word;
      const to = <usize>n << 2;
      store<i32>(count + to, load<i32>(count + (<usize>from << 2)));
      store<i32>(index + to, word);
      n++;
    }
    const at = <usize>first << 2;
    if (!ascending) n = first + mergeBag(n - first, index + at, count + at);
    store<i32>(rowStart + (<usize>r << 2), n);
  }
  return n;
}

/** Sorts a document and sums up equal words; returns how many are left. */
function mergeBag(n: i32, index: usize, count: usize): i32 {
  sortBag(n, index, count);
  let kept = 0;
  for (let i = 1; i < n; i++) {
    const from = <usize>i << 2, to = <usize>kept << 2;
    const word = load<i32>(index + from), times = load<i32>(count + from);
    if (word == load<i32>(index + to)) {
      store<i32>(count + to, load<i32>(count + to) + times);
      continue;
    }
    kept++;
    store<i32>(index + to, word, 4);
    store<i32>(count + to, times, 4);
  }
  return kept + 1;
}
