// What a member needs of its host: tables (store.ts), and the words that workers wait on.
import { assert } from '../base/assert.ts';
import type { Created } from '../program/created/tables.ts';
import type { RowList } from '../ps/row-set.ts';
import type { PushedRows, ShardTable } from '../ps/shard.ts';

export type TouchedRows = { readonly table: number; readonly rows: RowList };
export type Payloads = readonly Uint8Array[];

/** A host's tables, as the member needs them: store.ts. */
export type MemberStore = {
  /**
   * Takes the deltas of all whole clocks, by owner; rows of the own shard that changed. An early
   * cut takes some of them, the most important first; the last one leaves nothing.
   */
  cut(how: { readonly early: boolean; readonly last: boolean }): {
    readonly parts: readonly Payloads[];
    readonly own: readonly TouchedRows[];
  };
  /** The deltas of this clock by owner, a partition after the other, for an ordered run. */
  cutOrdered(): { readonly parts: readonly Payloads[]; readonly silent: boolean };
  /** Adds the own deltas of this clock to the own rows, in an ordered run. */
  foldOwn(): readonly TouchedRows[];
  /** Adds a batch's deltas to the own rows. */
  apply(payload: Uint8Array): readonly TouchedRows[];
  /** The present values of rows. */
  values(rows: readonly PushedRows[]): Payloads;
  /** Sets rows that others own, then adds own deltas on top. */
  install(payload: Uint8Array, from: number, replay: Payloads): void;
  /** Rows of `table` that were asked for are as of `clock`. */
  markFresh(table: number, rows: Int32Array, clock: number): void;
  /** Rows that caches have given up since this was asked last. */
  takeDrops(): readonly { readonly table: number; readonly rows: Int32Array }[];
  /** Tables that were created since this was asked last. */
  newTables(): readonly { readonly created: Created; readonly table: ShardTable }[];
  /** Another host says that the index-th table was created. */
  learnTable(index: number, created: Created): void;
  /** Bytes of a table that travelled. */
  readonly bytesSent: readonly number[];
};

/** The words that workers wait on. */
export type MemberControl = {
  /** Clocks that all workers of this host have finished, or have pushed in an ordered run. */
  hostClock(): number;
  /** Clocks that the workers of this host have finished, all together. */
  foldedClocks(): number;
  setShardClock(clock: number): void;
  setTableClock(table: number, clock: number): void;
  grant(want: number): void;
  /** Wakes who waits for any of these; what was set before is seen. */
  wake(): void;
};

/** A fresh row whose changes are pushed: it stays as fresh as its owner's clock. */
export const heldForGood = 0x7fff_ffff;

/** Row numbers of a payload. */
export function asRows(payload: Uint8Array): Int32Array {
  assert(payload.length % 4 === 0, 'rows are i32');
  return new Int32Array(payload.slice().buffer);
}
