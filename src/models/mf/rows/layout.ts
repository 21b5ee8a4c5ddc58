// Where the solvers that go row by row keep what they need. Factors are cut into blocks of b lanes.
// als solves a row's blocks one after another, so its rows stand whole; ccd takes one block of all
// rows at a time, so they stand block after block, and one is shared between hosts as one piece:
//
//            als                   ccd                   lanes of a row       without biases
//   `users`  [users][blocks][b]    [blocks][users][b]    [b_u, 1, f_1 … 0…]   [f_1 … f_rank, 0…]
//   `items`  [items][blocks][b]    [blocks][items][b]    [1, b_i, f_1 … 0…]   [f_1 … f_rank, 0…]
//
// Users and items are cut into G parts each, as their ids come. A part has a line, the place of its
// ratings: what assembly/models/mf-rows.ts calls a part.
import { assert } from '../../../base/assert.ts';
import { limits } from '../../../base/limits.ts';
import { SystemError } from '../../../base/errors.ts';
import type { Ratings } from '../../../data/dataset.ts';
import type { ScheduleKind } from '../../../scheduler/schedule.ts';
import type { BufferSpec, Context, PushContext, Setup } from '../../../program/program.ts';
import { chunkBuffers } from '../hosts.ts';
import { resultsBytes, type MfOptions, type MfShape } from '../layout.ts';

export type RowsOptions = MfOptions & {
  readonly solver: 'als' | 'ccd';
  /** Confidence a of implicit feedback, c = 1 + a·r; 0: ratings are explicit. */
  readonly confidence: number;
  readonly nonNegative: boolean;
  /** Lanes of a block; 0: by solver and rank. */
  readonly subspace: number;
  /** Ends when a pass lowers the objective by less than this share of it. */
  readonly tolerance: number;
  readonly schedule: ScheduleKind;
  /** Passes begin with the λ of noise: penalty.ts. */
  readonly continuation: boolean;
};

export type Side = 'user' | 'item';
export const sides = ['user', 'item'] as const;
export const otherSide = (side: Side): Side => (side === 'user' ? 'item' : 'user');
export const tableOf = (side: Side) => (side === 'user' ? 'users' : 'items');

/** Parts of a side: as many threads can work. */
const partsOfSide = 64;
/** Every so many user parts are the pilot's. */
export const pilotEvery = 8;
/** f64 cells of what a part's users are offered: see rank.ts. */
export const rankCells = 4;
/** Below this a pilot saves nothing. */
const pilotRatingsMin = 200_000;
/** Ranges of rows whose moments are summed one by one, in this order. */
export const momentParts = 8;
/** Ratings of one row: their residuals lie in scratch. */
const rowRatingsMax = 7_000_000;
/** For the gathered ratings of a row: they are read several times, best from a near cache. */
export const roomBytes = 8 * 1024 * 1024;
assert(rowRatingsMax * 4 + roomBytes + 1024 * 1024 <= limits.scratchBytes, 'a row fits scratch');
const blockLanes = { als: 16, ccd: 8 } as const;

export type RowsShape = MfShape & {
  /** Lanes of a block, a multiple of 4, and the number of blocks. */
  readonly b: number;
  readonly blocks: number;
  /** Pieces of a table, of `columns` lanes: 1 where rows stand whole, else the blocks. */
  readonly pieces: number;
  /** Passes over an eighth of the users come first. */
  readonly pilot: boolean;
};

/** By data and options alone, never by workers or hosts: so is the result. */
export function rowsShape(data: Ratings, options: RowsOptions): RowsShape {
  const skip = options.bias ? 2 : 0;
  const wanted = options.subspace === 0 ? blockLanes[options.solver] : options.subspace;
  const blocks = Math.ceil((options.rank + skip) / wanted);
  const b = (Math.ceil((options.rank + skip) / blocks) + 3) & ~3;
  const lanes = b * blocks;
  return {
    ...{ grid: partsOfSide, skip, lanes, rowBytes: lanes * 4, b, blocks },
    ...(options.solver === 'als' ? { columns: lanes, pieces: 1 } : { columns: b, pieces: blocks }),
    pilot: data.count >= pilotRatingsMin && options.confidence === 0,
  };
}

