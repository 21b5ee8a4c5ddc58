// Adaptive staleness: how many clocks a reader's values may lag, found while it runs. The bound is
// the reader's own patience (freshness.ts), so every worker adapts by itself, within a user's
// bound.
//
//   waits for more than a tenth of its time   → one clock more   (it stands still for stragglers)
//   waits for less than a fiftieth, for long  → one clock less   (fresher values converge faster)
import { assert } from '../base/assert.ts';

/** What a reader met in one clock. */
export type ClockTimes = { readonly waitedMs: number; readonly busyMs: number };

export type Adjustment = {
  readonly clock: number;
  readonly from: number;
  readonly to: number;
  /** Share of the time that it waited, over the clocks looked at. */
  readonly waited: number;
};

const rule = { windowClocks: 8, raiseAbove: 0.1, lowerBelow: 0.02, calmWindows: 4 } as const;

export class AdaptiveStaleness {
  readonly #most: number;
  #staleness: number;
  #clocks = 0;
  #waitedMs = 0;
  #busyMs = 0;
  #calm = 0;

  /** Starts at one clock, or at `most` if that is less. */
  constructor(most: number) {
    assert(Number.isInteger(most) && most >= 0, 'the bound is a count of clocks');
    this.#most = most;
    this.#staleness = Math.min(1, most);
  }

  get staleness(): number {
    return this.#staleness;
  }

  /** Takes in what clock `clock` took; says what was changed, if anything. */
  step(clock: number, times: ClockTimes): Adjustment | undefined {
    this.#clocks += 1;
    this.#waitedMs += times.waitedMs;
    this.#busyMs += times.busyMs;
    if (this.#clocks < rule.windowClocks) return undefined;
    const total = this.#waitedMs + this.#busyMs;
    const waited = total > 0 ? this.#waitedMs / total : 0;
    this.#clocks = 0;
    this.#waitedMs = 0;
    this.#busyMs = 0;
    this.#calm = waited < rule.lowerBelow ? this.#calm + 1 : 0;
    if (waited > rule.raiseAbove) return this.#change(clock, 1, waited);
    if (this.#calm < rule.calmWindows) return undefined;
    this.#calm = 0;
    return this.#change(clock, -1, waited);
  }

  #change(clock: number, by: number, waited: number): Adjustment | undefined {
    const from = this.#staleness;
    const to = Math.min(this.#most, Math.max(0, from + by));
    this.#staleness = to;
    return from === to ? undefined : { clock, from, to, waited };
  }
}
