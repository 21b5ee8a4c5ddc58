// The gate in front of a push: waits until what the push will read is as fresh as its bound
// promises. With other hosts that is three things: the clocks of this host's workers, the clocks of
// the others that this host's own rows have, and those that its cached rows have. Rows that are not
// cached, or without eager pushes too old, are asked for through the mailbox.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { ringAt } from '../memory/layout.ts';
import { sender, type Wanted } from '../mailbox/messages.ts';
import { openRingWriter } from '../mailbox/ring.ts';
import { AdaptiveStaleness, type ClockTimes } from '../ps/adaptive.ts';
import { mayRead, policyAt, requiredClock, type Policy } from '../ps/freshness.ts';
import type { Asked } from '../record/worker-tape.ts';
import type { RowCache } from '../store/row-cache.ts';
import { checkRows, openPool, type Rows } from '../store/snapshot.ts';
import { readPolicy, type TablePlan } from '../store/table.ts';
import { cachesOf, setupOf, type Stage } from './context.ts';
import { ownRows, type ClusterPlan, type RunPlan } from './plan.ts';
import type { Reads } from './program.ts';

export type Gate = {
  /** May a push of `clock` read what this host has? */
  isOpen(clock: number): boolean;
  /** Asks other hosts for what the declared rows miss; `isAnswered` says when all is here. */
  ask(clock: number, reads: Reads): void;
  isAnswered(): boolean;
  /** Asks for rows that pushes from `clock` on will read, and waits for nothing. */
  prefetch(clock: number, reads: Reads): void;
  /** Clocks of the slowest writer that the tables have in them now, as far as is known. */
  seen(): number;
  /** Do the pushes of `clock` see all clocks before it? */
  isBarrier(clock: number): boolean;
  /** The push has its copy: what it asked for need not stay in the cache. */
  release(): void;
  /** Says how the time of a clock went, for an adaptive bound. */
  finished(clock: number, times: ClockTimes): void;
};

/**
 * Values travel when clocks advance, rather than when they are asked for. In lock-step they always
 * do: nobody asks there, since every clock ends when all have all of it.
 */
export function isEager({ policy, lockStep }: RunPlan): boolean {
  return lockStep || policy.consistency !== 'ssp';
}

type Caches = ReturnType<typeof cachesOf>;

/** Keeps the rows that a push reads in their caches until it has its copy of them. */
function openPins({ arena, lock }: Stage, caches: Caches) {
  const pinned: { cache: RowCache; row: number }[] = [];
  return {
    pin(table: number, { at, count }: Rows): void {
      const cache = caches()[table]?.cache;
      if (cache === undefined) return;
      lock.write(() => {
        for (const row of arena.i32.subarray(at / 4, at / 4 + count)) {
          if (cache.isOwn(row)) continue;
          cache.claim(row);
          cache.pin(row);
          pinned.push({ cache, row });
        }
      });
    },
    release(): void {
      for (const { cache, row } of pinned.splice(0)) cache.unpin(row);
    },
  };
}

const none: Rows = { at: 0, count: 0 };

type Missing = Rows & { readonly prefetch: number };

/**
 * Picks the rows that other hosts own and that are older than `needed` clocks, in memory that stays
 * until they have come; undefined when there is none, or no prefetch is free.
 */
function openPrefetcher(stage: Stage, cluster: ClusterPlan, caches: Caches) {
  const { arena, control, thread, lock } = stage;
  const pools = Array.from({ length: limits.prefetchesMax }, () => openPool(arena));
  const pinned = pools.map((): { cache: RowCache; rows: Int32Array } | undefined => undefined);
  /** Rows of a cache are pinned until they have come; those without a free slot are left out. */
  const pin = (cache: RowCache, rows: Int32Array) =>
    lock.write(() =>
      rows.filter((row) => {
        if (cache.tryClaim(row) === undefined) return false;
        cache.pin(row);
        return true;
      }),
    );
  const release = (busy: number) => {
    pinned.forEach((held, slot) => {
      if (held === undefined || (busy & (1 << slot)) !== 0) return;
      for (const row of held.rows) held.cache.unpin(row);
      pinned[slot] = undefined;
    });
  };
  return (table: TablePlan, { at, count }: Rows, needed: number): Missing | undefined => {
    const own = ownRows(cluster, table.rows);
    const clocks = (cluster.replicas[table.id]?.rowClocks ?? 0) / 4;
    const missing = arena.i32
      .subarray(at / 4, at / 4 + count)
      .filter((row) => row < own.first || row >= own.last)
      .filter((row) => (arena.i32[clocks + row] ?? 0) < needed);
    const busy = control.prefetching(thread);
    release(busy);
    const free = pools.findIndex((_, slot) => (busy & (1 << slot)) === 0);
    const pool = pools[free];
    if (missing.length === 0 || pool === undefined) return undefined;
    const cache = caches()[table.id]?.cache;
    const rows = cache ? pin(cache, missing) : missing;
    if (rows.length === 0) return undefined;
    if (cache) pinned[free] = { cache, rows };
    const list = pool(rows.byteLength);
    arena.i32.set(rows, list / 4);
    control.beginPrefetch(thread, free);
    return { at: list, count: rows.length, prefetch: free };
  };
}

