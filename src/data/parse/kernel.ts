// Calls the parse kernel that the task's rules name, with room in scratch for what a chunk can
// hold.
import { assert, unreachable } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import type { BagRules, CsvRules, LibsvmRules, ParseTask, TripleRules } from '../tasks.ts';
import { code } from './codes.ts';
import { runText } from './text.ts';
import { LABEL_ENTRIES, outputs, type LoaderThread } from './thread.ts';

/** In the order of the csv kernel's `numeric`. */
const TARGETS = ['texts', 'numbers', 'number-texts'];
/** In the order of the bag kernel's `head`. */
const HEADS = ['none', 'label', 'terms'];
const { classesMax, labelBytesMax, columnsMax, countMax } = limits;

/** Where a kernel left its output, in scratch. */
export type Output = {
  readonly rows: number;
  readonly entries: number;
  readonly target: number;
  readonly rowStart: number;
  readonly index: number;
  readonly value: number;
  /** Documents of fields: rows × f32, rows × 2 u32. */
  readonly dates?: number;
  readonly names?: number;
};
export type Places = Omit<Output, 'rows' | 'entries'> & { readonly answer: number };

/** Lines [begin, end) of a chunk of `chunkBytes`, and the entries that the file had before them. */
export type Lines = {
  readonly begin: number;
  readonly end: number;
  readonly chunkBytes: number;
  readonly before: number;
  /** Row of the last entry before them. */
  readonly after: number;
};

export type State = { i32(at: number): number; f32(at: number): number; f64(at: number): number };

/** What the last kernel found (assembly/parse/codes.ts). */
export function stateOf(thread: LoaderThread): State {
  const { arena, state } = thread;
  return {
    i32: (at) => arena.i32[(state + at) / 4] ?? 0,
    f32: (at) => arena.f32[(state + at) / 4] ?? 0,
    f64: (at) => arena.f64[(state + at) / 8] ?? 0,
  };
}

function runLibsvm(thread: LoaderThread, rules: LibsvmRules, lines: Lines): Places {
  const { kernels, state, labels } = thread;
  const { begin, end, chunkBytes } = lines;
  const place = outputs(thread);
  // A row is a digit and a line feed at least, and all but the last lie inside the chunk.
  const rowsMax = Math.min((end - begin) >> 1, (chunkBytes >> 1) + 1);
  const entriesMax = (end - begin) >> 2;
  const target = place(rowsMax * 4);
  const rowStart = place((rowsMax + 1) * 4);
  const index = place(entriesMax * 4);
  const value = place(entriesMax * 4);
  const answer = kernels.parse_libsvm(
    ...([begin, end, state, rules.base, rules.columns, columnsMax, rowsMax, entriesMax] as const),
    ...([classesMax, labelBytesMax, labels, rules.numeric ? 1 : 0] as const),
    ...([target, rowStart, index, value] as const),
  );
  return { answer, target, rowStart, index, value };
}

function runCsv(thread: LoaderThread, rules: CsvRules, lines: Lines): Places {
  const { kernels, state, labels } = thread;
  const { begin, end, chunkBytes, before } = lines;
  const { delimiter, fields, labelColumn, keep, stride } = rules;
  const place = outputs(thread);
  // As many rows as fit, and one that breaks off early and is refused.
  const least = 2 * fields;
  const room = Math.min(Math.floor((end - begin) / least) + 1, Math.floor(chunkBytes / least) + 2);
  const rowsMax = Math.min(room, rules.promised - before);
  const target = place(rowsMax * 4);
  const value = place(rowsMax * stride * 4);
  let answer = kernels.parse_csv(
    ...([begin, end, state, delimiter, fields, labelColumn, keep, stride, rowsMax] as const),
    ...([classesMax, labelBytesMax, labels] as const),
    ...([TARGETS.indexOf(rules.targets), target, value] as const),
  );
  if (answer === code.noRoom && rowsMax < room) {
    answer = thread.arena.i32[state / 4] = code.manyEntries;
  }
  return { answer, target, rowStart: 0, index: 0, value };
}

function runTriples(thread: LoaderThread, rules: TripleRules, lines: Lines): Places {
  const { kernels, state, labels } = thread;
  const { begin, end, chunkBytes, before } = lines;
  const after = rules.ordered === undefined ? -1 : Math.max(rules.ordered, lines.after);
  const place = outputs(thread);
  const room = Math.min(((end - begin) >> 2) + 1, (chunkBytes >> 2) + 2);
  const entriesMax = Math.min(room, rules.promised - before);
  const target = place(entriesMax * 4);
  const index = place(entriesMax * 4);
  const value = place(entriesMax * 4);
  const answer = kernels.parse_ratings(
    ...([begin, end, state, rules.strict ? 1 : 0, rules.fields, rules.least] as const),
    ...([rules.userMax, rules.itemMax, rules.counts ? countMax : 0, after] as const),
    ...([entriesMax, classesMax, labelBytesMax] as const),
    ...([rules.labels ? labels : 0, target, index, value] as const),
  );
  return { answer, target, rowStart: 0, index, value };
}

function runBags(thread: LoaderThread, rules: BagRules, lines: Lines): Places {
  const { kernels, state, labels } = thread;
  const { begin, end, chunkBytes } = lines;
  const place = outputs(thread);
  // A row is a line feed at least, and all but the last lie inside the chunk.
  const rowsMax = Math.min(end - begin, chunkBytes + 1);
  const entriesMax = (end - begin) >> 2;
  const target = place(rowsMax * 4);
  const rowStart = place((rowsMax + 1) * 4);
  const index = place(entriesMax * 4);
  const value = place(entriesMax * 4);
  const { head, least, wordMax } = rules;
  const answer = kernels.parse_bags(
    ...([begin, end, state, HEADS.indexOf(head), least, wordMax, columnsMax, countMax] as const),
    ...([rowsMax, entriesMax, classesMax, labelBytesMax, labels] as const),
    ...([target, rowStart, index, value] as const),
  );
  return { answer, target, rowStart, index, value };
}

function run(thread: LoaderThread, rules: ParseTask['rules'], lines: Lines): Places {
  switch (rules.kind) {
    case 'libsvm':
      return runLibsvm(thread, rules, lines);
    case 'csv':
      return runCsv(thread, rules, lines);
    case 'triples':
      return runTriples(thread, rules, lines);
    case 'text':
      return runText(thread, rules, lines);
    case 'bags':
      return runBags(thread, rules, lines);
    default:
      return unreachable(rules);
  }
}

/**
 * Runs the kernel of the task's rules. Returns null after a violation, which the state describes.
 */
export function runKernel(
  thread: LoaderThread,
  rules: ParseTask['rules'],
  lines: Lines,
): Output | null {
  thread.kernels.bytes_zero(LABEL_ENTRIES, thread.labels);
  const { answer, ...places } = run(thread, rules, lines);
  assert(answer !== code.noRoom, 'a kernel has room for what a chunk can hold');
  if (answer !== 0) return null;
  const found = stateOf(thread);
  return { rows: found.i32(12), entries: found.i32(16), ...places };
}
