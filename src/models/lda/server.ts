// lda on the parameter server: data-parallel, push alone (Bösen, Wei et al. 2015). Objective and
// output are in model.ts.
//
//   table `words`    V × K i32   n_kw         read by blocks of words
//   table `totals`   1 × K i32   n_k
//
//   push, partition p, clock c of a pass:   its tokens of block (c + p) mod C
//     get the block's rows and n_k, up to s clocks old, its own incs among them
//     collapsed Gibbs over them (assembly/lda/sample.ts)
//     inc by how they have changed
//
// Counts add up whatever the staleness: a token that moves takes one off and puts one on. That
// partitions begin a pass at blocks of their own keeps n_kw nearly fresh; n_k is the stale one.
//
//   clocks   open │ C of sampling a pass, measure after some │ … │ export
//
// Nobody samples while others measure: the clock after it waits for all, too.
import { assert } from '../../base/assert.ts';
import { rangeOf, type Range } from '../../base/ranges.ts';
import {
  defineProgram,
  type Context,
  type PartitionWork,
  type PushContext,
  type Setup,
} from '../../program/program.ts';
import { corpusOf, ldaBuffers, ldaShape, sum, type LdaOptions, type LdaState } from './layout.ts';
import {
  exportDocuments,
  likelihood,
  measureDocuments,
  measureWords,
  placeOf,
  type Rows,
} from './measure.ts';
import { aimPlan, buildPart, openPriors, segments, startWorker } from './prepare.ts';
import { samplerOf } from './sampler.ts';

/** Bytes of the rows that a push reads and writes. */
const blockBytes = 4 * 1024 * 1024;
/** The table is dense. */
export const tableCellsMax = 2 ** 27;

type Step = {
  readonly kind: 'open' | 'sample' | 'measure' | 'export';
  readonly pass: number;
  readonly block: number;
};

type ServerState = LdaState & {
  /** V × i32: 0, 1, 2, … */
  readonly list: number;
  /** Rows that were gathered: word first + i at i, with room for K topics each. */
  readonly local: Omit<Rows, 'counts'>;
  /** V × i32: N_w. */
  readonly counts: number;
  /** K × i32: s̃, this worker's own. */
  readonly totals: number;
};
type ServerContext = PushContext<LdaOptions, ServerState>;

const rowBytesOf = (topics: number) => (topics * 4 + 15) & ~15;

/** Blocks of words: clocks of a pass. */
function blocksOf({ topics, words }: { readonly topics: number; readonly words: number }): number {
  return Math.min(words, Math.ceil((words * rowBytesOf(topics)) / blockBytes));
}

/** What a clock does. */
function stepOf(setup: Pick<Setup<LdaOptions>, 'data' | 'options'>, clock: number): Step {
  const blocks = blocksOf(ldaShape(setup));
  const { evaluateInterval, passes } = setup.options;
  const all = clocksOf(setup);
  if (clock === 0) return { kind: 'open', pass: 0, block: 0 };
  if (clock === all - 1) return { kind: 'export', pass: passes, block: 0 };
  // Passes up to a measured one are a period.
  const period = evaluateInterval * blocks + 1;
  const before = Math.floor((clock - 1) / period);
  const rest = clock - 1 - before * period;
  const pass = Math.min(evaluateInterval, Math.floor(rest / blocks) + 1);
  const kind = clock === all - 2 || rest === period - 1 ? 'measure' : 'sample';
  return { kind, pass: Math.min(passes, before * evaluateInterval + pass), block: rest % blocks };
}

function clocksOf(setup: Pick<Setup<LdaOptions>, 'data' | 'options'>): number {
  const { passes, evaluateInterval } = setup.options;
  return passes * blocksOf(ldaShape(setup)) + Math.ceil(passes / evaluateInterval) + 2;
}

