// The client: a host's cache of rows that others own, as a pure machine. It decides when the host's
// deltas are cut into a batch, which of its own batches have to be added on top of values that
// arrive (read-my-writes), and when a row is fresh enough to read. Bytes are the caller's.
//
//   own deltas   … │ epoch 4 │ epoch 5 │ not cut yet        frozen batches, oldest first
//                  └ included by the owner up to here: 4
//   cached row   = the owner's value (own epochs ≤ 4 in it) + epoch 5 + what is not cut yet
//
// So a value never counts an own delta twice and never loses one, and rounding cannot drift: each
// value that arrives replaces the cached one whole.
import { assert } from '../base/assert.ts';

export type ClientConfig = {
  readonly rank: number;
  readonly size: number;
  /** Tables by number: how many clocks old a row may be is the reader's business, not ours. */
  readonly tables: number;
  /** Pushed by owners as clocks advance (essp, async, bsp), or asked for by reads (ssp). */
  readonly eager: boolean;
  /** Batches that may wait for their inclusion; a clock beyond them waits to be cut. */
  readonly epochsMax: number;
};

export type ClientInput =
  /** All workers of this host have finished `clock` clocks. */
  | { readonly kind: 'clock'; readonly clock: number }
  /** Nothing else to send: a part of the deltas may go early. */
  | { readonly kind: 'idle' }
  /** A worker misses rows of `table`, which the owners `of` have, as of clock `required`. */
  | {
      readonly kind: 'want';
      readonly id: number;
      readonly table: number;
      readonly of: readonly number[];
      /** All rows of the table, rather than some. */
      readonly whole: boolean;
    }
  /** A packet of values; `last` when no more of this push follow. */
  | {
      readonly kind: 'values';
      readonly from: number;
      /** Clocks of every other host that the values have in them; −1 says nothing of clocks. */
      readonly clock: number;
      /** Own batches that they have in them. */
      readonly includes: number;
      /** Wants that they answer. */
      readonly answers: readonly number[];
      readonly last: boolean;
    }
  /** Nobody has changed anything in clock `clock` of an ordered run: there are no values of it. */
  | { readonly kind: 'quiet'; readonly clock: number };

export type ClientOutput =
  /** Cut: numbers the deltas so far as `epoch`, and sends them to their owners with `clock`. */
  | {
      readonly kind: 'cut';
      readonly epoch: number;
      readonly clock: number;
      readonly early: boolean;
    }
  /** Install the values, then add own batches of these epochs and what is not cut on top. */
  | { readonly kind: 'install'; readonly from: number; readonly replay: readonly number[] }
  /** Own batches to `owner` up to `epoch` need not be kept any more. */
  | { readonly kind: 'release'; readonly owner: number; readonly epoch: number }
  /** Reads of `table` now see `clock` clocks of every other host. */
  | { readonly kind: 'visible'; readonly table: number; readonly clock: number }
  /** All that the want asked for is here. */
  | { readonly kind: 'grant'; readonly id: number };

type Want = { readonly table: number; readonly whole: boolean; readonly missing: Set<number> };

export class Client {
  readonly #config: ClientConfig;
  #clock = 0;
  #cutClock = 0;
  #epoch = 0;
  /** By owner: own batches that its values have in them. */
  readonly #included: number[];
  /** By owner: clocks that its last push had. */
  readonly #known: number[];
  /** By table, by owner: clocks of the last answer to a want of the whole table (ssp). */
  readonly #answered: number[][];
  readonly #visible: number[];
  readonly #wants = new Map<number, Want>();

  constructor(config: ClientConfig) {
    const { rank, size, tables } = config;
    this.#config = config;
    // Our own shard never holds us up here: its clock is the shard's to tell.
    const others = (value: number) =>
      Array.from({ length: size }, (_, owner) => (owner === rank ? Infinity : value));
    this.#included = others(0);
    this.#known = others(0);
    this.#answered = Array.from({ length: tables }, () => others(0));
    this.#visible = new Array<number>(tables).fill(0);
  }

  /** One more table, which nobody has written yet: it is as fresh as all that came. */
  addTable(): readonly ClientOutput[] {
    const { rank, size } = this.#config;
    const fresh = Array.from({ length: size }, (_, owner) => (owner === rank ? Infinity : 0));
    this.#answered.push(fresh);
    this.#visible.push(0);
    return this.#moveVisible();
  }

