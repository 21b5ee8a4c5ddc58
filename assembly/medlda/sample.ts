// Supervised topics by collapsed Gibbs sampling: the topics of tokens (Zhu, Chen, Perkins and Zhang
// 2014, "Gibbs max-margin topic models with data augmentation", JMLR 15, section 4.3). With the counts
// without the token, and over the classes t, y = ±1:
//
//   p(z = k) ∝ (n_dk + α) (n_kw + β) / (n_k + Vβ) · Π_t exp( −(λ_t + c ζ_t)² / (2 λ_t) )
//   ζ_t = ℓ − y η_t·z̄      z̄ the document's topics with this token in topic k
//
// The exponents are summed as squares (r_t − g_t η_tk)², r_t of the document's other tokens: nothing
// cancels. The factors depend on the other tokens' topics alone, so they are kept, by the topic that
// a token has now, until one of the document's changes: most tokens of a settled chain find them.
//
//   document   a row of counts (K padded to 8 × i32)    its tokens: words ascending, a topic each
//   table      V rows of the same form, n_kw
//   factors    K rows, of a token that is in topic k now
import { exp4 } from '../math';
import { fraction } from '../random';
import { hsum } from '../simd';
import {
  ALPHA, BETA, CLASSES, COST, COUNTS, ETA, FACTORS, GAINS, INVERSE, K, LAMBDA, MARGIN, RESIDUALS,
  ROW_BYTES, RUNNING, STAMPS, STARTS, TABLE, TARGETS, TOPICS, TOTALS, VBETA, WITHOUT, WORDS,
} from './plan';

/** η · counts over a row. */
// @ts-ignore: decorator
@inline
export function dotCounts(bytes: usize, eta: usize, counts: usize): f32 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const n = f32x4.convert_i32x4_s(v128.load(counts + at));
    sum = f32x4.add(sum, f32x4.mul(v128.load(eta + at), n));
  }
  return hsum(sum);
}

/** The first of a document's tokens [from, to) whose word is `word` or a later one. */
// @ts-ignore: decorator
@inline
function firstFrom(word: i32, from: i32, to: i32, words: usize): i32 {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (load<i32>(words + (<usize>middle << 2)) < word) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** r_t and g_t of a document of n tokens in class `target` with these counts. */
function openDocument(target: i32, n: i32, lambda: usize, counts: usize, plan: usize): void {
  const classes = load<i32>(plan, CLASSES), bytes = <usize>load<i32>(plan, ROW_BYTES);
  const residuals = load<usize>(plan, RESIDUALS), gains = load<usize>(plan, GAINS);
  const c = load<f64>(plan, COST), margin = c * load<f64>(plan, MARGIN), share = c / <f64>n;
  let eta = load<usize>(plan, ETA);
  for (let t = 0; t < classes; t++, eta += bytes) {
    const at = <usize>t << 2, value = <f64>load<f32>(lambda + at);
    const norm = sqrt(0.5 / value), gain = <f32>(t == target ? share * norm : -share * norm);
    store<f32>(gains + at, gain);
    store<f32>(residuals + at, <f32>((value + margin) * norm) - gain * dotCounts(bytes, eta, counts));
  }
}

/** The factors of all topics for a token that has topic `old`, the greatest 1, to `out`. */
function fillFactors(old: i32, plan: usize, out: usize): void {
  const k = load<i32>(plan, K), bytes = <usize>load<i32>(plan, ROW_BYTES), etas = load<usize>(plan, ETA);
  const end = <usize>load<i32>(plan, CLASSES) << 2;
  const residuals = load<usize>(plan, RESIDUALS), gains = load<usize>(plan, GAINS);
  const without = load<usize>(plan, WITHOUT);
  for (let at: usize = 0, eta = etas + (<usize>old << 2); at < end; at += 4, eta += bytes) {
    store<f32>(without + at, load<f32>(residuals + at) + load<f32>(gains + at) * load<f32>(eta));
  }
  for (let place: usize = 0; place < bytes; place += 32) {
    let a = f32x4.splat(0), b = f32x4.splat(0);
    let eta = etas + place;
    for (let at: usize = 0; at < end; at += 4, eta += bytes) {
      const g = v128.load32_splat(gains + at), r = v128.load32_splat(without + at);
      const x = f32x4.sub(r, f32x4.mul(g, v128.load(eta)));
      const y = f32x4.sub(r, f32x4.mul(g, v128.load(eta, 16)));
      a = f32x4.add(a, f32x4.mul(x, x));
      b = f32x4.add(b, f32x4.mul(y, y));
    }
    v128.store(out + place, a);
    v128.store(out + place, b, 16);
  }
  let least = load<f32>(out);
  for (let at: usize = 4; at < <usize>k << 2; at += 4) least = min(least, load<f32>(out + at));
  const low = f32x4.splat(least);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(out + at, exp4(f32x4.sub(low, v128.load(out + at))));
  }
}

