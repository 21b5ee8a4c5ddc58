// The private folder that a load makes for the file of its documents.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SystemError } from '../../base/errors.ts';
import type { SpillFile } from './tasks.ts';

export type SpillFolder = {
  readonly file: SpillFile;
  /** Removes the file and its folder. */
  remove(): Promise<void>;
};

/** Makes a folder for this load in `directory`, which is made where there is none, and the file. */
export async function openSpillFolder(directory: string, rank: number): Promise<SpillFolder> {
  try {
    await mkdir(directory, { recursive: true });
    const folder = await mkdtemp(join(directory, 'perpetuum-'));
    const path = join(folder, `documents-${rank}`);
    await writeFile(path, '', { flag: 'wx', mode: 0o600 });
    return {
      file: { path, end: new SharedArrayBuffer(8) },
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  } catch (error) {
    const rule = 'documents are read into a file in this folder';
    const remedy = 'name one that can be written';
    const text = `${directory}: ${rule}; it cannot be made (${(error as Error).message}); ${remedy}`;
    throw new SystemError('ERR_CONFIG', text, { cause: error });
  }
}
