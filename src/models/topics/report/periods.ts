// Topics over time: the mean θ of the documents of each period, a year or several.
import type { DocTopics } from '../model.ts';
import {
  borrowed,
  placeDocuments,
  placeOf,
  zeros,
  type Memory,
  type PlacedTopics,
} from '../placed.ts';

/** Periods of equal length from `first` on, none left out. */
export type Periods = {
  /** Year that the first period begins with. */
  readonly first: number;
  /** Years that a period has. */
  readonly years: number;
  readonly count: number;
  /** Documents of each. */
  readonly documents: readonly number[];
};

export type Timeline = {
  readonly periods: Periods;
  /** Mean θ of topic k in period p; 0 where it has no documents. */
  share(topic: number, period: number): number;
};

/** Lengths of a period, in years. */
const lengths = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000];
/** More periods than this are not read one by one. */
const periodsMax = 60;

/** The shortest usual period that cuts the dates into at most 60; undefined without dates. */
export function periodsOf(dates: ArrayLike<number>, years?: number): Periods | undefined {
  const known = Array.from(dates).filter((date) => Number.isFinite(date));
  if (known.length === 0) return undefined;
  const low = known.reduce((least, date) => Math.min(least, date));
  const high = known.reduce((most, date) => Math.max(most, date));
  const cut = (length: number) => Math.floor(high / length) - Math.floor(low / length) + 1;
  const chosen = years ?? lengths.find((length) => cut(length) <= periodsMax) ?? 10_000;
  const first = Math.floor(low / chosen) * chosen;
  const documents = new Array<number>(cut(chosen)).fill(0);
  for (const date of known) documents[Math.floor((date - first) / chosen)]! += 1;
  return { first, years: chosen, count: documents.length, documents };
}

/** Mean θ by topic and period, from the documents' topic counts. */
export function timelineOf(
  memory: Memory,
  placed: PlacedTopics,
  of: { documents: DocTopics; dates: ArrayLike<number>; periods: Periods },
): Timeline {
  const { documents, dates, periods } = of;
  const { topics, alpha } = placed.model;
  const means = borrowed(memory, () => {
    const lines = Int32Array.from(dates, (date) =>
      Number.isFinite(date) ? Math.floor((date - periods.first) / periods.years) : -1,
    );
    const period = placeOf(memory, lines);
    const { starts, topic, count } = placeDocuments(memory, documents);
    const sums = zeros(memory, periods.count * topics * 8);
    const norms = zeros(memory, periods.count * 8);
    memory.kernels.topics_periods(
      ...([documents.documents, topics, placed.alphaSum, starts, topic, count] as const),
      ...([period, sums, norms] as const),
    );
    const { f64 } = memory.arena;
    return Float64Array.from({ length: periods.count * topics }, (_, cell) => {
      const [p, k] = [Math.floor(cell / topics), cell % topics];
      const prior = alpha[k]! * f64[norms / 8 + p]!;
      return (f64[sums / 8 + cell]! + prior) / Math.max(1, periods.documents[p]!);
    });
  });
  return { periods, share: (topic, period) => means[period * topics + topic] ?? 0 };
}
