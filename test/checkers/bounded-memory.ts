// Bounded memory: what hosts offered and nobody has received yet is somewhere in queues, so it is
// never more than the limit of those. Counted from what goes in and comes out; queues may be asked
// for their own opinion too, which has to keep the same limit.
import type { Findings } from './findings.ts';

const name = 'bounded memory';

export class BoundedMemory {
  readonly #limitBytes: number;
  readonly #findings: Findings;
  readonly #held = new Map<string, number>();
  #highest = 0;

  /** `limitBytes` holds for each ordered pair of hosts. */
  constructor(limitBytes: number, findings: Findings) {
    this.#limitBytes = limitBytes;
    this.#findings = findings;
  }

  offered(from: number, to: number, bytes: number): void {
    const pair = `${from}>${to}`;
    const held = (this.#held.get(pair) ?? 0) + bytes;
    this.#held.set(pair, held);
    this.#see(pair, held);
  }

  arrived(from: number, to: number, bytes: number): void {
    const pair = `${from}>${to}`;
    this.#held.set(pair, (this.#held.get(pair) ?? 0) - bytes);
  }

  /** The pair lost each other: what was between them is gone. */
  dropped(from: number, to: number): void {
    this.#held.delete(`${from}>${to}`);
  }

  /** What a queue of `from` for `to` says it holds. */
  sampled(from: number, to: number, bytes: number): void {
    this.#see(`${from}>${to} by its own count`, bytes);
  }

  /** The most bytes that any pair had. */
  get highestBytes(): number {
    return this.#highest;
  }

  #see(pair: string, bytes: number): void {
    this.#highest = Math.max(this.#highest, bytes);
    if (bytes <= this.#limitBytes) return;
    this.#findings.add(name, `${pair} holds ${bytes} bytes, the limit is ${this.#limitBytes}`);
  }
}
