// A host's part in a run: the client and the shard (pure machines of src/ps) over the host's tables
// and its links to the other hosts. It carries out what they decide, and nothing else; threads,
// sockets and clocks are around it (mailbox-actor.ts), or a simulated world (src/sim).
//
//   workers ── clocks, wants ──▶ ┌────────┐ ── batches, asks ──▶ owners
//                                │ Member │ ◀── values ────────
//   tables  ◀── install, apply ─ └────────┘ ◀── batches, asks ── other clients
import { partOf } from '../base/ranges.ts';
import type { Network, Packet } from '../mailbox/network.ts';
import type { ClientOutput } from '../ps/client.ts';
import type { ShardInput, ShardOutput, ShardTable } from '../ps/shard.ts';
import { machines, type ClientLike, type Machines, type ShardLike } from './machines.ts';
import type { PeerMessage, PeerMessageBody } from './messages.ts';
import type { Outbox } from './outbox.ts';
import { asRows, heldForGood } from './ports.ts';
import type { MemberControl, MemberStore, Payloads, TouchedRows } from './ports.ts';

/** Where packets go. */
export type MemberOutbox = Pick<Outbox, 'send' | 'hasRoom' | 'isEmpty'>;

export type MemberConfig = {
  readonly run: number;
  readonly tables: readonly ShardTable[];
  readonly eager: boolean;
  readonly asynchronous: boolean;
  readonly ordered: boolean;
  readonly clocks: number;
  readonly epochsMax: number;
};

/** Rows that a worker misses. */
export type Want = {
  readonly id: number;
  readonly table: number;
  /** Undefined: all rows. */
  readonly rows: Int32Array | undefined;
  readonly required: number;
};

export class Member {
  readonly #config: MemberConfig;
  readonly #network: Pick<Network, 'rank' | 'size' | 'send'>;
  readonly #store: MemberStore;
  readonly #control: MemberControl;
  readonly #outbox: MemberOutbox;
  readonly #others: readonly number[];
  readonly #client: ClientLike;
  readonly #shard: ShardLike;
  /** Own batches by epoch, by owner: kept until that owner has them in its values. */
  readonly #frozen = new Map<number, Payloads[]>();
  /** Parts of an ordered run's batches, by rank. */
  readonly #held: { readonly epoch: number; readonly payload: Uint8Array }[][];
  readonly #tables: ShardTable[];
  #created = 0;
  readonly #wants = new Map<number, Want>();
  readonly #finalFrom = new Set<number>();
  #clock = 0;
  /** Clocks of workers whose deltas are cut to the last; −1 when some may be left. */
  #cutFolds = -1;
  #told = true;
  #current: Uint8Array = new Uint8Array(0);

  constructor(
    config: MemberConfig,
    ports: {
      readonly network: Pick<Network, 'rank' | 'size' | 'send'>;
      readonly store: MemberStore;
      readonly control: MemberControl;
      readonly outbox: MemberOutbox;
      readonly machines?: Machines | undefined;
    },
  ) {
    this.#config = config;
    this.#tables = [...config.tables];
    this.#network = ports.network;
    this.#store = ports.store;
    this.#control = ports.control;
    this.#outbox = ports.outbox;
    const { rank, size } = ports.network;
    const { tables, eager, asynchronous, ordered, clocks, epochsMax } = config;
    this.#others = Array.from({ length: size }, (_, to) => to).filter((to) => to !== rank);
    const { client, shard } = ports.machines ?? machines;
    this.#client = client({ rank, size, tables: tables.length, eager, epochsMax });
    this.#shard = shard({ rank, size, tables, eager, asynchronous, ordered, clocks, epochsMax });
    this.#held = Array.from({ length: size }, () => []);
  }

  /** Clocks of this host whose deltas have been cut. */
  get clock(): number {
    return this.#clock;
  }

  /** Everyone has finished all clocks, and nobody waits for anything of this host any more. */
  get finished(): boolean {
    const hasAll = this.#finalFrom.size === this.#network.size - 1;
    return hasAll && this.#shard.finished && this.#outbox.isEmpty;
  }

  /** What this host is waiting for, in words, for the message when it waits in vain. */
  get waitingFor(): string {
    const { rank, clock } = this.#shard.slowest;
    const wants = this.#wants.size > 0 ? `, ${this.#wants.size} reads wait` : '';
    return `clock ${clock + 1} of rank ${rank}${wants}`;
  }

