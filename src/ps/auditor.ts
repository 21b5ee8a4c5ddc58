// The auditor: what staleness reads really had, and whether any broke its bound.
//
// It counts from ground truth. In an audited run every push adds 1 to its worker's row of a ledger
// table, through the same delta log and the same fold as every other update. What a read finds
// there is the number of that worker's clocks really in the tables, whatever the gates believed.
import type { Policy } from './freshness.ts';
import { requiredClock } from './freshness.ts';

/**
 * Reads by how many clocks they lagged their reader: bins[k] counts lag k, the last bin k or more.
 */
export type StalenessHistogram = readonly number[];

export const histogramBins = 32;

/** The bin of a read at `clock` that saw at least `minSeen` clocks of every worker. */
export function lagBin(clock: number, minSeen: number): number {
  return Math.min(histogramBins - 1, Math.max(0, clock - minSeen));
}

export type Breach = {
  readonly worker: number;
  readonly clock: number;
  readonly required: number;
  readonly writer: number;
  readonly seen: number;
};

/** The first worker of whom the read at `clock` misses updates that its policy promises. */
export function audit(
  policy: Policy,
  read: { readonly worker: number; readonly clock: number; readonly ledger: ArrayLike<number> },
): Breach | undefined {
  const required = requiredClock(policy, read.clock);
  for (let writer = 0; writer < read.ledger.length; writer++) {
    const seen = read.ledger[writer] ?? 0;
    if (seen < required) return { worker: read.worker, clock: read.clock, required, writer, seen };
  }
  return undefined;
}

/** The breach in words. */
export function describeBreach(breach: Breach): string {
  const { worker, clock, required, writer, seen } = breach;
  return (
    `worker ${worker} at clock ${clock} read a table with ${seen} clocks of worker ${writer}, ` +
    `its bound promises ${required}: this is a bug of Perpetuum, please report it with the command`
  );
}
