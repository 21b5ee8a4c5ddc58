// Rows of others in the slots of a cache (row-cache.ts): collecting deltas for them, taking these
// out to be sent, and setting rows that came. What src/store/wire does elsewhere by place it does
// here by slot, row by row.
import { assert } from '../../base/assert.ts';
import { recordKind, type DeltaLog, type DeltaRecord } from '../delta-log.ts';
import { notFinite, type FoldPlace, type RowRange } from '../fold.ts';
import type { RowCache } from '../row-cache.ts';
import type { TablePlan } from '../table.ts';
import { stageSection, type Staged } from './apply.ts';
import { markedRows } from './deltas.ts';
import { encodings, sectionKind, sectionsOf, type Section } from './format.ts';
import { packListed } from './pack-rows.ts';
import { openWriter, stageOf } from './writer.ts';

/** A cached table with its accumulator, both by slot. */
export type Cached = {
  readonly cache: RowCache;
  /** `at`: the accumulator of slot 0. */
  readonly deltas: TablePlan;
  /** u8 a row. */
  readonly marks: number;
};

/** Adds one row of a record to what stands at `target`. Returns −1 when all is finite. */
function addRow(
  place: FoldPlace,
  table: TablePlan,
  record: DeltaRecord,
  i: number,
  target: number,
) {
  const { kernels, arena } = place;
  const { kind, count, keys, values } = record;
  const isFloat = table.type === 'f32' ? 1 : 0;
  if (kind === recordKind.entries) {
    const { entries_add } = kernels;
    return entries_add(isFloat, 0, 1, table.rowBytes, 0, keys - 4, keys, values, target);
  }
  const isSpan = kind === recordKind.span;
  const from = isSpan ? values : values + i * table.rowBytes;
  const n = isSpan ? count : table.columns;
  const to = isSpan ? target + 4 * (arena.i32[keys / 4] ?? 0) : target;
  return kernels.rows_add(isFloat, 1, n, 0, 0, 0, 0, from, to);
}

/**
 * Adds the records of `log` to the rows of others, in their slots and in the accumulators.
 * @throws ERR_NOT_FINITE naming table, row and clock; ERR_LIMIT when all slots are pinned.
 */
export function foldSlots(
  place: FoldPlace,
  tables: readonly TablePlan[],
  cached: readonly (Cached | undefined)[],
  log: DeltaLog,
  clock: number,
): void {
  const { i32, u8 } = place.arena;
  for (const record of log.records(tables)) {
    const [of, table] = [cached[record.table], tables[record.table]];
    if (of === undefined || table === undefined) continue;
    const { cache, deltas, marks } = of;
    const { kind, first, count, keys } = record;
    const isOne = kind === recordKind.entries || kind === recordKind.span;
    for (let i = 0; i < (isOne ? 1 : count); i++) {
      const row = kind === recordKind.rows ? (i32[keys / 4 + i] ?? 0) : isOne ? first : first + i;
      if (cache.isOwn(row)) continue;
      const slot = cache.claim(row);
      u8[marks + row] = 1; // from here on it is pinned
      for (const target of [cache.placeOf(slot), deltas.at + slot * table.rowBytes]) {
        if (addRow(place, table, record, i, target) >= 0) throw notFinite(table, row, clock);
      }
    }
  }
}

/** Bytes of a section's header and padding, and of what else is not values. */
const SLACK_BYTES = 64;

/**
 * Takes the deltas of the marked rows of `range` out of the accumulator and clears their marks, as
 * takeDeltas does; all of them, in full and as whole rows: what rounding left would be pinned.
 */
export function takeSlotDeltas(
  place: FoldPlace,
  { cache, deltas, marks }: Cached,
  range: RowRange,
): readonly Uint8Array[] {
  const { i32 } = place.arena;
  const writer = openWriter(place);
  const { counts: picks, touched: names } = stageOf(place);
  const source = {
    table: deltas,
    encoding: encodings.full,
    take: true,
    skip: false,
    marks: undefined,
  };
  const rowBytes = 4 + deltas.columns * 4;
  for (const { list, count } of markedRows(place, marks, range, { wanted: 0, clear: 1 })) {
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const row = i32[list / 4 + i] ?? 0;
      const slot = cache.slotOf(row);
      if (slot < 0) continue; // marked by a record of zeros
      i32[names / 4 + kept] = row;
      i32[picks / 4 + kept] = slot;
      kept += 1;
    }
    for (let from = 0; from < kept;) {
      const fit = Math.floor((writer.room() - SLACK_BYTES) / rowBytes);
      if (fit <= 0) {
        writer.flush();
        continue;
      }
      const n = Math.min(fit, kept - from);
      const rows = { names: names + 4 * from, picks: picks + 4 * from, count: n };
      packListed(writer, source, rows);
      from += n;
    }
  }
  return writer.finish();
}

