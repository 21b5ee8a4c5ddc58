// Preparation of the ratings, the workers' side: statistics, partition, the grid, first values.
// The kernels and the picture are in assembly/models/mf-grid.ts; every phase writes places of its
// own, so the result does not depend on who does what.
import { assert } from '../../base/assert.ts';
import type { Ratings } from '../../data/dataset.ts';
import type { Context, PushContext } from '../../program/program.ts';
import { chunksOn, hostOfWorker, sendSegments } from './hosts.ts';
import {
  codeOf,
  gridBlock,
  gridLine,
  mfShape,
  ratingSteps,
  result,
  type MfOptions,
  type MfShape,
} from './layout.ts';

export type MfContext = PushContext<MfOptions, MfState>;
export type MfState = {
  readonly shape: MfShape;
  readonly work: number;
  /** Numbers of the chunks that lie on this host. */
  readonly chunks: readonly number[];
  readonly testChunks: readonly number[];
};
type Range = { readonly first: number; readonly last: number };

export function ratingsOf(data: unknown): Ratings {
  const ratings = data as Ratings;
  assert(ratings.kind === 'ratings', 'mf trains on ratings');
  return ratings;
}

export function startWorker(
  ctx: Context<MfOptions> & { readonly worker: number },
  shape: MfShape = mfShape(ratingsOf(ctx.data), ctx.options),
): MfState {
  const data = ratingsOf(ctx.data);
  const largest = data.blocks.reduce((most, block) => Math.max(most, block.count), 0);
  const work = ctx.arena.allocate(largest * 12 + shape.grid * 4 + 64);
  const host = hostOfWorker(ctx, ctx.worker);
  const { test } = ctx.options;
  const testChunks = test === undefined ? [] : chunksOn(test, host);
  return { shape, work, chunks: chunksOn(data, host), testChunks };
}

/**
 * n_u, n_i of this worker's chunks, a range of those of its host; each chunk's Σ r, Σ r², and the
 * steps that its ratings fit.
 */
export function countChunks(ctx: MfContext, chunks: Range): void {
  const { kernels, arena, worker } = ctx;
  const data = ratingsOf(ctx.data);
  const users = ctx.buffer('workerCounts') + worker * (data.users + data.items) * 4;
  const items = users + data.users * 4;
  const bytes = (data.users + data.items) * 4;
  arena.u8.fill(0, users, users + bytes);
  ctx.share('workerCounts', worker * bytes, bytes);
  for (const index of ctx.state.chunks.slice(chunks.first, chunks.last)) {
    ctx.poll();
    const chunk = data.blocks[index]!;
    const sums = ctx.buffer('chunkSums') + index * 16;
    arena.f64.fill(0, sums / 8, sums / 8 + 2);
    kernels.mf_count(chunk.count, chunk.user, chunk.item, chunk.value, users, items, sums);
    const steps = ratingSteps.map((step, bit) =>
      kernels.mf_codable(chunk.count, chunk.value, data.minimum, step) === 1 ? 1 << bit : 0,
    );
    arena.i32[ctx.buffer('chunkSteps') / 4 + index] = steps.reduce((mask, bit) => mask | bit, 0);
    ctx.share('chunkSums', index * 16, 16);
    ctx.share('chunkSteps', index * 4, 4);
  }
}

/**
 * Rewrites chunks in place: ids become ranks, ratings sorted by the parts of `side`; and sends the
 * parts of other hosts to them.
 */
