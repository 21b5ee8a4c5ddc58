// Snapshots: the copy of the tables that one push reads, taken under the reader's lock, so that all
// incs of a clock show in it together or not at all. In a lock-step run nothing is folded while
// pushes run, so whole tables are read where they stand and only declared rows are gathered.
import { SystemError } from '../base/errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { Kernels } from '../memory/signatures.ts';
import { locateRows } from './row-cache.ts';
import { sparseRow } from './sparse-rows.ts';
import { directoryBytes, type TablePlan } from './table.ts';

/** Declared rows: count numbers (i32) at `at`. */
export type Rows = { readonly at: number; readonly count: number };

export type Snapshots = {
  /**
   * Copies what the push may read of `table`; returns where the view finds its rows.
   * @throws ERR_PROGRAM when `rows` names a row that the table has not.
   */
  take(table: TablePlan, rows: Rows | undefined): number;
};

export type Room = (bytes: number) => number;

/** Growing private memory: reused by every push, doubled when one needs more. */
export function openPool(arena: Arena): Room {
  let at = 0;
  let size = 0;
  return (bytes) => {
    if (bytes > size) {
      size = Math.max(bytes, 2 * size, 4096);
      at = arena.allocate(size);
    }
    return at;
  };
}

/** @throws ERR_PROGRAM when `rows` names a row that the table has not. */
export function checkRows(arena: Arena, table: TablePlan, { at, count }: Rows, by: string): void {
  for (let i = 0; i < count; i++) {
    const row = arena.i32[at / 4 + i] ?? -1;
    if (row >= 0 && row < table.rows) continue;
    const rule = `table "${table.name}" has rows 0 to ${table.rows - 1}`;
    throw new SystemError('ERR_PROGRAM', `${rule}, ${by}() declares ${row}`);
  }
}

function takeSparse(arena: Arena, kernels: Kernels, room: Room, table: TablePlan, rows?: Rows) {
  const count = rows?.count ?? table.rows;
  const isFloat = table.type === 'f32' ? 1 : 0;
  const rowOf = (i: number) => (rows === undefined ? i : (arena.i32[rows.at / 4 + i] ?? 0));
  let bytes = count * directoryBytes;
  for (let i = 0; i < count; i++) {
    bytes += (sparseRow(arena, table, rowOf(i)).count * 8 + 31) & ~15;
  }
  const directory = room(bytes);
  let free = directory + count * directoryBytes;
  for (let i = 0; i < count; i++) {
    const row = sparseRow(arena, table, rowOf(i));
    const entry = [free / 16, row.count, row.count, 0];
    arena.i32.set(entry, (directory + i * directoryBytes) / 4);
    arena.u8.copyWithin(free, row.columns, row.columns + row.count * 4);
    arena.u8.copyWithin(free + row.count * 4, row.values, row.values + row.count * 4);
    if (table.order === 'value') {
      kernels.entries_rank(isFloat, row.count, free, free + row.count * 4);
    }
    free += (row.count * 8 + 31) & ~15;
  }
  return directory;
}

/** `inPlace`: whole tables need no copy, unless their entries are read in another order. */
export function openSnapshots(arena: Arena, kernels: Kernels, inPlace: boolean): Snapshots {
  const pools: Room[] = [];
  const locations = openPool(arena);
  return {
    take(table, rows) {
      if (table.access === 'owned' || table.access === 'none') return table.at;
      if (rows === undefined && inPlace && table.order === 'column') return table.at;
      const room = (pools[table.id] ??= openPool(arena));
      if (rows !== undefined) checkRows(arena, table, rows, 'reads');
      if (table.layout === 'sparse') return takeSparse(arena, kernels, room, table, rows);
      if (rows === undefined) {
        const bytes = table.rows * table.rowBytes;
        const copy = room(bytes);
        arena.u8.copyWithin(copy, table.at, table.at + bytes);
        return copy;
      }
      const copy = room(rows.count * table.rowBytes);
      if (table.cache === undefined) {
        kernels.rows_gather(rows.count, table.rowBytes, rows.at, table.at, copy);
      } else {
        const places = locations(rows.count * 4);
        locateRows(arena, table.cache, rows, places);
        kernels.rows_gather(rows.count, table.rowBytes, places, table.cache.base, copy);
      }
      return copy;
    },
  };
}
