// A topic's words, best first, by
//
//   relevance   r = λ ln φ_kw + (1 − λ) ln (φ_kw / p_w),  p_w = n_w / Σ n   (Sievert, Shirley 2014)
//   weight      λ = 1: the words that the topic writes most
//   lift        λ = 0: the words that only this topic writes; rare ones, so `least` matters
//
// and its documents, by θ_dk.
import type { DocTopics } from './model.ts';
import { borrowed, placeDocuments, zeros, type Memory, type PlacedTopics } from './placed.ts';

/** λ that Sievert and Shirley found people to recognise topics by. */
export const relevanceLambda = 0.6;

/** Occurrences that a word has at least whose lift says something. */
export const leastOf = (tokens: number): number =>
  Math.max(1, Math.min(10, Math.round(tokens / 20_000)));

/** Topic k's list: at most `top` items, the first `found[k]` from k · top on, with their scores. */
export type Ranked = {
  readonly top: number;
  readonly found: Int32Array;
  readonly items: Int32Array;
  readonly scores: Float64Array;
};

/** The list of one topic. */
export function rankedOf({ top, found, items }: Ranked, topic: number): readonly number[] {
  return [...items.subarray(topic * top, topic * top + (found[topic] ?? 0))];
}

function ranked(
  memory: Memory,
  size: { readonly topics: number; readonly top: number },
  rank: (found: number, items: number, scores: number) => void,
): Ranked {
  return borrowed(memory, () => {
    const { i32, f64 } = memory.arena;
    const cells = size.topics * size.top;
    const [found, items] = [zeros(memory, size.topics * 4), zeros(memory, cells * 4)];
    const scores = zeros(memory, cells * 8);
    rank(found, items, scores);
    return {
      top: size.top,
      found: i32.slice(found / 4, found / 4 + size.topics),
      items: i32.slice(items / 4, items / 4 + cells),
      scores: f64.slice(scores / 8, scores / 8 + cells),
    };
  });
}

export type WordRanking = {
  readonly top: number;
  /** 1: by weight; 0: by lift. Default 1. */
  readonly lambda?: number;
  /** Words that occur less often in the training corpus are left out. Default 1. */
  readonly least?: number;
};

/** The top words of every topic among those that occur in it. */
export function topWords(memory: Memory, placed: PlacedTopics, ranking: WordRanking): Ranked {
  const { model, starts, topic, count, inverse, totals, tokens } = placed;
  const { top, lambda = 1, least = 1 } = ranking;
  const size = { topics: model.topics, top };
  return ranked(memory, size, (found, items, scores) => {
    memory.kernels.topics_top(
      ...([model.words, top, least, lambda, model.beta, tokens, starts, topic, count] as const),
      ...([inverse, totals, found, items, scores] as const),
    );
  });
}

/** The most typical documents of every topic, by θ, among those with at least `least` tokens. */
export function typicalDocuments(
  memory: Memory,
  placed: PlacedTopics,
  { documents, top, least }: { documents: DocTopics; top: number; least: number },
): Ranked {
  return borrowed(memory, () => {
    const { starts, topic, count } = placeDocuments(memory, documents);
    const size = { topics: placed.model.topics, top };
    const { alpha, alphaSum } = placed;
    return ranked(memory, size, (found, items, scores) => {
      memory.kernels.topics_typical(
        ...([documents.documents, top, least, alphaSum, alpha, starts, topic, count] as const),
        ...([found, items, scores] as const),
      );
    });
  });
}
