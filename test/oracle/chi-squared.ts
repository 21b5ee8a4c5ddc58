// Whether draws have the distribution that they should have.

/**
 * Pearson's statistic of `draws` draws, counted by cell, against their probabilities, and a bound
 * that it passes by chance about never (4.5 standard deviations). Cells with few expected are one.
 */
export function chiSquared(
  found: ArrayLike<number>,
  want: Float64Array,
  draws: number,
): { readonly statistic: number; readonly bound: number; readonly cells: number } {
  let [statistic, cells, rare, rareFound] = [0, 0, 0, 0];
  want.forEach((p, cell) => {
    if (p * draws < 8) {
      rare += p * draws;
      rareFound += found[cell]!;
      return;
    }
    cells += 1;
    statistic += (found[cell]! - p * draws) ** 2 / (p * draws);
  });
  if (rare > 1) statistic += (rareFound - rare) ** 2 / rare;
  return { statistic, cells, bound: cells + 4.5 * Math.sqrt(2 * cells) };
}