/** Running sums of the K probabilities of a token to `running`; their sum. */
// @ts-ignore: decorator
@inline
function runningSums(
  bytes: usize, alpha: v128, beta: v128, counts: usize, row: usize, inverse: usize, factors: usize,
  running: usize,
): f32 {
  const zero = f32x4.splat(0);
  let carry = zero;
  for (let at: usize = 0; at < bytes; at += 16) {
    const n = f32x4.add(f32x4.convert_i32x4_s(v128.load(counts + at)), alpha);
    const m = f32x4.add(f32x4.convert_i32x4_s(v128.load(row + at)), beta);
    const weight = f32x4.mul(v128.load(inverse + at), v128.load(factors + at));
    let value = f32x4.mul(f32x4.mul(n, m), weight);
    value = f32x4.add(value, v128.shuffle<f32>(zero, value, 0, 4, 5, 6));
    value = f32x4.add(value, v128.shuffle<f32>(zero, value, 0, 1, 4, 5));
    value = f32x4.add(value, carry);
    v128.store(running + at, value);
    carry = v128.shuffle<f32>(value, value, 3, 3, 3, 3);
  }
  return f32x4.extract_lane(carry, 0);
}

/** How many of the running sums are at most x. */
// @ts-ignore: decorator
@inline
function passedBy(x: f32, bytes: usize, running: usize): i32 {
  const limit = f32x4.splat(x);
  let passed = i32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    passed = i32x4.sub(passed, f32x4.le(v128.load(running + at), limit));
  }
  passed = i32x4.add(passed, i64x2.shuffle(passed, passed, 1, 0));
  return i32x4.extract_lane(passed, 0) + i32x4.extract_lane(passed, 1);
}

/** Adds `by` to the counts of topic k and makes its inverse new. */
// @ts-ignore: decorator
@inline
function shift(k: i32, by: i32, counts: usize, row: usize, totals: usize, inverse: usize, vBeta: f32): void {
  const at = <usize>k << 2, all = load<i32>(totals + at) + by;
  store<i32>(counts + at, load<i32>(counts + at) + by);
  store<i32>(row + at, load<i32>(row + at) + by);
  store<i32>(totals + at, all);
  store<f32>(inverse + at, 1 / (<f32>all + vBeta));
}

/** A token has left topic `old` for topic k: r_t. */
function moveResiduals(old: i32, k: i32, plan: usize): void {
  const bytes = <usize>load<i32>(plan, ROW_BYTES), end = <usize>load<i32>(plan, CLASSES) << 2;
  const residuals = load<usize>(plan, RESIDUALS), gains = load<usize>(plan, GAINS);
  let eta = load<usize>(plan, ETA);
  for (let at: usize = 0; at < end; at += 4, eta += bytes) {
    const change = load<f32>(eta + (<usize>k << 2)) - load<f32>(eta + (<usize>old << 2));
    store<f32>(residuals + at, load<f32>(residuals + at) - load<f32>(gains + at) * change);
  }
}

/**
 * Gives the tokens of words [low, high) in documents [first, last) a topic each; n_k are a copy. Where
 * a document has no class all factors are 1. Random numbers are those of `state`, … Returns how many
 * tokens changed their topic.
 */
