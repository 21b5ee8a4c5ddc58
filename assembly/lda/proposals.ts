// Collapsed Gibbs sampling of LDA by Metropolis–Hastings, word by word: a token costs the same
// however many topics there are, in the model and in its document. Each token gets, in turn,
//
//   a word proposal       q(k) ∝ n_wk + β     accepted with  (n_dk' + α_k') (n_k + Vβ)
//                                                           ─────────────────────────
//                                                           (n_dk + α_k)  (n_k' + Vβ)
//   a document proposal   q(k) ∝ n_dk + α_k                  (n_wk' + β) (n_k + Vβ)
//                                                           ───────────────────────
//                                                           (n_wk + β)  (n_k' + Vβ)
//
// (the cycle of LightLDA, Yuan et al. 2015). All counts are those of the moment, without the token
// itself, in the proposals too: nothing is stale, so a step leaves the exact conditional as it is.
// To draw from n_wk while it changes it is taken apart:
//
//   n_wk = what other parts' tokens of the word have     a table, made once a visit of the word
//        + what this part's have                         the topic of any other token of the list
//
// and n_dk is the topic of any other token of the document. The first pass is another: first.ts.
//
//   documents   with cells: document.ts draws them
//   tokens      of a part of the documents, sorted by word: place i32, its cell, in bytes from the
//               part's `documents`
//   row, plan   as the exact sampler's (sample.ts); words of the plan that it has not are here
import { fraction } from '../random';
import { open, settle, unopened } from './first';
import { HEAD, bucketsOf, cellBytes, release, slotOf } from './document';

/** Byte places within a plan. */
// @ts-ignore: decorator
@inline
const K = 0, BITS = 4, PLACES = 8, STARTS = 16, ROWS = 20, LENGTHS = 24, ENTRIES = 28, ALPHA = 32,
  TOTALS = 36, COUNTS = 44, FRESH = 52, ROOM = 64, DOCUMENTS = 68, BETA = 72, VBETA = 80, ALPHA_SUM = 88,
  EVEN = 96, STEPS = 100, OWN = 104, ENDS = 108, KINDS = 112, GUIDE = 116, ALPHA_ENDS = 120,
  ALPHA_GUIDE = 124;

/** Tokens of a visit of a word, at most: they lie in scratch. */
// @ts-ignore: decorator
@inline
const VISIT: i32 = 16384;

// @ts-ignore: decorator
@inline
const NEXT: u64 = 0x9e3779b97f4a7c15;

/**
 * Σα; and where α differs by topic, its running sums with a guide to them: the first topic whose sum
 * is beyond b / K of all, for each b.
 */
export function lda_mh_begin(plan: usize): void {
  const k = load<i32>(plan, K), alpha = load<usize>(plan, ALPHA);
  const ends = load<usize>(plan, ALPHA_ENDS), guide = load<usize>(plan, ALPHA_GUIDE);
  let sum: f64 = 0, even = true;
  for (let i: usize = 0; i < <usize>k; i++) {
    const value = load<f32>(alpha + (i << 2));
    even = even && value == load<f32>(alpha);
    sum += <f64>value;
    store<f64>(ends + (i << 3), sum);
  }
  store<f64>(plan, sum, ALPHA_SUM);
  store<i32>(plan, even ? 1 : 0, EVEN);
  if (even) return;
  let b = 0;
  for (let i = 0; i < k; i++) {
    const end = load<f64>(ends + (<usize>i << 3)) * <f64>k / sum;
    for (; b < k && <f64>b < end; b++) store<i32>(guide + (<usize>b << 2), i);
  }
  for (; b < k; b++) store<i32>(guide + (<usize>b << 2), k - 1);
}

/** A topic by α, x in [0, Σα). */
// @ts-ignore: decorator
@inline
function topicByAlpha(x: f64, k: i32, sum: f64, even: bool, ends: usize, guide: usize): i32 {
  const b = min(k - 1, <i32>(x * <f64>k / sum));
  if (even) return b;
  let i = load<i32>(guide + (<usize>b << 2));
  while (i < k - 1 && load<f64>(ends + (<usize>i << 3)) <= x) i++;
  return i;
}

/**
 * What the word has elsewhere: counts of its row less those of its own tokens. Running sums of them
 * and their topics, with a guide: the first whose sum is beyond b << shift, for each b. Returns how
 * many topics; the counts are whole again afterwards.
 */
