// Words of trained topics, and words of documents. The counts are sparse by word, as
// src/models/topics/model.ts draws them: starts (V + 1), topic and count (one entry each).
import { log64 } from '../math';
import { insert } from './documents';

/** Σ of each word's counts: words f64. */
export function topics_word_totals(words: i32, starts: usize, count: usize, out: usize): void {
  for (let w: usize = 0; w < <usize>words; w++) {
    const at = starts + (w << 2), last = load<i32>(at, 4);
    let sum: i64 = 0;
    for (let i = load<i32>(at); i < last; i++) sum += load<i32>(count + (<usize>i << 2));
    store<f64>(out + (w << 3), <f64>sum);
  }
}

/**
 * The `top` words of each topic by relevance (Sievert and Shirley 2014, equation 1)
 *   r = λ ln φ_kw + (1 − λ) ln (φ_kw / p_w)     p_w: share of w in the corpus
 * among those that occur in it, and at least `least` times in the corpus. λ = 1: by weight, 0: by
 * lift. Equal ones in order of words. inverse: topics f64, 1 / (n_k + Vβ); totals: words f64.
 *
 *   found   topics × i32, 0 before: words of that topic so far
 *   out     topics × top × i32     score   topics × top × f64, both from the best downwards
 */
export function topics_top(
  words: i32, top: i32, least: f64, lambda: f64, beta: f64, tokens: f64, starts: usize, topic: usize,
  count: usize, inverse: usize, totals: usize, found: usize, out: usize, score: usize,
): void {
  for (let w = 0; w < words; w++) {
    const at = starts + (<usize>w << 2), last = load<i32>(at, 4);
    const total = load<f64>(totals + (<usize>w << 3));
    if (total < least || total == 0) continue;
    const common = (lambda - 1) * log64(total / tokens);
    for (let i = load<i32>(at); i < last; i++) {
      const entry = <usize>i << 2, k = <usize>load<i32>(topic + entry);
      const n = <f64>load<i32>(count + entry);
      const r = log64((n + beta) * load<f64>(inverse + (k << 3))) + common;
      const lists = k * <usize>top;
      insert(top, w, r, found + (k << 2), out + (lists << 2), score + (lists << 3));
    }
  }
}

/**
 * For each of `slots` topics, and each two of them, sums over words of what √φ has above its
 * background b_k = √(β / (n_k + Vβ)):  d_kw = √φ_kw − b_k, which is 0 but where w occurs in k.
 *
 *   slot      topics × i32, −1: not asked for       inverse   topics × f64, 1 / (n_k + Vβ)
 *   sums      slots × f64, Σ_w d_kw                 products  slots² × f64, Σ_w d_jw d_kw for j ≤ k
 *   work      16 bytes a slot                       all of sums and products 0 before
 */
export function topics_overlap(
  words: i32, slots: i32, beta: f64, starts: usize, topic: usize, count: usize, slot: usize,
  inverse: usize, work: usize, sums: usize, products: usize,
): void {
  for (let w = 0; w < words; w++) {
    const at = starts + (<usize>w << 2), last = load<i32>(at, 4);
    let found = work;
    for (let i = load<i32>(at); i < last; i++) {
      const entry = <usize>i << 2, k = <usize>load<i32>(topic + entry);
      const s = load<i32>(slot + (k << 2));
      if (s < 0) continue;
      const share = load<f64>(inverse + (k << 3)), n = <f64>load<i32>(count + entry);
      const d = sqrt((n + beta) * share) - sqrt(beta * share);
      const sum = sums + (<usize>s << 3);
      store<f64>(sum, load<f64>(sum) + d);
      store<f64>(found, d);
      store<i32>(found, s, 8);
      found += 16;
    }
    for (let a = work; a < found; a += 16) {
      const j = load<i32>(a, 8), d = load<f64>(a);
      for (let b = a; b < found; b += 16) {
        const k = load<i32>(b, 8);
        const cell = products + (<usize>(min(j, k) * slots + max(j, k)) << 3);
        store<f64>(cell, load<f64>(cell) + d * load<f64>(b));
      }
    }
  }
}

/**
 * Adds up in how many documents the top words of each topic, and each two of them, occur.
 *
 *   places   by word, from starts[w] to starts[w + 1]: 32·topic + rank, rank < top ≤ 32
 *   masks    topics × i32, 0 before and after      touched   room for `topics` × i32
 *   counts   topics × top² × i32: [i][j], i ≤ j, documents with words i and j; [i][i] with word i;
 *            added to atomically, so that threads share it
 *
 * Words from `words` on have no places.
 */
export function topics_cooccur(
  documents: i32, words: i32, top: i32, rowStart: usize, index: usize, starts: usize, places: usize,
  masks: usize, touched: usize, counts: usize,
): void {
  for (let d = 0; d < documents; d++) {
    const row = rowStart + (<usize>d << 2), last = load<i32>(row, 4);
    let found: usize = 0;
    for (let i = load<i32>(row); i < last; i++) {
      const w = load<i32>(index + (<usize>i << 2));
      if (<u32>w >= <u32>words) continue;
      const at = starts + (<usize>w << 2), end = load<i32>(at, 4);
      for (let p = load<i32>(at); p < end; p++) {
        const place = load<i32>(places + (<usize>p << 2));
        const mask = masks + (<usize>(place >> 5) << 2), bits = load<i32>(mask);
        if (bits == 0) {
          store<i32>(touched + found, place >> 5);
          found += 4;
        }
        store<i32>(mask, bits | (1 << (place & 31)));
      }
    }
    for (let t: usize = 0; t < found; t += 4) {
      const k = <usize>load<i32>(touched + t), mask = masks + (k << 2);
      const table = counts + ((k * <usize>(top * top)) << 2);
      for (let a = load<i32>(mask); a != 0; a &= a - 1) {
        const line = table + (<usize>(ctz(a) * top) << 2);
        for (let b = a; b != 0; b &= b - 1) {
          const cell = line + (<usize>ctz(b) << 2);
          atomic.add<i32>(cell, 1);
        }
      }
      store<i32>(mask, 0);
    }
  }
}

/**
 * A document's tokens, each word as often as its count, without words from `words` on: their number,
 * which is at most `room`; beyond it −1.
 */
export function topics_tokens(
  nonzeros: i32, words: i32, room: i32, index: usize, count: usize, out: usize,
): i32 {
  let n = 0;
  for (let i: usize = 0; i < <usize>nonzeros << 2; i += 4) {
    const w = load<i32>(index + i), times = load<i32>(count + i);
    if (<u32>w >= <u32>words) continue;
    if (times > room - n) return -1;
    for (let j = 0; j < times; j++) store<i32>(out + (<usize>(n + j) << 2), w);
    n += times;
  }
  return n;
}
