// What reads a corpus under trained topics: held-out scores, document mixtures, and in how many
// documents words occur together. One clock, data-parallel over the corpus' blocks, no tables. A
// document's draws come from the seed and its number, and sums are taken document by document and
// partition by partition, so nothing depends on threads.
import { assert } from '../../base/assert.ts';
import { createPrng } from '../../base/prng.ts';
import { rangeOf } from '../../base/ranges.ts';
import type { Corpus, CorpusBlock } from '../../data/dataset.ts';
import { defineProgram, type PartitionWork, type PushContext } from '../../program/program.ts';
import { openSampler, type Sampler, type Sweeps } from './sampler.ts';

type Documents = {
  /** Byte offset of the model's plan: see PlacedTopics. */
  readonly plan: number;
  readonly topics: number;
  readonly words: number;
  /** The most tokens that a document here has. */
  readonly longest: number;
  readonly sweeps: Sweeps;
};

/** Byte offsets as topics_cooccur draws them. */
type Pairs = {
  readonly topics: number;
  readonly words: number;
  readonly top: number;
  readonly starts: number;
  readonly places: number;
  readonly counts: number;
};

export type TopicsWork =
  /** Sums {Σ ln p, tokens} of each partition into `sums`. */
  | ({ readonly kind: 'completion' } & Documents)
  | ({ readonly kind: 'left-to-right'; readonly particles: number } & Documents)
  /** Into `mixtures`, `room` pairs a document, as many as `found` says. */
  | ({ readonly kind: 'mixtures'; readonly threshold: number; readonly room: number } & Documents)
  | ({ readonly kind: 'cooccurrence' } & Pairs);

export const corpusOf = (data: { readonly kind: string }): Corpus => {
  assert(data.kind === 'corpus', 'topics read documents');
  return data as Corpus;
};

/** Bytes of a partition's sums: a line of their own. */
export const sumsBytes = 64;

type State = {
  readonly sampler: Sampler | undefined;
  /** Byte offsets of masks and of the list of touched topics. */
  readonly masks: number;
  readonly touched: number;
};
type Push = PushContext<TopicsWork, State>;

/** A document's part of its block's arrays, and its number. */
function* documentsOf(ctx: Push, block: CorpusBlock) {
  const { i32 } = ctx.arena;
  for (let d = 0; d < block.documents; d++) {
    ctx.poll();
    const [first = 0, last = 0] = i32.subarray(block.rowStart / 4 + d, block.rowStart / 4 + d + 2);
    const at = (array: number) => array + first * 4;
    yield { d, bag: { nonzeros: last - first, index: at(block.index), count: at(block.count) } };
  }
}

function pairs(ctx: Push, block: CorpusBlock, work: TopicsWork & { kind: 'cooccurrence' }): void {
  const { masks, touched } = ctx.state;
  const { words, top, starts, places, counts } = work;
  const { documents, rowStart, index } = block;
  ctx.kernels.topics_cooccur(
    ...([documents, words, top, rowStart, index, starts, places, masks, touched, counts] as const),
  );
}

/** Scores or mixes a block's documents, the first of which is number `before` here. */
function read(ctx: Push, block: CorpusBlock, at: { before: number; partition: number }): void {
  const { arena, options: work, state } = ctx;
  const { sampler } = state;
  if (work.kind === 'cooccurrence') return pairs(ctx, block, work);
  assert(sampler !== undefined, 'documents are read by a sampler');
  const first = corpusOf(ctx.data).first + at.before;
  const sums = ctx.buffer('sums') / 8 + (at.partition * sumsBytes) / 8;
  for (const { d, bag } of documentsOf(ctx, block)) {
    const n = sampler.open(bag, work.words, createPrng(ctx.seed, first + d));
    if (work.kind === 'mixtures') {
      const out = ctx.buffer('mixtures') + (at.before + d) * work.room * 8;
      const found = sampler.mixture(work.sweeps, work.threshold, out);
      arena.i32[ctx.buffer('found') / 4 + at.before + d] = found;
    } else if (n > 0) {
      const completed = work.kind === 'completion';
      const score = completed ? sampler.completion(work.sweeps) : sampler.leftToRight();
      arena.f64[sums]! += score.logLikelihood;
      arena.f64[sums + 1]! += score.tokens;
    }
  }
}

export const topicsRead = defineProgram<TopicsWork, PartitionWork, State>({
  name: 'topics-read',
  tables: () => [],
  clocks: () => 1,
  buffers: ({ data, options, partitions }) => {
    const sums = { name: 'sums', bytes: partitions * sumsBytes };
    if (options.kind !== 'mixtures') return [sums];
    const here = corpusOf(data).blocks.reduce((sum, { documents }) => sum + documents, 0);
    const mixtures = { name: 'mixtures', bytes: here * options.room * 8 + 16 };
    return [sums, mixtures, { name: 'found', bytes: here * 4 + 16 }];
  },
  start({ arena, kernels, options }) {
    const place = () => {
      const at = arena.allocate(options.topics * 4 + 16);
      arena.u8.fill(0, at, at + options.topics * 4);
      return at;
    };
    if (options.kind === 'cooccurrence') {
      return { sampler: undefined, masks: place(), touched: place() };
    }
    const { plan, topics, longest: tokens } = options;
    const particles = options.kind === 'left-to-right' ? options.particles : 0;
    const sampler = openSampler({ arena, kernels }, plan, { topics, tokens, particles });
    return { sampler, masks: 0, touched: 0 };
  },
  push(ctx, { partition }) {
    const { blocks } = corpusOf(ctx.data);
    const own = rangeOf(blocks.length, ctx.partitions, partition);
    const sums = ctx.buffer('sums') + partition * sumsBytes;
    ctx.arena.u8.fill(0, sums, sums + sumsBytes);
    let before = blocks.slice(0, own.first).reduce((sum, { documents }) => sum + documents, 0);
    for (const block of blocks.slice(own.first, own.last)) {
      ctx.poll();
      read(ctx, block, { before, partition });
      before += block.documents;
    }
  },
});
