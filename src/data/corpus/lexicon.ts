// The words of texts: which ones count, how often documents have them, and what they are numbered
// in the end. Loader threads number words as they come (assembly/parse/words.ts), so the numbers
// depend on time; the vocabulary does not, for it is sorted.
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { TextOptions } from '../load-corpus.ts';
import type { Probe } from '../tasks.ts';
import type { Session } from '../load/session.ts';
import { countDocuments, type RawBlock } from './blocks.ts';
import { ENGLISH } from './stop-words.ts';
import { vocabularyOf } from './vocabulary.ts';

export type Lexicon = {
  /** Address of the table. */
  readonly table: number;
  /** Words that were given; empty: the texts' own. */
  readonly known: readonly string[];
  /** Number of the first word that is no stop word. */
  readonly stops: number;
};

/** A word has two letters or more where nothing else was asked for. */
const SHORTEST = 2;
/** Fewest documents of a word, and their largest share, where nothing else was asked for. */
const MIN_DOCUMENTS = 2;
const MAX_SHARE = 1;

export async function stopWordsOf(session: Session, stopWords: string): Promise<readonly string[]> {
  if (stopWords === 'none') return [];
  return stopWords === 'english' ? ENGLISH : vocabularyOf(session, stopWords);
}

/** Different words that texts of so many bytes may have; of compressed ones a guess, and ample. */
function room(bytes: number, gzip: boolean): number {
  const most = gzip ? bytes / 2 + 65_536 : bytes / 3 + 1024;
  return Math.min(limits.wordsMax, Math.ceil(most));
}

export async function openLexicon(
  session: Session,
  probes: readonly Pick<Probe, 'bytes' | 'gzip'>[],
  options: TextOptions & { readonly known: readonly string[] },
): Promise<Lexicon> {
  const { stopWords = 'english', minLength = SHORTEST, known } = options;
  const keep = new Set(known);
  const stop = (await stopWordsOf(session, stopWords)).filter((word) => !keep.has(word));
  const bytes = probes.reduce((sum, probe) => sum + probe.bytes, 0);
  const gzip = probes.some((probe) => probe.gzip);
  const given = known.length + stop.length;
  const { table } = await session.ask({
    ...{ kind: 'lexicon', threads: session.pool.threads, shortest: minLength },
    wordsMax: known.length > 0 ? given + 1 : given + room(bytes, gzip),
    ...{ stop: stop.join('\n'), keep: known.join('\n') },
  });
  return { table, known, stops: session.arena.i32[table / 4 + 10] ?? 0 };
}

type Found = { readonly entry: number; readonly text: string; readonly documents: number };

/** Words of the table that so many of this host's documents have. */
async function wordsHere(
  session: Session,
  { table }: Lexicon,
  [least, most]: readonly [number, number],
): Promise<Found[]> {
  const { arena } = session;
  const header = arena.i32.subarray(table / 4, table / 4 + 16);
  const [entries = 0] = header;
  const to = arena.allocate(entries * 4);
  const [count = 0] = await session.steps([{ op: 'select', table, least, most, to }]);
  const [entriesAt = 0, texts = 0] = [header[5], header[7]];
  // Words are ASCII nearly all: one string for all texts, and pieces of it.
  const bytes = Buffer.from(arena.memory.buffer, texts >>> 0, header[1] ?? 0);
  const ascii = bytes.toString('latin1');
  const foreign = /[^\0-\x7f]/;
  return Array.from({ length: count }, (_, i) => {
    const entry = arena.i32[to / 4 + i] ?? 0;
    const at = (entriesAt >>> 0) / 4 + entry * 4;
    const from = ((arena.i32[at] ?? 0) >>> 0) - (texts >>> 0);
    const end = from + (arena.i32[at + 1] ?? 0);
    const text = ascii.slice(from, end);
    return {
      entry,
      text: foreign.test(text) ? bytes.toString('utf8', from, end) : text,
      documents: arena.i32[at + 3] ?? 0,
    };
  });
}

/** Documents of each word, of all hosts. */
async function merged(session: Session, own: readonly Found[]): Promise<Map<string, number>> {
  const lines = own.map(({ text, documents }) => `${text}\t${documents}`);
  const all = await session.talk.gather(Buffer.from(lines.join('\n')));
  const documents = new Map<string, number>();
  for (const bytes of all) {
    const text = Buffer.from(bytes).toString();
    for (const line of text === '' ? [] : text.split('\n')) {
      const [word = '', n] = line.split('\t');
      documents.set(word, (documents.get(word) ?? 0) + Number(n));
    }
  }
  return documents;
}

export type Numbered = {
  readonly vocabulary: readonly string[];
  readonly shift: number;
  readonly map: number;
};

/** Numbers the words of documents: `blocks` are this host's, `documents` all. */
export async function numberWords(
  session: Session,
  lexicon: Lexicon,
  counted: TextOptions & {
    readonly path: string;
    readonly documents: number;
    readonly blocks: readonly RawBlock[];
  },
): Promise<Numbered> {
  const { table, known, stops } = lexicon;
  const { arena } = session;
  if (known.length > 0) return { vocabulary: known, shift: stops, map: 0 };
  const full = await session.talk.exchange(arena.i32[table / 4 + 2] ?? 0);
  if (full.some((flag) => flag !== 0)) {
    const rule = `texts have at most ${limits.wordsMax} different words`;
    const remedy = 'choose them with a vocabulary file, or make them longer with --min-length';
    throw new SystemError('ERR_LIMIT', `${counted.path}: ${rule}; ${remedy}`);
  }
  await countDocuments(session, counted.blocks, table);
  const { minDocuments = MIN_DOCUMENTS, maxShare = MAX_SHARE, documents } = counted;
  const alone = session.world.size === 1;
  const most = Math.floor(maxShare * documents);
  const here = await wordsHere(session, lexicon, alone ? [minDocuments, most] : [1, documents]);
  const all = alone ? undefined : await merged(session, here);
  const texts = all
    ? [...all].filter(([, n]) => n >= minDocuments && n <= most).map(([text]) => text)
    : here.map(({ text }) => text);
  const vocabulary = texts.sort();
  const numbers = new Map(vocabulary.map((word, i) => [word, i]));
  const entries = arena.i32[table / 4] ?? 0;
  const map = arena.allocate(entries * 4);
  arena.i32.fill(-1, map / 4, map / 4 + entries);
  for (const { entry, text } of here) arena.i32[map / 4 + entry] = numbers.get(text) ?? -1;
  return { vocabulary, shift: 0, map };
}
