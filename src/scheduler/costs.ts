// What blocks cost, measured: an estimate that is known before anything was measured (nonzeros,
// say) times how many milliseconds a unit of it took, averaged with exponentially falling weights.
//
//   cost(b) = units(b) · rate(b)
//   rate(b) ← (1 − a) rate(b) + a · ms / Σ units(b')      b' the blocks of b's worker
//
// A worker's time is measured for all of its blocks together; who shares a worker with whom
// changes, so rates of blocks come apart in time. Feed it to `balance` (rotation.ts), and only
// where the result does not depend on who does what: no measured time is the same twice.
export type Costs = {
  of(block: number): number;
  /** A worker took `ms` for these blocks, one after the other. */
  measured(blocks: readonly number[], ms: number): void;
};

export function createCosts(
  units: (block: number) => number,
  { weight = 0.25 }: { readonly weight?: number } = {},
): Costs {
  const rates = new Map<number, number>();
  /** Of all blocks: stands for those that were not measured. */
  let usual: number | undefined;
  const averaged = (old: number | undefined, rate: number) =>
    old === undefined ? rate : old + weight * (rate - old);
  return {
    of: (block) => units(block) * (rates.get(block) ?? usual ?? 1),
    measured(blocks, ms) {
      const all = blocks.reduce((sum, block) => sum + units(block), 0);
      if (!(all > 0) || !(ms > 0)) return;
      const rate = ms / all;
      for (const block of blocks) rates.set(block, averaged(rates.get(block) ?? usual, rate));
      usual = averaged(usual, rate);
    },
  };
}
