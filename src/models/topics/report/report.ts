// What models of topics say at the end of training: the largest topics as a table, and with --page
// all of them as a page. Words, names and dates are those of the corpus they were trained on.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { together } from '../../../base/together.ts';
import type { ModelOptions, OptionSpec, TopicsDone } from '../../../jobs/job.ts';
import type { Session } from '../../model.ts';
import { pageData } from './page-data.ts';
import { periodsOf, timelineOf } from './periods.ts';
import type { Memory } from '../placed.ts';
import type { TopicRow } from './table.ts';
import { leastOf, rankedOf, relevanceLambda, topWords } from '../words.ts';
import { bySize, datesOf, documentText, wordText, type Trained } from './trained.ts';

/** Wider sparklines leave no room for words. */
const sparklineMax = 30;

/** Options of models of topics. */
export const pageOptions: readonly OptionSpec[] = [
  {
    ...{ name: 'page', type: 'text', placeholder: 'FILE', default: undefined },
    ...{ defaultText: 'none', help: 'write a page that shows the topics in a browser' },
  },
  {
    ...{ name: 'title', type: 'text', placeholder: 'TEXT', default: 'Topics' },
    help: 'heading of the page',
  },
];

/** A page that was asked for. */
export type PageRequest = { readonly file: string; readonly title: string };

export function pageOf(options: ModelOptions): PageRequest | undefined {
  const { page: file, title = 'Topics' } = options;
  return file === undefined ? undefined : { file: String(file), title: String(title) };
}

/** What the table shows: so many topics, with so many words each, ranked with λ. */
export type Rows = { readonly show: number; readonly words: number; readonly lambda: number };

const usualRows: Rows = { show: 20, words: 12, lambda: relevanceLambda };

/** The largest topics, with words by relevance, and by decade (or longer) where there are dates. */
export function topicRows(memory: Memory, trained: Trained, ask = usualRows): TopicsDone {
  const { placed, documents } = trained;
  const { totals } = placed.model;
  const least = ask.lambda === 0 ? leastOf(placed.tokens) : 1;
  const words = topWords(memory, placed, { top: ask.words, lambda: ask.lambda, least });
  const dates = datesOf(trained);
  const periods = [10, 20, 50, 100, 500]
    .map((years) => periodsOf(dates, years))
    .find((found) => found !== undefined && found.count <= sparklineMax);
  const timeline = periods && timelineOf(memory, placed, { documents, dates, periods });
  const rows = bySize(trained)
    .slice(0, ask.show)
    .map((topic): TopicRow => {
      const overTime = periods?.documents.map((count, p) =>
        count === 0 ? NaN : (timeline?.share(topic, p) ?? NaN),
      );
      return {
        ...{ topic, share: totals[topic]! / Math.max(1, placed.tokens) },
        words: rankedOf(words, topic).map((word) => wordText(trained, word)),
        ...(overTime !== undefined && { overTime }),
      };
    });
  if (periods === undefined) return { rows };
  const { first, years, count } = periods;
  return { rows, years: [first, first + (count - 1) * years] };
}

/** Writes the page; a file that cannot be written is a warning: what was trained is not lost. */
export async function writePage(
  session: Session,
  trained: Trained,
  { file, title }: PageRequest,
): Promise<boolean> {
  const { placed, documents } = trained;
  // The page with its script is loaded by those alone who want one.
  const { topicsPage } = await import('../page/html.ts');
  const source = {
    ...{ title, placed, documents, dates: datesOf(trained) },
    vocabulary: Array.from({ length: placed.model.words }, (_, word) => wordText(trained, word)),
    names: Array.from({ length: documents.documents }, (_, d) => documentText(trained, d)),
  };
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, topicsPage(pageData(session.host, source)));
    return true;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    session.warn(`--page ${file} cannot be written: ${why}`);
    return false;
  }
}

/** The corpus with names and dates of all documents, not of those alone that lie here. */
function withAllNamed({ world }: Session, data: Trained['data']): Promise<Trained['data']> {
  return together(world, 'named', async (talk) => {
    // JSON has no NaN: a document without a date is null on the way.
    const dates: readonly (number | null)[] = [...(data.dates ?? [])];
    const all = await talk.exchange({ names: data.names, dates });
    const dated = all.flatMap((host) => host.dates.map((date) => date ?? NaN));
    return {
      ...{ ...data, first: 0, names: all.flatMap(({ names }) => names) },
      ...(data.dates !== undefined && { dates: Float64Array.from(dated) }),
    };
  });
}

/** The table, and the page if one is asked for: by rank 0, which has all counts. */
export async function reportTopics(
  session: Session,
  trained: Trained,
  page: PageRequest | undefined,
): Promise<TopicsDone | undefined> {
  const data = await withAllNamed(session, trained.data);
  if (session.world.rank > 0) return undefined;
  const whole = { ...trained, data };
  const done = topicRows(session.host, whole);
  const written = page !== undefined && (await writePage(session, whole, page));
  return written ? { ...done, page: page.file } : done;
}
