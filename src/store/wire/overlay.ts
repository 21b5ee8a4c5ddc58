// Own deltas on top of rows that were just set: from payloads that were sent, from the accumulator.
import { assert } from '../../base/assert.ts';
import { notFinite, type FoldPlace } from '../fold.ts';
import { mergeSparseRow, sparseRow } from '../sparse-rows.ts';
import type { TablePlan } from '../table.ts';
import { stageSection, type Staged } from './apply.ts';
import { sectionKind, sectionsOf, viewOf, type Section } from './format.ts';
import { lowerBound, type Part, type WrittenRows } from './written-rows.ts';
import { stageOf } from './writer.ts';

/** Dense rows to add to, and which rows of the values to add. */
type Picked = { readonly rows: Int32Array; readonly picks: Int32Array };

type Values = {
  readonly place: FoldPlace;
  readonly table: TablePlan;
  /** Row 0 of the values, and bytes from one row to the next. */
  readonly at: number;
  readonly stride: number;
  readonly clock: number;
};

const isFloat = ({ type }: TablePlan): number => (type === 'f32' ? 1 : 0);

/** table rows `first` … += the values of rows `pick` … */
function addRun(values: Values, first: number, pick: number, count: number): void {
  const { place, table, at, stride, clock } = values;
  const { columns, rowBytes } = table;
  const bad = place.kernels.rows_add(
    ...([isFloat(table), count, columns, rowBytes, stride] as const),
    ...([0, 0, at + pick * stride, table.at + first * rowBytes] as const),
  );
  if (bad >= 0) throw notFinite(table, first + bad, clock);
}

function addPicked(values: Values, { rows, picks }: Picked): void {
  const { place, table, at, stride, clock } = values;
  const stage = stageOf(place);
  const most = (stage.rows - stage.picks) / 4;
  for (let done = 0; done < rows.length; done += most) {
    const part = rows.subarray(done, done + most);
    place.arena.i32.set(part, stage.rows / 4);
    place.arena.i32.set(picks.subarray(done, done + most), stage.picks / 4);
    const bad = place.kernels.rows_add(
      ...([isFloat(table), part.length, table.columns, table.rowBytes, stride] as const),
      ...([stage.picks, stage.rows, at, table.at] as const),
    );
    if (bad >= 0) throw notFinite(table, part[bad] ?? 0, clock);
  }
}

/** The columns of `part`: row `pick` of the values, whose first column is `from`, of `count`. */
function addColumns(values: Values, part: Part, source: { at: number; from: number; to: number }) {
  const { place, table, clock } = values;
  const from = Math.max(part.column, source.from);
  const to = Math.min(part.column + part.count, source.to);
  if (from >= to) return;
  const target = table.at + part.row * table.rowBytes + 4 * from;
  const at = source.at + 4 * (from - source.from);
  const bad = place.kernels.rows_add(isFloat(table), 1, to - from, 0, 0, 0, 0, at, target);
  if (bad >= 0) throw notFinite(table, part.row, clock);
}

/** `first` … of the values are rows `first` … of the table, `count` of them. */
function addRange(values: Values, first: number, count: number, set: WrittenRows): void {
  const last = first + count;
  for (const range of set.ranges) {
    const from = Math.max(first, range.first);
    const to = Math.min(last, range.first + range.count);
    if (from < to) addRun(values, from, from - first, to - from);
  }
  const all = set.rows();
  const rows = all.subarray(lowerBound(all, first), lowerBound(all, last));
  if (rows.length > 0) addPicked(values, { rows, picks: rows.map((row) => row - first) });
  for (const part of set.parts) {
    if (part.row < first || part.row >= last) continue;
    const at = values.at + (part.row - first) * values.stride;
    addColumns(values, part, { at, from: 0, to: values.table.columns });
  }
}

function addListed(values: Values, { section, keys }: Staged, set: WrittenRows): void {
  const { i32 } = values.place.arena;
  const [rows, picks]: [number[], number[]] = [[], []];
  for (let i = 0; i < section.count; i++) {
    const row = i32[keys / 4 + i] ?? 0;
    if (set.has(row)) {
      rows.push(row);
      picks.push(i);
    }
    for (const part of set.parts) {
      if (part.row !== row) continue;
      const at = values.at + i * values.stride;
      addColumns(values, part, { at, from: 0, to: values.table.columns });
    }
  }
  if (rows.length === 0) return;
  addPicked(values, { rows: Int32Array.from(rows), picks: Int32Array.from(picks) });
}

type Entries = { row: number; count: number; columns: number; values: number };

