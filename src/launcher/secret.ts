// The secret of a run: what its hosts know and nobody else. It is never on a command line, in an
// environment or in a message.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { SystemError } from '../base/errors.ts';

const secretBytesMin = 16;
const secretBytesMax = 1024 * 1024;

/** A secret for one launch. */
export function freshSecret(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

/**
 * The secret that a file stands for: the SHA-256 of its bytes.
 * @returns it, and a warning when others may read the file.
 * @throws ERR_CONFIG when the file cannot be read or is too short to be a secret.
 */
export function readSecret(path: string): { secret: Uint8Array; warning: string | undefined } {
  let bytes: Buffer;
  let mode: number;
  try {
    const about = statSync(path);
    if (about.size > secretBytesMax) throw new Error(`it has ${about.size} bytes`);
    bytes = readFileSync(path);
    mode = about.mode;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const next = 'make one: head -c 32 /dev/urandom > secret; chmod 600 secret';
    throw new SystemError('ERR_CONFIG', `--secret ${path} cannot be read: ${why}\n${next}`);
  }
  if (bytes.length < secretBytesMin) {
    const rule = `--secret must be a file of at least ${secretBytesMin} bytes`;
    const next = 'make one: head -c 32 /dev/urandom > secret; chmod 600 secret';
    throw new SystemError('ERR_CONFIG', `${rule}, ${path} has ${bytes.length}\n${next}`);
  }
  const open = process.platform !== 'win32' && (mode & 0o077) !== 0;
  const warning = open ? `--secret ${path} can be read by others: chmod 600 ${path}` : undefined;
  return { secret: new Uint8Array(createHash('sha256').update(bytes).digest()), warning };
}
