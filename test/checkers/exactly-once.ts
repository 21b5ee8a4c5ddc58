// Exactly once, in order: every packet that a host offers for another arrives there once, after all
// that were offered before it, with the bytes it had; or that peer is reported lost, once, and for
// a reason that the world gave.
//
// Packets carry the number that this checker gives them, and bytes that follow from it.
import type { Findings } from './findings.ts';

type Flow = {
  offered: number;
  arrived: number;
  /** The first packet that the sender offered after its last start. */
  born: number;
};

/** What one host believes of another. */
type Belief = { lost: boolean };

const name = 'exactly once';

const newFlow = (): Flow => ({ offered: 0, arrived: 0, born: 0 });

export class ExactlyOnce {
  readonly #size: number;
  readonly #findings: Findings;
  readonly #flows: Flow[];
  readonly #beliefs: Belief[];
  /** Why hosts may have lost each other, by pair; without a reason they may not. */
  readonly #reasons = new Map<number, string>();
  readonly #dead = new Set<number>();

  constructor(size: number, findings: Findings) {
    this.#size = size;
    this.#findings = findings;
    this.#flows = Array.from({ length: size * size }, () => newFlow());
    this.#beliefs = Array.from({ length: size * size }, () => ({ lost: false }));
  }

  /** `from` offers a packet for `to`. Returns the number to put into it, from 0. */
  offered(from: number, to: number): number {
    return this.#flow(from, to).offered++;
  }

  /** The payload of packet `number`: bytes that differ from packet to packet. */
  payload(from: number, to: number, number: number): Uint8Array {
    const bytes = new Uint8Array((Math.imul(number + 1, 0x9e3779b1) >>> 8) % 97);
    let word = Math.imul(number + 1, 0x85ebca6b) ^ (from << 8) ^ to;
    for (let i = 0; i < bytes.length; i++) {
      word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + i;
      bytes[i] = word >>> 11;
    }
    return bytes;
  }

  /** A packet from `from` arrives at `to`, with the number found in it. */
  arrived(from: number, to: number, found: { number: unknown; payload: Uint8Array }): void {
    const flow = this.#flow(from, to);
    const { number, payload } = found;
    const at = `${from}>${to}`;
    if (this.#dead.has(to)) this.#findings.add(name, `${at} a packet for a host that is gone`);
    if (this.#belief(to, from).lost) this.#findings.add(name, `${at} a packet from a lost peer`);
    if (typeof number !== 'number' || number < 0 || number >= flow.offered) {
      this.#findings.add(name, `${at} packet ${String(number)} was never offered`);
      return;
    }
    if (number >= flow.born && flow.born > 0) {
      this.#findings.add(name, `${at} packet ${number} is of a new life, the old one is not over`);
    }
    if (number < flow.arrived) this.#findings.add(name, `${at} packet ${number} came again`);
    else if (number > flow.arrived) {
      const missing = `packets ${flow.arrived} to ${number - 1} did not`;
      this.#findings.add(name, `${at} packet ${number} came, ${missing}`);
    }
    const expected = this.payload(from, to, number);
    const same = expected.length === payload.length && expected.every((b, i) => b === payload[i]);
    if (!same) this.#findings.add(name, `${at} packet ${number} has other bytes than it had`);
    flow.arrived = Math.max(flow.arrived, number + 1);
  }

  /** The world did something that lets these two lose each other. */
  excused(a: number, b: number, reason: string): void {
    this.#reasons.set(a * this.#size + b, reason);
    this.#reasons.set(b * this.#size + a, reason);
  }

  /** `rank` crashed: it answers for nothing from here on. */
  crashed(rank: number): void {
    this.#dead.add(rank);
    for (let other = 0; other < this.#size; other++) this.excused(rank, other, `${rank} crashed`);
  }

  /** `rank` is there again and remembers nothing: nobody it knew may take it for the old one. */
  restarted(rank: number): void {
    this.#dead.delete(rank);
    for (let other = 0; other < this.#size; other++) {
      this.#belief(rank, other).lost = false;
      const outgoing = this.#flow(rank, other);
      outgoing.born = outgoing.offered;
      const incoming = this.#flow(other, rank);
      incoming.arrived = incoming.offered;
    }
  }

  /** `by` reports `rank` lost. */
  lost(by: number, rank: number): void {
    const belief = this.#belief(by, rank);
    if (belief.lost) this.#findings.add(name, `${by} reports ${rank} lost a second time`);
    belief.lost = true;
    if (!this.#reasons.has(by * this.#size + rank)) {
      this.#findings.add(name, `${by} reports ${rank} lost, and nothing happened to it`);
    }
  }

  /** True when `by` was told that `rank` is lost. */
  hasLost(by: number, rank: number): boolean {
    return this.#belief(by, rank).lost;
  }

  /** Everything offered has arrived, except where both ends know that they lost each other. */
  get settled(): boolean {
    return this.#missing().length === 0;
  }

  /** The run is over: what is missing now stays missing. */
  finished(): void {
    for (const missing of this.#missing()) this.#findings.add(name, missing);
  }

  get packets(): number {
    return this.#flows.reduce((sum, { arrived }) => sum + arrived, 0);
  }

  #missing(): readonly string[] {
    const missing: string[] = [];
    for (let from = 0; from < this.#size; from++) {
      for (let to = 0; to < this.#size; to++) {
        if (from === to || this.#dead.has(to)) continue;
        const { offered, arrived } = this.#flow(from, to);
        const told = this.hasLost(to, from);
        const reason = this.#reasons.get(from * this.#size + to);
        if (told) continue;
        if (this.#dead.has(from) || this.hasLost(from, to)) {
          missing.push(`${to} was never told that it lost ${from} (${reason ?? 'no reason'})`);
        } else if (arrived < offered) {
          missing.push(`${from}>${to} ${arrived} of ${offered} packets arrived, none is lost`);
        }
      }
    }
    return missing;
  }

  #flow(from: number, to: number): Flow {
    return this.#flows[from * this.#size + to] ?? newFlow();
  }

  #belief(by: number, rank: number): Belief {
    return this.#beliefs[by * this.#size + rank] ?? { lost: false };
  }
}