export function openGate(stage: Stage): Gate {
  const { plan, control, arena, kernels, thread, events, program, tape } = stage;
  const { cluster } = plan;
  const policyNow = () => readPolicy(plan.tables, plan.policy);
  const policy = policyNow();
  const eager = isEager(plan);
  const isRead = ({ access }: TablePlan) => access !== 'none' && access !== 'owned';
  const read = () => plan.tables.filter(isRead);
  const ring = ringAt(arena.layout, thread, 'reports');
  const wants = sender<Wanted>(openRingWriter(arena, ring));
  const adaptive =
    policy.consistency === 'auto' ? new AdaptiveStaleness(policy.staleness) : undefined;
  const caches = cachesOf(stage);
  let asked = 0;
  /** Of those, the ones that a push waits for. */
  let awaited = 0;
  const waiting: Wanted[] = [];

  const setup = setupOf(plan);
  let barrier = { clock: -1, is: false };
  const isBarrier = (clock: number): boolean => {
    if (barrier.clock !== clock) {
      barrier = { clock, is: program.barrier?.(clock, setup) ?? false };
    }
    return barrier.is;
  };
  const bounded = (own: Policy, clock: number, most = adaptive?.staleness): Policy => {
    const adapted = most === undefined ? own : { ...own, staleness: Math.min(own.staleness, most) };
    return policyAt(adapted, isBarrier(clock));
  };
  /** A mailbox that is full takes the rest later. */
  const offer = () => {
    let offered = 0;
    for (let next = waiting[0]; next !== undefined && wants.offer(next); next = waiting[0]) {
      waiting.shift();
      offered += 1;
    }
    if (offered > 0) control.wake();
  };
  const want = (table: number, rows: Rows, required: number) => {
    awaited += 1;
    asked += 1;
    waiting.push({ id: asked, table, ...rows, required });
  };
  /** How many clocks a row must have that was read before. */
  const needed = (required: number) => (eager ? 0 : Math.max(0, required));
  const pins = openPins(stage, caches);
  /** Must other hosts be asked for what a push reads of `table`? */
  const isMissing = (
    { replicas, ...place }: ClusterPlan,
    table: TablePlan,
    reads: Reads,
    required: number,
  ): boolean => {
    if (table.access !== 'rows') return !eager && control.tableClock(table.id) < required;
    const rows = reads[table.name] ?? none;
    checkRows(arena, table, rows, 'reads');
    pins.pin(table.id, rows);
    const clocks = replicas[table.id]?.rowClocks ?? 0;
    const own = ownRows({ replicas, ...place }, table.rows);
    const oldest = kernels.rows_oldest(rows.count, rows.at, clocks, own.first, own.last);
    // A row that is pushed only has to have come once.
    return oldest < needed(required);
  };
  const prefetcher = cluster && openPrefetcher(stage, cluster, caches);

  return {
    isOpen(clock) {
      // A planted bug, for the tests of the auditor.
      const gateClock = plan.canary === 'early-read' ? clock - 1 : clock;
      const may = (own: Policy, seen: number) => mayRead(bounded(own, clock), gateClock, seen);
      const tightest = policyNow();
      if (!may(tightest, control.minClock())) return false;
      if (cluster === undefined) return true;
      if (!may(tightest, control.shardClock())) return false;
      return !eager || read().every(({ id, policy: own }) => may(own, control.tableClock(id)));
    },
    ask(clock, reads) {
      if (cluster === undefined) return;
      const find = (): Asked => {
        let tables = 0;
        for (const table of read()) {
          const required = requiredClock(bounded(table.policy, clock), clock);
          if (isMissing(cluster, table, reads, required)) tables |= 1 << table.id;
        }
        return { tables, staleness: adaptive?.staleness ?? -1 };
      };
      const { tables, staleness } = tape ? tape.ask(find) : find();
      const most = staleness < 0 ? undefined : staleness;
      for (const { id, name, policy: own, access } of read()) {
        if ((tables & (1 << id)) === 0) continue;
        const rows = access === 'rows' ? (reads[name] ?? none) : { at: 0, count: -1 };
        want(id, rows, requiredClock(bounded(own, clock, most), clock));
      }
      offer();
    },
    isAnswered() {
      if (waiting.length > 0) offer();
      return control.granted(thread) >= awaited;
    },
    prefetch(clock, reads) {
      for (const [name, rows] of Object.entries(reads)) {
        const table = plan.tables.find((candidate) => candidate.name === name);
        if (table?.access !== 'rows') {
          const rule = 'prefetch() names rows of tables with access "rows"';
          throw new SystemError('ERR_PROGRAM', `${rule}, got table "${name}"`);
        }
        checkRows(arena, table, rows, 'prefetch');
        const required = requiredClock(bounded(table.policy, clock), clock);
        const missing = prefetcher?.(table, rows, needed(required));
        if (missing === undefined) continue;
        asked += 1;
        waiting.push({ id: asked, table: table.id, ...missing, required });
      }
      offer();
    },
    seen() {
      const local = control.minClock();
      if (cluster === undefined) return local;
      const cached = eager ? read().map(({ id }) => control.tableClock(id)) : [];
      return Math.min(local, control.shardClock(), ...cached);
    },
    isBarrier,
    release: () => pins.release(),
    finished(clock, times) {
      // What was decided is on the tape.
      if (tape?.plays) return;
      const change = adaptive?.step(clock, times);
      if (change === undefined) return;
      const { from, to, waited } = change;
      const why = `waited ${Math.round(waited * 100)} % of its time`;
      const line = `staleness ${from} → ${to} at clock ${clock}, ${why}`;
      events.offer({ kind: 'log', line });
    },
  };
}
