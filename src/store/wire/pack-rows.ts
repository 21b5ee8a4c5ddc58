// Packing rows: of a table (values), of an accumulator (deltas, which are taken out of it), or of a
// record of a delta log. Every row goes the way that needs the fewest bytes: see rows_plan.
import { assert } from '../../base/assert.ts';
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { FoldPlace } from '../fold.ts';
import { mergeSparseRow } from '../sparse-rows.ts';
import type { TablePlan } from '../table.ts';
import { encodings, HEADER_BYTES, sectionKind, widthOf } from './format.ts';
import { listRows, stageOf, type Writer } from './writer.ts';

/** Bytes of rows that are looked at and packed in one go: they stay in the cache. */
const BATCH_BYTES = 256 * 1024;
const BATCH_ROWS_MIN = 64;

export type Source = {
  /** The table, with `at` where these rows stand. */
  readonly table: TablePlan;
  readonly encoding: number;
  /** Sets packed rows to 0, or to what rounding left. */
  readonly take: boolean;
  /** Leaves out rows without entries. */
  readonly skip: boolean;
  /** Marks (u8) of rows that keep a rounding error. */
  readonly marks: number | undefined;
};

/** Some rows: numbers (i32) at `list`, or the rows from `first` on when `list` is 0. */
type Rows = { readonly list: number; readonly first: number; readonly count: number };

const RESIDUAL = 2;

function keepResidual(place: FoldPlace, source: Source, rows: Rows): void {
  if (source.marks === undefined) return;
  const { first, count, list } = rows;
  if (list !== 0) place.kernels.marks_set(count, RESIDUAL, list, source.marks);
  else place.arena.u8.fill(RESIDUAL, source.marks + first, source.marks + first + count);
}

/** The values of dense rows to `out`. */
function copyRows(place: FoldPlace, source: Source, rows: Rows, out: number): void {
  const { kernels } = place;
  const { table, encoding } = source;
  const { columns, rowBytes } = table;
  const { list, count } = rows;
  const take = source.take ? 1 : 0;
  const base = list === 0 ? table.at + rows.first * rowBytes : table.at;
  const isFull = encoding === encodings.full;
  const full = isFull ? out : stageOf(place).values;
  const oneRow = list === 0 && columns * 4 === rowBytes;
  const [n, width] = oneRow ? [1, count * columns] : [count, columns];
  kernels.rows_pack(take, n, width, rowBytes, list, base, full);
  if (isFull) return;
  kernels.halves_encode(encoding, count * columns, full, out);
  if (!source.take) return;
  const bad = kernels.rows_add(1, count, columns, rowBytes, columns * 4, 0, list, full, base);
  assert(bad < 0, 'what an accumulator holds is finite');
  keepResidual(place, source, rows);
}

/** Puts what rounding left of the entries of `rows` back into the accumulator. */
function returnEntries(
  place: FoldPlace,
  source: Source,
  rows: Rows,
  entries: { readonly counts: number; readonly columns: number; readonly values: number },
): void {
  const { table } = source;
  const { list, count } = rows;
  const { counts, columns, values } = entries;
  if (table.layout === 'dense') {
    const { entries_add } = place.kernels;
    entries_add(1, 0, count, table.rowBytes, list, counts, columns, values, table.at);
  } else {
    const { merge } = stageOf(place);
    let done = 0;
    for (let i = 0; i < count; i++) {
      const n = place.arena.i32[counts / 4 + i] ?? 0;
      const first = place.arena.i32[list / 4 + i] ?? 0;
      const at = { keys: columns + done * 4, values: values + done * 4 };
      const record = { table: table.id, kind: sectionKind.entries, first, count: n, ...at };
      mergeSparseRow(merge, table, record);
      done += n;
    }
  }
  keepResidual(place, source, rows);
}

