// Bytes between files of documents and the shared memory, synchronously: for threads that compute,
// and have nothing else to do until the bytes are there.
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { SystemError } from '../../base/errors.ts';
import type { Arena } from '../../memory/arena.ts';

/** Bytes of a file, from `at` on, and where they are in memory. */
export type Extent = { readonly at: number; readonly address: number; readonly bytes: number };

export type OpenSpill = {
  /** @throws ERR_DATA when the file ends before. */
  read(extent: Extent): void;
  write(extent: Extent): void;
};

const modes = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR | constants.O_CREAT,
} as const;

function refused(path: string, mode: keyof typeof modes, cause: Error): SystemError {
  if (mode === 'write') {
    const text = `${path}: documents cannot be written (${cause.message})`;
    const remedy = 'make room there, or name a folder on another disk';
    return new SystemError('ERR_LIMIT', `${text}; ${remedy}`, { cause });
  }
  const text = `${path}: documents cannot be read back (${cause.message})`;
  return new SystemError('ERR_DATA', `${text}; leave the file alone while the job runs`, { cause });
}

function opened(file: number, path: string, { u8 }: Pick<Arena, 'u8'>): OpenSpill {
  return {
    read({ at, address, bytes }) {
      for (let done = 0; done < bytes;) {
        const got = readSync(file, u8, address + done, bytes - done, at + done);
        if (got === 0) throw refused(path, 'read', new Error(`it ends at byte ${at + done}`));
        done += got;
      }
    },
    write({ at, address, bytes }) {
      for (let done = 0; done < bytes;) {
        done += writeSync(file, u8, address + done, bytes - done, at + done);
      }
    },
  };
}

/**
 * Runs `body` with the file open; to be written, it is made where there is none.
 * @throws ERR_LIMIT when it cannot be written, ERR_DATA when it cannot be read.
 */
export function withSpill<R>(
  memory: Pick<Arena, 'u8'>,
  { path, mode }: { readonly path: string; readonly mode: keyof typeof modes },
  body: (file: OpenSpill) => R,
): R {
  let file: number | undefined;
  try {
    file = openSync(path, modes[mode], 0o600);
    return body(opened(file, path, memory));
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw refused(path, mode, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
