// Cuts text into chunks: chunk k is the lines that begin in bytes [k·c, (k+1)·c) of the (inflated)
// file. Where chunks end depends on the file alone, never on threads or on how bytes arrive.
//
//   file    …│······k·c·········line·feed│line│line│… (k+1)·c ·····line·feed│…
//   chunk k                              └────────── one parse ────────────┘
import { readSync } from 'node:fs';
import { limits } from '../../base/limits.ts';
import type { LoaderThread } from './thread.ts';
import type { Source } from '../tasks.ts';

const LINE_FEED = 10;
const READ_BYTES = 256 * 1024;

/**
 * Takes the whole lines [begin, end), addresses in the shared memory. `tooLong` means that the line
 * behind them exceeds the limit. Returns false to stop.
 */
export type TakeLines = (begin: number, end: number, tooLong: boolean) => boolean;

function read(file: number, bytes: Buffer, at: number, wanted: number, position: number): number {
  let got = 0;
  while (got < wanted) {
    const more = readSync(file, bytes, at + got, wanted - got, position + got);
    if (more === 0) break;
    got += more;
  }
  return got;
}

/** Start of the line that the byte before `end` is in. */
function lastLine(bytes: Buffer, begin: number, end: number): number {
  const feed = end - 2 < begin ? -1 : bytes.lastIndexOf(LINE_FEED, end - 2);
  return Math.max(feed + 1, begin);
}

/** Reads chunk `chunk` of a plain file and hands over its lines, if any begin in it. */
export function readChunk(
  thread: LoaderThread,
  file: number,
  source: Source,
  chunk: number,
  take: TakeLines,
): void {
  const { bytes, scratch } = thread;
  const base = thread.text - scratch;
  const until = (chunk + 1) * source.chunkBytes;
  if (until <= source.dataAt) return;
  const atStart = chunk * source.chunkBytes <= source.dataAt;
  const from = atStart ? source.dataAt : chunk * source.chunkBytes - 1;
  let end = base + read(file, bytes, base, until - from, from);
  let begin = base;
  if (!atStart) {
    const feed = bytes.subarray(0, end).indexOf(LINE_FEED, base);
    if (feed < 0) return;
    begin = feed + 1;
  }
  if (begin >= end) return;
  const last = lastLine(bytes, begin, end);
  // The rest of the last line lies in the chunks behind.
  while (bytes[end - 1] !== LINE_FEED && end - last <= limits.lineBytesMax) {
    const got = read(file, bytes, end, READ_BYTES / 8, from + (end - base));
    const feed = bytes.subarray(0, end + got).indexOf(LINE_FEED, end);
    if (got === 0) bytes[end++] = LINE_FEED;
    else end = feed < 0 ? end + got : feed + 1;
  }
  const tooLong = end - last > limits.lineBytesMax;
  take(scratch + begin, scratch + (tooLong ? last : end), tooLong);
}

/** Cuts a stream of bytes into the same chunks. */
export function createCutter(thread: LoaderThread, source: Source, take: TakeLines) {
  const { bytes, scratch } = thread;
  const base = thread.text - scratch;
  const capacity = thread.textEnd - thread.text - 1;
  let skip = source.dataAt;
  let offset = source.dataAt; // of the window's first byte in the file
  let used = 0;
  let searched = 0;

  /** Hands over [base, base + end) and moves what follows to the front. */
  function cut(end: number): boolean {
    const last = lastLine(bytes, base, base + end) - base;
    const tooLong = end - last > limits.lineBytesMax;
    const go = take(scratch + base, scratch + base + (tooLong ? last : end), tooLong);
    bytes.copyWithin(base, base + end, base + used);
    offset += end;
    used -= end;
    searched = 0;
    return go && !tooLong;
  }

  function cutAll(): boolean {
    for (;;) {
      const boundary = (Math.floor(offset / source.chunkBytes) + 1) * source.chunkBytes;
      const from = Math.max(boundary - 1 - offset, searched);
      if (used <= from) return true;
      const feed = bytes.subarray(0, base + used).indexOf(LINE_FEED, base + from);
      if (feed >= 0) {
        if (!cut(feed + 1 - base)) return false;
        continue;
      }
      searched = used;
      const last = lastLine(bytes, base, base + used) - base;
      return used - last > limits.lineBytesMax ? cut(used) : true;
    }
  }

  return {
    /** False when no more is wanted. */
    push(piece: Uint8Array): boolean {
      const skipped = Math.min(skip, piece.length);
      skip -= skipped;
      for (let at = skipped; at < piece.length;) {
        const part = piece.subarray(at, at + capacity - used);
        bytes.set(part, base + used);
        used += part.length;
        at += part.length;
        if (!cutAll()) return false;
      }
      return true;
    },
    /** The last line may lack its line feed. */
    finish(): void {
      if (used === 0) return;
      if (bytes[base + used - 1] !== LINE_FEED) bytes[base + used++] = LINE_FEED;
      if (cutAll() && used > 0) cut(used);
    },
    /** Whole lines only: what an incomplete stream left. Returns false when take stopped. */
    flushLines(): boolean {
      const feed = used === 0 ? -1 : bytes.subarray(0, base + used).lastIndexOf(LINE_FEED);
      return feed < base || cut(feed + 1 - base);
    },
    /** Bytes of the unfinished line. */
    rest: () => used,
  };
}
