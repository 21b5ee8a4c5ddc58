// What matrix factorization reports of itself: test error while it trains, and the objective.
import type { Ratings } from '../../data/dataset.ts';
import { codeOf, gridBlock, result } from './layout.ts';
import { partRange, type MfContext } from './prepare.ts';

type Range = { readonly first: number; readonly last: number };

/** Σ e², Σ |e| of the chunks of the test set, in ratings' units, into the chunks' cells. */
export function measureTest(ctx: MfContext, test: Ratings, chunks: Range): void {
  const { kernels, arena, state } = ctx;
  const results = ctx.buffer('results') / 8;
  const mean = arena.f64[results + result.mean] ?? 0;
  const scale = arena.f64[results + result.scale] ?? 1;
  for (let index = chunks.first; index < chunks.last; index++) {
    ctx.poll();
    const chunk = test.blocks[index]!;
    const sums = ctx.buffer('testSums') + index * 16;
    arena.f64.fill(0, sums / 8, sums / 8 + 2);
    kernels.mf_predict(
      ...([chunk.count, state.shape.rowBytes, ctx.options.bias ? 1 : 0, mean, scale] as const),
      ...([-Infinity, Infinity, chunk.user, chunk.item, chunk.value] as const),
      ...([ctx.buffer('userRank'), ctx.buffer('itemRank')] as const),
      ...([ctx.table('users').at, ctx.table('items').at, 0, sums] as const),
    );
  }
}

/** Part a's Σ e² at parameters that stand still into `losses`, its Σ n ‖row‖² into `penalties`. */
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
}
