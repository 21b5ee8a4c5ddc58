// What is measured of LDA's counts, in f64: the joint log-likelihood
//
//   log p(w, z) =  Σ_d [ lnΓ(Σα) − lnΓ(N_d + Σα) + Σ_k lnΓ(n_dk + α_k) − lnΓ(α_k) ]
//               +  Σ_k [ lnΓ(Vβ) − lnΓ(n_k + Vβ) + Σ_w lnΓ(n_kw + β) − lnΓ(β) ]
//
// (Griffiths and Steyvers 2004, with an α for each topic), Minka's fixed point for α and β (2000,
// "Estimating a Dirichlet distribution", eq. 55), and that no count was lost. document.ts draws what
// documents look like, sample.ts words' rows.
import { log64 } from '../math';
import { entriesAt, entriesOf, lengthOf, nextDocument } from './document';

/** Up to here lnΓ(a + n) − lnΓ(a) is the logarithm of a product: at most (100 + 8)^8. */
// @ts-ignore: decorator
@inline
const SHORT: i32 = 8;

/** lnΓ(x), x > 0: Stirling's series from 8 on, below it by recurrence; absolute error < 1e-13·(1 + |lnΓ|). */
// @ts-ignore: decorator
@inline
function logGamma(x: f64): f64 {
  let product: f64 = 1;
  while (x < 8) {
    product *= x;
    x += 1;
  }
  const i = 1 / x, i2 = i * i;
  const series = i * (1.0 / 12 - i2 * (1.0 / 360 - i2 * (1.0 / 1260 - i2 * (1.0 / 1680 - i2 * (1.0 / 1188 - i2 * (691.0 / 360360))))));
  return (x - 0.5) * log64(x) - x + 0.91893853320467274178 + series - log64(product);
}

/** ψ(x), x > 0: the asymptotic series from 8 on, below it by recurrence. */
// @ts-ignore: decorator
@inline
function digamma(x: f64): f64 {
  let sum: f64 = 0;
  while (x < 8) {
    sum += 1 / x;
    x += 1;
  }
  const i = 1 / x, i2 = i * i;
  const series = i2 * (1.0 / 12 - i2 * (1.0 / 120 - i2 * (1.0 / 252 - i2 * (1.0 / 240 - i2 * (1.0 / 132 - i2 * (691.0 / 32760))))));
  return log64(x) - i * 0.5 - series - sum;
}

/** lnΓ(a + n) − lnΓ(a) of n times something of weight a. */
// @ts-ignore: decorator
@inline
function rise(a: f64, n: i32): f64 {
  if (n > SHORT || a > 100) return logGamma(a + <f64>n) - logGamma(a);
  let product = a;
  for (let i = 1; i < n; i++) product *= a + <f64>i;
  return n == 0 ? 0 : log64(product);
}

/** ψ(a + n) − ψ(a). */
// @ts-ignore: decorator
@inline
function slope(a: f64, n: i32): f64 {
  if (n > SHORT) return digamma(a + <f64>n) - digamma(a);
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += 1 / (a + <f64>i);
  return sum;
}

/**
 * `count` documents from `documents` on: adds their terms of log p to the f64 at sums and their
 * entries to the one after it, and n_dk to totals (K × i32). Returns 1 when a document has not as
 * many topics as tokens. alpha: K × f64.
 */
export function lda_documents(
  count: i32, k: i32, bits: i32, alphaSum: f64, documents: usize, alpha: usize, totals: usize, sums: usize,
): i32 {
  const mask = (1 << bits) - 1;
  let sum: f64 = 0, entries = 0, broken = 0;
  for (let d = 0; d < count; d++) {
    const n = lengthOf(documents), t = entriesOf(documents, k), first = entriesAt(documents);
    let left = n;
    for (let j = 0; j < t; j++) {
      const entry = load<u32>(first + (<usize>j << 2)), many = entry >>> bits;
      if (many == 0) continue;
      const topic = <usize>(entry & mask);
      const at = totals + (topic << 2);
      left -= many;
      store<i32>(at, load<i32>(at) + many);
      sum += rise(load<f64>(alpha + (topic << 3)), many);
      entries++;
    }
    broken |= left;
    sum -= rise(alphaSum, n);
    documents = nextDocument(documents, k);
  }
  store<f64>(sums, load<f64>(sums) + sum);
  store<f64>(sums, load<f64>(sums, 8) + <f64>entries, 8);
  return broken != 0;
}

/**
 * Words [first, last): adds Σ_k lnΓ(n_kw + β) − lnΓ(β) to the f64 at sums and their entries to the one
 * after it, and n_kw to totals (K × i32). Returns 1 when a word has not as many topics as it occurs,
 * counts (V × i32).
 */
