// Parses one chunk of text: calls the kernel, puts its output where the task's sink says, and notes
// where the first violation stands.
import { assert } from '../../base/assert.ts';
import { controlCell, type Labels, type ParseTask, type Piece, type Rules } from '../tasks.ts';
import { code, type Violation } from './codes.ts';
import { runKernel, stateOf, type Lines, type Output } from './kernel.ts';
import type { SpillFile } from '../spill/tasks.ts';
import { spillEntries, spillRows } from './spilled.ts';
import { keep, LABEL_ENTRIES, LABEL_ENTRY_BYTES, type LoaderThread } from './thread.ts';

const LINE_FEED = 10;

/** What a task has done so far; a compressed file's task goes through many chunks. */
export type Progress = {
  lines: number;
  rows: number;
  dropped: number;
  broken: number;
  /** Row of the last entry, where these are in order. */
  last: number;
  bytesOnly: boolean;
  /** Of a compressed file, so far. */
  bytesRead: number;
  readonly pieces: Piece[];
  readonly places: Violation[];
  violation?: Violation;
};

/** 1-based column of an address, in bytes from the start of its line. */
function columnOf(thread: LoaderThread, begin: number, at: number): number {
  const { bytes, scratch } = thread;
  const before = at - 1 - scratch;
  const feed = before < begin - scratch ? -1 : bytes.lastIndexOf(LINE_FEED, before);
  return at - scratch - Math.max(feed, begin - scratch - 1);
}

/** The text that a message shows: up to a delimiter that may end it, or the end of the line. */
function foundAt(thread: LoaderThread, at: number, rules: Rules): string {
  const from = at - thread.scratch;
  const line =
    thread.bytes
      .subarray(from, from + 200)
      .toString('utf8')
      .split(/\r*\n/, 1)[0] ?? '';
  if (line === '') return '';
  if (rules.kind === 'libsvm' || rules.kind === 'bags') return /^\S*/.exec(line)?.[0] ?? '';
  if (rules.kind === 'triples') return /^,|^[^\s,]*/.exec(line)?.[0] ?? '';
  if (line.startsWith('"')) return /^"(?:[^"]|"")*"?/.exec(line)?.[0] ?? line;
  const separator = rules.kind === 'csv' ? rules.delimiter : (rules.fields?.delimiter ?? 10);
  const delimiter = separator === 32 ? /[ \t]/ : String.fromCharCode(separator);
  return line.split(delimiter, 1)[0]?.trim() || line.slice(0, 1);
}

function violationOf(thread: LoaderThread, begin: number, lines: number, rules: Rules): Violation {
  const state = stateOf(thread);
  const at = state.i32(4) >>> 0;
  return {
    code: state.i32(0),
    line: lines + state.i32(8),
    column: columnOf(thread, begin, at),
    found: foundAt(thread, at, rules),
    field: state.i32(32),
  };
}

/** The kernel's label table as texts. */
function readLabels(thread: LoaderThread, begin: number, lines: number): Labels {
  const { u32, labels, bytes, scratch } = thread;
  const count = u32[labels / 4] ?? 0;
  const places = new Int32Array(2 * count);
  const texts = Array.from({ length: count }, (_, i) => {
    const entry = (labels + LABEL_ENTRIES + i * LABEL_ENTRY_BYTES) / 4;
    const at = u32[entry] ?? 0;
    const end = at + (u32[entry + 1] ?? 0);
    places.set([lines + (u32[entry + 2] ?? 0), columnOf(thread, begin, at)], 2 * i);
    const raw = bytes.toString('utf8', at - scratch, end - scratch);
    return raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"').trim() : raw;
  });
  return { texts: texts.join('\n'), places };
}

/** Dense rows: u8 as long as every value of the data so far is an integer in 0..255. */
function keepDense(thread: LoaderThread, task: ParseTask, output: Output) {
  const { rules, source } = task;
  assert(rules.kind === 'csv', 'only csv rows are dense');
  const cells = new Int32Array(source.control);
  if (stateOf(thread).i32(44) === 0) Atomics.store(cells, controlCell.wide, 1);
  const { rows } = output;
  const columns = rules.keep;
  if (Atomics.load(cells, controlCell.wide) !== 0) {
    const x = keep(thread, output.value, rows * rules.stride * 4);
    return { storage: 'f32' as const, x };
  }
  const stride = Math.ceil(columns / 16) * 16;
  const x = thread.arena.allocate(rows * stride);
  thread.kernels.f32_to_u8_rows(rows, columns, rules.stride, stride, output.value, x);
  return { storage: 'u8' as const, x };
}

/** Whether the task keeps the block that comes next. */
function isKept({ keep: wanted }: ParseTask, { pieces, bytesRead }: Progress): boolean {
  if (wanted === undefined) return true;
  const at = wanted.by === 'block' ? pieces.length : bytesRead;
  return at >= wanted.first && at < wanted.last;
}

/** Dates and names of documents. */
function fieldsOf(thread: LoaderThread, { rows, dates = 0, names = 0 }: Output) {
  const { u32, bytes, scratch } = thread;
  const texts = Array.from({ length: rows }, (_, row) => {
    const [from = 0, to = 0] = u32.subarray(names / 4 + 2 * row, names / 4 + 2 * row + 2);
    const text = from === 0 ? '' : bytes.toString('utf8', from - scratch, to - scratch);
    return text.replaceAll('""', '"').trim();
  });
  return { dates: keep(thread, dates, rows * 4), names: texts.join('\n') };
}

