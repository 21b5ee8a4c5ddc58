// Random numbers of kernels: SplitMix64 (Steele, Lea and Flood 2014). The state is a counter, so a
// stream can begin anywhere. `random` is the place of a u64 state.
import { log64 } from './math';

/** What the generator makes of a state: uniform in [0, 1), 53 bits. */
// @ts-ignore: decorator
@inline
export function fraction(state: u64): f64 {
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return <f64>((z ^ (z >> 31)) >> 11) * (1.0 / 9007199254740992.0);
}

/** The next number, uniform in [0, 1). */
// @ts-ignore: decorator
@inline
export function uniform(random: usize): f64 {
  const state = load<u64>(random) + 0x9e3779b97f4a7c15;
  store<u64>(random, state);
  return fraction(state);
}

/** Standard normal: the polar method (Marsaglia and Bray 1964), one of its two. */
export function normal(random: usize): f64 {
  while (true) {
    const x = 2 * uniform(random) - 1, y = 2 * uniform(random) - 1;
    const s = x * x + y * y;
    if (s < 1 && s > 1e-300) return x * sqrt(-2 * log64(s) / s);
  }
}
