// mf by SGD on a rotation schedule: model-parallel, schedule and push.
//
//   min Σ_(u,i) (r_ui − μ − b_u − b_i − p_u·q_i)² + λ Σ_(u,i) (‖p_u‖² + ‖q_i‖²)
//
// The scheduler rotates a G × G grid of blocks: a stratum's blocks share no user and no item, so
// they are updated in place, by any workers, with the same result (Gemulla et al. 2011; the grid
// and its kernels are in assembly/models/mf*.ts). On normalized ratings v = (r − μ)/σ:
//
//   p_u += η ( e q_i − y_u p_u )            y_u = λ/σ + c/n_u      e = v − p_u·q_i
//   q_i += η s_i ( e p_u − y_i q_i )        s_i = min(1, √(n̄/n_i)), y_i = λ/σ + c/n_i
//
// η falls linearly from η0 to 0 over the passes; a default η0 that diverges is halved. Departures
// from plain SGD: steps of popular items shrink (s_i); c/n_u is a prior of c ratings' weight at 0,
// which holds rows with few ratings back (`--shrinkage 0` turns it off; the objective has no such
// term); biases start at their damped means. What prior and biases are worth is in
// bench/solvers.bench.ts. Four ratings of one user are one mini-batch.
import type { Ratings } from '../../data/dataset.ts';
import { SystemError } from '../../base/errors.ts';
import { defineProgram, type ScheduleContext } from '../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../program/steps.ts';
import { rangeOf, type Range } from '../../base/ranges.ts';
import { createCosts } from '../../scheduler/costs.ts';
import { balance, ranges, stratum, type GridBlock } from '../../scheduler/rotation.ts';
import { chunksOn, hostParts, workerNear } from './hosts.ts';
import {
  codeOf,
  gridBlock,
  mfBuffers,
  mfShape,
  ratingSteps,
  result,
  resultsBytes,
  sideArrays,
  slices,
  type MfOptions,
} from './layout.ts';
import { measurePart, measureTest, sortTest } from './measure.ts';
import {
  buildPart,
  countChunks,
  partitionChunks,
  partRange,
  ratingsOf,
  startItems,
  startUsers,
  startWorker,
  sumItems,
  type MfContext,
  type MfState,
} from './prepare.ts';

type Phase = 'build' | 'startItems' | 'startUsers' | 'measure' | 'test';
type ChunkPhase = 'count' | 'partition' | 'sortTest';
export type MfWork =
  | { readonly kind: ChunkPhase; readonly chunks: Range }
  | { readonly kind: Phase; readonly parts: Range }
  | {
      readonly kind: 'sumItems';
      readonly parts: Range;
      /** The user parts of this host, and a worker of the host that goes on. */
      readonly users: Range;
      readonly next: number | undefined;
    }
  | {
      readonly kind: 'train';
      readonly blocks: readonly GridBlock[];
      readonly eta: number;
      /** The scheduler wants the items' rows next. */
      readonly gather: boolean;
    };

type Scheduler = ScheduleContext<MfOptions, StepState<MfWork, void>>;

/** SGD on one block, in place. Its items go on to the host that needs them next. */
function trainBlock(ctx: MfContext, block: GridBlock, eta: number, gather: boolean): void {
  ctx.poll();
  const { kernels, arena, state, options } = ctx;
  const { grid, rowBytes } = state.shape;
  const { runs, runCount, ix, values } = gridBlock(ctx, state.shape, block.row, block.column);
  const { first, last } = partRange(ctx, 'item', block.column);
  const items = ctx.table('items').at + first * rowBytes;
  const itemArray = (name: string) => ctx.buffer(name) + first * 4;
  const loss = kernels.mf_block(
    ...([runCount, rowBytes, slices, options.bias ? 1 : 0, last - first, eta, runs, ix] as const),
    ...([values, ctx.table('users').at, items] as const),
    ...([ctx.buffer('userDecay'), ctx.buffer('userDecayBias')] as const),
    ...([itemArray('itemBase'), itemArray('itemDecay'), itemArray('itemDecayBias')] as const),
    codeOf(ctx),
  );
  const cell = block.row * grid + block.column;
  arena.f64[ctx.buffer('losses') / 8 + cell] = loss;
  ctx.share('losses', cell * 8, 8);
  const rows = [first * rowBytes, (last - first) * rowBytes] as const;
  ctx.share('items', ...rows, workerNear(ctx, grid, (block.row + grid - 1) % grid));
  if (gather) ctx.share('items', ...rows);
}

