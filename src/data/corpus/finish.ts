// Parsed documents in their final form, and what the whole corpus has: the last steps of every
// reader of corpora.
import { SystemError } from '../../base/errors.ts';
import type { Corpus } from '../dataset.ts';
import type { Format } from '../tasks.ts';
import type { Session } from '../load/session.ts';
import { finishBlocks, ownDocuments, type Counts, type RawBlock } from './blocks.ts';

type Counted = 'kind' | 'first' | 'tokens' | 'nonzeros' | 'blocks' | 'names' | 'dates' | 'spill';

export type RawCorpus = Omit<Corpus, Counted> & {
  readonly path: string;
  readonly format: Format;
  /** Of all documents; those of other hosts have no places. */
  readonly blocks: readonly RawBlock[];
  /** Number of the first word in the blocks; 0 with a map. */
  readonly shift: number;
  /** Address of word in the blocks → word, −1: unknown; 0 for none. */
  readonly map: number;
  /** The words are those that occur often enough: what is left out was meant to be. */
  readonly chosen: boolean;
  /** Tokens of unknown words that are not in the blocks. */
  readonly unknown: number;
  readonly dated: boolean;
  readonly named: boolean;
  readonly warnings: readonly string[];
};

export type LoadedCorpus = Corpus & {
  readonly format: Format;
  /** Documents without a word, of the whole corpus. */
  readonly empty: number;
  /** What was left out or not understood, for people. */
  readonly warnings: readonly string[];
};

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

function warningsOf(facts: { dropped: number; empty: number; documents: number }): string[] {
  const { dropped, empty, documents } = facts;
  const lost = `${dropped} tokens of words that the vocabulary does not have were left out`;
  const bare = `${empty} of ${documents} documents have no word; they are kept, empty`;
  return [...(dropped > 0 ? [lost] : []), ...(empty > 0 ? [bare] : [])];
}

function leftOut({ dated, named }: Pick<RawCorpus, 'dated' | 'named'>): string[] {
  const what = [...(named ? ['names'] : []), ...(dated ? ['dates'] : [])].join(' and ');
  return what === '' ? [] : [`${what} of documents that are read into a file are left out`];
}

function datesOf({ arena }: Session, blocks: readonly RawBlock[]): Float64Array {
  const parts = blocks.map(({ dates, documents }) =>
    arena.f32.subarray(dates / 4, dates / 4 + documents),
  );
  const all = new Float64Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The corpus of this host's documents, with the counts of all hosts'. */
export async function finish(session: Session, raw: RawCorpus): Promise<LoadedCorpus> {
  const { path, format, documents, words, map, shift, warnings, unknown, dated, named, chosen } =
    raw;
  const { base, vocabulary, classes } = raw;
  const own = ownDocuments(session, raw);
  const { counts, ...kept } = await finishBlocks(session, own.blocks, {
    ...{ base: shift, words, map },
    path,
  });
  const all = await session.talk.exchange(counts);
  const total = (of: (host: Counts) => number) => sum(all.map(of));
  const [had, have] = [total((host) => host.before), total((host) => host.tokens)];
  if (have === 0) {
    const rule = had + unknown === 0 ? 'the corpus has no words' : 'no word of the corpus is left';
    const found = `${documents} documents, ${had + unknown} tokens`;
    throw new SystemError('ERR_DATA', `${path}: ${rule}; found ${found}`);
  }
  const empty = total((host) => host.empty);
  const dropped = chosen ? 0 : had - have + unknown;
  const inFile = session.spill !== undefined;
  return {
    ...{ kind: 'corpus', format, documents, words, base, vocabulary, classes, first: own.first },
    ...{ ...kept, tokens: have, nonzeros: total((host) => host.nonzeros), empty },
    names: inFile ? [] : own.blocks.flatMap(({ names }) => names),
    ...(dated && !inFile && { dates: datesOf(session, own.blocks) }),
    warnings: [
      ...warnings,
      ...(inFile ? leftOut({ dated, named }) : []),
      ...warningsOf({ dropped, empty, documents }),
    ],
  };
}
