// One life of a simulated host, as the network sees it: a session for each peer, driven by frames,
// by its own clock, and by what its code offers. A crash ends the life; nothing of it is kept.
import { assert } from '../base/assert.ts';
import { frameBytes, type Frame } from '../mailbox/frame.ts';
import type { LinkStatistics, Network, NetworkListener } from '../mailbox/network.ts';
import { Session } from '../mailbox/session.ts';
import type { SessionConfig, SessionInput, SessionOutput } from '../mailbox/session-types.ts';
import type { Connections } from './connections.ts';
import type { Processor } from './processor.ts';
import type { Trace } from './trace.ts';
import type { HostClock, VirtualTime } from './virtual-time.ts';

/** What of a session a host needs: tests put broken ones in its place. */
export type SessionLike = Pick<Session, 'step' | 'phase' | 'hasRoom' | 'heldBytes' | 'toString'>;

export type CreateSession = (config: SessionConfig, nowMs: number) => SessionLike;

/** Settings that all sessions have in common. */
export type SessionSettings = Omit<
  SessionConfig,
  'rank' | 'peer' | 'incarnation' | 'peerIncarnation' | 'connects'
>;

export type VirtualHostOptions = {
  readonly rank: number;
  readonly size: number;
  readonly incarnation: number;
  readonly settings: SessionSettings;
  /** How often sessions are asked what is due, in ms of the host's clock. */
  readonly tickMs: number;
  /** Frames of a connection that was replaced are heard. */
  readonly stale: boolean;
  readonly createSession: CreateSession;
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly connections: Connections;
};

type Peer = {
  readonly rank: number;
  readonly session: SessionLike;
  /** The connection that the session speaks on. */
  connection: number | undefined;
  readonly statistics: { -readonly [K in keyof LinkStatistics]: LinkStatistics[K] };
};

/** Every host's first life; what the others know from the rendezvous. */
const firstIncarnation = 1;
const ended: ReadonlySet<string> = new Set(['left', 'lost', 'closed']);

export class VirtualHost implements Network {
  readonly rank: number;
  readonly size: number;
  readonly incarnation: number;
  readonly clock: HostClock;
  /** The thread of the mailbox actor: what arrives at a slow host waits here. */
  readonly processor: Processor;
  readonly #options: VirtualHostOptions;
  readonly #listener: NetworkListener;
  readonly #peers: readonly Peer[];
  /** Connections of before, whose frames may still come. */
  readonly #replaced = new Map<number, Peer>();
  readonly #outputs: { readonly peer: Peer; readonly output: SessionOutput }[] = [];
  #working = false;
  #alive = true;
  #closing = false;

  constructor(options: VirtualHostOptions, listener: NetworkListener) {
    const { rank, size, incarnation, time, connections } = options;
    this.#options = options;
    this.#listener = listener;
    this.rank = rank;
    this.size = size;
    this.incarnation = incarnation;
    this.clock = time.clockOf(rank);
    const others = Array.from({ length: size }, (_, peer) => peer).filter((peer) => peer !== rank);
    this.#peers = others.map((peer) => this.#peer(peer));
    this.processor = connections.start(rank, {
      accepts: (peer) => this.#of(peer).session.phase !== 'lost',
      connected: (connection, peer) => this.#connected(connection, this.#of(peer)),
      refused: (peer) => this.#step(this.#of(peer), { kind: 'disconnected', why: 'refused' }),
      frame: (connection, frame) => this.#frame(connection, frame),
      disconnected: (connection) => this.#disconnected(connection),
    });
    this.#tick();
  }

  /** False after a crash. */
  get alive(): boolean {
    return this.#alive;
  }

