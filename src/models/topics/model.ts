// Trained topics as plain arrays: what lda and medlda train, and what everything in this folder
// reads: held-out scores, coherence, words, mixtures, the page.
//
//   starts   i32 V + 1   word w's entries are starts[w] … starts[w + 1] − 1 of:
//   topic    i32 nnz       topics that w occurs in, each once
//   count    i32 nnz       n_kw ≥ 1, occurrences of w in that topic
//   totals   i32 K         n_k = Σ_w n_kw
//
//   φ_kw = (n_kw + β) / (n_k + Vβ)          a topic's words
//   θ_dk = (n_dk + α_k) / (N_d + Σα)        a document's topics
//
// So φ is sparse but for its background β / (n_k + Vβ): sums over k go over a word's entries, and
// the background is summed once.

/** Word–topic counts of V = `words` words and K = `topics` topics, sparse by word. */
export type WordTopics = {
  readonly words: number;
  readonly topics: number;
  readonly starts: Int32Array;
  readonly topic: Int32Array;
  readonly count: Int32Array;
  readonly totals: Int32Array;
  /** K numbers > 0. */
  readonly alpha: ArrayLike<number>;
  /** > 0. */
  readonly beta: number;
};

/** Topic counts n_dk of the training documents, sparse by document: the same form. */
export type DocTopics = {
  readonly documents: number;
  readonly starts: Int32Array;
  readonly topic: Int32Array;
  readonly count: Int32Array;
};

/** 1 / (n_k + Vβ) for every topic. */
export function inverseTotals(model: WordTopics): Float64Array {
  const smoothing = model.words * model.beta;
  return Float64Array.from(model.totals, (total) => 1 / (total + smoothing));
}