/** Orders, parts and step sizes of users and items, from the counts. */
function planSides(ctx: Scheduler): void {
  const { kernels, arena, options, seed, workers } = ctx;
  const data = ratingsOf(ctx.data);
  const shape = mfShape(data, options);
  const results = ctx.buffer('results') / 8;
  const lambda = options.lambda / (arena.f64[results + result.scale] ?? 1);
  let place = ctx.buffer('workerCounts');
  for (const [side, size, salt] of [
    ['user', data.users, 0x9e37],
    ['item', data.items, 0x85eb],
  ] as const) {
    const at = (name: string) => ctx.buffer(side + name);
    arena.u8.copyWithin(at('Counts'), place, place + size * 4);
    for (let w = 1; w < workers; w++) {
      const others = place + w * (data.users + data.items) * 4;
      kernels.i32_add(size, others, at('Counts'));
    }
    place += size * 4;
    kernels.mf_order(
      ...([
        size,
        shape.grid,
        (Math.imul(seed, 0x9e3779b1) + salt) | 1,
        at('Counts'),
        at('Order'),
      ] as const),
      ...([at('Rank'), at('Part'), at('Starts')] as const),
    );
    const parts = side === 'item' ? shape.grid * slices : 1;
    const meanCount = data.count / size;
    kernels.mf_rates(
      ...([size, side === 'item' ? 1 : 0, lambda, options.shrinkage, meanCount, parts] as const),
      ...([at('Order'), at('Counts'), at('Base'), at('Decay'), at('DecayBias')] as const),
    );
    for (const name of sideArrays) ctx.share(side + name, 0, size * 4);
    ctx.share(`${side}Starts`, 0, (shape.grid + 1) * 4);
  }
}

/** Mean, deviation and step of the ratings, from the chunks' answers in chunk order. */
function planUnits(ctx: Scheduler): void {
  const data = ratingsOf(ctx.data);
  let sum = 0;
  let squares = 0;
  data.blocks.forEach((_, index) => {
    const at = ctx.buffer('chunkSums') / 8 + index * 2;
    sum += ctx.arena.f64[at] ?? 0;
    squares += ctx.arena.f64[at + 1] ?? 0;
  });
  const mean = sum / data.count;
  const deviation = Math.sqrt(Math.max(0, squares / data.count - mean * mean));
  const results = ctx.buffer('results') / 8;
  ctx.arena.f64[results + result.mean] = ctx.options.bias ? mean : 0;
  // Ratings that are all alike have no deviation to divide by.
  const scale = deviation > 1e-12 ? deviation : 1;
  ctx.arena.f64[results + result.scale] = scale;
  const masks = ctx.buffer('chunkSteps') / 4;
  const mask = ctx.arena.i32
    .subarray(masks, masks + data.blocks.length)
    .reduce((all, one) => all & one, -1);
  const step = ratingSteps.find((_, bit) => (mask & (1 << bit)) !== 0) ?? 0;
  ctx.arena.f64[results + result.step] = step;
  // v = (minimum + step·k − μ)/σ
  const centre = ctx.options.bias ? mean : 0;
  ctx.arena.f32.set([step / scale, (data.minimum - centre) / scale], ctx.buffer('code') / 4);
  ctx.share('code', 0, 8);
  ctx.share('results', 0, resultsBytes);
}

/** Σ of the grid's losses, in block order. */
function totalLoss(ctx: Scheduler, grid: number): number {
  const at = ctx.buffer('losses') / 8;
  return ctx.arena.f64.subarray(at, at + grid * grid).reduce((sum, loss) => sum + loss, 0);
}

