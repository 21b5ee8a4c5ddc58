// A session: the ordered, exactly-once conversation of two hosts, over breaking connections. Pure:
// the TCP mesh (src/mailbox/tcp) runs one for each peer, and so does the simulator.
//
//          connected            resume            ┌─ disconnected, silence
//   down ───────────▶ greeting ───────▶ up ───────┘
//    ▲ └─ connect, after a pause                  every phase: no sign of life ──▶ lost
//    └────────────────────────────────────────┘   goodbye delivered ──▶ left; ours taken ──▶ closed
//
//   a                                    b
//   resume (seq 1: answer) ──────────▶   goes back to what a has acknowledged, sends on
//                          ◀──────────   resume (seq 0)
//   packet seq, ack, credit ─────────▶   delivers in order; every frame acknowledges and grants
//                          ◀──────────   ack (also the heartbeat)
//                          ◀──────────   gap: seq is the first that came early, ack + 1 is missing
//   goodbye seq ─────────────────────▶   in its turn, like a packet: nothing was left out before it
//
// A frame names the incarnations of both ends. What another incarnation sent is not heard; a peer
// that comes back as a later one has forgotten the conversation, and is lost.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { assert } from '../base/assert.ts';
import { decodeHeader, encodeHeader, frameBytes, type Frame } from './frame.ts';
import type { Packet } from './network.ts';
import { ReceiveWindow } from './receive-window.ts';
import { SendQueue, type Entry } from './send-queue.ts';
import type { SessionConfig, SessionInput, SessionOutput } from './session-types.ts';

type Phase = 'down' | 'greeting' | 'up' | 'left' | 'lost' | 'closed';

const none = new Uint8Array(0);
const ended: ReadonlySet<Phase> = new Set(['left', 'lost', 'closed'] as const);
/** One frame of ours in how many of the peer's soft limit acknowledges, when nothing else does. */
const ACK_SHARE = 16;

export class Session {
  readonly #config: SessionConfig;
  readonly #queue = new SendQueue();
  readonly #window: ReceiveWindow;
  readonly #ackBytes: number;
  #outputs: SessionOutput[] = [];
  #nowMs: number;
  #phase: Phase = 'down';
  #credit: number;
  #full = false;
  #closing = false;
  /** Bytes that arrived since we last acknowledged. */
  #owedBytes = 0;
  #heardAtMs: number;
  #wroteAtMs: number;
  /** When the peer last acknowledged something new. */
  #progressAtMs: number;
  #resends = 0;
  #resentAtMs = 0;
  #gapAt = 0;
  #gapAtMs = 0;
  #failures = 0;
  #connectAtMs: number;
  #connecting = false;
  #downWhy = 'none was made yet';
  #stale = 0;

  constructor(config: SessionConfig, nowMs: number) {
    this.#config = config;
    this.#window = new ReceiveWindow(config.windowBytes);
    this.#ackBytes = Math.min(config.softBytes, config.windowBytes) / ACK_SHARE;
    this.#credit = config.windowBytes; // all hosts of a run have the same limits
    this.#nowMs = this.#heardAtMs = this.#wroteAtMs = this.#progressAtMs = nowMs;
    this.#connectAtMs = nowMs;
  }