  /** What is kept until others have confirmed or sent the rest, in batches and in parts. */
  get kept(): { readonly batches: number; readonly heldParts: number } {
    const heldParts = this.#held.reduce((sum, parts) => sum + parts.length, 0);
    return { batches: this.#frozen.size, heldParts };
  }

  toString(): string {
    return `client ${this.#client.toString()} | shard ${this.#shard.toString()}`;
  }

  /** Workers' clocks may have moved. */
  workersMoved(): void {
    this.#adoptTables();
    this.#tellDrops();
    const clock = this.#control.hostClock();
    if (clock <= this.#clock || !this.#hasRoom()) return;
    this.#clock = clock;
    this.#carryOut(this.#client.step({ kind: 'clock', clock }));
    this.#tellWorkers();
  }

  /** A worker misses rows. */
  want(want: Want): void {
    const { rank, size } = this.#network;
    const { id, table, required } = want;
    this.#adoptTables();
    // An owner must not think that we hold what we now ask for.
    this.#tellDrops();
    const owners = new Map<number, number[]>();
    if (want.rows === undefined) {
      for (const owner of this.#others) owners.set(owner, []);
    } else {
      for (const row of want.rows) {
        const owner = partOf(this.#tables[table]?.rows ?? 0, size, row);
        if (owner === rank) continue;
        const own = owners.get(owner) ?? [];
        owners.set(owner, own);
        own.push(row);
      }
    }
    this.#wants.set(id, want);
    const whole = want.rows === undefined;
    const outputs = this.#client.step({ kind: 'want', id, table, of: [...owners.keys()], whole });
    for (const [to, rows] of owners) {
      const list = Int32Array.from(rows);
      const bytes = new Uint8Array(list.buffer);
      this.#send(to, { kind: 'ask', id, table, required, whole }, bytes);
    }
    this.#carryOut(outputs);
    this.#tellWorkers();
  }

  /** Nothing moves at the moment: early sending may use the time. */
  idle(): void {
    if (!this.#hasRoom() || this.#config.ordered || this.finished) return;
    const hasDeltas = this.#control.foldedClocks() !== this.#cutFolds;
    if (hasDeltas && this.#clock < this.#config.clocks) {
      this.#carryOut(this.#client.step({ kind: 'idle' }));
    }
    this.#serve(this.#shard.step({ kind: 'idle' }));
    this.#tellWorkers();
  }

  room(to: number): void {
    this.#serve(this.#shard.step({ kind: 'room', to }));
    this.workersMoved();
    this.#tellWorkers();
  }

  /** A packet of this run from another host. @throws what its rows are refused for. */
  packet(from: number, packet: Packet): void {
    // Who drives this has seen to it that it is no fault.
    const message = packet.header as Exclude<PeerMessage, { kind: 'fault' }>;
    this.#adoptTables();
    this.#current = packet.payload;
    switch (message.kind) {
      case 'batch': {
        const { epoch, clock, last, silent } = message;
        this.#serve(this.#shard.step({ kind: 'batch', from, epoch, clock, last, silent }));
        if (last) this.#serve(this.#shard.pushes());
        break;
      }
      case 'ask': {
        const { id, table, required, whole } = message;
        const rows = whole ? ('all' as const) : { rows: asRows(packet.payload) };
        this.#serve(this.#shard.step({ kind: 'ask', from, id, table, rows, required }));
        break;
      }
      case 'table':
        this.#store.learnTable(message.index, message.created);
        this.#adoptTables();
        break;
      case 'drop': {
        const { table } = message;
        const rows = { rows: asRows(packet.payload) };
        this.#serve(this.#shard.step({ kind: 'drop', from, table, rows }));
        break;
      }
      case 'values': {
        const { clock, includes, answers, last, final } = message;
        if (last && final) this.#finalFrom.add(from);
        const answered = last ? answers.map((id) => this.#wants.get(id)) : [];
        const values = { kind: 'values', from, clock, includes, answers, last } as const;
        this.#carryOut(this.#client.step(values));
        // Not before: another worker may read a row as soon as it is marked.
        for (const want of answered) this.#markAnswered(want, from, clock);
        break;
      }
    }
    this.#tellWorkers();
  }

  /** Wakes the workers once for all that an input has changed: they would look after each. */
  #tellWorkers(): void {
    if (this.#told) return;
    this.#told = true;
    this.#control.wake();
  }

  /** Takes new tables in, and tells everyone before they hear of rows. */
  #adoptTables(): void {
    for (const { created, table } of this.#store.newTables()) {
      this.#tables.push(table);
      const index = this.#created++;
      for (const to of this.#others) this.#send(to, { kind: 'table', index, created });
      this.#shard.addTable(table);
      this.#carryOut(this.#client.addTable());
    }
    this.#tellWorkers();
  }

  #tellDrops(): void {
    const { size } = this.#network;
    for (const { table, rows } of this.#store.takeDrops()) {
      const total = this.#tables[table]?.rows ?? 0;
      for (const to of this.#others) {
        const list = rows.filter((row) => partOf(total, size, row) === to);
        if (list.length === 0) continue;
        this.#send(to, { kind: 'drop', table }, new Uint8Array(list.buffer));
      }
    }
  }

  #hasRoom(): boolean {
    return this.#others.every((to) => this.#outbox.hasRoom(to));
  }

  #send(to: number, body: PeerMessageBody, payload: Uint8Array = new Uint8Array(0)): void {
    const header: PeerMessage = { ...body, run: this.#config.run };
    this.#outbox.send(to, { header, payload });
  }

  #carryOut(outputs: readonly ClientOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'cut':
          this.#cut(output);
          break;
        case 'install':
          this.#install(output.from, output.replay);
          break;
        case 'release':
          this.#release(output.owner, output.epoch);
          break;
        case 'visible':
          this.#control.setTableClock(output.table, output.clock);
          this.#told = false;
          break;
        case 'grant':
          this.#wants.delete(output.id);
          this.#control.grant(output.id);
          this.#told = false;
          break;
      }
    }
  }

  #cut({ epoch, clock, early }: Extract<ClientOutput, { kind: 'cut' }>): void {
    const { ordered } = this.#config;
    const { rank } = this.#network;
    const folds = this.#control.foldedClocks();
    const { parts, own, silent } = ordered
      ? { ...this.#store.cutOrdered(), own: [] }
      : { ...this.#store.cut({ early, last: clock === this.#config.clocks }), silent: false };
    const isAll = !early || parts.every((payloads) => payloads.length === 0);
    this.#cutFolds = isAll ? folds : -1;
    // An ordered run's cache has no own deltas in it before their owner's sum arrives.
    if (!ordered) this.#frozen.set(epoch, [...parts]);
    for (const to of this.#others) {
      const payloads = parts[to] ?? [];
      const count = Math.max(1, payloads.length);
      for (let i = 0; i < count; i++) {
        const last = i === count - 1;
        this.#send(to, { kind: 'batch', epoch, clock, last, silent }, payloads[i]);
      }
    }
    const whole = { kind: 'batch', from: rank, epoch, clock, last: true, silent } as const;
    this.#serve(this.#shard.step(whole));
    this.#touched(rank, own);
    this.#serve(this.#shard.pushes());
  }

  #install(from: number, replay: readonly number[]): void {
    if (this.#current.length === 0) return;
    const batches = replay.flatMap((epoch) => this.#frozen.get(epoch)?.[from] ?? []);
    this.#store.install(this.#current, from, batches);
  }

  #release(owner: number, epoch: number): void {
    for (const [number, owners] of this.#frozen) {
      if (number > epoch) break;
      owners[owner] = [];
    }
    const { oldest } = this.#client;
    for (const number of [...this.#frozen.keys()]) {
      if (number < oldest) this.#frozen.delete(number);
    }
  }

  #markAnswered(want: Want | undefined, from: number, clock: number): void {
    if (want?.rows === undefined) return;
    const { rows, table } = want;
    const total = this.#tables[table]?.rows ?? 0;
    const own = rows.filter((row) => partOf(total, this.#network.size, row) === from);
    this.#store.markFresh(table, own, this.#config.eager ? heldForGood : clock);
  }

  #touched(from: number, touched: readonly TouchedRows[]): void {
    for (const { table, rows } of touched) {
      this.#shard.step({ kind: 'touched', from, table, rows } satisfies ShardInput);
    }
  }

  #serve(outputs: readonly ShardOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'apply':
          if (this.#current.length > 0) {
            this.#touched(output.from, this.#store.apply(this.#current));
          }
          break;
        case 'hold':
          if (output.from !== this.#network.rank && this.#current.length > 0) {
            const payload = this.#current.slice();
            this.#held[output.from]?.push({ epoch: output.epoch, payload });
          }
          break;
        case 'applyHeld':
          this.#applyHeld(output.epoch);
          break;
        case 'quiet':
          this.#carryOut(this.#client.step({ kind: 'quiet', clock: output.clock }));
          break;
        case 'clock':
          this.#control.setShardClock(output.clock);
          this.#told = false;
          break;
        case 'push':
          this.#push(output);
          break;
      }
    }
  }

  #applyHeld(epoch: number): void {
    this.#held.forEach((parts, rank) => {
      if (rank === this.#network.rank) this.#touched(rank, this.#store.foldOwn());
      while (parts[0]?.epoch === epoch) {
        const part = parts.shift();
        if (part !== undefined) this.#touched(rank, this.#store.apply(part.payload));
      }
    });
  }

  #push(push: Extract<ShardOutput, { kind: 'push' }>): void {
    const { to, clock, includes, answers, final } = push;
    const payloads = this.#store.values(push.rows);
    const count = Math.max(1, payloads.length);
    for (let i = 0; i < count; i++) {
      const last = i === count - 1;
      this.#send(to, { kind: 'values', clock, includes, answers, last, final }, payloads[i]);
    }
    if (!this.#outbox.hasRoom(to)) this.#shard.step({ kind: 'full', to });
  }
}
