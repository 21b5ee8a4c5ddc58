// The shard: what a host owns of the tables, as a pure machine. It decides when a batch is applied,
// whose reads wait, and which rows are pushed to whom. Bytes are the caller's.
//
//   host ── batch {epoch, clock} ──▶ owner     apply; rows become dirty for whoever holds them
//   host ◀── values {clock, includes} ── owner     when the clocks of all others have advanced
//   host ── ask {rows, required} ──▶ owner     from now on it holds the rows; parked until then
//
// Values for host h need the clocks of the hosts other than h: its own it adds itself (client.ts).
// In an ordered run (bulk-synchronous) batches are held until all hosts' are here and are applied
// in rank order, so that sums do not depend on who was first.
import { assert } from '../base/assert.ts';
import { RowSet, type RowList } from './row-set.ts';
import { VectorClock } from './vector-clock.ts';

export type ShardTable = {
  readonly rows: number;
  readonly held: boolean;
  /** Hosts hold some rows at a time, at the end too. */
  readonly bounded?: boolean;
};

export type ShardConfig = {
  readonly rank: number;
  readonly size: number;
  /** Rows of each table, all hosts' together, and whether every host holds them all. */
  readonly tables: readonly ShardTable[];
  /** Pushes as clocks advance; else only answers. */
  readonly eager: boolean;
  /** Pushes whatever has changed, clocks or not. */
  readonly asynchronous: boolean;
  readonly ordered: boolean;
  /** Batches that a client keeps at most: half of them are confirmed when nothing else is said. */
  readonly epochsMax: number;
  /** Clocks of the run: after the last, everyone gets all rows that ever changed. */
  readonly clocks: number;
};

export type Ask = {
  readonly from: number;
  readonly id: number;
  readonly table: number;
  readonly rows: RowList | 'all';
  readonly required: number;
};

export type ShardInput =
  /** A part of a batch; `last` when the batch is whole. From the own rank: it was cut. */
  | {
      readonly kind: 'batch';
      readonly from: number;
      readonly epoch: number;
      readonly clock: number;
      readonly last: boolean;
      /** Its sender has changed nothing, in the rows of any owner. */
      readonly silent?: boolean;
    }
  /** Rows that an applied part changed. */
  | {
      readonly kind: 'touched';
      readonly from: number;
      readonly table: number;
      readonly rows: RowList;
    }
  | ({ readonly kind: 'ask' } & Ask)
  /** The cache of `from` has given rows up. */
  | { readonly kind: 'drop'; readonly from: number; readonly table: number; readonly rows: RowList }
  /** The link to `to` is full, or has room again. */
  | { readonly kind: 'full' | 'room'; readonly to: number }
  /** Nothing else to send: what is dirty may go early. */
  | { readonly kind: 'idle' };

export type PushedRows = { readonly table: number; readonly rows: RowSet };

export type ShardOutput =
  /** Apply this part now. */
  | { readonly kind: 'apply'; readonly from: number }
  /** Keep this part. */
  | { readonly kind: 'hold'; readonly from: number; readonly epoch: number }
  /** Apply all kept parts of this epoch, by rank, each rank's in the order in which they came. */
  | { readonly kind: 'applyHeld'; readonly epoch: number }
  /** Nobody has changed anything in this clock: everyone knows, and no values are sent. */
  | { readonly kind: 'quiet'; readonly clock: number }
  | {
      readonly kind: 'push';
      readonly to: number;
      readonly clock: number;
      readonly includes: number;
      readonly answers: readonly number[];
      readonly rows: readonly PushedRows[];
      /** Everyone has finished: nothing more is pushed to `to`. */
      readonly final: boolean;
    }
  /** The own rows have these clocks in them, of all hosts that own reads wait for. */
  | { readonly kind: 'clock'; readonly clock: number };

type Holder = {
  /** By table: rows whose changes it is told; undefined: all. */
  readonly held: (RowSet | undefined)[];
  readonly dirty: RowSet[];
  readonly parked: Ask[];
  pushedClock: number;
  pushedEpoch: number;
  /** In the middle of a batch of several parts: its values cannot say what they include. */
  open: boolean;
  full: boolean;
  final: boolean;
};

export class Shard {
  readonly #config: ShardConfig;
  readonly #clocks: VectorClock;
  readonly #epochs: number[];
  readonly #holders: readonly Holder[];
  readonly #changed: RowSet[] = [];
  readonly #tables: ShardTable[] = [];
  /** Of an ordered run: the last epoch that was applied, and later ones that have deltas. */
  #applied = 0;
  readonly #loud = new Set<number>();

