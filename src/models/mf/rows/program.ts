// mf by alternating least squares and by coordinate descent: model-parallel, schedule and push. The
// objective, explicit or implicit, is in ../model.ts; how a row is solved is in
// assembly/models/mf-rows.ts.
//
//   als    users: every block of every row, in turn; then items. A rank of one block is alternating
//          least squares; larger ranks are solved block by block, from where the last pass ended.
//   ccd    block by block: users' rows of it, then items' (CCD++, Yu et al. 2012, with b factors in
//          place of one). Residuals of all ratings are kept, for users and for items; a phase
//          brings its own up to date with what the phase before changed.
//
// A phase solves rows of one side, each from its own ratings and what stands still, so it has the
// same result on any workers and hosts. Parts of about equal cost are shared out over the workers of
// all hosts; a host has the ratings of its user parts and of its item parts, and all rows.
//
// Departures from plain alternation: steps are ω times as long as the exact ones (successive
// over-relaxation, still never up); and where there are many ratings, the first passes are over an
// eighth of the users: they find where to begin, at an eighth of the price.
import { defineProgram, type ScheduleContext } from '../../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../../program/steps.ts';
import type { Range } from '../../../base/ranges.ts';
import { ranges } from '../../../scheduler/rotation.ts';
import { chunksOn } from '../hosts.ts';
import { result, resultsBytes } from '../layout.ts';
import { countChunks, partitionChunks, ratingsOf } from '../prepare.ts';
import {
  checkCounts,
  momentParts,
  rowsBuffers,
  rowsShape,
  sides,
  sizeOf,
  tableOf,
  type RowsOptions,
  type Side,
} from './layout.ts';
import {
  buildRows,
  firstRows,
  startRowsWorker,
  type RowsContext,
  type RowsState,
} from './prepare.ts';
import {
  measureChunks,
  measureRows,
  packRows,
  solveParts,
  sumMoments,
  type SolveWork,
} from './solve.ts';

type ChunkPhase = 'count' | 'test';
type PartPhase = 'measure' | 'pack';
type SidePhase = 'partition' | 'build' | 'first' | 'moments';
export type RowsWork =
  | SolveWork
  | { readonly kind: ChunkPhase | PartPhase; readonly items: Range }
  | { readonly kind: SidePhase; readonly side: Side; readonly items: Range };

type Scheduler = ScheduleContext<RowsOptions, StepState<RowsWork, void>>;
type Walk<T> = Generator<readonly RowsWork[], T, readonly void[]>;

/** Length of a step, in exact steps; of the first passes, 1. */
const overRelaxation = 1.3;
const pilotPasses = 3;
/** Residuals gather rounding errors: they are computed anew every so many passes. */
const refreshPasses = 8;

/** Counts, mean, and the cut of both sides into parts. */
function planSides(ctx: Scheduler): void {
  const { kernels, arena, options, workers } = ctx;
  const data = ratingsOf(ctx.data);
  const { grid } = rowsShape(data, options);
  let place = ctx.buffer('workerCounts');
  for (const side of sides) {
    const size = sizeOf(data, side);
    const at = (name: string) => ctx.buffer(side + name);
    arena.u8.copyWithin(at('Counts'), place, place + size * 4);
    for (let w = 1; w < workers; w++) {
      kernels.i32_add(size, place + w * (data.users + data.items) * 4, at('Counts'));
    }
    place += size * 4;
    kernels.mf_cut(size, grid, at('Counts'), at('Rank'), at('Part'), at('Starts'));
    for (const name of ['Counts', 'Rank', 'Part']) ctx.share(side + name, 0, size * 4);
    ctx.share(`${side}Starts`, 0, (grid + 1) * 4);
  }
  checkCounts(ctx, data);
  let sum = 0;
  data.blocks.forEach((_, index) => {
    sum += arena.f64[ctx.buffer('chunkSums') / 8 + index * 2] ?? 0;
  });
  const results = ctx.buffer('results') / 8;
  arena.f64.fill(0, results, results + resultsBytes / 8);
  arena.f64[results + result.mean] = options.bias ? sum / data.count : 0;
  ctx.share('results', 0, resultsBytes);
}

/** The works of each host's workers, one host's behind the other's. */
function eachHost(
  ctx: Scheduler,
  count: (host: number) => number,
  work: (items: Range) => RowsWork,
): readonly RowsWork[] {
  return ctx.hosts.flatMap(({ first, last }, host) => {
    const none = { first: 0, last: 0 };
    const shares = last > first ? ranges(count(host), last - first) : [none];
    return shares.slice(0, last - first).map(work);
  });
}

function onChunks(
  ctx: Scheduler,
  data: Parameters<typeof chunksOn>[0],
  work: (items: Range) => RowsWork,
): readonly RowsWork[] {
  return eachHost(ctx, (host) => chunksOn(data, host).length, work);
}

/** Parts over all workers, each on the host that has it. */
function onParts(ctx: Scheduler, work: (parts: Range) => RowsWork): readonly RowsWork[] {
  return ranges(rowsShape(ratingsOf(ctx.data), ctx.options).grid, ctx.workers).map(work);
}

