// Blocks of documents in a file, on a loader thread: written from scratch when they are parsed,
// read back into it to be finished.
import { assert, unreachable } from '../../base/assert.ts';
import {
  bagsStep,
  cutRows,
  documentsStep,
  emptyStep,
  labelStep,
  totalStep,
  type RawRows,
  type WordRules,
} from '../raw-rows.ts';
import { withSpill, type OpenSpill } from '../spill/file.ts';
import { blockAt, blockBytes } from '../spill/layout.ts';
import { runStride } from '../spill/tasks.ts';
import type {
  FinishedBlock,
  SpilledDocuments,
  SpilledEntries,
  SpilledResult,
  SpilledRows,
  SpilledTask,
  SpillFile,
} from '../spill/tasks.ts';
import type { Output } from './kernel.ts';
import { runStep } from './steps.ts';
import { isCancelled } from './stream.ts';
import type { LoaderThread } from './thread.ts';

/** Documents of a block of entries: many of them may be empty. */
const BLOCK_DOCUMENTS = 1 << 17;

type Place = { readonly rules: WordRules; readonly at: number; readonly room: number };

/** Takes room at the end of the file; returns its first byte. */
function takePlace({ end }: SpillFile, bytes: number): number {
  return Number(Atomics.add(new BigInt64Array(end), 0, BigInt(bytes)));
}

/** Runs `body` with the file open to be written. */
const writing = (thread: LoaderThread, { path }: SpillFile, body: (file: OpenSpill) => void) =>
  withSpill(thread.arena, { path, mode: 'write' }, body);

/** Runs `body` with what reads the file into scratch. */
function reading(
  thread: LoaderThread,
  { path }: SpillFile,
  body: (read: OpenSpill['read']) => void,
) {
  withSpill(thread.arena, { path, mode: 'read' }, (file) =>
    body((extent) => {
      assert(extent.address + extent.bytes <= thread.end, 'scratch holds a block');
      file.read(extent);
    }),
  );
}

/** Writes documents that lie in scratch, at their exact size; their first entry is entry 0. */
function writeRows(thread: LoaderThread, spill: SpillFile, at: number, rows: RawRows): void {
  const place = blockAt({ ...rows, tokens: 0 }, at);
  const { documents, nonzeros } = rows;
  const end = at + blockBytes(rows); // the padding behind the targets is a part of the block
  writing(thread, spill, (file) => {
    const put = (name: 'rowStart' | 'index' | 'count' | 'target', bytes: number) =>
      file.write({ at: place[name], address: rows[name], bytes });
    put('rowStart', (documents + 1) * 4);
    put('index', nonzeros * 4);
    put('count', nonzeros * 4);
    put('target', end - place.target);
  });
}

/** Writes what was parsed; returns its place in the file. */
export function spillRows(thread: LoaderThread, spill: SpillFile, rows: RawRows): number {
  const at = takePlace(spill, blockBytes(rows));
  writeRows(thread, spill, at, rows);
  return at;
}

type Triples = Pick<Output, 'target' | 'index' | 'value'>;

/** Writes entries [from, to) of scratch as a run. */
function spillRun(thread: LoaderThread, spill: SpillFile, output: Triples, range: Range) {
  const entries = range.to - range.from;
  const bytes = entries * 4;
  const stride = runStride(entries);
  const at = entries === 0 ? 0 : takePlace(spill, 3 * stride);
  if (entries > 0) {
    writing(thread, spill, (file) => {
      for (const [k, array] of [output.target, output.index, output.value].entries()) {
        file.write({ at: at + k * stride, address: array + range.from * 4, bytes });
      }
    });
  }
  return { at, entries };
}

type Range = { readonly from: number; readonly to: number };

/** Writes the entries of the documents [first, last): they are in order. */
export function spillEntries(
  thread: LoaderThread,
  spill: SpillFile,
  output: Output,
  { first, last }: { readonly first: number; readonly last: number },
): SpilledEntries {
  const at = output.target / 4;
  const rows = thread.arena.i32.subarray(at, at + output.entries);
  const from = firstNotBelow(rows, first);
  const to = firstNotBelow(rows, last);
  const [begin = 0, end = 0] = from < to ? [rows[from], rows[to - 1]] : [];
  const next = Math.min(firstNotBelow(rows, begin + 1), to);
  return {
    first: begin,
    last: end,
    tail: to - Math.max(firstNotBelow(rows, end), from),
    head: spillRun(thread, spill, output, { from, to: Math.max(next, from) }),
    rest: spillRun(thread, spill, output, { from: Math.max(next, from), to }),
  };
}