// @ts-ignore: decorator
@inline
function tabulate(listed: i32, row: usize, counts: usize, ends: usize, kinds: usize): i32 {
  let all = 0, m = 0;
  for (let j = 0; j < listed; j++) {
    const topic = load<i32>(row + (<usize>j << 3));
    const n = load<i32>(counts + (<usize>topic << 2));
    all += n;
    store<i32>(ends + (<usize>m << 2), all);
    store<i32>(kinds + (<usize>m << 2), topic);
    m += n > 0 ? 1 : 0;
  }
  return m;
}

/**
 * One pass over the tokens of words [first, last) in a part of the documents, STEPS of each proposal
 * a token. Random numbers number `state`, … of a stream. Returns how many tokens changed their topic;
 * −1 when a word's counts are not as many as before.
 */
export function lda_mh_sample(first: i32, last: i32, stateLow: i32, stateHigh: i32, plan: usize): i32 {
  const k = load<i32>(plan, K), bits = load<i32>(plan, BITS), starts = load<usize>(plan, STARTS);
  const alpha = load<usize>(plan, ALPHA), totals = load<usize>(plan, TOTALS);
  const counts = load<usize>(plan, COUNTS), fresh = load<usize>(plan, FRESH), own = load<usize>(plan, OWN);
  const ends = load<usize>(plan, ENDS), kinds = load<usize>(plan, KINDS), guide = load<usize>(plan, GUIDE);
  const alphaEnds = load<usize>(plan, ALPHA_ENDS), alphaGuide = load<usize>(plan, ALPHA_GUIDE);
  const documents = load<usize>(plan, DOCUMENTS), steps = load<i32>(plan, STEPS);
  const beta = load<f64>(plan, BETA), vBeta = load<f64>(plan, VBETA);
  const alphaSum = load<f64>(plan, ALPHA_SUM), even = load<i32>(plan, EVEN) != 0;
  const room = load<usize>(plan, ROOM);
  const mask = (1 << bits) - 1, one = 1 << bits, kBeta = <f64>k * beta, inverseBeta = 1 / beta;
  let state = (<u64><u32>stateHigh << 32) | <u64><u32>stateLow;
  let changes = 0, broken = 0;
  if (unopened(first, last, plan)) return open(first, last, state, plan);
  for (let w = first; w < last; w++) {
    const end = load<i32>(starts + (<usize>w << 2), 4);
    const row = load<usize>(plan, ENTRIES) + (<usize>load<i32>(load<usize>(plan, ROWS) + (<usize>w << 2)) << 3);
    const length = load<usize>(plan, LENGTHS) + (<usize>w << 2);
    for (let from = load<i32>(starts + (<usize>w << 2)); from < end; from += VISIT) {
      const n = min(VISIT, end - from);
      const places = load<usize>(plan, PLACES) + (<usize>from << 2);
      const listed = load<i32>(length);
      let balance = 0;
      for (let j = 0; j < listed; j++) {
        const entry = row + (<usize>j << 3), many = load<i32>(entry, 4);
        store<i32>(counts + (<usize>load<i32>(entry) << 2), many);
        balance -= many;
      }
      for (let i: usize = 0; i < <usize>n << 2; i += 4) {
        const topic = load<i32>(documents + <usize>load<i32>(places + i)) & mask;
        store<i32>(own + i, topic);
        const at = counts + (<usize>topic << 2);
        store<i32>(at, load<i32>(at) - 1);
      }
      const rest = -balance - n;
      let shift = 0;
      if (rest > 0) {
        const m = tabulate(listed, row, counts, ends, kinds);
        while (rest >> shift > m << 1) shift++;
        let b = 0;
        for (let j = 0; j < m; j++) {
          const until = load<i32>(ends + (<usize>j << 2));
          for (; b << shift < until; b++) store<i32>(guide + (<usize>b << 2), j);
        }
      } else broken |= rest;
      for (let i: usize = 0; i < <usize>n << 2; i += 4) {
        const at = counts + (<usize>load<i32>(own + i) << 2);
        store<i32>(at, load<i32>(at) + 1);
      }
      const ofWord = n - 1, wordSum = <f64>(rest + ofWord) + kBeta;
      let added = 0;
      for (let i = 0; i < n; i++) {
        const cells = documents + <usize>load<i32>(places + (<usize>i << 2));
        const cell = load<u32>(cells), index = <i32>(cell >>> bits), old = <i32>(cell & mask);
        const firstCell = cells - (<usize>index << 2), document = firstCell - HEAD;
        const tokens = ~load<i32>(document, 4), scale = load<u32>(document, 8);
        const buckets = bucketsOf(tokens, k), entries = firstCell + <usize>cellBytes(tokens);
        if (load<i32>(document) >= 0) settle(document, k, mask, room);
        // How many there are of this word and in this document, without the token.
        const ofDocument = tokens - 1, documentSum = <f64>ofDocument + alphaSum;
        let topic = old, nd = -1;
        let nw = load<i32>(counts + (<usize>old << 2)) - 1, nk = load<i32>(totals + (<usize>old << 2)) - 1;
        for (let step = 0; step < steps; step++) {
          let next = 0;
          state += NEXT;
          let x = fraction(state) * wordSum;
          if (x < <f64>rest) {
            const unit = <i32>x;
            let j = load<i32>(guide + (<usize>(unit >> shift) << 2));
            while (load<i32>(ends + (<usize>j << 2)) <= unit) j++;
            next = load<i32>(kinds + (<usize>j << 2));
          } else {
            x -= <f64>rest;
            if (x < <f64>ofWord) {
              const j = <i32>x;
              next = load<i32>(own + (<usize>(j < i ? j : j + 1) << 2));
            } else next = min(k - 1, <i32>((x - <f64>ofWord) * inverseBeta));
          }
          if (next != topic) {
            if (nd < 0) {
              nd = load<u32>(slotOf(topic, scale, buckets, mask, k, entries)) >>> bits;
              nd -= topic == old ? 1 : 0;
            }
            const at = <usize>next << 2, less = next == old ? 1 : 0;
            const all = load<i32>(totals + at) - less;
            const mineNow = (load<u32>(slotOf(next, scale, buckets, mask, k, entries)) >>> bits) - less;
            state += NEXT;
            const bar = fraction(state) * (<f64>nd + <f64>load<f32>(alpha + (<usize>topic << 2))) * (<f64>all + vBeta);
            if (bar < (<f64>mineNow + <f64>load<f32>(alpha + at)) * (<f64>nk + vBeta)) {
              topic = next;
              nw = load<i32>(counts + at) - less;
              nk = all;
              nd = mineNow;
            }
          }
          state += NEXT;
          x = fraction(state) * documentSum;
          if (x < <f64>ofDocument) {
            const j = <i32>x;
            next = load<i32>(firstCell + (<usize>(j < index ? j : j + 1) << 2)) & mask;
          } else next = topicByAlpha(x - <f64>ofDocument, k, alphaSum, even, alphaEnds, alphaGuide);
          if (next == topic) continue;
          const at = <usize>next << 2, less = next == old ? 1 : 0;
          const many = load<i32>(counts + at) - less, all = load<i32>(totals + at) - less;
          state += NEXT;
          const bar = fraction(state) * (<f64>nw + beta) * (<f64>all + vBeta);
          if (bar < (<f64>many + beta) * (<f64>nk + vBeta)) {
            topic = next;
            nw = many;
            nk = all;
            nd = -1;
          }
        }
        if (topic == old) continue;
        changes++;
        const oldAt = <usize>old << 2;
        store<i32>(counts + oldAt, load<i32>(counts + oldAt) - 1);
        store<i32>(totals + oldAt, load<i32>(totals + oldAt) - 1);
        const left = slotOf(old, scale, buckets, mask, k, entries), fewer = load<u32>(left) - one;
        if (fewer >>> bits) store<u32>(left, fewer);
        else release(left, scale, buckets, mask, k, entries);
        const at = <usize>topic << 2;
        const many = load<i32>(counts + at);
        if (many == 0) store<i32>(fresh + (<usize>(added++) << 2), topic);
        store<i32>(counts + at, many + 1);
        store<i32>(totals + at, load<i32>(totals + at) + 1);
        const slot = slotOf(topic, scale, buckets, mask, k, entries);
        const entry = load<u32>(slot);
        store<u32>(slot, entry == <u32>k ? one | topic : entry + one);
        store<u32>(cells, (index << bits) | topic);
        store<i32>(own + (<usize>i << 2), topic);
      }
      let kept = 0;
      for (let j = 0; j < listed + added; j++) {
        const topic = j < listed ? load<i32>(row + (<usize>j << 3)) : load<i32>(fresh + (<usize>(j - listed) << 2));
        const many = load<i32>(counts + (<usize>topic << 2));
        // Zeroed, so that a topic that came twice counts once.
        store<i32>(counts + (<usize>topic << 2), 0);
        if (many == 0) continue;
        store<i32>(row + (<usize>kept << 3), topic);
        store<i32>(row + (<usize>kept << 3), many, 4);
        kept++;
        balance += many;
      }
      store<i32>(length, kept);
      broken |= balance;
    }
  }
  return broken ? -1 : changes;
}
