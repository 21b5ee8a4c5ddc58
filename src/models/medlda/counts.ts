// Counts of medlda before and after the passes: tokens out of bags of words, what is saved, and the
// likelihood of it. Once a run, in the scheduler's thread.
import { assert } from '../../base/assert.ts';
import type { Context } from '../../program/program.ts';
import { corpusOf } from '../lda/layout.ts';
import { resultsOf, rowBytesOf, type MedldaOptions } from './layout.ts';

type Scheduling = Pick<
  Context<MedldaOptions>,
  'arena' | 'kernels' | 'buffer' | 'data' | 'options' | 'partitions'
>;

/** Nothing has a topic, and every class weighs nothing. */
function clear(ctx: Scheduling): void {
  const { arena } = ctx;
  const { documents, words, classes, tokens } = corpusOf(ctx.data);
  const row = rowBytesOf(ctx.options);
  const { topics } = ctx.options;
  const zeroed: Readonly<Record<string, number>> = {
    documentRows: documents * row,
    wordRows: words * row,
    wordTokens: words * 4,
    wordCursors: words * 4,
    totals: topics * 4,
    eta: classes.length * row,
    etaSums: classes.length * topics * 8,
  };
  for (const [name, bytes] of Object.entries(zeroed)) {
    arena.u8.fill(0, ctx.buffer(name), ctx.buffer(name) + bytes);
  }
  const at = ctx.buffer('tokenTopics') / 4;
  arena.i32.fill(-1, at, at + tokens);
  resultsOf(ctx).fill(0);
}

/** Tokens by document, and the blocks of the words. */
export function prepare(ctx: Scheduling): void {
  const { kernels, arena, partitions: grid } = ctx;
  const { words, tokens, blocks } = corpusOf(ctx.data);
  const at = ctx.buffer.bind(ctx);
  clear(ctx);
  let [place, document] = [0, 0];
  for (const { documents, rowStart, index, count, target } of blocks) {
    const starts = at('tokenStarts') + document * 4;
    place = kernels.medlda_tokens(
      ...([documents, place, rowStart, index, count, starts, at('tokenWords')] as const),
    );
    const targets = at('targets') + document * 4;
    arena.u8.copyWithin(targets, target, target + documents * 4);
    kernels.lda_count(0, documents, rowStart, index, count, at('wordCursors'));
    document += documents;
  }
  assert(place === tokens, 'a corpus has as many tokens as it says');
  const counts = at('wordCursors');
  kernels.lda_rows(
    ...([words, ctx.options.topics, grid, counts, at('rows')] as const),
    ...([at('lengths'), at('blocks')] as const),
  );
  kernels.lda_starts(words, counts, at('wordTokens'));
}

/** Both tables as they are saved. */
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
