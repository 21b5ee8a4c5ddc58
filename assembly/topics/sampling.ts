// Topics of one document under a trained model: φ stands still, the document's assignments z move.
// One draw is of SparseLDA's form (Yao, Mimno and McCallum 2009), with n_dk the document's counts
// without the token that is drawn:
//
//   p(z = k) ∝ (n_dk + α_k) (n_kw + β) / (n_k + Vβ)
//            =  (n_dk + α_k) n_kw / (n_k + Vβ)      over the entries of word w
//             + n_dk β / (n_k + Vβ)                 over the document's own tokens
//             + α_k β / (n_k + Vβ)                  over all k: the tail, summed once for the model
//
// so a draw costs the word's entries, and K appears in a binary search alone.
//
//   plan    i32  0 K   4 V   8 starts   12 topic   16 count   20 facts
//           f64 24 β  32 Σα  40 the tail's sum  48 max α
//   facts   24 bytes a topic: f64 α_k, f64 1 / (n_k + Vβ), f64 Σ_{j ≤ k} of the tail
//   words   i32 n, the document's tokens      z  i32 n, their topics
//   counts  i32 K, all 0 between documents    masses  f64, the most entries that a word has
//   random  u64 state of the generator
import { log64 } from '../math';
import { uniform } from '../random';

/** Facts of a topic. */
const FACT: usize = 24;

/** Fills `facts` and the sums of `plan`, whose other fields are set. alpha: K f64, totals: K i32. */
export function topics_facts(plan: usize, alpha: usize, totals: usize): void {
  const K = load<i32>(plan), beta = load<f64>(plan, 24);
  const smoothing = <f64>load<i32>(plan, 4) * beta;
  let at = load<usize>(plan, 20);
  let sum: f64 = 0, tail: f64 = 0, most: f64 = 0;
  for (let k = 0; k < K; k++) {
    const a = load<f64>(alpha + (<usize>k << 3));
    const inverse = 1 / (<f64>load<i32>(totals + (<usize>k << 2)) + smoothing);
    sum += a;
    most = max(most, a);
    tail += a * beta * inverse;
    store<f64>(at, a);
    store<f64>(at, inverse, 8);
    store<f64>(at, tail, 16);
    at += FACT;
  }
  store<f64>(plan, sum, 32);
  store<f64>(plan, tail, 40);
  store<f64>(plan, most, 48);
}

/** Puts n words in a random order, all alike (Fisher and Yates, from the end). */
export function topics_shuffle(n: i32, words: usize, random: usize): void {
  for (let i = n - 1; i > 0; i--) {
    const a = words + (<usize>i << 2), b = words + (<usize>(uniform(random) * <f64>(i + 1)) << 2);
    const word = load<i32>(a);
    store<i32>(a, load<i32>(b));
    store<i32>(b, word);
  }
}

/** β / (n_k + Vβ) of topic k. */
// @ts-ignore: decorator
@inline
function background(facts: usize, beta: f64, k: i32): f64 {
  return beta * load<f64>(facts + <usize>k * FACT, 8);
}

