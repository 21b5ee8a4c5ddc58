// The gate in front of a push: waits until what the push will read is as fresh as its bound
// promises. With other hosts that is three things: the clocks of this host's workers, the clocks of
// the others that this host's own rows have, and those that its cached rows have. Rows that are not
// cached, or without eager pushes too old, are asked for through the mailbox.
import { ringAt } from '../memory/layout.ts';
import { sender, type Wanted } from '../mailbox/messages.ts';
import { openRingWriter } from '../mailbox/ring.ts';
import { AdaptiveStaleness, type ClockTimes } from '../ps/adaptive.ts';
import { mayRead, policyAt, requiredClock, type Policy } from '../ps/freshness.ts';
import { readPolicy } from '../store/table.ts';
import { setupOf, type Stage } from './context.ts';
import { ownRows } from './plan.ts';
import type { Reads } from './program.ts';

export type Gate = {
  /** May a push of `clock` read what this host has? */
  isOpen(clock: number): boolean;
  /** Asks other hosts for what the declared rows miss; `isAnswered` says when all is here. */
  ask(clock: number, reads: Reads): void;
  isAnswered(): boolean;
  /** Clocks of the slowest writer that the tables have in them now, as far as is known. */
  seen(): number;
  /** Do the pushes of `clock` see all clocks before it? */
  isBarrier(clock: number): boolean;
  /** Says how the time of a clock went, for an adaptive bound. */
  finished(clock: number, times: ClockTimes): void;
};

/** Values travel when clocks advance, rather than when they are asked for. */
export function isEager(policy: Policy): boolean {
  return policy.consistency !== 'ssp';
}

export function openGate(stage: Stage): Gate {
  const { plan, control, arena, kernels, thread, events, program } = stage;
  const { cluster } = plan;
  const policy = readPolicy(plan.tables, plan.policy);
  const eager = isEager(plan.policy);
  const read = plan.tables.filter((table) => table.access !== 'none' && table.access !== 'owned');
  const ring = ringAt(arena.layout, thread, 'reports');
  const wants = sender<Wanted>(openRingWriter(arena, ring));
  const adaptive =
    policy.consistency === 'auto' ? new AdaptiveStaleness(policy.staleness) : undefined;
  let asked = 0;
  let offered = 0;
  const waiting: Wanted[] = [];

  const setup = setupOf(plan);
  let barrier = { clock: -1, is: false };
  const isBarrier = (clock: number): boolean => {
    if (barrier.clock !== clock) {
      barrier = { clock, is: program.barrier?.(clock, setup) ?? false };
    }
    return barrier.is;
  };
  const bounded = (own: Policy, clock: number): Policy => {
    const adapted = adaptive
      ? { ...own, staleness: Math.min(own.staleness, adaptive.staleness) }
      : own;
    return policyAt(adapted, isBarrier(clock));
  };
  const want = (table: number, rows: { at: number; count: number }, required: number) => {
    asked += 1;
    waiting.push({ id: asked, table, ...rows, required });
  };
  /** A mailbox that is full takes the rest later. */
  const offer = () => {
    const before = offered;
    for (let next = waiting[0]; next !== undefined && wants.offer(next); next = waiting[0]) {
      waiting.shift();
      offered += 1;
    }
    if (offered > before) control.wake();
  };

  return {
    isOpen(clock) {
      // A planted bug, for the tests of the auditor.
      const gateClock = plan.canary === 'early-read' ? clock - 1 : clock;
      const may = (own: Policy, seen: number) => mayRead(bounded(own, clock), gateClock, seen);
      if (!may(policy, control.minClock())) return false;
      if (cluster === undefined) return true;
      if (!may(policy, control.shardClock())) return false;
      return !eager || read.every(({ id, policy: own }) => may(own, control.tableClock(id)));
    },
    ask(clock, reads) {
      if (cluster === undefined) return;
      for (const table of read) {
        const required = requiredClock(bounded(table.policy, clock), clock);
        if (table.access === 'rows') {
          const rows = reads[table.name] ?? { at: 0, count: 0 };
          const clocks = cluster.replicas[table.id]?.rowClocks ?? 0;
          const own = ownRows(cluster, table.rows);
          const oldest = kernels.rows_oldest(rows.count, rows.at, clocks, own.first, own.last);
          // A row that is pushed only has to have come once.
          if (oldest < (eager ? 0 : Math.max(0, required))) want(table.id, rows, required);
        } else if (!eager && control.tableClock(table.id) < required) {
          want(table.id, { at: 0, count: -1 }, required);
        }
      }
      offer();
    },
    isAnswered() {
      if (waiting.length > 0) offer();
      return control.granted(thread) >= asked;
    },
    seen() {
      const local = control.minClock();
      if (cluster === undefined) return local;
      const cached = eager ? read.map(({ id }) => control.tableClock(id)) : [];
      return Math.min(local, control.shardClock(), ...cached);
    },
    isBarrier,
    finished(clock, times) {
      const change = adaptive?.step(clock, times);
      if (change === undefined) return;
      const { from, to, waited } = change;
      const why = `waited ${Math.round(waited * 100)} % of its time`;
      const line = `worker ${thread}: staleness ${from} → ${to} at clock ${clock}, ${why}`;
      events.offer({ kind: 'log', line });
    },
  };
}
