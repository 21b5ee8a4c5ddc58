// What lda measures: the joint log-likelihood, that no count was lost, what α and β should be; and
// the counts as they are saved.
import { assert } from '../../base/assert.ts';
import type { Context, Sharing } from '../../program/program.ts';
import {
  blockStart,
  corpusOf,
  ldaShape,
  line,
  lineOf,
  result,
  resultsOf,
  sum,
  sumCells,
  sumsAt,
  type LdaContext,
  type LdaOptions,
} from './layout.ts';
import { documentsOf } from './prepare.ts';

/** Of every topic, at least: a topic that has died out can come back. */
const alphaMin = 1e-6;

export type Measuring = Pick<
  Context<LdaOptions>,
  'arena' | 'kernels' | 'buffer' | 'data' | 'options' | 'partitions'
>;

type Scheduling = Measuring & Sharing;

/** A part's own counts of topics, zeroed: what its documents, or its words, have. */
function ownTotals(ctx: LdaContext, name: 'documentTotals' | 'wordTotals', part: number): number {
  const { topics } = ctx.state.shape;
  const skip = part * topics * 4;
  const at = ctx.buffer(name) + skip;
  ctx.arena.i32.fill(0, at / 4, at / 4 + topics);
  ctx.share(name, skip, topics * 4);
  return at;
}

/** Documents of part `part`; false when a count was lost. */
export function measureDocuments(ctx: LdaContext, part: number): boolean {
  const { kernels, arena } = ctx;
  const { topics, bits } = ctx.state.shape;
  const own = lineOf(ctx, part);
  const sums = sumsAt(ctx, part);
  arena.f64.fill(0, sums / 8, sums / 8 + sumCells);
  ctx.share('sums', sums - ctx.buffer('sums'), sumCells * 8);
  const lost = kernels.lda_documents(
    ...([own[line.count]!, topics, bits, resultsOf(ctx)[result.alphaSum]!] as const),
    ...([
      own[line.documents]!,
      ctx.buffer('alpha'),
      ownTotals(ctx, 'documentTotals', part),
    ] as const),
    sums,
  );
  return lost === 0;
}

/** Where words' rows are: byte offsets of row, length and N_w of one, and of all entries. */
export type Rows = {
  readonly rows: number;
  readonly lengths: number;
  readonly counts: number;
  readonly entries: number;
};

/** Opens the sums of a part's words, which `each` adds runs of words to; false: one was lost. */
export function measureWords(
  ctx: LdaContext,
  part: number,
  runs: Iterable<{ readonly count: number; readonly at: Rows }>,
): boolean {
  const totals = ownTotals(ctx, 'wordTotals', part);
  const beta = resultsOf(ctx)[result.beta]!;
  let lost = 0;
  for (const { count, at } of runs) {
    ctx.poll();
    lost += ctx.kernels.lda_words(
      ...([0, count, beta, at.counts, at.rows, at.lengths, at.entries, totals] as const),
      sumsAt(ctx, part) + sum.words * 8,
    );
  }
  return lost === 0;
}

/** Documents of part p and words of block p; false when a count was lost. */
export function measurePart(ctx: LdaContext, part: number): boolean {
  const documents = measureDocuments(ctx, part);
  const first = blockStart(ctx, part) * 4;
  const [rows, lengths, counts] = ['rows', 'lengths', 'counts'].map(
    (name) => ctx.buffer(name) + first,
  ) as [number, number, number];
  const at = { rows, lengths, counts, entries: ctx.buffer('entries') };
  const words = measureWords(ctx, part, [{ count: blockStart(ctx, part + 1) - first / 4, at }]);
  return documents && words;
}

/** A sum over the parts, in their order. */
function sumOf(ctx: Measuring, cell: number): number {
  let all = 0;
  for (let part = 0; part < ctx.partitions; part++) {
    all += ctx.arena.f64[sumsAt(ctx, part) / 8 + cell] ?? 0;
  }
  return all;
}

/** The log-likelihood per token out of the parts' sums; their counts add up to n_k exactly. */
export function likelihood(ctx: Measuring): number {
  const { kernels, partitions: grid } = ctx;
  const { topics, words } = ldaShape(ctx);
  const totals = ctx.buffer('totals');
  for (const name of ['documentTotals', 'wordTotals']) {
    const lost = kernels.lda_lost(topics, grid, totals, ctx.buffer(name));
    assert(lost === 0, `lda: ${name} of ${lost} topics add up to n_k`);
  }
  const results = resultsOf(ctx);
  const ofTopics = kernels.lda_totals(topics, words * results[result.beta]!, totals);
  const all = sumOf(ctx, sum.documents) + sumOf(ctx, sum.words) + ofTopics;
  results[result.likelihood] = all / corpusOf(ctx.data).tokens;
  return results[result.likelihood]!;
}

