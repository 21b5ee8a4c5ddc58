// What workers do in a pass: they solve the rows of their parts, and hand them to all hosts.
import { result } from '../layout.ts';
import { partRange, ratingsOf } from '../prepare.ts';
import type { Range } from '../../../base/ranges.ts';
import {
  lineAt,
  momentParts,
  otherSide,
  packedRows,
  pilotEvery,
  roomBytes,
  sides,
  sizeOf,
  tableOf,
  type Side,
} from './layout.ts';
import type { RowsContext } from './prepare.ts';
import { rangeOf } from '../../../base/ranges.ts';

export type SolveWork = {
  readonly kind: 'solve';
  readonly side: Side;
  readonly parts: readonly number[];
  readonly blocks: Range;
  /** The block of the other side whose deltas residuals do not have yet; −1: compute them anew. */
  readonly applied: number;
  readonly pilot: boolean;
  readonly omega: number;
  /** λ of this phase. */
  readonly lambda: number;
};

/** Rows of one kernel call. */
const callRows = 256;

/** Bytes of a table or buffer to the memory of every other host. */
function shareWithAll(ctx: RowsContext, name: string, from: number, bytes: number): void {
  if (bytes === 0) return;
  ctx.hosts.forEach(({ first, last }, host) => {
    if (host !== ctx.state.host && last > first) ctx.share(name, from, bytes, first);
  });
}

/** The plan of mf_rows for a side, as its header draws it. */
function writePlan(ctx: RowsContext, work: SolveWork): void {
  const { arena, state, options } = ctx;
  const { side } = work;
  const data = ratingsOf(ctx.data);
  const { plan, shape } = state;
  const other = otherSide(side);
  const ccd = options.solver === 'ccd';
  const fixed = options.bias ? (side === 'user' ? 1 : 0) : -1;
  const free = options.bias ? (side === 'user' ? 0 : 1) : -1;
  const implicit = options.confidence > 0;
  const sizes = [sizeOf(data, side), sizeOf(data, other)] as const;
  const flags = (options.nonNegative ? 1 : 0) + (implicit ? 0 : 2) + (ccd ? 0 : 4);
  const words = [shape.b, shape.blocks, ...sizes, fixed, free, flags, roomBytes];
  arena.i32.set(words, plan / 4);
  arena.f32.set([work.lambda, options.nonNegative ? 1 : work.omega], plan / 4 + 8);
  const deltas = (of: Side) => (ccd ? ctx.buffer(`${of}Deltas`) : 0);
  const tables = [ctx.table(tableOf(side)).at, ctx.table(tableOf(other)).at];
  const base = implicit ? ctx.buffer(`${other}Moments`) : 0;
  arena.i32.set([...tables, deltas(side), deltas(other), base, ctx.scratch.at], plan / 4 + 10);
}

export function solveParts(ctx: RowsContext, work: SolveWork): void {
  const { kernels, arena, state, options } = ctx;
  const { side, parts, blocks, applied, pilot } = work;
  writePlan(ctx, work);
  const { columns, pieces } = state.shape;
  const size = sizeOf(ratingsOf(ctx.data), side);
  const shared = pieces === 1 ? { first: 0, last: 1 } : blocks;
  for (const part of parts) {
    const sums = ctx.buffer(`${side}Sums`) + part * 16;
    arena.f64.fill(0, sums / 8, sums / 8 + 2);
    ctx.share(`${side}Sums`, part * 16, 16);
    if (pilot && side === 'user' && part % pilotEvery !== 0) continue;
    const { first, last } = partRange(ctx, side, part);
    const line = lineAt(ctx, side, part, pilot);
    for (let row = 0; row < last - first; row += callRows) {
      ctx.poll();
      const end = Math.min(last - first, row + callRows);
      kernels.mf_rows(row, end, blocks.first, blocks.last, applied, state.plan, line, sums);
    }
    ctx.share(`${side}Sums`, part * 16, 16);
    if (ctx.hosts.length === 1) continue;
    const bytes = (last - first) * columns * 4;
    for (let piece = shared.first; piece < shared.last; piece++) {
      shareWithAll(ctx, tableOf(side), (piece * size + first) * columns * 4, bytes);
    }
    if (options.solver === 'ccd') shareWithAll(ctx, `${side}Deltas`, first * columns * 4, bytes);
  }
}