export function medlda_sample(
  first: i32, last: i32, low: i32, high: i32, stateLow: i32, stateHigh: i32, plan: usize,
): i32 {
  const k = load<i32>(plan, K), bytes = <usize>load<i32>(plan, ROW_BYTES);
  const classes = load<i32>(plan, CLASSES), starts = load<usize>(plan, STARTS);
  const words = load<usize>(plan, WORDS), topics = load<usize>(plan, TOPICS);
  const totals = load<usize>(plan, TOTALS), inverse = load<usize>(plan, INVERSE);
  const factors = load<usize>(plan, FACTORS), stamps = load<usize>(plan, STAMPS);
  const running = load<usize>(plan, RUNNING), table = load<usize>(plan, TABLE);
  const alpha = f32x4.splat(<f32>load<f64>(plan, ALPHA)), beta = f32x4.splat(<f32>load<f64>(plan, BETA));
  const vBeta = <f32>load<f64>(plan, VBETA);
  let state = (<u64><u32>stateHigh << 32) | <u64><u32>stateLow;
  memory.fill(inverse, 0, bytes);
  for (let i = 0; i < k; i++) {
    const at = <usize>i << 2;
    store<f32>(inverse + at, 1 / (<f32>load<i32>(totals + at) + vBeta));
  }
  memory.fill(stamps, 0, <usize>k << 2);
  let version = 0, changes = 0;
  for (let d = first; d < last; d++) {
    const begin = load<i32>(starts + (<usize>d << 2)), end = load<i32>(starts + (<usize>d << 2), 4);
    let i = firstFrom(low, begin, end, words);
    const to = firstFrom(high, i, end, words);
    if (i == to) continue;
    const counts = load<usize>(plan, COUNTS) + <usize>d * bytes;
    const target = load<i32>(load<usize>(plan, TARGETS) + (<usize>d << 2));
    const judged = target >= 0;
    version++;
    if (judged) {
      const lambda = load<usize>(plan, LAMBDA) + (<usize>(d * classes) << 2);
      openDocument(target, end - begin, lambda, counts, plan);
    }
    for (; i < to; i++) {
      const old = load<i32>(topics + (<usize>i << 2));
      const row = table + <usize>load<i32>(words + (<usize>i << 2)) * bytes;
      shift(old, -1, counts, row, totals, inverse, vBeta);
      const stamp = stamps + (<usize>old << 2), own = factors + <usize>old * bytes;
      if (load<i32>(stamp) != version) {
        store<i32>(stamp, version);
        if (judged) fillFactors(old, plan, own);
        else for (let at: usize = 0; at < bytes; at += 16) v128.store(own + at, f32x4.splat(1));
      }
      const sum = runningSums(bytes, alpha, beta, counts, row, inverse, own, running);
      state += 0x9e3779b97f4a7c15;
      const topic = min(passedBy(<f32>(fraction(state) * <f64>sum), bytes, running), k - 1);
      shift(topic, 1, counts, row, totals, inverse, vBeta);
      if (topic == old) continue;
      changes++;
      store<i32>(topics + (<usize>i << 2), topic);
      if (!judged) continue;
      moveResiduals(old, topic, plan);
      version++;
    }
  }
  return changes;
}

/** Topics at random, all alike, for tokens that have none: those of words [low, high), as above. */
export function medlda_open(
  first: i32, last: i32, low: i32, high: i32, stateLow: i32, stateHigh: i32, plan: usize,
): i32 {
  const k = <f64>load<i32>(plan, K), bytes = <usize>load<i32>(plan, ROW_BYTES);
  const starts = load<usize>(plan, STARTS), words = load<usize>(plan, WORDS);
  const topics = load<usize>(plan, TOPICS), totals = load<usize>(plan, TOTALS);
  let state = (<u64><u32>stateHigh << 32) | <u64><u32>stateLow, changes = 0;
  for (let d = first; d < last; d++) {
    const begin = load<i32>(starts + (<usize>d << 2)), end = load<i32>(starts + (<usize>d << 2), 4);
    const counts = load<usize>(plan, COUNTS) + <usize>d * bytes;
    let i = firstFrom(low, begin, end, words);
    for (const to = firstFrom(high, i, end, words); i < to; i++, changes++) {
      state += 0x9e3779b97f4a7c15;
      const topic = <i32>(fraction(state) * k), at = <usize>topic << 2;
      const row = load<usize>(plan, TABLE) + <usize>load<i32>(words + (<usize>i << 2)) * bytes;
      store<i32>(topics + (<usize>i << 2), topic);
      store<i32>(counts + at, load<i32>(counts + at) + 1);
      store<i32>(row + at, load<i32>(row + at) + 1);
      store<i32>(totals + at, load<i32>(totals + at) + 1);
    }
  }
  return changes;
}
