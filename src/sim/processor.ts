// A thread of a simulated host: does one piece of work after the other, each in the time it costs,
// which is longer while the host is slow and stands still while it is frozen.
import { assert } from '../base/assert.ts';
import type { Slowdown } from './faults.ts';
import type { VirtualTime } from './virtual-time.ts';

/**
 * When work of `costMs` is finished that begins at `startMs`. `slowdowns` are those of one host, in
 * the order of time.
 */
export function finishMs(slowdowns: readonly Slowdown[], startMs: number, costMs: number): number {
  let nowMs = startMs;
  let leftMs = costMs;
  for (const { fromMs, untilMs, factor } of slowdowns) {
    if (untilMs <= nowMs) continue;
    const freeMs = Math.max(0, fromMs - nowMs);
    if (leftMs < freeMs) return nowMs + leftMs;
    leftMs -= freeMs;
    nowMs = Math.max(nowMs, fromMs);
    const slowMs = untilMs - nowMs;
    if (factor !== Infinity && leftMs * factor <= slowMs) return nowMs + leftMs * factor;
    leftMs -= slowMs / factor;
    nowMs = untilMs;
  }
  return nowMs + leftMs;
}

export class Processor {
  readonly #time: VirtualTime;
  /** Those that are not over. */
  readonly #slowdowns: Slowdown[];
  #freeMs = 0;
  #ended = false;

  /** `slowdowns` are those of its host, in the order of time. */
  constructor(time: VirtualTime, slowdowns: readonly Slowdown[]) {
    this.#time = time;
    const ends = ({ untilMs, factor }: Slowdown) => untilMs < Infinity || factor < Infinity;
    assert(slowdowns.every(ends), 'a host that is frozen for good is a silent crash');
    this.#slowdowns = [...slowdowns];
  }

  /** Does `act` after everything asked for before, when its own `costMs` are over too. */
  run(costMs: number, what: string, act: () => void): void {
    if (this.#ended) return;
    const startMs = Math.max(this.#freeMs, this.#time.nowMs);
    while ((this.#slowdowns[0]?.untilMs ?? Infinity) <= startMs) this.#slowdowns.shift();
    this.#freeMs = finishMs(this.#slowdowns, startMs, costMs);
    this.#time.at(this.#freeMs, what, () => {
      if (!this.#ended) act();
    });
  }

  /** The host crashed: nothing that was begun gets finished. */
  end(): void {
    this.#ended = true;
  }
}
