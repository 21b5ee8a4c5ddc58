// The watchdog: finds an actor that computes and never comes back. Pure; the supervisor feeds it
// what the actors publish of themselves and the time.
//
//   An actor counts every change of its activity. A count that stands still while it starts,
//   pushes, schedules or folds, for longer than the limit, is an endless loop (or a kernel that
//   should have been cut into pieces). Waiting is no sign of it: who is waited for is stuck.
import type { Activity } from '../store/control.ts';

export type Sighting = { readonly now: Activity; readonly steps: number };

export type Stuck = { readonly thread: number; readonly now: Activity; readonly forMs: number };

type Memory = { steps: number; sinceMs: number };

const computing: ReadonlySet<Activity> = new Set([
  ...(['starting', 'pushing', 'folding', 'scheduling'] as const),
]);

export class Watchdog {
  readonly #limitMs: number;
  readonly #seen: Memory[] = [];

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Looks at all actors; returns the one that has been stuck longest, if any is past the limit. */
  step(sightings: readonly Sighting[], nowMs: number): Stuck | undefined {
    let worst: Stuck | undefined;
    sightings.forEach(({ now, steps }, thread) => {
      const before = this.#seen[thread];
      if (before === undefined || before.steps !== steps || !computing.has(now)) {
        this.#seen[thread] = { steps, sinceMs: nowMs };
        return;
      }
      const forMs = nowMs - before.sinceMs;
      if (forMs > this.#limitMs && forMs > (worst?.forMs ?? 0)) worst = { thread, now, forMs };
    });
    return worst;
  }
}