/** `count` rows of entryRows. Returns the place of the section's body. */
function packEntries(writer: Writer, source: Source, count: number, entries: number): number {
  const { place } = writer;
  const { kernels, arena } = place;
  const { table, encoding } = source;
  const { entryRows: list, entryCounts, values: decoded } = stageOf(place);
  const header = { table: table.id, kind: sectionKind.entries, encoding, first: entries, count };
  const bytes = 8 * count + entries * (4 + widthOf(encoding));
  const body = writer.section(header, bytes);
  arena.u8.copyWithin(body, list, list + 4 * count);
  const counts = body + 4 * count;
  arena.u8.copyWithin(counts, entryCounts, entryCounts + 4 * count);
  const columns = counts + 4 * count;
  const out = columns + 4 * entries;
  const values = encoding === encodings.full ? out : decoded;
  const take = source.take ? 1 : 0;
  if (table.layout === 'sparse') {
    kernels.sparse_pack(take, count, list, table.at, columns, values);
  } else {
    const { rowBytes } = table;
    kernels.entries_pack(take, count, table.columns, rowBytes, list, table.at, columns, values);
  }
  if (encoding === encodings.full) return body;
  kernels.halves_encode(encoding, entries, values, out);
  const rows = { list, first: 0, count };
  if (source.take) returnEntries(place, source, rows, { counts, columns, values });
  return body;
}

function packRun(writer: Writer, source: Source, first: number, count: number): void {
  const { table, encoding } = source;
  const header = { table: table.id, kind: sectionKind.range, encoding, first, count };
  const body = writer.section(header, count * table.columns * widthOf(encoding));
  copyRows(writer.place, source, { list: 0, first, count }, body);
}

/** Rows named at `names`, which stand where `picks` says. */
export function packListed(
  writer: Writer,
  source: Source,
  rows: { readonly names: number; readonly picks: number; readonly count: number },
): void {
  const { table, encoding } = source;
  const { names, picks, count } = rows;
  const header = { table: table.id, kind: sectionKind.rows, encoding, first: 0, count };
  const body = writer.section(header, count * (4 + table.columns * widthOf(encoding)));
  writer.place.arena.u8.copyWithin(body, names, names + 4 * count);
  copyRows(writer.place, source, { list: picks, first: 0, count }, body + 4 * count);
}

/** A sparse row that is larger than a payload: a payload of its own. */
function packLongRow(writer: Writer, source: Source, row: number): void {
  const { arena } = writer.place;
  const { entryRows, entryCounts } = stageOf(writer.place);
  const entries = arena.i32[(source.table.at + row * source.table.rowBytes) / 4 + 1] ?? 0;
  if (HEADER_BYTES + 32 + entries * 8 > limits.wireBytesMax) {
    const most = Math.floor((limits.wireBytesMax - HEADER_BYTES - 32) / 8);
    const rule = `a sparse row has at most ${most} entries in a run of several hosts`;
    const found = `table "${source.table.name}", row ${row}: ${entries}`;
    throw new SystemError('ERR_LIMIT', `${rule}, got ${found}; use one host, or shorter rows`);
  }
  arena.i32[entryRows / 4] = row;
  arena.i32[entryCounts / 4] = entries;
  packEntries(writer, source, 1, entries);
}

/** A dense row that is larger than a payload: columns by columns. */
export function packWideRow(writer: Writer, source: Source, row: number): void {
  const { place } = writer;
  const { table, encoding } = source;
  const { counts, entryRows, entryCounts } = stageOf(place);
  const { i32 } = place.arena;
  const most = Math.floor((limits.wireBytes - 64) / 4) & ~3;
  for (let column = 0; column < table.columns; column += most) {
    const n = Math.min(most, table.columns - column);
    // The columns from here on as the one row of a table.
    const at = table.at + row * table.rowBytes + column * 4;
    const rowBytes = (n * 4 + 15) & ~15;
    const part = { ...table, columns: n, rowBytes, at };
    const window = { ...source, table: part, marks: undefined };
    place.kernels.rows_nonzeros(1, n, rowBytes, 0, at, counts);
    const entries = i32[counts / 4] ?? 0;
    if (entries === 0 && source.skip) continue;
    writer.flush();
    const header = { table: table.id, kind: sectionKind.part, encoding, first: row, count: n };
    const isPart = !source.skip || entries * (4 + widthOf(encoding)) >= n * widthOf(encoding);
    if (isPart) {
      const body = writer.section(header, 4 + n * widthOf(encoding));
      i32[body / 4] = column;
      copyRows(place, window, { list: 0, first: 0, count: 1 }, body + 4);
    } else {
      i32[entryRows / 4] = 0;
      i32[entryCounts / 4] = entries;
      const body = packEntries(writer, window, 1, entries);
      i32[body / 4] = row;
      place.kernels.i32_shift(entries, column, body + 8);
    }
    if (source.take && encoding !== encodings.full) {
      keepResidual(place, source, { list: 0, first: row, count: 1 });
    }
  }
}

