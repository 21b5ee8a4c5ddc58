// From bags of words to tokens sorted by word: counting, and building a part of the documents.
import { rangeOf, type Range } from '../../base/ranges.ts';
import type { Corpus } from '../../data/dataset.ts';
import type { Context } from '../../program/program.ts';
import {
  blockStart,
  corpusOf,
  ldaShape,
  line,
  lineOf,
  result,
  resultsOf,
  tooLong,
  type LdaContext,
  type LdaOptions,
  type LdaState,
} from './layout.ts';
import { openPlan, samplerOf } from './sampler.ts';

export function startWorker(ctx: Context<LdaOptions>): LdaState {
  const shape = ldaShape(ctx);
  return { shape, plan: openPlan(ctx, shape) };
}

/** Calls `each` with the rows [first, last) of every block that has documents of a range. */
export function segments(
  data: Corpus,
  range: Range,
  each: (block: Corpus['blocks'][number], first: number, last: number) => void,
): void {
  let before = data.first;
  for (const block of data.blocks) {
    const first = Math.max(range.first - before, 0);
    const last = Math.min(range.last - before, block.documents);
    if (last > first) each(block, first, last);
    before += block.documents;
  }
}

export const documentsOf = (ctx: Pick<LdaContext, 'data' | 'partitions'>, part: number): Range =>
  rangeOf(corpusOf(ctx.data).documents, ctx.partitions, part);

const countsAt = (ctx: LdaContext) =>
  ctx.buffer('workerCounts') + ctx.worker * ctx.state.shape.words * 4;

/** Before a worker counts. */
export function clearCounts(ctx: LdaContext): void {
  const bytes = ctx.state.shape.words * 4;
  ctx.arena.u8.fill(0, countsAt(ctx), countsAt(ctx) + bytes);
  ctx.share('workerCounts', ctx.worker * bytes, bytes);
}

/** Adds how often each word occurs in part `part` to this worker's counts. */
export function countWords(ctx: LdaContext, part: number): void {
  segments(corpusOf(ctx.data), documentsOf(ctx, part), (block, first, last) => {
    const { rowStart, index, count } = block;
    ctx.kernels.lda_count(first, last, rowStart, index, count, countsAt(ctx));
  });
}

/** Bytes of a part's documents. */
function documentBytes(ctx: LdaContext, part: number): number {
  const { shape } = ctx.state;
  let bytes = 0;
  segments(corpusOf(ctx.data), documentsOf(ctx, part), ({ rowStart, count }, first, last) => {
    const most = shape.tokensMax;
    const more = samplerOf(ctx).documentBytes(
      ...([first, last, shape.topics, Math.min(most, 2 ** 31 - 1), rowStart, count] as const),
    );
    if (more < 0) throw tooLong(shape);
    bytes += more;
  });
  return bytes;
}

/** Counts of no topics yet, α and β as they begin. */
export function openPriors(
  ctx: Pick<Context<LdaOptions>, 'arena' | 'buffer' | 'options' | 'data'>,
) {
  const { arena, options } = ctx;
  const { topics, padded } = ldaShape(ctx);
  const [totals, alpha32, alpha] = ['totals', 'alpha32', 'alpha'].map((name) => ctx.buffer(name));
  arena.i32.fill(0, totals! / 4, totals! / 4 + topics);
  arena.f32.fill(0, alpha32! / 4, alpha32! / 4 + padded);
  arena.f32.fill(options.alpha, alpha32! / 4, alpha32! / 4 + topics);
  arena.f64.fill(options.alpha, alpha! / 8, alpha! / 8 + topics);
  const results = resultsOf(ctx).fill(0);
  results[result.beta] = options.beta;
  results[result.alphaSum] = options.alpha * topics;
}

/** Documents of part `part` without topics, and its tokens by word. */
export function buildPart(ctx: LdaContext, part: number): void {
  const { kernels, arena } = ctx;
  const { words, topics } = ctx.state.shape;
  const data = corpusOf(ctx.data);
  const range = documentsOf(ctx, part);
  const starts = arena.allocate((words + 1) * 4);
  const cursors = arena.allocate(words * 4);
  arena.u8.fill(0, cursors, cursors + words * 4);
  segments(data, range, ({ rowStart, index, count }, first, last) => {
    kernels.lda_count(first, last, rowStart, index, count, cursors);
  });
  const tokens = kernels.lda_starts(words, cursors, starts);
  const documents = arena.allocate(documentBytes(ctx, part));
  const sampler = samplerOf(ctx);
  const [places, topicsAt] = [4, sampler.topicBytes].map((bytes) => arena.allocate(tokens * bytes));
  let place = 0;
  segments(data, range, ({ rowStart, index, count }, first, last) => {
    ctx.poll();
    place = sampler.place(
      ...([first, last, topics, place, rowStart, index, count, cursors] as const),
      ...([documents, places!, topicsAt!] as const),
    );
  });
  lineOf(ctx, part).set([places!, topicsAt!, starts, documents, range.last - range.first, tokens]);
}

/** How many tokens of part `part` each block of the words has. */
export function countBlocks(ctx: LdaContext, part: number): void {
  const { arena, partitions: grid } = ctx;
  const starts = lineOf(ctx, part)[line.starts]!;
  for (let block = 0; block < grid; block++) {
    const ends = [blockStart(ctx, block), blockStart(ctx, block + 1)];
    const [from = 0, to = 0] = ends.map((word) => arena.i32[starts / 4 + word] ?? 0);
    arena.i32[ctx.buffer('blockTokens') / 4 + part * grid + block] = to - from;
  }
  ctx.share('blockTokens', part * grid * 4, grid * 4);
}

/** Points the sampler's plan at a part's tokens and its copy of the totals. */
export function aimPlan(ctx: LdaContext, part: number, totals: number): number {
  const { state, arena } = ctx;
  const { plan, shape } = state;
  const own = lineOf(ctx, part);
  const words = plan / 4;
  arena.i32.set([own[line.places]!, own[line.topics]!, own[line.starts]!], words + 2);
  arena.i32[words + 9] = totals;
  arena.i32[words + 17] = own[line.documents]!;
  const beta = resultsOf(ctx)[result.beta]!;
  arena.f64.set([beta, beta * shape.words], plan / 8 + 9);
  return plan;
}
