// Trained topics as they are saved, lda's and medlda's: counts as tensors, and what reads them
// again. Their programs leave the counts in buffers of the same names.
import type { Corpus } from '../../data/dataset.ts';
import type { RunResult } from '../../supervisor/host.ts';
import type { Session, Tensor, TrainedModel } from '../model.ts';
import type { DocTopics, WordTopics } from '../topics/model.ts';
import { listTopics, type ListingRequest, type TopicsListing } from '../topics/report/listing.ts';
import { placeTopics, type PlacedTopics } from '../topics/placed.ts';
import type { Reading } from '../topics/run.ts';

/** What a trained model knows besides its counts. */
export type TopicFacts = {
  readonly topics: number;
  readonly words: number;
  /** K numbers. */
  readonly alpha: readonly number[];
  readonly beta: number;
  readonly documents: number;
  readonly tokens: number;
  readonly base: number;
  readonly classes: readonly string[];
  readonly vocabulary: readonly string[];
};

/** The counts of a run as they are saved. */
export function countTensors(
  { plan }: RunResult,
  host: Session['host'],
  data: Corpus,
): readonly Tensor[] {
  const at = (name: string) => plan.buffers[name] ?? 0;
  const entries = (name: string, count: number) => host.arena.i32[at(name) / 4 + count] ?? 0;
  const words = entries('wordStarts', data.words);
  // Documents that are not in memory are not saved.
  const documents = data.spill === undefined ? data.documents : 0;
  const mixtures = entries('docStarts', documents);
  const { topics } = plan.options as { topics: number };
  return (
    [
      ['word_starts', data.words + 1, 'wordStarts'],
      ['word_topics', words, 'wordTopics'],
      ['word_counts', words, 'wordCounts'],
      ['topic_totals', topics, 'totals'],
      ['doc_starts', documents + 1, 'docStarts'],
      ['doc_topics', mixtures, 'docTopics'],
      ['doc_counts', mixtures, 'docCounts'],
    ] as const
  ).map(([name, count, buffer]) => ({ name, shape: [count], at: at(buffer), type: 'I32' }));
}

/** A tensor as a plain array over the host's memory. */
const viewOf =
  ({ host }: Session, { tensors }: TrainedModel) =>
  (name: string) => {
    const tensor = tensors.find((found) => found.name === name);
    const count = tensor?.shape[0] ?? 0;
    return host.arena.i32.subarray((tensor?.at ?? 0) / 4, (tensor?.at ?? 0) / 4 + count);
  };

export function documentsOf(session: Session, trained: TrainedModel): DocTopics {
  const view = viewOf(session, trained);
  const starts = view('doc_starts');
  const counts = { topic: view('doc_topics'), count: view('doc_counts') };
  return { documents: starts.length - 1, starts, ...counts };
}

/** Trained counts as plain arrays over the host's memory. */
function topicsOf(session: Session, trained: TrainedModel): WordTopics {
  const { topics, words, alpha, beta } = trained.facts as TopicFacts;
  const view = viewOf(session, trained);
  const counts = { topic: view('word_topics'), count: view('word_counts') };
  const totals = view('topic_totals');
  return { words, topics, starts: view('word_starts'), ...counts, totals, alpha, beta };
}

/** Trained topics where kernels can read them. */
export const placedTopics = (session: Session, trained: TrainedModel): PlacedTopics =>
  placeTopics(session.host, topicsOf(session, trained));

/** Topics as people look at them. */
export function savedTopics(
  session: Session,
  trained: TrainedModel,
  request: ListingRequest,
): Promise<TopicsListing> {
  const { base, vocabulary } = trained.facts as TopicFacts;
  const documents = documentsOf(session, trained);
  const data = { first: 0, base, vocabulary, names: [] };
  const placed = placedTopics(session, trained);
  return listTopics(session, { placed, documents, data }, request);
}

/** Of the sampling of documents that the model was not trained on. */
const readingSeed = 1;

export function readingOf(session: Session, trained: TrainedModel, data: Corpus): Reading {
  return { session, placed: placedTopics(session, trained), data, seed: readingSeed };
}