export function partitionChunks(
  ctx: MfContext,
  chunks: Range,
  side: 'user' | 'item' = 'user',
): void {
  const other = side === 'user' ? 'item' : 'user';
  const { kernels, state } = ctx;
  const data = ratingsOf(ctx.data);
  const endBytes = state.shape.grid * 4;
  for (const index of state.chunks.slice(chunks.first, chunks.last)) {
    ctx.poll();
    const chunk = data.blocks[index]!;
    const ends = ctx.buffer('chunkEnds') + index * endBytes;
    kernels.mf_partition(
      ...([chunk.count, state.shape.grid, chunk[side], chunk[other], chunk.value] as const),
      ...([ctx.buffer(`${side}Rank`), ctx.buffer(`${other}Rank`)] as const),
      ctx.buffer(`${side}Part`),
      ...([ends, state.work] as const),
    );
    ctx.share('chunkEnds', index * endBytes, endBytes);
    const placed = ctx.arena.i32.subarray(ends / 4, (ends + endBytes) / 4);
    sendSegments(ctx, { of: 'train', index }, placed);
  }
}

/** Calls `each` with the segment of every chunk that belongs to part a, in input order. */
export function segments(
  ctx: MfContext,
  a: number,
  each: (count: number, user: number, item: number, value: number) => void,
): void {
  const { grid } = ctx.state.shape;
  ratingsOf(ctx.data).blocks.forEach((chunk, index) => {
    ctx.poll();
    const ends = ctx.buffer('chunkEnds') / 4 + index * grid;
    const first = a === 0 ? 0 : (ctx.arena.i32[ends + a - 1] ?? 0);
    const count = (ctx.arena.i32[ends + a] ?? 0) - first;
    const skip = first * 4;
    if (count > 0) each(count, chunk.user + skip, chunk.item + skip, chunk.value + skip);
  });
}

/** Part `part` of a side: the ranks [first, last). */
export function partRange(
  ctx: Pick<Context<MfOptions>, 'arena' | 'buffer'>,
  side: 'user' | 'item',
  part: number,
): Range {
  const at = ctx.buffer(`${side}Starts`) / 4 + part;
  return { first: ctx.arena.i32[at] ?? 0, last: ctx.arena.i32[at + 1] ?? 0 };
}

/** Builds the blocks (a, 0 … G−1): counts the runs, lays them out, puts the ratings in. */
export function buildPart(ctx: MfContext, a: number): void {
  const { kernels, arena, state } = ctx;
  const { grid } = state.shape;
  const { first, last } = partRange(ctx, 'user', a);
  const users = last - first;
  const itemPart = ctx.buffer('itemPart');
  const cells = arena.allocate(users * grid * 4 + 16);
  arena.u8.fill(0, cells, cells + users * grid * 4);
  let total = 0;
  segments(ctx, a, (count, user, item) => {
    kernels.mf_count_runs(count, grid, first, user, item, itemPart, cells);
    total += count;
  });
  // 4 ratings of room after each block: a batch loads 4 values at once.
  const room = total + 4 * grid;
  const ix = arena.allocate(room * 2 + 16);
  const results = ctx.buffer('results') / 8;
  const step = arena.f64[results + result.step] ?? 0;
  const valueBytes = step === 0 ? 4 : 1;
  const values = arena.allocate(room * valueBytes + 16);
  arena.u8.fill(0, values, values + room * valueBytes);
  let place = 0;
  for (let b = 0; b < grid; b++) {
    const runCount = kernels.mf_runs(users, grid, b, cells);
    const runs = arena.allocate(runCount * 8 + 16);
    const count = kernels.mf_lay_out(users, grid, b, first, place, cells, runs);
    const line = [runs, runCount, ix + place * 2, values + place * valueBytes, count];
    arena.i32.set(line, (ctx.buffer('grid') + (a * grid + b) * gridLine) / 4);
    place += count + 4;
  }
  // The scheduler balances by their counts; the places are this host's.
  ctx.share('grid', a * grid * gridLine, grid * gridLine);
  const { minimum } = ratingsOf(ctx.data);
  const mean = step === 0 ? (arena.f64[results + result.mean] ?? 0) : minimum;
  const scale = 1 / (arena.f64[results + result.scale] ?? 1);
  segments(ctx, a, (count, user, item, value) => {
    kernels.mf_place(
      ...([count, grid, first, mean, scale, step, user, item, value] as const),
      ...([itemPart, ctx.buffer('itemStarts'), cells, ix, values] as const),
    );
  });
}

