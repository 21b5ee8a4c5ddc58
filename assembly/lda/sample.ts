// Collapsed Gibbs sampling of LDA (Griffiths and Steyvers 2004), word by word, exactly:
//
//   p(z = k) ∝ (n_dk + α_k) q_k        q_k = (n_wk + β) / (n_k + Vβ)        without the token itself
//            = n_dk q_k  +  α_k q_k
//
// The document's part runs over the topics that the document has; the word's part is kept as sums of
// 32 and of 1,024 topics, so that a token changes three numbers of it and a draw looks at 32 + 32 and
// K / 1,024 (an F+ tree, Yu et al. 2015, of wide nodes). Topics that a word has not differ between
// words in nothing: q is theirs, and a word changes it where it has topics, and back again.
//
//   tokens  of a part of the documents, sorted by word
//           place i32   the document: where its topics lie, in bytes from the part's `documents`
//           topic i32   z; −1: none yet
//   document            [ T | N_d | entry … ]  entry u32 = n_dk << bits | k, T of them in any order, then
//                       up to a multiple of 4 empty ones, n = 0 and k = K
//   word    row         [ k i32 | n_wk i32 ] …, `lengths[w]` of them from entry `rows[w]` on
//   plan    i32 words: see `Plan`; f64 β at byte 72, Vβ at 80
//
// Sums are f64: a word's topics weigh a million times what the others do, and what remains when they
// are taken off again must still be right.
import { fraction } from '../random';

/** Byte places within a plan. */
// @ts-ignore: decorator
@inline
const K = 0, BITS = 4, PLACES = 8, TOPICS = 12, STARTS = 16, ROWS = 20, LENGTHS = 24, ENTRIES = 28,
  ALPHA = 32, TOTALS = 36, Q = 40, COUNTS = 44, MARKS = 48, FOUND = 52, SUMS = 56, TOPS = 60,
  RUNNING = 64, DOCUMENTS = 68, BETA = 72, VBETA = 80;

/** q without any word: β / (n_k + Vβ), and the sums of α q. K is padded to 32 with α = 0. */
export function lda_begin(plan: usize): void {
  const k = load<i32>(plan, K), alpha = load<usize>(plan, ALPHA), q = load<usize>(plan, Q);
  const totals = load<usize>(plan, TOTALS), sums = load<usize>(plan, SUMS), tops = load<usize>(plan, TOPS);
  const beta = load<f64>(plan, BETA), vBeta = load<f64>(plan, VBETA);
  const blocks = (k + 31) >> 5;
  for (let b = 0; b < blocks; b++) {
    let sum: f64 = 0;
    for (let i = b << 5; i < (b + 1) << 5; i++) {
      const at = <usize>i << 2;
      const value = i < k ? <f32>(beta / (<f64>load<i32>(totals + at) + vBeta)) : 0;
      store<f32>(q + at, value);
      sum += <f64>load<f32>(alpha + at) * <f64>value;
    }
    store<f64>(sums + (<usize>b << 3), sum);
  }
  for (let t = 0; t << 5 < blocks; t++) {
    let sum: f64 = 0;
    for (let b = t << 5; b < min(blocks, (t + 1) << 5); b++) sum += load<f64>(sums + (<usize>b << 3));
    store<f64>(tops + (<usize>t << 3), sum);
  }
}

/** Adds to the sums that topic k is in. */
// @ts-ignore: decorator
@inline
export function shift(k: i32, change: f64, sums: usize, tops: usize): void {
  const sum = sums + (<usize>(k >> 5) << 3), top = tops + (<usize>(k >> 10) << 3);
  store<f64>(sum, load<f64>(sum) + change);
  store<f64>(top, load<f64>(top) + change);
}

/** The topic where the running sum of α q passes x. */
// @ts-ignore: decorator
@inline
export function descend(x: f64, k: i32, sums: usize, tops: usize, alpha: usize, q: usize): i32 {
  const blocks = (k + 31) >> 5;
  let t = 0;
  for (const last = (k - 1) >> 10; t < last; t++) {
    const sum = load<f64>(tops + (<usize>t << 3));
    if (x < sum) break;
    x -= sum;
  }
  let b = t << 5;
  for (const last = min(blocks, (t + 1) << 5) - 1; b < last; b++) {
    const sum = load<f64>(sums + (<usize>b << 3));
    if (x < sum) break;
    x -= sum;
  }
  let i = b << 5, rest = <f32>x;
  for (const last = min(k, (b + 1) << 5) - 1; i < last; i++) {
    rest -= load<f32>(alpha + (<usize>i << 2)) * load<f32>(q + (<usize>i << 2));
    if (rest < 0) break;
  }
  return i;
}

