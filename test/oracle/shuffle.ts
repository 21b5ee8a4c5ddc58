// The shuffle of kernels in plain TypeScript: Marsaglia's xorshift32 and Fisher and Yates.

/** A random order of 0 … count − 1 and the generator's last state. */
export function shuffled(count: number, seed: number): { order: number[]; state: number } {
  const order = Array.from({ length: count }, (_, i) => i);
  let state = seed >>> 0;
  for (let i = count - 1; i > 0; i--) {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    const j = Number((BigInt(state) * BigInt(i + 1)) >> 32n);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return { order, state };
}
