// The cache of a table with `cacheRows`: rows of other hosts in a bounded number of slots, beside
// the own rows, which stand together. So a host needs memory for its own rows and the slots alone,
// and the table may be larger than any host's memory.
//
//   base     own rows, from the first on │ slot 0, slot 1, …        row → slot: map, or −1
//
// A slot is taken by the CLOCK rule: the hand passes over slots that are pinned (a push waits for
// the row or reads it, or it has own deltas that were not cut), and spares once what was used since
// it came by last. Deltas that were cut and are not in the owner's values yet need no pin: they are
// added on top when the row comes again. All but `slotOf`, `unpin` and `hasGone` need the writer's
// side of the lock.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { RowRange } from './fold.ts';
import type { TablePlan, TableSpec } from './table.ts';

export type CachePlan = {
  readonly own: RowRange;
  /** Where the first own row stands. */
  readonly base: number;
  readonly slots: number;
  /** Where slot 0 stands. */
  readonly at: number;
  /** i32 a row: its slot, or −1. */
  readonly map: number;
  /** 4 × i32 a slot: { row or −1, pins, used since the hand came by, 0 }. */
  readonly slotWords: number;
  /** { hand, count } and then the numbers of rows that were given up, for their owners to hear. */
  readonly gone: number;
};

/** Why a table cannot have its `cacheRows`, or undefined. */
export function cacheRefusal(
  { cacheRows, layout = 'dense', access, columns }: TableSpec,
  columnsMax: number,
): string | undefined {
  if (cacheRows === undefined) return undefined;
  if (!Number.isInteger(cacheRows) || cacheRows < 1) return 'cacheRows must be an integer >= 1';
  if (layout !== 'dense' || access !== 'rows') {
    return 'cacheRows is for dense tables with access "rows"';
  }
  return columns <= columnsMax ? undefined : `cacheRows is for at most ${columnsMax} columns`;
}

/** Allocates own rows and slots. */
export function planCache(
  arena: Arena,
  spec: TableSpec,
  own: RowRange,
  rowBytes: number,
): CachePlan | undefined {
  const { rows, cacheRows: slots } = spec;
  if (slots === undefined || own.last - own.first === rows) return undefined;
  const allocate = (bytes: number, fill: number) => {
    const at = arena.allocate(bytes);
    arena.u8.fill(fill, at, at + bytes);
    return at;
  };
  const ownBytes = (own.last - own.first) * rowBytes;
  const base = allocate(ownBytes + slots * rowBytes, 0);
  const map = allocate(rows * 4, 0xff);
  const slotWords = allocate(slots * 16, 0);
  for (let slot = 0; slot < slots; slot++) arena.i32[slotWords / 4 + 4 * slot] = -1;
  const gone = allocate(8 + slots * 4, 0);
  return { own, base, slots, at: base + ownBytes, map, slotWords, gone };
}

/** What a host keeps of the rows of others: see ReplicaPlan. */
export type CacheMarks = { readonly touched: number; readonly rowClocks: number };

export type RowCache = ReturnType<typeof openRowCache>;

export function openRowCache(arena: Arena, table: TablePlan, cache: CachePlan, marks: CacheMarks) {
  const { i32, u8 } = arena;
  const { own, slots, map, slotWords, gone } = cache;
  const { rowBytes } = table;
  const word = (slot: number, index: number) => slotWords / 4 + 4 * slot + index;
  const clockOf = (row: number) => marks.rowClocks / 4 + row;
  const isPinned = (slot: number, row: number) =>
    Atomics.load(i32, word(slot, 1)) > 0 || u8[marks.touched + row] !== 0;

  /** Takes the row's slot away; its owner hears of it if it thinks that we hold the row. */
  const giveUp = (row: number): void => {
    i32[map / 4 + row] = -1;
    if (i32[clockOf(row)] === -1) return;
    i32[clockOf(row)] = -1;
    const count = i32[gone / 4 + 1] ?? 0;
    assert(count < slots, 'rows are given up once each between two reports');
    i32[gone / 4 + 2 + count] = row;
    i32[gone / 4 + 1] = count + 1;
  };
  const freeSlot = (): number | undefined => {
    for (let step = 0; step < 2 * slots + 1; step++) {
      const slot = i32[gone / 4] ?? 0;
      i32[gone / 4] = (slot + 1) % slots;
      const row = i32[word(slot, 0)] ?? -1;
      if (row < 0) return slot;
      if (isPinned(slot, row)) continue;
      if (i32[word(slot, 2)] === 0) {
        giveUp(row);
        return slot;
      }
      i32[word(slot, 2)] = 0;
    }
    return undefined;
  };
  const slotOf = (row: number): number => i32[map / 4 + row] ?? -1;

  return {
    table,
    slotOf,
    isOwn: (row: number) => row >= own.first && row < own.last,
    /** Where the values of a slot stand. */
    placeOf: (slot: number) => cache.at + slot * rowBytes,
    /** The slot of a row, a fresh one of zeros if it has none; undefined when all are pinned. */
    tryClaim(row: number): number | undefined {
      const known = slotOf(row);
      const slot = known >= 0 ? known : freeSlot();
      if (slot === undefined) return undefined;
      i32[word(slot, 2)] = 1;
      if (known >= 0) return slot;
      i32[word(slot, 0)] = row;
      i32[map / 4 + row] = slot;
      const place = cache.at + slot * rowBytes;
      u8.fill(0, place, place + rowBytes);
      return slot;
    },
    /** @throws ERR_LIMIT when all slots are pinned. */
    claim(row: number): number {
      const slot = this.tryClaim(row);
      if (slot !== undefined) return slot;
      const rule = `table "${table.name}" keeps ${slots} rows of other hosts at a time (cacheRows)`;
      const found = 'pushes read and write more of them than that';
      throw new SystemError('ERR_LIMIT', `${rule}, ${found}: raise cacheRows`);
    },
    pin(row: number): void {
      const slot = slotOf(row);
      assert(slot >= 0, 'a row is pinned where it is');
      Atomics.add(i32, word(slot, 1), 1);
    },
    unpin(row: number): void {
      const slot = slotOf(row);
      assert(slot >= 0, 'a pinned row stays where it is');
      Atomics.sub(i32, word(slot, 1), 1);
    },
    hasGone: () => Atomics.load(i32, gone / 4 + 1) > 0,
    /** Rows that were given up since this was asked last. */
    takeGone(): Int32Array {
      const count = i32[gone / 4 + 1] ?? 0;
      i32[gone / 4 + 1] = 0;
      return i32.slice(gone / 4 + 2, gone / 4 + 2 + count);
    },
  };
}

/** Writes where the listed rows stand to `out`, in rows from `base` on. */
export function locateRows(
  arena: Arena,
  cache: CachePlan,
  rows: { readonly at: number; readonly count: number },
  out: number,
): void {
  const { i32 } = arena;
  const { own, map } = cache;
  const ownCount = own.last - own.first;
  for (let i = 0; i < rows.count; i++) {
    const row = i32[rows.at / 4 + i] ?? 0;
    const isOwn = row >= own.first && row < own.last;
    const slot = i32[map / 4 + row] ?? -1;
    assert(isOwn || slot >= 0, 'a row that a push reads is in the cache');
    i32[out / 4 + i] = isOwn ? row - own.first : ownCount + slot;
  }
}
