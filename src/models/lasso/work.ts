// The work of the lasso's solver: what its schedule asks of the workers, and how they do it, for a
// partition of the rows or, with second moments, some rows of the Gram matrix.
import type { Range } from '../../base/ranges.ts';
import { ranges } from '../../scheduler/rotation.ts';
import type { Setup } from '../../program/program.ts';
import { addColumns, dots, moments, openColumns } from '../linear/columns.ts';
import { compactColumns, gramRows, gramShare, placesBytes, writePlaces } from '../linear/gram.ts';
import { openRows, partitionRows } from '../rows.ts';
import {
  cell,
  columnsAt,
  gramPartBytes,
  rowOffset,
  slotsOf,
  sumsLine,
  type Lane,
} from './layout.ts';

/** What all workers do at once. */
export type LassoPhase =
  /**
   * v ← y without the fold's rows; sums of labels and columns. fold −1: all rows. `open`: the columns
   * are built first.
   */
  | { readonly kind: 'start'; readonly fold: number; readonly open: boolean }
  /** Σ (x − mean)² of every column. */
  | { readonly kind: 'squares' }
  /** v += Σ changes · x + shift, and x'z of the survivors, or of all columns. */
  | {
      readonly kind: 'gradient';
      readonly changes: number;
      readonly shift: number;
      readonly survivors: number | 'all';
    }
  | { readonly kind: 'compact'; readonly base: number; readonly count: number }
  | { readonly kind: 'gram'; readonly base: number; readonly count: number };

/** Whose work it is: partitions, and the place among the workers of its host. */
export type Own = {
  readonly own: Range;
  readonly rank: number;
  /** Partitions of the host. */
  readonly host: Range;
  readonly index: number;
  readonly workers: number;
};

/** All of it for one worker alone. */
export function wholeOwn(partitions: number): Own {
  const all = { first: 0, last: partitions };
  return { own: all, rank: 0, host: all, index: 0, workers: 1 };
}

/** How work is shared out over the workers of all hosts. */
export function shareOut({ partitions, workers, hosts }: Setup<unknown>): readonly Own[] {
  const most = hosts.length > 1 ? workers : Math.min(workers, partitions);
  const shares = ranges(partitions, most);
  return shares.map((own, worker) => {
    const rank = hosts.findIndex(({ first, last }) => first <= worker && worker < last);
    const { first = 0, last = most } = hosts[rank] ?? {};
    const end = Math.min(last, most) - 1;
    const host = { first: shares[first]?.first ?? 0, last: shares[end]?.last ?? partitions };
    return { own, rank, host, index: worker - first, workers: end + 1 - first };
  });
}

/** Does what a phase asks of one worker. */
export function perform(lane: Lane, phase: LassoPhase, own: Own): void {
  if (phase.kind === 'gram') {
    computeGram(lane, phase, own);
    return;
  }
  for (let p = own.own.first; p < own.own.last; p++) {
    switch (phase.kind) {
      case 'start':
        if (phase.open) openPartition(lane, p);
        startPartition(lane, p, phase.fold);
        break;
      case 'squares':
        measureSquares(lane, p);
        break;
      case 'gradient':
        measureGradient(lane, p, phase);
        break;
      case 'compact':
        compactColumns(lane, compactPlace(lane, p), { ...phase, slots: slotsOf(lane) });
        break;
    }
  }
}

function openPartition(lane: Lane, p: number): void {
  const { arena, kernels, data, shape } = lane;
  const range = partitionRows(shape.rows, shape.partitions, p);
  const columns = openColumns(lane, data, range);
  writePlaces(arena, columns, lane.at('places') + p * placesBytes);
  const rows = openRows(lane, data, range);
  const y = lane.at('y') + rowOffset(lane, p);
  arena.f64.fill(0, y / 8, y / 8 + columns.length);
  kernels.targets_widen(rows.count, rows.at, y);
}

function maskAt(lane: Lane, p: number): number {
  return lane.masked ? lane.at('mask') + rowOffset(lane, p) : 0;
}

/** Where what is multiplied with columns stands: v itself where no row is masked. */
function usedAt(lane: Lane, p: number): number {
  return lane.at(lane.masked ? 'z' : 'v') + rowOffset(lane, p);
}