  step(input: ClientInput): readonly ClientOutput[] {
    switch (input.kind) {
      case 'clock':
        assert(input.clock >= this.#clock, 'a clock never goes back');
        this.#clock = input.clock;
        return this.#cut(false);
      case 'idle':
        return this.#cut(true);
      case 'want':
        return this.#want(input);
      case 'values':
        return this.#values(input);
      case 'quiet':
        return this.#quiet(input.clock);
    }
  }

  /** The oldest own batch that some owner has not included; epoch + 1 when there is none. */
  get oldest(): number {
    return Math.min(this.#epoch, ...this.#included) + 1;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The wants that are open, for messages about who waits for what. */
  get wanting(): readonly number[] {
    return [...this.#wants.keys()];
  }

  toString(): string {
    const { rank } = this.#config;
    const list = (values: readonly number[]) => values.filter((_, o) => o !== rank).join(' ');
    const wants = this.#wants.size > 0 ? ` wants=${[...this.#wants.keys()].join(',')}` : '';
    return (
      `clock=${this.#clock} cut=${this.#cutClock} epoch=${this.#epoch} ` +
      `included=[${list(this.#included)}] known=[${list(this.#known)}] ` +
      `visible=[${this.#visible.join(' ')}]${wants}`
    );
  }

  #cut(early: boolean): readonly ClientOutput[] {
    const due = this.#clock > this.#cutClock;
    if (!due && !early) return [];
    // Batches in flight are memory: an owner that does not include them slows us down.
    if (this.#epoch + 1 - this.oldest >= this.#config.epochsMax) return [];
    this.#epoch += 1;
    this.#cutClock = this.#clock;
    return [{ kind: 'cut', epoch: this.#epoch, clock: this.#clock, early: !due }];
  }

  #want(input: Extract<ClientInput, { kind: 'want' }>): readonly ClientOutput[] {
    const { id, table, whole } = input;
    assert(!this.#wants.has(id), 'a want has a number of its own');
    const missing = new Set(input.of.filter((owner) => owner !== this.#config.rank));
    if (missing.size === 0) return [{ kind: 'grant', id }];
    this.#wants.set(id, { table, whole, missing });
    return [];
  }

  #values(input: Extract<ClientInput, { kind: 'values' }>): readonly ClientOutput[] {
    const { from, includes, last, clock, answers } = input;
    assert(from !== this.#config.rank, 'values come from other hosts');
    assert(includes <= this.#epoch, 'an owner includes what was sent');
    assert(includes >= (this.#included[from] ?? 0), 'an owner forgets no batch');
    const replay: number[] = [];
    for (let epoch = includes + 1; epoch <= this.#epoch; epoch++) replay.push(epoch);
    const outputs: ClientOutput[] = [{ kind: 'install', from, replay }];
    if (!last) return outputs;
    if (includes > (this.#included[from] ?? 0)) {
      this.#included[from] = includes;
      outputs.push({ kind: 'release', owner: from, epoch: includes });
    }
    if (this.#config.eager) this.#known[from] = Math.max(this.#known[from] ?? 0, clock);
    for (const id of answers) outputs.push(...this.#answer(id, from, clock));
    outputs.push(...this.#moveVisible());
    // An inclusion may have made room for the clock that waited to be cut.
    outputs.push(...this.#cut(false));
    return outputs;
  }

  #quiet(clock: number): readonly ClientOutput[] {
    const { rank } = this.#config;
    for (const [owner] of this.#known.entries()) {
      if (owner === rank) continue;
      this.#known[owner] = clock;
      this.#included[owner] = this.#epoch;
    }
    return this.#moveVisible();
  }

  #answer(id: number, from: number, clock: number): readonly ClientOutput[] {
    const want = this.#wants.get(id);
    assert(want?.missing.delete(from) === true, 'an answer is to a question');
    const answered = this.#answered[want.table];
    if (want.whole && answered) answered[from] = Math.max(answered[from] ?? 0, clock);
    if (want.missing.size > 0) return [];
    this.#wants.delete(id);
    return [{ kind: 'grant', id }];
  }

  #moveVisible(): readonly ClientOutput[] {
    const outputs: ClientOutput[] = [];
    for (let table = 0; table < this.#visible.length; table++) {
      const clocks = this.#config.eager ? this.#known : (this.#answered[table] ?? []);
      const clock = Math.min(...clocks);
      if (clock <= (this.#visible[table] ?? 0)) continue;
      this.#visible[table] = clock;
      outputs.push({ kind: 'visible', table, clock });
    }
    return outputs;
  }
}
