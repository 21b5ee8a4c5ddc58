// Topic models by enumeration and by the plain formulas, in float64.
import type { WordTopics } from '../../src/models/topics/model.ts';

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

/** φ, K × V. */
export function phiOf(model: WordTopics): number[][] {
  const { words, topics, starts, topic, count, totals, beta } = model;
  const phi = Array.from({ length: topics }, (_, k) => {
    return new Array<number>(words).fill(beta / (totals[k]! + words * beta));
  });
  for (let w = 0; w < words; w++) {
    for (let i = starts[w]!; i < starts[w + 1]!; i++) {
      const k = topic[i]!;
      phi[k]![w] = (count[i]! + beta) / (totals[k]! + words * beta);
    }
  }
  return phi;
}

/** p(w), and E[θ | w], by a sum over all K^n assignments. */
export function enumerate(model: WordTopics, words: readonly number[]) {
  const phi = phiOf(model);
  const { topics } = model;
  const alpha = Array.from(model.alpha);
  const norm = sum(alpha);
  const theta = new Array<number>(topics).fill(0);
  let total = 0;
  const counts = new Array<number>(topics).fill(0);
  const visit = (i: number, p: number) => {
    if (i === words.length) {
      total += p;
      counts.forEach((n, k) => (theta[k]! += (p * (n + alpha[k]!)) / (words.length + norm)));
      return;
    }
    for (let k = 0; k < topics; k++) {
      const prior = (counts[k]! + alpha[k]!) / (i + norm);
      counts[k]! += 1;
      visit(i + 1, p * prior * phi[k]![words[i]!]!);
      counts[k]! -= 1;
    }
  };
  visit(0, 1);
  return { probability: total, theta: theta.map((value) => value / total) };
}

/** Mean, and its standard error. */
export function meanOf(values: readonly number[]): { mean: number; error: number } {
  const mean = sum(values) / values.length;
  const variance = sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

/** √(1 − Σ √(a b)). */
export function hellingerOf(a: readonly number[], b: readonly number[]): number {
  return Math.sqrt(Math.max(0, 1 - sum(a.map((value, w) => Math.sqrt(value * b[w]!)))));
}
