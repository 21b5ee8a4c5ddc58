// A host's mailbox in a run of a scheduled program: the scheduler is on rank 0, workers are on all
// hosts, and what they say to each other passes here, with the bytes that they share.
//
//   scheduler ─ring─▶ ┌─────────┐ ══ shared, work, end ══▶ ┌─────────┐ ─ring─▶ worker
//             ◀─ring─ │ rank 0  │ ◀═ shared, report ══════ │ rank r  │ ◀─ring─
//                     └─────────┘                          └─────────┘
//
// What a thread says is passed on in its order, so bytes are in place before the work that needs
// them. Between two hosts neither of which is rank 0 that takes an answer:
//
//   rank i ══ shared … flush ══▶ rank j ══ flushed ══▶ rank i ══ report ══▶ rank 0
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import type {
  Assignment,
  Order,
  Receiver,
  Report,
  Reported,
  Said,
  Sender,
} from '../mailbox/messages.ts';
import type { Packet } from '../mailbox/network.ts';
import type { ClusterPlan } from '../program/plan.ts';
import { everyone } from '../program/sharing.ts';
import type { Part, Spaces } from '../program/spaces.ts';
import type { RelayMessage, RelayMessageBody } from './messages.ts';
import type { Outbox } from './outbox.ts';

export type RelayPorts = {
  readonly cluster: ClusterPlan;
  readonly outbox: Pick<Outbox, 'send' | 'hasRoom' | 'waitMs'>;
  /** Writes what others shared: not while a push copies it, where pushes run meanwhile. */
  exclusively(write: () => void): void;
  /** The host's memory, and what lies where in it. */
  readonly memory: Uint8Array;
  readonly spaces: Spaces;
  /** Tables come first among the spaces; their bytes are counted. */
  readonly tables: number;
  /** The rings of this host's workers. */
  readonly workers: readonly {
    readonly inbox: Sender<Assignment>;
    readonly said: Receiver<Said>;
  }[];
  /** The scheduler's rings, on rank 0. */
  readonly scheduler:
    { readonly inbox: Sender<Reported>; readonly orders: Receiver<Order> } | undefined;
  wake(): void;
};

/** Yields while it cannot go on: nothing is there to pass on, or no room to send it. */
type Passing = Generator<void, void>;

export class Relay {
  /** Bytes of tables that were sent, by table. */
  readonly bytesSent: number[];
  readonly #ports: RelayPorts;
  readonly #passing: readonly Passing[];
  /** For the scheduler, once its ring has room. */
  readonly #reports: Reported[] = [];
  /** Assignments that a worker's ring had no room for yet, by worker of this host. */
  readonly #assigned: readonly Assignment[][];
  /** Rank 0: clocks of work that was handed out and not reported, oldest first, by worker. */
  readonly #out = new Map<number, number[]>();
  /** Ranks that have not said yet that they have what a worker shared, by worker. */
  readonly #unflushed = new Map<number, Set<number>>();
  #clock = 0;
  #ended = false;
  #pumping = false;

  constructor(ports: RelayPorts) {
    this.#ports = ports;
    this.bytesSent = new Array<number>(ports.tables).fill(0);
    const { cluster, workers, scheduler } = ports;
    this.#assigned = workers.map(() => []);
    const said = workers.map((ring, worker) =>
      this.#passSaid(ring.said, cluster.firstWorker + worker),
    );
    this.#passing = scheduler ? [this.#passOrders(scheduler.orders), ...said] : said;
  }

  /** Clocks that this host has seen; all of the run in the end. */
  get clocks(): number {
    return this.#clock;
  }

  /** The schedule has ended, and everyone has been sent what is theirs. */
  get finished(): boolean {
    const handed = this.#assigned.every((waiting) => waiting.length === 0);
    return this.#ended && handed && this.#ports.outbox.waitMs === undefined;
  }

  /** What this host is waiting for, in words, for the message when it waits in vain. */
  get waitingFor(): string {
    for (const [worker, ranks] of this.#unflushed) {
      const [rank] = ranks;
      if (rank !== undefined) {
        return `rank ${rank} to take what worker ${worker} shared at clock ${this.#clock}`;
      }
    }
    const [out] = this.#out;
    if (out === undefined) return `the schedule of clock ${this.#clock} from rank 0`;
    const [worker, [clock]] = out;
    return `the report of worker ${worker} on rank ${this.#rankOf(worker)} at clock ${clock}`;
  }

  /** Something may go on: a ring has been written to, or a link has room. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (const passing of this.#passing) passing.next();
      this.#handAssigned();
      this.#handReports();
    } finally {
      this.#pumping = false;
    }
  }

  /** A packet of this run from another host. */
  packet(from: number, packet: Packet): void {
    const message = packet.header as RelayMessage;
    switch (message.kind) {
      case 'shared':
        this.#place(message.parts, packet.payload);
        break;
      case 'flush':
        this.#send(from, { kind: 'flushed', worker: message.worker });
        break;
      case 'flushed':
        this.#unflushed.get(message.worker)?.delete(from);
        break;
      case 'work':
        this.#assign(message);
        break;
      case 'report':
        this.#report(message);
        break;
      case 'end':
        this.#end(message.clocks);
        break;
    }
    this.pump();
  }

  *#passOrders(orders: Receiver<Order>): Passing {
    for (;;) {
      const order = orders.take();
      if (order === undefined) yield;
      else if (order.kind === 'work') this.#assign(order);
      else if (order.kind === 'shared') {
        yield* this.#share(order.to === everyone ? this.#others() : [order.to], order.parts);
      } else {
        for (const to of this.#others()) this.#send(to, order);
        this.#end(order.clocks);
      }
    }
  }

