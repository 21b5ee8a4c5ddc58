// Where medlda keeps what it needs. Documents are cut into G parts and words into G blocks, as for
// lda (lda/layout.ts draws the rotation); but a part's tokens are sorted by document, then by word:
//
//   tokens      document 0  │ block 0 │ block 1 │ … │  document 1  │ block 0 │ …
//
//   so the tokens of a document in a block of the words are a run, and what the classes say of the
//   document is computed once for all of them. Tables are dense, K topics padded to 8 a row:
//
//   buffer `documentRows`  D rows of i32, n_dk        `tokenStarts`  D + 1, where tokens begin
//   buffer `wordRows`      V rows of i32, n_kw        `wordTokens`   V + 1, running sums of N_w
//   buffer `meanRows`      V rows of i32, Σ n_kw of the last passes, and `meanTotals`
//   buffer `totals`        n_k, as of the end of the last stratum; `copies`: G of them, one a part
//   buffer `eta`           T rows of f32, the classes' weights     `lambda`  D × T f32
//
// On several hosts each has the documents of its workers' parts, all these at the same places, and
// of a block of words the rows while they are with one of its parts.
//
// assembly/medlda/plan.ts draws the plan that kernels find all this by.
import { assert } from '../../base/assert.ts';
import { createPrng } from '../../base/prng.ts';
import type { BufferSpec, Context, PushContext, Setup } from '../../program/program.ts';
import type { Range } from '../../base/ranges.ts';
import { ranges } from '../../scheduler/rotation.ts';
import { corpusOf } from '../lda/layout.ts';

export type MedldaOptions = {
  readonly topics: number;
  /** Of every topic. */
  readonly alpha: number;
  readonly beta: number;
  /** c: 2c is what a unit of hinge loss costs. */
  readonly cost: number;
  /** ℓ */
  readonly margin: number;
  readonly passes: number;
  /** Last passes whose weights, and counts of words, are averaged. */
  readonly samples: number;
};

/** f64 cells that outlive the run. */
export const result = { objective: 0, accuracy: 1, drift: 2 } as const;
const resultsBytes = 32;

/** f64 cells of what was measured of a part: Σ hinge loss, documents with a class, right ones. */
export const sum = { hinge: 0, known: 1, right: 2 } as const;
export const sumCells = 4;

export type MedldaState = {
  /** Of the kernels, in this thread's scratch. */
  readonly plan: number;
  /** A u64 of random numbers' state. */
  readonly random: number;
  /** A K × K system of f64 with its right-hand side, and room for its kernels. */
  readonly system: number;
  readonly work: number;
};
export type MedldaContext = PushContext<MedldaOptions, MedldaState>;
export type Place = Pick<Context<MedldaOptions>, 'arena' | 'buffer'>;

/** Bytes of a row of the tables. */
export const rowBytesOf = ({ topics }: MedldaOptions): number => ((topics + 7) & ~7) * 4;

export function resultsOf({ arena, buffer }: Place): Float64Array {
  const at = buffer('results') / 8;
  return arena.f64.subarray(at, at + resultsBytes / 8);
}

/** Byte offset of the f64 sums of part `part`. */
export const sumsAt = ({ buffer }: Place, part: number) => buffer('sums') + part * sumCells * 8;

/** First word of block `block`; of block G, the number of words. */
export function blockStart({ arena, buffer }: Place, block: number): number {
  return arena.i32[buffer('blocks') / 4 + block] ?? 0;
}

/** Where document `document`'s tokens begin. */
export function tokenStart({ arena, buffer }: Place, document: number): number {
  return arena.i32[buffer('tokenStarts') / 4 + document] ?? 0;
}

/** A K × K system of f64, and its right-hand side behind it. */
export const systemBytes = ({ topics }: MedldaOptions): number => topics * (topics + 1) * 8;

/** Classes that are summed up on a host at a time, where several hosts do it in turns. */
export const lanesOf = ({ hosts }: Pick<Setup<unknown>, 'hosts'>, classes: number): number =>
  Math.min(classes, Math.max(...hosts.map(({ first, last }) => last - first)));

/** Systems that are on their way from host to host at once. */
const systemLines = (setup: Pick<Setup<unknown>, 'hosts'>, classes: number): number =>
  setup.hosts.length === 1 ? 0 : setup.hosts.length * lanesOf(setup, classes);

