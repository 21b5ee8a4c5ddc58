// Connections between simulated hosts, as TCP makes them look: inside one, frames come out in the
// order in which they went in; it may break at any moment, and what was under way is then lost or
// comes late, when the next connection is up already. Each end notices at its own moment.
//
//   write ─▶ sender's line ─▶ latency, jitter, loss ─▶ cut? ─▶ receiver's line ─▶ thread ─▶ frame
//            (bytesPerMs)     (held, in order)         (held)  (bytesPerMs)       (slow, frozen)
//
// A lost segment is sent again by TCP: it costs time, holds up what is behind it, and lowers the
// rate to MSS / RTT · 1.22 / √loss (Mathis et al. 1997).
import { assert } from '../base/assert.ts';
import type { Prng } from '../base/prng.ts';
import { frameBytes, type Frame } from '../mailbox/frame.ts';
import type { FaultPlan } from './faults.ts';
import { Processor } from './processor.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What a host is told of its connections. */
export type Endpoint = {
  /** Does it let `peer` connect? In production the handshake says so. */
  accepts(peer: number): boolean;
  /** A connection that `peer` or this host asked for is there. */
  connected(connection: number, peer: number): void;
  /** The attempt to reach `peer` came to nothing. */
  refused(peer: number): void;
  /** `frame` and its payload are the sender's too: not to be written. */
  frame(connection: number, frame: Frame): void;
  /** Told once. Nothing more comes from this connection. */
  disconnected(connection: number): void;
};

/** One way through a connection. */
type Way = {
  readonly from: number;
  readonly to: number;
  /** Frames under way, and `undefined` for the end; every arrival takes the first. */
  readonly frames: (Frame | undefined)[];
  freeMs: number;
  lastArrivalMs: number;
  heldUntilMs: number;
  /** Nothing more goes in. */
  ended: boolean;
  /** Nothing more comes out: `to` was told, has closed it, or is gone. */
  deaf: boolean;
};

type Connection = { readonly id: number; readonly ways: readonly [Way, Way] };

type Host = {
  endpoint: Endpoint | undefined;
  processor: Processor;
  sendMs: number;
  takeMs: number;
};

const segmentBytes = 1460;
/** TCP waits at least so long before it asks again for a lost last segment. */
const tailProbeMs = 10;
const retransmitTimeoutMs = 200;
/** What the mailbox actor does for a frame: so long, and so long a byte (5 GB/s). */
const frameCostMs = 0.004;
const byteCostMs = 1 / 5e6;

const lengthOf = (frame: Frame | undefined): number =>
  frame === undefined ? 0 : frameBytes(frame.header.length, frame.payload.length);

const describe = ({ kind, seq, ack, payload }: Frame): string =>
  `${kind} ${seq} ack ${ack} ${payload.length} B`;

export type ConnectionsOptions = {
  readonly size: number;
  readonly time: VirtualTime;
  readonly faults: FaultPlan;
  readonly prng: Prng;
  readonly trace: Trace;
  /** Attempts to connect that nobody answers fail after so long. */
  readonly connectTimeoutMs: number;
};

export class Connections {
  readonly #time: VirtualTime;
  readonly #faults: FaultPlan;
  readonly #prng: Prng;
  readonly #trace: Trace;
  readonly #connectTimeoutMs: number;
  readonly #hosts: Host[];
  readonly #open = new Map<number, Connection>();
  #lastId = 0;

