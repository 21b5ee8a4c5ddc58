// Which hosts may lose each other, by the fault plan alone: those that could not hear each other
// for about as long as it takes to give a peer up. Everybody else has no excuse.
import type { FaultPlan } from '../../src/sim/faults.ts';

export type Patience = {
  /** Without a sign of life for so long a peer is given up. */
  readonly peerTimeoutMs: number;
  /** Most that it takes to hear from a peer again, once nothing stands in the way. */
  readonly recoveryMs: number;
};

type Interval = { readonly fromMs: number; readonly untilMs: number };

export type Excuse = { readonly a: number; readonly b: number; readonly reason: string };

/** Intervals whose gaps are too short to recover in count as one. */
function longest(intervals: readonly Interval[], recoveryMs: number): number {
  const sorted = [...intervals].sort((a, b) => a.fromMs - b.fromMs || a.untilMs - b.untilMs);
  let most = 0;
  let fromMs = -Infinity;
  let untilMs = -Infinity;
  for (const next of sorted) {
    if (next.fromMs > untilMs + recoveryMs) fromMs = next.fromMs;
    untilMs = Math.max(untilMs, next.untilMs);
    most = Math.max(most, untilMs - fromMs);
  }
  return most;
}

/** Pairs of hosts whose loss the plan excuses. Crashes are told to checkers when they happen. */
export function excuses(plan: FaultPlan, size: number, patience: Patience): readonly Excuse[] {
  const { peerTimeoutMs, recoveryMs } = patience;
  const found: Excuse[] = [];
  for (let a = 0; a < size; a++) {
    for (let b = a + 1; b < size; b++) {
      const between = plan.cuts.filter(
        ({ from, to }) => (from === a && to === b) || (from === b && to === a),
      );
      const slow = plan.slowdowns.filter(({ rank }) => rank === a || rank === b);
      const deafMs = longest([...between, ...slow], recoveryMs);
      if (deafMs + recoveryMs < peerTimeoutMs) continue;
      found.push({ a, b, reason: `cut off or too slow for ${deafMs.toFixed(0)} ms` });
    }
  }
  return found;
}
