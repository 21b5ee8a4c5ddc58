// What matrix factorization reports of itself: test error while it trains, and the objective.
import type { Ratings } from '../../data/dataset.ts';
import { sendSegments } from './hosts.ts';
import { codeOf, gridBlock, result } from './layout.ts';
import { partRange, type MfContext } from './prepare.ts';

type Range = { readonly first: number; readonly last: number };

/**
 * Sorts chunks of the test set by user part, in place, and sends the parts of other hosts to them.
 * An unknown user (−1) goes with part 0.
 */
export function sortTest(ctx: MfContext, test: Ratings, chunks: Range): void {
  const { i32 } = ctx.arena;
  const { grid } = ctx.state.shape;
  const ranks = ctx.buffer('userRank') / 4;
  const parts = ctx.buffer('userPart') / 4;
  const partOf = (user: number) => (user < 0 ? 0 : (i32[parts + (i32[ranks + user] ?? 0)] ?? 0));
  for (const index of ctx.state.testChunks.slice(chunks.first, chunks.last)) {
    ctx.poll();
    const { count, user, item, value } = test.blocks[index]!;
    const starts = ctx.buffer('testEnds') / 4 + index * grid;
    const ends = i32.subarray(starts, starts + grid).fill(0);
    const columns = [user, item, value].map((at) => i32.slice(at / 4, at / 4 + count));
    const owners = Int32Array.from(columns[0] ?? [], partOf);
    for (const part of owners) ends[part]! += 1;
    let sum = 0;
    const next = ends.map((size) => (sum += size) - size);
    ends.forEach((size, part) => (ends[part] = (next[part] ?? 0) + size));
    owners.forEach((part, j) => {
      const place = next[part]!++;
      i32[user / 4 + place] = columns[0]![j]!;
      i32[item / 4 + place] = columns[1]![j]!;
      i32[value / 4 + place] = columns[2]![j]!;
    });
    ctx.share('testEnds', index * grid * 4, grid * 4);
    sendSegments(ctx, { of: 'test', index }, ends);
  }
}

/** Σ e², Σ |e| of user part a's ratings in each chunk of the test set, in ratings' units. */
export function measureTest(ctx: MfContext, a: number): void {
  const { kernels, arena, state, options } = ctx;
  const { test } = options;
  if (test === undefined) return;
  const results = ctx.buffer('results') / 8;
  const mean = arena.f64[results + result.mean] ?? 0;
  const scale = arena.f64[results + result.scale] ?? 1;
  const bytes = test.blocks.length * 16;
  const all = ctx.buffer('testSums') + a * bytes;
  arena.u8.fill(0, all, all + bytes);
  test.blocks.forEach((chunk, index) => {
    ctx.poll();
    const ends = ctx.buffer('testEnds') / 4 + index * state.shape.grid;
    const first = a === 0 ? 0 : (arena.i32[ends + a - 1] ?? 0);
    const count = (arena.i32[ends + a] ?? 0) - first;
    const skip = first * 4;
    kernels.mf_predict(
      ...([count, state.shape.rowBytes, options.bias ? 1 : 0, mean, scale] as const),
      ...([-Infinity, Infinity] as const),
      ...([chunk.user + skip, chunk.item + skip, chunk.value + skip] as const),
      ...([ctx.buffer('userRank'), ctx.buffer('itemRank')] as const),
      ...([ctx.table('users').at, ctx.table('items').at, 0, all + index * 16] as const),
    );
  });
  ctx.share('testSums', a * bytes, bytes);
}

/**
 * Part a's Σ e² at parameters that stand still into `losses`, its Σ n ‖row‖² into `penalties`; and
 * its users' rows to the scheduler.
 */
export function measurePart(ctx: MfContext, a: number): void {
  const { kernels, arena, state } = ctx;
  const { grid, rowBytes, skip } = state.shape;
  const users = ctx.table('users').at;
  const items = ctx.table('items').at;
  for (let b = 0; b < grid; b++) {
    ctx.poll();
    const { runCount, runs, ix, values } = gridBlock(ctx, state.shape, a, b);
    const first = items + partRange(ctx, 'item', b).first * rowBytes;
    const loss = kernels.mf_block_error(
      ...([runCount, rowBytes, runs, ix, values, users, first, codeOf(ctx)] as const),
    );
    arena.f64[ctx.buffer('losses') / 8 + a * grid + b] = loss;
  }
  const penalty = (side: 'user' | 'item', rows: number) => {
    const { first, last } = partRange(ctx, side, a);
    const counts = ctx.buffer(`${side}Counts`);
    const order = ctx.buffer(`${side}Order`);
    return kernels.mf_penalty(first, last, rowBytes, skip, order, counts, rows);
  };
  const cell = ctx.buffer('penalties') / 8 + a;
  arena.f64[cell] = penalty('user', users) + penalty('item', items);
  ctx.share('losses', a * grid * 8, grid * 8);
  ctx.share('penalties', a * 8, 8);
  const { first, last } = partRange(ctx, 'user', a);
  ctx.share('users', first * rowBytes, (last - first) * rowBytes);
}
