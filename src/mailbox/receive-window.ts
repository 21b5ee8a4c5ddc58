// The receiving half of a session: which frame is next, which was seen before, which is early;
// and how many bytes the sender may still send. Pure.
import type { Frame } from './frame.ts';
import { frameBytes } from './frame.ts';

export type Verdict = 'next' | 'seen' | 'early' | 'overrun';

/** Frames held before their turn; one more is dropped, and will be sent again. */
const EARLY_MAX = 256;

const bytesOf = (frame: Frame) => frameBytes(frame.header.length, frame.payload.length);

export class ReceiveWindow {
  readonly #windowBytes: number;
  #nextSeq = 1;
  /** Frames that came before their turn, copies: a frame is its parser's memory. */
  readonly #early = new Map<number, Frame>();
  #earlyBytes = 0;
  #receivedBytes = 0;
  #consumedBytes = 0;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
  }

  /** Everything up to here has arrived, in order. */
  get ack(): number {
    return this.#nextSeq - 1;
  }
  /** The sender may send packets up to this many bytes, counted from the start. */
  get credit(): number {
    return this.#consumedBytes + this.#windowBytes;
  }
  /** Bytes that wait for their turn or to be consumed. */
  get heldBytes(): number {
    return this.#earlyBytes + this.#receivedBytes - this.#consumedBytes;
  }
  get earlyCount(): number {
    return this.#early.size;
  }
  /** The first that came early, if any: the hole is before it. */
  get firstEarly(): number | undefined {
    let least: number | undefined;
    for (const seq of this.#early.keys()) if (least === undefined || seq < least) least = seq;
    return least;
  }

  /** Takes a frame in, or says why not: 'next' is to be delivered now. */
  offer(frame: Frame): Verdict {
    const bytes = bytesOf(frame);
    if (frame.seq < this.#nextSeq || this.#early.has(frame.seq)) return 'seen';
    if (this.heldBytes + bytes > this.#windowBytes) return 'overrun';
    if (frame.seq > this.#nextSeq && this.#early.size >= EARLY_MAX) return 'overrun';
    if (frame.seq === this.#nextSeq) {
      this.#advance(bytes);
      return 'next';
    }
    const [header, payload] = [new Uint8Array(frame.header), new Uint8Array(frame.payload)];
    this.#early.set(frame.seq, { ...frame, header, payload });
    this.#earlyBytes += bytes;
    return 'early';
  }

  /** The frame whose turn has come, of those that came early. */
  takeEarly(): Frame | undefined {
    const frame = this.#early.get(this.#nextSeq);
    if (frame === undefined) return undefined;
    this.#early.delete(frame.seq);
    const bytes = bytesOf(frame);
    this.#earlyBytes -= bytes;
    this.#advance(bytes);
    return frame;
  }

  consumed(bytes: number): void {
    this.#consumedBytes += bytes;
  }

  #advance(bytes: number): void {
    this.#nextSeq += 1;
    this.#receivedBytes += bytes;
  }
}
