// Counts of medlda before and after the passes: tokens out of bags of words, what is saved, and the
// likelihood of it. Each host counts and places the documents that it has, by one of its workers.
import type { Range } from '../../base/ranges.ts';
import type { Context, Sharing } from '../../program/program.ts';
import { corpusOf } from '../lda/layout.ts';
import { hostOfWorker } from '../mf/hosts.ts';
import { resultsOf, rowBytesOf, type MedldaContext, type MedldaOptions } from './layout.ts';

type Scheduling = Sharing &
  Pick<
    Context<MedldaOptions>,
    'arena' | 'kernels' | 'buffer' | 'data' | 'options' | 'partitions' | 'hosts'
  >;

function zero(
  { arena, buffer }: Pick<Scheduling, 'arena' | 'buffer'>,
  name: string,
  bytes: number,
) {
  arena.u8.fill(0, buffer(name), buffer(name) + bytes);
}

/** Numbers of the documents that lie here; none where a host has no part. */
export function documentsHere({ data }: Pick<Scheduling, 'data'>): Range {
  const { first, blocks } = corpusOf(data);
  return { first, last: blocks.reduce((end, { documents }) => end + documents, first) };
}

/** How often each word occurs here; returns the tokens. */
export function countHere(ctx: MedldaContext): number {
  const { kernels, arena } = ctx;
  const { words, blocks } = corpusOf(ctx.data);
  const skip = hostOfWorker(ctx, ctx.worker) * words * 4;
  const counts = ctx.buffer('hostCounts') + skip;
  arena.u8.fill(0, counts, counts + words * 4);
  let all = 0;
  for (const { documents, rowStart, index, count, tokens } of blocks) {
    ctx.poll();
    kernels.lda_count(0, documents, rowStart, index, count, counts);
    all += tokens;
  }
  ctx.share('hostCounts', skip, words * 4);
  return all;
}

/** The blocks of the words, out of all hosts' counts. */
export function cutWords(ctx: Scheduling): void {
  const { kernels, arena, partitions: grid } = ctx;
  const { words } = corpusOf(ctx.data);
  const { topics } = ctx.options;
  const at = ctx.buffer.bind(ctx);
  const counts = at('wordCursors');
  arena.u8.copyWithin(counts, at('hostCounts'), at('hostCounts') + words * 4);
  for (let host = 1; host < ctx.hosts.length; host++) {
    kernels.i32_add(words, at('hostCounts') + host * words * 4, counts);
  }
  kernels.lda_rows(
    ...([words, topics, grid, counts, at('rows'), at('lengths'), at('blocks')] as const),
  );
  kernels.lda_starts(words, counts, at('wordTokens'));
  zero(ctx, 'totals', topics * 4);
  zero(ctx, 'meanTotals', topics * 4);
  resultsOf(ctx).fill(0);
  ctx.share('blocks', 0, (grid + 1) * 4);
  ctx.share('wordTokens', 0, (words + 1) * 4);
  ctx.share('totals', 0, topics * 4);
}

/** Tokens by document, from token `place` on: none has a topic, and every class weighs nothing. */
export function placeHere(ctx: MedldaContext, place: number): void {
  const { kernels, arena, options } = ctx;
  const { words, classes, blocks } = corpusOf(ctx.data);
  const row = rowBytesOf(options);
  const at = ctx.buffer.bind(ctx);
  const here = documentsHere(ctx);
  let [document, end] = [here.first, place];
  for (const { documents, rowStart, index, count, target } of blocks) {
    ctx.poll();
    const starts = at('tokenStarts') + document * 4;
    end = kernels.medlda_tokens(
      ...([documents, end, rowStart, index, count, starts, at('tokenWords')] as const),
    );
    const targets = at('targets') + document * 4;
    arena.u8.copyWithin(targets, target, target + documents * 4);
    document += documents;
  }
  const tokens = at('tokenTopics') / 4;
  arena.i32.fill(-1, tokens + place, tokens + end);
  const rows = at('documentRows');
  arena.u8.fill(0, rows + here.first * row, rows + here.last * row);
  zero(ctx, 'wordRows', words * row);
  zero(ctx, 'meanRows', words * row);
  zero(ctx, 'eta', classes.length * row);
  zero(ctx, 'etaSums', classes.length * options.topics * 8);
  ctx.share('tokenStarts', here.first * 4, (here.last + 1 - here.first) * 4);
}

/** The tables as they are saved. */
export function exportCounts(ctx: Scheduling): void {
  const { kernels, options } = ctx;
  const { documents, words } = corpusOf(ctx.data);
  const row = rowBytesOf(options);
  const at = ctx.buffer.bind(ctx);
  kernels.medlda_export(
    ...([words, options.topics, row, 0, at('wordRows'), at('wordStarts')] as const),
    ...([at('wordTopics'), at('wordCounts')] as const),
  );
  kernels.medlda_export(
    ...([words, options.topics, row, 0, at('meanRows'), at('meanStarts')] as const),
    ...([at('meanTopics'), at('meanCounts')] as const),
  );
  kernels.medlda_export(
    ...([documents, options.topics, row, 0, at('documentRows'), at('docStarts')] as const),
    ...([at('docTopics'), at('docCounts')] as const),
  );
}

/** log p(w, z) of what `exportCounts` wrote: the first two lines of the objective. */
export function measureTopics(ctx: Scheduling): number {
  const { kernels, arena, options } = ctx;
  const { topics, alpha, beta } = options;
  const { documents, words } = corpusOf(ctx.data);
  const at = ctx.buffer.bind(ctx);
  const ofWords = arena.i32[at('wordStarts') / 4 + words] ?? 0;
  const ofDocuments = arena.i32[at('docStarts') / 4 + documents] ?? 0;
  return (
    kernels.lda_rises(ofWords, beta, at('wordCounts')) +
    kernels.lda_totals(topics, words * beta, at('totals')) +
    kernels.lda_rises(ofDocuments, alpha, at('docCounts')) -
    kernels.lda_length_rises(documents, topics * alpha, at('tokenStarts'))
  );
}