  get phase(): Phase {
    return this.#phase;
  }
  /** See Network.hasRoom. */
  get hasRoom(): boolean {
    return !this.#full;
  }
  /** What memory it holds: sent and not acknowledged, received and not consumed. */
  get heldBytes(): { readonly sending: number; readonly receiving: number } {
    return { sending: this.#queue.bytes, receiving: this.#window.heldBytes };
  }

  step(input: SessionInput, nowMs: number): readonly SessionOutput[] {
    const sinceMs = nowMs - this.#nowMs;
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.#outputs = [];
    if (ended.has(this.#phase)) this.#stepEnded(input);
    else this.#stepAlive(input, sinceMs);
    return this.#outputs;
  }

  #stepAlive(input: SessionInput, sinceMs: number): void {
    switch (input.kind) {
      case 'send':
        return this.#send(input.packet);
      case 'connected':
        return this.#greet();
      case 'disconnected':
        return this.#goDown(input.why);
      case 'frame':
        return this.#onFrame(input.frame);
      case 'heard':
        this.#heardAtMs = this.#nowMs;
        return;
      case 'consumed':
        this.#window.consumed(input.bytes);
        return this.#settle(input.bytes);
      case 'close':
        if (this.#closing) return;
        this.#closing = true;
        this.#progressAtMs = this.#nowMs;
        this.#queue.push('goodbye', encodeHeader(input.fault ?? null), none);
        return this.#pump();
      case 'tick':
        return this.#onTick(sinceMs);
    }
  }

  /** The peer is gone or done, or we are. It may still want to hear that we got its goodbye. */
  #stepEnded(input: SessionInput): void {
    if (input.kind === 'consumed') this.#window.consumed(input.bytes);
    if (input.kind === 'close' && this.#phase === 'left') this.#end('closed');
    const wants = input.kind === 'frame' && input.frame.kind !== 'ack' && this.#isOurs(input.frame);
    if (wants && this.#phase !== 'lost') this.#write('ack');
    if (input.kind === 'connected' && this.#phase !== 'lost') this.#write('resume');
  }

  /** One line for tests and traces. */
  toString(): string {
    const { ackedSeq, sentSeq, lastSeq, bytes } = this.#queue;
    const { ack, earlyCount, heldBytes } = this.#window;
    const early = earlyCount > 0 ? ` early ${earlyCount}` : '';
    const words = [
      `${this.#phase}${this.#closing ? ' closing' : ''}${this.#full ? ' full' : ''}`,
      `out acked ${ackedSeq} sent ${sentSeq} last ${lastSeq} held ${bytes} B credit ${this.#credit}`,
      `in ack ${ack}${early} held ${heldBytes} B`,
    ];
    return words.join(' | ') + (this.#stale > 0 ? ` | stale ${this.#stale}` : '');
  }

  #send({ header, payload }: Packet): void {
    assert(!this.#closing, 'nothing is sent after close');
    if (payload.length > limits.framePayloadBytesMax) {
      const rule = `a payload is at most ${limits.framePayloadBytesMax} bytes`;
      throw new SystemError('ERR_LIMIT', `${rule}, got ${payload.length}: send it in pieces`);
    }
    const bytes = encodeHeader(header);
    const after = this.#queue.bytes + frameBytes(bytes.length, payload.length);
    if (after > this.#config.hardBytes) {
      const rule = `at most ${this.#config.hardBytes} bytes may wait for rank ${this.#config.peer}`;
      throw new SystemError('ERR_LIMIT', `${rule}, got ${after}: ask hasRoom, and wait for room`);
    }
    // An idle link has nothing to make progress with: its clock starts with this packet.
    if (this.#queue.inFlight === 0) this.#resentAtMs = this.#nowMs;
    this.#queue.push('packet', bytes, payload);
    if (this.#queue.bytes > this.#config.softBytes) this.#full = true;
    this.#pump();
  }

  #greet(): void {
    this.#phase = 'greeting';
    this.#connecting = false;
    this.#heardAtMs = this.#nowMs;
    this.#write('resume', 1);
  }

  #goDown(why: string): void {
    if (this.#phase === 'down' && !this.#connecting) return;
    this.#failures = this.#phase === 'up' ? 0 : this.#failures + 1;
    const { reconnectMinMs, reconnectMaxMs } = this.#config;
    const pauseMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(this.#failures, 20));
    this.#phase = 'down';
    this.#connecting = false;
    this.#downWhy = why;
    this.#connectAtMs = this.#nowMs + pauseMs;
  }

  #drop(why: string): void {
    if (this.#phase === 'down') return;
    this.#outputs.push({ kind: 'drop', why });
    this.#goDown(why);
  }

  #isOurs({ from, to }: Frame): boolean {
    return from === this.#config.peerIncarnation && to === this.#config.incarnation;
  }

  #onFrame(frame: Frame): void {
    if (frame.kind === 'resume' && frame.from > this.#config.peerIncarnation)
      return this.#lose('it has started again, and knows nothing of this run');
    if (!this.#isOurs(frame)) {
      this.#stale += 1;
      return;
    }
    this.#heardAtMs = this.#nowMs;
    if (frame.ack > this.#queue.sentSeq)
      return this.#drop(`rank ${this.#config.peer} acknowledges ${frame.ack}, which was not sent`);
    this.#onAck(frame);
    if (ended.has(this.#phase)) return;
    switch (frame.kind) {
      case 'resume':
        this.#onResume(frame.seq === 1);
        break;
      case 'packet':
      case 'goodbye':
        this.#onPacket(frame);
        break;
      case 'gap':
        for (const entry of this.#queue.flying(frame.ack + 1, frame.seq - 1)) this.#put(entry);
        break;
      case 'ack':
        break;
      case 'challenge':
      case 'hello':
      case 'welcome':
      case 'refuse':
        this.#drop(`rank ${this.#config.peer} sent a ${frame.kind} in the middle of a session`);
    }
    this.#pump();
  }

  /** What every frame carries: how far the peer has come, and what it will take. */
  #onAck({ ack, credit }: Frame): void {
    this.#credit = Math.max(this.#credit, credit);
    if (!this.#queue.ack(ack)) return;
    this.#progressAtMs = this.#nowMs;
    this.#resends = 0;
    this.#makeRoom();
    if (this.#closing && this.#queue.isEmpty) this.#end('closed');
  }

  #makeRoom(): void {
    if (!this.#full || this.#queue.bytes * 2 > this.#config.softBytes) return;
    this.#full = false;
    this.#outputs.push({ kind: 'room' });
  }

  #onResume(asks: boolean): void {
    const greeted = this.#phase === 'up';
    if (this.#phase === 'greeting') this.#phase = 'up';
    // What was in flight when the old connection broke may be gone with it.
    if (asks || !greeted) this.#queue.rewind();
    if (asks) this.#write('resume', 0);
    this.#resentAtMs = this.#nowMs;
  }

  #onPacket(frame: Frame): void {
    switch (this.#window.offer(frame)) {
      case 'next':
        this.#deliver(frame);
        for (let early = this.#window.takeEarly(); early; early = this.#window.takeEarly())
          this.#deliver(early);
        break;
      case 'early':
        this.#askForMissing();
        break;
      case 'seen': // its acknowledgement may be lost
        this.#owedBytes += this.#ackBytes / 8;
        break;
      case 'overrun': // it will be sent again
    }
    this.#settle(0);
  }

  #deliver(frame: Frame): void {
    if (ended.has(this.#phase)) return; // after its goodbye
    const bytes = frameBytes(frame.header.length, frame.payload.length);
    const header = decodeHeader(frame.header);
    if ('problem' in header)
      return this.#lose(`it sent a header that cannot be decoded (${header.problem})`);
    if (frame.kind === 'goodbye') return this.#onGoodbye(header.value);
    this.#owedBytes += bytes;
    this.#outputs.push({
      ...{ kind: 'deliver', bytes },
      packet: { header: header.value, payload: frame.payload },
    });
  }

  #onGoodbye(said: unknown): void {
    this.#write('ack');
    if (typeof said === 'object' && said !== null && 'message' in said)
      return this.#lose(`it gave up: ${String(said.message)}`);
    const dropped = this.#queue.clear() - (this.#closing ? 1 : 0); // but our goodbye
    this.#outputs.push({ kind: 'left', dropped });
    this.#makeRoom();
    this.#end(this.#closing ? 'closed' : 'left');
  }

  /** Asks once for each hole, and again when that did not help. */
  #askForMissing(): void {
    const missing = this.#window.ack + 1;
    const first = this.#window.firstEarly;
    const { resendMs } = this.#config;
    const again = this.#nowMs - this.#gapAtMs >= (resendMs ?? this.#config.silenceMs);
    if (first === undefined || (missing === this.#gapAt && !again)) return;
    this.#gapAt = missing;
    this.#gapAtMs = this.#nowMs;
    this.#write('gap', first);
  }

  /** Acknowledges when enough has come in, or room was made. */
  #settle(bytes: number): void {
    this.#owedBytes += bytes;
    if (this.#owedBytes >= this.#ackBytes) this.#write('ack');
  }

  #onTick(sinceMs: number): void {
    const { heartbeatMs, silenceMs, peerTimeoutMs, resendMs } = this.#config;
    // We were frozen ourselves: what is in the socket's buffers was not silence.
    if (sinceMs > silenceMs) this.#heardAtMs = Math.min(this.#nowMs, this.#heardAtMs + sinceMs);
    const silentMs = this.#nowMs - this.#heardAtMs;
    // A peer that had all, and left before it could say so, looks like one that broke down.
    if (this.#closing && this.#nowMs - this.#progressAtMs >= this.#config.closeMs)
      return this.#end('closed');
    if (silentMs >= peerTimeoutMs) return this.#lose(this.#silence(silentMs));
    if (this.#phase === 'down') {
      if (!this.#config.connects || this.#connecting || this.#nowMs < this.#connectAtMs) return;
      this.#connecting = true;
      this.#outputs.push({ kind: 'connect' });
      return;
    }
    if (silentMs >= silenceMs) return this.#drop(`nothing came for ${Math.round(silentMs)} ms`);
    if (this.#phase === 'greeting') {
      const due = resendMs !== undefined && this.#nowMs - this.#wroteAtMs >= resendMs;
      if (due) this.#write('resume', 1);
      return;
    }
    if (resendMs !== undefined) this.#resendLate(resendMs);
    if (this.#window.earlyCount > 0) this.#askForMissing();
    if (this.#owedBytes > 0 || this.#nowMs - this.#wroteAtMs >= heartbeatMs) this.#write('ack');
  }

  /** The oldest packet alone: what comes back tells about the others. */
  #resendLate(resendMs: number): void {
    if (this.#queue.inFlight === 0) return;
    const waitMs = resendMs * 2 ** Math.min(this.#resends, 4);
    if (this.#nowMs - Math.max(this.#progressAtMs, this.#resentAtMs) < waitMs) return;
    const oldest = this.#queue.ackedSeq + 1;
    for (const entry of this.#queue.flying(oldest, oldest)) this.#put(entry);
    this.#resends += 1;
    this.#resentAtMs = this.#nowMs;
  }

  #silence(silentMs: number): string {
    const { ackedSeq, sentSeq, isEmpty } = this.#queue;
    const waiting = {
      down: `for a connection (${this.#downWhy})`,
      greeting: 'for the answer to our greeting',
      up: isEmpty
        ? 'for a sign of life'
        : `for the acknowledgement of packets ${ackedSeq + 1} to ${sentSeq}`,
    };
    const what = waiting[this.#phase as keyof typeof waiting];
    return `nothing was heard of it for ${(silentMs / 1000).toFixed(1)} s, while waiting ${what}`;
  }

  #lose(why: string): void {
    const { rank, peer, peerHost } = this.#config;
    const where = peerHost === undefined ? '' : ` at ${peerHost}`;
    const message = `rank ${rank} lost rank ${peer}${where}: ${why}`;
    const unsent = this.#queue.clear();
    const tail = unsent > 0 ? `; packets not delivered to it: ${unsent}` : '';
    this.#drop(why);
    this.#outputs.push({
      ...{ kind: 'lost', fault: { code: 'ERR_PEER_LOST', message: message + tail } },
    });
    if (this.#closing) this.#outputs.push({ kind: 'closed', undelivered: unsent });
    this.#phase = 'lost';
  }

  #end(phase: 'left' | 'closed'): void {
    this.#phase = phase;
    const undelivered = this.#queue.clear();
    if (phase === 'closed') this.#outputs.push({ kind: 'closed', undelivered });
  }

  /** Sends what waits, as far as the connection and the credit go. */
  #pump(): void {
    if (this.#phase !== 'up') return;
    const take = () => this.#queue.take(this.#credit, this.#nowMs);
    for (let entry = take(); entry; entry = take()) this.#put(entry);
  }

  #put = ({ kind, seq, header, payload }: Entry) => this.#write(kind, seq, header, payload);

  #write(
    kind: Frame['kind'],
    seq = 0,
    header: Uint8Array = none,
    payload: Uint8Array = none,
  ): void {
    if (this.#phase === 'down') return;
    const { incarnation: from, peerIncarnation: to } = this.#config;
    const { ack, credit } = this.#window;
    this.#owedBytes = 0;
    this.#wroteAtMs = this.#nowMs;
    const frame = { kind, from, to, seq, ack, credit, header, payload };
    this.#outputs.push({ kind: 'write', frame });
  }
}
