// Values of rows, and the deltas of one log as they are.
import { assert } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { recordKind, type DeltaLog, type DeltaRecord } from '../delta-log.ts';
import type { FoldPlace, RowRange } from '../fold.ts';
import type { TablePlan } from '../table.ts';
import { encodings, sectionKind } from './format.ts';
import { packListed, packNumbers, packRange, packWideRow } from './pack-rows.ts';
import { openWriter, stageOf, type Writer } from './writer.ts';

/** The values of some rows of `table`, ascending, or of a range of them, as they are now. */
export function packValues(
  place: FoldPlace,
  table: TablePlan,
  rows: Int32Array | RowRange,
): readonly Uint8Array[] {
  const writer = openWriter(place);
  const source = { table, encoding: encodings.full, take: false, skip: false, marks: undefined };
  if (rows instanceof Int32Array) packNumbers(writer, source, rows);
  else packRange(writer, source, rows.first, rows.last);
  return writer.finish();
}

/** Bytes of a section's header and padding, and of what else is not values. */
const SLACK_BYTES = 64;

/** A record of listed rows: in their order, since a row may be listed twice. */
function packRowsRecord(
  writer: Writer,
  table: TablePlan,
  record: DeltaRecord,
  range: RowRange,
): void {
  const { kernels } = writer.place;
  const { rows, picks } = stageOf(writer.place);
  const rowBytes = 4 + table.columns * 4;
  const listMax = limits.wireBytesMax / 8;
  for (let done = 0; done < record.count; done += listMax) {
    const n = Math.min(listMax, record.count - done);
    const keys = record.keys + 4 * done;
    const at = record.values + done * table.rowBytes;
    const found = kernels.rows_within(n, range.first, range.last, keys, rows, picks);
    const source = { table: { ...table, at }, encoding: encodings.full };
    for (let from = 0; from < found;) {
      if (rowBytes + SLACK_BYTES > limits.wireBytes) {
        // packWideRow finds a row by its number.
        const { i32 } = writer.place.arena;
        const row = i32[rows / 4 + from] ?? 0;
        const pick = i32[picks / 4 + from] ?? 0;
        const moved = { ...table, at: at + (pick - row) * table.rowBytes };
        const whole = { table: moved, encoding: encodings.full, take: false, skip: true };
        packWideRow(writer, { ...whole, marks: undefined }, row);
        from++;
        continue;
      }
      const fit = Math.floor((writer.room() - SLACK_BYTES) / rowBytes);
      if (fit <= 0) {
        writer.flush();
        continue;
      }
      const count = Math.min(fit, found - from);
      const lists = { names: rows + 4 * from, picks: picks + 4 * from, count };
      packListed(writer, { ...source, take: false, skip: false, marks: undefined }, lists);
      from += count;
    }
  }
}

/** A span: in pieces where it is larger than a payload. */
function packSpan(writer: Writer, record: DeltaRecord): void {
  const { u8, i32 } = writer.place.arena;
  const { table, first, values } = record;
  const column = i32[record.keys / 4] ?? 0;
  const need = 4 * record.count + SLACK_BYTES;
  if (need > writer.room()) writer.flush();
  for (let from = 0; from < record.count;) {
    const fit = Math.floor((writer.room() - SLACK_BYTES) / 4);
    if (fit <= 0) {
      writer.flush();
      continue;
    }
    const count = Math.min(fit, record.count - from);
    const header = { table, kind: sectionKind.part, encoding: encodings.full, first, count };
    const body = writer.section(header, 4 + 4 * count);
    i32[body / 4] = column + from;
    u8.copyWithin(body + 4, values + 4 * from, values + 4 * (from + count));
    from += count;
  }
}

/** Records of entries that follow each other in the log: one section for as many as fit. */
function openEntryRun(writer: Writer) {
  let records: DeltaRecord[] = [];
  let bytes = 0;
  let entries = 0;
  const flush = (): void => {
    const [head] = records;
    if (head === undefined) return;
    const { u8, i32 } = writer.place.arena;
    const count = records.length;
    const header = { table: head.table, kind: sectionKind.entries, encoding: encodings.full };
    const body = writer.section({ ...header, first: entries, count }, bytes);
    let columns = body + 8 * count;
    let values = columns + 4 * entries;
    records.forEach((record, i) => {
      i32[body / 4 + i] = record.first;
      i32[body / 4 + count + i] = record.count;
      u8.copyWithin(columns, record.keys, record.keys + 4 * record.count);
      u8.copyWithin(values, record.values, record.values + 4 * record.count);
      columns += 4 * record.count;
      values += 4 * record.count;
    });
    [records, bytes, entries] = [[], 0, 0];
  };
  const add = (record: DeltaRecord): void => {
    const need = 8 + 8 * record.count;
    if (records[0] !== undefined && records[0].table !== record.table) flush();
    if (bytes + need + SLACK_BYTES > writer.room()) {
      flush();
      writer.flush();
    }
    records.push(record);
    bytes += need;
    entries += record.count;
  };
  /** Adds the record, in pieces where it is larger than a payload. */
  return {
    flush,
    add(record: DeltaRecord): void {
      const most = Math.floor((limits.wireBytes - 2 * SLACK_BYTES) / 8);
      for (let from = 0; from < record.count; from += most) {
        const count = Math.min(most, record.count - from);
        const at = { keys: record.keys + 4 * from, values: record.values + 4 * from };
        add({ ...record, ...at, count });
      }
    },
  };
}

/**
 * The records of `log` within `rangeOf` of their table, one by one and in order: applied with
 * addPayload in order, they give the same bits as fold().
 */
export function packLog(
  place: FoldPlace,
  log: DeltaLog,
  tables: readonly TablePlan[],
  rangeOf: (table: TablePlan) => RowRange,
): readonly Uint8Array[] {
  const writer = openWriter(place);
  const entries = openEntryRun(writer);
  for (const record of log.records(tables)) {
    const table = tables[record.table];
    assert(table !== undefined, 'a delta names a table of the run');
    const range = rangeOf(table);
    const { kind, first, count, values } = record;
    const mine = first >= range.first && first < range.last;
    if (kind === recordKind.entries) {
      if (mine) entries.add(record);
      continue;
    }
    entries.flush();
    if (kind === recordKind.span) {
      if (mine) packSpan(writer, record);
    } else if (kind === recordKind.rows) packRowsRecord(writer, table, record, range);
    else {
      const at = values - first * table.rowBytes; // where row 0 would be
      const source = { table: { ...table, at }, encoding: encodings.full, take: false, skip: true };
      const last = Math.min(first + count, range.last);
      packRange(writer, { ...source, marks: undefined }, Math.max(first, range.first), last);
    }
  }
  entries.flush();
  return writer.finish();
}
