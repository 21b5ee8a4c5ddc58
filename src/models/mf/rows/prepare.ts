// Preparation of the ratings for solvers that go row by row: those of a user part stand user after
// user, those of an item part item after item. Chunks, as they were parsed, are sorted by user part
// and go to the hosts that have the parts; and then the same by item part.
import { hostOfWorker } from '../hosts.ts';
import { result } from '../layout.ts';
import { partRange, ratingsOf, segments, startWorker, type MfState } from '../prepare.ts';
import type { Context, PushContext } from '../../../program/program.ts';
import {
  lineAt,
  otherSide,
  pilotEvery,
  rowsShape,
  setLine,
  sizeOf,
  tableOf,
  type RowsOptions,
  type RowsShape,
  type Side,
} from './layout.ts';

export type RowsState = MfState & {
  readonly shape: RowsShape;
  readonly host: number;
  /** Place of the kernel's plan. */
  readonly plan: number;
};
export type RowsContext = PushContext<RowsOptions, RowsState>;

export function startRowsWorker(
  ctx: Context<RowsOptions> & { readonly worker: number },
): RowsState {
  const shape = rowsShape(ratingsOf(ctx.data), ctx.options);
  const host = hostOfWorker(ctx, ctx.worker);
  return { ...startWorker(ctx, shape), shape, host, plan: ctx.arena.allocate(64) };
}

/** Builds part `part` of a side: counts give places, and the chunks' segments fill them. */
export function buildRows(ctx: RowsContext, side: Side, part: number): void {
  const { kernels, arena, state, options } = ctx;
  const { first, last } = partRange(ctx, side, part);
  const rows = last - first;
  const starts = arena.allocate((rows + 1) * 4);
  const cursors = arena.allocate(rows * 4 + 16);
  kernels.mf_row_starts(rows, ctx.buffer(`${side}Counts`) + first * 4, starts, cursors);
  const count = arena.i32[starts / 4 + rows] ?? 0;
  const array = (wanted: boolean) => (wanted ? arena.allocate(count * 4 + 16) : 0);
  const [ids, values] = [array(true), array(true)];
  const weights = array(options.confidence > 0);
  const residuals = array(options.solver === 'ccd');
  const mean = arena.f64[ctx.buffer('results') / 8 + result.mean] ?? 0;
  const otherPart = ctx.buffer(`${otherSide(side)}Part`);
  const pilot = state.shape.pilot && side === 'item';
  const ends = pilot ? arena.allocate(rows * 4 + 16) : starts + 4;
  for (const which of pilot ? [0, 1] : [0]) {
    segments(ctx, part, (size, user, item, value) => {
      const [row, other] = side === 'user' ? [user, item] : [item, user];
      kernels.mf_place_rows(
        ...([size, first, mean, pilot ? pilotEvery : 1, which, row, other, value] as const),
        ...([otherPart, cursors, ids, values] as const),
      );
    });
    // Where the pilot's ratings end, the others begin.
    if (pilot && which === 0) arena.u8.copyWithin(ends, cursors, cursors + rows * 4);
  }
  if (weights !== 0) kernels.mf_confidence(count, options.confidence, values, weights);
  const line = { first, starts, ends: starts + 4, ids, values, weights, residuals };
  setLine(ctx, lineAt(ctx, side, part), line);
  setLine(ctx, lineAt(ctx, side, part, true), { ...line, ends });
}

const spread = 0.1;

/** First rows of a part of a side: small and random, around what makes their products the mean. */
export function firstRows(ctx: RowsContext, side: Side, part: number): void {
  const { kernels, state, options, seed } = ctx;
  const data = ratingsOf(ctx.data);
  const { columns, pieces, skip } = state.shape;
  const { first, last } = partRange(ctx, side, part);
  const mean = options.bias || options.confidence > 0 ? 0 : data.mean;
  const level = Math.sqrt(Math.abs(mean) / options.rank);
  const one = options.bias ? (side === 'user' ? 1 : 0) : -1;
  const noise = side === 'item' ? spread : 0;
  kernels.mf_first_rows(
    ...([first, last, sizeOf(data, side), columns, pieces, skip, options.rank, one] as const),
    ...([options.nonNegative ? 1 : 0, seed, level, noise] as const),
    ...([ctx.buffer(`${side}Counts`), ctx.table(tableOf(side)).at] as const),
  );
}
