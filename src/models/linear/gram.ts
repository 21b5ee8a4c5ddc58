// Second moments of the columns of some slots (assembly/linear/gram.ts), over all partitions that
// lie on this host: their memory is shared, so rows of G are shared out over the host's workers.
//
//   compactColumns  by partition   the new slots' entries by row (sparse data only)
//   gramRows        by row of G    this host's part of the new columns of G
//   placeGram       the scheduler  adds the hosts' parts up and mirrors them
//
// G is only computed where it is new: a slot keeps its place until the slots are cleared.
import type { Arena } from '../../memory/arena.ts';
import type { Context } from '../../program/program.ts';
import type { Range } from '../../base/ranges.ts';
import type { Columns } from './columns.ts';

type Place = Pick<Context<unknown>, 'arena' | 'kernels' | 'poll' | 'scratch'>;

/** What slots hold, by slot: column (i32), mean under the weights and scale (f64). */
export type Slots = { readonly list: number; readonly centres: number; readonly scales: number };

/** New slots: `count` of them from slot `base` on. */
export type NewSlots = { readonly base: number; readonly count: number };

/** Bytes of a partition's line in a table of places. */
export const placesBytes = 32;
/** Rows of G that one worker takes in a row; every tile of a dense kernel is whole. */
const gramGroup = 8;
/** New slots of one call: dense tiles keep their sums for each in scratch. */
export const gramNewMax = 1024;

/** Writes a partition's line: where its columns are, and room for `compactColumns`. */
export function writePlaces(arena: Arena, columns: Columns, at: number): void {
  const { rows, length, dense, nonzeros, places } = columns;
  const rowStart = dense ? 0 : arena.allocate((rows + 1) * 8);
  const byRow = dense ? 0 : arena.allocate(Math.max(16, nonzeros * 8));
  const { place, starts, entries, x } = places;
  arena.i32.set([rows, length, place, starts, entries, x, rowStart, byRow], at / 4);
}

/** Puts the new slots' entries of one partition together by row. */
export function compactColumns(
  ctx: Place,
  { places, columns }: { readonly places: number; readonly columns: Columns },
  { base, count, slots }: NewSlots & { readonly slots: Slots },
): void {
  if (columns.dense) return;
  // Above 2 GiB it is negative as i32.
  const rowStart = (ctx.arena.i32[places / 4 + 6] ?? 0) >>> 0;
  const cursor = rowStart + (columns.rows + 1) * 4;
  ctx.poll();
  ctx.kernels.gram_compact(count, slots.list + base * 4, places, cursor);
}

export type GramRows = NewSlots & {
  /** The lines of this host's partitions, and how many. */
  readonly places: number;
  readonly partitions: number;
  /** Place of every partition's weights, f64 per row: an i32 each. 0: ones. */
  readonly weights: number;
  readonly dense: boolean;
  /** Σ of the weights of these partitions' rows. */
  readonly total: number;
  readonly slots: Slots;
  /** Rows of G. */
  readonly rows: Range;
  /** (base + count) × count f32, row k at k · count: this host's part. */
  readonly part: number;
};

/** Rows of the new columns of G, summed over this host's partitions. */
export function gramRows(ctx: Place, asked: GramRows): void {
  const { base, count, places, partitions, weights, slots, rows, dense } = asked;
  const { at: work } = ctx.scratch;
  const lists = [slots.list, slots.centres, slots.scales] as const;
  for (let k = rows.first; k < rows.last; k += 4) {
    ctx.poll();
    const last = Math.min(k + 4, rows.last);
    const out = asked.part + k * count * 4;
    if (dense) {
      const shape = [partitions, places, weights, k, last, base, count] as const;
      ctx.kernels.gram_dense(...shape, ...lists, out, work);
    } else {
      const shape = [partitions, places, weights, k, last, base, count, asked.total] as const;
      ctx.kernels.gram_sparse(...shape, ...lists, out, work);
    }
  }
}

/** The groups of rows of G that a worker computes: by turns, for rows differ. */
export function* gramShare(size: number, worker: number, workers: number): Generator<Range> {
  for (let first = worker * gramGroup; first < size; first += workers * gramGroup) {
    yield { first, last: Math.min(first + gramGroup, size) };
  }
}