export const sizeOf = (data: Ratings, side: Side) => (side === 'user' ? data.users : data.items);

/** The line of a part; words of 4 bytes as the kernels read them. */
const lineBytes = 32;
export type Line = {
  readonly first: number;
  readonly starts: number;
  readonly ends: number;
  readonly ids: number;
  readonly values: number;
  readonly weights: number;
  readonly residuals: number;
};
type Place = Pick<Context<RowsOptions>, 'arena' | 'buffer'>;
type Rows = Pick<PushContext<RowsOptions, unknown>, 'buffer' | 'options' | 'table'>;

/** Place of the line; the pilot's has its own, where rows end earlier. */
export function lineAt(ctx: Place, side: Side, part: number, pilot = false): number {
  return ctx.buffer(`${side}${pilot ? 'Pilot' : ''}Lines`) + part * lineBytes;
}

export function setLine(ctx: Place, at: number, line: Line): void {
  const { first, starts, ends, ids, values, weights, residuals } = line;
  ctx.arena.i32.set([first, starts, ends, ids, values, weights, residuals], at / 4);
}

/** Rows one behind the other, as scoring wants them: als has no others, ccd packs them there. */
export function packedRows(ctx: Rows, side: Side): number {
  return ctx.options.solver === 'als' ? ctx.table(tableOf(side)).at : ctx.buffer(`${side}Rows`);
}

/** @throws ERR_LIMIT when a row has more ratings than scratch has room for. */
export function checkCounts(ctx: Place, data: Ratings): void {
  for (const side of sides) {
    const at = ctx.buffer(`${side}Counts`) / 4;
    const counts = ctx.arena.i32.subarray(at, at + sizeOf(data, side));
    const most = counts.reduce((high, count) => Math.max(high, count), 0);
    if (most <= rowRatingsMax) continue;
    const rule = `a ${side} may have ${rowRatingsMax} ratings with --solver als and ccd`;
    throw new SystemError('ERR_LIMIT', `${rule}, got ${most}: use --solver sgd`);
  }
}

export function rowsBuffers(setup: Setup<RowsOptions>): readonly BufferSpec[] {
  const { options, workers, hosts } = setup;
  const data = setup.data as Ratings;
  const testBlocks = options.test?.blocks ?? [];
  const { grid, lanes, b, rowBytes } = rowsShape(data, options);
  const moments = options.confidence > 0 ? rowBytes * lanes : 0;
  const perSide = sides.flatMap((side) => {
    const size = sizeOf(data, side);
    return [
      ...['Counts', 'Rank', 'Part'].map((name) => ({ name: side + name, bytes: size * 4 })),
      { name: `${side}Starts`, bytes: (grid + 1) * 4 },
      { name: `${side}Lines`, bytes: grid * lineBytes },
      { name: `${side}PilotLines`, bytes: grid * lineBytes },
      { name: `${side}Sums`, bytes: grid * 16 },
      { name: `${side}Deltas`, bytes: options.solver === 'ccd' ? size * b * 4 : 0 },
      { name: `${side}Moments`, bytes: moments },
      { name: `${side}Rows`, bytes: options.solver === 'ccd' ? size * rowBytes : 0 },
      { name: `${side}Out`, bytes: size * options.rank * 4 },
      { name: `${side}BiasOut`, bytes: size * 4 },
    ];
  });
  return [
    ...perSide,
    { name: 'workerCounts', bytes: workers * (data.users + data.items) * 4 },
    { name: 'chunkSums', bytes: data.blocks.length * 16 },
    { name: 'chunkSteps', bytes: data.blocks.length * 4 },
    { name: 'chunkEnds', bytes: data.blocks.length * grid * 4 },
    { name: 'moments', bytes: momentParts * moments },
    { name: 'testSums', bytes: testBlocks.length * 16 },
    { name: 'testEnds', bytes: testBlocks.length * grid * 4 },
    { name: 'ranks', bytes: grid * rankCells * 8 },
    { name: 'results', bytes: resultsBytes },
    ...(hosts.length > 1 ? chunkBuffers('train', data.blocks) : []),
    ...(hosts.length > 1 ? chunkBuffers('test', testBlocks) : []),
  ];
}
