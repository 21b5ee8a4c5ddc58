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
import type { Network, Packet } from '../mailbox/network.ts';
import { openRingReader } from '../mailbox/ring.ts';
import type { Stage } from '../program/context.ts';
import { isEager } from '../program/freshness-gate.ts';
import type { ClusterPlan } from '../program/plan.ts';
import { recordMailbox, type MailboxTape } from '../record/mailbox-tape.ts';
import { Link } from './link.ts';
import { Member, type Machines, type MemberOutbox, type Want } from './member.ts';
import { Outbox } from './outbox.ts';
import { openStore } from './store.ts';

/** What the mailbox of a host has to say at the end of a run. */
export type MailboxSummary = {
  readonly clocks: number;
  readonly stopped: boolean;
  /** Bytes of rows that were sent, by table. */
  readonly tableBytes: readonly number[];
  /** Of a recorded run: what reached the member. */
  readonly inputs?: Uint8Array;
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

/** What a member sees of the world around its host. */
export type MemberPorts = {
  readonly network: Pick<Network, 'rank' | 'size'>;
  readonly outbox: MemberOutbox;
  /** Clocks that all workers of the host have finished; those of the control words if absent. */
  readonly hostClock?: (finished: number) => number;
};

/** A member over the tables and control words of its host. */
export function openMemberOver(
  stage: Stage,
  cluster: ClusterPlan,
  { network, outbox, hostClock = (finished) => finished }: MemberPorts,
  tuning: MemberTuning = {},
) {
  const { plan, control } = stage;
  const { consistency, staleness } = plan.policy;
  const store = openStore(stage, cluster, tuning.earlyBytes);
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
        hostClock: () => hostClock(plan.lockStep ? control.minPushed() : control.minClock()),
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
  /** Hands over what workers miss. */
  const takeWants = (give: (want: Want, worker: number) => void) => {
    wants.forEach((ring, worker) => {
      for (let wanted = ring.take(); wanted !== undefined; wanted = ring.take()) {
        const { id: number, at, count, prefetch, ...want } = wanted;
        const id = number * limits.workersMax + worker;
        if (prefetch !== undefined) prefetches.set(id, prefetch);
        const rows = count < 0 ? undefined : stage.arena.i32.slice(at / 4, at / 4 + count);
        give({ ...want, id, rows }, worker);
      }
    });
  };
  return { member, takeWants, store };
}

/** The inputs of a member; a tape takes them down. */
function inputsOf(member: Member, tape: MailboxTape | undefined) {
  return {
    packet(from: number, packet: Packet): void {
      tape?.write('packet', from);
      member.packet(from, packet);
    },
    room(to: number): void {
      tape?.write('room', to);
      member.room(to);
    },
    want(want: Want, worker: number): void {
      tape?.write('want', worker);
      member.want(want);
    },
    idle(): void {
      tape?.write('idle', 0);
      member.idle();
    },
    workersMoved(): void {
      if (tape === undefined) return member.workersMoved();
      tape.attempt(() => {
        const before = member.clock;
        member.workersMoved();
        return member.clock > before;
      });
    },
  };
}

/** The member of a host's run, with what is around it; `tape` records what it is told. */
export function openMember(
  stage: Stage,
  cluster: ClusterPlan,
  network: Network,
  tuning: MemberTuning = {},
  tape?: MailboxTape,
) {
  const outbox = new Outbox(network, {
    bytesPerSecond: cluster.sending.bytesPerSecond,
    burstBytes: tuning.burstBytes,
    nowMs: stage.nowMs,
  });
  const recorded = tape && {
    send: outbox.send.bind(outbox),
    hasRoom(to: number) {
      const has = outbox.hasRoom(to);
      tape.write(has ? 'yes' : 'no', 0);
      return has;
    },
    get isEmpty() {
      return outbox.isEmpty;
    },
  };
  const hostClock = (finished: number) => {
    if (finished > member.clock) tape?.write('clock', finished);
    return finished;
  };
  const ports = { network, outbox: recorded ?? outbox, hostClock };
  const { member, takeWants, store } = openMemberOver(stage, cluster, ports, tuning);
  const inputs = inputsOf(member, tape);
  return { member, inputs, outbox, store, takeWants: () => takeWants(inputs.want) };
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
  const tape = plan.tickets && recordMailbox();
  const opened = openMember(stage, cluster, network, {}, tape);
  const { member, inputs, outbox, takeWants, store } = opened;
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
      packet: (from, packet) => guarded(() => inputs.packet(from, packet)),
      room: (to) => guarded(() => inputs.room(to)),
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
        inputs.workersMoved();
        for (const to of outbox.tick()) inputs.room(to);
      });
      if (fault !== undefined) throw fromFault(fault);
      const clocks = control.minClock();
      const tableBytes = store.bytesSent;
      if (control.stopped()) return { clocks, stopped: true, tableBytes };
      if (member.finished) {
        return { clocks, stopped: false, tableBytes, ...(tape && { inputs: tape.bytes() }) };
      }
      const sleepMs = cluster.sending.early ? idleMs : limits.gateWaitMs;
      const until = Math.min(sleepMs, Math.max(1, outbox.waitMs ?? sleepMs));
      const wake = waitAsync(arena.i32, control.tick.cell, seen, until);
      const why = wake.async ? await wake.value : 'ok';
      quietMs = why === 'timed-out' ? quietMs + until : 0;
      if (cluster.sending.early && quietMs >= idleMs) guarded(() => inputs.idle());
    }
  } catch (thrown) {
    member.fail(toFault(thrown));
    throw thrown;
  } finally {
    link.end();
  }
}