/** Calls `act` with every row of a staged section, and where its values are to be put or added. */
function eachRow(
  place: FoldPlace,
  staged: Staged,
  act: (row: number, put: (target: number, add: boolean) => number) => void,
): void {
  const { i32 } = place.arena;
  const { kernels } = place;
  const { section, table, keys, counts, columns, values } = staged;
  const { kind, first, count } = section;
  assert(kind !== sectionKind.part, 'rows of cached tables are not cut');
  const isFloat = table.type === 'f32' ? 1 : 0;
  const width = table.columns;
  let done = 0;
  for (let i = 0; i < count; i++) {
    const row = kind === sectionKind.range ? first + i : (i32[keys / 4 + i] ?? 0);
    const from = done;
    const at = values + 4 * (kind === sectionKind.entries ? from : i * width);
    act(row, (target, add) => {
      if (kind === sectionKind.entries) {
        // Integers when set: bits are stored as they are, f32 too.
        return kernels.entries_add(
          ...([add ? isFloat : 0, add ? 0 : 1, 1, table.rowBytes] as const),
          ...([0, counts + 4 * i, columns + 4 * from, at, target] as const),
        );
      }
      if (add) return kernels.rows_add(isFloat, 1, width, 0, 0, 0, 0, at, target);
      kernels.rows_set(1, width, 0, 0, at, target);
      return -1;
    });
    if (kind === sectionKind.entries) done += i32[counts / 4 + i] ?? 0;
  }
}

/**
 * Sets the rows of `sections` that have a slot, then adds to them what own deltas are not in the
 * values yet: of the payloads `replay`, and of the accumulators.
 * @throws ERR_NOT_FINITE naming table, row and clock.
 */
export function setSlots(
  place: FoldPlace,
  payload: Uint8Array,
  sections: readonly Section[],
  own: {
    readonly tables: readonly TablePlan[];
    readonly cached: readonly (Cached | undefined)[];
    readonly replay: readonly Uint8Array[];
    readonly clock: number;
  },
): void {
  const { tables, cached, clock } = own;
  const { kernels } = place;
  const set = new Map<number, Set<number>>();
  for (const section of sections) {
    const of = cached[section.table];
    assert(of !== undefined, 'the table is cached');
    const rows = set.get(section.table) ?? new Set();
    set.set(section.table, rows);
    eachRow(place, stageSection(place, payload, section, tables), (row, put) => {
      const slot = of.cache.slotOf(row);
      if (slot < 0) return; // given up while it was on its way
      put(of.cache.placeOf(slot), false);
      rows.add(row);
    });
  }
  for (const delta of own.replay) {
    for (const section of sectionsOf(delta)) {
      const [rows, of] = [set.get(section.table), cached[section.table]];
      if (rows === undefined || of === undefined || rows.size === 0) continue;
      const { cache } = of;
      eachRow(place, stageSection(place, delta, section, tables), (row, put) => {
        if (!rows.has(row)) return;
        if (put(cache.placeOf(cache.slotOf(row)), true) >= 0) {
          throw notFinite(cache.table, row, clock);
        }
      });
    }
  }
  for (const [table, rows] of set) {
    const of = cached[table];
    if (of === undefined) continue;
    const { columns, rowBytes, type } = of.deltas;
    for (const row of rows) {
      const slot = of.cache.slotOf(row);
      const from = of.deltas.at + slot * rowBytes;
      const isFloat = type === 'f32' ? 1 : 0;
      const to = of.cache.placeOf(slot);
      const bad = kernels.rows_add(isFloat, 1, columns, 0, 0, 0, 0, from, to);
      if (bad >= 0) throw notFinite(of.deltas, row, clock);
    }
  }
}
