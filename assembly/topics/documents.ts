// Documents of trained topics. Their counts are sparse by document, in the form that
// src/models/topics/model.ts draws: starts (documents + 1), topic and count (one entry each).
//   θ_dk = (n_dk + α_k) / (N_d + A),  N_d = Σ_k n_dk,  A = Σα

/** N_d. */
// @ts-ignore: decorator
@inline
function length(first: i32, last: i32, count: usize): i64 {
  let sum: i64 = 0;
  for (let i = first; i < last; i++) sum += load<i32>(count + (<usize>i << 2));
  return sum;
}

/** The most tokens that a document has: rowStart documents + 1, count one entry each. */
export function topics_longest(documents: i32, rowStart: usize, count: usize): f64 {
  let most: i64 = 0;
  for (let d: usize = 0; d < <usize>documents; d++) {
    const at = rowStart + (d << 2);
    most = max(most, length(load<i32>(at), load<i32>(at, 4), count));
  }
  return <f64>most;
}

/**
 * Adds each document's θ, less the prior's part, to its period's line of `sums` (periods × topics
 * f64): n_dk / (N_d + A); and to `norms` (periods f64) 1 / (N_d + A), what α is multiplied with.
 * period: documents × i32, −1: none.
 */
export function topics_periods(
  documents: i32, topics: i32, alpha: f64, starts: usize, topic: usize, count: usize, period: usize,
  sums: usize, norms: usize,
): void {
  for (let d: usize = 0; d < <usize>documents; d++) {
    const line = load<i32>(period + (d << 2));
    if (line < 0) continue;
    const at = starts + (d << 2), first = load<i32>(at), last = load<i32>(at, 4);
    const norm = 1 / (<f64>length(first, last, count) + alpha);
    const sum = sums + ((<usize>line * <usize>topics) << 3), cell = norms + (<usize>line << 3);
    store<f64>(cell, load<f64>(cell) + norm);
    for (let i = first; i < last; i++) {
      const entry = <usize>i << 2, to = sum + (<usize>load<i32>(topic + entry) << 3);
      store<f64>(to, load<f64>(to) + <f64>load<i32>(count + entry) * norm);
    }
  }
}

/**
 * The `top` documents of each topic by θ_dk, among those with at least `least` tokens; equal ones in
 * order of documents. alphas: topics f64, their sum alpha.
 *
 *   found   topics × i32, 0 before: documents of that topic so far
 *   out     topics × top × i32     score   topics × top × f64, both from the best downwards
 */
export function topics_typical(
  documents: i32, top: i32, least: f64, alpha: f64, alphas: usize, starts: usize, topic: usize,
  count: usize, found: usize, out: usize, score: usize,
): void {
  for (let d = 0; d < documents; d++) {
    const at = starts + (<usize>d << 2), first = load<i32>(at), last = load<i32>(at, 4);
    const tokens = <f64>length(first, last, count);
    if (tokens < least || tokens == 0) continue;
    for (let i = first; i < last; i++) {
      const k = <usize>load<i32>(topic + (<usize>i << 2));
      const n = <f64>load<i32>(count + (<usize>i << 2)) + load<f64>(alphas + (k << 3));
      const lists = k * <usize>top;
      insert(top, d, n / (tokens + alpha), found + (k << 2), out + (lists << 2), score + (lists << 3));
    }
  }
}

/** Puts `item` where it belongs in a list of at most `top`, the highest score first. */
// @ts-ignore: decorator
@inline
export function insert(
  top: i32, item: i32, value: f64, found: usize, items: usize, scores: usize,
): void {
  const have = load<i32>(found);
  let place = <usize>(have < top ? have : top - 1);
  if (have == top && load<f64>(scores + (place << 3)) >= value) return;
  for (; place > 0; place--) {
    const better = load<f64>(scores + ((place - 1) << 3));
    if (better >= value) break;
    store<f64>(scores + (place << 3), better);
    store<i32>(items + (place << 2), load<i32>(items + ((place - 1) << 2)));
  }
  store<f64>(scores + (place << 3), value);
  store<i32>(items + (place << 2), item);
  if (have < top) store<i32>(found, have + 1);
}
