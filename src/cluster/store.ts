// A host's tables as its member uses them: cuts deltas out, applies others', installs values. Runs
// on the mailbox thread; what workers might touch meanwhile is under the table lock.
import { assert } from '../base/assert.ts';
import { createPrng } from '../base/prng.ts';
import { rangeOf, type Range } from '../base/ranges.ts';
import { openDeltaLog } from '../store/delta-log.ts';
import { foldRows } from '../store/fold.ts';
import type { TablePlan } from '../store/table.ts';
import { addPayload } from '../store/wire/apply.ts';
import { takeDeltas, takeTouched } from '../store/wire/deltas.ts';
import { checkPayload } from '../store/wire/format.ts';
import { takeSlotDeltas } from '../store/wire/slots.ts';
import { setPayload } from '../store/wire/set.ts';
import { packLog, packValues } from '../store/wire/values.ts';
import { cachesOf, foldPlaceOf, type Stage } from '../program/context.ts';
import { adoptTables, openCreatedTables } from '../program/created/tables.ts';
import type { ShardTable } from '../ps/shard.ts';
import { logAt, partitionsOf, type ClusterPlan } from '../program/plan.ts';
import { recordKind } from '../store/delta-log.ts';
import type { MemberStore, TouchedRows } from './ports.ts';

/** An early cut takes about so much for each owner, and leaves the rest for later. */
const earlyBytesMax = 100 * 1024;

/** A stream of its own for the rows that an early cut draws at random. */
const drawStream = -2;

/** What the shard knows of a table. */
export function shardTableOf({ rows, access, cache }: TablePlan): ShardTable {
  return { rows, held: access !== 'rows', bounded: cache !== undefined };
}

export function openStore(
  stage: Stage,
  cluster: ClusterPlan,
  earlyBytes = earlyBytesMax,
): MemberStore {
  const { arena, plan, lock } = stage;
  const { tables } = plan;
  const { size, rank, replicas, sending } = cluster;
  const place = foldPlaceOf(stage);
  const caches = cachesOf(stage);
  const created = openCreatedTables(stage);
  const prng = createPrng(plan.seed, drawStream);
  const bytesSent: number[] = tables.map(() => 0);
  const rowsOf = (owner: number) => (table: TablePlan) => rangeOf(table.rows, size, owner);
  const ranks = Array.from({ length: size }, (_, owner) => owner);
  const deltas = () => replicas.map((replica) => replica.deltas);
  /** Partitions whose logs this host has. */
  const partitions: Range = {
    first: partitionsOf(plan, 0).first,
    last: partitionsOf(plan, plan.workers - 1).last,
  };
  const logs = Array.from({ length: partitions.last - partitions.first }, (_, i) =>
    openDeltaLog(arena, logAt(plan, partitions.first + i), plan.logs.bytes),
  );
  const count = (table: number, payloads: readonly Uint8Array[]) => {
    for (const { length } of payloads) bytesSent[table] = (bytesSent[table] ?? 0) + length;
    return payloads;
  };
  const clockNow = () => stage.control.minClock();
  const check = (payload: Uint8Array, owner: number) => {
    const wrong = checkPayload(payload, tables, rowsOf(owner));
    if (wrong) throw wrong;
  };
  /** The last cut leaves nothing behind: rounding errors that were kept back go with it. */
  const encoding = (last: boolean) => (last ? 'full' : sending.encoding);

  return {
    bytesSent,
    cut({ early, last }) {
      return lock.write(() => {
        const cutting = {
          encoding: encoding(last),
          order: sending.order,
          ...(early && { bytesMax: earlyBytes }),
          prng,
        };
        const parts = ranks.map((owner) =>
          owner === rank
            ? []
            : tables.flatMap((table) => {
                const replica = replicas[table.id];
                if (replica === undefined) return [];
                const range = rangeOf(table.rows, size, owner);
                const cached = caches()[table.id];
                if (cached !== undefined) {
                  return count(table.id, takeSlotDeltas(place, cached, range));
                }
                const from = { table, deltas: replica.deltas, marks: replica.touched };
                return count(table.id, takeDeltas(place, from, range, cutting));
              }),
        );
        const own = tables.flatMap((table): TouchedRows[] => {
          const marks = replicas[table.id]?.touched ?? 0;
          const rows = takeTouched(place, marks, rangeOf(table.rows, size, rank));
          return rows.length === 0 ? [] : [{ table: table.id, rows: { rows } }];
        });
        return { parts, own };
      });
    },
    cutOrdered() {
      const parts = ranks.map((owner) =>
        owner === rank ? [] : logs.flatMap((log) => packLog(place, log, tables, rowsOf(owner))),
      );
      for (const payload of parts.flat()) count(0, [payload]);
      return { parts, silent: logs.every((log) => log.isEmpty()) };
    },
    foldOwn() {
      const touched: TouchedRows[] = [];
      const mine = rowsOf(rank);
      for (const log of logs) {
        foldRows(place, tables, log, { rowsOf: (table) => [mine(table)], clock: clockNow() });
        for (const { table, kind, first, count: n, keys } of log.records(tables)) {
          const spec = tables[table];
          if (spec === undefined) continue;
          const range = mine(spec);
          if (kind === recordKind.range) {
            const from = Math.max(first, range.first);
            const rows = Math.min(first + n, range.last) - from;
            if (rows > 0) touched.push({ table, rows: { first: from, count: rows } });
          } else {
            const all =
              kind === recordKind.rows
                ? arena.i32.subarray(keys / 4, keys / 4 + n)
                : Int32Array.of(first);
            const rows = all.filter((row) => row >= range.first && row < range.last);
            if (rows.length > 0) touched.push({ table, rows: { rows } });
          }
        }
      }
      return touched;
    },
    apply(payload) {
      check(payload, rank);
      const touched = lock.write(() => addPayload(place, payload, tables, clockNow()));
      return touched.map(({ table, ...rows }) => ({ table, rows }));
    },
    values(pushed) {
      return lock.read(() =>
        pushed.flatMap(({ table, rows }) => {
          const spec = tables[table];
          return spec ? count(table, packValues(place, spec, rows.toRows())) : [];
        }),
      );
    },
    install(payload, from, replay) {
      check(payload, from);
      const own = { replay, accumulators: deltas(), cached: caches(), clock: clockNow() };
      lock.write(() => setPayload(place, payload, tables, own));
    },
    newTables: () =>
      adoptTables(stage, Infinity).map((created) => {
        const adopted = tables[bytesSent.push(0) - 1];
        assert(adopted !== undefined, 'a table that was taken over is in the plan');
        return { created, table: shardTableOf(adopted) };
      }),
    learnTable: (index, known) => created.learn(index, known),
    takeDrops() {
      const cached = caches().filter((of) => of !== undefined);
      if (!cached.some(({ cache }) => cache.hasGone())) return [];
      return lock.write(() =>
        cached
          .map(({ cache }) => ({ table: cache.table.id, rows: cache.takeGone() }))
          .filter(({ rows }) => rows.length > 0),
      );
    },
    markFresh(table, rows, clock) {
      const clocks = replicas[table]?.rowClocks ?? 0;
      for (const row of rows) arena.i32[clocks / 4 + row] = clock;
    },
  };
}
