// Correlations that tests of schedules know.
import { createPrng } from '../../src/base/prng.ts';

/** Correlations in groups: strong within, weak between; the truth that schedules are held to. */
export function groupedCorrelations(group: readonly number[], seed: number) {
  const prng = createPrng(seed);
  const salts = group.map(() => prng.uniform());
  return (j: number, k: number): number => {
    if (j === k) return 1;
    const size =
      group[j] === group[k] ? 0.3 + 0.7 * salts[j]! * salts[k]! : 0.25 * salts[j]! * salts[k]!;
    return (j + k) % 2 === 0 ? size : -size;
  };
}
