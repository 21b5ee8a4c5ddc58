// What lda measures: the joint log-likelihood, that no count was lost, what α and β should be; and
// the counts as they are saved.
import { assert } from '../../base/assert.ts';
import type { Context } from '../../program/program.ts';
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

/** Documents of part p and words of block p; false when a count was lost. */
export function measurePart(ctx: LdaContext, part: number): boolean {
  const { kernels, arena } = ctx;
  const { topics, bits } = ctx.state.shape;
  const [own, results] = [lineOf(ctx, part), resultsOf(ctx)];
  const sums = sumsAt(ctx, part);
  const [documentTotals, wordTotals] = ['documentTotals', 'wordTotals'].map((name) => {
    const skip = part * topics * 4;
    const at = ctx.buffer(name) + skip;
    arena.i32.fill(0, at / 4, at / 4 + topics);
    ctx.share(name, skip, topics * 4);
    return at;
  }) as [number, number];
  arena.f64.fill(0, sums / 8, sums / 8 + sumCells);
  ctx.share('sums', sums - ctx.buffer('sums'), sumCells * 8);
  const lost = kernels.lda_documents(
    ...([own[line.count]!, topics, bits, results[result.alphaSum]!] as const),
    ...([own[line.documents]!, ctx.buffer('alpha'), documentTotals, sums] as const),
  );
  ctx.poll();
  const lostWords = kernels.lda_words(
    ...([blockStart(ctx, part), blockStart(ctx, part + 1), results[result.beta]!] as const),
    ...([ctx.buffer('counts'), ctx.buffer('rows'), ctx.buffer('lengths')] as const),
    ...([ctx.buffer('entries'), wordTotals, sums + sum.words * 8] as const),
  );
  return lost === 0 && lostWords === 0;
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

/** Where the entries of part `part`'s documents begin in what is saved. */
function exportStart(ctx: Measuring, part: number): number {
  let place = 0;
  for (let p = 0; p < part; p++) place += ctx.arena.f64[sumsAt(ctx, p) / 8 + 1] ?? 0;
  return place;
}

/** Topics of part `part`'s documents as they are saved. All parts were measured. */
export function exportPart(ctx: LdaContext, part: number): void {
  const { topics, bits } = ctx.state.shape;
  const own = lineOf(ctx, part);
  const { first, last } = documentsOf(ctx, part);
  const place = exportStart(ctx, part);
  const end = ctx.kernels.lda_export_documents(
    ...([own[line.count]!, topics, bits, place, own[line.documents]!] as const),
    ...([ctx.buffer('docStarts') + first * 4, ctx.buffer('docTopics')] as const),
    ctx.buffer('docCounts'),
  );
  ctx.arena.i32[ctx.buffer('docStarts') / 4 + last] = end;
  ctx.share('docStarts', first * 4, (last + 1 - first) * 4);
  for (const name of ['docTopics', 'docCounts']) ctx.share(name, place * 4, (end - place) * 4);
}

/** The word-topic table as it is saved. */
export function exportWords(ctx: Measuring): void {
  const at = ctx.buffer.bind(ctx);
  ctx.kernels.lda_export_words(
    ...([ldaShape(ctx).words, at('rows'), at('lengths'), at('entries')] as const),
    ...([at('wordStarts'), at('wordTopics'), at('wordCounts')] as const),
  );
}
