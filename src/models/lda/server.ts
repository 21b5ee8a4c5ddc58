// lda on the parameter server: data-parallel, push alone (Bösen, Wei et al. 2015). Objective and
// output are in model.ts.
//
//   table `words`        V × K i32   n_kw         read by blocks of words
//   table `totals`       1 × K i32   n_k
//   table `wordTokens`   V i32       N_w          written once
//   table `sheets`       a row a part: what it has measured (server/sheets.ts)
//
//   push, partition p, clock c of a pass:   its tokens of block (c + p) mod C
//     get the block's rows and n_k, up to s clocks old, its own incs among them
//     collapsed Gibbs over them (assembly/lda/sample.ts)
//     inc by how they have changed
//
// Counts add up whatever the staleness: a token that moves takes one off and puts one on. That
// partitions begin a pass at blocks of their own keeps n_kw nearly fresh; n_k is the stale one.
//
// Between barriers, so that nobody samples meanwhile (server/steps.ts):
//
//   measure   parts check and measure what is theirs, documents and a range of the words
//   settle    hosts hear of all parts: the sums are n_k, the likelihood is told, α and β step
//   export    counts as they are saved, of each part at its place; hosts then gather them
import { assert } from '../../base/assert.ts';
import { rangeOf, type Range } from '../../base/ranges.ts';
import {
  defineProgram,
  type Context,
  type PartitionWork,
  type PushContext,
  type Reads,
} from '../../program/program.ts';
import { hostOfWorker, hostParts } from '../mf/hosts.ts';
import {
  corpusOf,
  ldaBuffers,
  ldaShape,
  result,
  resultsOf,
  sum,
  type LdaOptions,
  type LdaState,
} from './layout.ts';
import {
  documentSlopes,
  exportDocuments,
  likelihood,
  measureDocuments,
  measureWords,
  placeOf,
  stepPriors,
  wordSlopeCell,
  type Rows,
} from './measure.ts';
import { aimPlan, openPriors, startWorker } from './prepare.ts';
import { readSheets, sheetTable, writeSheet } from './server/sheets.ts';
import { blocksOf, clocksOf, rowBytesOf, stepOf } from './server/steps.ts';
import { samplerOf } from './sampler.ts';
import { buildPart, documentsOf, enterWindow, segments, sizePart } from './windows.ts';

/** The table is dense. */
export const tableCellsMax = 2 ** 27;

/** Words of a row of `wordTokens`. */
const tokenColumns = 1024;
const tokenRows = (words: number) => Math.ceil(words / tokenColumns);

type ServerState = LdaState & {
  /** i32: 0, 1, 2, … */
  readonly list: number;
  /** Rows that were gathered: word first + i at i, with room for K topics each. */
  readonly local: Omit<Rows, 'counts'>;
  /** K × i32: s̃, this worker's own. */
  readonly totals: number;
};
type ServerContext = PushContext<LdaOptions, ServerState>;

function start(ctx: Context<LdaOptions> & { readonly worker: number }): ServerState {
  const { arena, partitions } = ctx;
  const { topics, words } = ldaShape(ctx);
  const blockWords = Math.ceil(words / blocksOf({ topics, words }));
  const most = Math.max(blockWords, Math.ceil(words / partitions));
  const listed = Math.max(words, partitions);
  const list = arena.allocate(listed * 4);
  arena.i32.subarray(list / 4, list / 4 + listed).forEach((_, row, all) => (all[row] = row));
  return {
    ...startWorker(ctx),
    list,
    totals: arena.allocate(topics * 4),
    local: {
      rows: arena.allocate(most * 4),
      lengths: arena.allocate(most * 4),
      entries: arena.allocate(blockWords * topics * 8),
    },
  };
}

/** Is it the first partition of its host? That does what a host needs once. */
function isHostsFirst(ctx: ServerContext, partition: number): boolean {
  return hostParts(ctx, ctx.partitions, hostOfWorker(ctx, ctx.worker)).first === partition;
}

/** Words that a push reads: a block, or its share of all. */
function wordsOf(ctx: ServerContext, { partition, clock }: PartitionWork): Range {
  const { kind, block } = stepOf(ctx, clock);
  const { shape } = ctx.state;
  if (kind !== 'sample') return rangeOf(shape.words, ctx.partitions, partition);
  const blocks = blocksOf(shape);
  return rangeOf(shape.words, blocks, (block + partition) % blocks);
}