/** What part p's documents say of α, and block p's words of β. */
export function slopesPart(ctx: LdaContext, part: number): void {
  const { kernels, arena } = ctx;
  const { topics, bits } = ctx.state.shape;
  const [own, results] = [lineOf(ctx, part), resultsOf(ctx)];
  const bytes = (topics + 2) * 8;
  const slopes = ctx.buffer('slopes') + part * bytes;
  arena.f64.fill(0, slopes / 8, (slopes + bytes) / 8);
  kernels.lda_document_slopes(
    ...([own[line.count]!, topics, bits, results[result.alphaSum]!] as const),
    ...([own[line.documents]!, ctx.buffer('alpha'), slopes] as const),
  );
  arena.f64[(slopes + bytes) / 8 - 1] = kernels.lda_word_slopes(
    ...([blockStart(ctx, part), blockStart(ctx, part + 1), results[result.beta]!] as const),
    ...([ctx.buffer('rows'), ctx.buffer('lengths'), ctx.buffer('entries')] as const),
  );
  ctx.share('slopes', part * bytes, bytes);
}

/** One step of Minka's fixed point for α and β, out of the parts' sums. */
export function stepPriors(ctx: Measuring): void {
  const { kernels, arena, partitions: grid } = ctx;
  const { topics, words } = ldaShape(ctx);
  const cells = topics + 2;
  const slopes = ctx.buffer('slopes');
  const results = resultsOf(ctx);
  for (let part = 1; part < grid; part++) {
    kernels.f64_axpy(cells, 1, slopes + part * cells * 8, slopes);
  }
  const [alpha, alpha32] = [ctx.buffer('alpha'), ctx.buffer('alpha32')];
  results[result.alphaSum] = kernels.lda_alpha(topics, alphaMin, slopes, alpha, alpha32);
  const beta = results[result.beta]!;
  const ofTopics = kernels.lda_total_slopes(topics, words * beta, ctx.buffer('totals'));
  const ofWords = arena.f64[slopes / 8 + cells - 1] ?? 0;
  results[result.beta] = Math.max(alphaMin, (beta * ofWords) / (words * ofTopics));
}

/** Sends the rows of a block of words to a worker's host, or to the scheduler's. */
export function shareRows(ctx: LdaContext, block: number, to?: number): void {
  const words = [blockStart(ctx, block), blockStart(ctx, block + 1)] as const;
  const rows = ctx.buffer('rows') / 4;
  const [from = 0, end = 0] = words.map((word) => ctx.arena.i32[rows + word]);
  ctx.share('lengths', words[0] * 4, (words[1] - words[0]) * 4, to);
  ctx.share('entries', from * 8, (end - from) * 8, to);
}

/** Where the entries of a part begin in what is saved, out of their numbers in `sums`. */
export function placeOf(ctx: Measuring, part: number, cell: number): number {
  let place = 0;
  for (let p = 0; p < part; p++) place += ctx.arena.f64[sumsAt(ctx, p) / 8 + cell] ?? 0;
  return place;
}

/** Topics of part `part`'s documents as they are saved. All parts were measured. */
export function exportDocuments(ctx: LdaContext, part: number): void {
  const { topics, bits } = ctx.state.shape;
  const own = lineOf(ctx, part);
  const { first, last } = documentsOf(ctx, part);
  const place = placeOf(ctx, part, sum.documentEntries);
  const end = ctx.kernels.lda_export_documents(
    ...([own[line.count]!, topics, bits, place, own[line.documents]!] as const),
    ...([ctx.buffer('docStarts') + first * 4, ctx.buffer('docTopics')] as const),
    ctx.buffer('docCounts'),
  );
  ctx.arena.i32[ctx.buffer('docStarts') / 4 + last] = end;
  ctx.share('docStarts', first * 4, (last + 1 - first) * 4);
  for (const name of ['docTopics', 'docCounts']) ctx.share(name, place * 4, (end - place) * 4);
}

/** The word-topic table as it is saved, for all hosts: each reads held-out documents with it. */
export function exportWords(ctx: Scheduling): void {
  const at = ctx.buffer.bind(ctx);
  const { words } = ldaShape(ctx);
  ctx.kernels.lda_export_words(
    ...([words, 0, at('rows'), at('lengths'), at('entries')] as const),
    ...([at('wordStarts'), at('wordTopics'), at('wordCounts')] as const),
  );
  const entries = ctx.arena.i32[at('wordStarts') / 4 + words] ?? 0;
  ctx.share('wordStarts', 0, (words + 1) * 4);
  for (const name of ['wordTopics', 'wordCounts']) ctx.share(name, 0, entries * 4);
}
