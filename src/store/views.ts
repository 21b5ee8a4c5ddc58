// Table views: what a push reads and where its incs go. One per table and thread, re-pointed before
// every push by the runtime; between pushes it is nobody's.
import { SystemError } from '../base/errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { Kernels } from '../memory/signatures.ts';
import type { DeltaLog } from './delta-log.ts';
import { rankEntries, sparseRow, type Entries } from './sparse-rows.ts';
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
  /**
   * A row of a sparse table: its nonzero entries, columns ascending; of a sorted one by value, the
   * largest first, equal ones by column.
   */
  getSparse(row: number): Entries;
  /**
   * All rows that this push may read, each with its number in the table: with access `rows` the
   * declared ones in their order. Each is a copy, as from `get`.
   *
   *     for (const [row, values] of ctx.table('weights').each()) …
   */
  each(): Generator<readonly [row: number, values: Float32Array | Int32Array]>;
  /** The same of a sparse table, as from `getSparse`. */
  eachSparse(): Generator<readonly [row: number, entries: Entries]>;
  /**
   * Adds `delta` to a row: a value per column, or (columns, values) pairs for a sparse table.
   * Visible to readers when this clock ends, together with all other incs of the push.
   * @throws ERR_PROGRAM for a row or column that the table has not, ERR_LIMIT when the log is full.
   */
  inc(row: number, delta: ArrayLike<number>): void;
  incSparse(row: number, columns: ArrayLike<number>, values: ArrayLike<number>): void;
  /**
   * Adds values[i] to column columns[i] of a dense row. Only these are written down and sent, 8
   * bytes each. A column that is named twice gets the sum of both.
   * @throws ERR_PROGRAM for a row or column that the table has not, ERR_LIMIT when the log is full.
   */
  incColumns(row: number, columns: ArrayLike<number>, values: ArrayLike<number>): void;
  /** Adds values[i] to column first + i of a dense row: 4 bytes each. @throws as `incColumns`. */
  incSpan(row: number, first: number, values: ArrayLike<number>): void;
  /** Zeroed place for the deltas of `count` rows from `first` on; a kernel accumulates into it. */
  incRange(first: number, count: number): number;
  /** Zeroed place for the deltas of the `count` rows numbered (i32) at `rowsAt`. */
  incRows(rowsAt: number, count: number): number;
};

export type MutableView = TableView & {
  /**
   * Points the view at `readable` rows to read, and at the log to write. `list`: place of the
   * readable rows' numbers (i32); undefined: they are the first rows of the table.
   */
  point(at: number, log: DeltaLog, readable: number, list?: number): void;
};

function rowError(table: TablePlan, row: number): SystemError {
  const rule = `table "${table.name}" has rows 0 to ${table.rows - 1}`;
  return new SystemError('ERR_PROGRAM', `${rule}, got ${row}`);
}

function lengthError(table: TablePlan, what: string, got: number | string): SystemError {
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
  let list: number | undefined;
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
  const checkDense = (what: string) => {
    if (table.layout === 'dense') return;
    const rule = `table "${table.name}" is sparse: ${what} is for dense rows`;
    throw new SystemError('ERR_PROGRAM', `${rule}; use incSparse`);
  };
  const numberOf = (index: number): number =>
    list === undefined ? index : (arena.i32[list / 4 + index] ?? 0);
  const get = (row: number): Float32Array | Int32Array => {
    checkRead(row);
    const from = (at + row * rowBytes) / 4;
    return words.slice(from, from + columns);
  };
  const getSparse = (row: number): Entries => {
    checkRead(row);
    const found = sparseRow(arena, { ...table, at }, row);
    const slice = (view: Float32Array | Int32Array, from: number) =>
      view.slice(from / 4, from / 4 + found.count);
    const names = slice(arena.i32, found.columns) as Int32Array;
    const entries = { columns: names, values: slice(words, found.values) };
    return table.order === 'value' ? rankEntries(entries) : entries;
  };
  const incEntries: TableView['incSparse'] = (row, columnIndices, values) => {
    check(row);
    const count = columnIndices.length;
    if (values.length !== count) throw lengthError(table, 'values for', values.length);
    for (let i = 0; i < count; i++) {
      const column = columnIndices[i] ?? -1;
      const known = Number.isInteger(column) && column >= 0 && column < columns;
      if (!known) throw lengthError(table, 'inc names column', column);
    }
    const deltas = writer();
    const place = deltas.entries(table, row, count);
    arena.i32.set(columnIndices, place.columns / 4);
    words.set(values, place.values / 4);
    const isFloat = table.type === 'f32' ? 1 : 0;
    deltas.trim(kernels.entries_sort(isFloat, count, place.columns, place.values));
  };
  return {
    rows,
    columns,
    rowBytes,
    get at() {
      return at;
    },
    point(rowsAt, deltaLog, rowsToRead, listAt) {
      readable = rowsToRead;
      list = listAt;
      at = rowsAt;
      log = deltaLog;
    },
    get,
    getSparse,
    *each() {
      for (let i = 0; i < readable; i++) yield [numberOf(i), get(i)];
    },
    *eachSparse() {
      for (let i = 0; i < readable; i++) yield [numberOf(i), getSparse(i)];
    },
    inc(row, delta) {
      check(row);
      if (delta.length !== columns) throw lengthError(table, 'inc gives', delta.length);
      words.set(delta, writer().range(table, row, 1) / 4);
    },
    incSparse: incEntries,
    incColumns(row, columnIndices, values) {
      checkDense('incColumns');
      incEntries(row, columnIndices, values);
    },
    incSpan(row, first, values) {
      checkDense('incSpan');
      check(row);
      const last = first + values.length;
      const fits = Number.isInteger(first) && first >= 0 && last <= columns;
      if (!fits) throw lengthError(table, 'incSpan names', `${first} to ${last - 1}`);
      words.set(values, writer().span(table, row, first, values.length) / 4);
    },
    incRange: (first, count) => writer().range(table, first, count),
    incRows: (rowsAt, count) => writer().rows(table, rowsAt, count),
  };
}
