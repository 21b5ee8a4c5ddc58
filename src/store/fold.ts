// Folding: F of the paper, A ← A + Δ. Applies the records of a delta log to the tables, within a
// share of every table's rows, so that several workers fold one log without meeting.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { Kernels } from '../memory/signatures.ts';
import { recordKind, type DeltaLog, type DeltaRecord } from './delta-log.ts';
import { reduceRecord } from './reduce.ts';
import { mergeSparseRow } from './sparse-rows.ts';
import type { TablePlan } from './table.ts';

/** Part `index` of `of`: the rows from rows·index/of up to rows·(index + 1)/of. */
export type Share = { readonly index: number; readonly of: number };

export const wholeTable: Share = { index: 0, of: 1 };

export type FoldPlace = {
  readonly arena: Arena;
  readonly kernels: Kernels;
  /** Exports of the program's own module, for reducers. */
  readonly userKernels: Readonly<Record<string, (...args: number[]) => number>>;
  /** Scratch for merging sparse rows, and for reducers. */
  readonly scratch: number;
  readonly scratchBytes: number;
};

/** The error of an update that made `row` infinite or NaN. */
export function notFinite(table: TablePlan, row: number, clock: number): SystemError {
  const what = `table "${table.name}", row ${row}, clock ${clock}: the update is not finite`;
  const remedy = 'training diverged: use a smaller --learning-rate or a larger --lambda';
  return new SystemError('ERR_NOT_FINITE', `${what}; ${remedy}`);
}

/** Rows from `first` up to, not with, `last`. */
export type RowRange = { readonly first: number; readonly last: number };

function foldRange(
  place: FoldPlace,
  table: TablePlan,
  record: DeltaRecord,
  rows: RowRange,
): number {
  const from = Math.max(record.first, rows.first);
  const to = Math.min(record.first + record.count, rows.last);
  if (from >= to) return -1;
  const words = ((to - from) * table.rowBytes) / 4;
  const source = record.values + (from - record.first) * table.rowBytes;
  const target = table.at + from * table.rowBytes;
  if (table.type === 'i32') {
    place.kernels.i32_add(words, source, target);
    return -1;
  }
  const bad = place.kernels.f32_add_checked(words, source, target);
  return bad < 0 ? -1 : from + Math.floor((bad * 4) / table.rowBytes);
}

/** Entries or a span of one row. */
function foldRow(place: FoldPlace, table: TablePlan, record: DeltaRecord): number {
  const { arena, kernels } = place;
  const { kind, first, count, keys, values } = record;
  if (table.layout === 'sparse') return mergeSparseRow(place, table, record);
  const target = table.at + first * table.rowBytes;
  const isFloat = table.type === 'f32' ? 1 : 0;
  const bad =
    kind === recordKind.entries
      ? kernels.entries_add(isFloat, 0, 1, table.rowBytes, 0, keys - 4, keys, values, target)
      : kernels.rows_add(
          ...([isFloat, 1, count, 0, 0, 0, 0, values] as const),
          target + 4 * (arena.i32[keys / 4] ?? 0),
        );
  return bad < 0 ? -1 : first;
}

function foldRecord(
  place: FoldPlace,
  table: TablePlan,
  record: DeltaRecord,
  rows: RowRange,
): number {
  switch (record.kind) {
    case recordKind.range:
      return foldRange(place, table, record, rows);
    case recordKind.rows: {
      const { f32_rows_add, i32_rows_add } = place.kernels;
      const add = table.type === 'i32' ? i32_rows_add : f32_rows_add;
      const { count, keys, values } = record;
      return add(count, table.rowBytes, keys, values, table.at, rows.first, rows.last);
    }
    default: {
      const { kind, first } = record;
      assert(kind === recordKind.entries || kind === recordKind.span, 'a known kind of record');
      const mine = first >= rows.first && first < rows.last;
      return mine ? foldRow(place, table, record) : -1;
    }
  }
}

/** Own rows are reduced, copies of others' show the sum. */
function foldReduced(
  place: FoldPlace,
  table: TablePlan,
  record: DeltaRecord,
  at: { readonly within: RowRange; readonly clock: number },
): number {
  const { first, last } = table.reducer?.own ?? at.within;
  const { within } = at;
  const before = { first: within.first, last: Math.min(within.last, first) };
  const after = { first: Math.max(within.first, last), last: within.last };
  for (const rows of [before, after]) {
    if (rows.first >= rows.last) continue;
    const bad = foldRecord(place, table, record, rows);
    if (bad >= 0) return bad;
  }
  return reduceRecord(place, table, record, at);
}

/**
 * Folds the rows that `rowsOf` names of every table of `log` in, in the order of its records.
 * @throws ERR_NOT_FINITE naming table, row and clock.
 */
export function foldRows(
  place: FoldPlace,
  tables: readonly TablePlan[],
  log: DeltaLog,
  at: { readonly rowsOf: (table: TablePlan) => readonly RowRange[]; readonly clock: number },
): void {
  for (const record of log.records(tables)) {
    const table = tables[record.table];
    assert(table !== undefined, 'a delta names a table of the run');
    for (const rows of at.rowsOf(table)) {
      const bad =
        table.reducer === undefined
          ? foldRecord(place, table, record, rows)
          : foldReduced(place, table, record, { within: rows, clock: at.clock });
      if (bad >= 0) throw notFinite(table, bad, at.clock);
    }
  }
}

/**
 * Folds `share` of every table's rows of `log` in, in the order of its records.
 * @throws ERR_NOT_FINITE naming table, row and clock.
 */
export function fold(
  place: FoldPlace,
  tables: readonly TablePlan[],
  log: DeltaLog,
  at: { readonly share: Share; readonly clock: number },
): void {
  const { index, of } = at.share;
  const rowOf = (table: TablePlan, part: number) => Math.floor((table.rows * part) / of);
  const rowsOf = (table: TablePlan) => [
    { first: rowOf(table, index), last: rowOf(table, index + 1) },
  ];
  foldRows(place, tables, log, { rowsOf, clock: at.clock });
}
