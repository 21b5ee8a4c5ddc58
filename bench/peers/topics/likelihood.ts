// The joint log-likelihood per token, log p(w, z) / M, by one formula for all programs, out of the
// counts that are in what they write:
//
//   Σ_d [ Σ_k lnΓ(n_dk + α)/Γ(α) − lnΓ(N_d + Kα)/Γ(Kα) ]
//   + Σ_k [ Σ_w lnΓ(n_kw + β)/Γ(β) − lnΓ(n_k + Vβ)/Γ(Vβ) ]
//
// A quotient Γ(a + n)/Γ(a) is a (a + 1) … (a + n − 1): no Γ is needed, only sums of logarithms.

export type Priors = { readonly topics: number; readonly alpha: number; readonly beta: number };

/** n ↦ ln(Γ(a + n) / Γ(a)) */
function rising(a: number): (n: number) => number {
  const sums = [0];
  return (n) => {
    for (let i = sums.length; i <= n; i++) sums.push(sums[i - 1]! + Math.log(a + i - 1));
    return sums[n]!;
  };
}

export type Counts = {
  /** Tokens of each document; of each topic. */
  readonly documents: Iterable<number>;
  readonly topics: Iterable<number>;
  /** All n_dk, and all n_kw, but zeros. */
  readonly documentTopics: Iterable<number>;
  readonly wordTopics: Iterable<number>;
};

const sumOf = (values: Iterable<number>, each: (value: number) => number) => {
  let sum = 0;
  for (const value of values) sum += each(value);
  return sum;
};

export function likelihoodOf(
  { topics, alpha, beta, vocabulary }: Priors & { readonly vocabulary: number },
  counts: Counts,
): number {
  const [all, alphas] = [rising(vocabulary * beta), rising(topics * alpha)];
  const documents = sumOf(counts.documentTopics, rising(alpha)) - sumOf(counts.documents, alphas);
  const words = sumOf(counts.wordTopics, rising(beta)) - sumOf(counts.topics, all);
  return (documents + words) / sumOf(counts.topics, (n) => n);
}

export type Token = readonly [word: number, topic: number];

/** Counts of documents that come one after the other as tokens with their topics. */
export function countTokens(topics: number, documents: Iterable<readonly Token[]>): Counts {
  const lengths: number[] = [];
  const documentTopics: number[] = [];
  const totals = new Float64Array(topics);
  const wordTopics = new Map<number, number>();
  for (const tokens of documents) {
    const own = new Map<number, number>();
    for (const [word, topic] of tokens) {
      own.set(topic, (own.get(topic) ?? 0) + 1);
      totals[topic]!++;
      const cell = word * topics + topic;
      wordTopics.set(cell, (wordTopics.get(cell) ?? 0) + 1);
    }
    lengths.push(tokens.length);
    for (const count of own.values()) documentTopics.push(count);
  }
  return { documents: lengths, topics: totals, documentTopics, wordTopics: wordTopics.values() };
}
