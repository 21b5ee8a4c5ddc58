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
// same result on any workers and hosts. Parts of about equal cost are shared out over the workers
// of all hosts; a host has the ratings of its user parts and of its item parts, and all rows.
//
// Departures from plain alternation: steps are ω times as long as the exact ones (successive
// over-relaxation, still never up); and where there are many ratings, the first passes are over an
// eighth of the users: they find where to begin, at an eighth of the price.
import { assert } from '../../../base/assert.ts';
import { defineProgram } from '../../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../../program/steps.ts';
import type { Range } from '../../../base/ranges.ts';
import { finish, moments, objectiveOf, testError } from './objective.ts';
import { eachHost, onChunks, onParts, type RowsWork, type Scheduler, type Walk } from './walk.ts';
import { createCosts, type Costs } from '../../../scheduler/costs.ts';
import { balance } from '../../../scheduler/rotation.ts';
import { createSchedule, type Schedule } from '../../../scheduler/schedule.ts';
import { hostParts } from '../hosts.ts';
import { result, resultsBytes } from '../layout.ts';
import { sortTest } from '../measure.ts';
import { countChunks, partitionChunks, ratingsOf } from '../prepare.ts';
import {
  checkCounts,
  pilotEvery,
  rowsBuffers,
  rowsShape,
  sides,
  sizeOf,
  tableOf,
  type RowsOptions,
} from './layout.ts';
import {
  buildRows,
  firstRows,
  startRowsWorker,
  type RowsContext,
  type RowsState,
} from './prepare.ts';
import { noisePenalty, penaltyOf } from './penalty.ts';
import { rankUsers } from './rank.ts';
import {
  measureChunks,
  measureRows,
  packRows,
  solveParts,
  sumMoments,
  type SolveWork,
} from './solve.ts';

/** Length of a step, in exact steps; of the first passes, 1. */
const overRelaxation = 1.3;
const firstPasses = 4;
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
  let [sum, squares] = [0, 0];
  data.blocks.forEach((_, index) => {
    sum += arena.f64[ctx.buffer('chunkSums') / 8 + index * 2] ?? 0;
    squares += arena.f64[ctx.buffer('chunkSums') / 8 + index * 2 + 1] ?? 0;
  });
  const results = ctx.buffer('results') / 8;
  arena.f64.fill(0, results, results + resultsBytes / 8);
  const mean = sum / data.count;
  arena.f64[results + result.mean] = options.bias ? mean : 0;
  // Of the ratings, for the penalty to begin with.
  arena.f64[results + result.scale] = Math.sqrt(Math.max(0, squares / data.count - mean * mean));
  ctx.share('results', 0, resultsBytes);
}

/** The scheduler, and what it has measured of the parts: users' first, then items'. */
type Course = { readonly ctx: Scheduler; readonly costs: Costs };

/**
 * One side's rows, all of its parts in flight, and what depends on them. Parts have about the same
 * number of ratings; what they take is measured, and they are shared out by it within each host.
 * The result is the same whoever has them.
 */
function* solveSide(course: Course, work: Omit<SolveWork, 'kind' | 'parts'>): Walk<void> {
  const { ctx, costs } = course;
  const { grid } = rowsShape(ratingsOf(ctx.data), ctx.options);
  const numberOf = (part: number) => (work.side === 'user' ? part : grid + part);
  const idle = (part: number) =>
    work.pilot && work.side === 'user' && part % pilotEvery !== 0 ? 0 : 1;
  const shares = ctx.hosts.flatMap((cast, host) => {
    const { first, last } = hostParts(ctx, grid, host);
    const parts = Array.from({ length: last - first }, (_, place) => first + place);
    const cost = (part: number) => idle(part) * costs.of(numberOf(part));
    return balance(parts, cast.last - cast.first, cost);
  });
  const number = ctx.clock;
  ctx.began({ number, picked: shares.flat().map(numberOf) });
  yield shares.map((parts) => ({ kind: 'solve', parts, ...work }));
  ctx.ended(number);
  if (!work.pilot) {
    shares.forEach((own, worker) => costs.measured(own.map(numberOf), ctx.pushMs(worker)));
  }
  yield* moments(ctx, work.side);
}

/** How long the steps of a pass are, and their λ. */
type Pace = Pick<SolveWork, 'omega' | 'lambda'>;

function* alternate(course: Course, pilot: boolean, pace: Pace): Walk<void> {
  const { data, options } = course.ctx;
  const blocks = { first: 0, last: rowsShape(ratingsOf(data), options).blocks };
  for (const side of sides) yield* solveSide(course, { side, blocks, applied: -1, pilot, ...pace });
}

