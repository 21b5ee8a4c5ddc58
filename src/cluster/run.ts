// A run as the mailbox actor takes part in it: an event loop that feeds the member what workers,
// links and time do. It never computes longer than one packet takes.
//
//   tick futex (workers) ─┐
//   packets (sockets)    ─┼──▶ member ──▶ outbox ──▶ links
//   timer (budget, idle) ─┘
import { fromFault, SystemError, toFault, type Fault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { ringAt } from '../memory/layout.ts';
import { receiver, type Wanted } from '../mailbox/messages.ts';
import type { Network } from '../mailbox/network.ts';
import { openRingReader } from '../mailbox/ring.ts';
import type { Stage } from '../program/context.ts';
import { isEager } from '../program/freshness-gate.ts';
import type { ClusterPlan } from '../program/plan.ts';
import { Link } from './link.ts';
import { Member, type Machines } from './member.ts';
import { Outbox } from './outbox.ts';
import { openStore } from './store.ts';

/** What the mailbox of a host has to say at the end of a run. */
export type MailboxSummary = {
  readonly clocks: number;
  readonly stopped: boolean;
  /** Bytes of rows that were sent, by table. */
  readonly tableBytes: readonly number[];
};

/** Batches in flight: a clock each, and some that went early. */
const epochsSpare = 8;
/** Links are idle when nothing has moved for so long. */
const idleMs = 2;

type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
) => { readonly async: boolean; readonly value: Promise<string> | string };
// In Node since 16; TypeScript's library has it in a later edition than the one we target.
const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };

/** Sizes that a simulation makes small, so that a short run meets them, and machines of its own. */
export type MemberTuning = {
  readonly epochsSpare?: number;
  readonly earlyBytes?: number;
  readonly burstBytes?: number;
  readonly machines?: Machines;
};

/** The member of a host's run, with what is around it. */
export function openMember(
  stage: Stage,
  cluster: ClusterPlan,
  network: Network,
  tuning: MemberTuning = {},
) {
  const { plan, control } = stage;
  const { consistency, staleness } = plan.policy;
  const store = openStore(stage, cluster, tuning.earlyBytes);
  const outbox = new Outbox(network, {
    bytesPerSecond: cluster.sending.bytesPerSecond,
    burstBytes: tuning.burstBytes,
    nowMs: stage.nowMs,
  });
  const wants = Array.from({ length: plan.workers }, (_, worker) =>
    receiver<Wanted>(openRingReader(stage.arena, ringAt(stage.arena.layout, worker, 'reports'))),
  );
  /** Prefetches under way, by the number of their want. */
  const prefetches = new Map<number, number>();
  const member = new Member(
    {
      run: cluster.run,
      tables: plan.tables.map(({ rows, access, cache }) => ({
        ...{ rows, held: access !== 'rows', bounded: cache !== undefined },
      })),
      eager: isEager(plan),
      asynchronous: consistency === 'async',
      ordered: plan.lockStep,
      clocks: cluster.clocks,
      epochsMax: staleness + (tuning.epochsSpare ?? epochsSpare),
    },
    {
      ...{ network, store, outbox, machines: tuning.machines },
      control: {
        hostClock: () => (plan.lockStep ? control.minPushed() : control.minClock()),
        setShardClock: (clock) => control.setShardClock(clock),
        setTableClock: (table, clock) => control.setTableClock(table, clock),
        // The number of a want tells its worker: see takeWants.
        grant(id) {
          const worker = id % limits.workersMax;
          const slot = prefetches.get(id);
          prefetches.delete(id);
          if (slot === undefined) control.grant(worker);
          else control.endPrefetch(worker, slot);
        },
      },
    },
  );
  const takeWants = () => {
    wants.forEach((ring, worker) => {
      for (let wanted = ring.take(); wanted !== undefined; wanted = ring.take()) {
        const { id: number, at, count, prefetch, ...want } = wanted;
        const id = number * limits.workersMax + worker;
        if (prefetch !== undefined) prefetches.set(id, prefetch);
        const rows = count < 0 ? undefined : stage.arena.i32.slice(at / 4, at / 4 + count);
        member.want({ ...want, id, rows });
      }
    });
  };
  return { member, outbox, takeWants, store };
}

/** Takes part in the run of `stage` until all hosts have finished it, or it is stopped. */
export async function runMailbox(
  stage: Stage,
  network: Network,
  link: Link,
): Promise<MailboxSummary> {
  const { plan, control, arena } = stage;
  const { cluster } = plan;
  if (cluster === undefined) return { clocks: 0, stopped: false, tableBytes: [] };
  const { member, outbox, takeWants, store } = openMember(stage, cluster, network);
  let fault: Fault | undefined;
  const guarded = (act: () => void) => {
    if (fault !== undefined) return;
    try {
      act();
    } catch (thrown) {
      fault = toFault(thrown);
    }
    if (fault !== undefined || member.finished) control.wake();
  };
  guarded(() => {
    link.begin(cluster.run, {
      packet: (from, packet) => guarded(() => member.packet(from, packet)),
      room: (to) => guarded(() => member.room(to)),
      lost(_, lost) {
        if (member.finished) return;
        const message = `${lost.message}; waited for ${member.waitingFor}`;
        guarded(() => {
          throw new SystemError(lost.code, message);
        });
      },
    });
  });
  try {
    let quietMs = 0;
    for (;;) {
      const seen = control.tick.now();
      guarded(() => {
        takeWants();
        member.workersMoved();
        for (const to of outbox.tick()) member.room(to);
      });
      if (fault !== undefined) throw fromFault(fault);
      const clocks = control.minClock();
      const tableBytes = store.bytesSent;
      if (control.stopped()) return { clocks, stopped: true, tableBytes };
      if (member.finished) return { clocks, stopped: false, tableBytes };
      const sleepMs = cluster.sending.early ? idleMs : limits.gateWaitMs;
      const until = Math.min(sleepMs, Math.max(1, outbox.waitMs ?? sleepMs));
      const wake = waitAsync(arena.i32, control.tick.cell, seen, until);
      const why = wake.async ? await wake.value : 'ok';
      quietMs = why === 'timed-out' ? quietMs + until : 0;
      if (cluster.sending.early && quietMs >= idleMs) guarded(() => member.idle());
    }
  } catch (thrown) {
    member.fail(toFault(thrown));
    throw thrown;
  } finally {
    link.end();
  }
}
