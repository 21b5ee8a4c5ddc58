// Bytes between a file and the shared memory, synchronously: for threads that compute, and have
// nothing else to do until the bytes are there.
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { SystemError } from '../base/errors.ts';
import type { Arena } from '../memory/arena.ts';

export type FileBytes = {
  readonly path: string;
  /** Byte of the file. */
  readonly at: number;
  readonly bytes: number;
};

type Memory = Pick<Arena, 'u8'>;

function failed(path: string, verb: string, cause: unknown, remedy: string): SystemError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SystemError('ERR_DATA', `${path}: cannot be ${verb} (${why}); ${remedy}`, { cause });
}

/** Reads bytes of a file to an address. @throws ERR_DATA when they are not there. */
export function readSpilled({ u8 }: Memory, { path, at, bytes }: FileBytes, to: number): void {
  const remedy = 'something else has removed or changed it: train again';
  let got = 0;
  try {
    const file = openSync(path, 'r');
    try {
      while (got < bytes) {
        const more = readSync(file, u8, to + got, bytes - got, at + got);
        if (more === 0) break;
        got += more;
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw failed(path, 'read', cause, remedy);
  }
  if (got === bytes) return;
  throw failed(path, 'read', `it ends at byte ${at + got}, not ${at + bytes}`, remedy);
}

/** Writes bytes from an address to a file, which is made if need be. @throws ERR_DATA. */
export function writeSpilled({ u8 }: Memory, { path, at, bytes }: FileBytes, from: number): void {
  try {
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      for (let put = 0; put < bytes;) {
        put += writeSync(file, u8, from + put, bytes - put, at + put);
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw failed(path, 'written', cause, 'make room on the disk, or name another with --spill');
  }
}