  *#passSaid(ring: Receiver<Said>, worker: number): Passing {
    const third = new Set<number>();
    for (;;) {
      const said = ring.take();
      if (said === undefined) yield;
      else if (said.kind === 'shared') {
        yield* this.#share([said.to], said.parts);
        // Rank 0 has it before the report that follows, the others may not.
        if (said.to !== 0) third.add(said.to);
      } else {
        this.#unflushed.set(worker, new Set(third));
        for (const to of third) this.#send(to, { kind: 'flush', worker });
        third.clear();
        while ((this.#unflushed.get(worker)?.size ?? 0) > 0) yield;
        this.#unflushed.delete(worker);
        this.#passReport(worker, said);
      }
    }
  }

  #passReport(worker: number, { clock, partial, pushMs }: Report): void {
    const report = { worker, clock, partial, pushMs };
    if (this.#ports.cluster.rank === 0) this.#report(report);
    else this.#send(0, { kind: 'report', ...report });
  }

  /** Sends parts in packets of limits.wireBytes at most, as links have room. */
  *#share(ranks: readonly number[], numbers: readonly number[]): Passing {
    const { outbox, memory, spaces } = this.#ports;
    const packet: { parts: Part[]; bytes: number } = { parts: [], bytes: 0 };
    const send = () => {
      const payload = new Uint8Array(packet.bytes);
      let at = 0;
      for (const part of packet.parts) {
        const from = spaces.at(part);
        payload.set(memory.subarray(from, from + part.bytes), at);
        at += part.bytes;
      }
      const parts = packet.parts.flatMap(({ space, from, bytes }) => [space, from, bytes]);
      for (const to of ranks) this.#send(to, { kind: 'shared', parts }, payload);
      packet.parts.length = 0;
      packet.bytes = 0;
    };
    for (const whole of partsOf(numbers)) {
      this.#count(whole, ranks.length);
      for (let done = 0; done < whole.bytes;) {
        const bytes = Math.min(whole.bytes - done, limits.wireBytes - packet.bytes);
        packet.parts.push({ space: whole.space, from: whole.from + done, bytes });
        packet.bytes += bytes;
        done += bytes;
        if (packet.bytes < limits.wireBytes) continue;
        while (!ranks.every((to) => outbox.hasRoom(to))) yield;
        send();
      }
    }
    if (packet.bytes > 0) send();
  }

  #count({ space, bytes }: Part, times: number): void {
    if (space < this.bytesSent.length) this.bytesSent[space]! += bytes * times;
  }

  #place(numbers: readonly number[], payload: Uint8Array): void {
    const { memory, spaces } = this.#ports;
    this.#ports.exclusively(() => {
      let at = 0;
      for (const part of partsOf(numbers)) {
        assert(at + part.bytes <= payload.length, 'a packet has the bytes that it names');
        memory.set(payload.subarray(at, at + part.bytes), spaces.at(part));
        at += part.bytes;
      }
    });
  }

  #assign(order: {
    readonly worker: number;
    readonly clock: number;
    readonly work: unknown;
  }): void {
    const { rank, firstWorker } = this.#ports.cluster;
    const { worker, clock, work } = order;
    const to = this.#rankOf(worker);
    this.#clock = clock;
    if (rank === 0) this.#out.set(worker, [...(this.#out.get(worker) ?? []), clock]);
    if (to === rank) this.#hand(worker - firstWorker, { kind: 'work', clock, work });
    else this.#send(to, { kind: 'work', worker, clock, work });
  }

  #hand(worker: number, assignment: Assignment): void {
    this.#assigned[worker]?.push(assignment);
    this.#handAssigned();
  }

  /** At most as many wait as may be in flight: what a full ring refuses, it takes later. */
  #handAssigned(): void {
    let handed = false;
    this.#assigned.forEach((waiting, worker) => {
      const inbox = this.#ports.workers[worker]?.inbox;
      while (waiting[0] !== undefined && inbox?.offer(waiting[0]) === true) {
        waiting.shift();
        handed = true;
      }
    });
    if (handed) this.#ports.wake();
  }

  #end(clocks: number): void {
    this.#clock = clocks;
    this.#ended = true;
    this.#ports.workers.forEach((_, worker) => this.#hand(worker, { kind: 'end' }));
  }

  #report({ worker, clock, partial, pushMs }: Reported): void {
    const [, ...out] = this.#out.get(worker) ?? [];
    if (out.length > 0) this.#out.set(worker, out);
    else this.#out.delete(worker);
    this.#reports.push({ worker, clock, partial, pushMs });
  }

  #handReports(): void {
    const inbox = this.#ports.scheduler?.inbox;
    let handed = false;
    for (let next = this.#reports[0]; next !== undefined; next = this.#reports[0]) {
      if (inbox?.offer(next) !== true) break;
      this.#reports.shift();
      handed = true;
    }
    if (handed) this.#ports.wake();
  }

  #rankOf(worker: number): number {
    const { hosts } = this.#ports.cluster;
    return hosts.findIndex(({ first, last }) => first <= worker && worker < last);
  }

  #others(): readonly number[] {
    const { rank, size } = this.#ports.cluster;
    return Array.from({ length: size }, (_, to) => to).filter((to) => to !== rank);
  }

  #send(to: number, body: RelayMessageBody, payload: Uint8Array = new Uint8Array(0)): void {
    const header: RelayMessage = { ...body, run: this.#ports.cluster.run };
    this.#ports.outbox.send(to, { header, payload });
  }
}

function* partsOf(numbers: readonly number[]): Generator<Part> {
  for (let i = 0; i < numbers.length; i += 3) {
    const [space = 0, from = 0, bytes = 0] = numbers.slice(i, i + 3);
    yield { space, from, bytes };
  }
}
