// Virtual time: a queue of events, done one after the other on one thread. A simulation that lasts
// an hour takes as long as its events take. Events of the same instant happen in the order in which
// they were asked for, so a run is a function of its inputs.
//
// Two kinds of events. Background ones (heartbeats, faults to come) keep nothing going by
// themselves, as timers do that are unref'd. A run is over when no foreground event is left and
// nobody who keeps watch says that something is still to happen.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';

/** How a host's own clock runs: hostMs = offsetMs + (1 + drift) · virtual ms. */
export type ClockSkew = { readonly offsetMs: number; readonly drift: number };

/** Time as one host sees it. Durations are in the host's ms, which its drift makes longer. */
export type HostClock = {
  nowMs(): number;
  /** The virtual moment at which this clock shows `hostMs`. */
  virtualMs(hostMs: number): number;
};

/** An event to come. `cancel` makes it not happen; it may be called at any time. */
export type VirtualEvent = { readonly timeMs: number; cancel(): void };

type Entry = {
  readonly timeMs: number;
  readonly order: number;
  readonly what: string;
  readonly background: boolean;
  act: (() => void) | undefined;
};

export type VirtualTimeOptions = {
  /** A run with more events is a livelock. */
  readonly eventsMax?: number;
};

const defaultEventsMax = 10_000_000;
/** Events that a livelock is described with. */
const namedEvents = 12;

function before(a: Entry, b: Entry): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
}

export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  #done = 0;
  #foreground = 0;
  readonly #eventsMax: number;
  readonly #heap: Entry[] = [];
  readonly #recent: string[] = [];
  readonly #watches: (() => boolean)[] = [];
  readonly #skews = new Map<number, ClockSkew>();

  constructor({ eventsMax = defaultEventsMax }: VirtualTimeOptions = {}) {
    this.#eventsMax = eventsMax;
  }

  /** Virtual ms since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have happened. */
  get events(): number {
    return this.#done;
  }

  /** Nothing is left but background events that change nothing. */
  get idle(): boolean {
    return this.#foreground === 0 && !this.#watches.some((restless) => restless());
  }

  /** Keeps runs going while `restless` says so; asked when only background events are left. */
  watch(restless: () => boolean): void {
    this.#watches.push(restless);
  }

  /** `act` happens at `timeMs`, or now when that is past. `what` names it where runs go wrong. */
  at(timeMs: number, what: string, act: () => void): VirtualEvent {
    return this.#push(timeMs, what, { act, background: false });
  }

  /** `act` happens `delayMs` from now. */
  after(delayMs: number, what: string, act: () => void): VirtualEvent {
    return this.#push(this.#nowMs + delayMs, what, { act, background: false });
  }

  /** As `at`, but the run does not go on for its sake. */
  backgroundAt(timeMs: number, what: string, act: () => void): VirtualEvent {
    return this.#push(timeMs, what, { act, background: true });
  }

  /** Sets how the clock of `host` runs, from the start. */
  skew(host: number, skew: ClockSkew): void {
    assert(skew.drift > -1, 'a clock goes forwards');
    this.#skews.set(host, skew);
  }

  clockOf(host: number): HostClock {
    const skew = () => this.#skews.get(host) ?? { offsetMs: 0, drift: 0 };
    return {
      nowMs: () => skew().offsetMs + (1 + skew().drift) * this.#nowMs,
      virtualMs: (hostMs) => (hostMs - skew().offsetMs) / (1 + skew().drift),
    };
  }

  /** Runs until `idle`. Returns the events that happened. */
  runUntilIdle(): number {
    return this.runWhile(() => true);
  }

  /** Runs everything up to and at `timeMs`, background too; `nowMs` is `timeMs` after it. */
  runUntil(timeMs: number): number {
    const first = this.#done;
    for (let top = this.#top(); top && top.timeMs <= timeMs; top = this.#top()) this.#step();
    this.#nowMs = Math.max(this.#nowMs, timeMs);
    return this.#done - first;
  }

  /** Runs while `wanted`, asked before each event, and not `idle`. */
  runWhile(wanted: () => boolean): number {
    const first = this.#done;
    while (!this.idle && this.#top() && wanted()) this.#step();
    return this.#done - first;
  }

  #push(timeMs: number, what: string, entry: Pick<Entry, 'act' | 'background'>): VirtualEvent {
    assert(!Number.isNaN(timeMs), 'a time is a number');
    const { act, background } = entry;
    const order = this.#order++;
    const at = Math.max(timeMs, this.#nowMs);
    const added: Entry = { timeMs: at, order, what, background, act };
    if (!background) this.#foreground += 1;
    this.#raise(added);
    return { timeMs: at, cancel: () => this.#cancel(added) };
  }

  /** A cancelled entry stays in the heap, without its act, until its time comes. */
  #cancel(entry: Entry): void {
    if (entry.act === undefined) return;
    entry.act = undefined;
    if (!entry.background) this.#foreground -= 1;
  }

  #top(): Entry | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined || top.act !== undefined) return top;
      this.#pop();
    }
  }

  #step(): void {
    const entry = this.#top();
    assert(entry !== undefined, 'there is an event to do');
    this.#pop();
    this.#nowMs = entry.timeMs;
    const { act } = entry;
    entry.act = undefined;
    if (!entry.background) this.#foreground -= 1;
    this.#done += 1;
    if (this.#done > this.#eventsMax - namedEvents) this.#recent.push(entry.what);
    if (this.#done > this.#eventsMax) this.#livelock();
    act?.();
  }

  #livelock(): never {
    const last = this.#recent.slice(-namedEvents).join(', ');
    const rule = `a simulation has at most ${this.#eventsMax} events`;
    const got = `got more by virtual ms ${this.#nowMs.toFixed(3)}; the last were ${last}`;
    throw new SystemError('ERR_LIMIT', `${rule}, ${got}\nfind what repeats, or raise eventsMax`);
  }

  #raise(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !before(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const goesRight = right !== undefined && before(right, left);
      const child = goesRight ? right : left;
      if (!before(child, last)) break;
      heap[at] = child;
      at = 2 * at + (goesRight ? 2 : 1);
    }
    heap[at] = last;
  }
}
