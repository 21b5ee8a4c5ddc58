// Trained topics with what people call their words and documents.
import type { Corpus } from '../../../data/dataset.ts';
import type { DocTopics } from '../model.ts';
import type { PlacedTopics } from '../placed.ts';

export type Trained = {
  readonly placed: PlacedTopics;
  readonly documents: DocTopics;
  /** Of the documents that lie elsewhere it has no names and dates. */
  readonly data: Pick<Corpus, 'first' | 'base' | 'vocabulary' | 'names' | 'dates'>;
};

/** Dates of all documents, NaN: this one has none; empty where none has. */
export function datesOf({ data, documents }: Trained): Float64Array {
  const { dates, first } = data;
  if (dates === undefined) return new Float64Array();
  return Float64Array.from({ length: documents.documents }, (_, d) => dates[d - first] ?? NaN);
}

export const wordText = ({ data }: Pick<Trained, 'data'>, word: number): string =>
  data.vocabulary[word] ?? `word ${word + data.base}`;

export const documentText = ({ data }: Pick<Trained, 'data'>, document: number): string =>
  data.names[document - data.first] ?? `document ${document + 1}`;

/** Topics by size, the largest first. */
export function bySize({ placed }: Pick<Trained, 'placed'>): readonly number[] {
  const { totals, topics } = placed.model;
  const order = Array.from({ length: topics }, (_, k) => k);
  return order.sort((a, b) => totals[b]! - totals[a]! || a - b);
}
