// Orders in which a pass goes through rows: new for each, without an array.
import type { Prng } from '../base/prng.ts';

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** An order i = (a·j + c) mod n: a coprime to n and large, so that neighbours are far apart. */
export function drawOrder(prng: Prng, n: number): { a: number; c: number } {
  let a = Math.floor(n * (0.25 + 0.5 * prng.uniform())) || 1;
  while (gcd(a, n) !== 1) a += 1;
  return { a, c: prng.below(n) };
}
