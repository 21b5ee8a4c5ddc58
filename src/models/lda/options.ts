// The options of lda, and what its program makes of them.
import type { Corpus } from '../../data/dataset.ts';
import type { ModelOptions, OptionSpec } from '../../jobs/job.ts';
import { SystemError } from '../../base/errors.ts';
import type { TrainRequest } from '../model.ts';
import { pageOptions } from '../topics/report/report.ts';
import type { LdaOptions, SamplerName } from './layout.ts';
import { tableCellsMax } from './server.ts';

export const defaultPasses = 100;
/** Σ α of what --alpha leaves open. */
const defaultAlphaSum = 10;
const topicsMax = 100_000;
/** Of a window a token, about: place, topic, its share of a document. */
const windowTokenBytes = 16;
const windowsMax = 65_536;
/** Topics of a document from which on proposals take half the time of a draw, and may be better. */
const proposedTopicsMin = 800;

export const options: readonly OptionSpec[] = [
  {
    ...{ name: 'topics', type: 'integer', minimum: 2, maximum: topicsMax, default: 100 },
    help: 'number of topics',
  },
  {
    ...{ name: 'alpha', type: 'number', minimum: 0, exclusive: true, default: undefined },
    ...{ defaultText: '10 / topics' },
    help: "weight of a topic before a document's words are seen",
  },
  {
    ...{ name: 'beta', type: 'number', minimum: 0, exclusive: true, default: 0.01 },
    help: 'weight of a word in a topic before any is seen',
  },
  {
    ...{ name: 'parallel', type: 'choice', choices: ['rotation', 'server'], default: 'rotation' },
    help: 'words go round from worker to worker, or are rows of a parameter server',
  },
  {
    ...{ name: 'sampler', type: 'choice', choices: ['auto', 'exact', 'mh'], default: 'auto' },
    help: 'topics drawn exactly, or proposed (Metropolis-Hastings): for documents of many topics',
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
    ...{ name: 'window', type: 'number', minimum: 0, exclusive: true, default: 64 },
    ...{ placeholder: 'MIB' },
    help: 'documents that rotation samples before the next, by memory, of all hosts together',
  },
  {
    ...{ name: 'particles', type: 'integer', minimum: 0, maximum: 10_000, default: 0 },
    help: 'perplexity left to right with so many particles (slow); 0: by document completion',
  },
  ...pageOptions,
];

/** Why documents must lie in memory, if they must. */
export const mustNotSpill = ({ parallel }: ModelOptions): string | undefined =>
  parallel === 'server' ? 'use --parallel rotation, for the server has documents' : undefined;

/** @throws ERR_LIMIT where the parameter server's table would be too large. */
export function checkServer({ data, options: given }: TrainRequest<Corpus>): void {
  const cells = data.words * (given['topics'] as number);
  if (cells <= tableCellsMax) return;
  const rule = `--parallel server keeps words × topics, at most ${tableCellsMax}`;
  throw new SystemError('ERR_LIMIT', `${rule}, got ${cells}: use --parallel rotation`);
}

/**
 * Topics that a document of n tokens has on average before its words are seen: each of K is missing
 * with probability Γ(Σα) Γ(Σα − α + n) / (Γ(Σα − α) Γ(Σα + n)), about (Σα / (Σα + n))^α.
 */
function topicsExpected(topics: number, alpha: number, n: number): number {
  return topics * (1 - (1 + n / (topics * alpha)) ** -alpha);
}

/** What `auto` stands for: proposals where documents are expected to have many topics. */
function samplerFor(
  name: SamplerName | 'auto',
  { topics, alpha }: { readonly topics: number; readonly alpha: number },
  { tokens, documents }: Pick<Corpus, 'tokens' | 'documents'>,
): SamplerName {
  if (name !== 'auto') return name;
  return topicsExpected(topics, alpha, tokens / documents) >= proposedTopicsMin ? 'mh' : 'exact';
}

/**
 * Windows of documents, however many hosts: where they begin and end decides the result. Each of a
 * part's windows also has a place for each word: smaller windows than twice that save nothing.
 */
function windowsOf({ data, options: given }: TrainRequest<Corpus>, partitions: number): number {
  const least = 2 * partitions * (data.words + 1) * 4;
  const bytes = Math.max((given['window'] as number) * 2 ** 20, least);
  const most = Math.min(windowsMax, Math.ceil(data.documents / partitions));
  return Math.max(1, Math.min(most, Math.ceil((data.tokens * windowTokenBytes) / bytes)));
}

export function programOptions(request: TrainRequest<Corpus>, partitions: number): LdaOptions {
  const { data, options: given, passes } = request;
  const number = (name: string) => given[name] as number;
  const topics = number('topics');
  const alpha = (given['alpha'] as number | undefined) ?? defaultAlphaSum / topics;
  return {
    topics,
    alpha,
    beta: number('beta'),
    passes: passes ?? defaultPasses,
    evaluateInterval: number('evaluate-interval'),
    optimizeInterval: number('optimize-interval'),
    windows: given['parallel'] === 'server' ? 1 : windowsOf(request, partitions),
    sampler: samplerFor(given['sampler'] as SamplerName | 'auto', { topics, alpha }, data),
  };
}
