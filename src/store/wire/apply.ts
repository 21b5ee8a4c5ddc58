// Applying payloads that were checked (checkPayload): adding deltas to the rows of their tables.
import { assert } from '../../base/assert.ts';
import { notFinite, type FoldPlace } from '../fold.ts';
import { reduceEntries, reduceRows, reduceSpan } from '../reduce.ts';
import { mergeSparseRow } from '../sparse-rows.ts';
import type { TablePlan } from '../table.ts';
import { bodyOf, encodings, sectionKind, sectionsOf, type Section } from './format.ts';
import { stageOf } from './writer.ts';

/** Rows that a payload changed: a range of them, or some. */
export type Touched =
  | { readonly table: number; readonly first: number; readonly count: number }
  | { readonly table: number; readonly rows: Int32Array };

/** A section in the shared memory, as byte offsets; values are f32 or i32. */
export type Staged = {
  readonly section: Section;
  readonly table: TablePlan;
  /** Row numbers, or the one column number of a part. */
  readonly keys: number;
  readonly counts: number;
  readonly columns: number;
  readonly values: number;
};

/** Copies a section into the stage and decodes its values. */
export function stageSection(
  place: FoldPlace,
  payload: Uint8Array,
  section: Section,
  tables: readonly TablePlan[],
): Staged {
  const table = tables[section.table];
  assert(table !== undefined, 'the payload was checked');
  const { stage, values: decoded } = stageOf(place);
  const { keyBytes, values: n } = bodyOf(section, table.columns);
  place.arena.u8.set(payload.subarray(section.body, section.body + section.bodyBytes), stage);
  const { encoding, count } = section;
  const isFull = encoding === encodings.full;
  const values = isFull ? stage + keyBytes : decoded;
  if (!isFull) place.kernels.halves_decode(encoding, n, stage + keyBytes, decoded);
  const counts = stage + 4 * count;
  return { section, table, keys: stage, counts, columns: counts + 4 * count, values };
}

/** The rows of a staged section. */
export function touchedBy(place: FoldPlace, { section, table, keys }: Staged): Touched {
  const { kind, first, count } = section;
  if (kind === sectionKind.range) return { table: table.id, first, count };
  if (kind === sectionKind.part) return { table: table.id, first, count: 1 };
  return { table: table.id, rows: place.arena.i32.slice(keys / 4, keys / 4 + count) };
}

function addSparse(place: FoldPlace, staged: Staged, clock: number): void {
  const { i32 } = place.arena;
  const { section, table, keys, counts, columns, values } = staged;
  const { merge } = stageOf(place);
  let done = 0;
  for (let i = 0; i < section.count; i++) {
    const count = i32[counts / 4 + i] ?? 0;
    const first = i32[keys / 4 + i] ?? 0;
    const at = { keys: columns + 4 * done, values: values + 4 * done };
    const bad = mergeSparseRow(merge, table, { table: table.id, kind: 2, first, count, ...at });
    if (bad >= 0) throw notFinite(table, bad, clock);
    done += count;
  }
}

/** Returns −1, or the row that is not finite. */
function addRange({ kernels }: FoldPlace, { section, table, values }: Staged): number {
  const { first, count } = section;
  const { rowBytes, columns, type } = table;
  const target = table.at + first * rowBytes;
  const isFloat = type === 'f32' ? 1 : 0;
  if (columns * 4 !== rowBytes) {
    const bad = kernels.rows_add(
      isFloat,
      count,
      columns,
      rowBytes,
      columns * 4,
      0,
      0,
      values,
      target,
    );
    return bad < 0 ? bad : first + bad;
  }
  if (isFloat === 0) {
    kernels.i32_add(count * columns, values, target);
    return -1;
  }
  const bad = kernels.f32_add_checked(count * columns, values, target);
  return bad < 0 ? bad : first + Math.floor(bad / columns);
}

/** Hands the section to the reducer of its table. Returns −1, or the row that is not finite. */
function reduceSection(place: FoldPlace, staged: Staged, clock: number): number {
  const { i32 } = place.arena;
  const { section, table, keys, counts, columns, values } = staged;
  const { kind, first, count } = section;
  const { merge } = stageOf(place);
  const at = { within: { first: 0, last: table.rows }, clock };
  if (kind === sectionKind.part) {
    const column = i32[keys / 4] ?? 0;
    return reduceSpan(merge, table, { row: first, column, count, values }, at);
  }
  if (kind !== sectionKind.entries) {
    const list = kind === sectionKind.rows ? keys : 0;
    const stride = table.columns * 4;
    return reduceRows(merge, table, { list, first, count, values, stride }, at);
  }
  let done = 0;
  for (let i = 0; i < count; i++) {
    const row = i32[keys / 4 + i] ?? 0;
    const entries = { columns: columns + 4 * done, values: values + 4 * done };
    const bad = reduceEntries(merge, table, { row, counts: counts + 4 * i, ...entries }, at);
    if (bad >= 0) return bad;
    done += i32[counts / 4 + i] ?? 0;
  }
  return -1;
}

/** Adds the section to its table, or hands it to the table's reducer. */
export function addSection(place: FoldPlace, staged: Staged, clock: number): void {
  const { kernels, arena } = place;
  const { section, table, keys, counts, columns, values } = staged;
  if (table.layout === 'sparse') {
    addSparse(place, staged, clock);
    return;
  }
  if (table.reducer !== undefined) {
    const bad = reduceSection(place, staged, clock);
    if (bad >= 0) throw notFinite(table, bad, clock);
    return;
  }
  const { kind, first, count } = section;
  const { rowBytes, at } = table;
  const isFloat = table.type === 'f32' ? 1 : 0;
  const width = table.columns;
  const rowOf = (index: number) => arena.i32[keys / 4 + index] ?? 0;
  let bad = -1;
  switch (kind) {
    case sectionKind.range:
      bad = addRange(place, staged);
      break;
    case sectionKind.rows:
      bad = kernels.rows_add(isFloat, count, width, rowBytes, width * 4, 0, keys, values, at);
      if (bad >= 0) bad = rowOf(bad);
      break;
    case sectionKind.part: {
      const target = at + first * rowBytes + 4 * rowOf(0);
      bad = kernels.rows_add(isFloat, 1, count, 0, 0, 0, 0, values, target);
      if (bad >= 0) bad = first;
      break;
    }
    default:
      bad = kernels.entries_add(isFloat, 0, count, rowBytes, keys, counts, columns, values, at);
      if (bad >= 0) bad = rowOf(bad);
  }
  if (bad >= 0) throw notFinite(table, bad, clock);
}

/**
 * Adds the deltas of a checked payload to `tables`. Returns the rows, section by section.
 * @throws ERR_NOT_FINITE naming table, row and clock.
 */
export function addPayload(
  place: FoldPlace,
  payload: Uint8Array,
  tables: readonly TablePlan[],
  clock: number,
): readonly Touched[] {
  return sectionsOf(payload).map((section) => {
    const staged = stageSection(place, payload, section, tables);
    addSection(place, staged, clock);
    return touchedBy(place, staged);
  });
}