function addEntries(values: Values, { row, count, ...at }: Entries): void {
  const { place, table, clock } = values;
  if (count === 0) return;
  let bad: number;
  if (table.layout === 'sparse') {
    const record = { table: table.id, kind: 2, first: row, count };
    const keys = { keys: at.columns, values: at.values };
    bad = mergeSparseRow(stageOf(place).merge, table, { ...record, ...keys });
  } else {
    const { rows, picks } = stageOf(place);
    place.arena.i32[rows / 4] = row;
    place.arena.i32[picks / 4] = count;
    const { entries_add } = place.kernels;
    const { rowBytes } = table;
    const one = [isFloat(table), 0, 1, rowBytes] as const;
    bad = entries_add(...one, rows, picks, at.columns, at.values, table.at);
  }
  if (bad >= 0) throw notFinite(table, row, clock);
}

function addEntrySection(values: Values, staged: Staged, set: WrittenRows): void {
  const { i32 } = values.place.arena;
  const { section, keys, counts } = staged;
  let done = 0;
  for (let i = 0; i < section.count; i++) {
    const row = i32[keys / 4 + i] ?? 0;
    const count = i32[counts / 4 + i] ?? 0;
    const [columns, at] = [staged.columns + 4 * done, staged.values + 4 * done];
    if (set.has(row)) addEntries(values, { row, count, columns, values: at });
    for (const part of set.parts) {
      if (part.row !== row) continue;
      const names = i32.subarray(columns / 4, columns / 4 + count);
      const from = lowerBound(names, part.column);
      const to = lowerBound(names, part.column + part.count);
      const place = { columns: columns + 4 * from, values: at + 4 * from };
      addEntries(values, { row, count: to - from, ...place });
    }
    done += count;
  }
}

/** Whether the section has a row of the set; without copying the section. */
function meets(
  payload: Uint8Array,
  { kind, first, count, body }: Section,
  set: WrittenRows,
): boolean {
  const isPart = (row: number) => set.parts.some((part) => part.row === row);
  if (kind === sectionKind.part) return set.has(first) || isPart(first);
  if (kind === sectionKind.range) {
    const [all, last] = [set.rows(), first + count];
    const near = all[lowerBound(all, first)];
    if (near !== undefined && near < last) return true;
    const inside = ({ first: from, count: n }: { first: number; count: number }) =>
      from < last && from + n > first;
    return set.ranges.some(inside) || set.parts.some(({ row }) => row >= first && row < last);
  }
  const view = viewOf(payload);
  for (let i = 0; i < count; i++) {
    const row = view.getInt32(body + 4 * i, true);
    if (set.has(row) || isPart(row)) return true;
  }
  return false;
}

/** Adds the deltas of a payload to the rows that were set, and to no other. */
export function addReplay(
  place: FoldPlace,
  payload: Uint8Array,
  tables: readonly TablePlan[],
  sets: ReadonlyMap<number, WrittenRows>,
  clock: number,
): void {
  for (const section of sectionsOf(payload)) {
    const set = sets.get(section.table);
    if (set === undefined || !meets(payload, section, set)) continue;
    const staged = stageSection(place, payload, section, tables);
    const { table } = staged;
    const values = { place, table, at: staged.values, stride: table.columns * 4, clock };
    switch (section.kind) {
      case sectionKind.range:
        addRange(values, section.first, section.count, set);
        break;
      case sectionKind.rows:
        addListed(values, staged, set);
        break;
      case sectionKind.entries:
        addEntrySection(values, staged, set);
        break;
      default: {
        const from = place.arena.i32[staged.keys / 4] ?? 0;
        const source = { at: staged.values, from, to: from + section.count };
        const row = section.first;
        const whole = { row, column: 0, count: table.columns };
        if (set.has(row)) addColumns(values, whole, source);
        for (const part of set.parts) if (part.row === row) addColumns(values, part, source);
      }
    }
  }
}

/** Adds the accumulator's rows to the rows that were set. */
export function addAccumulated(
  place: FoldPlace,
  table: TablePlan,
  deltas: TablePlan,
  set: WrittenRows,
  clock: number,
): void {
  assert(deltas.id === table.id, 'an accumulator belongs to its table');
  const values = { place, table, at: deltas.at, stride: deltas.rowBytes, clock };
  if (table.layout === 'dense') {
    addRange(values, 0, table.rows, set);
    return;
  }
  for (const row of set.rows()) {
    const { count, columns, values: at } = sparseRow(place.arena, deltas, row);
    addEntries(values, { row, count, columns, values: at });
  }
}