function start(ctx: Context<LdaOptions> & { readonly worker: number }): ServerState {
  const { arena, kernels, partitions } = ctx;
  const { topics, words } = ldaShape(ctx);
  const data = corpusOf(ctx.data);
  const blockWords = Math.ceil(words / blocksOf({ topics, words }));
  const most = Math.max(blockWords, Math.ceil(words / partitions));
  const list = arena.allocate(words * 4);
  arena.i32.subarray(list / 4, list / 4 + words).forEach((_, word, all) => (all[word] = word));
  const counts = arena.allocate(words * 4);
  arena.u8.fill(0, counts, counts + words * 4);
  segments(data, { first: 0, last: data.documents }, ({ rowStart, index, count }, first, last) => {
    kernels.lda_count(first, last, rowStart, index, count, counts);
  });
  return {
    ...startWorker(ctx),
    ...{ counts, list },
    totals: arena.allocate(topics * 4),
    local: {
      rows: arena.allocate(most * 4),
      lengths: arena.allocate(most * 4),
      entries: arena.allocate(blockWords * topics * 8),
    },
  };
}

/** Words that a push reads: a block, or its share of all. */
function wordsOf(ctx: ServerContext, { partition, clock }: PartitionWork): Range {
  const { kind, block } = stepOf(ctx, clock);
  const { shape } = ctx.state;
  if (kind !== 'sample') return rangeOf(shape.words, ctx.partitions, partition);
  const blocks = blocksOf(shape);
  return rangeOf(shape.words, blocks, (block + partition) % blocks);
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

/** The rows that a push reads, a block at a time. */
function* runsOf(ctx: ServerContext, { first, last }: Range) {
  const { local, shape, counts } = ctx.state;
  const step = Math.floor(shape.words / blocksOf(shape));
  for (let from = 0; from < last - first; from += step) {
    const to = Math.min(last - first, from + step);
    gather(ctx, from, to);
    const at = { ...local, counts: counts + (first + from) * 4 };
    yield { first: first + from, count: to - from, at };
  }
}

function measure(ctx: ServerContext, work: PartitionWork): void {
  const { topics } = ctx.state.shape;
  const kept = measureDocuments(ctx, work.partition);
  const words = runsOf(ctx, wordsOf(ctx, work));
  const keptWords = measureWords(ctx, work.partition, words);
  assert(kept && keptWords, 'lda: Σ_k n_dk = N_d and Σ_k n_wk = N_w');
  const { at } = ctx.table('totals');
  if (work.partition === 0) ctx.arena.u8.copyWithin(ctx.buffer('totals'), at, at + topics * 4);
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

/** What the clock before measured, told by partition 0: all have finished it. */
function tell(ctx: ServerContext, clock: number): void {
  const before = clock === 0 ? undefined : stepOf(ctx, clock - 1);
  if (before?.kind !== 'measure') return;
  const { pass } = before;
  ctx.report({ pass, passes: ctx.options.passes, logLikelihood: likelihood(ctx) });
}

export const ldaServer = defineProgram<LdaOptions, PartitionWork, ServerState>({
  name: 'lda-server',
  tables(setup) {
    const { words, topics } = ldaShape(setup);
    return [
      { name: 'words', rows: words, columns: topics, type: 'i32', access: 'rows' },
      { name: 'totals', rows: 1, columns: topics, type: 'i32' },
    ];
  },
  buffers: ldaBuffers,
  deltaBytes(setup) {
    const { words, topics } = ldaShape(setup);
    const blockWords = Math.ceil(words / blocksOf({ topics, words }));
    return (blockWords + 1) * rowBytesOf(topics) + 4096;
  },
  clocks: clocksOf,
  barrier(clock, setup) {
    if (clock === 0) return false;
    return [clock - 1, clock].some((at) => stepOf(setup, at).kind !== 'sample');
  },
  start,
  reads(ctx, work) {
    const { first, last } = wordsOf(ctx, work);
    return { words: { at: ctx.state.list + first * 4, count: last - first } };
  },
  push(ctx, work) {
    if (work.partition === 0) tell(ctx, work.clock);
    switch (stepOf(ctx, work.clock).kind) {
      case 'open':
        if (work.partition === 0) openPriors(ctx);
        return buildPart(ctx, work.partition);
      case 'sample':
        return sample(ctx, work);
      case 'measure':
        return measure(ctx, work);
      case 'export':
        return exportAll(ctx, work);
    }
  },
});