/** Place of the first number that is not below `wanted`, of numbers in order. */
function firstNotBelow(numbers: Int32Array, wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The documents of a raw block, in scratch. */
function readRows(thread: LoaderThread, spill: SpillFile, raw: SpilledRows): RawRows {
  const address = thread.text;
  const piece = { at: raw.at, address, bytes: blockBytes(raw) };
  reading(thread, spill, (read) => read(piece));
  return cutRows(thread.arena.i32, blockAt({ ...raw, tokens: 0 }, address), raw.from, raw.to);
}

/** Finishes documents in scratch and writes them into the room that they had, if they fit. */
function finishRows(
  thread: LoaderThread,
  spill: SpillFile,
  rows: RawRows,
  { rules, at: had, room }: Place,
): FinishedBlock {
  const { i32 } = thread.arena;
  const { documents } = rows;
  const before = runStep(thread, totalStep(i32, rows)) ?? 0;
  const nonzeros = runStep(thread, bagsStep(rows, rules)) ?? 0;
  const done = { ...rows, nonzeros };
  const tokens = runStep(thread, totalStep(i32, done)) ?? 0;
  const empty = runStep(thread, emptyStep(done)) ?? 0;
  const bytes = blockBytes(done);
  const at = bytes <= room ? had : takePlace(spill, bytes);
  writeRows(thread, spill, at, done);
  return { documents, tokens, nonzeros, at, before, empty };
}

/** Documents of entries: read, put into rows, finished; in blocks of so many. */
function finishDocuments(
  thread: LoaderThread,
  spill: SpillFile,
  raw: SpilledDocuments,
  rules: WordRules,
): FinishedBlock[] {
  const { kernels } = thread;
  const n = raw.runs.reduce((sum, { entries }) => sum + entries, 0);
  const room = runStride(n);
  const row = thread.text;
  const [index, count, target] = [row + room, row + 2 * room, row + 3 * room];
  const rowStart = target + BLOCK_DOCUMENTS * 4;
  assert(rowStart + (BLOCK_DOCUMENTS + 1) * 4 <= thread.end, 'scratch holds a block of entries');
  reading(thread, spill, (read) => {
    let to = 0;
    for (const { at, entries } of raw.runs) {
      const stride = runStride(entries);
      for (const [k, array] of [row, index, count].entries()) {
        const address = array + to * 4;
        read({ at: at + k * stride, address, bytes: entries * 4 });
      }
      to += entries;
    }
  });
  const blocks: FinishedBlock[] = [];
  for (let first = raw.first, entry = 0; first < raw.last; first += BLOCK_DOCUMENTS) {
    const documents = Math.min(BLOCK_DOCUMENTS, raw.last - first);
    // Documents of the file begin with 1.
    const next = kernels.csr_sorted_rows(n, entry, first + 1, documents, row, rowStart);
    kernels.i32_fill(documents, -1, target);
    const rows = { documents, nonzeros: next - entry, rowStart, index, count, target };
    const place = { rules, at: raw.at, room: blocks.length === 0 ? raw.room : 0 };
    blocks.push(finishRows(thread, spill, rows, place));
    entry = next;
  }
  return blocks;
}

/** Counts or finishes the documents of a raw block. */
export function finishSpilled(thread: LoaderThread, task: SpilledTask): SpilledResult {
  const { file, raw, work, control } = task;
  if (isCancelled(control)) return { kind: 'spilled', blocks: [] };
  if (raw.kind === 'documents') {
    assert(work.op === 'finish', 'entries have the words of the file');
    return { kind: 'spilled', blocks: finishDocuments(thread, file, raw, work.rules) };
  }
  const rows = readRows(thread, file, raw);
  switch (work.op) {
    case 'count':
      runStep(thread, documentsStep(thread.arena.i32, rows, work.table));
      return { kind: 'spilled', blocks: [] };
    case 'finish': {
      if (raw.labels !== null) runStep(thread, labelStep(rows, raw.labels));
      const { rules } = work;
      const block = finishRows(thread, file, rows, { rules, at: raw.at, room: blockBytes(raw) });
      return { kind: 'spilled', blocks: [block] };
    }
    default:
      return unreachable(work);
  }
}
