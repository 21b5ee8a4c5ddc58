// One peer of a mesh: its session, and the connection that the session has at the moment.
import type { Fault } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Frame } from '../frame.ts';
import type { LinkStatistics, Packet } from '../network.ts';
import type { Join, Member } from '../rendezvous.ts';
import type { SessionConfig, SessionInput, SessionOutput } from '../session-types.ts';
import { Session } from '../session.ts';
import type { Connection } from './connection.ts';
import { call } from './handshake.ts';
import type { Key } from './security.ts';

export type PeerOptions = {
  readonly config: SessionConfig;
  readonly member: Member;
  readonly self: Join;
  readonly key: Key;
  readonly nowMs: () => number;
  readonly log: (text: string) => void;
  /** The payload is valid during the call; `bytes` go back to `consumed`. */
  readonly deliver: (packet: Packet, bytes: number) => void;
  readonly room: () => void;
  readonly lost: (fault: Fault) => void;
};

export class Peer {
  readonly rank: number;
  readonly #options: PeerOptions;
  readonly #session: Session;
  #connection: Connection | undefined;
  #giveUp: (() => void) | undefined;
  /** Outputs are carried out in order, also when a listener sends from within a delivery. */
  #outputs: SessionOutput[] = [];
  #carryingOut = false;
  #onClosed: (() => void) | undefined;
  /** Of connections that are over. */
  #before = { bytesSent: 0, bytesReceived: 0 };
  #packets = { packetsSent: 0, packetsReceived: 0 };
  #connections = 0;

  constructor(options: PeerOptions) {
    this.rank = options.member.rank;
    this.#options = options;
    this.#session = new Session(options.config, options.nowMs());
  }

  get hasRoom(): boolean {
    return this.#session.hasRoom;
  }

  get incarnation(): number {
    return this.#options.member.incarnation;
  }

  get isLost(): boolean {
    return this.#session.phase === 'lost';
  }

  statistics(): LinkStatistics {
    const { bytesSent, bytesReceived } = this.#traffic();
    const reconnects = Math.max(0, this.#connections - 1);
    return { rank: this.rank, bytesSent, bytesReceived, ...this.#packets, reconnects };
  }

  send(packet: Packet): void {
    this.#packets.packetsSent += 1;
    this.#step({ kind: 'send', packet });
  }

  consumed(bytes: number): void {
    this.#step({ kind: 'consumed', bytes });
  }

  tick(): void {
    this.#step({ kind: 'tick' });
  }

  /** A process of the same rank came back, and is not the one that this session speaks with. */
  restarted(incarnation: number): void {
    const { rank, config } = { rank: this.rank, config: this.#options.config };
    this.#options.log(`rank ${rank} knocks again as another process`);
    const numbers = { from: incarnation, to: config.incarnation, seq: 0, ack: 0, credit: 0 };
    const none = new Uint8Array(0);
    const frame: Frame = { kind: 'resume', ...numbers, header: none, payload: none };
    this.#step({ kind: 'frame', frame });
  }

  /** The session goes on over this connection; an older one is half open, and dropped. */
  attach(connection: Connection): void {
    this.#detach()?.destroy();
    this.#connection = connection;
    this.#connections += 1;
    connection.promote({
      frame: (frame) => this.#step({ kind: 'frame', frame }),
      heard: () => this.#step({ kind: 'heard' }),
      ended: (why) => {
        if (this.#connection !== connection) return;
        this.#detach();
        this.#step({ kind: 'disconnected', why });
      },
    });
    this.#step({ kind: 'connected' });
  }

  /** Says goodbye; resolves when the peer has everything, or is gone. */
  async close(fault: Fault | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve;
      if (this.isLost) return resolve();
      this.#step(fault === undefined ? { kind: 'close' } : { kind: 'close', fault });
    });
    this.#giveUp?.();
    await this.#detach()?.end(limits.handshakeMs / 10);
  }

  #traffic(): { readonly bytesSent: number; readonly bytesReceived: number } {
    const { bytesSent = 0, bytesReceived = 0 } = this.#connection ?? {};
    return {
      bytesSent: this.#before.bytesSent + bytesSent,
      bytesReceived: this.#before.bytesReceived + bytesReceived,
    };
  }

  #detach(): Connection | undefined {
    this.#before = this.#traffic();
    const connection = this.#connection;
    this.#connection = undefined;
    return connection;
  }

  #step(input: SessionInput): void {
    for (const output of this.#session.step(input, this.#options.nowMs())) {
      // What is written within a delivery comes after what was to be written before it.
      this.#outputs.push(output);
    }
    if (this.#carryingOut) return;
    this.#carryingOut = true;
    try {
      for (let i = 0; i < this.#outputs.length; i++) this.#carryOut(this.#outputs[i]!);
    } finally {
      this.#outputs = [];
      this.#carryingOut = false;
    }
  }

  #carryOut(output: SessionOutput): void {
    const { deliver, room, lost, log } = this.#options;
    switch (output.kind) {
      case 'write':
        return this.#connection?.write(output.frame);
      case 'deliver':
        this.#packets.packetsReceived += 1;
        return deliver(output.packet, output.bytes);
      case 'room':
        return room();
      case 'connect':
        return this.#connect();
      case 'drop':
        // Why the whole peer is lost, its loss says.
        if (!this.isLost) log(`rank ${this.rank}: connection dropped: ${output.why}`);
        return this.#detach()?.destroy();
      case 'lost':
        this.#giveUp?.();
        return lost(output.fault);
      case 'left':
        if (output.dropped > 0)
          log(`rank ${this.rank} has left; packets not delivered to it: ${output.dropped}`);
        return;
      case 'closed':
        if (output.undelivered > 0)
          log(`rank ${this.rank}: packets that it may not have got: ${output.undelivered}`);
        return this.#onClosed?.();
    }
  }

  #connect(): void {
    const { member, key, self, log } = this.#options;
    const { host, port, rank } = member;
    const work = { host, port, rank, key, self, welcomeMs: limits.handshakeMs };
    this.#giveUp = call(work, (result) => {
      this.#giveUp = undefined;
      if (result.kind === 'welcome') return this.attach(result.connection);
      log(`rank ${rank} at ${host}:${port}: ${result.why}`);
      this.#step({ kind: 'disconnected', why: result.why });
    });
  }
}
