// What may be updated at the same time: out of candidates, best first, each that is correlated
// neither with one already kept nor with one in flight becomes part of the next phase.
//
//   candidate k is kept  ⇔  |corr(k, j)| < ρ  for all j kept before it and all j in flight
//
// Greedy, so the best candidate is only ever turned down for one in flight.
import { SystemError } from '../base/errors.ts';
import type { Correlations } from './correlations.ts';

export type Rejection = {
  readonly variable: number;
  /** The variable that it is correlated with, and by how much. */
  readonly because: number;
  readonly correlation: number;
  /** Where that one is: in the same phase, or in one that has not ended. */
  readonly where: 'phase' | 'flight';
};

/** Rejections that a phase tells of; their number is in `turnedDown`. */
export const rejectionsMax = 64;

export type Filtered = {
  readonly kept: Int32Array;
  /** Neither kept nor updated: turned down, or more than were wanted. */
  readonly left: Int32Array;
  readonly rejected: readonly Rejection[];
  readonly turnedDown: number;
};

/** How a pair is judged: its correlation where that is too strong. */
function conflict(correlations: Correlations, j: number, k: number): number | undefined {
  const correlation = correlations.between(j, k);
  if (correlation === undefined) {
    const what = `schedule: the correlation of variables ${j} and ${k} is not known`;
    const remedy = 'before next(), note() the moments of what candidates() returns';
    throw new SystemError('ERR_PROGRAM', `${what}; ${remedy}`);
  }
  return Math.abs(correlation) >= correlations.threshold ? correlation : undefined;
}

/** `correlations` undefined: no filter. */
export function filterCandidates(
  candidates: Int32Array,
  want: number,
  against: {
    readonly correlations: Correlations | undefined;
    readonly inFlight: ReadonlySet<number>;
  },
): Filtered {
  const { correlations, inFlight } = against;
  const kept: number[] = [];
  const left: number[] = [];
  const rejected: Rejection[] = [];
  let turnedDown = 0;
  const judge = (variable: number): Rejection | undefined => {
    if (correlations === undefined) return undefined;
    const others = [
      ['flight', inFlight],
      ['phase', kept],
    ] as const;
    for (const [where, set] of others) {
      for (const because of set) {
        const correlation = conflict(correlations, because, variable);
        if (correlation !== undefined) return { variable, because, correlation, where };
      }
    }
    return undefined;
  };
  for (const variable of candidates) {
    const rejection = kept.length < want ? judge(variable) : undefined;
    if (rejection !== undefined) {
      turnedDown += 1;
      if (rejected.length < rejectionsMax) rejected.push(rejection);
    }
    if (rejection === undefined && kept.length < want) kept.push(variable);
    else left.push(variable);
  }
  return { kept: Int32Array.from(kept), left: Int32Array.from(left), rejected, turnedDown };
}

/** Those of `candidates` and of those in flight of which a pair is missing that a filter needs. */
export function unknownOf(
  correlations: Correlations,
  candidates: Int32Array,
  inFlight: ReadonlySet<number>,
): Int32Array {
  const needed = new Set<number>();
  const others = [...inFlight, ...candidates];
  correlations.touch(others);
  candidates.forEach((variable, i) => {
    for (const other of others.slice(0, inFlight.size + i)) {
      if (correlations.between(other, variable) !== undefined) continue;
      needed.add(other).add(variable);
    }
  });
  return Int32Array.from(needed);
}
