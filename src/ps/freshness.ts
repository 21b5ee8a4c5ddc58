// The freshness rule: the one place that decides whether a read may go ahead.
//
//   A worker at clock c may read when every worker has finished clock c − s − 1, that is when
//   min(clocks) ≥ c − s (SSP condition, Ho et al. 2013). s = 0 is bulk-synchronous; async waits
//   for nothing. essp differs from ssp in how fresh values travel, not in what may be read; on one
//   host the cache is the shard and the two are the same. auto is essp with an s that every worker
//   adapts by itself (adaptive.ts), up to the policy's. At a barrier every policy is
//   bulk-synchronous.

import { SystemError } from '../base/errors.ts';

export type Consistency = 'bsp' | 'ssp' | 'essp' | 'async' | 'auto';

export type Policy = { readonly consistency: Consistency; readonly staleness: number };

/** Clocks that a read may lag when nothing is said. */
function defaultStaleness(consistency: Consistency): number {
  if (consistency === 'bsp') return 0;
  return consistency === 'auto' ? 8 : 1;
}

/**
 * The policy that is asked for: essp with s = 1 unless it says otherwise, s = 0 with bsp, at most
 * 8 with auto.
 * @throws ERR_CONFIG for a staleness that bsp cannot have or that is no count.
 */
export function policyFrom(consistency: Consistency = 'essp', staleness?: number): Policy {
  const clocks = staleness ?? defaultStaleness(consistency);
  if (consistency === 'bsp' && clocks !== 0) {
    const rule = '--staleness must be 0 with --consistency bsp';
    const next = 'leave it out, or use --consistency ssp or essp';
    throw new SystemError('ERR_CONFIG', `${rule}, got ${clocks}\n${next}`);
  }
  if (Number.isInteger(clocks) && clocks >= 0) return { consistency, staleness: clocks };
  throw new SystemError('ERR_CONFIG', `staleness must be an integer >= 0, got ${clocks}`);
}

/** What a read is held to: at a barrier it sees all clocks before, whatever its policy. */
export function policyAt(policy: Policy, barrier: boolean): Policy {
  return barrier ? { consistency: 'bsp', staleness: 0 } : policy;
}

/** Clocks that every worker must have finished before a worker at `clock` may read. */
export function requiredClock(policy: Policy, clock: number): number {
  switch (policy.consistency) {
    case 'bsp':
      return clock;
    case 'ssp':
    case 'essp':
    case 'auto':
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
