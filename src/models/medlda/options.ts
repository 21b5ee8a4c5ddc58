// The options of medlda, and what its program makes of them.
import type { Corpus } from '../../data/dataset.ts';
import type { OptionSpec } from '../../jobs/job.ts';
import type { TrainRequest } from '../model.ts';
import { pageOptions } from '../topics/report/report.ts';
import type { MedldaOptions } from './layout.ts';

export const defaultPasses = 40;
/** Σ α of what --alpha leaves open. */
const defaultAlphaSum = 6.4;
/** Every topic is looked at for every token. */
const topicsMax = 512;

export const options: readonly OptionSpec[] = [
  {
    ...{ name: 'topics', type: 'integer', minimum: 2, maximum: topicsMax, default: 40 },
    help: 'number of topics',
  },
  {
    ...{ name: 'alpha', type: 'number', minimum: 0, exclusive: true, default: undefined },
    ...{ defaultText: '6.4 / topics' },
    help: "weight of a topic before a document's words are seen",
  },
  {
    ...{ name: 'beta', type: 'number', minimum: 0, exclusive: true, default: 0.01 },
    help: 'weight of a word in a topic before any is seen',
  },
  {
    ...{ name: 'cost', type: 'number', minimum: 0, exclusive: true, default: 1.6 },
    help: 'what a document costs a class per unit that it is short of the margin (half of it)',
  },
  {
    ...{ name: 'margin', type: 'number', minimum: 0, exclusive: true, default: 64 },
    help: "what a class's score should be at least, and minus that of documents of others",
  },
  {
    ...{ name: 'samples', type: 'integer', minimum: 1, default: 10 },
    help: 'of the passes, the last ones over which weights and topics are averaged',
  },
  ...pageOptions,
];

export function programOptions({ options: given, passes }: TrainRequest<Corpus>): MedldaOptions {
  const number = (name: string) => given[name] as number;
  const topics = number('topics');
  const all = passes ?? defaultPasses;
  return {
    topics,
    alpha: (given['alpha'] as number | undefined) ?? defaultAlphaSum / topics,
    beta: number('beta'),
    cost: number('cost'),
    margin: number('margin'),
    passes: all,
    samples: Math.min(all, number('samples')),
  };
}
