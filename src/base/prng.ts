// Seeded randomness as a value: xoshiro128**, Blackman & Vigna 2018. No Math.random in src:
// the same seed gives the same run.

export type Prng = {
  /** Uniform in [0, 2^32), an integer. */
  uint32(): number;
  /** Uniform in [0, 1) with 32 random bits. */
  uniform(): number;
  /** Uniform integer in [0, bound), without modulo bias. */
  below(bound: number): number;
};

/** SplitMix32 spreads a seed and a stream number over the state, so streams are unrelated. */
function splitMix(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

/** `stream` separates independent consumers of one seed: worker index, pass, purpose. */
export function createPrng(seed: number, stream = 0): Prng {
  const mix = splitMix(splitMix(seed)() ^ Math.imul(stream + 1, 0x85ebca6b));
  let a = mix();
  let b = mix();
  let c = mix();
  let d = mix() | 1;
  const uint32 = () => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  return {
    uint32,
    uniform: () => uint32() / 4294967296,
    below(bound) {
      const limit = 4294967296 - (4294967296 % bound);
      let draw = uint32();
      while (draw >= limit) draw = uint32();
      return draw % bound;
    },
  };
}
