// How good the first ten are that a user is offered: items that training did not have of the user,
// by score, against those of the test set that the user liked (a count above 0). Means over all
// users with such items, binary relevance:
//
//   precision  hits / 10      recall  hits / liked      ndcg  Σ_hits 1/log2(1 + place) / its most
import { assert } from '../../../base/assert.ts';
import { partRange, ratingsOf } from '../prepare.ts';
import { lineAt, packedRows, rankCells } from './layout.ts';
import type { RowsContext } from './prepare.ts';

const offered = 10;

/** What each user of the part liked in the test set, users ascending. */
function likedOf(ctx: RowsContext, part: number): readonly (readonly [number, Set<number>])[] {
  const { arena, state, options } = ctx;
  const liked = new Map<number, Set<number>>();
  options.test?.blocks.forEach((chunk, index) => {
    const ends = ctx.buffer('testEnds') / 4 + index * state.shape.grid;
    const first = part === 0 ? 0 : (arena.i32[ends + part - 1] ?? 0);
    for (let j = first; j < (arena.i32[ends + part] ?? 0); j++) {
      const [user = -1, item = -1] = [arena.i32[chunk.user / 4 + j], arena.i32[chunk.item / 4 + j]];
      if (user < 0 || item < 0 || !((arena.f32[chunk.value / 4 + j] ?? 0) > 0)) continue;
      const items = liked.get(user) ?? new Set();
      liked.set(user, items.add(item));
    }
  });
  return [...liked].sort(([a], [b]) => a - b);
}

const gain = (place: number) => 1 / Math.log2(2 + place);

/** The part's users into its cells of `ranks`: users, Σ ndcg, Σ precision, Σ recall. */
export function rankUsers(ctx: RowsContext, part: number): void {
  const { kernels, arena, state } = ctx;
  const { rowBytes } = state.shape;
  const { items } = ratingsOf(ctx.data);
  const { first: firstUser } = partRange(ctx, 'user', part);
  const line = arena.i32.slice(lineAt(ctx, 'user', part) / 4, lineAt(ctx, 'user', part) / 4 + 4);
  const [, starts = 0, , ids = 0] = line;
  const marks = ctx.scratch.at;
  assert(items + 1024 <= ctx.scratch.bytes, 'a mark for every item fits scratch');
  arena.u8.fill(0, marks, marks + items);
  const found = (marks + items + 15) & ~15;
  let [users, ndcg, precision, recall] = [0, 0, 0, 0];
  for (const [user, liked] of likedOf(ctx, part)) {
    ctx.poll();
    const start = arena.i32[starts / 4 + user - firstUser] ?? 0;
    const known = (arena.i32[starts / 4 + user - firstUser + 1] ?? 0) - start;
    for (let j = start; j < start + known; j++) liked.delete(arena.i32[ids / 4 + j] ?? -1);
    if (liked.size === 0) continue;
    const count = kernels.mf_top(
      ...([items, rowBytes, offered, known, ids + start * 4, marks] as const),
      ...([packedRows(ctx, 'user') + user * rowBytes, packedRows(ctx, 'item'), found] as const),
    );
    const top = arena.i32.subarray(found / 4, found / 4 + count);
    const hits = Array.from(top, (item, place) => (liked.has(item) ? gain(place) : 0));
    const most = Array.from({ length: Math.min(offered, liked.size) }, (_, place) => gain(place));
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const hit = hits.filter((value) => value > 0).length;
    users += 1;
    ndcg += sum(hits) / sum(most);
    precision += hit / offered;
    recall += hit / liked.size;
  }
  const bytes = rankCells * 8;
  arena.f64.set([users, ndcg, precision, recall], (ctx.buffer('ranks') + part * bytes) / 8);
  ctx.share('ranks', part * bytes, bytes);
}
