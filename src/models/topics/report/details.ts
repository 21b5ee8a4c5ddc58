// Topics one by one: words with their scores, the nearest topics, the most typical documents.
import type { Memory } from '../placed.ts';
import { hellinger } from '../similarity.ts';
import { leastOf, rankedOf, relevanceLambda, topWords, typicalDocuments } from '../words.ts';
import { bySize, documentText, wordText, type Trained } from './trained.ts';

export type TopicDetail = {
  readonly topic: number;
  /** Of all tokens, 0 … 1. */
  readonly share: number;
  /** Best first: φ_kw, φ_kw / p_w, and λ ln φ_kw + (1 − λ) ln (φ_kw / p_w) with λ = 0.6. */
  readonly words: readonly {
    readonly word: string;
    readonly weight: number;
    readonly lift: number;
    readonly relevance: number;
  }[];
  /** The nearest of the largest topics, by Hellinger distance, 0 … 1. */
  readonly near: readonly { readonly topic: number; readonly distance: number }[];
  /** The documents that have most of it, and how much. */
  readonly documents: readonly { readonly document: string; readonly share: number }[];
};

/** What a person wants to see of topics. */
export type TopicsAsk = {
  readonly by: 'relevance' | 'weight' | 'lift';
  /** Topics, the largest first. */
  readonly show: number;
  /** Words of each. */
  readonly words: number;
  /** This one alone. */
  readonly topic: number | undefined;
};

const nearTop = 5;
const documentsTop = 5;
/** Distances cost the square of it. */
const comparedMax = 2000;

export const lambdaOf = ({ by }: TopicsAsk): number =>
  ({ relevance: relevanceLambda, weight: 1, lift: 0 })[by];

/** Of every topic in `shown`, in that order. */
export function topicDetails(
  memory: Memory,
  trained: Trained,
  { ask, shown }: { readonly ask: TopicsAsk; readonly shown: readonly number[] },
): readonly TopicDetail[] {
  const { placed, documents } = trained;
  const { model, tokens } = placed;
  const { starts, topic: topics, count, totals, beta } = model;
  const lambda = lambdaOf(ask);
  const ranking = { top: ask.words, lambda, least: lambda === 1 ? 1 : leastOf(tokens) };
  const best = topWords(memory, placed, ranking);
  // Of a few words nothing is typical: half of the mean length.
  const least = tokens / Math.max(1, documents.documents) / 2;
  const typical = typicalDocuments(memory, placed, { documents, top: documentsTop, least });
  const compared = [...new Set([...shown, ...bySize(trained)])].slice(0, comparedMax);
  const { n, values } = hellinger(memory, placed, compared);

  const wordsOf = (topic: number) =>
    rankedOf(best, topic).map((word) => {
      const own = topics.subarray(starts[word], starts[word + 1]).indexOf(topic);
      const found = own < 0 ? 0 : count[starts[word]! + own]!;
      const weight = (found + beta) / (totals[topic]! + model.words * beta);
      const lift = weight / (memory.arena.f64[placed.totals / 8 + word]! / tokens);
      const relevance = relevanceLambda * Math.log(weight) + (1 - relevanceLambda) * Math.log(lift);
      return { word: wordText(trained, word), weight, lift, relevance };
    });
  const nearestTo = (place: number) =>
    compared
      .map((topic, other) => ({ topic, distance: values[place * n + other]! }))
      .filter((_, other) => other !== place)
      .sort((a, b) => a.distance - b.distance || a.topic - b.topic)
      .slice(0, nearTop);
  const documentsOf = (topic: number) =>
    rankedOf(typical, topic).map((d, i) => ({
      document: documentText(trained, d),
      share: typical.scores[topic * documentsTop + i]!,
    }));
  return shown.map((topic, place) => ({
    ...{ topic, share: totals[topic]! / Math.max(1, tokens) },
    ...{ words: wordsOf(topic), documents: documentsOf(topic) },
    near: place < n ? nearestTo(place) : [],
  }));
}