export function lda_words(
  first: i32, last: i32, beta: f64, counts: usize, rows: usize, lengths: usize, entries: usize,
  totals: usize, sums: usize,
): i32 {
  let sum: f64 = 0, found = 0, broken = 0;
  for (let w = <usize>first << 2; w < <usize>last << 2; w += 4) {
    const length = load<i32>(lengths + w);
    let left = load<i32>(counts + w), entry = entries + (<usize>load<i32>(rows + w) << 3);
    for (let j = 0; j < length; j++, entry += 8) {
      const at = totals + (<usize>load<i32>(entry) << 2), n = load<i32>(entry, 4);
      left -= n;
      store<i32>(at, load<i32>(at) + n);
      sum += rise(beta, n);
    }
    found += length;
    broken |= left;
  }
  store<f64>(sums, load<f64>(sums) + sum);
  store<f64>(sums, load<f64>(sums, 8) + <f64>found, 8);
  return broken != 0;
}

/** Σ_k lnΓ(Vβ) − lnΓ(n_k + Vβ). */
export function lda_totals(k: i32, vBeta: f64, totals: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < k; i++) sum -= rise(vBeta, load<i32>(totals + (<usize>i << 2)));
  return sum;
}

/** Σ lnΓ(a + n) − lnΓ(a) over `count` numbers n (i32). */
export function lda_rises(count: i32, a: f64, counts: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) sum += rise(a, load<i32>(counts + (<usize>i << 2)));
  return sum;
}

/** Σ lnΓ(a + n) − lnΓ(a) over the differences n of count + 1 ascending numbers (i32). */
export function lda_length_rises(count: i32, a: f64, starts: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < count; i++, starts += 4) sum += rise(a, load<i32>(starts, 4) - load<i32>(starts));
  return sum;
}

/**
 * What `count` documents say of α: adds Σ_d ψ(n_dk + α_k) − ψ(α_k) to slopes (K × f64), and
 * Σ_d ψ(N_d + Σα) − ψ(Σα) to the f64 behind them.
 */
export function lda_document_slopes(
  count: i32, k: i32, bits: i32, alphaSum: f64, documents: usize, alpha: usize, slopes: usize,
): void {
  const mask = (1 << bits) - 1;
  let sum: f64 = 0;
  for (let d = 0; d < count; d++) {
    const t = entriesOf(documents, k), first = entriesAt(documents);
    for (let j = 0; j < t; j++) {
      const entry = load<u32>(first + (<usize>j << 2));
      if (entry == <u32>k) continue;
      const at = <usize>(entry & mask) << 3;
      store<f64>(slopes + at, load<f64>(slopes + at) + slope(load<f64>(alpha + at), entry >>> bits));
    }
    sum += slope(alphaSum, lengthOf(documents));
    documents = nextDocument(documents, k);
  }
  const end = slopes + (<usize>k << 3);
  store<f64>(end, load<f64>(end) + sum);
}

/** Σ ψ(n_kw + β) − ψ(β) over words [first, last). */
export function lda_word_slopes(
  first: i32, last: i32, beta: f64, rows: usize, lengths: usize, entries: usize,
): f64 {
  let sum: f64 = 0;
  for (let w = <usize>first << 2; w < <usize>last << 2; w += 4) {
    let entry = entries + (<usize>load<i32>(rows + w) << 3);
    for (let j = load<i32>(lengths + w); j > 0; j--, entry += 8) sum += slope(beta, load<i32>(entry, 4));
  }
  return sum;
}

/** Σ_k ψ(n_k + Vβ) − ψ(Vβ). */
export function lda_total_slopes(k: i32, vBeta: f64, totals: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < k; i++) sum += slope(vBeta, load<i32>(totals + (<usize>i << 2)));
  return sum;
}

/** α_k ← α_k slopes_k / slopes_K, at least `least`, in f64 and in f32; returns Σ α. */
export function lda_alpha(k: i32, least: f64, slopes: usize, alpha: usize, alpha32: usize): f64 {
  const all = load<f64>(slopes + (<usize>k << 3));
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize>k; i++) {
    const value = max(least, load<f64>(alpha + (i << 3)) * load<f64>(slopes + (i << 3)) / all);
    store<f64>(alpha + (i << 3), value);
    store<f32>(alpha32 + (i << 2), <f32>value);
    sum += value;
  }
  return sum;
}

/**
 * The end of a stratum: s += Σ_p s̃_p − s, over the G copies (K × i32 each) of the totals s that the
 * parts had for themselves. Returns Σ_p ‖s̃_p − s‖₁ of the new s; −1 when that has not `tokens` tokens.
 */
