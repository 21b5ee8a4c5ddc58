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
} from '../mailbox/messages.ts';
import type { Network, Packet } from '../mailbox/network.ts';
import { openRingReader, openRingWriter } from '../mailbox/ring.ts';
import type { Stage } from '../program/context.ts';
import type { ClusterPlan } from '../program/plan.ts';
import { openSpaces } from '../program/spaces.ts';
import { recordMailbox } from '../record/mailbox-tape.ts';
import { Link } from './link.ts';
import type { PeerMessage, RelayMessage } from './messages.ts';
import { openMember } from './open-member.ts';
import { Outbox } from './outbox.ts';
import { Relay } from './relay.ts';

/** What the mailbox of a host has to say at the end of a run. */
export type MailboxSummary = {
  readonly clocks: number;
  readonly stopped: boolean;
  /** Bytes of rows that were sent, by table. */
  readonly tableBytes: readonly number[];
  /** Of a recorded run: what reached the member. */
  readonly inputs?: Uint8Array;
  /** Why the run ended, when that came from another host. */
  readonly fault?: Fault;
};

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
  /** Of a recorded run. */
  inputs?(): Uint8Array;
};

function memberPart(stage: Stage, cluster: ClusterPlan, network: Network): Part {
  const tape = stage.plan.tickets && recordMailbox();
  const opened = openMember(stage, cluster, network, {}, tape);
  const { member, inputs, outbox, takeWants, store } = opened;
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
    packet: (from, packet) => inputs.packet(from, packet),
    room: (to) => inputs.room(to),
    idle: () => inputs.idle(),
    step() {
      takeWants();
      inputs.workersMoved();
      for (const to of outbox.tick()) inputs.room(to);
    },
    ...(tape && { inputs: () => tape.bytes() }),
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
    exclusively: (write) => (plan.pipeline === 0 ? write() : stage.lock.write(write)),
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
      if (part.finished) {
        const inputs = part.inputs?.();
        return { clocks, stopped: false, tableBytes, ...(inputs && { inputs }) };
      }
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