  send(to: number, packet: Parameters<Network['send']>[1]): void {
    assert(this.#alive, 'a host that crashed does nothing');
    const peer = this.#of(to);
    if (ended.has(peer.session.phase)) return; // nobody is there to send it to
    peer.statistics.packetsSent += 1;
    this.#step(peer, { kind: 'send', packet });
  }

  hasRoom(to: number): boolean {
    return this.#of(to).session.hasRoom;
  }

  statistics(): readonly LinkStatistics[] {
    return this.#peers.map(({ statistics }) => {
      const reconnects = Math.max(0, statistics.reconnects);
      return { ...statistics, reconnects };
    });
  }

  /** Bytes that the session with `to` says it holds. */
  heldBytes(to: number): { readonly sending: number; readonly receiving: number } {
    return this.#of(to).session.heldBytes;
  }

  /** Its code is done: what it has offered is still delivered, and the others are told. */
  close(): void {
    if (this.#closing || !this.#alive) return;
    this.#closing = true;
    for (const peer of this.#peers) this.#step(peer, { kind: 'close' });
  }

  /** Where the session with `rank` is. */
  phase(rank: number): SessionLike['phase'] {
    return this.#of(rank).session.phase;
  }

  /** Something is under way to `rank`, or to be found out about it. */
  isRestless(rank: number): boolean {
    const { phase, heldBytes } = this.#of(rank).session;
    if (ended.has(phase)) return false;
    return (
      phase !== 'up' || heldBytes.sending > 0 || this.#options.connections.isCut(this.rank, rank)
    );
  }

  /** Ends this life. The network does the rest of a crash. */
  end(): void {
    this.#alive = false;
  }

  /** Sessions in words, for failures. */
  describe(): readonly string[] {
    return this.#peers.map(({ rank, session }) => `${this.rank}-${rank}: ${session.toString()}`);
  }

  #peer(rank: number): Peer {
    const { settings, incarnation, createSession } = this.#options;
    const config: SessionConfig = {
      ...settings,
      ...{ rank: this.rank, peer: rank, connects: this.rank > rank },
      ...{ incarnation, peerIncarnation: firstIncarnation },
    };
    const bytes = { bytesSent: 0, bytesReceived: 0, packetsSent: 0, packetsReceived: 0 };
    const statistics = { rank, ...bytes, reconnects: -1 }; // the first connection is none
    const session = createSession(config, this.clock.nowMs());
    return { rank, session, connection: undefined, statistics };
  }

  #of(rank: number): Peer {
    const peer = this.#peers[rank < this.rank ? rank : rank - 1];
    assert(peer !== undefined && peer.rank === rank, 'a peer is another host of this run');
    return peer;
  }

  #connected(connection: number, peer: Peer): void {
    this.#leave(peer);
    peer.connection = connection;
    peer.statistics.reconnects += 1;
    this.#step(peer, { kind: 'connected' });
  }

  /** The session turns to another connection, or to none. */
  #leave(peer: Peer): void {
    const { connection } = peer;
    if (connection === undefined) return;
    peer.connection = undefined;
    const { stale, connections } = this.#options;
    if (stale) this.#replaced.set(connection, peer);
    connections.close(connection, this.rank, stale);
  }

  #frame(connection: number, frame: Frame): void {
    const current = this.#peers.find((peer) => peer.connection === connection);
    const peer = current ?? this.#replaced.get(connection);
    if (peer === undefined) return;
    peer.statistics.bytesReceived += frameBytes(frame.header.length, frame.payload.length);
    if (current !== undefined) this.#step(peer, { kind: 'heard' });
    this.#step(peer, { kind: 'frame', frame });
  }

  #disconnected(connection: number): void {
    this.#replaced.delete(connection);
    const peer = this.#peers.find((each) => each.connection === connection);
    if (peer === undefined) return;
    peer.connection = undefined;
    this.#step(peer, { kind: 'disconnected', why: 'it broke' });
  }

  /** One input; then all that follows from it, in order, also from what listeners do meanwhile. */
  #step(peer: Peer, input: SessionInput): void {
    const outputs = peer.session.step(input, this.clock.nowMs());
    for (const output of outputs) this.#outputs.push({ peer, output });
    if (this.#working) return;
    this.#working = true;
    for (let next = this.#outputs.shift(); next && this.#alive; next = this.#outputs.shift()) {
      this.#do(next.peer, next.output);
    }
    this.#working = false;
  }

  #do(peer: Peer, output: SessionOutput): void {
    const { connections, trace } = this.#options;
    const { rank } = this;
    switch (output.kind) {
      case 'write': {
        const { frame } = output;
        peer.statistics.bytesSent += frameBytes(frame.header.length, frame.payload.length);
        if (peer.connection !== undefined) connections.write(peer.connection, rank, frame);
        return;
      }
      case 'deliver':
        return this.#deliver(peer, output);
      case 'room':
        return this.#listener.room(peer.rank);
      case 'connect':
        return connections.connect(rank, peer.rank);
      case 'drop':
        trace.add(`drop ${rank}-${peer.rank} ${output.why}`);
        return this.#leave(peer);
      case 'lost':
        trace.add(`lost ${rank}-${peer.rank} ${output.fault.message}`);
        this.#leave(peer);
        return this.#listener.lost(peer.rank, output.fault);
      case 'left':
      case 'closed':
        trace.add(`${output.kind} ${rank}-${peer.rank}`);
        return;
    }
  }

  /** The listener's view of the payload ends with its call: what it kept reads as rubbish. */
  #deliver(peer: Peer, output: Extract<SessionOutput, { kind: 'deliver' }>): void {
    const { header, payload } = output.packet;
    const lent = payload.slice();
    peer.statistics.packetsReceived += 1;
    this.#listener.packet(peer.rank, { header, payload: lent });
    lent.fill(0xdd);
    this.#step(peer, { kind: 'consumed', bytes: output.bytes });
  }

  #tick(): void {
    const { time, tickMs } = this.#options;
    const dueMs = this.clock.virtualMs(this.clock.nowMs() + tickMs);
    time.backgroundAt(dueMs, 'tick', () => {
      this.processor.run(0, `tick ${this.rank}`, () => this.#onTick());
    });
  }

  #onTick(): void {
    if (!this.#alive) return;
    for (const peer of this.#peers) this.#step(peer, { kind: 'tick' });
    if (this.#alive) this.#tick();
  }
}
