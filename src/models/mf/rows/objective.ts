// What the scheduler of the row by row solvers adds up of what the parts found: objective, test
// error, and what users are offered; and the factors as they are saved.
import { result, resultsBytes } from '../layout.ts';
import { ratingsOf } from '../prepare.ts';
import {
  momentParts,
  rankCells,
  rowsShape,
  sides,
  sizeOf,
  tableOf,
  type RowsOptions,
  type Side,
} from './layout.ts';
import { eachHost, onChunks, onParts, type Scheduler, type Walk } from './walk.ts';
import { ranges } from '../../../scheduler/rotation.ts';

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
export function* moments(ctx: Scheduler, side: Side): Walk<void> {
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

/** The objective after a pass, from the residuals as they stand. */
export function objectiveOf(ctx: Scheduler): {
  readonly objective: number;
  readonly errors: number;
} {
  const [, userPenalty] = totals(ctx, 'user');
  const [errors, itemPenalty] = totals(ctx, 'item');
  const penalty = ctx.options.lambda * (userPenalty + itemPenalty);
  return { objective: errors + squaredScores(ctx) + penalty, errors };
}

export function* testError(ctx: Scheduler, test: NonNullable<RowsOptions['test']>): Walk<number> {
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
  if (ctx.options.solver === 'als') return;
  const { grid } = rowsShape(ratingsOf(ctx.data), ctx.options);
  yield eachHost(
    ctx,
    () => grid,
    (items) => ({ kind: 'pack', items }),
  );
}

/** What users are offered, against what they liked in the test set; rows are packed. */
function* offer(ctx: Scheduler, test: NonNullable<RowsOptions['test']>): Walk<void> {
  const { grid } = rowsShape(ratingsOf(ctx.data), ctx.options);
  yield onChunks(ctx, test, (items) => ({ kind: 'sortTest', items }));
  ctx.share('testEnds', 0, test.blocks.length * grid * 4);
  yield onParts(ctx, (items) => ({ kind: 'rank', items }));
  const sums = [0, 0, 0, 0];
  for (let cell = 0; cell < grid * rankCells; cell++) {
    sums[cell % rankCells]! += ctx.arena.f64[ctx.buffer('ranks') / 8 + cell] ?? 0;
  }
  const [users = 0, ...totals] = sums;
  const at = ctx.buffer('results') / 8 + result.ndcg;
  ctx.arena.f64.set(
    totals.map((total) => (users > 0 ? total / users : 0)),
    at,
  );
}

/** The objective in f64 at the parameters, and the factors one row behind the other. */
export function* finish(ctx: Scheduler): Walk<void> {
  const { kernels, arena, options } = ctx;
  const data = ratingsOf(ctx.data);
  const { columns, skip } = rowsShape(data, options);
  yield* packAll(ctx);
  yield onParts(ctx, (items) => ({ kind: 'measure', items }));
  const [errors, userPenalty] = totals(ctx, 'user');
  const penalty = options.lambda * (userPenalty + totals(ctx, 'item')[1]);
  const results = ctx.buffer('results') / 8;
  arena.f64[results + result.objective] = errors + squaredScores(ctx) + penalty;
  arena.f64[results + result.rmse] = Math.sqrt(errors / data.count);
  if (options.test !== undefined && options.confidence > 0) yield* offer(ctx, options.test);
  ctx.share('results', 0, resultsBytes);
  for (const side of sides) {
    const size = sizeOf(data, side);
    const table = ctx.table(tableOf(side)).at;
    const { rank } = options;
    const [out, biases] = [ctx.buffer(`${side}Out`), ctx.buffer(`${side}BiasOut`)];
    kernels.mf_unpack(0, size, size, columns, skip, rank, rank * 4, table, out);
    const lane = side === 'user' ? 0 : 1;
    if (options.bias) kernels.mf_unpack(0, size, size, columns, lane, 1, 4, table, biases);
  }
}
