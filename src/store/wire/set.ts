// Setting rows of others to the values that their owner sent, and this host's own deltas on top of
// them, as far as the owner has not included them: a host reads its own writes.
import { assert } from '../../base/assert.ts';
import type { FoldPlace } from '../fold.ts';
import { directoryBytes, type TablePlan } from '../table.ts';
import { addSection, stageSection, touchedBy, type Staged, type Touched } from './apply.ts';
import { addAccumulated, addReplay } from './overlay.ts';
import { openWrittenRows, type WrittenRows } from './written-rows.ts';
import { sectionKind, sectionsOf, type Section } from './format.ts';
import { setSlots, type Cached } from './slots.ts';

function clearSparse({ arena }: FoldPlace, staged: Staged): void {
  const { section, table, keys } = staged;
  for (let i = 0; i < section.count; i++) {
    const row = arena.i32[keys / 4 + i] ?? 0;
    arena.i32[(table.at + row * directoryBytes) / 4 + 1] = 0;
  }
}

function setSection(place: FoldPlace, staged: Staged, clock: number): void {
  const { kernels, arena } = place;
  const { section, table, keys, counts, columns, values } = staged;
  const { kind, first, count } = section;
  const { rowBytes, at } = table;
  if (table.layout === 'sparse') {
    clearSparse(place, staged);
    addSection(place, staged, clock);
    return;
  }
  const width = table.columns;
  switch (kind) {
    case sectionKind.range: {
      const oneRow = width * 4 === rowBytes;
      const [rows, n] = oneRow ? [1, count * width] : [count, width];
      kernels.rows_set(rows, n, rowBytes, 0, values, at + first * rowBytes);
      break;
    }
    case sectionKind.rows:
      kernels.rows_set(count, width, rowBytes, keys, values, at);
      break;
    case sectionKind.part: {
      const column = arena.i32[keys / 4] ?? 0;
      kernels.rows_set(1, count, 0, 0, values, at + first * rowBytes + 4 * column);
      break;
    }
    default:
      // Integers: bits are stored as they are, f32 too.
      kernels.entries_add(0, 1, count, rowBytes, keys, counts, columns, values, at);
  }
}

export type Own = {
  /** Checked payloads of deltas that were sent and are not in the values yet, oldest first. */
  readonly replay: readonly Uint8Array[];
  /** The accumulators by table; undefined for a table without one. */
  readonly accumulators: readonly (TablePlan | undefined)[];
  /** By table: those whose rows of others are in slots. */
  readonly cached?: readonly (Cached | undefined)[];
  readonly clock: number;
};

/**
 * Sets the rows of a checked payload of values, then adds to exactly these rows what `own` has for
 * them. Returns the rows, section by section.
 * @throws ERR_NOT_FINITE naming table, row and clock.
 */
export function setPayload(
  place: FoldPlace,
  payload: Uint8Array,
  tables: readonly TablePlan[],
  own: Own,
): readonly Touched[] {
  const sets = new Map<number, WrittenRows>();
  const isAlone = own.replay.length === 0 && own.accumulators.every((table) => table === undefined);
  const all = sectionsOf(payload);
  const isCached = ({ table }: Section) => own.cached?.[table] !== undefined;
  if (own.cached !== undefined && all.some(isCached)) {
    const { cached, replay, clock } = own;
    setSlots(place, payload, all.filter(isCached), { tables, cached, replay, clock });
  }
  const touched = all.flatMap((section) => {
    if (isCached(section)) return [];
    const staged = stageSection(place, payload, section, tables);
    setSection(place, staged, own.clock);
    const rows = touchedBy(place, staged);
    if (isAlone) return rows;
    const set = sets.get(section.table) ?? openWrittenRows();
    sets.set(section.table, set);
    if (section.kind === sectionKind.part) {
      const column = place.arena.i32[staged.keys / 4] ?? 0;
      set.addPart({ row: section.first, column, count: section.count });
    } else if ('rows' in rows) set.addRows(rows.rows);
    else set.addRange(rows);
    return rows;
  });
  if (isAlone) return touched;
  for (const delta of own.replay) addReplay(place, delta, tables, sets, own.clock);
  for (const [id, set] of sets) {
    const [table, accumulator] = [tables[id], own.accumulators[id]];
    assert(table !== undefined, 'the payload was checked');
    if (accumulator !== undefined) addAccumulated(place, table, accumulator, set, own.clock);
  }
  return touched;
}