  constructor(options: ConnectionsOptions) {
    const { size, time, faults, prng, trace, connectTimeoutMs } = options;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#time = time;
    this.#faults = faults;
    this.#prng = prng;
    this.#trace = trace;
    this.#hosts = Array.from({ length: size }, (_, rank) => ({
      ...{ endpoint: undefined, sendMs: 0, takeMs: 0 },
      processor: this.#processor(rank),
    }));
    for (const { a, b, atMs } of faults.resets) {
      time.backgroundAt(atMs, `reset ${a}-${b}`, () => this.reset(a, b));
    }
  }

  /** Host `rank` starts, or starts again: it answers who connects to it. */
  start(rank: number, endpoint: Endpoint): Processor {
    const host = this.#host(rank);
    assert(host.endpoint === undefined, 'a host starts when it is not there');
    host.endpoint = endpoint;
    host.processor = this.#processor(rank);
    return host.processor;
  }

  /** Host `rank` is gone. Unless `silent`, its system ends its connections properly. */
  crash(rank: number, silent: boolean): void {
    const host = this.#host(rank);
    host.endpoint = undefined;
    host.processor.end();
    this.#trace.add(`crash ${rank}${silent ? ' silent' : ''}`);
    for (const connection of [...this.#open.values()]) {
      for (const way of connection.ways) {
        if (way.to === rank) way.deaf = true;
        else if (way.from === rank && !way.ended) {
          way.ended = true;
          if (!silent) this.#put(connection, way, undefined);
        }
      }
      this.#forget(connection);
    }
  }

  /** `from` wants a connection to `to`: both get `connected`, or `from` gets `refused`. */
  connect(from: number, to: number): void {
    const { latencyMs } = this.#faults.link;
    const asker = this.#host(from).endpoint;
    const answer = (delayMs: number, act: () => void) =>
      this.#time.after(delayMs, `connect ${from}>${to}`, () => {
        if (this.#host(from).endpoint === asker) act();
      });
    const refuse = () => this.#host(from).processor.run(0, 'refused', () => asker?.refused(to));
    const there = this.#cutUntil(from, to) === undefined;
    if (!there || this.#cutUntil(to, from) !== undefined) {
      answer(this.#connectTimeoutMs, refuse);
      return;
    }
    answer(2 * latencyMs + this.#jitter(), () => {
      if (this.#host(to).endpoint?.accepts(from) === true) this.#connected(from, to);
      else refuse();
    });
  }

  /** Puts a frame into the connection. It keeps the bytes: they are not to be written again. */
  write(connection: number, from: number, frame: Frame): void {
    const open = this.#open.get(connection);
    const way = open?.ways.find((each) => each.from === from);
    if (open === undefined || way === undefined || way.ended) return;
    const { lost, twice, overtaking } = this.#faults.channel;
    const fate = this.#chance(lost) ? 'lost' : this.#chance(twice) ? 'twice' : '';
    this.#trace.add(`write ${open.id} ${from}>${way.to} ${describe(frame)} ${fate}`);
    if (fate === 'lost') return;
    this.#put(open, way, frame);
    if (fate === 'twice') this.#put(open, way, frame);
    const { frames } = way;
    const last = frames.length - 1;
    if (last < 1 || !this.#chance(overtaking)) return;
    const [a, b] = [frames[last - 1], frames[last]];
    frames[last - 1] = b;
    frames[last] = a;
  }

  /**
   * `by` writes no more; the other end is told after what is under way to it. With `hears`, `by`
   * still takes in what is under way to itself.
   */
  close(connection: number, by: number, hears: boolean): void {
    const open = this.#open.get(connection);
    if (open === undefined) return;
    this.#trace.add(`close ${connection} by ${by}`);
    for (const way of open.ways) {
      if (way.from === by) this.#end(open, way);
      else if (!hears) way.deaf = true;
    }
    this.#forget(open);
  }

  /** Breaks the connections between two hosts, if there are any. */
  reset(a: number, b: number): void {
    for (const open of [...this.#open.values()]) {
      if (!open.ways.some(({ from, to }) => from === a && to === b)) continue;
      this.#trace.add(`reset ${open.id}`);
      for (const way of open.ways) this.#breakWay(open, way);
    }
  }

  /** What is in this way is lost, or comes out late; then its reader is told. */
  #breakWay(open: Connection, way: Way): void {
    if (way.deaf) return;
    way.ended = true;
    const { latencyMs } = this.#faults.link;
    const late = this.#prng.below(2) === 0;
    if (!late) way.frames.length = 0;
    const lateMs = (latencyMs + 1) * 20 * this.#prng.uniform() ** 3;
    way.heldUntilMs = Math.max(way.heldUntilMs, this.#time.nowMs + lateMs);
    way.lastArrivalMs = Math.max(way.lastArrivalMs, way.heldUntilMs);
    this.#put(open, way, undefined);
  }

  #connected(a: number, b: number): void {
    const id = ++this.#lastId;
    const way = (from: number, to: number): Way => ({
      ...{ from, to, frames: [], freeMs: 0, lastArrivalMs: 0, heldUntilMs: 0 },
      ...{ ended: false, deaf: false },
    });
    const back = way(b, a);
    this.#open.set(id, { id, ways: [way(a, b), back] });
    this.#trace.add(`connected ${id} ${a}-${b}`);
    // Who answered has it first.
    this.#tell(b, (endpoint) => endpoint.connected(id, a));
    this.#time.after(this.#faults.link.latencyMs, `connected ${a}-${b}`, () => {
      if (!back.deaf) this.#tell(a, (endpoint) => endpoint.connected(id, b));
    });
  }

  #tell(rank: number, act: (endpoint: Endpoint) => void, costMs = frameCostMs): void {
    const { endpoint, processor } = this.#host(rank);
    if (endpoint !== undefined) processor.run(costMs, `host ${rank}`, () => act(endpoint));
  }

  /** Plans the arrival of a frame, or of the end. */
  #put(open: Connection, way: Way, frame: Frame | undefined): void {
    const { latencyMs, bytesPerMs, loss } = this.#faults.link;
    const { nowMs } = this.#time;
    const length = lengthOf(frame);
    const sender = this.#host(way.from);
    sender.sendMs = Math.max(sender.sendMs, nowMs) + length / bytesPerMs;
    const roundTripMs = 2 * latencyMs;
    const lossyRate =
      loss > 0 && roundTripMs > 0
        ? (segmentBytes * 1.22) / (roundTripMs * Math.sqrt(loss))
        : Infinity;
    way.freeMs = Math.max(way.freeMs, nowMs) + length / lossyRate;
    const leavesMs = Math.max(sender.sendMs, way.freeMs);
    const arrivesMs = leavesMs + latencyMs + this.#jitter() + this.#lossDelay(length);
    way.lastArrivalMs = Math.max(way.lastArrivalMs, arrivesMs);
    way.frames.push(frame);
    this.#planArrival(open, way, way.lastArrivalMs);
  }

  /**
   * Heartbeats keep no run going: sessions that wait for an acknowledgement say so themselves
   * (VirtualHost.isRestless).
   */
  #planArrival(open: Connection, way: Way, timeMs: number): void {
    const what = `arrival ${way.from}>${way.to}`;
    const act = () => this.#arrive(open, way);
    if (way.frames.at(-1)?.kind === 'ack') this.#time.backgroundAt(timeMs, what, act);
    else this.#time.at(timeMs, what, act);
  }

  /** The first frame under way arrives, unless it is held up. */
  #arrive(open: Connection, way: Way): void {
    if (way.deaf || way.frames.length === 0) return;
    const { nowMs } = this.#time;
    const cutUntilMs = this.#cutUntil(way.from, way.to);
    if (cutUntilMs !== undefined) {
      // TCP asks again at doubling intervals: up to as long after the cut as the cut was long.
      const backoffMs = Math.min(1000, cutUntilMs - nowMs) * this.#prng.uniform();
      way.heldUntilMs = Math.max(way.heldUntilMs, cutUntilMs + backoffMs);
      way.lastArrivalMs = Math.max(way.lastArrivalMs, way.heldUntilMs);
    }
    if (nowMs < way.heldUntilMs) {
      if (way.heldUntilMs < Infinity) this.#planArrival(open, way, way.heldUntilMs);
      return;
    }
    const frame = way.frames.shift();
    const receiver = this.#host(way.to);
    const length = lengthOf(frame);
    receiver.takeMs = Math.max(nowMs, receiver.takeMs + length / this.#faults.link.bytesPerMs);
    if (receiver.takeMs === nowMs) this.#hand(open, way, frame);
    else {
      const what = `line of ${way.to}`;
      this.#time.at(receiver.takeMs, what, () => this.#hand(open, way, frame));
    }
  }

  #hand(open: Connection, way: Way, frame: Frame | undefined): void {
    const costMs = frameCostMs + lengthOf(frame) * byteCostMs;
    const act = (endpoint: Endpoint) => {
      if (way.deaf) return;
      if (frame === undefined) {
        this.#trace.add(`ended ${open.id} ${way.from}>${way.to}`);
        way.deaf = true;
        for (const each of open.ways) if (each !== way) this.#end(open, each);
        this.#forget(open);
        endpoint.disconnected(open.id);
      } else {
        this.#trace.add(`frame ${open.id} ${way.from}>${way.to} ${describe(frame)}`);
        endpoint.frame(open.id, frame);
      }
    };
    this.#tell(way.to, act, costMs);
  }

  /** Nothing more goes in; what is in comes out, then the end. */
  #end(open: Connection, way: Way): void {
    if (way.ended) return;
    way.ended = true;
    this.#put(open, way, undefined);
  }

  #forget(open: Connection): void {
    if (open.ways.every(({ ended }) => ended)) this.#open.delete(open.id);
  }

  /** Can neither of the two be heard by the other, or only one, at this moment? */
  isCut(a: number, b: number): boolean {
    return this.#cutUntil(a, b) !== undefined || this.#cutUntil(b, a) !== undefined;
  }

  #jitter(): number {
    const { jitterMs } = this.#faults.link;
    return jitterMs > 0 ? jitterMs * this.#prng.uniform() : 0;
  }

  #lossDelay(bytes: number): number {
    const { loss, latencyMs } = this.#faults.link;
    if (loss === 0) return 0;
    const segments = Math.ceil(bytes / segmentBytes);
    if (this.#prng.uniform() >= 1 - (1 - loss) ** segments) return 0;
    const roundTripMs = 2 * latencyMs;
    const noticedMs = segments > 3 ? roundTripMs : Math.max(tailProbeMs, 2 * roundTripMs);
    const again = this.#prng.uniform() < loss;
    return noticedMs + (again ? Math.max(retransmitTimeoutMs, 2 * roundTripMs) : 0);
  }

  #chance(share: number): boolean {
    return share > 0 && this.#prng.uniform() < share;
  }

  /** When the cut from here to there ends, if there is one now. */
  #cutUntil(from: number, to: number): number | undefined {
    const { nowMs } = this.#time;
    let untilMs: number | undefined;
    for (const cut of this.#faults.cuts) {
      if (cut.from !== from || cut.to !== to) continue;
      if (cut.fromMs > nowMs || cut.untilMs <= nowMs) continue;
      untilMs = Math.max(untilMs ?? 0, cut.untilMs);
    }
    return untilMs;
  }

  #processor(rank: number): Processor {
    const own = this.#faults.slowdowns.filter((slowdown) => slowdown.rank === rank);
    return new Processor(this.#time, own);
  }

  #host(rank: number): Host {
    const host = this.#hosts[rank];
    assert(host !== undefined, 'a rank is below the number of hosts');
    return host;
  }
}
