// The tasks of a loader thread, one function each.
import { closeSync, openSync, readSync } from 'node:fs';
import { assert, unreachable } from '../../base/assert.ts';
import { SystemError, toFault } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type {
  ImagesTask,
  LabelsResult,
  LabelsTask,
  LoaderResult,
  LoaderTask,
  ParseResult,
  ParseTask,
  Piece,
  RowsResult,
  RowsTask,
  Source,
} from '../tasks.ts';
import { parseLines, type Progress } from './chunk.ts';
import { code, type Violation } from './codes.ts';
import { probe } from '../probe/probe.ts';
import { openLexicon, readDocuments } from './text.ts';
import { finishSpilled } from './spilled.ts';
import { steps } from './steps.ts';
import { addProgress, isCancelled, isDamage, readPieces } from './stream.ts';
import type { LoaderThread } from './thread.ts';
import { createCutter, readChunk } from './window.ts';

function nothingYet(): Progress {
  const none = { lines: 0, rows: 0, dropped: 0, broken: 0, last: 0, bytesRead: 0 };
  return { ...none, bytesOnly: true, pieces: [], places: [] };
}

function stopped(done: Progress): Violation {
  return { code: code.stopped, line: done.lines, column: 1, found: '', field: 0 };
}

function resultOf({ bytesRead: _, last: __, ...done }: Progress): ParseResult {
  return { kind: 'parsed', ...done };
}

/** Parses one chunk of a plain file, or all chunks of a compressed one. */
async function parse(thread: LoaderThread, task: ParseTask): Promise<ParseResult> {
  const { source, chunk } = task;
  const done = nothingYet();
  const take = (begin: number, end: number, tooLong: boolean): boolean => {
    if (isCancelled(source.control)) done.violation = stopped(done);
    else if (parseLines(thread, task, begin, end, done) && tooLong) {
      const found = `${limits.lineBytesMax} bytes and more`;
      done.violation = { ...stopped(done), code: code.longLine, found };
    }
    return done.violation === undefined;
  };
  if (chunk === 'all') {
    await parseStream(thread, source, take, done);
  } else {
    const file = openSync(source.path, 'r');
    try {
      readChunk(thread, file, source, chunk, take);
    } finally {
      closeSync(file);
    }
    addProgress(source.control, source.chunkBytes);
  }
  return resultOf(done);
}

async function parseStream(
  thread: LoaderThread,
  source: Source,
  take: (begin: number, end: number, tooLong: boolean) => boolean,
  done: Progress,
): Promise<void> {
  const cutter = createCutter(thread, source, take);
  try {
    const onRead = (bytesRead: number) => void (done.bytesRead = bytesRead);
    for await (const piece of readPieces(source, onRead)) if (!cutter.push(piece)) break;
    if (done.violation === undefined) cutter.finish();
  } catch (error) {
    if (!isDamage(error)) throw error;
    // What came through whole is judged first: the first violation in the file wins.
    if (!cutter.flushLines()) return;
    const column = cutter.rest() + 1;
    done.violation = { ...stopped(done), code: code.damaged, column, found: 'no more data' };
  }
  if (isCancelled(source.control)) done.violation ??= stopped(done);
}

function imagePiece(rows: number, x: number): Piece {
  const none = { nonzeros: 0, target: 0, rowStart: 0, index: 0, value: 0 };
  const labels = { texts: '', places: new Int32Array(0) };
  const extent = { lowest: 0, highest: 0, lowestItem: 0, highestItem: 0 };
  return {
    ...none,
    labels,
    ...extent,
    sum: 0,
    minimum: 0,
    maximum: 0,
    names: '',
    dates: 0,
    rows,
    x,
    storage: 'u8',
    kept: true,
  };
}

/** Fills a buffer of `wanted` bytes from pieces and hands it over each time it is full. */
function createFiller(bytes: Buffer, base: number, take: (length: number) => number) {
  let used = 0;
  let wanted = take(0);
  return {
    push(piece: Uint8Array): boolean {
      for (let at = 0; at < piece.length;) {
        if (wanted === 0) return false;
        const part = piece.subarray(at, at + wanted - used);
        bytes.set(part, base + used);
        used += part.length;
        at += part.length;
        if (used < wanted) continue;
        wanted = take(used);
        used = 0;
      }
      return true;
    },
  };
}

/** Bytes of the data proper that came, whether more follow, whether inflating failed. */
type Filled = { readonly read: number; readonly more: boolean; readonly damaged: boolean };

/**
 * Hands over the bytes from source.dataAt + from on, as many at a time as `take` asks for; 0 ends.
 */
