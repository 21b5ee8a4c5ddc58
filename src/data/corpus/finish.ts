// Parsed documents in their final form, and what the whole corpus has: the last steps of every
// reader of corpora.
import { SystemError } from '../../base/errors.ts';
import type { Corpus, CorpusBlock } from '../dataset.ts';
import type { Format, Step } from '../tasks.ts';
import type { Session } from '../load/session.ts';
import { ownBlocks } from '../load/shares.ts';

/** A block as it was parsed: words as in the file, in any order, some of them twice. */
export type RawBlock = Omit<CorpusBlock, 'tokens'> & {
  /** A name a document; none when empty. */
  readonly names: readonly string[];
  /** documents × f32 years; 0 for none. */
  readonly dates: number;
};

type Counted = 'kind' | 'first' | 'tokens' | 'nonzeros' | 'blocks' | 'names' | 'dates';

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
  readonly warnings: readonly string[];
};

export type LoadedCorpus = Corpus & {
  readonly format: Format;
  /** Documents without a word, of the whole corpus. */
  readonly empty: number;
  /** What was left out or not understood, for people. */
  readonly warnings: readonly string[];
};

/** Tokens that one host can count in an i32. */
const TOKENS_MAX = 2 ** 31 - 1;

/** Documents [from, to) of a block. */
function cut(session: Session, block: RawBlock, from: number, to: number): RawBlock {
  const { i32 } = session.arena;
  const entry = (row: number) => i32[block.rowStart / 4 + row] ?? 0;
  return {
    ...block,
    documents: to - from,
    nonzeros: entry(to) - entry(from),
    rowStart: block.rowStart + from * 4,
    target: block.target + from * 4,
    names: block.names.slice(from, to),
    dates: block.dates === 0 ? 0 : block.dates + from * 4,
  };
}

/** The documents of this host, and the number of the first. */
export function ownDocuments(session: Session, documents: number, blocks: readonly RawBlock[]) {
  return ownBlocks(session, blocks, {
    rows: documents,
    rowsOf: (block) => block.documents,
    cut: (block, from, to) => cut(session, block, from, to),
  });
}

async function totals(session: Session, blocks: readonly RawBlock[]): Promise<readonly number[]> {
  const { i32 } = session.arena;
  const steps = blocks.map(({ nonzeros: n, count, rowStart }): Step => {
    return { op: 'total', n, at: count + (i32[rowStart / 4] ?? 0) * 4 };
  });
  return session.steps(steps);
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

function warningsOf(facts: { dropped: number; empty: number; documents: number }): string[] {
  const { dropped, empty, documents } = facts;
  const lost = `${dropped} tokens of words that the vocabulary does not have were left out`;
  const bare = `${empty} of ${documents} documents have no word; they are kept, empty`;
  return [...(dropped > 0 ? [lost] : []), ...(empty > 0 ? [bare] : [])];
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
  const { path, format, documents, words, map, shift, warnings, unknown, dated, chosen, ...facts } =
    raw;
  const own = ownDocuments(session, documents, raw.blocks);
  const before = sum(await totals(session, own.blocks));
  if (before > TOKENS_MAX) {
    const rule = `a host holds at most ${TOKENS_MAX} tokens; use more hosts or fewer documents`;
    throw new SystemError('ERR_LIMIT', `${path}: ${rule}; found ${before}`);
  }
  const entries = await session.steps(
    own.blocks.map(({ documents: rows, rowStart, index, count }): Step => {
      return { op: 'bags', rows, base: shift, words, map, rowStart, index, count };
    }),
  );
  const bare = own.blocks.map((block, i) => ({ ...block, nonzeros: entries[i] ?? 0 }));
  const tokens = await totals(session, bare);
  const empties = await session.steps(
    bare.map(({ documents: rows, rowStart }): Step => ({ op: 'empty', rows, rowStart })),
  );
  const mine = [before, sum(tokens), sum(entries), sum(empties)];
  const all = await session.talk.exchange(mine);
  const [had = 0, have = 0, nonzeros = 0, empty = 0] = mine.map((_, i) =>
    sum(all.map((host) => host[i] ?? 0)),
  );
  if (have === 0) {
    const rule = had + unknown === 0 ? 'the corpus has no words' : 'no word of the corpus is left';
    const found = `${documents} documents, ${had + unknown} tokens`;
    throw new SystemError('ERR_DATA', `${path}: ${rule}; found ${found}`);
  }
  const blocks = bare.map(({ names: _, dates: __, ...block }, i): CorpusBlock => {
    return { ...block, tokens: tokens[i] ?? 0 };
  });
  return {
    ...{ ...facts, kind: 'corpus', format, documents, words, first: own.first },
    ...{ blocks, tokens: have, nonzeros, empty },
    names: own.blocks.flatMap(({ names }) => names),
    ...(dated && { dates: datesOf(session, own.blocks) }),
    warnings: [
      ...warnings,
      ...warningsOf({ dropped: chosen ? 0 : had - have + unknown, empty, documents }),
    ],
  };
}