/** Place of topic k among the n entries of a document at `entries`; n when it has none of it. */
// @ts-ignore: decorator
@inline
export function find(k: i32, n: i32, mask: i32, entries: usize): i32 {
  const wanted = i32x4.splat(k), masks = i32x4.splat(mask);
  for (let i = 0; i < n; i += 4) {
    const same = i32x4.bitmask(i32x4.eq(v128.and(v128.load(entries + (<usize>i << 2)), masks), wanted));
    if (same) return i + ctz(same);
  }
  return n;
}

/**
 * One pass over the tokens of words [first, last) in a part of the documents. Random numbers number
 * `state`, … of a stream. Returns how many tokens changed their topic; −1 when a word's counts are
 * not as many as before.
 */
export function lda_sample(first: i32, last: i32, stateLow: i32, stateHigh: i32, plan: usize): i32 {
  const k = load<i32>(plan, K), bits = load<i32>(plan, BITS), starts = load<usize>(plan, STARTS);
  const places = load<usize>(plan, PLACES), topics = load<usize>(plan, TOPICS);
  const alpha = load<usize>(plan, ALPHA), totals = load<usize>(plan, TOTALS), q = load<usize>(plan, Q);
  const counts = load<usize>(plan, COUNTS), marks = load<usize>(plan, MARKS);
  const found = load<usize>(plan, FOUND), sums = load<usize>(plan, SUMS), tops = load<usize>(plan, TOPS);
  const running = load<usize>(plan, RUNNING), documents = load<usize>(plan, DOCUMENTS);
  const beta = <f32>load<f64>(plan, BETA), vBeta = <f32>load<f64>(plan, VBETA);
  const mask = (1 << bits) - 1, one = 1 << bits, masks = i32x4.splat(mask), zero = f32x4.splat(0);
  let state = (<u64><u32>stateHigh << 32) | <u64><u32>stateLow;
  let total: f64 = 0, changes = 0, broken = 0;
  for (let t = 0; t <= (k - 1) >> 10; t++) total += load<f64>(tops + (<usize>t << 3));
  const inverseBeta = <f32>1 / beta;
  for (let w = first; w < last; w++) {
    const from = load<i32>(starts + (<usize>w << 2)), to = load<i32>(starts + (<usize>w << 2), 4);
    if (from == to) continue;
    const row = load<usize>(plan, ENTRIES) + (<usize>load<i32>(load<usize>(plan, ROWS) + (<usize>w << 2)) << 3);
    const length = load<usize>(plan, LENGTHS) + (<usize>w << 2);
    let listed = load<i32>(length), balance = 0;
    const base = total;
    for (let j = 0; j < listed; j++) {
      const topic = load<i32>(row + (<usize>j << 3)), n = load<i32>(row + (<usize>j << 3), 4);
      const at = <usize>topic << 2, value = load<f32>(q + at);
      const raised = value * ((<f32>n + beta) * inverseBeta);
      const change = <f64>load<f32>(alpha + at) * (<f64>raised - <f64>value);
      store<i32>(counts + at, n);
      store<u8>(marks + <usize>topic, 1);
      store<i32>(found + (<usize>j << 2), topic);
      store<f32>(q + at, raised);
      shift(topic, change, sums, tops);
      total += change;
      balance -= n;
    }
    for (let i = from; i < to; i++) {
      const old = load<i32>(topics + (<usize>i << 2));
      const document = documents + <usize>load<i32>(places + (<usize>i << 2));
      const entries = document + 8;
      let n = load<i32>(document);
      const oldAt = <usize>old << 2;
      let before: f32 = 0, drop: f64 = 0;
      if (old >= 0) {
        before = load<f32>(q + oldAt);
        const less = (<f32>(load<i32>(counts + oldAt) - 1) + beta) / (<f32>(load<i32>(totals + oldAt) - 1) + vBeta);
        drop = <f64>load<f32>(alpha + oldAt) * (<f64>less - <f64>before);
        store<f32>(q + oldAt, less);
      }
      const own = i32x4.splat(old);
      let carry = zero;
      for (let j: usize = 0; j < <usize>n << 2; j += 16) {
        const entry = v128.load(entries + j);
        const which = v128.and(entry, masks);
        const n4 = i32x4.add(i32x4.shr_u(entry, bits), i32x4.eq(which, own));
        let value = v128.load32_zero(q + (<usize>i32x4.extract_lane(which, 0) << 2));
        value = v128.load_lane<f32>(q + (<usize>i32x4.extract_lane(which, 1) << 2), value, 1);
        value = v128.load_lane<f32>(q + (<usize>i32x4.extract_lane(which, 2) << 2), value, 2);
        value = v128.load_lane<f32>(q + (<usize>i32x4.extract_lane(which, 3) << 2), value, 3);
        value = f32x4.mul(value, f32x4.convert_i32x4_s(n4));
        value = f32x4.add(value, v128.shuffle<f32>(zero, value, 0, 4, 5, 6));
        value = f32x4.add(value, v128.shuffle<f32>(zero, value, 0, 1, 4, 5));
        value = f32x4.add(value, carry);
        v128.store(running + j, value);
        carry = v128.shuffle<f32>(value, value, 3, 3, 3, 3);
      }
      const owned = <f64>f32x4.extract_lane(carry, 0);
      state += 0x9e3779b97f4a7c15;
      const x = fraction(state) * (owned + total + drop);
      let topic = 0, place = 0;
      const smooth = x >= owned;
      if (smooth) {
        if (old >= 0) shift(old, drop, sums, tops);
        topic = descend(x - owned, k, sums, tops, alpha, q);
      } else {
        const limit = f32x4.splat(<f32>x);
        let passed = i32x4.splat(0);
        for (let j: usize = 0; j < <usize>n << 2; j += 16) {
          passed = i32x4.sub(passed, f32x4.le(v128.load(running + j), limit));
        }
        passed = i32x4.add(passed, i64x2.shuffle(passed, passed, 1, 0));
        place = i32x4.extract_lane(passed, 0) + i32x4.extract_lane(passed, 1);
        place = min(place, n - 1);
        topic = load<i32>(entries + (<usize>place << 2)) & mask;
      }
      if (topic == old) {
        store<f32>(q + oldAt, before);
        if (smooth) shift(old, -drop, sums, tops);
        continue;
      }
      changes++;
      if (old >= 0) {
        if (!smooth) shift(old, drop, sums, tops);
        total += drop;
        store<i32>(counts + oldAt, load<i32>(counts + oldAt) - 1);
        store<i32>(totals + oldAt, load<i32>(totals + oldAt) - 1);
        const gone = find(old, n, mask, entries), at = entries + (<usize>gone << 2);
        const entry = load<u32>(at) - one;
        store<u32>(at, entry);
        if (entry >>> bits == 0) {
          n--;
          const end = entries + (<usize>n << 2);
          store<u32>(at, load<u32>(end));
          store<u32>(end, k);
          if (place == n) place = gone;
        }
      }
      if (smooth) place = find(topic, n, mask, entries);
      const slot = entries + (<usize>place << 2);
      if (place == n) {
        store<u32>(slot, topic | one);
        n++;
      } else store<u32>(slot, load<u32>(slot) + one);
      store<i32>(document, n);
      const at = <usize>topic << 2;
      const many = load<i32>(counts + at) + 1, all = load<i32>(totals + at) + 1;
      store<i32>(counts + at, many);
      store<i32>(totals + at, all);
      const value = load<f32>(q + at), more = (<f32>many + beta) / (<f32>all + vBeta);
      const rise = <f64>load<f32>(alpha + at) * (<f64>more - <f64>value);
      store<f32>(q + at, more);
      shift(topic, rise, sums, tops);
      total += rise;
      store<i32>(topics + (<usize>i << 2), topic);
      if (!load<u8>(marks + <usize>topic)) {
        store<u8>(marks + <usize>topic, 1);
        store<i32>(found + (<usize>listed << 2), topic);
        listed++;
      }
      if (old < 0) balance--;
    }
    let kept = 0;
    total = base;
    for (let j = 0; j < listed; j++) {
      const topic = load<i32>(found + (<usize>j << 2)), at = <usize>topic << 2;
      const n = load<i32>(counts + at), value = load<f32>(q + at);
      const plain = beta / (<f32>load<i32>(totals + at) + vBeta);
      store<i32>(counts + at, 0);
      store<u8>(marks + <usize>topic, 0);
      store<f32>(q + at, plain);
      shift(topic, <f64>load<f32>(alpha + at) * (<f64>plain - <f64>value), sums, tops);
      if (n == 0) continue;
      store<i32>(row + (<usize>kept << 3), topic);
      store<i32>(row + (<usize>kept << 3), n, 4);
      kept++;
      balance += n;
    }
    total = 0;
    for (let t = 0; t <= (k - 1) >> 10; t++) total += load<f64>(tops + (<usize>t << 3));
    store<i32>(length, kept);
    broken |= balance;
  }
  return broken ? -1 : changes;
}