function startPartition(lane: Lane, p: number, fold: number): void {
  const { arena, kernels, shape, options } = lane;
  const { first, last } = partitionRows(shape.rows, shape.partitions, p);
  const columns = columnsAt(lane, p);
  const offset = rowOffset(lane, p);
  const vector = (name: 'v' | 'z' | 'mask' | 'y') => lane.at(name) + offset;
  arena.u8.copyWithin(vector('v'), vector('y'), vector('y') + columns.length * 8);
  const sums = lane.at('sums') + p * sumsLine;
  let kept = columns.rows;
  if (lane.masked) {
    arena.f64.fill(0, vector('z') / 8, vector('z') / 8 + columns.length);
    const { folds } = options;
    kept = kernels.folds_mask(last - first, first, fold, folds, lane.seed, vector('mask'));
    arena.i32[lane.at('masks') / 4 + p] = vector('mask');
  }
  finish(lane, p, 0);
  arena.f64[sums / 8 + cell.kept] = kept;
  const { columns: width } = shape;
  const parts = lane.at('parts') + p * width * 8;
  moments(lane, columns, { weights: maskAt(lane, p), total: kept, sums: parts, squares: 0 });
  lane.share('parts', p * width * 8, width * 8);
  lane.share('sums', p * sumsLine, sumsLine);
}

function finish(lane: Lane, p: number, shift: number): void {
  const { first, last } = partitionRows(lane.shape.rows, lane.shape.partitions, p);
  const offset = rowOffset(lane, p);
  const [y, v] = [lane.at('y') + offset, lane.at('v') + offset];
  const sums = lane.at('sums') + p * sumsLine;
  const mask = maskAt(lane, p);
  lane.kernels.residual_finish(last - first, shift, mask, y, v, usedAt(lane, p), sums);
}

function measureSquares(lane: Lane, p: number): void {
  const { columns: width } = lane.shape;
  const total = lane.arena.f64[(lane.at('sums') + p * sumsLine) / 8 + cell.kept] ?? 0;
  moments(lane, columnsAt(lane, p), {
    ...{ weights: maskAt(lane, p), total, centres: lane.at('means'), sums: 0 },
    squares: lane.at('parts') + p * width * 8,
  });
  lane.share('parts', p * width * 8, width * 8);
}

function measureGradient(
  lane: Lane,
  p: number,
  { changes, shift, survivors }: LassoPhase & { readonly kind: 'gradient' },
): void {
  const { columns: width } = lane.shape;
  const columns = columnsAt(lane, p);
  if (changes > 0) {
    const list = { at: lane.at('changed'), count: changes };
    const v = lane.at('v') + rowOffset(lane, p);
    addColumns(lane, columns, { list, a: lane.at('changes'), v });
  }
  finish(lane, p, shift);
  const list = survivors === 'all' ? 'all' : { at: lane.at('survivors'), count: survivors };
  const from = p * width * 8;
  dots(lane, columns, { list, v: usedAt(lane, p), out: lane.at('parts') + from });
  lane.share('parts', from, (survivors === 'all' ? width : survivors) * 8);
  lane.share('sums', p * sumsLine, sumsLine);
}

function compactPlace(lane: Lane, p: number) {
  const places = lane.at('places') + p * placesBytes;
  return { places, columns: columnsAt(lane, p) };
}

function computeGram(
  lane: Lane,
  { base, count }: LassoPhase & { readonly kind: 'gram' },
  { rank, host, index, workers }: Own,
): void {
  if (host.first >= host.last) return;
  const { f64 } = lane.arena;
  let total = 0;
  for (let p = host.first; p < host.last; p++) {
    total += f64[(lane.at('sums') + p * sumsLine) / 8 + cell.kept] ?? 0;
  }
  const from = rank * gramPartBytes(lane.shape);
  const { dense } = columnsAt(lane, host.first);
  for (const rows of gramShare(base + count, index, workers)) {
    gramRows(lane, {
      ...{ base, count, slots: slotsOf(lane), rows, dense, total },
      ...{ places: lane.at('places') + host.first * placesBytes },
      partitions: host.last - host.first,
      weights: lane.masked ? lane.at('masks') + host.first * 4 : 0,
      part: lane.at('gramParts') + from,
    });
    const bytes = (rows.last - rows.first) * count * 4;
    lane.share('gramParts', from + rows.first * count * 4, bytes);
  }
}
