// Table views: what a push reads and where its incs go. One per table and thread, re-pointed before
// every push by the runtime; between pushes it is nobody's.
import { SystemError } from '../base/errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { Kernels } from '../memory/signatures.ts';
import type { DeltaLog } from './delta-log.ts';
import { sparseRow } from './sparse-rows.ts';
import type { TablePlan } from './table.ts';

/** A table as a push sees it. Byte offsets are for kernels. */
export type TableView = {
  readonly rows: number;
  readonly columns: number;
  /** From one row to the next. */
  readonly rowBytes: number;
  /**
   * Where the rows stand: row r at `at + r · rowBytes`. With access `rows`: the i-th declared row
   * at `at + i · rowBytes`. Valid until the push returns; do not write here unless it is `owned`.
   */
  readonly at: number;
  /**
   * One row, as it was before this push began, without its own incs. With access `rows`, the
   * row-th of the declared rows.
   *
   *     const weights = ctx.table('weights').get(7); // Float32Array of columns, or Int32Array
   */
  get(row: number): Float32Array | Int32Array;
  /** A row of a sparse table: its nonzero entries, columns ascending. */
  getSparse(row: number): { columns: Int32Array; values: Float32Array | Int32Array };
  /**
   * Adds `delta` to a row: a value per column, or (columns, values) pairs for a sparse table.
   * Visible to readers when this clock ends, together with all other incs of the push.
   * @throws ERR_PROGRAM for a row or column that the table has not, ERR_LIMIT when the log is full.
   */
  inc(row: number, delta: ArrayLike<number>): void;
  incSparse(row: number, columns: ArrayLike<number>, values: ArrayLike<number>): void;
  /** Zeroed place for the deltas of `count` rows from `first` on; a kernel accumulates into it. */
  incRange(first: number, count: number): number;
  /** Zeroed place for the deltas of the `count` rows numbered (i32) at `rowsAt`. */
  incRows(rowsAt: number, count: number): number;
};

export type MutableView = TableView & {
  /** Points the view at `readable` rows to read, and at the log to write. */
  point(at: number, log: DeltaLog, readable: number): void;
};

function rowError(table: TablePlan, row: number): SystemError {
  const rule = `table "${table.name}" has rows 0 to ${table.rows - 1}`;
  return new SystemError('ERR_PROGRAM', `${rule}, got ${row}`);
}

function lengthError(table: TablePlan, what: string, got: number): SystemError {
  const rule = `table "${table.name}" has ${table.columns} columns`;
  return new SystemError('ERR_PROGRAM', `${rule}, ${what} ${got}`);
}

/** A view over one table. */
export function openView(arena: Arena, kernels: Kernels, table: TablePlan): MutableView {
  const { rows, columns, rowBytes } = table;
  const words = table.type === 'i32' ? arena.i32 : arena.f32;
  let at = table.at;
  let log: DeltaLog | undefined;
  let readable = 0;
  const writer = (): DeltaLog => {
    if (log !== undefined) return log;
    throw new SystemError('ERR_PROGRAM', `table "${table.name}": inc is for push and pull`);
  };
  const checkRead = (row: number) => {
    check(row);
    if (row < readable) return;
    const rule = `table "${table.name}" with access "${table.access}" gives a push ${readable} rows`;
    throw new SystemError('ERR_PROGRAM', `${rule}, get names ${row}`);
  };
  const check = (row: number) => {
    if (!Number.isInteger(row) || row < 0 || row >= rows) throw rowError(table, row);
  };
  return {
    rows,
    columns,
    rowBytes,
    get at() {
      return at;
    },
    point(rowsAt, deltaLog, rowsToRead) {
      readable = rowsToRead;
      at = rowsAt;
      log = deltaLog;
    },
    get(row) {
      checkRead(row);
      const from = (at + row * rowBytes) / 4;
      return words.slice(from, from + columns);
    },
    getSparse(row) {
      checkRead(row);
      const found = sparseRow(arena, { ...table, at }, row);
      const slice = (view: Float32Array | Int32Array, from: number) =>
        view.slice(from / 4, from / 4 + found.count);
      const names = slice(arena.i32, found.columns) as Int32Array;
      return { columns: names, values: slice(words, found.values) };
    },
    inc(row, delta) {
      check(row);
      if (delta.length !== columns) throw lengthError(table, 'inc gives', delta.length);
      words.set(delta, writer().range(table, row, 1) / 4);
    },
    incSparse(row, columnIndices, values) {
      check(row);
      const count = columnIndices.length;
      if (values.length !== count) throw lengthError(table, 'values for', values.length);
      for (let i = 0; i < count; i++) {
        const column = columnIndices[i] ?? -1;
        if (!(column >= 0 && column < columns))
          throw lengthError(table, 'inc names column', column);
      }
      const deltas = writer();
      const place = deltas.sparse(table, row, count);
      arena.i32.set(columnIndices, place.columns / 4);
      words.set(values, place.values / 4);
      const isFloat = table.type === 'f32' ? 1 : 0;
      deltas.trim(kernels.entries_sort(isFloat, count, place.columns, place.values));
    },
    incRange: (first, count) => writer().range(table, first, count),
    incRows: (rowsAt, count) => writer().rows(table, rowsAt, count),
  };
}
