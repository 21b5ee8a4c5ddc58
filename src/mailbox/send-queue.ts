// The sending half of a session: packets in order, from offered to acknowledged. Pure.
//
//     acknowledged │ in flight      │ waiting
//     ─────────────┼────────────────┼────────────────▶ sequence numbers
//       forgotten  first            next         last
//
// Whatever is not acknowledged is kept, for it may have to be sent again.
import { frameBytes } from './frame.ts';

export type Entry = {
  readonly kind: 'packet' | 'goodbye';
  readonly seq: number;
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  /** On the wire. */
  readonly bytes: number;
  /** Bytes of all packets up to and with this one: what credit is compared to. */
  readonly endBytes: number;
  sentAtMs: number;
};

export class SendQueue {
  /** Entries before `#first` are gone; the array is cut now and then. */
  #entries: (Entry | undefined)[] = [];
  #first = 0;
  #next = 0;
  #lastSeq = 0;
  #ackedSeq = 0;
  /** Highest sequence number that ever left. */
  #sentSeq = 0;
  #bytes = 0;
  #endBytes = 0;

  /** Bytes of everything that is not acknowledged. */
  get bytes(): number {
    return this.#bytes;
  }
  get lastSeq(): number {
    return this.#lastSeq;
  }
  get ackedSeq(): number {
    return this.#ackedSeq;
  }
  get sentSeq(): number {
    return this.#sentSeq;
  }
  get inFlight(): number {
    return this.#next - this.#first;
  }
  /** Nothing is unacknowledged. */
  get isEmpty(): boolean {
    return this.#first === this.#entries.length;
  }

  push(kind: Entry['kind'], header: Uint8Array, payload: Uint8Array): void {
    const bytes = frameBytes(header.length, payload.length);
    this.#bytes += bytes;
    this.#endBytes += bytes;
    this.#lastSeq += 1;
    const place = { seq: this.#lastSeq, bytes, endBytes: this.#endBytes, sentAtMs: 0 };
    this.#entries.push({ kind, header, payload, ...place });
  }

  /** The next one to send, if `credit` covers it. */
  take(credit: number, nowMs: number): Entry | undefined {
    const entry = this.#entries[this.#next];
    if (entry === undefined || entry.endBytes > credit) return undefined;
    this.#next += 1;
    this.#sentSeq = Math.max(this.#sentSeq, entry.seq);
    entry.sentAtMs = nowMs;
    return entry;
  }

  /** Forgets everything up to `seq`. Returns true when that is news. */
  ack(seq: number): boolean {
    if (seq <= this.#ackedSeq) return false;
    const end = this.#first + (seq - this.#ackedSeq);
    for (let i = this.#first; i < end; i++) {
      this.#bytes -= this.#entries[i]?.bytes ?? 0;
      this.#entries[i] = undefined;
    }
    this.#first = end;
    this.#next = Math.max(this.#next, end);
    this.#ackedSeq = seq;
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#next -= this.#first;
      this.#first = 0;
    }
    return true;
  }

  /** Everything that is not acknowledged is to be sent again. */
  rewind(): void {
    this.#next = this.#first;
  }

  /** Forgets everything, for there is nobody to send it to. Returns how many that were. */
  clear(): number {
    const count = this.#entries.length - this.#first;
    this.ack(this.#lastSeq);
    return count;
  }

  /** What is in flight from `fromSeq` to `toSeq`, both included. */
  flying(fromSeq: number, toSeq: number): readonly Entry[] {
    const from = this.#first + Math.max(0, fromSeq - this.#ackedSeq - 1);
    const to = Math.min(this.#next, this.#first + (toSeq - this.#ackedSeq));
    return this.#entries.slice(from, Math.max(from, to)).filter((entry) => entry !== undefined);
  }
}