async function fill(
  thread: LoaderThread,
  source: Source,
  from: number,
  take: (length: number) => number,
): Promise<Filled> {
  const { bytes, scratch, text } = thread;
  let read = 0;
  if (!source.gzip) {
    const file = openSync(source.path, 'r');
    try {
      let position = source.dataAt + from;
      for (let wanted = take(0); wanted > 0;) {
        const got = readSync(file, bytes, text - scratch, wanted, position);
        read += got;
        if (got < wanted) break;
        position += got;
        addProgress(source.control, got);
        wanted = take(got);
      }
    } finally {
      closeSync(file);
    }
    return { read, more: false, damaged: false };
  }
  const filler = createFiller(bytes, text - scratch, take);
  let skip = source.dataAt + from;
  let more = false;
  try {
    for await (const piece of readPieces(source)) {
      const skipped = Math.min(skip, piece.length);
      skip -= skipped;
      read += piece.length - skipped;
      more = !filler.push(piece.subarray(skipped));
      if (more) break;
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { read, more, damaged: true };
  }
  return { read, more, damaged: false };
}

/** A file whose size is not the one its header promises. The whole file counts as one line. */
function sizeViolation(source: Source, total: number, how: Filled): Violation | undefined {
  if (how.read === total && !how.damaged) return undefined;
  const column = source.dataAt + Math.min(how.read, total) + 1;
  const found = how.more ? 'more bytes' : 'the end of the file';
  return { code: how.damaged ? code.damaged : code.other, line: 0, column, found, field: 0 };
}

/** Pixels of an idx file into zero-padded rows. */
async function images(thread: LoaderThread, task: ImagesTask): Promise<ParseResult> {
  const { rowBytes, stride, rows, blockRows, source, keep } = task;
  const done = nothingYet();
  const how = await fill(thread, source, task.firstRow * rowBytes, (length) => {
    const got = length / rowBytes;
    const row = task.firstRow + done.rows;
    const from = Math.max(keep.first - row, 0);
    const kept = Math.min(keep.last - row, got) - from;
    if (kept > 0) {
      const x = thread.arena.allocate(kept * stride);
      thread.kernels.u8_rows_pad(kept, rowBytes, stride, thread.text + from * rowBytes, x);
      done.pieces.push(imagePiece(kept, x));
    }
    done.rows += got;
    if (isCancelled(source.control)) done.violation = stopped(done);
    return done.violation ? 0 : Math.min(blockRows, rows - done.rows) * rowBytes;
  });
  const violation = done.violation ?? sizeViolation(source, rows * rowBytes, how);
  return { ...resultOf(done), ...(violation && { violation }) };
}

/** Labels of an idx file, one byte each, into i32. */
async function labels(thread: LoaderThread, task: LabelsTask): Promise<LabelsResult> {
  const { source, rows } = task;
  const { kernels, maps } = thread;
  const target = thread.arena.allocate(rows * 4);
  kernels.bytes_zero(1024, maps);
  let done = 0;
  const how = await fill(thread, source, 0, (length) => {
    kernels.u8_labels(length, maps, thread.text, target + done * 4);
    done += length;
    return Math.min(limits.chunkBytes, rows - done);
  });
  const violation = sizeViolation(source, rows, how);
  const seen = [...thread.u32.subarray(maps / 4, maps / 4 + 256)];
  return { kind: 'labels', target, seen, ...(violation && { violation }) };
}

/** Cuts rows into blocks of about the same number of entries; counts become cursors. */
function cutRows(thread: LoaderThread, task: RowsTask): RowsResult {
  const { kernels, arena } = thread;
  const blocks = [];
  let first = 0;
  for (let row = 0; row < task.rows;) {
    const counts = task.counts + row * 4;
    const most = Math.min(task.blockRows, task.rows - row);
    const rows = kernels.csr_take_rows(most, task.blockEntries, counts);
    const rowStart = arena.allocate((rows + 1) * 4);
    const next = kernels.csr_row_starts(rows, first, counts, rowStart);
    blocks.push({ rows, first, nonzeros: next - first, rowStart });
    first = next;
    row += rows;
  }
  return { kind: 'rows', total: first, blocks };
}

async function run(thread: LoaderThread, task: LoaderTask): Promise<LoaderResult> {
  switch (task.kind) {
    case 'probe':
      return { kind: 'probe', probe: await probe(task) };
    case 'parse':
      return parse(thread, task);
    case 'images':
      return images(thread, task);
    case 'labels':
      return labels(thread, task);
    case 'steps':
      return steps(thread, task);
    case 'rows':
      return cutRows(thread, task);
    case 'lexicon':
      return openLexicon(thread, task);
    case 'documents':
      return readDocuments(thread, task);
    case 'spilled':
      return finishSpilled(thread, task);
    default:
      return unreachable(task);
  }
}

/** The path of the file that a task reads. */
function pathOf(task: LoaderTask): string {
  return 'source' in task ? task.source.path : 'path' in task ? task.path : 'memory';
}

/**
 * Runs a task. What the world did wrong is an answer, because errors lose their code between
 * threads.
 */
export async function runLoaderTask(thread: LoaderThread, task: LoaderTask): Promise<LoaderResult> {
  try {
    return await run(thread, task);
  } catch (error) {
    if (error instanceof SystemError) return { kind: 'failure', ...toFault(error) };
    if (error instanceof Error && 'syscall' in error) {
      const remedy = 'check the path and its permissions';
      const message = `${pathOf(task)}: cannot be read (${error.message}); ${remedy}`;
      return { kind: 'failure', code: 'ERR_DATA', message };
    }
    const fault = toFault(error);
    assert(fault.code !== undefined, 'a fault has a code');
    return { kind: 'failure', ...fault };
  }
}
