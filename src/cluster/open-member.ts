// A member over the tables, control words and mailboxes of its host; and, of a recorded run, what
// reaches it taken down on a tape (src/record).
import { limits } from '../base/limits.ts';
import { ringAt } from '../memory/layout.ts';
import { receiver, type Wanted } from '../mailbox/messages.ts';
import type { Network, Packet } from '../mailbox/network.ts';
import { openRingReader } from '../mailbox/ring.ts';
import type { Stage } from '../program/context.ts';
import { isEager } from '../program/freshness-gate.ts';
import type { ClusterPlan } from '../program/plan.ts';
import type { MailboxTape } from '../record/mailbox-tape.ts';
import type { Machines } from './machines.ts';
import { Member, type MemberOutbox, type Want } from './member.ts';
import { Outbox } from './outbox.ts';
import { openStore, shardTableOf } from './store.ts';

/** Batches in flight: a clock each, and some that went early. */
const epochsSpare = 8;
/** Sizes that a simulation makes small, so that a short run meets them, and machines of its own. */
export type MemberTuning = {
  readonly epochsSpare?: number;
  readonly earlyBytes?: number;
  readonly burstBytes?: number;
  readonly machines?: Machines;
};

/** What a member sees of the world around its host. */
export type MemberPorts = {
  readonly network: Pick<Network, 'rank' | 'size' | 'send'>;
  readonly outbox: MemberOutbox;
  /** Clocks that all workers of the host have finished; those of the control words if absent. */
  readonly hostClock?: (finished: number) => number;
  /** Clocks that they have finished, all together; likewise. */
  readonly foldedClocks?: (folded: number) => number;
};

const same = (value: number): number => value;

/** A member over the tables and control words of its host. */
export function openMemberOver(
  stage: Stage,
  cluster: ClusterPlan,
  { network, outbox, hostClock = same, foldedClocks = same }: MemberPorts,
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
        hostClock: () => hostClock(plan.lockStep ? control.minPushed() : control.minClock()),
        foldedClocks: () => foldedClocks(control.foldedClocks()),
        wake: () => control.wake(),
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
  const foldedClocks = (folded: number) => {
    tape?.write('folded', folded);
    return folded;
  };
  const ports = { network, outbox: recorded ?? outbox, hostClock, foldedClocks };
  const { member, takeWants, store } = openMemberOver(stage, cluster, ports, tuning);
  const inputs = inputsOf(member, tape);
  return { member, inputs, outbox, store, takeWants: () => takeWants(inputs.want) };
}
