// Files that this host does not have and rank 0 does: each is a sparse file in a private folder,
// into which the bytes that a task reads are fetched before the task runs.
import { open, mkdtemp, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { World } from '../../base/world.ts';
import type { LoaderTask } from '../tasks.ts';

const LINE_FEED = 10;
/** A chunk's last line ends somewhere behind it: looked for in pieces of this size. */
const TAIL_BYTES = 64 * 1024;

type Borrowed = {
  readonly remote: string;
  readonly local: string;
  readonly bytes: number;
  readonly file: FileHandle;
  /** What was asked for, as `first-last`. */
  readonly fetched: Map<string, Promise<void>>;
};

export type Files = {
  /** Where this host reads the file that messages call `path`. */
  placeOf(path: string): string;
  /** From now on this host reads the file at a path of its own. */
  alias(path: string, own: string): void;
  /** From now on the file comes from rank 0. */
  borrow(path: string, bytes: number): Promise<void>;
  /** Returns when the bytes that a task reads are here. */
  bring(task: LoaderTask): Promise<void>;
  /** Removes what was borrowed. */
  close(): Promise<void>;
};

/** Bytes of a file, `'none'` when there is no such file, `'unknown'` when reading will say why. */
export async function sizeOf(path: string): Promise<number | 'none' | 'unknown'> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : 'unknown';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' ? 'none' : 'unknown';
  }
}

/** The bytes that a task reads: up to `last`, and if it is lines to the end of the one there. */
function rangeOf(task: LoaderTask, bytes: number) {
  const whole = { first: 0, last: bytes, lines: false };
  if (task.kind === 'parse' && task.chunk !== 'all') {
    const { chunkBytes } = task.source;
    const first = Math.max(task.chunk * chunkBytes - 1, 0);
    return { first, last: Math.min((task.chunk + 1) * chunkBytes, bytes), lines: true };
  }
  if (task.kind !== 'images' || task.source.gzip) return whole;
  const first = task.source.dataAt + task.firstRow * task.rowBytes;
  return { first, last: Math.min(first + task.rows * task.rowBytes, bytes), lines: false };
}

export function openFiles(world: World): Files {
  const places = new Map<string, string>();
  const borrowed = new Map<string, Borrowed>();
  let folder: string | undefined;

  async function copy(from: Borrowed, first: number, last: number): Promise<Uint8Array> {
    const piece = await world.readRemote(from.remote, first, last - first);
    if (piece.length !== last - first) {
      const rule = `${from.remote}: the file changed while it was read`;
      throw new SystemError('ERR_DATA', `${rule}; found ${piece.length} bytes at ${first}`);
    }
    await from.file.write(piece, 0, piece.length, first);
    return piece;
  }

  async function fetch(from: Borrowed, task: LoaderTask): Promise<void> {
    const { first, last, lines } = rangeOf(task, from.bytes);
    let ended = !lines;
    for (let at = first; at < last;) {
      const next = Math.min(at + limits.chunkBytes, last);
      const piece = await copy(from, at, next);
      if (next === last) ended ||= piece.at(-1) === LINE_FEED;
      at = next;
    }
    const end = Math.min(last + limits.lineBytesMax + TAIL_BYTES, from.bytes);
    for (let at = last; !ended && at < end; at += TAIL_BYTES) {
      const tail = await copy(from, at, Math.min(at + TAIL_BYTES, end));
      ended = tail.includes(LINE_FEED);
    }
  }

  return {
    placeOf: (path) => places.get(path) ?? path,
    alias: (path, own) => void places.set(path, own),
    async borrow(path, bytes) {
      if (places.has(path)) return;
      folder ??= await mkdtemp(join(tmpdir(), 'perpetuum-borrowed-'));
      const local = join(folder, String(borrowed.size));
      const file = await open(local, 'wx+', 0o600);
      borrowed.set(local, { remote: path, local, bytes, file, fetched: new Map() });
      places.set(path, local);
      await file.truncate(bytes);
    },
    async bring(task) {
      const from = 'source' in task ? borrowed.get(task.source.path) : undefined;
      if (from === undefined) return;
      const { first, last } = rangeOf(task, from.bytes);
      const key = `${first}-${last}`;
      const coming = from.fetched.get(key) ?? fetch(from, task);
      from.fetched.set(key, coming);
      await coming;
    },
    async close() {
      for (const { file } of borrowed.values()) await file.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