function readsOf(ctx: ServerContext, work: PartitionWork): Reads {
  const { partition } = work;
  const rows = ({ first, last }: Range) => ({
    at: ctx.state.list + first * 4,
    count: last - first,
  });
  const none = rows({ first: 0, last: 0 });
  const words = wordsOf(ctx, work);
  const { kind } = stepOf(ctx, work.clock);
  switch (kind) {
    case 'open':
      return { words: none, wordTokens: none, sheets: none };
    case 'sample':
    case 'export':
      return { words: rows(words), wordTokens: none, sheets: none };
    case 'measure': {
      const tokens = { first: firstTokens(words), last: tokenRows(words.last) };
      const own = { first: partition, last: partition + 1 };
      return { words: rows(words), wordTokens: rows(tokens), sheets: rows(own) };
    }
    case 'settle': {
      const all = { first: 0, last: isHostsFirst(ctx, partition) ? ctx.partitions : 0 };
      return { words: none, wordTokens: none, sheets: rows(all) };
    }
  }
}

/** The row of `wordTokens` where a range of words begins. */
const firstTokens = ({ first }: Range) => Math.floor(first / tokenColumns);

/** How often words occur in part `part`. */
function countTokens(ctx: ServerContext, part: number): void {
  const counts = ctx.table('wordTokens').incRange(0, tokenRows(ctx.state.shape.words));
  const source = { arena: ctx.arena, data: corpusOf(ctx.data), staging: ctx.state.staging };
  segments(source, documentsOf(ctx, part), (block, first, last) => {
    const { rowStart, index, count } = block;
    ctx.kernels.lda_count(first, last, rowStart, index, count, counts);
  });
}

/** Copies rows [from, to) of those that the push reads to where the sampler wants them. */
function gather(ctx: ServerContext, from: number, to: number): void {
  const { rows, lengths, entries } = ctx.state.local;
  const { at, rowBytes } = ctx.table('words');
  ctx.kernels.lda_gather(
    ...([to - from, ctx.state.shape.topics, rowBytes, at + from * rowBytes] as const),
    ...([rows, lengths, entries] as const),
  );
}

function sample(ctx: ServerContext, work: PartitionWork): void {
  const { kernels, arena, state, prng } = ctx;
  const { topics } = state.shape;
  const { local, totals } = state;
  const { first, last } = wordsOf(ctx, work);
  const words = ctx.table('words');
  gather(ctx, 0, last - first);
  const before = ctx.table('totals').at;
  arena.u8.copyWithin(totals, before, before + topics * 4);
  const plan = aimPlan(ctx, work.partition, totals);
  // As if all words had rows here: kernels count modulo 2^32.
  const places = [local.rows - first * 4, local.lengths - first * 4, local.entries];
  arena.i32.set(places, plan / 4 + 5);
  const sampler = samplerOf(ctx);
  sampler.begin(plan);
  ctx.poll();
  const changed = sampler.sample(first, last, prng.uint32(), prng.uint32(), plan);
  assert(changed >= 0, 'lda: Σ_k n_wk stays');
  ctx.poll();
  kernels.lda_changes(
    ...([last - first, words.rowBytes, words.at, local.rows, local.lengths] as const),
    ...([local.entries, words.incRange(first, last - first)] as const),
  );
  const deltas = ctx.table('totals').incRange(0, 1);
  kernels.lda_gain(topics, before, totals, deltas);
}

/** The rows that a push reads, a block at a time; `counts` is where N_w of the first is. */
function* runsOf(ctx: ServerContext, { first, last }: Range, counts = 0) {
  const { local, shape } = ctx.state;
  const step = Math.floor(shape.words / blocksOf(shape));
  for (let from = 0; from < last - first; from += step) {
    const to = Math.min(last - first, from + step);
    gather(ctx, from, to);
    yield { first: first + from, count: to - from, at: { ...local, counts: counts + from * 4 } };
  }
}

/** What a part's documents say of α, and its words of β. */
function measureSlopes(ctx: ServerContext, part: number, words: Range): void {
  documentSlopes(ctx, part, 0);
  const cell = wordSlopeCell(ctx, part);
  for (const { count, at } of runsOf(ctx, words)) {
    ctx.poll();
    ctx.arena.f64[cell]! += ctx.kernels.lda_word_slopes(
      ...([0, count, resultsOf(ctx)[result.beta]!, at.rows, at.lengths, at.entries] as const),
    );
  }
}