/** Rows of at most `listRows`: one batch. */
function packBatch(writer: Writer, source: Source, { list, first, count }: Rows): void {
  const { kernels, arena } = writer.place;
  const { counts, head, runs, listed, entryRows, entryCounts } = stageOf(writer.place);
  const { table, encoding } = source;
  const { columns, rowBytes } = table;
  const isSparse = table.layout === 'sparse';
  const base = list === 0 ? table.at + first * rowBytes : table.at;
  if (isSparse) kernels.sparse_counts(count, list, base, counts);
  else kernels.rows_nonzeros(count, columns, rowBytes, list, base, counts);
  const flags = [isSparse ? 1 : 0, source.skip ? 1 : 0] as const;
  for (let done = 0; done < count;) {
    const skipped = list === 0 ? 0 : list + 4 * done;
    kernels.rows_plan(
      ...([count - done, first + done, columns, widthOf(encoding)] as const),
      ...([writer.room(), ...flags, skipped, counts + 4 * done, head] as const),
      ...([runs, listed, entryRows, entryCounts] as const),
    );
    const plan = arena.i32.slice(head / 4, head / 4 + 5);
    const [looked = 0, runCount = 0, listedCount = 0, entryRowCount = 0, entries = 0] = plan;
    for (let i = 0; i < runCount; i++) {
      const at = runs / 4 + 2 * i;
      packRun(writer, source, arena.i32[at] ?? 0, arena.i32[at + 1] ?? 0);
    }
    if (listedCount > 0) {
      packListed(writer, source, { names: listed, picks: listed, count: listedCount });
    }
    if (entryRowCount > 0) packEntries(writer, source, entryRowCount, entries);
    done += looked;
    if (done === count) return;
    if (looked > 0 || !writer.isEmpty()) writer.flush();
    else {
      const row = list === 0 ? first + done : (arena.i32[list / 4 + done] ?? 0);
      if (isSparse) packLongRow(writer, source, row);
      else packWideRow(writer, source, row);
      done++;
    }
  }
}

function batchRows(table: TablePlan): number {
  return Math.min(listRows, Math.max(BATCH_ROWS_MIN, Math.floor(BATCH_BYTES / table.rowBytes)));
}

/** Packs rows from `first` up to `last`. */
export function packRange(writer: Writer, source: Source, first: number, last: number): void {
  const most = batchRows(source.table);
  for (let from = first; from < last; from += most) {
    packBatch(writer, source, { list: 0, first: from, count: Math.min(most, last - from) });
  }
}

/** Packs the `count` <= listRows rows numbered at `list`, ascending. */
export function packList(writer: Writer, source: Source, list: number, count: number): void {
  const most = batchRows(source.table);
  for (let done = 0; done < count; done += most) {
    const batch = { list: list + 4 * done, first: 0, count: Math.min(most, count - done) };
    packBatch(writer, source, batch);
  }
}

/** Packs rows whose numbers, ascending, are not in the shared memory. */
export function packNumbers(writer: Writer, source: Source, rows: Int32Array): void {
  const { touched } = stageOf(writer.place);
  for (let done = 0; done < rows.length; done += listRows) {
    const part = rows.subarray(done, done + listRows);
    writer.place.arena.i32.set(part, touched / 4);
    packList(writer, source, touched, part.length);
  }
}