/** Writes documents, or entries of them, into the task's file. */
function spilled(thread: LoaderThread, { sink }: ParseTask, file: SpillFile, output: Output) {
  const { rows: documents, entries: nonzeros, value: count, ...places } = output;
  if (sink.kind === 'documents') return { entries: spillEntries(thread, file, output, sink) };
  assert(places.rowStart !== 0, 'what is read into a file is documents');
  return { at: spillRows(thread, file, { ...places, documents, nonzeros, count }) };
}

/** Copies the kernel's output to the arena at its exact size, if the task keeps it. */
function keepBlock(
  thread: LoaderThread,
  task: ParseTask,
  output: Output,
  done: Progress,
  labels: Labels,
): Piece {
  const { rules } = task;
  const { rows, entries } = output;
  const found = stateOf(thread);
  const shared = {
    rows,
    nonzeros: entries,
    labels,
    lowest: found.i32(20),
    highest: found.i32(24),
    lowestItem: found.i32(36),
    highestItem: found.i32(40),
    sum: found.f64(48),
    minimum: found.f32(56),
    maximum: found.f32(60),
    names: '',
    dates: 0,
    kept: isKept(task, done),
  };
  const none = { target: 0, rowStart: 0, index: 0, value: 0, x: 0 };
  const storages = {
    libsvm: 'csr',
    csv: 'u8',
    triples: 'triples',
    bags: 'csr',
    text: 'csr',
  } as const;
  const storage = storages[rules.kind];
  if (!shared.kept) {
    return { ...shared, ...none, storage, nonzeros: storage === 'u8' ? 0 : entries };
  }
  if (task.spill !== undefined) {
    return { ...shared, ...none, storage, ...spilled(thread, task, task.spill, output) };
  }
  const target = keep(thread, output.target, rows * 4);
  if (rules.kind === 'csv') {
    const dense = keepDense(thread, task, output);
    return { ...shared, ...none, ...dense, nonzeros: 0, target };
  }
  const rowStart = storage === 'csr' ? keep(thread, output.rowStart, (rows + 1) * 4) : 0;
  const index = keep(thread, output.index, entries * 4);
  const value = keep(thread, output.value, entries * 4);
  const more = rules.kind === 'text' && rules.fields ? fieldsOf(thread, output) : {};
  return { ...shared, ...none, storage, target, rowStart, index, value, ...more };
}

/** Entries of a matrix whose place was made before: counted, scattered, or looked for. */
function placeEntries(
  thread: LoaderThread,
  task: ParseTask,
  output: Output,
  done: Progress,
): Violation | undefined {
  const { kernels } = thread;
  const { sink } = task;
  const { rows: n, target, index, value } = output;
  if (sink.kind === 'count') {
    const { rows, columns, counts } = sink;
    done.dropped += kernels.csr_count_entries(n, 1, rows, columns, target, index, counts);
  } else if (sink.kind === 'scatter') {
    const { rows, columns, total, cursor } = sink;
    const wrong = kernels.csr_scatter(
      ...([n, 1, rows, columns, total, target, index, value, cursor] as const),
      ...([sink.index, sink.value] as const),
    );
    if (wrong !== 0) {
      return { code: code.other, line: done.lines, column: 1, found: 'other entries', field: 0 };
    }
  } else if (sink.kind === 'columns') {
    kernels.f32_columns_to_rows(
      ...([n, sink.first + done.rows, sink.rows, sink.columns, sink.stride] as const),
      ...([sink.bytes ? 1 : 0, value, sink.x] as const),
    );
  }
  return undefined;
}

/**
 * Notes where entry (row, column) stands: the kernel stops at entry `at` when it has room for `at`.
 */
function findPlaces(
  thread: LoaderThread,
  task: ParseTask,
  lines: Lines,
  output: Output,
  done: Progress,
): void {
  const { sink, rules } = task;
  assert(sink.kind === 'find' && rules.kind === 'triples', 'entries are looked for');
  const { rows: n, target, index } = output;
  const numbers: number[] = [];
  for (let skip = 0; skip < 2; skip++) {
    const at = thread.kernels.triple_find(n, sink.row, sink.column, skip, target, index);
    if (at >= 0) numbers.push(at);
  }
  for (const at of numbers) {
    const promised = done.rows + at;
    runKernel(thread, { ...rules, promised }, lines);
    const place = violationOf(thread, lines.begin, done.lines, rules);
    done.places.push({ ...place, code: code.twice });
  }
}

/** Parses the lines [begin, end) into `done`; false when the task is over. */
export function parseLines(
  thread: LoaderThread,
  task: ParseTask,
  begin: number,
  end: number,
  done: Progress,
): boolean {
  if (begin === end) return true;
  const { chunkBytes } = task.source;
  const text: Lines = { begin, end, chunkBytes, before: done.rows, after: done.last };
  const output = runKernel(thread, task.rules, text);
  if (output === null) {
    done.violation = violationOf(thread, begin, done.lines, task.rules);
    return false;
  }
  const found = stateOf(thread);
  const lines = found.i32(8); // the sink may run kernels again
  if (task.rules.kind === 'csv') done.bytesOnly &&= found.i32(44) !== 0;
  if (task.rules.kind === 'triples' && output.rows > 0) done.last = found.i32(24);
  if (task.sink.kind === 'blocks' || task.sink.kind === 'documents') {
    done.dropped += found.i32(task.rules.kind === 'text' ? 72 : 28);
    if (task.rules.kind === 'text') done.broken += found.i32(76);
    if (output.rows > 0) {
      const labels = readLabels(thread, begin, done.lines);
      done.pieces.push(keepBlock(thread, task, output, done, labels));
    }
  } else if (task.sink.kind === 'find') {
    findPlaces(thread, task, text, output, done);
  } else {
    const wrong = placeEntries(thread, task, output, done);
    if (wrong !== undefined) done.violation = wrong;
  }
  done.lines += lines;
  done.rows += output.rows;
  return done.violation === undefined;
}