function measure(ctx: ServerContext, work: PartitionWork): void {
  const part = work.partition;
  const words = wordsOf(ctx, work);
  const counts = ctx.table('wordTokens').at + (words.first - firstTokens(words) * tokenColumns) * 4;
  const kept = measureDocuments(ctx, part, 0);
  const keptWords = measureWords(ctx, part, runsOf(ctx, words, counts));
  assert(kept && keptWords, 'lda: Σ_k n_dk = N_d and Σ_k n_wk = N_w');
  if (stepOf(ctx, work.clock).fits) measureSlopes(ctx, part, words);
  writeSheet(ctx, part);
}

/** All parts have measured: this host hears of it, and goes on as all others do. */
function settle(ctx: ServerContext, { partition, clock }: PartitionWork): void {
  if (!isHostsFirst(ctx, partition)) return;
  const { topics } = ctx.state.shape;
  readSheets(ctx);
  const [{ at }, totals] = [ctx.table('totals'), ctx.buffer('totals')];
  ctx.arena.u8.copyWithin(totals, at, at + topics * 4);
  const all = ctx.kernels.lda_fold(topics, 0, corpusOf(ctx.data).tokens, totals, totals);
  assert(all === 0, 'lda: Σ_k n_k is the tokens of all documents');
  const logLikelihood = likelihood(ctx);
  const { pass, tells, fits } = stepOf(ctx, clock);
  if (fits) stepPriors(ctx);
  if (!tells || partition > 0) return;
  ctx.report({ pass, passes: ctx.options.passes, logLikelihood });
}

function exportAll(ctx: ServerContext, work: PartitionWork): void {
  exportDocuments(ctx, work.partition);
  let place = placeOf(ctx, work.partition, sum.wordEntries);
  for (const { first, count, at } of runsOf(ctx, wordsOf(ctx, work))) {
    place = ctx.kernels.lda_export_words(
      ...([count, place, at.rows, at.lengths, at.entries] as const),
      ...([ctx.buffer('wordStarts') + first * 4, ctx.buffer('wordTopics')] as const),
      ctx.buffer('wordCounts'),
    );
  }
}

/** Its documents are one window. */
function build(ctx: ServerContext, part: number): void {
  ctx.arena.u8.fill(0, ctx.state.cursors, ctx.state.cursors + ctx.state.shape.words * 4);
  sizePart(ctx, part, ctx.state.cursors);
  buildPart(ctx, part);
  enterWindow(ctx, part, 0);
}

/** Data-parallel programs share by tables alone: the functions that both programs use do more. */
const unshared = (ctx: ServerContext): ServerContext => ({ ...ctx, share: () => undefined });

export const ldaServer = defineProgram<LdaOptions, PartitionWork, ServerState>({
  name: 'lda-server',
  tables(setup) {
    const { words, topics } = ldaShape(setup);
    const tokens = { rows: tokenRows(words), columns: tokenColumns };
    return [
      { name: 'words', rows: words, columns: topics, type: 'i32', access: 'rows' },
      { name: 'totals', rows: 1, columns: topics, type: 'i32' },
      { name: 'wordTokens', ...tokens, type: 'i32', access: 'rows' },
      sheetTable(setup),
    ];
  },
  buffers: ldaBuffers,
  deltaBytes(setup) {
    const { words, topics } = ldaShape(setup);
    const blockWords = Math.ceil(words / blocksOf({ topics, words }));
    const sampled = (blockWords + 1) * rowBytesOf(topics);
    const counted = tokenRows(words) * tokenColumns * 4;
    return Math.max(sampled, counted, rowBytesOf(sheetTable(setup).columns)) + 4096;
  },
  clocks: clocksOf,
  barrier(clock, setup) {
    if (clock === 0) return false;
    return [clock - 1, clock].some((at) => stepOf(setup, at).kind !== 'sample');
  },
  start,
  reads: readsOf,
  push(pushed, work) {
    const ctx = unshared(pushed);
    const { partition, clock } = work;
    switch (stepOf(ctx, clock).kind) {
      case 'open':
        if (isHostsFirst(ctx, partition)) openPriors(ctx);
        countTokens(ctx, partition);
        return build(ctx, partition);
      case 'sample':
        return sample(ctx, work);
      case 'measure':
        return measure(ctx, work);
      case 'settle':
        return settle(ctx, work);
      case 'export':
        return exportAll(ctx, work);
    }
  },
});
