// The options of lda, and what its program makes of them.
import type { Corpus } from '../../data/dataset.ts';
import type { OptionSpec } from '../../jobs/job.ts';
import type { TrainRequest } from '../model.ts';
import type { LdaOptions } from './layout.ts';

export const defaultPasses = 100;
/** Σ α of what --alpha leaves open. */
const defaultAlphaSum = 10;
const topicsMax = 100_000;

export const options: readonly OptionSpec[] = [
  {
    ...{ name: 'topics', type: 'integer', minimum: 2, maximum: topicsMax, default: 100 },
    help: 'number of topics',
  },
  {
    ...{ name: 'alpha', type: 'number', minimum: 0, exclusive: true, default: undefined },
    help: "weight of a topic before a document's words are seen; default 10 / topics",
  },
  {
    ...{ name: 'beta', type: 'number', minimum: 0, exclusive: true, default: 0.01 },
    help: 'weight of a word in a topic before any is seen',
  },
  {
    ...{ name: 'optimize-interval', type: 'integer', minimum: 0, default: 0 },
    help: 'every so many passes alpha (of each topic) and beta are fitted; 0: they stay',
  },
  {
    ...{ name: 'evaluate-interval', type: 'integer', minimum: 1, default: 10 },
    help: 'passes from one log-likelihood to the next',
  },
  {
    ...{ name: 'page', type: 'text', placeholder: 'FILE', default: undefined },
    ...{ defaultText: 'none', help: 'write a page that shows the topics in a browser' },
  },
];

export function programOptions({ options: given, passes }: TrainRequest<Corpus>): LdaOptions {
  const number = (name: string) => given[name] as number;
  const topics = number('topics');
  return {
    topics,
    alpha: (given['alpha'] as number | undefined) ?? defaultAlphaSum / topics,
    beta: number('beta'),
    passes: passes ?? defaultPasses,
    evaluateInterval: number('evaluate-interval'),
    optimizeInterval: number('optimize-interval'),
  };
}
