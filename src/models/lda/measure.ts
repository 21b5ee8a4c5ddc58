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
  windowLine,
  type LdaContext,
  type LdaOptions,
} from './layout.ts';
import { documentsOf } from './windows.ts';

/** Of every topic, at least: a topic that has died out can come back. */
const alphaMin = 1e-6;

export type Measuring = Pick<
  Context<LdaOptions>,
  'arena' | 'kernels' | 'buffer' | 'data' | 'options' | 'partitions'
>;

type Scheduling = Measuring & Sharing;

type Totals = 'documentTotals' | 'wordTotals';

/** A part's own counts of topics: what its documents, or its words, have. */
function ownTotals(ctx: LdaContext, name: Totals, part: number): number {
  const { topics } = ctx.state.shape;
  const skip = part * topics * 4;
  ctx.share(name, skip, topics * 4);
  return ctx.buffer(name) + skip;
}

function clearTotals(ctx: LdaContext, name: Totals, part: number): number {
  const at = ownTotals(ctx, name, part);
  ctx.arena.i32.fill(0, at / 4, at / 4 + ctx.state.shape.topics);
  return at;
}

/** The documents of a part's window in turn; false when a count was lost. The first opens sums. */
export function measureDocuments(ctx: LdaContext, part: number, window: number): boolean {
  const { kernels, arena } = ctx;
  const { topics, bits } = ctx.state.shape;
  const own = lineOf(ctx, part);
  const sums = sumsAt(ctx, part);
  if (window === 0) {
    arena.f64.fill(0, sums / 8, sums / 8 + sumCells);
    clearTotals(ctx, 'documentTotals', part);
  }
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
  const totals = clearTotals(ctx, 'wordTotals', part);
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

/** Words of block `part`, after all documents; false when a count was lost. */
export function measureBlock(ctx: LdaContext, part: number): boolean {
  const first = blockStart(ctx, part) * 4;
  const [rows, lengths, counts] = ['rows', 'lengths', 'counts'].map(
    (name) => ctx.buffer(name) + first,
  ) as [number, number, number];
  const at = { rows, lengths, counts, entries: ctx.buffer('entries') };
  ctx.share('sums', sumsAt(ctx, part) - ctx.buffer('sums'), sumCells * 8);
  return measureWords(ctx, part, [{ count: blockStart(ctx, part + 1) - first / 4, at }]);
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

const slopeCells = (ctx: LdaContext) => ctx.state.shape.topics + 2;

/** A part's own slopes: K of α, of Σα, of β. */
function slopesAt(ctx: LdaContext, part: number): number {
  const bytes = slopeCells(ctx) * 8;
  ctx.share('slopes', part * bytes, bytes);
  return ctx.buffer('slopes') + part * bytes;
}

/** What the documents of a part's window in turn say of α. The first opens the slopes. */
export function documentSlopes(ctx: LdaContext, part: number, window: number): void {
  const { kernels, arena } = ctx;
  const { topics, bits } = ctx.state.shape;
  const [own, results] = [lineOf(ctx, part), resultsOf(ctx)];
  const slopes = slopesAt(ctx, part);
  if (window === 0) arena.f64.fill(0, slopes / 8, slopes / 8 + slopeCells(ctx));
  kernels.lda_document_slopes(
    ...([own[line.count]!, topics, bits, results[result.alphaSum]!] as const),
    ...([own[line.documents]!, ctx.buffer('alpha'), slopes] as const),
  );
}

/** The f64 that is of β: what a part's words say of it. */
export const wordSlopeCell = (ctx: LdaContext, part: number): number =>
  slopesAt(ctx, part) / 8 + slopeCells(ctx) - 1;

/** What the words of block `part` say of β. */
export function wordSlopes(ctx: LdaContext, part: number): void {
  ctx.arena.f64[wordSlopeCell(ctx, part)] = ctx.kernels.lda_word_slopes(
    ...([blockStart(ctx, part), blockStart(ctx, part + 1)] as const),
    resultsOf(ctx)[result.beta]!,
    ...([ctx.buffer('rows'), ctx.buffer('lengths'), ctx.buffer('entries')] as const),
  );
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

/** Topics of part `part`'s documents, all windows, as they are saved. All parts were measured. */
export function exportDocuments(ctx: LdaContext, part: number): void {
  const { topics, bits } = ctx.state.shape;
  const { first, last } = documentsOf(ctx, part);
  const lines = windowLine(ctx, part);
  const place = placeOf(ctx, part, sum.documentEntries);
  let [document, end] = [first, place];
  for (let window = 0; window < ctx.options.windows; window++) {
    const own = lines(window);
    end = ctx.kernels.lda_export_documents(
      ...([own[line.count]!, topics, bits, end, own[line.documents]!] as const),
      ...([ctx.buffer('docStarts') + document * 4, ctx.buffer('docTopics')] as const),
      ctx.buffer('docCounts'),
    );
    document += own[line.count]!;
  }
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
