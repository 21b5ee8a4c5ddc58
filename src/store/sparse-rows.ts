// Sparse rows of a table: reading one, and folding a delta into one. A row that outgrows its place
// moves to one of twice the capacity; the old place is not used again, so a row costs at most
// twice its entries in places left behind.
import { SystemError } from '../base/errors.ts';
import { assert } from '../base/assert.ts';
import type { Arena } from '../memory/arena.ts';
import type { DeltaRecord } from './delta-log.ts';
import type { FoldPlace } from './fold.ts';
import { directoryBytes, type TablePlan } from './table.ts';

/** Where the entries of a row are, as byte offsets. */
export type SparseRow = {
  readonly count: number;
  readonly capacity: number;
  readonly columns: number;
  readonly values: number;
};

export function sparseRow(arena: Arena, table: TablePlan, row: number): SparseRow {
  assert(row >= 0 && row < table.rows, 'a row of the table');
  const index = (table.at + row * directoryBytes) / 4;
  const [place = 0, count = 0, capacity = 0] = arena.i32.subarray(index, index + 3);
  const columns = (place >>> 0) * 16;
  return { count, capacity, columns, values: columns + capacity * 4 };
}

export type Entries = { columns: Int32Array; values: Float32Array | Int32Array };

/** Entries by value, the largest first, equal ones by column; as they are when they are so. */
export function rankEntries(entries: Entries): Entries {
  const { columns, values } = entries;
  const isAfter = (a: number, b: number) =>
    (values[b] ?? 0) - (values[a] ?? 0) || (columns[a] ?? 0) - (columns[b] ?? 0);
  if (columns.every((_, i) => i === 0 || isAfter(i - 1, i) < 0)) return entries;
  const order = Int32Array.from(columns, (_, i) => i).sort(isAfter);
  const pick = (from: Float32Array | Int32Array) => from.map((_, i) => from[order[i] ?? 0] ?? 0);
  return { columns: pick(columns) as Int32Array, values: pick(values) };
}

/** Adds a sparse delta to its row. Returns −1, or the row when a sum is not finite. */
export function mergeSparseRow(place: FoldPlace, table: TablePlan, record: DeltaRecord): number {
  const { arena, kernels } = place;
  const row = sparseRow(arena, table, record.first);
  const most = row.count + record.count;
  if (most * 8 > place.scratchBytes) {
    const rule = `a sparse row holds at most ${Math.floor(place.scratchBytes / 8)} entries`;
    throw new SystemError('ERR_LIMIT', `table "${table.name}", row ${record.first}: ${rule}`);
  }
  const outValues = place.scratch + most * 4;
  const isFloat = table.type === 'f32' ? 1 : 0;
  const count = kernels.sparse_row_merge(
    ...([isFloat, row.count, row.columns, row.values] as const),
    ...([record.count, record.keys, record.values, place.scratch, outValues] as const),
  );
  if (isFloat === 1 && kernels.f32_finite(count, outValues) >= 0) return record.first;
  let { capacity, columns } = row;
  if (count > capacity) {
    capacity = 4;
    while (capacity < count) capacity *= 2;
    columns = arena.allocate(capacity * 8);
  }
  arena.u8.copyWithin(columns, place.scratch, place.scratch + count * 4);
  arena.u8.copyWithin(columns + capacity * 4, outValues, outValues + count * 4);
  arena.i32.set([columns / 16, count, capacity], (table.at + record.first * directoryBytes) / 4);
  return -1;
}
