// One thread's sampler of a document's topics under a trained model, and the two held-out scores. A
// document is opened (its tokens in a random order), then folded in or scored; what is random comes
// from the Prng that `open` is given, so a result depends on the seed and the document alone.
//
//   document completion   θ from the first half of the tokens by Gibbs sampling (its posterior
//                         mean), Σ ln p(w | θ) over the second half, p(w | θ) = Σ_k θ_k φ_kw
//                         (Wallach et al. 2009, section 5.1; the halves: ⌊n/2⌋ and the rest)
//   left to right         ln of an unbiased estimate of p(w_1 … w_n): see topics_left_to_right
//
//   perplexity = exp(−Σ_d ln p / Σ_d tokens scored)
import { assert } from '../../base/assert.ts';
import type { Prng } from '../../base/prng.ts';
import { zeros, type Memory } from './placed.ts';

/** Which sweeps of Gibbs sampling make a document's θ. */
export type Sweeps = { readonly burn: number; readonly samples: number };

export type SamplerSizes = {
  readonly topics: number;
  /** Of the longest document that is opened. */
  readonly tokens: number;
  /** 0: no `leftToRight`. */
  readonly particles: number;
};

/** Where the words of a document are: nonzeros × i32 each, byte offsets. */
export type Bag = { readonly nonzeros: number; readonly index: number; readonly count: number };

/** ln p of the tokens that were scored, and how many. */
export type Score = { readonly logLikelihood: number; readonly tokens: number };

export type Sampler = {
  /** Makes this the current document; its tokens whose word the model has. */
  open(bag: Bag, words: number, prng: Prng): number;
  completion(sweeps: Sweeps): Score;
  leftToRight(): Score;
  /**
   * Topics with θ_k ≥ threshold to `out`, as {i32 topic, f32 θ} in no order; how many. Room: K, or
   * 1 / threshold.
   */
  mixture(sweeps: Sweeps, threshold: number, out: number): number;
};

/** A sampler over `plan` (see PlacedTopics), with memory of its own. */
export function openSampler(memory: Memory, plan: number, sizes: SamplerSizes): Sampler {
  const { kernels, arena } = memory;
  const { topics, tokens: room, particles } = sizes;
  const place = (bytes: number) => zeros(memory, bytes);
  const [words, z, random, masses] = [
    place(room * 4),
    place(room * 4),
    place(16),
    place(topics * 8),
  ];
  const [counts, sums, touched] = [place(topics * 4), place(topics * 4), place(topics * 4)];
  const work =
    particles === 0 ? 0 : place(topics * 8 + particles * 12 + particles * (topics + room) * 4);
  let n = 0;
  const fold = (tokens: number, { burn, samples }: Sweeps) =>
    kernels.topics_fold(
      ...([plan, tokens, burn, samples, words, z, counts, sums, touched, masses, random] as const),
    );
  return {
    open({ nonzeros, index, count }, vocabulary, prng) {
      n = kernels.topics_tokens(nonzeros, vocabulary, room, index, count, words);
      assert(n >= 0, 'the sampler has room for its longest document');
      arena.i32.set([prng.uint32(), prng.uint32()], random / 4);
      kernels.topics_shuffle(n, words, random);
      return n;
    },
    completion(sweeps) {
      const seen = n >> 1;
      const found = fold(seen, sweeps);
      const rest = words + seen * 4;
      const scored = [plan, n - seen, seen, sweeps.samples, found, rest, touched, sums] as const;
      const logLikelihood = kernels.topics_score(...scored);
      kernels.topics_clear(found, touched, sums);
      return { logLikelihood, tokens: n - seen };
    },
    leftToRight() {
      assert(particles > 0, 'left to right has particles');
      const logLikelihood = kernels.topics_left_to_right(plan, n, particles, words, work, random);
      return { logLikelihood, tokens: n };
    },
    mixture(sweeps, threshold, out) {
      const found = fold(n, sweeps);
      const { samples } = sweeps;
      const entries = kernels.topics_mixture(
        ...([plan, n, samples, found, threshold, touched, sums, out] as const),
      );
      kernels.topics_clear(found, touched, sums);
      return entries;
    },
  };
}