/** The first of count ascending f64, `step` bytes apart, that is above x; the last if none is. */
// @ts-ignore: decorator
@inline
function above(count: i32, at: usize, step: usize, x: f64): i32 {
  let low = 0, high = count - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<f64>(at + <usize>middle * step) > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Running sums of (n_dk + α_k) n_kw / (n_k + Vβ) over word w's entries into `masses`; the last. */
// @ts-ignore: decorator
@inline
function entries(plan: usize, w: i32, counts: usize, masses: usize): f64 {
  const starts = load<usize>(plan, 8) + (<usize>w << 2), facts = load<usize>(plan, 20);
  let topic = load<usize>(plan, 12) + (<usize>load<i32>(starts) << 2);
  let count = load<usize>(plan, 16) + (<usize>load<i32>(starts) << 2);
  const end = load<usize>(plan, 12) + (<usize>load<i32>(starts, 4) << 2);
  let sum: f64 = 0;
  while (topic < end) {
    const k = <usize>load<i32>(topic), fact = facts + k * FACT;
    const n = <f64>load<i32>(counts + (k << 2)) + load<f64>(fact);
    sum += n * <f64>load<i32>(count) * load<f64>(fact, 8);
    store<f64>(masses, sum);
    topic += 4;
    count += 4;
    masses += 8;
  }
  return sum;
}

/**
 * The topic at x in [0, q + rest + tail) of the three sums; `masses` are those of word w. `z` are m
 * tokens' topics, of which number `without` is not counted.
 */
// @ts-ignore: decorator
@inline
function topicAt(
  plan: usize, w: i32, m: i32, without: i32, z: usize, masses: usize, q: f64, rest: f64, x: f64,
): i32 {
  const facts = load<usize>(plan, 20), beta = load<f64>(plan, 24);
  if (x < q) {
    const starts = load<usize>(plan, 8) + (<usize>w << 2), first = load<i32>(starts);
    const place = above(load<i32>(starts, 4) - first, masses, 8, x);
    return load<i32>(load<usize>(plan, 12) + (<usize>(first + place) << 2));
  }
  x -= q;
  if (x < rest) {
    for (let i = 0; i < m; i++) {
      if (i == without) continue;
      const k = load<i32>(z + (<usize>i << 2));
      x -= background(facts, beta, k);
      if (x < 0) return k;
    }
    x = 0; // Rounding: as if at the tail's begin.
  } else x -= rest;
  return above(load<i32>(plan), facts + 16, FACT, x);
}

// @ts-ignore: decorator
@inline
function change(counts: usize, k: i32, by: i32): void {
  const at = counts + (<usize>k << 2);
  store<i32>(at, load<i32>(at) + by);
}

/** Draws tokens 0 … m − 1 again, one after the other: one sweep of Gibbs sampling; returns `rest`. */
function sweep(
  plan: usize, m: i32, words: usize, z: usize, counts: usize, masses: usize, random: usize,
): f64 {
  const facts = load<usize>(plan, 20), beta = load<f64>(plan, 24), tail = load<f64>(plan, 40);
  let rest: f64 = 0;
  for (let i = 0; i < m; i++) rest += background(facts, beta, load<i32>(z + (<usize>i << 2)));
  for (let i = 0; i < m; i++) {
    const at = <usize>i << 2, old = load<i32>(z + at), w = load<i32>(words + at);
    change(counts, old, -1);
    rest = max(rest - background(facts, beta, old), 0);
    const q = entries(plan, w, counts, masses);
    const x = uniform(random) * (q + rest + tail);
    const k = topicAt(plan, w, m, i, z, masses, q, rest, x);
    store<i32>(z + at, k);
    change(counts, k, 1);
    rest += background(facts, beta, k);
  }
  return rest;
}

/**
 * Gibbs sampling of a document's n tokens: each drawn in turn given those before it, then `burn`
 * sweeps, then `samples` sweeps whose counts are added up in `sums` (K i32, all 0 before). `touched`
 * (room for min(K, n·samples)) lists the topics whose sum is not 0 and their number is returned, so
 * the posterior mean is θ_k = (sums_k / samples + α_k) / (n + Σα).
 */
export function topics_fold(
  plan: usize, n: i32, burn: i32, samples: i32, words: usize, z: usize, counts: usize, sums: usize,
  touched: usize, masses: usize, random: usize,
): i32 {
  assert(samples > 0);
  const facts = load<usize>(plan, 20), beta = load<f64>(plan, 24), tail = load<f64>(plan, 40);
  let rest: f64 = 0;
  for (let i = 0; i < n; i++) {
    const at = <usize>i << 2, w = load<i32>(words + at);
    const q = entries(plan, w, counts, masses);
    const x = uniform(random) * (q + rest + tail);
    const k = topicAt(plan, w, i, -1, z, masses, q, rest, x);
    store<i32>(z + at, k);
    change(counts, k, 1);
    rest += background(facts, beta, k);
  }
  let found = 0;
  for (let s = 0; s < burn + samples; s++) {
    sweep(plan, n, words, z, counts, masses, random);
    if (s < burn) continue;
    for (let i = 0; i < n; i++) {
      const k = load<i32>(z + (<usize>i << 2)), sum = sums + (<usize>k << 2);
      if (load<i32>(sum) == 0) {
        store<i32>(touched + (<usize>found << 2), k);
        found++;
      }
      store<i32>(sum, load<i32>(sum) + 1);
    }
  }
  for (let i = 0; i < n; i++) store<i32>(counts + (<usize>load<i32>(z + (<usize>i << 2)) << 2), 0);
  return found;
}

/** Sets the sums of count listed topics to 0 again. */
export function topics_clear(count: i32, touched: usize, sums: usize): void {
  for (let i = 0; i < count; i++) {
    store<i32>(sums + (<usize>load<i32>(touched + (<usize>i << 2)) << 2), 0);
  }
}

/**
 * Σ ln p(w | θ) over n words, θ the mean that `topics_fold` left of `counted` tokens:
 * p(w | θ) = Σ_k θ_k φ_kw, by the word's entries and the background.
 */
export function topics_score(
  plan: usize, n: i32, counted: i32, samples: i32, count: i32, words: usize, touched: usize, sums: usize,
): f64 {
  const facts = load<usize>(plan, 20), beta = load<f64>(plan, 24);
  const share = 1 / <f64>samples, norm = 1 / (<f64>counted + load<f64>(plan, 32));
  let base = load<f64>(plan, 40);
  for (let i = 0; i < count; i++) {
    const k = load<i32>(touched + (<usize>i << 2));
    base += share * <f64>load<i32>(sums + (<usize>k << 2)) * background(facts, beta, k);
  }
  let total: f64 = 0;
  for (let j = 0; j < n; j++) {
    const starts = load<usize>(plan, 8) + (<usize>load<i32>(words + (<usize>j << 2)) << 2);
    const last = load<i32>(starts, 4);
    let p = base;
    for (let i = load<i32>(starts); i < last; i++) {
      const k = <usize>load<i32>(load<usize>(plan, 12) + (<usize>i << 2)), fact = facts + k * FACT;
      const m = share * <f64>load<i32>(sums + (k << 2)) + load<f64>(fact);
      p += m * <f64>load<i32>(load<usize>(plan, 16) + (<usize>i << 2)) * load<f64>(fact, 8);
    }
    total += log64(p * norm);
  }
  return total;
}

/**
 * θ of a document of n tokens from `topics_fold`'s sums, those topics with θ_k ≥ threshold: {i32
 * topic, f32 θ} at out, in no order; their number. A topic that was never drawn has α_k / (n + Σα).
 * `out` has room for 1 / threshold of them, or K.
 */
export function topics_mixture(
  plan: usize, n: i32, samples: i32, count: i32, threshold: f64, touched: usize, sums: usize,
  out: usize,
): i32 {
  const facts = load<usize>(plan, 20), norm = 1 / (<f64>n + load<f64>(plan, 32));
  const share = 1 / <f64>samples;
  const all = load<f64>(plan, 48) * norm >= threshold;
  const candidates = all ? load<i32>(plan) : count;
  let found = 0;
  for (let i = 0; i < candidates; i++) {
    const k = all ? i : load<i32>(touched + (<usize>i << 2));
    const m = share * <f64>load<i32>(sums + (<usize>k << 2)) + load<f64>(facts + <usize>k * FACT);
    if (m * norm < threshold) continue;
    const at = out + (<usize>found << 3);
    store<i32>(at, k);
    store<f32>(at, <f32>(m * norm), 4);
    found++;
  }
  return found;
}

/** Puts in the place of particles without offspring copies of those with more than one. */
function replace(
  plan: usize, m: i32, particles: i32, offspring: usize, counts: usize, z: usize, stride: usize,
): void {
  const countBytes = <usize>load<i32>(plan) << 2;
  let parent = 0;
  for (let r = 0; r < particles; r++) {
    if (load<i32>(offspring + (<usize>r << 2)) != 0) continue;
    while (load<i32>(offspring + (<usize>parent << 2)) < 2) parent++;
    change(offspring, parent, -1);
    const own = counts + <usize>r * countBytes, from = z + <usize>parent * stride;
    const to = z + <usize>r * stride;
    for (let i: usize = 0; i < <usize>m << 2; i += 4) store<i32>(own + (<usize>load<i32>(to + i) << 2), 0);
    for (let i: usize = 0; i < <usize>m << 2; i += 4) {
      const k = load<i32>(from + i);
      store<i32>(to + i, k);
      change(own, k, 1);
    }
  }
}

/**
 * ln of an unbiased estimate of a document's probability p(w_1 … w_n | φ, α), left to right (Wallach,
 * Murray, Salakhutdinov and Mimno 2009; Buntine 2009). Before word i each particle draws the words
 * before it again; then p_i = Σ_k φ_k,w_i (n_dk + α_k) / (i − 1 + Σα), and z_i is drawn. Those papers
 * take the product of the particles' means, or the mean of their products; here particles have
 * weights and are drawn again (systematically) when Σ W² > 2 / particles. As the draws before leave
 * the posterior as it is, the estimate is unbiased as that of any sequential Monte Carlo (Del Moral
 * 2004), without the spread of a product over a long document. It costs particles · n² / 2 draws.
 *
 *   work   f64 masses K · weights R    i32 offspring R · counts R × K (0 before and after) · z R × n
 */
export function topics_left_to_right(
  plan: usize, n: i32, particles: i32, words: usize, work: usize, random: usize,
): f64 {
  const K = load<i32>(plan), tail = load<f64>(plan, 40), alpha = load<f64>(plan, 32);
  const weights = work + (<usize>K << 3);
  const offspring = weights + (<usize>particles << 3), counts = offspring + (<usize>particles << 2);
  const countBytes = <usize>K << 2, stride = <usize>n << 2;
  const z = counts + <usize>particles * countBytes, even = 1 / <f64>particles;
  for (let r = 0; r < particles; r++) store<f64>(weights + (<usize>r << 3), even);
  let total: f64 = 0;
  for (let i = 0; i < n; i++) {
    const w = load<i32>(words + (<usize>i << 2)), norm = 1 / (<f64>i + alpha);
    let sum: f64 = 0;
    for (let r = 0; r < particles; r++) {
      const own = counts + <usize>r * countBytes, topics = z + <usize>r * stride;
      const rest = sweep(plan, i, words, topics, own, work, random);
      const q = entries(plan, w, own, work), all = q + rest + tail;
      const k = topicAt(plan, w, i, -1, topics, work, q, rest, uniform(random) * all);
      store<i32>(topics + (<usize>i << 2), k);
      change(own, k, 1);
      const weight = load<f64>(weights + (<usize>r << 3)) * all * norm;
      store<f64>(weights + (<usize>r << 3), weight);
      sum += weight;
    }
    total += log64(sum);
    let squares: f64 = 0;
    for (let r = 0; r < particles; r++) {
      const weight = load<f64>(weights + (<usize>r << 3)) / sum;
      store<f64>(weights + (<usize>r << 3), weight);
      squares += weight * weight;
    }
    if (squares * <f64>particles <= 2) continue;
    const offset = uniform(random);
    let next = 0, reached: f64 = 0;
    for (let r = 0; r < particles; r++) {
      reached += load<f64>(weights + (<usize>r << 3));
      let born = 0;
      for (; next < particles; next++) {
        if (r < particles - 1 && (offset + <f64>next) * even >= reached) break;
        born++;
      }
      store<i32>(offspring + (<usize>r << 2), born);
      store<f64>(weights + (<usize>r << 3), even);
    }
    replace(plan, i + 1, particles, offspring, counts, z, stride);
  }
  for (let r = 0; r < particles; r++) {
    const own = counts + <usize>r * countBytes, topics = z + <usize>r * stride;
    for (let i: usize = 0; i < stride; i += 4) store<i32>(own + (<usize>load<i32>(topics + i) << 2), 0);
  }
  return total;
}
