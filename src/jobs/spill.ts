// The folder of a job whose documents lie in files: private, beside those of other jobs and hosts,
// and gone when the job ends, however it ends.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SystemError } from '../base/errors.ts';

async function makeFolder(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true });
    return await mkdtemp(join(directory, 'perpetuum-'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const rule = `--spill ${directory}: no folder can be made there (${why})`;
    throw new SystemError('ERR_CONFIG', `${rule}; name one on a disk with room`, { cause });
  }
}

/** Runs `body` with a folder in `directory`; with none when that is undefined. */
export async function withSpill<T>(
  directory: string | undefined,
  body: (folder: string | undefined) => Promise<T>,
): Promise<T> {
  if (directory === undefined) return body(undefined);
  const folder = await makeFolder(directory);
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
