// A host's part in a run: the member of a data-parallel one, or the relay of a scheduled one, with
// one face for who drives it: threads and sockets (run.ts), or virtual time (src/sim).
import type { Fault } from '../base/errors.ts';
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
import type { PeerMessage, RelayMessage } from './messages.ts';
import { openMember, type MemberTuning } from './open-member.ts';
import { Outbox } from './outbox.ts';
import { Relay } from './relay.ts';

/** What is driven. */
export type Part = {
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
  /** What is kept until others have confirmed or sent the rest, in batches and in parts. */
  readonly kept: { readonly batches: number; readonly heldParts: number };
  /** Of a recorded run. */
  inputs?(): Uint8Array;
  toString(): string;
};

type Place = {
  readonly cluster: ClusterPlan;
  readonly network: Network;
  readonly tuning: MemberTuning;
};

function memberPart(stage: Stage, { cluster, network, tuning }: Place): Part {
  const tape = stage.plan.tickets && recordMailbox();
  const opened = openMember(stage, cluster, network, tuning, tape);
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
    get kept() {
      return member.kept;
    },
    toString: () => member.toString(),
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

function relayPart(stage: Stage, { cluster, network, tuning }: Place): Part {
  const { arena, plan, control } = stage;
  const { bytesPerSecond } = cluster.sending;
  const { burstBytes } = tuning;
  const outbox = new Outbox(network, { bytesPerSecond, burstBytes, nowMs: stage.nowMs });
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
    kept: { batches: 0, heldParts: 0 },
    toString: () => `waits for ${relay.waitingFor}`,
    packet: (from, packet) => relay.packet(from, packet),
    room: () => relay.pump(),
    idle: () => undefined,
    step() {
      outbox.tick();
      relay.pump();
    },
  };
}

/** The part of a host in the run of `stage`. */
export function openPart(
  stage: Stage,
  cluster: ClusterPlan,
  network: Network,
  tuning: MemberTuning = {},
): Part {
  const open = stage.program.schedule === undefined ? memberPart : relayPart;
  return open(stage, { cluster, network, tuning });
}

/** Why rank `from` ends the run, when that is what a packet of it says. */
export function faultIn(from: number, { header }: Packet): Fault | undefined {
  const message = header as PeerMessage | RelayMessage;
  if (message.kind !== 'fault') return undefined;
  const said = message.fault.message;
  // It may have named itself.
  const named = said.startsWith(`rank ${from} `) ? said : `rank ${from}: ${said}`;
  return { ...message.fault, message: named };
}
