// The deltas of one push, written down in order and folded into the tables when its clock ends.
// Append-only, private to its writer: a worker that dies in the middle of a clock leaves nothing.
//
//   log     = word 0: bytes used, then records, all 16-byte aligned
//   record  = { table, kind, first, count } then
//     range   count rows of values, for rows first, first + 1, …
//     rows    count row numbers (i32, padded), then count rows of values
//     entries count columns (i32, padded), then count values (padded), for row `first`
//     span    a column (i32, padded), then count values (padded) from it on, for row `first`
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { TablePlan } from './table.ts';

const HEADER_BYTES = 16;
export const recordKind = { range: 0, rows: 1, entries: 2, span: 3 } as const;
const pad = (bytes: number): number => (bytes + 15) & ~15;

/** A record as offsets: what `fold` works on. */
export type DeltaRecord = {
  readonly table: number;
  readonly kind: number;
  readonly first: number;
  readonly count: number;
  /**
   * Byte offset of the row numbers or columns; equals `values` for a range. 4 bytes before it
   * stands the count.
   */
  readonly keys: number;
  readonly values: number;
};

export type DeltaLog = {
  clear(): void;
  /** Nothing was written since it was cleared. */
  isEmpty(): boolean;
  /**
   * Zeroed values for rows first … first + count − 1: accumulate into them. Returns their place.
   */
  range(table: TablePlan, first: number, count: number): number;
  /** Zeroed values for `count` rows whose numbers (i32) stand at `rowsAt`. Returns their place. */
  rows(table: TablePlan, rowsAt: number, count: number): number;
  /** Room for `count` entries of a row: the caller fills columns and values. */
  entries(table: TablePlan, row: number, count: number): { columns: number; values: number };
  /** Shortens the last record, of entries, to `count` of them. */
  trim(count: number): void;
  /** Room for values of `count` columns of a dense row, from `column` on. Returns its place. */
  span(table: TablePlan, row: number, column: number, count: number): number;
  records(tables: readonly TablePlan[]): Generator<DeltaRecord>;
};

export function openDeltaLog(arena: Arena, at: number, bytes: number): DeltaLog {
  const { i32, u8 } = arena;
  let lastRecord = 0;

  const append = (table: TablePlan, kind: number, first: number, count: number, body: number) => {
    const used = i32[at / 4] ?? 0;
    const need = HEADER_BYTES + body;
    if (used + need > bytes) {
      const rule = `one push may write at most ${bytes} bytes of deltas`;
      const found = `table "${table.name}" needs ${used + need}`;
      throw new SystemError('ERR_LIMIT', `${rule}, ${found}: raise the program's deltaBytes`);
    }
    lastRecord = at + used;
    i32.set([table.id, kind, first, count], lastRecord / 4);
    i32[at / 4] = used + need;
    return lastRecord + HEADER_BYTES;
  };
  const checkRows = (table: TablePlan, first: number, count: number) => {
    const whole = Number.isInteger(first) && Number.isInteger(count);
    if (whole && first >= 0 && count >= 0 && first + count <= table.rows) return;
    const rule = `table "${table.name}" has rows 0 to ${table.rows - 1}`;
    throw new SystemError('ERR_PROGRAM', `${rule}, inc names ${first} (${count} rows)`);
  };

  const checkCount = (table: TablePlan, count: number) => {
    if (Number.isInteger(count) && count >= 0) return;
    const rule = `table "${table.name}": a count of rows is an integer >= 0`;
    throw new SystemError('ERR_PROGRAM', `${rule}, inc gives ${count}`);
  };

  return {
    isEmpty: () => (i32[at / 4] ?? 0) <= HEADER_BYTES,
    clear() {
      i32[at / 4] = HEADER_BYTES;
    },
    range(table, first, count) {
      checkRows(table, first, count);
      const body = count * table.rowBytes;
      const values = append(table, recordKind.range, first, count, body);
      u8.fill(0, values, values + body);
      return values;
    },
    rows(table, rowsAt, count) {
      checkCount(table, count);
      for (let i = 0; i < count; i++) checkRows(table, i32[rowsAt / 4 + i] ?? -1, 1);
      const keyBytes = pad(count * 4);
      const body = keyBytes + count * table.rowBytes;
      const keys = append(table, recordKind.rows, 0, count, body);
      u8.copyWithin(keys, rowsAt, rowsAt + count * 4);
      u8.fill(0, keys + keyBytes, keys + body);
      return keys + keyBytes;
    },
    entries(table, row, count) {
      checkRows(table, row, 1);
      const columns = append(table, recordKind.entries, row, count, 2 * pad(count * 4));
      return { columns, values: columns + pad(count * 4) };
    },
    span(table, row, column, count) {
      checkRows(table, row, 1);
      const key = append(table, recordKind.span, row, count, 16 + pad(count * 4));
      i32[key / 4] = column;
      return key + 16;
    },
    trim(count) {
      const index = lastRecord / 4;
      assert(i32[index + 1] === recordKind.entries, 'only entries are trimmed');
      const before = i32[index + 3] ?? 0;
      const columns = lastRecord + HEADER_BYTES;
      const values = columns + pad(before * 4);
      u8.copyWithin(columns + pad(count * 4), values, values + count * 4);
      i32[index + 3] = count;
      i32[at / 4] = columns + 2 * pad(count * 4) - at;
    },
    *records(tables) {
      const end = at + (i32[at / 4] ?? 0);
      let place = at + HEADER_BYTES;
      while (place < end) {
        const [table = 0, kind = 0, first = 0, count = 0] = i32.subarray(place / 4, place / 4 + 4);
        const keys = place + HEADER_BYTES;
        const ofRow = pad(count * 4);
        const ofRows = count * (tables[table]?.rowBytes ?? 0);
        const keyBytes = [0, ofRow, ofRow, 16][kind] ?? 0;
        const valueBytes = [ofRows, ofRows, ofRow, ofRow][kind] ?? 0;
        const values = keys + keyBytes;
        yield { table, kind, first, count, keys, values };
        place = values + valueBytes;
      }
    },
  };
}
