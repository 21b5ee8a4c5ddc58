// The rotation schedule (STRADS, static): a G × G grid of blocks and G strata a pass. Stratum t is
// the blocks (a, (a + t) mod G): no two share a row part or a column part, so they may be updated
// at the same time, in any order, by any workers, with the same result.
import { rangeOf, type Range } from '../base/ranges.ts';

export type GridBlock = { readonly row: number; readonly column: number };

/** The blocks of stratum `t`. */
export function stratum(grid: number, t: number): readonly GridBlock[] {
  return Array.from({ length: grid }, (_, row) => ({ row, column: (row + t) % grid }));
}

/**
 * Shares items out over workers, the heaviest first to the least loaded (longest processing time
 * first, Graham 1969): the busiest worker has at most 4/3 of the best possible load.
 */
export function balance<T>(
  items: readonly T[],
  workers: number,
  cost: (item: T) => number,
): readonly T[][] {
  const loads = new Array<number>(workers).fill(0);
  const shares: T[][] = loads.map(() => []);
  const byCost = items.map((item, index) => ({ item, index, cost: cost(item) }));
  byCost.sort((a, b) => b.cost - a.cost || a.index - b.index);
  for (const { item, cost: itemCost } of byCost) {
    const least = loads.indexOf(Math.min(...loads));
    shares[least]?.push(item);
    loads[least] = (loads[least] ?? 0) + itemCost;
  }
  return shares;
}

/** Cuts 0 … count into one range for each worker. */
export function ranges(count: number, workers: number): readonly Range[] {
  return Array.from({ length: workers }, (_, worker) => rangeOf(count, workers, worker));
}
