// A run as the mailbox actor takes part in it: an event loop that feeds its part, the member of a
// data-parallel run or the relay of a scheduled one, what workers, links and time do. It never
// computes longer than one packet takes.
//
//   tick futex (workers) ─┐
//   packets (sockets)    ─┼──▶ part ──▶ outbox ──▶ links
//   timer (budget, idle) ─┘
import { fromFault, toFault, type Fault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { ringAt, type Ring } from '../memory/layout.ts';
import {
  receiver,
  sender,
  type Assignment,
  type Order,
  type Reported,
  type Said,
  type Wanted,
} from '../mailbox/messages.ts';
import type { Network, Packet } from '../mailbox/network.ts';
import { openRingReader, openRingWriter } from '../mailbox/ring.ts';
import type { Stage } from '../program/context.ts';
import { isEager } from '../program/freshness-gate.ts';
import type { ClusterPlan } from '../program/plan.ts';
import { openSpaces } from '../program/spaces.ts';
import { Link } from './link.ts';
import type { Machines } from './machines.ts';
import { Member } from './member.ts';
import type { PeerMessage, RelayMessage } from './messages.ts';
import { Outbox } from './outbox.ts';
import { Relay } from './relay.ts';
import { openStore, shardTableOf } from './store.ts';

/** What the mailbox of a host has to say at the end of a run. */
export type MailboxSummary = {
  readonly clocks: number;
  readonly stopped: boolean;
  /** Bytes of rows that were sent, by table. */
  readonly tableBytes: readonly number[];
  /** Why the run ended, when that came from another host. */
  readonly fault?: Fault;
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
      tables: plan.tables.map(shardTableOf),
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
        foldedClocks: () => control.foldedClocks(),
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

/** What the loop drives. */
type Part = {
  readonly finished: boolean;
  readonly waitingFor: string;
  packet(from: number, packet: Packet): void;
  /** Threads may have moved, or links may have room. */
  step(): void;
  /** Nothing moves at the moment. */
  idle(): void;
  room(to: number): void;
  readonly waitMs: number | undefined;
  readonly clocks: number;
  readonly tableBytes: readonly number[];
};

function memberPart(stage: Stage, cluster: ClusterPlan, network: Network): Part {
  const { member, outbox, takeWants, store } = openMember(stage, cluster, network);
  return {
    get finished() {
      return member.finished;
    },
    get waitingFor() {
      return member.waitingFor;
    },
    get waitMs() {
      return outbox.waitMs;
    },
    get clocks() {
      return stage.control.minClock();
    },
    get tableBytes() {
      return store.bytesSent;
    },
    packet: (from, packet) => member.packet(from, packet),
    room: (to) => member.room(to),
    idle: () => member.idle(),
    step() {
      takeWants();
      member.workersMoved();
      for (const to of outbox.tick()) member.room(to);
    },
  };
}

function relayPart(stage: Stage, cluster: ClusterPlan, network: Network): Part {
  const { arena, plan, control } = stage;
  const { bytesPerSecond } = cluster.sending;
  const outbox = new Outbox(network, { bytesPerSecond, nowMs: stage.nowMs });
  const ring = (thread: number, name: Ring) => ringAt(arena.layout, thread, name);
  const writer = (at: number) => openRingWriter(arena, at);
  const reader = (at: number) => openRingReader(arena, at);
  const scheduler = plan.workers;
  const relay = new Relay({
    ...{ cluster, outbox, memory: arena.u8, spaces: openSpaces(plan) },
    tables: plan.tables.length,
    workers: Array.from({ length: plan.workers }, (_, worker) => ({
      inbox: sender<Assignment>(writer(ring(worker, 'inbox'))),
      said: receiver<Said>(reader(ring(worker, 'reports'))),
    })),
    scheduler:
      cluster.rank === 0
        ? {
            inbox: sender<Reported>(writer(ring(scheduler, 'inbox'))),
            orders: receiver<Order>(reader(ring(scheduler, 'reports'))),
          }
        : undefined,
    wake: () => control.wake(),
  });
  return {
    get finished() {
      return relay.finished;
    },
    get waitingFor() {
      return relay.waitingFor;
    },
    get waitMs() {
      return outbox.waitMs;
    },
    get clocks() {
      return relay.clocks;
    },
    tableBytes: relay.bytesSent,
    packet: (from, packet) => relay.packet(from, packet),
    room: () => relay.pump(),
    idle: () => undefined,
    step() {
      outbox.tick();
      relay.pump();
    },
  };
}

/** Takes part in the run of `stage` until all hosts have finished it, or it is stopped. */
export async function runMailbox(
  stage: Stage,
  network: Network,
  link: Link,
): Promise<MailboxSummary> {
  const { plan, control, arena, program, thread } = stage;
  const { cluster } = plan;
  if (cluster === undefined) return { clocks: 0, stopped: false, tableBytes: [] };
  // It waits for threads and links; that it computes for long is no sign of an endless loop.
  control.setActivity(thread, 'waitingForClocks');
  const open = program.schedule === undefined ? memberPart : relayPart;
  const part = open(stage, cluster, network);
  /** Why the run ends here, and whether the others know that. */
  let end: { readonly fault: Fault; readonly from: 'here' | 'peer' | 'link' } | undefined;
  const guarded = (act: () => void) => {
    if (end !== undefined) return;
    try {
      act();
    } catch (thrown) {
      end = { fault: toFault(thrown), from: 'here' };
    }
    if (end !== undefined || part.finished) control.wake();
  };
  guarded(() => {
    link.begin(cluster.run, {
      packet: (from, packet) =>
        guarded(() => {
          const message = packet.header as PeerMessage | RelayMessage;
          if (message.kind !== 'fault') return part.packet(from, packet);
          const said = message.fault.message;
          // It may have named itself.
          const named = said.startsWith(`rank ${from} `) ? said : `rank ${from}: ${said}`;
          const fault = { ...message.fault, message: named };
          end = { fault, from: 'peer' };
        }),
      room: (to) => guarded(() => part.room(to)),
      lost(_, lost) {
        if (part.finished) return;
        const message = `${lost.message}; waited for ${part.waitingFor}`;
        guarded(() => (end = { fault: { code: lost.code, message }, from: 'link' }));
      },
    });
  });
  try {
    let quietMs = 0;
    for (;;) {
      const seen = control.tick.now();
      guarded(() => part.step());
      const { clocks, tableBytes } = part;
      if (end?.from === 'here') throw fromFault(end.fault);
      if (end?.from === 'link') link.fail(end.fault, cluster.run);
      if (end !== undefined) return { clocks, stopped: true, tableBytes, fault: end.fault };
      if (control.stopped()) return { clocks, stopped: true, tableBytes };
      if (part.finished) return { clocks, stopped: false, tableBytes };
      const sleepMs = cluster.sending.early ? idleMs : limits.gateWaitMs;
      const until = Math.min(sleepMs, Math.max(1, part.waitMs ?? sleepMs));
      const wake = waitAsync(arena.i32, control.tick.cell, seen, until);
      const why = wake.async ? await wake.value : 'ok';
      quietMs = why === 'timed-out' ? quietMs + until : 0;
      if (cluster.sending.early && quietMs >= idleMs) guarded(() => part.idle());
    }
  } catch (thrown) {
    link.fail(toFault(thrown), cluster.run);
    throw thrown;
  } finally {
    link.end();
  }
}
