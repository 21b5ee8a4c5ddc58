// The freshness rule: the one place that decides whether a read may go ahead.
//
//   A worker at clock c may read when every worker has finished clock c − s − 1, that is when
//   min(clocks) ≥ c − s (SSP condition, Ho et al. 2013). s = 0 is bulk-synchronous; async waits
//   for nothing. essp differs from ssp in how fresh values travel, not in what may be read; on one
//   host the cache is the shard and the two are the same.

export type Consistency = 'bsp' | 'ssp' | 'essp' | 'async';

export type Policy = { readonly consistency: Consistency; readonly staleness: number };

/** Clocks that every worker must have finished before a worker at `clock` may read. */
export function requiredClock(policy: Policy, clock: number): number {
  switch (policy.consistency) {
    case 'bsp':
      return clock;
    case 'ssp':
    case 'essp':
      return clock - policy.staleness;
    case 'async':
      return -Infinity;
  }
}

/** May a worker at `clock` read now, when the slowest worker has finished `minClock` clocks? */
export function mayRead(policy: Policy, clock: number, minClock: number): boolean {
  return minClock >= requiredClock(policy, clock);
}

/** The tightest of several tables' policies: what a push that reads them all waits for. */
export function tightest(policies: readonly Policy[]): Policy {
  const rank = (policy: Policy) => requiredClock(policy, 1);
  return policies.reduce((a, b) => (rank(b) > rank(a) ? b : a));
}
