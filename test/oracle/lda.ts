// LDA in float64, straight from the formulas: lnΓ by its own way, the joint log-likelihood of
// assignments, and the posterior of a tiny corpus by enumeration of all of them.

/** Tokens of documents: words by number. */
export type Documents = readonly (readonly number[])[];
export type Priors = {
  readonly words: number;
  readonly alpha: readonly number[];
  readonly beta: number;
};

/** lnΓ by the recurrence up to 30, and Stirling's first three terms there: error < 1e-13. */
export function logGamma(x: number): number {
  let below = 0;
  for (; x < 30; x++) below += Math.log(x);
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series - below;
}

const rise = (a: number, n: number) => logGamma(a + n) - logGamma(a);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** log p(w, z) for topics z of all tokens. */
export function joint(documents: Documents, z: Documents, priors: Priors): number {
  const { words, alpha, beta } = priors;
  const topics = alpha.map(() => new Array<number>(words).fill(0));
  let sum = 0;
  documents.forEach((tokens, d) => {
    const mine = alpha.map(() => 0);
    tokens.forEach((word, i) => {
      const k = z[d]![i]!;
      mine[k]! += 1;
      topics[k]![word]! += 1;
    });
    sum += total(mine.map((n, k) => rise(alpha[k]!, n))) - rise(total(alpha), tokens.length);
  });
  for (const counts of topics) {
    sum += total(counts.map((n) => rise(beta, n))) - rise(words * beta, total(counts));
  }
  return sum;
}

/** Topics of all tokens as digits of a number; the first token's is the lowest. */
export function assignment(documents: Documents, topics: number, code: number): number[][] {
  let rest = code;
  return documents.map((tokens) =>
    tokens.map(() => {
      const k = rest % topics;
      rest = (rest - k) / topics;
      return k;
    }),
  );
}

/** p(z | w) of all K^tokens assignments; the first token's topic is the lowest digit. */
export function posterior(documents: Documents, priors: Priors): Float64Array {
  const size = total(documents.map((tokens) => tokens.length));
  const topics = priors.alpha.length;
  const logs = Float64Array.from({ length: topics ** size }, (_, code) => {
    const z = assignment(documents, topics, code);
    return joint(documents, z, priors);
  });
  const highest = Math.max(...logs);
  const weights = logs.map((value) => Math.exp(value - highest));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / all);
}