const firstValues = { prior: 5, itemSpread: 0.1 } as const;

/**
 * Adds the ratings of user parts `users` to Σ v of item part b. Sums go on where the host before
 * ended them: all their terms are added in the order of user parts, whoever has these.
 */
export function sumItems(ctx: MfContext, b: number, users: Range, next?: number): void {
  const { kernels, arena, state } = ctx;
  const { first, last } = partRange(ctx, 'item', b);
  const sums = ctx.buffer('itemSums') + first * 8;
  if (users.first === 0) arena.u8.fill(0, sums, sums + (last - first) * 8);
  for (let a = users.first; a < users.last; a++) {
    ctx.poll();
    const block = gridBlock(ctx, state.shape, a, b);
    kernels.mf_item_sums(block.runCount, block.runs, block.ix, block.values, sums, codeOf(ctx));
  }
  ctx.share('itemSums', first * 8, (last - first) * 8, next);
}

/** First rows of item part b: bias Σ v / (n + 5), factors small and random. */
export function startItems(ctx: MfContext, b: number): void {
  const { kernels, state, options, seed } = ctx;
  const { rowBytes, lanes } = state.shape;
  const { first, last } = partRange(ctx, 'item', b);
  const sums = ctx.buffer('itemSums') + first * 8;
  const rows = ctx.table('items').at;
  const one = options.bias ? 0 : -1;
  kernels.mf_start_rows(
    ...([first, last, rowBytes, lanes, seed, firstValues.itemSpread, one, 1] as const),
    ...([
      firstValues.prior,
      ctx.buffer('itemOrder'),
      ctx.buffer('itemCounts'),
      sums,
      rows,
    ] as const),
  );
  if (!options.bias) shiftRows(ctx, rows, { first, last });
}

/** First rows of user part a: bias Σ (v − b_i) / (n + 5), factors 0. */
export function startUsers(ctx: MfContext, a: number): void {
  const { kernels, arena, state, options, seed } = ctx;
  const { grid, rowBytes, lanes } = state.shape;
  const { first, last } = partRange(ctx, 'user', a);
  const sums = ctx.buffer('userSums') + first * 8;
  arena.u8.fill(0, sums, sums + (last - first) * 8);
  for (let b = 0; options.bias && b < grid; b++) {
    const block = gridBlock(ctx, state.shape, a, b);
    const items = ctx.table('items').at + partRange(ctx, 'item', b).first * rowBytes;
    kernels.mf_user_sums(
      ...([block.runCount, first, rowBytes, block.runs, block.ix, block.values] as const),
      ...([items, sums, codeOf(ctx)] as const),
    );
  }
  const rows = ctx.table('users').at;
  const one = options.bias ? 1 : -1;
  kernels.mf_start_rows(
    ...([first, last, rowBytes, lanes, seed + 1, 0, one, 0] as const),
    ...([
      firstValues.prior,
      ctx.buffer('userOrder'),
      ctx.buffer('userCounts'),
      sums,
      rows,
    ] as const),
  );
  if (!options.bias) shiftRows(ctx, rows, { first, last });
}

/**
 * Without biases the factors must carry the mean rating: start where their product is that mean.
 */
function shiftRows(ctx: MfContext, rows: number, range: Range): void {
  const { lanes, rowBytes } = ctx.state.shape;
  const scale = ctx.arena.f64[ctx.buffer('results') / 8 + result.scale] ?? 1;
  const level = Math.sqrt(Math.abs(ratingsOf(ctx.data).mean) / scale / lanes);
  for (let row = range.first; row < range.last; row++) {
    ctx.kernels.f32_shift(lanes, level, rows + row * rowBytes);
  }
}