  constructor(config: ShardConfig) {
    const { size, tables } = config;
    this.#config = config;
    this.#clocks = new VectorClock(size);
    this.#epochs = new Array<number>(size).fill(0);
    this.#holders = Array.from({ length: size }, () => ({
      ...{ held: [], dirty: [], parked: [] },
      ...{ pushedClock: 0, pushedEpoch: 0, open: false, full: false, final: false },
    }));
    for (const table of tables) this.addTable(table);
  }

  /** One more table, which nobody has written yet. */
  addTable(table: ShardTable): void {
    this.#tables.push(table);
    this.#changed.push(new RowSet(table.rows));
    for (const { held, dirty } of this.#holders) {
      held.push(table.held ? undefined : new RowSet(table.rows));
      dirty.push(new RowSet(table.rows));
    }
  }

  step(input: ShardInput): readonly ShardOutput[] {
    switch (input.kind) {
      case 'batch':
        return this.#batch(input);
      case 'touched':
        this.#touch(input.from, input.table, input.rows);
        return [];
      case 'ask':
        return this.#ask(input);
      case 'drop': {
        const held = this.#holder(input.from).held[input.table];
        const dirty = this.#holder(input.from).dirty[input.table];
        if (held !== undefined) removeList(held, input.rows);
        if (dirty !== undefined) removeList(dirty, input.rows);
        return [];
      }
      case 'full':
        this.#holder(input.to).full = true;
        return [];
      case 'room':
        this.#holder(input.to).full = false;
        return this.#pushTo(input.to, false);
      case 'idle':
        return this.#others().flatMap((to) => this.#pushTo(to, true));
    }
  }

  /** Clocks of every host that the own rows have in them. */
  get clock(): number {
    return this.#clocks.min();
  }

  /** Everyone has got its last values. */
  get finished(): boolean {
    return this.#others().every((to) => this.#holder(to).final);
  }

  /** The host whose clock is furthest behind, for messages about who is waited for. */
  get slowest(): { readonly rank: number; readonly clock: number } {
    const clock = this.#clocks.min();
    const ranks = Array.from({ length: this.#config.size }, (_, rank) => rank);
    return { rank: ranks.find((rank) => this.#clocks.at(rank) === clock) ?? 0, clock };
  }

  toString(): string {
    const parked = this.#holders.flatMap(({ parked: asks }) => asks.map(({ id }) => id));
    const dirty = this.#holders
      .map((holder, to) => `${to}:${holder.dirty.map(String).join('')}`)
      .filter((_, to) => to !== this.#config.rank);
    const waiting = parked.length > 0 ? ` parked=${parked.join(',')}` : '';
    const epochs = this.#epochs.join(' ');
    const clocks = this.#clocks.toString();
    return `clocks=${clocks} epochs=[${epochs}] dirty ${dirty.join(' ')}${waiting}`;
  }

  #holder(rank: number): Holder {
    const holder = this.#holders[rank];
    assert(holder !== undefined, 'the host takes part');
    return holder;
  }

  #others(): readonly number[] {
    return this.#holders.flatMap((_, rank) => (rank === this.#config.rank ? [] : [rank]));
  }

  /** Clocks that values for `to` promise: of all others; in an ordered run, of all. */
  #clockFor(to: number): number {
    return this.#config.ordered ? this.#clocks.min() : this.#clocks.minExcept(to);
  }

  #batch(input: Extract<ShardInput, { kind: 'batch' }>): readonly ShardOutput[] {
    const { from, epoch, clock, last, silent = false } = input;
    const { rank, ordered } = this.#config;
    assert(epoch === (this.#epochs[from] ?? 0) + 1, 'batches arrive once and in order');
    const outputs: ShardOutput[] = [];
    if (ordered) outputs.push({ kind: 'hold', from, epoch });
    else if (from !== rank) outputs.push({ kind: 'apply', from });
    const holder = this.#holder(from);
    holder.open = !last;
    if (!last) return outputs;
    this.#epochs[from] = epoch;
    this.#clocks.advance(from, clock);
    if (ordered) {
      if (!silent) this.#loud.add(epoch);
      // After a quiet clock, a host may be a batch ahead of one that has not heard of all.
      if (Math.min(...this.#epochs) === this.#applied) return outputs;
      this.#applied += 1;
      outputs.push({ kind: 'applyHeld', epoch: this.#applied });
      if (!this.#loud.delete(this.#applied)) outputs.push(...this.#beQuiet());
    }
    outputs.push({ kind: 'clock', clock: this.#clockFor(rank) });
    return outputs;
  }

  /** What a push would say, all know already. */
  #beQuiet(): readonly ShardOutput[] {
    const clock = this.#clocks.min();
    for (const holder of this.#holders) {
      holder.pushedClock = clock;
      holder.pushedEpoch = this.#applied;
    }
    return [{ kind: 'quiet', clock }];
  }

  /**
   * What is to be sent now. Asked after the outputs of `batch` were carried out, for only then is
   * it known which rows they changed.
   */
  pushes(): readonly ShardOutput[] {
    return this.#others().flatMap((to) => this.#pushTo(to, false));
  }

  #touch(from: number, table: number, rows: RowList): void {
    this.#changed[table]?.addList(rows);
    this.#holders.forEach((holder, to) => {
      if (to === this.#config.rank) return;
      // Who sent the deltas has them in its cache; in an ordered run only the owner's sum counts.
      if (to === from && !this.#config.ordered) return;
      const held = holder.held[table];
      const dirty = holder.dirty[table];
      assert(dirty !== undefined, 'the table is of the run');
      if (held === undefined) dirty.addList(rows);
      else addHeld(dirty, held, rows);
    });
  }

  #ask(ask: Ask): readonly ShardOutput[] {
    const holder = this.#holder(ask.from);
    const dirty = holder.dirty[ask.table];
    assert(dirty !== undefined, 'the table is of the run');
    const held = holder.held[ask.table];
    if (held !== undefined && ask.rows !== 'all') {
      addMissing(dirty, held, ask.rows, this.#changed[ask.table]);
      held.addList(ask.rows);
    }
    holder.parked.push(ask);
    return this.#pushTo(ask.from, false);
  }

  #pushTo(to: number, early: boolean): readonly ShardOutput[] {
    const { eager, asynchronous, clocks, epochsMax } = this.#config;
    const holder = this.#holder(to);
    if (holder.full || holder.open || holder.final) return [];
    const clock = this.#clockFor(to);
    const includes = this.#epochs[to] ?? 0;
    const finished = this.#clocks.min() >= clocks;
    const ready = holder.parked.filter(({ required }) => clock >= required);
    const moved = clock > holder.pushedClock || includes > holder.pushedEpoch;
    // A client keeps what is not confirmed, and stands still when it has kept its most.
    const confirms = includes >= holder.pushedEpoch + Math.ceil(epochsMax / 2);
    const changed = () => holder.dirty.some((rows) => !rows.isEmpty());
    const due =
      finished ||
      ready.length > 0 ||
      (eager ? clock > holder.pushedClock || confirms : moved) ||
      ((asynchronous || early) && eager && changed());
    if (!due) return [];
    for (const ask of ready) holder.parked.splice(holder.parked.indexOf(ask), 1);
    const rows = finished ? this.#lastRows(holder) : this.#takeDirty(holder, eager ? 'all' : ready);
    holder.pushedClock = clock;
    holder.pushedEpoch = includes;
    // Without eager pushes only an answer says how fresh the rows are that it carries.
    const said = eager || ready.length > 0 || finished ? clock : -1;
    const answers = ready.map(({ id }) => id);
    holder.final = finished;
    return [{ kind: 'push', to, clock: said, includes, answers, rows, final: finished }];
  }

  /** All rows that ever changed; of bounded tables those that the holder has. */
  #lastRows(holder: Holder): readonly PushedRows[] {
    return this.#changed.map((changed, table) => {
      const rows = copyOf(changed);
      const held = holder.held[table];
      if (held !== undefined && this.#tables[table]?.bounded === true) rows.keep(held);
      return { table, rows };
    });
  }

  #takeDirty(holder: Holder, of: 'all' | readonly Ask[]): readonly PushedRows[] {
    const taken: PushedRows[] = [];
    holder.dirty.forEach((dirty, table) => {
      if (dirty.isEmpty()) return;
      const rows = copyOf(dirty);
      if (of !== 'all') {
        const asked = new RowSet(rows.rows);
        for (const ask of of) {
          if (ask.table !== table) continue;
          asked.addList(ask.rows === 'all' ? { first: 0, count: rows.rows } : ask.rows);
        }
        rows.keep(asked);
        for (const row of rows.toRows()) dirty.delete(row);
      } else dirty.clear();
      if (!rows.isEmpty()) taken.push({ table, rows });
    });
    return taken;
  }
}

function copyOf(set: RowSet): RowSet {
  const copy = new RowSet(set.rows);
  copy.addAll(set);
  return copy;
}

function eachRow(list: RowList, act: (row: number) => void): void {
  if ('rows' in list) list.rows.forEach(act);
  else for (let row = list.first; row < list.first + list.count; row++) act(row);
}

function removeList(set: RowSet, list: RowList): void {
  eachRow(list, (row) => set.delete(row));
}

/** dirty ← dirty ∪ (rows ∩ held). */
function addHeld(dirty: RowSet, held: RowSet, list: RowList): void {
  eachRow(list, (row) => {
    if (held.has(row)) dirty.add(row);
  });
}

/** Rows that the holder sees for the first time: it needs them if they ever changed. */
function addMissing(dirty: RowSet, held: RowSet, list: RowList, changed?: RowSet): void {
  eachRow(list, (row) => {
    if (!held.has(row) && (changed?.has(row) ?? true)) dirty.add(row);
  });
}