export function medldaBuffers(setup: Setup<MedldaOptions>): readonly BufferSpec[] {
  const { partitions: grid, options, hosts } = setup;
  const { words, tokens, documents, classes } = corpusOf(setup.data);
  const { topics } = options;
  const row = rowBytesOf(options);
  const ofWords = Math.min(tokens, words * topics);
  const ofDocuments = Math.min(tokens, documents * topics);
  const ofMeans = Math.min(tokens * options.samples, words * topics);
  const bytes: Readonly<Record<string, number>> = {
    tokenStarts: (documents + 1) * 4,
    tokenWords: tokens * 4,
    tokenTopics: tokens * 4,
    documentRows: documents * row,
    targets: documents * 4,
    lambda: documents * classes.length * 4,
    wordTokens: (words + 1) * 4,
    hostCounts: hosts.length * words * 4,
    wordCursors: words * 4,
    rows: (words + 1) * 4,
    lengths: words * 4,
    blocks: (grid + 1) * 4,
    wordRows: words * row,
    meanRows: words * row,
    totals: topics * 4,
    copies: grid * topics * 4,
    documentTotals: grid * topics * 4,
    wordTotals: grid * topics * 4,
    eta: classes.length * row,
    etaSums: classes.length * topics * 8,
    weights: classes.length * topics * 4,
    systems: systemLines(setup, classes.length) * systemBytes(options),
    sums: grid * sumCells * 8,
    results: resultsBytes,
    wordStarts: (words + 1) * 4,
    wordTopics: ofWords * 4,
    wordCounts: ofWords * 4,
    meanStarts: (words + 1) * 4,
    meanTopics: ofMeans * 4,
    meanCounts: ofMeans * 4,
    meanTotals: topics * 4,
    docStarts: (documents + 1) * 4,
    docTopics: ofDocuments * 4,
    docCounts: ofDocuments * 4,
  };
  return Object.entries(bytes).map(([name, size]) => ({ name, bytes: size }));
}

const planBytes = 128;

/** The plan of a thread in its scratch, and room for what is its own. */
export function openState(ctx: Context<MedldaOptions>): MedldaState {
  const { arena, scratch, options } = ctx;
  const { topics, alpha, beta, cost, margin } = options;
  const { words, classes } = corpusOf(ctx.data);
  const row = rowBytesOf(options);
  let top = scratch.at + planBytes;
  const room = (bytes: number) => {
    const at = top;
    top += (bytes + 31) & ~15;
    return at;
  };
  const [inverse, running, factors] = [row, row, topics * row].map(room);
  const [stamps, ...ofClasses] = [topics, ...[1, 1, 1].map(() => classes.length)].map((n) =>
    room(n * 4),
  );
  const [random, system, work] = [16, systemBytes(options), topics * 16].map(room);
  assert(top - scratch.at <= scratch.bytes, 'the factors of all topics fit scratch');
  const shared = [
    ...['tokenStarts', 'tokenWords', 'tokenTopics', 'documentRows', 'wordRows', 'totals'],
    ...['targets', 'lambda', 'eta'],
  ].map((name) => ctx.buffer(name));
  const own = [inverse, running, factors, stamps, ...ofClasses] as number[];
  arena.i32.set([topics, row, classes.length, ...shared, ...own], scratch.at / 4);
  arena.f64.set([alpha, beta, beta * words, cost, margin], scratch.at / 8 + 10);
  return { plan: scratch.at, random: random!, system: system!, work: work! };
}

/** The place of n_k in a plan, as a word of i32. */
export const planTotals = 8;

/** Topics × classes × tokens of one call of a kernel, about: a few milliseconds. */
const callCells = 1 << 24;

/** The calls for documents [first, last), none of more than some milliseconds. */
export function* callsOf(ctx: MedldaContext, { first, last }: Range): Generator<Range> {
  const tokens = tokenStart(ctx, last) - tokenStart(ctx, first);
  const cells = (tokens + last - first) * ctx.options.topics * corpusOf(ctx.data).classes.length;
  for (const call of ranges(last - first, Math.max(1, Math.ceil(cells / callCells)))) {
    ctx.poll();
    yield { first: first + call.first, last: first + call.last };
  }
}

/** Random numbers of one piece of a round: no two have the same. */
export function streamOf(
  { seed, partitions, data }: Pick<MedldaContext, 'seed' | 'partitions' | 'data'>,
  round: number,
  piece: number,
) {
  const pieces = Math.max(partitions, corpusOf(data).classes.length);
  return createPrng(seed, round * pieces + piece);
}
