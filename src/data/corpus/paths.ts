// Which files a corpus of texts is: folders stand for the files in them.
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { SystemError } from '../../base/errors.ts';
import type { Session } from '../load/session.ts';

/** A file that is a document. */
export type TextFile = {
  readonly path: string;
  readonly bytes: number;
  /** Its path below the folder that was named. */
  readonly name: string;
};

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** True for a folder; what cannot be looked at is none, and reading it will say why. */
async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Files of a folder and of those in it, by path; hidden ones do not count. */
async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  const lists = await Promise.all(
    visible.map(async (entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? await filesUnder(path) : [path];
    }),
  );
  return lists.flat().sort(byText);
}

/** Paths at a time that the file system is asked about. */
const ASKED = 256;

/** The files that are documents, in the order of the paths, a folder's files by path. */
async function textFiles(paths: readonly string[]): Promise<readonly TextFile[]> {
  const named: { path: string; name: string }[] = [];
  for (const path of paths) {
    const folder = await isFolder(path);
    const files = folder ? await filesUnder(path) : [path];
    for (const file of files)
      named.push({ path: file, name: folder ? relative(path, file) : path });
  }
  const files: TextFile[] = [];
  for (let at = 0; at < named.length; at += ASKED) {
    const some = named.slice(at, at + ASKED).map(async (file) => {
      const bytes = await stat(file.path).then(
        ({ size }) => size,
        () => 0,
      );
      return { ...file, bytes };
    });
    files.push(...(await Promise.all(some)));
  }
  return files;
}

/**
 * The files that are a document each, or else those whose lines are. On several hosts rank 0 looks;
 * files that are documents every host must have.
 */
export async function listFiles(
  { world, talk }: Pick<Session, 'world' | 'talk'>,
  paths: readonly string[],
  documents: 'files' | 'lines' | undefined,
): Promise<{ readonly files?: readonly TextFile[]; readonly lines: readonly string[] }> {
  const look = async () => {
    const folders = await Promise.all(paths.map(isFolder));
    const folder = folders.includes(true);
    if (!folder && documents !== 'files') return { lines: paths };
    const files = await textFiles(paths);
    if (files.length === 0) {
      throw new SystemError('ERR_DATA', `${paths[0]}: the folder has no files; found none`);
    }
    return documents === 'lines' ? { lines: files.map(({ path }) => path) } : { files, lines: [] };
  };
  const [seen = { lines: paths }] = await talk.exchange(world.rank === 0 ? await look() : null);
  return seen ?? { lines: paths };
}