/** How far coordinate descent has come. */
type Descent = {
  readonly schedule: Schedule;
  /** The last block that was solved; undefined: residuals are to be computed anew. */
  before: number | undefined;
  objective: number;
};

/**
 * A pass of coordinate descent: as many phases as there are blocks, each of the block that the
 * schedule says; what it lowered the objective by is its priority.
 */
function* descend(course: Course, descent: Descent, pace: Pace): Walk<void> {
  const { ctx } = course;
  const { blocks } = rowsShape(ratingsOf(ctx.data), ctx.options);
  const { schedule } = descent;
  for (let turn = 0; turn < blocks; turn++) {
    const phase = schedule.next(ctx.prng);
    assert(phase !== undefined, 'nothing is in flight, so a block may start');
    const [block = 0] = phase.picked;
    const range = { first: block, last: block + 1 };
    for (const side of sides) {
      const { before } = descent;
      const applied = before === undefined ? -1 : side === 'user' ? before : block;
      yield* solveSide(course, { side, blocks: range, applied, pilot: false, ...pace });
    }
    const { objective } = objectiveOf(ctx);
    // Before the first block nothing was measured: all of the objective counts as changed.
    const from = Number.isFinite(descent.objective) ? descent.objective : 2 * objective;
    schedule.done(phase.number, Float64Array.of(Math.max(0, from - objective)));
    descent.objective = objective;
    descent.before = block;
  }
}

function* passes(ctx: Scheduler): Walk<void> {
  const { options, arena } = ctx;
  const data = ratingsOf(ctx.data);
  const { pilot, blocks } = rowsShape(data, options);
  const course: Course = { ctx, costs: createCosts(() => 1) };
  for (const side of sides) yield* moments(ctx, side);
  const results = ctx.buffer('results') / 8;
  const deviation = options.continuation ? (arena.f64[results + result.scale] ?? 0) : 0;
  const noise = (every: number) => noisePenalty(data, deviation, every);
  const first = Math.max(options.lambda, noise(pilot ? pilotEvery : 1));
  for (let pass = 0; (pilot || first > options.lambda) && pass < firstPasses; pass++) {
    yield* alternate(course, pilot, { omega: pass === 0 ? 1 : overRelaxation, lambda: first });
  }
  const schedule = createSchedule({ kind: options.schedule, variables: blocks, want: 1 });
  const descent: Descent = { schedule, before: undefined, objective: Infinity };
  let before = Infinity;
  for (let pass = 0; pass < options.passes; pass++) {
    const lambda = penaltyOf(pass, noise(1), options.lambda);
    const pace = { omega: pass === 0 ? 1 : overRelaxation, lambda };
    if (pass % refreshPasses === 0) descent.before = undefined;
    if (options.solver === 'als') yield* alternate(course, false, pace);
    else yield* descend(course, descent, pace);
    const { objective, errors } = objectiveOf(ctx);
    arena.f64[results + result.passes] = pass + 1;
    const progress = {
      ...{ pass: pass + 1, passes: options.passes, objective },
      ...(options.confidence === 0 && { trainRmse: Math.sqrt(errors / data.count) }),
    };
    if (options.test === undefined || options.confidence > 0) ctx.report(progress);
    else ctx.report({ ...progress, rmse: yield* testError(ctx, options.test) });
    if (before - objective < options.tolerance * before) {
      arena.f64[results + result.converged] = 1;
      return;
    }
    // A pass with another λ says nothing of how near the end is.
    before = lambda === options.lambda ? objective : Infinity;
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
    case 'sortTest':
      return ctx.options.test && sortTest(ctx, ctx.options.test, work.items);
    case 'rank':
      return eachItem(work.items, (part) => rankUsers(ctx, part));
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
    const { columns, pieces } = rowsShape(ratingsOf(data), options);
    return sides.map((side) => ({
      name: tableOf(side),
      rows: sizeOf(ratingsOf(data), side) * pieces,
      ...{ columns, access: 'owned' },
    }));
  },
  buffers: rowsBuffers,
  deltaBytes: () => 0,
  start: startRowsWorker,
  conflict(ctx, a, b) {
    const { grid } = rowsShape(ratingsOf(ctx.data), ctx.options);
    if (a === b) return `the same part of ${a < grid ? 'users' : 'items'}, twice`;
    return a < grid === b < grid ? undefined : 'users and items, which are solved from each other';
  },
  push,
  ...stepwise<RowsOptions, RowsWork, void>(steps),
});
