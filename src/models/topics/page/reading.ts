// What the page's parts ask of its data: names, shares, words in order of relevance.
import type { PageData, PageTopic } from './types.ts';

export type WordBar = {
  readonly word: string;
  /** Occurrences in the topic, and in all. */
  readonly here: number;
  readonly all: number;
};

/** λ of names, and where the slider stands at first: see ../words.ts. */
export const usualLambda = 0.6;
const nameWords = 3;

/**
 * A topic's words by λ ln φ_kw + (1 − λ) ln (φ_kw / p_w), the best first.
 */
export function wordsBy(data: PageData, topic: PageTopic, lambda: number): readonly WordBar[] {
  const norm = topic.total + data.vocabulary * data.beta;
  const bars: (WordBar & { readonly score: number })[] = [];
  for (let i = 0; i < topic.words.length; i += 2) {
    const [word, all] = data.words[topic.words[i]!]!;
    const here = topic.words[i + 1]!;
    const weight = Math.log((here + data.beta) / norm);
    bars.push({ word, here, all, score: weight - (1 - lambda) * Math.log(all / data.tokens) });
  }
  return bars.sort((a, b) => b.score - a.score);
}

/** A topic has no name of its own: its first words stand for it. */
export function nameOf(data: PageData, topic: PageTopic): string {
  const words = wordsBy(data, topic, usualLambda).slice(0, nameWords);
  return words.map(({ word }) => word).join(' · ');
}

export const shareOf = (data: PageData, topic: PageTopic): number => topic.total / data.tokens;

/** `8.1 %`, small shares with another digit. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value.toFixed(value >= 0.95 || value === 0 ? 1 : 2)} %`;
}

export const numberText = (value: number): string => value.toLocaleString('en');

/** `1790s`, `1790–1794`, `1790`: period p in words. */
export function periodName({ periods }: PageData, p: number): string {
  const from = periods.first + p * periods.years;
  if (periods.years === 1) return String(from);
  return periods.years === 10 ? `${from}s` : `${from}–${from + periods.years - 1}`;
}