/** Σ over the parts of sums {errors, penalty} of a side. */
function totals(ctx: Scheduler, side: Side): readonly [errors: number, penalty: number] {
  const at = ctx.buffer(`${side}Sums`) / 8;
  const { grid } = rowsShape(ratingsOf(ctx.data), ctx.options);
  let [errors, penalty] = [0, 0];
  for (let part = 0; part < grid; part++) {
    errors += ctx.arena.f64[at + part * 2] ?? 0;
    penalty += ctx.arena.f64[at + part * 2 + 1] ?? 0;
  }
  return [errors, penalty];
}

/** The moments of a side, which the other side's rows are solved with. */
function* moments(ctx: Scheduler, side: Side): Walk<void> {
  if (ctx.options.confidence === 0) return;
  yield ranges(momentParts, ctx.workers).map((items) => ({ kind: 'moments', side, items }));
  const { lanes } = rowsShape(ratingsOf(ctx.data), ctx.options);
  const cells = lanes * lanes;
  const [from, to] = [ctx.buffer('moments'), ctx.buffer(`${side}Moments`)];
  ctx.arena.u8.copyWithin(to, from, from + cells * 4);
  for (let part = 1; part < momentParts; part++) {
    ctx.kernels.f32_add(cells, from + part * cells * 4, to);
  }
  ctx.share(`${side}Moments`, 0, cells * 4);
}

/** Σ over all pairs of (p·q)², where feedback is implicit. */
function squaredScores(ctx: Scheduler): number {
  if (ctx.options.confidence === 0) return 0;
  const { lanes } = rowsShape(ratingsOf(ctx.data), ctx.options);
  const at = sides.map((side) => ctx.buffer(`${side}Moments`));
  return ctx.kernels.f32_dot_wide(lanes * lanes, at[0] ?? 0, at[1] ?? 0);
}

/** One side's rows, and what depends on them. */
function* solveSide(ctx: Scheduler, work: Omit<SolveWork, 'kind' | 'parts'>): Walk<void> {
  yield onParts(ctx, (parts) => ({ kind: 'solve', parts, ...work }));
  yield* moments(ctx, work.side);
}

function* alternate(ctx: Scheduler, pilot: boolean, omega: number): Walk<void> {
  const { blocks: last } = rowsShape(ratingsOf(ctx.data), ctx.options);
  const blocks = { first: 0, last };
  for (const side of sides) yield* solveSide(ctx, { side, blocks, applied: -1, pilot, omega });
}

/** The blocks of a pass, in the order of the schedule. */
function blockOrder(ctx: Scheduler): readonly number[] {
  const { blocks } = rowsShape(ratingsOf(ctx.data), ctx.options);
  const order = Array.from({ length: blocks }, (_, block) => block);
  if (ctx.options.schedule === 'cyclic') return order;
  for (let place = blocks - 1; place > 0; place--) {
    const other = ctx.prng.below(place + 1);
    [order[place], order[other]] = [order[other] ?? 0, order[place] ?? 0];
  }
  return order;
}

/** `before`: the last block that was solved. Returns it for the next pass. */
function* descend(ctx: Scheduler, pass: number, before: number, omega: number): Walk<number> {
  let last = before;
  for (const [turn, block] of blockOrder(ctx).entries()) {
    const refresh = turn === 0 && pass % refreshPasses === 0;
    const blocks = { first: block, last: block + 1 };
    for (const side of sides) {
      const applied = refresh ? -1 : side === 'user' ? last : block;
      yield* solveSide(ctx, { side, blocks, applied, pilot: false, omega });
    }
    last = block;
  }
  return last;
}

/** The objective after a pass, from the residuals as they stand. */
function objectiveOf(ctx: Scheduler): { readonly objective: number; readonly errors: number } {
  const [, userPenalty] = totals(ctx, 'user');
  const [errors, itemPenalty] = totals(ctx, 'item');
  const penalty = ctx.options.lambda * (userPenalty + itemPenalty);
  return { objective: errors + squaredScores(ctx) + penalty, errors };
}

function* testError(ctx: Scheduler, test: NonNullable<RowsOptions['test']>): Walk<number> {
  yield* packAll(ctx);
  yield onChunks(ctx, test, (items) => ({ kind: 'test', items }));
  let squares = 0;
  for (let chunk = 0; chunk < test.blocks.length; chunk++) {
    squares += ctx.arena.f64[ctx.buffer('testSums') / 8 + chunk * 2] ?? 0;
  }
  const rmse = Math.sqrt(squares / test.count);
  ctx.arena.f64[ctx.buffer('results') / 8 + result.testRmse] = rmse;
  return rmse;
}

/** Packed rows on every host. */
function* packAll(ctx: Scheduler): Walk<void> {
  const { grid } = rowsShape(ratingsOf(ctx.data), ctx.options);
  yield eachHost(
    ctx,
    () => grid,
    (items) => ({ kind: 'pack', items }),
  );
}

