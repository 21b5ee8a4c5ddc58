// What `perpetuum topics` shows of a saved model: the table, everything of the topics in it, and
// the page.
import { SystemError } from '../../../base/errors.ts';
import type { Corpus } from '../../../data/dataset.ts';
import type { TopicsDone } from '../../../jobs/job.ts';
import type { Session } from '../../model.ts';
import { lambdaOf, topicDetails, type TopicDetail, type TopicsAsk } from './details.ts';
import { topicRows, writePage, type PageRequest } from './report.ts';
import { bySize, type Trained } from './trained.ts';

export type TopicsListing = TopicsDone & { readonly details: readonly TopicDetail[] };

export type ListingRequest = {
  readonly ask: TopicsAsk;
  readonly page: PageRequest | undefined;
  /** The documents again that the model was trained on: for their names and dates. */
  readonly data: Corpus | undefined;
};

/** @throws ERR_CONFIG for a topic that the model has not, or documents it was not trained on. */
export async function listTopics(
  session: Session,
  trained: Trained,
  { ask, page, data }: ListingRequest,
): Promise<TopicsListing> {
  const { placed, documents } = trained;
  const { topics } = placed.model;
  if (ask.topic !== undefined && ask.topic >= topics) {
    const rule = `--topic is a number from 0 to ${topics - 1}`;
    throw new SystemError('ERR_CONFIG', `${rule}, got ${ask.topic}`);
  }
  if (data !== undefined && documents.documents === 0) {
    const rule = 'the model has no documents (it was trained with --spill)';
    throw new SystemError('ERR_CONFIG', `${rule}: leave DATA out`);
  }
  if (data !== undefined && data.documents !== documents.documents) {
    const rule = `DATA must be the ${documents.documents} documents that the model was trained on`;
    const next = 'or leave it out: then they have numbers for names';
    throw new SystemError('ERR_CONFIG', `${rule}, got ${data.documents}; ${next}`);
  }
  const named = { ...trained, data: { ...trained.data, ...(data && namesOf(data)) } };
  const { show, words } = ask;
  const table = topicRows(session.host, named, { show, words, lambda: lambdaOf(ask) });
  const shown = ask.topic === undefined ? bySize(named).slice(0, show) : [ask.topic];
  const details = topicDetails(session.host, named, { ask, shown });
  const rows = ask.topic === undefined ? table.rows : [];
  const done = { ...table, rows, details };
  const written = page !== undefined && (await writePage(session, named, page));
  return written ? { ...done, page: page.file } : done;
}

const namesOf = ({ names, dates }: Corpus) => ({ names, ...(dates && { dates }) });
