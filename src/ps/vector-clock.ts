// A vector clock: how many clocks each of some parties has finished.
import { assert } from '../base/assert.ts';

export class VectorClock {
  readonly #clocks: number[];

  constructor(parties: number) {
    assert(parties >= 1, 'a clock has parties');
    this.#clocks = new Array<number>(parties).fill(0);
  }

  at(party: number): number {
    const clock = this.#clocks[party];
    assert(clock !== undefined, 'the party takes part');
    return clock;
  }

  /** Clocks only move forward: a party that says less than before is a bug of whoever asks. */
  advance(party: number, clock: number): void {
    assert(clock >= this.at(party), 'a clock never goes back');
    this.#clocks[party] = clock;
  }

  /** Clocks that everyone has finished. */
  min(): number {
    return Math.min(...this.#clocks);
  }

  /** Clocks that everyone but `party` has finished; its own when it is alone. */
  minExcept(party: number): number {
    if (this.#clocks.length === 1) return this.at(party);
    return Math.min(...this.#clocks.filter((_, other) => other !== party));
  }

  toString(): string {
    return `[${this.#clocks.join(' ')}]`;
  }
}