function* passes(ctx: Scheduler): Walk<void> {
  const { options, arena } = ctx;
  const data = ratingsOf(ctx.data);
  const { pilot } = rowsShape(data, options);
  for (const side of sides) yield* moments(ctx, side);
  for (let pass = 0; pilot && pass < pilotPasses; pass++) yield* alternate(ctx, true, 1);
  const results = ctx.buffer('results') / 8;
  let before = Infinity;
  let last = 0;
  for (let pass = 0; pass < options.passes; pass++) {
    const omega = pass === 0 ? 1 : overRelaxation;
    if (options.solver === 'ccd') last = yield* descend(ctx, pass, last, omega);
    else yield* alternate(ctx, false, omega);
    const { objective, errors } = objectiveOf(ctx);
    arena.f64[results + result.passes] = pass + 1;
    const progress = {
      ...{ pass: pass + 1, passes: options.passes, objective },
      ...(options.confidence === 0 && { trainRmse: Math.sqrt(errors / data.count) }),
    };
    if (options.test === undefined) ctx.report(progress);
    else ctx.report({ ...progress, rmse: yield* testError(ctx, options.test) });
    if (before - objective < options.tolerance * before) {
      arena.f64[results + result.converged] = 1;
      return;
    }
    before = objective;
  }
}

/** The objective in f64 at the parameters, and the factors one row behind the other. */
function* finish(ctx: Scheduler): Walk<void> {
  const { kernels, arena, options } = ctx;
  const data = ratingsOf(ctx.data);
  const { b, skip } = rowsShape(data, options);
  yield* packAll(ctx);
  yield onParts(ctx, (items) => ({ kind: 'measure', items }));
  const [errors, userPenalty] = totals(ctx, 'user');
  const penalty = options.lambda * (userPenalty + totals(ctx, 'item')[1]);
  const results = ctx.buffer('results') / 8;
  arena.f64[results + result.objective] = errors + squaredScores(ctx) + penalty;
  arena.f64[results + result.rmse] = Math.sqrt(errors / data.count);
  ctx.share('results', 0, resultsBytes);
  for (const side of sides) {
    const size = sizeOf(data, side);
    const table = ctx.table(tableOf(side)).at;
    const { rank } = options;
    const [out, biases] = [ctx.buffer(`${side}Out`), ctx.buffer(`${side}BiasOut`)];
    kernels.mf_unpack(0, size, size, b, skip, rank, rank * 4, table, out);
    const lane = side === 'user' ? 0 : 1;
    if (options.bias) kernels.mf_unpack(0, size, size, b, lane, 1, 4, table, biases);
  }
}

function* steps(ctx: Scheduler): Steps<RowsWork, void> {
  const data = ratingsOf(ctx.data);
  yield onChunks(ctx, data, (items) => ({ kind: 'count', items }));
  planSides(ctx);
  const { grid } = rowsShape(data, ctx.options);
  for (const side of sides) {
    yield onChunks(ctx, data, (items) => ({ kind: 'partition', side, items }));
    ctx.share('chunkEnds', 0, data.blocks.length * grid * 4);
    yield onParts(ctx, (items) => ({ kind: 'build', side, items }));
  }
  for (const side of sides) {
    yield eachHost(
      ctx,
      () => grid,
      (items) => ({ kind: 'first', side, items }),
    );
  }
  yield* passes(ctx);
  yield* finish(ctx);
}

function eachItem({ first, last }: Range, act: (item: number) => void): void {
  for (let item = first; item < last; item++) act(item);
}

function push(ctx: RowsContext, work: RowsWork): void {
  switch (work.kind) {
    case 'solve':
      return solveParts(ctx, work);
    case 'count':
      return countChunks(ctx, work.items);
    case 'partition':
      return partitionChunks(ctx, work.items, work.side);
    case 'build':
      return eachItem(work.items, (part) => buildRows(ctx, work.side, part));
    case 'first':
      return eachItem(work.items, (part) => firstRows(ctx, work.side, part));
    case 'moments':
      return sumMoments(ctx, work.side, work.items);
    case 'test':
      return measureChunks(ctx, work.items);
    case 'pack':
      return eachItem(work.items, (part) => packRows(ctx, part));
    case 'measure':
      return eachItem(work.items, (part) => measureRows(ctx, part));
  }
}

export const mfRows = defineProgram<
  RowsOptions,
  RowsWork,
  RowsState,
  StepState<RowsWork, void>,
  void
>({
  name: 'mf-rows',
  tables({ data, options }) {
    const { b, blocks } = rowsShape(ratingsOf(data), options);
    return sides.map((side) => ({
      name: tableOf(side),
      rows: sizeOf(ratingsOf(data), side) * blocks,
      ...{ columns: b, access: 'owned' },
    }));
  },
  buffers: rowsBuffers,
  deltaBytes: () => 0,
  start: startRowsWorker,
  push,
  ...stepwise<RowsOptions, RowsWork, void>(steps),
});
