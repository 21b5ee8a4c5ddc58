// The bytes of a file as they come, inflated when it is compressed: libuv inflates the next piece
// while the caller works on this one.
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { controlCell, PROGRESS_CELL, type Source } from '../tasks.ts';

const READ_BYTES = 256 * 1024;
/** About one chunk, so that inflating and parsing take turns of about the same length. */
const INFLATED_BYTES = 1024 * 1024;

/** True for what zlib throws at damaged input; other errors are the file system's. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^Z_/.test(code);
}

export function isCancelled(control: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(control), controlCell.cancel) !== 0;
}

export function addProgress(control: SharedArrayBuffer, bytes: number): void {
  Atomics.add(new BigInt64Array(control), PROGRESS_CELL, BigInt(Math.round(bytes)));
}

/**
 * Pieces of the file, in order. Ends early when the load is cancelled. Several gzip members follow
 * on. `onRead` is told how much of the file has been read when a piece comes.
 */
export async function* readPieces(
  source: Pick<Source, 'path' | 'gzip' | 'control'>,
  onRead?: (bytesRead: number) => void,
) {
  const file = createReadStream(source.path, { highWaterMark: READ_BYTES });
  const closed = new Promise<void>((resolve) => file.once('close', () => resolve()));
  // Errors of the file reach the loop below through the pipeline.
  const pieces = source.gzip
    ? pipeline(file, createGunzip({ chunkSize: INFLATED_BYTES }), () => undefined)
    : file;
  let counted = 0;
  try {
    for await (const piece of pieces) {
      addProgress(source.control, file.bytesRead - counted);
      counted = file.bytesRead;
      onRead?.(counted);
      if (isCancelled(source.control)) return;
      yield piece as Uint8Array;
    }
  } finally {
    pieces.destroy();
    file.destroy();
    // The thread may sleep after this task: nothing may be left to its event loop.
    await closed;
  }
}
