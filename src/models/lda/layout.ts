// Where LDA keeps what it needs. Documents are cut into G parts (the run's partitions) and words
// into G blocks of about as many tokens; a part stays where it was read, blocks go round:
//
//             words   block 0   block 1   block 2         stratum t: part a has block (a + t) mod G
//   documents part 0 │   t 0   │   t 1   │   t 2   │
//             part 1 │   t 2   │   t 0   │   t 1   │      no two parts have the same words at once,
//             part 2 │   t 1   │   t 2   │   t 0   │       so n_kw is always right; n_k is a copy
//
// A part is sampled in windows of its documents: windows.ts.
//
//   buffer `lines`     G × 32 bytes, of this host's parts: places of { tokens' documents (or of
//                      their cells there), tokens' topics (exact sampling), starts by word,
//                      documents }, then { documents, tokens } and the bytes of { topics and
//                      documents, all four } of the window that is in turn
//   buffer `windows`   G × W × 32 bytes: the lines of all
//   buffer `entries`   the word-topic table, sparse by word: assembly/lda/sample.ts draws it
//   buffer `rows`, `lengths`, `blocks`    where a word's row is, how long, the cut of the words
//   buffer `totals`    n_k, as of the end of the last stratum; `copies`: G of them, one a part
import type { Corpus } from '../../data/dataset.ts';
import { SystemError } from '../../base/errors.ts';
import type { BufferSpec, Context, PushContext, Setup } from '../../program/program.ts';

export type LdaOptions = {
  readonly topics: number;
  /** Of every topic, when training starts. */
  readonly alpha: number;
  readonly beta: number;
  readonly passes: number;
  /** Passes from one log-likelihood to the next. */
  readonly evaluateInterval: number;
  /** Passes from one step of α and β to the next; 0: they stay. */
  readonly optimizeInterval: number;
  /** W: a pass samples window after window. */
  readonly windows: number;
  readonly sampler: SamplerName;
};

/** The samplers of a token's topic: sampler.ts. */
export type SamplerName = 'exact' | 'mh';

export type LdaShape = {
  /** K, and K padded to whole sums of the sampler. */
  readonly topics: number;
  readonly padded: number;
  /** V. */
  readonly words: number;
  /** Bits of a topic's number in a document's entry; what is left counts. */
  readonly bits: number;
  /** Tokens that a document has fewer of. */
  readonly tokensMax: number;
};

/** Parts of the documents and blocks of the words: small enough for a near cache, few enough. */
export const gridMin = 8;

/** Corpora are all that reaches the programs of lda. */
export const corpusOf = (data: unknown): Corpus => data as Corpus;

export function ldaShape({
  data,
  options,
}: Pick<Setup<LdaOptions>, 'options'> & { data: unknown }) {
  const { topics } = options;
  const bits = 32 - Math.clz32(topics);
  const shape: LdaShape = {
    topics,
    padded: (topics + 31) & ~31,
    words: corpusOf(data).words,
    ...{ bits, tokensMax: 2 ** (32 - bits) },
  };
  return shape;
}

/** Words of i32 of a part's line. */
export const line = {
  ...{ places: 0, topics: 1, starts: 2, documents: 3 },
  ...{ count: 4, tokens: 5, changing: 6, bytes: 7 },
} as const;
const lineBytes = 32;

/** f64 cells of what was measured of a part, and of the block of the same number. */
export const sum = { documents: 0, documentEntries: 1, words: 2, wordEntries: 3 } as const;
export const sumCells = 4;

/** f64 cells that outlive the run. */
export const result = { likelihood: 0, beta: 1, alphaSum: 2, drift: 3, sampled: 4 } as const;
const resultsBytes = 64;

export type LdaState = {
  readonly shape: LdaShape;
  /** Of the sampler, in this thread's scratch: see assembly/lda/sample.ts. */
  readonly plan: number;
  /** V × i32, for building a part. */
  readonly cursors: number;
  /** Room for a block that lies in a file. */
  readonly staging: number;
};
export type LdaContext = PushContext<LdaOptions, LdaState>;
type Place = Pick<Context<LdaOptions>, 'arena' | 'buffer'>;

/** Its places may be above 2 GiB. */
export const lineOf = ({ arena, buffer }: Place, part: number): Uint32Array =>
  new Uint32Array(arena.memory.buffer, buffer('lines') + part * lineBytes, lineBytes / 4);

/** The line of window `window` of part `part`. */
export function windowLine(ctx: Place & Pick<Setup<LdaOptions>, 'options'>, part: number) {
  const { arena, buffer, options } = ctx;
  const at = buffer('windows') + part * options.windows * lineBytes;
  return (window: number) =>
    new Uint32Array(arena.memory.buffer, at + window * lineBytes, lineBytes / 4);
}

/** The f64 sums of part `part`. */
export const sumsAt = ({ buffer }: Place, part: number) => buffer('sums') + part * sumCells * 8;

export function resultsOf({ arena, buffer }: Place): Float64Array {
  const at = buffer('results') / 8;
  return arena.f64.subarray(at, at + resultsBytes / 8);
}

/** First word of block `block`; of block G, the number of words. */
export function blockStart({ arena, buffer }: Place, block: number): number {
  return arena.i32[buffer('blocks') / 4 + block] ?? 0;
}

export function ldaBuffers(setup: Setup<LdaOptions>): readonly BufferSpec[] {
  const { partitions: grid, workers } = setup;
  const { words, tokens, documents } = corpusOf(setup.data);
  const { topics, padded } = ldaShape(setup);
  const { windows } = setup.options;
  // Documents that are not in memory are not saved either.
  const saved = corpusOf(setup.data).spill === undefined;
  // Words have at most as many topics as tokens: how many in all is known when they are counted.
  const entries = Math.min(tokens, words * topics);
  const bytes: Readonly<Record<string, number>> = {
    lines: grid * lineBytes,
    windows: grid * windows * lineBytes,
    blockTokens: grid * grid * 4,
    workerCounts: workers * words * 4,
    counts: words * 4,
    rows: (words + 1) * 4,
    lengths: words * 4,
    blocks: (grid + 1) * 4,
    entries: entries * 8,
    totals: topics * 4,
    copies: grid * topics * 4,
    alpha: padded * 8,
    alpha32: padded * 4,
    sums: grid * sumCells * 8,
    documentTotals: grid * topics * 4,
    wordTotals: grid * topics * 4,
    slopes: grid * (topics + 2) * 8,
    results: resultsBytes,
    wordStarts: (words + 1) * 4,
    wordTopics: entries * 4,
    wordCounts: entries * 4,
    docStarts: saved ? (documents + 1) * 4 : 4,
    docTopics: saved ? tokens * 4 : 0,
    docCounts: saved ? tokens * 4 : 0,
  };
  return Object.entries(bytes).map(([name, size]) => ({ name, bytes: size }));
}

/** @throws ERR_LIMIT when a document has too many tokens for a topic's count. */
export function tooLong({ topics, tokensMax }: LdaShape): SystemError {
  const rule = `with ${topics} topics a document has fewer than ${tokensMax} tokens`;
  return new SystemError('ERR_LIMIT', `${rule}: cut longer ones, or use fewer topics`);
}