/** All passes from the first values on; false when the error stopped being finite. */
function* trainPasses(
  ctx: Scheduler,
  learningRate: number,
): Generator<readonly MfWork[], boolean, readonly void[]> {
  const { options, arena } = ctx;
  const data = ratingsOf(ctx.data);
  const shape = mfShape(data, options);
  const { grid, rowBytes } = shape;
  const results = ctx.buffer('results') / 8;
  const scale = arena.f64[results + result.scale] ?? 1;
  const numberOf = ({ row, column }: GridBlock) => row * grid + column;
  const ratings = (block: number) =>
    gridBlock(ctx, shape, Math.floor(block / grid), block % grid).count;
  // Rows are in cache or not: what a rating costs is measured. The result is the same whoever
  // updates a block.
  const costs = createCosts(ratings);
  yield* sumAllItems(ctx);
  yield* everywhere(ctx, 'startItems');
  yield* onParts(ctx, 'startUsers');
  for (let pass = 0; pass < options.passes; pass++) {
    for (let t = 0; t < grid; t++) {
      const eta = learningRate * (1 - (pass + t / grid) / options.passes);
      const measured = options.test !== undefined || pass + 1 === options.passes;
      const gather = measured && t + 1 === grid;
      const shares = ctx.hosts.flatMap((cast, host) => {
        const { first, last } = hostParts(ctx, grid, host);
        const blocks = stratum(grid, t).slice(first, last);
        return balance(blocks, cast.last - cast.first, (block) => costs.of(numberOf(block)));
      });
      const number = ctx.clock;
      ctx.began({ number, picked: shares.flat().map(numberOf) });
      yield shares.map((blocks) => ({ kind: 'train', blocks, eta, gather }));
      ctx.ended(number);
      shares.forEach((own, worker) => costs.measured(own.map(numberOf), ctx.pushMs(worker)));
      if (gather) ctx.share('items', 0, data.items * rowBytes);
    }
    const loss = totalLoss(ctx, grid);
    if (!Number.isFinite(loss)) return false;
    const trainRmse = scale * Math.sqrt(loss / data.count);
    const progress = { pass: pass + 1, passes: options.passes, trainRmse };
    if (options.test === undefined) ctx.report(progress);
    else ctx.report({ ...progress, rmse: yield* measureTestError(ctx, options.test) });
  }
  return true;
}

/** A rate of ours that diverges is halved and tried again; one that was asked for is an error. */
function* trainOrHalve(ctx: Scheduler): Steps<MfWork, void> {
  const { learningRate, halvings } = ctx.options;
  for (let tried = 0; tried <= halvings; tried++) {
    if (yield* trainPasses(ctx, learningRate / 2 ** tried)) return;
  }
  const where = `tables "users" and "items": the error is not finite`;
  const remedy = `training diverged: use a --learning-rate below ${learningRate / 2 ** halvings}`;
  throw new SystemError('ERR_NOT_FINITE', `${where}; ${remedy}`);
}

function* measureTestError(
  ctx: Scheduler,
  test: NonNullable<MfOptions['test']>,
): Generator<readonly MfWork[], number, readonly void[]> {
  yield* onParts(ctx, 'test');
  const { grid } = mfShape(ratingsOf(ctx.data), ctx.options);
  let squares = 0;
  for (let cell = 0; cell < grid * test.blocks.length; cell++) {
    squares += ctx.arena.f64[ctx.buffer('testSums') / 8 + cell * 2] ?? 0;
  }
  const rmse = Math.sqrt(squares / test.count);
  ctx.arena.f64[ctx.buffer('results') / 8 + result.testRmse] = rmse;
  return rmse;
}

/** The objective of the header in ratings' units, and the factors in id order. */
function* finish(ctx: Scheduler): Steps<MfWork, void> {
  const { kernels, arena, options } = ctx;
  const data = ratingsOf(ctx.data);
  const shape = mfShape(data, options);
  yield* onParts(ctx, 'measure');
  const results = ctx.buffer('results') / 8;
  const scale = arena.f64[results + result.scale] ?? 1;
  const squares = scale * scale * totalLoss(ctx, shape.grid);
  const penalties = ctx.buffer('penalties') / 8;
  const parts = arena.f64.subarray(penalties, penalties + shape.grid);
  const penalty = scale * parts.reduce((sum, part) => sum + part, 0);
  arena.f64[results + result.objective] = squares + options.lambda * penalty;
  arena.f64[results + result.rmse] = Math.sqrt(squares / data.count);
  ctx.share('results', 0, resultsBytes);
  for (const [side, table, size, biasLane] of [
    ['user', 'users', data.users, 0],
    ['item', 'items', data.items, 1],
  ] as const) {
    const at = (name: string) => ctx.buffer(side + name);
    const biases = options.bias ? at('BiasOut') : 0;
    kernels.mf_export(
      ...([size, shape.rowBytes, shape.skip, options.rank, biasLane, scale] as const),
      ...([at('Order'), ctx.table(table).at, at('Out'), biases] as const),
    );
  }
}

/** One phase over all G user parts, each on the host that has it. */
function* onParts(ctx: Scheduler, kind: Phase): Steps<MfWork, void> {
  const { grid } = mfShape(ratingsOf(ctx.data), ctx.options);
  yield ranges(grid, ctx.workers).map((parts) => ({ kind, parts }));
}

/** The works of each host's workers, one host's behind the other's. */
function eachHost(
  ctx: Scheduler,
  works: (host: number, workers: number) => readonly MfWork[],
): readonly MfWork[] {
  return ctx.hosts.flatMap(({ first, last }, host) => works(host, last - first));
}

