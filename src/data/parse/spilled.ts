// Blocks of documents in a file, on a loader thread: written from scratch when they are parsed,
// read back into it to be finished.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { assert, unreachable } from '../../base/assert.ts';
import { SystemError } from '../../base/errors.ts';
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
import { blockAt, blockBytes } from '../spill.ts';
import type {
  FinishedBlock,
  SpilledResult,
  SpilledRows,
  SpilledTask,
  SpillFile,
} from '../spill-tasks.ts';
import { runStep } from './steps.ts';
import { isCancelled } from './stream.ts';
import type { LoaderThread } from './thread.ts';

/** Runs `body` with the file open; what the file system refuses says which file, and what to do. */
function withFile<R>({ path }: SpillFile, flags: 'r' | 'r+', body: (file: number) => R): R {
  let file: number | undefined;
  try {
    file = openSync(path, flags);
    return body(file);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const what = flags === 'r' ? 'read back' : 'written';
    const remedy = 'make room there, or name a folder on another disk';
    const text = `${path}: documents cannot be ${what} (${error.message}); ${remedy}`;
    throw new SystemError('ERR_LIMIT', text, { cause: error });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Takes room at the end of the file; returns its first byte. */
function takePlace({ end }: SpillFile, bytes: number): number {
  return Number(Atomics.add(new BigInt64Array(end), 0, BigInt(bytes)));
}

function write(thread: LoaderThread, file: number, at: number, from: number, bytes: number): void {
  for (let done = 0; done < bytes;) {
    const offset = from - thread.scratch + done;
    done += writeSync(file, thread.bytes, offset, bytes - done, at + done);
  }
}

function read(thread: LoaderThread, file: number, at: number, to: number, bytes: number): void {
  assert(to + bytes <= thread.end, 'scratch holds a block');
  for (let done = 0; done < bytes;) {
    const offset = to - thread.scratch + done;
    const got = readSync(file, thread.bytes, offset, bytes - done, at + done);
    if (got === 0) throw new SystemError('ERR_DATA', 'the file of documents was cut off by others');
    done += got;
  }
}

/** Writes documents that lie in scratch, at their exact size; their first entry is entry 0. */
function writeRows(thread: LoaderThread, spill: SpillFile, at: number, rows: RawRows): void {
  const place = blockAt({ ...rows, tokens: 0 }, at);
  const { documents, nonzeros } = rows;
  const end = at + blockBytes(rows); // the padding behind the targets is a part of the block
  withFile(spill, 'r+', (file) => {
    write(thread, file, place.rowStart, rows.rowStart, (documents + 1) * 4);
    write(thread, file, place.index, rows.index, nonzeros * 4);
    write(thread, file, place.count, rows.count, nonzeros * 4);
    write(thread, file, place.target, rows.target, end - place.target);
  });
}

/** Writes what was parsed; returns its place in the file. */
export function spillRows(thread: LoaderThread, spill: SpillFile, rows: RawRows): number {
  const at = takePlace(spill, blockBytes(rows));
  writeRows(thread, spill, at, rows);
  return at;
}

/** The documents of a raw block, in scratch. */
function readRows(thread: LoaderThread, spill: SpillFile, raw: SpilledRows): RawRows {
  const to = thread.text;
  withFile(spill, 'r', (file) => read(thread, file, raw.at, to, blockBytes(raw)));
  return cutRows(thread.arena.i32, blockAt({ ...raw, tokens: 0 }, to), raw.from, raw.to);
}

/** Finishes documents in scratch and writes them at `at`, where they lay. */
function finishRows(
  thread: LoaderThread,
  spill: SpillFile,
  rows: RawRows,
  { rules, at }: { readonly rules: WordRules; readonly at: number },
): FinishedBlock {
  const { i32 } = thread.arena;
  const { documents } = rows;
  const before = runStep(thread, totalStep(i32, rows)) ?? 0;
  const nonzeros = runStep(thread, bagsStep(rows, rules)) ?? 0;
  const done = { ...rows, nonzeros };
  const tokens = runStep(thread, totalStep(i32, done)) ?? 0;
  const empty = runStep(thread, emptyStep(done)) ?? 0;
  writeRows(thread, spill, at, done);
  return { documents, tokens, nonzeros, at, before, empty };
}

/** Counts or finishes the documents of a raw block. */
export function finishSpilled(thread: LoaderThread, task: SpilledTask): SpilledResult {
  const { file, raw, work, control } = task;
  if (isCancelled(control)) return { kind: 'spilled', blocks: [] };
  const rows = readRows(thread, file, raw);
  switch (work.op) {
    case 'count':
      runStep(thread, documentsStep(thread.arena.i32, rows, work.table));
      return { kind: 'spilled', blocks: [] };
    case 'finish': {
      if (raw.labels !== null) runStep(thread, labelStep(rows, raw.labels));
      const block = finishRows(thread, file, rows, { rules: work.rules, at: raw.at });
      return { kind: 'spilled', blocks: [block] };
    }
    default:
      return unreachable(work);
  }
}
