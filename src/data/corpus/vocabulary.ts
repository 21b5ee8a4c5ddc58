// A vocabulary file: a word a line, the first one is the first word of the corpus.
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { located, quoted } from '../parse/codes.ts';
import { isDamage } from '../parse/stream.ts';
import type { Session } from '../load/session.ts';

async function bytesOf(path: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const remedy = 'check the path and its permissions';
    const text = `${path}: cannot be read (${(error as Error).message}); ${remedy}`;
    throw new SystemError('ERR_DATA', text, { cause: error });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes);
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new SystemError('ERR_DATA', `${path}: the compressed file is damaged; fetch it again`);
  }
}

/** Words as they stand in a list, without blanks around them; trailing empty lines do not count. */
function wordLines(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').replace(/\s+$/, '');
  return lines === '' ? [] : lines.split('\n').map((line) => line.trim());
}

async function readWords(path: string): Promise<readonly string[]> {
  const words = wordLines((await bytesOf(path)).toString('utf8'));
  const seen = new Map<string, number>();
  for (const [i, word] of words.entries()) {
    const refuse = (rule: string) =>
      new SystemError('ERR_DATA', located(path, i + 1, 1, rule, quoted(word)));
    if (word === '') throw refuse('a vocabulary has a word on each line');
    const before = seen.get(word);
    if (before !== undefined) throw refuse(`a word stands once, this one is on line ${before} too`);
    if (i >= limits.columnsMax) throw refuse(`a vocabulary has at most ${limits.columnsMax} words`);
    seen.set(word, i + 1);
  }
  if (words.length > 0) return words;
  throw new SystemError('ERR_DATA', `${path}:1:1: the vocabulary has no words; found nothing`);
}

/** The file's words, the same on all hosts: rank 0 reads them. */
export async function vocabularyOf(
  session: Session,
  path: string | undefined,
): Promise<readonly string[]> {
  if (path === undefined) return [];
  const own = session.world.rank === 0 ? await readWords(path) : [];
  if (session.world.size === 1) return own;
  const [bytes] = await session.talk.gather(Buffer.from(own.join('\n')));
  return Buffer.from(bytes ?? [])
    .toString()
    .split('\n');
}

/**
 * Address of a map from words as files number them to the words of `known`: for files that have
 * another vocabulary than the training data.
 */
export function mapWords(
  session: Session,
  own: readonly string[],
  { known, base }: { readonly known: readonly string[]; readonly base: number },
): number {
  const numbers = new Map(known.map((word, i) => [word, i]));
  const map = Int32Array.from({ length: own.length + base }, (_, i) => {
    return numbers.get(own[i - base] ?? '') ?? -1;
  });
  const at = session.arena.allocate(map.byteLength);
  session.arena.i32.set(map, at / 4);
  return at;
}