/** One phase over all G parts, on every host. */
function* everywhere(ctx: Scheduler, kind: Phase): Steps<MfWork, void> {
  const { grid } = mfShape(ratingsOf(ctx.data), ctx.options);
  yield eachHost(ctx, (_, workers) => ranges(grid, workers).map((parts) => ({ kind, parts })));
}

/** One phase over all chunks, each on the host where it lies. */
function* onChunks(ctx: Scheduler, kind: ChunkPhase, data: Ratings): Steps<MfWork, void> {
  yield eachHost(ctx, (host, workers) => {
    const { length } = chunksOn(data, host);
    return ranges(length, workers).map((chunks) => ({ kind, chunks }));
  });
}

/**
 * Σ v of all items. Hosts with user parts pass the sums on, a share of the items at a time: the
 * first host takes share s in step s, the one after it in step s + 1.
 */
function* sumAllItems(ctx: Scheduler): Steps<MfWork, void> {
  const { items } = ratingsOf(ctx.data);
  const { grid } = mfShape(ratingsOf(ctx.data), ctx.options);
  const chain = ctx.hosts
    .map(({ first }, host) => ({ host, worker: first, users: hostParts(ctx, grid, host) }))
    .filter(({ users }) => users.last > users.first);
  for (let step = 0; step < 2 * chain.length - 1; step++) {
    yield eachHost(ctx, (host, workers) => {
      const place = chain.findIndex((link) => link.host === host);
      const turn = place < 0 ? -1 : step - place;
      const at = turn < 0 || turn >= chain.length ? none : rangeOf(grid, chain.length, turn);
      const { users = none } = chain[place] ?? {};
      const next = chain[place + 1]?.worker;
      return ranges(at.last - at.first, workers).map(({ first, last }) => {
        const parts = { first: at.first + first, last: at.first + last };
        return { kind: 'sumItems', parts, users, next };
      });
    });
  }
  ctx.share('itemSums', 0, items * 8);
}

const none: Range = { first: 0, last: 0 };

function* steps(ctx: Scheduler): Steps<MfWork, void> {
  const data = ratingsOf(ctx.data);
  const { test } = ctx.options;
  yield* onChunks(ctx, 'count', data);
  planUnits(ctx);
  planSides(ctx);
  yield* onChunks(ctx, 'partition', data);
  if (test !== undefined) yield* onChunks(ctx, 'sortTest', test);
  const { grid } = mfShape(data, ctx.options);
  ctx.share('chunkEnds', 0, data.blocks.length * grid * 4);
  if (test !== undefined) ctx.share('testEnds', 0, test.blocks.length * grid * 4);
  yield* onParts(ctx, 'build');
  yield* trainOrHalve(ctx);
  yield* finish(ctx);
}

const partPhases: Readonly<Record<Phase, (ctx: MfContext, part: number) => void>> = {
  build: buildPart,
  startItems,
  startUsers,
  measure: measurePart,
  test: measureTest,
};

function eachPart({ first, last }: Range, act: (part: number) => void): void {
  for (let part = first; part < last; part++) act(part);
}

export const mfSgd = defineProgram<MfOptions, MfWork, MfState, StepState<MfWork, void>, void>({
  name: 'mf-sgd',
  tables({ data, options }) {
    const { users, items } = ratingsOf(data);
    const { columns } = mfShape(ratingsOf(data), options);
    return [
      { name: 'users', rows: users, columns, access: 'owned' },
      { name: 'items', rows: items, columns, access: 'owned' },
    ];
  },
  buffers: mfBuffers,
  deltaBytes: () => 0,
  start: startWorker,
  conflict(ctx, a, b) {
    const { grid } = mfShape(ratingsOf(ctx.data), ctx.options);
    const [row, column] = [Math.floor(a / grid), a % grid];
    if (row === Math.floor(b / grid)) return `they are blocks that share user part ${row}`;
    return column === b % grid ? `they are blocks that share item part ${column}` : undefined;
  },
  push(ctx, work) {
    switch (work.kind) {
      case 'count':
        return countChunks(ctx, work.chunks);
      case 'partition':
        return partitionChunks(ctx, work.chunks);
      case 'sortTest':
        return ctx.options.test && sortTest(ctx, ctx.options.test, work.chunks);
      case 'sumItems':
        return eachPart(work.parts, (part) => sumItems(ctx, part, work.users, work.next));
      case 'train':
        return work.blocks.forEach((block) => trainBlock(ctx, block, work.eta, work.gather));
      case 'build':
      case 'startItems':
      case 'startUsers':
      case 'measure':
      case 'test':
        return eachPart(work.parts, (part) => partPhases[work.kind](ctx, part));
    }
  },
  ...stepwise<MfOptions, MfWork, void>(steps),
});