export function lda_fold(k: i32, g: i32, tokens: f64, totals: usize, copies: usize): f64 {
  let distance: f64 = 0, all: f64 = 0;
  for (let i = 0; i < k; i++) {
    const at = totals + (<usize>i << 2), before = load<i32>(at);
    let now = before;
    for (let p = 0; p < g; p++) now += load<i32>(copies + (<usize>(p * k + i) << 2)) - before;
    for (let p = 0; p < g; p++) distance += <f64>abs(load<i32>(copies + (<usize>(p * k + i) << 2)) - now);
    store<i32>(at, now);
    all += <f64>now;
  }
  return all == tokens ? distance : -1;
}

/** What counts have gained, K × i32. */
export function lda_gain(k: i32, before: usize, after: usize, gains: usize): void {
  for (let at: usize = 0; at < <usize>k << 2; at += 4) {
    store<i32>(gains + at, load<i32>(after + at) - load<i32>(before + at));
  }
}

/** How many of K sums are not what the G parts' sums (K × i32 each) say. */
export function lda_lost(k: i32, g: i32, totals: usize, parts: usize): i32 {
  let lost = 0;
  for (let i = 0; i < k; i++) {
    let left = load<i32>(totals + (<usize>i << 2));
    for (let p = 0; p < g; p++) left -= load<i32>(parts + (<usize>(p * k + i) << 2));
    lost += left != 0 ? 1 : 0;
  }
  return lost;
}

/**
 * Documents as three arrays: starts[d] of the first entry, from `place` on, and of each entry its
 * topic and n_dk. Returns the place after the last.
 */
export function lda_export_documents(
  count: i32, k: i32, bits: i32, place: i32, documents: usize, starts: usize, topics: usize, counts: usize,
): i32 {
  const mask = (1 << bits) - 1;
  for (let d = 0; d < count; d++) {
    const t = entriesOf(documents, k), first = entriesAt(documents);
    store<i32>(starts + (<usize>d << 2), place);
    for (let j = 0; j < t; j++) {
      const entry = load<u32>(first + (<usize>j << 2));
      if (entry == <u32>k) continue;
      store<i32>(topics + (<usize>place << 2), entry & mask);
      store<i32>(counts + (<usize>place << 2), entry >>> bits);
      place++;
    }
    documents = nextDocument(documents, k);
  }
  return place;
}

/** `count` words in the same form, starts count + 1. Returns the place after the last entry. */
export function lda_export_words(
  count: i32, place: i32, rows: usize, lengths: usize, entries: usize, starts: usize, topics: usize,
  counts: usize,
): i32 {
  for (let w: usize = 0; w < <usize>count << 2; w += 4) {
    store<i32>(starts + w, place);
    let entry = entries + (<usize>load<i32>(rows + w) << 3);
    for (let j = load<i32>(lengths + w); j > 0; j--, entry += 8, place++) {
      store<i32>(topics + (<usize>place << 2), load<i32>(entry));
      store<i32>(counts + (<usize>place << 2), load<i32>(entry, 4));
    }
  }
  store<i32>(starts + (<usize>count << 2), place);
  return place;
}

/** Dense rows of n_kw (`count` of rowBytes bytes at table) as the sampler has them: room for K each. */
export function lda_gather(
  count: i32, k: i32, rowBytes: i32, table: usize, rows: usize, lengths: usize, entries: usize,
): void {
  for (let i = 0; i < count; i++, table += <usize>rowBytes) {
    let entry = entries + (<usize>(i * k) << 3);
    const first = entry;
    for (let topic = 0; topic < k; topic++) {
      const n = load<i32>(table + (<usize>topic << 2));
      if (n == 0) continue;
      store<i32>(entry, topic);
      store<i32>(entry, n, 4);
      entry += 8;
    }
    store<i32>(rows + (<usize>i << 2), i * k);
    store<i32>(lengths + (<usize>i << 2), <i32>((entry - first) >>> 3));
  }
}

/** Adds to deltas, rows like the table's, by how much the rows that were gathered have changed. */
export function lda_changes(
  count: i32, rowBytes: i32, table: usize, rows: usize, lengths: usize, entries: usize, deltas: usize,
): void {
  for (let i = 0; i < count; i++, table += <usize>rowBytes, deltas += <usize>rowBytes) {
    for (let at: usize = 0; at < <usize>rowBytes; at += 16) {
      v128.store(deltas + at, i32x4.sub(v128.load(deltas + at), v128.load(table + at)));
    }
    let entry = entries + (<usize>load<i32>(rows + (<usize>i << 2)) << 3);
    for (let j = load<i32>(lengths + (<usize>i << 2)); j > 0; j--, entry += 8) {
      const at = deltas + (<usize>load<i32>(entry) << 2);
      store<i32>(at, load<i32>(at) + load<i32>(entry, 4));
    }
  }
}