/** Σ x xᵀ over some of the ranges of a side's rows. */
export function sumMoments(ctx: RowsContext, side: Side, ranges: Range): void {
  const { shape } = ctx.state;
  const size = sizeOf(ratingsOf(ctx.data), side);
  const { columns, pieces, rowBytes, lanes } = shape;
  const bytes = rowBytes * lanes;
  for (let range = ranges.first; range < ranges.last; range++) {
    ctx.poll();
    const { first, last } = rangeOf(size, momentParts, range);
    ctx.kernels.mf_moments(
      ...([first, last, size, columns, pieces, ctx.table(tableOf(side)).at] as const),
      ...([ctx.buffer('moments') + range * bytes, ctx.scratch.at] as const),
    );
    ctx.share('moments', range * bytes, bytes);
  }
}

/** Rows of part `part` of both sides where `packedRows` says. */
export function packRows(ctx: RowsContext, part: number): void {
  const { columns, lanes, rowBytes } = ctx.state.shape;
  for (const side of sides) {
    const { first, last } = partRange(ctx, side, part);
    const size = sizeOf(ratingsOf(ctx.data), side);
    const [from, to] = [ctx.table(tableOf(side)).at, packedRows(ctx, side)];
    ctx.kernels.mf_unpack(first, last, size, columns, 0, lanes, rowBytes, from, to);
  }
}

/** Errors and penalties of part `part` at packed rows, in f64; items add no errors of their own. */
export function measureRows(ctx: RowsContext, part: number): void {
  const { kernels, arena, state, options } = ctx;
  const { rowBytes, skip } = state.shape;
  for (const side of sides) {
    const { first, last } = partRange(ctx, side, part);
    const sums = ctx.buffer(`${side}Sums`) + part * 16;
    arena.f64.fill(0, sums / 8, sums / 8 + 2);
    // Users' rows see every rating already.
    const other = side === 'user' ? packedRows(ctx, 'item') : 0;
    for (let row = 0; row < last - first; row += callRows) {
      ctx.poll();
      kernels.mf_rows_error(
        ...([row, Math.min(last - first, row + callRows), rowBytes, skip] as const),
        ...([options.confidence > 0 ? 0 : 1, lineAt(ctx, side, part)] as const),
        ...([packedRows(ctx, side), other, sums] as const),
      );
    }
    ctx.share(`${side}Sums`, part * 16, 16);
  }
}

/** Σ e², Σ |e| of the test chunks that lie here. */
export function measureChunks(ctx: RowsContext, chunks: Range): void {
  const { kernels, arena, state, options } = ctx;
  const mean = arena.f64[ctx.buffer('results') / 8 + result.mean] ?? 0;
  for (const index of state.testChunks.slice(chunks.first, chunks.last)) {
    ctx.poll();
    const chunk = options.test!.blocks[index]!;
    const sums = ctx.buffer('testSums') + index * 16;
    arena.f64.fill(0, sums / 8, sums / 8 + 2);
    kernels.mf_predict(
      ...([chunk.count, state.shape.rowBytes, options.bias ? 1 : 0, mean, 1] as const),
      ...([-Infinity, Infinity, chunk.user, chunk.item, chunk.value] as const),
      ...([ctx.buffer('userRank'), ctx.buffer('itemRank')] as const),
      ...([packedRows(ctx, 'user'), packedRows(ctx, 'item'), 0, sums] as const),
    );
    ctx.share('testSums', index * 16, 16);
  }
}
