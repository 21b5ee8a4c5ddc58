// What goes into the page: the largest topics with their words at every λ, their documents, their
// neighbours, their place on the map and their time.
import { borrowed, type Memory, type PlacedTopics } from '../placed.ts';
import { periodsOf, timelineOf } from './periods.ts';
import { hellinger, planeOf, type Distances } from '../similarity.ts';
import { leastOf, rankedOf, topWords, typicalDocuments } from '../words.ts';
import type { DocTopics } from '../model.ts';
import { circlesOf } from '../page/map.ts';
import type { PageData, PageTopic } from '../page/types.ts';
import { bySize } from './trained.ts';

export type PageSource = {
  readonly title: string;
  readonly placed: PlacedTopics;
  /** Of all words. */
  readonly vocabulary: readonly string[];
  readonly documents: DocTopics;
  /** Of all documents. */
  readonly names: readonly string[];
  /** Years; NaN: none. */
  readonly dates?: ArrayLike<number> | undefined;
};

const topicsMax = 200;
const wordsTop = 15;
const documentsTop = 8;
const nearTop = 4;
const nameChars = 90;
/** Between them the words of a list change little. */
const lambdas = [0, 0.25, 0.5, 0.75, 1];
/** A word's topics that a search shows: so many, with at least that share of it. */
const spreadTop = 3;
const spreadLeast = 0.1;

/** Gives each key a place, in the order in which they are asked for. */
function places() {
  const known = new Map<number, number>();
  const place = (key: number): number => {
    const found = known.get(key) ?? known.size;
    known.set(key, found);
    return found;
  };
  return { place, keys: () => [...known.keys()] };
}

/** The entries of word w: topic and n_kw. */
function entriesOf({ model }: PlacedTopics, word: number) {
  const { starts, topic, count } = model;
  const [first = 0, last = 0] = starts.subarray(word, word + 2);
  return Array.from({ length: last - first }, (_, i) => ({
    topic: topic[first + i]!,
    count: count[first + i]!,
  }));
}

/** Topics by size, the largest first; those without a token are not shown. */
function largest(placed: PlacedTopics): readonly number[] {
  const { totals } = placed.model;
  return bySize({ placed })
    .filter((k) => totals[k]! > 0)
    .slice(0, topicsMax);
}

function wordsOf(memory: Memory, placed: PlacedTopics, order: readonly number[]) {
  const rankings = lambdas.map((lambda) => {
    const least = lambda === 1 ? 1 : leastOf(placed.tokens);
    return topWords(memory, placed, { top: wordsTop, lambda, least });
  });
  const { place, keys } = places();
  const lists = order.map((k) => {
    const own = [...new Set(rankings.flatMap((ranking) => rankedOf(ranking, k)))];
    return own.flatMap((w) => {
      const here = entriesOf(placed, w).find(({ topic }) => topic === k)?.count ?? 0;
      return [place(w), here];
    });
  });
  return { lists, words: keys() };
}

/** A word as the page has it: text, n_w, where it mostly is. */
function wordEntry(
  { placed, vocabulary }: PageSource,
  word: number,
  shown: ReadonlyMap<number, number>,
): [string, number, ...number[]] {
  const own = entriesOf(placed, word);
  const total = own.reduce((sum, { count }) => sum + count, 0);
  const spread = own
    .filter(({ topic, count }) => shown.has(topic) && count >= spreadLeast * total)
    .sort((a, b) => b.count - a.count || a.topic - b.topic)
    .slice(0, spreadTop)
    .flatMap(({ topic, count }) => [shown.get(topic)!, Math.round((100 * count) / total)]);
  return [vocabulary[word]!, total, ...spread];
}

function documentsOf(memory: Memory, source: PageSource, order: readonly number[]) {
  const { placed, documents, names, dates } = source;
  // Of a few words nothing is typical: half of the mean length.
  const least = placed.tokens / Math.max(1, documents.documents) / 2;
  const typical = typicalDocuments(memory, placed, { documents, top: documentsTop, least });
  const { place, keys } = places();
  const lists = order.map((k) =>
    rankedOf(typical, k).flatMap((d, i) => {
      return [place(d), Math.round(1000 * typical.scores[k * documentsTop + i]!)];
    }),
  );
  const entries = keys().map((d): [string, number] => {
    const name = names[d]!;
    const short = name.length > nameChars ? `${name.slice(0, nameChars - 1)}…` : name;
    const year = dates?.[d] ?? NaN;
    return [short, Number.isFinite(year) ? Math.floor(year) : 0];
  });
  return { lists, entries };
}

function nearestTo({ n, values }: Distances, place: number): readonly number[] {
  const distance = (other: number) => values[place * n + other]!;
  const others = Array.from({ length: n }, (_, j) => j).filter((j) => j !== place);
  return others.sort((a, b) => distance(a) - distance(b) || a - b).slice(0, nearTop);
}

function timesOf(memory: Memory, source: PageSource, order: readonly number[]) {
  const { placed, documents, dates = [] } = source;
  const periods = periodsOf(dates);
  if (periods === undefined) return { periods: { first: 0, years: 1, documents: [] }, lists: [] };
  const timeline = timelineOf(memory, placed, { documents, dates, periods });
  const lists = order.map((k) =>
    periods.documents.map((_, p) => Math.round(1e5 * timeline.share(k, p))),
  );
  return { periods, lists };
}

/** The data of the page: deterministic, and of a size that grows with the topics shown alone. */
export function pageData(memory: Memory, source: PageSource): PageData {
  const { placed, title, documents } = source;
  const { model, tokens } = placed;
  return borrowed(memory, () => {
    const order = largest(placed);
    const shown = new Map(order.map((k, place) => [k, place]));
    const words = wordsOf(memory, placed, order);
    const typical = documentsOf(memory, source, order);
    const { periods, lists: times } = timesOf(memory, source, order);
    const distances = hellinger(memory, placed, order);
    const shares = order.map((k) => model.totals[k]! / tokens);
    const circles = circlesOf(planeOf(distances), shares);
    const topics = order.map((k, place): PageTopic => {
      const { x, y, radius } = circles[place]!;
      return {
        ...{ id: k, total: model.totals[k]!, words: words.lists[place]! },
        ...{ documents: typical.lists[place]!, near: nearestTo(distances, place) },
        ...{ at: [Math.round(x), Math.round(y), Math.round(radius)], time: times[place] ?? [] },
      };
    });
    return {
      ...{ title, documentCount: documents.documents, tokens, vocabulary: model.words },
      ...{ topicCount: model.topics, beta: model.beta, documents: typical.entries, topics },
      words: words.words.map((word) => wordEntry(source, word, shown)),
      periods: { first: periods.first, years: periods.years, documents: periods.documents },
    };
  });
}
