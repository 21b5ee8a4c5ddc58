// Reads a job's input into a host's memory, with a loader pool that lives as long as the reading.
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { unreachable } from '../base/assert.ts';
import type { Corpus, Dataset, Ratings, Samples } from '../data/dataset.ts';
import { loadCorpus, type CorpusFacts } from '../data/load-corpus.ts';
import { loadRatings, type RatingsFacts } from '../data/load-ratings.ts';
import { helperPool } from '../data/helper-pool.ts';
import type { LoaderPool } from '../data/loader-pool.ts';
import { loadSamples, type SamplesFacts } from '../data/load-samples.ts';
import { limits } from '../base/limits.ts';
import type { World } from '../base/world.ts';
import type { JobHost } from '../supervisor/host.ts';
import { notLastUse } from './spill.ts';
import type { InputOptions, JobHooks } from './job.ts';

/** Threads that read: one per core, as many as help. */
export function loaderThreads(): number {
  return Math.min(limits.loadersMax, Math.max(1, availableParallelism()));
}

/** Threads that files keep busy, of at most `most`: one a chunk. */
function usefulThreads(paths: readonly string[], most: number): number {
  let bytes = 0;
  for (const path of paths) {
    // What is no file is refused, in words, by whoever reads it.
    const found = statSync(path, { throwIfNoEntry: false });
    bytes += found?.isFile() === true ? found.size : Infinity;
  }
  return Math.max(1, Math.min(most, Math.ceil(bytes / limits.chunkBytes)));
}

/** The workers where they are enough for files of this size, or threads of its own. */
async function openPool(host: JobHost, paths: readonly string[] | undefined): Promise<LoaderPool> {
  const { memory, layout } = host.arena;
  const most = Math.min(host.loaders, layout.threadCount);
  const threads = paths === undefined ? most : usefulThreads(paths, most);
  const helpers = host.threads >= threads ? host.errands() : undefined;
  if (helpers !== undefined) return helperPool(helpers);
  // A small job does without piscina, and need not load it.
  const { createLoaderPool } = await import('../data/loader-pool.ts');
  return createLoaderPool({ memory, layout, module: host.module, threads });
}

/**
 * Runs `body` with a loader pool over the host's memory: as large as the files at `paths` are
 * worth, or as may be.
 */
export async function withLoaders<T>(
  host: JobHost,
  body: (pool: LoaderPool) => Promise<T>,
  paths?: readonly string[],
): Promise<T> {
  const pool = await openPool(host, paths);
  try {
    return await body(pool);
  } finally {
    await pool.close();
  }
}

export type Reading = {
  readonly host: JobHost;
  readonly pool: LoaderPool;
  readonly hooks: JobHooks;
  readonly input: InputOptions;
  /** The hosts that read together; this one alone when absent. */
  readonly world?: World;
  /** Partitions of the data: which rows lie on which host. */
  readonly partitions?: number;
  /** Documents to train on go into a file below this directory; what scores them does not. */
  readonly spill?: { readonly directory: string };
  /** What the labels of samples are; classes when absent. */
  readonly labels?: 'class' | 'number';
};

function watch({ hooks, input, partitions }: Reading) {
  const { format } = input;
  return {
    signal: hooks.signal,
    onProgress: (bytesDone: number, bytesTotal: number) =>
      hooks.onEvent({ kind: 'load', bytesDone, bytesTotal }),
    ...(format !== undefined && { format }),
    ...(partitions !== undefined && { partitions }),
  };
}

function placeOf({ host, pool, world }: Reading) {
  return { arena: host.arena, pool, ...(world !== undefined && { world }) };
}

function tell({ hooks }: Reading, facts: string, warnings: readonly string[]): void {
  hooks.onEvent({ kind: 'facts', text: facts });
  for (const text of warnings) hooks.onEvent({ kind: 'warning', text });
}

/** 32,561. Intl would do the same, and costs 10 ms to begin with. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

export async function readSamples(
  reading: Reading,
  paths: readonly string[],
  like?: SamplesFacts,
): Promise<Samples> {
  const { input } = reading;
  const options = {
    ...watch(reading),
    label: input.label,
    ...(input.delimiter !== undefined && { delimiter: input.delimiter }),
    ...(input.header !== undefined && { header: input.header }),
    ...(reading.labels !== undefined && { labels: reading.labels }),
    ...(like !== undefined && { like }),
  };
  const samples = await loadSamples(paths, options, placeOf(reading));
  const kind = { u8: 'dense u8', f32: 'dense f32', csr: 'sparse' }[samples.storage];
  const size = `${grouped(samples.rows)} × ${grouped(samples.columns)}`;
  const entries = samples.storage === 'csr' ? `, ${grouped(samples.nonzeros)} nonzeros` : '';
  const { length } = samples.classes;
  const classes = `${length} ${length === 1 ? 'class' : 'classes'}`;
  const labels = samples.labels === 'number' ? 'numbers to predict' : classes;
  const text = `${paths[0]}: ${size} ${kind}${entries}, ${labels}`;
  tell(reading, text, samples.warnings);
  return samples;
}

export async function readRatings(
  reading: Reading,
  paths: readonly string[],
  like?: RatingsFacts,
): Promise<Ratings> {
  const options = { ...watch(reading), ...(like !== undefined && { like }) };
  const ratings = await loadRatings(paths, options, placeOf(reading));
  const size = `${grouped(ratings.users)} users × ${grouped(ratings.items)} items`;
  const text = `${paths[0]}: ${grouped(ratings.count)} ratings, ${size}`;
  tell(reading, text, ratings.warnings);
  return ratings;
}

export async function readCorpus(
  reading: Reading,
  paths: readonly string[],
  like?: CorpusFacts,
): Promise<Corpus> {
  const { spill } = reading;
  const { label, delimiter, header, corpus: said } = reading.input;
  const options = {
    ...{ ...watch(reading), ...said },
    ...(label !== 'last' && { label }),
    ...(delimiter !== undefined && { delimiter }),
    ...(header !== undefined && { header }),
    ...(like !== undefined ? { like } : spill !== undefined && { spill }),
  };
  const corpus = await loadCorpus(paths, options, placeOf(reading));
  const documents = `${grouped(corpus.documents)} documents`;
  const words = `${grouped(corpus.words)} words, ${grouped(corpus.tokens)} tokens`;
  const place = corpus.spill === undefined ? '' : ', read into a file';
  tell(reading, `${paths[0]}: ${documents}, ${words}${place}`, corpus.warnings);
  return corpus;
}

/** Reads a training set, and a test set in its terms. */
async function readTwo<T extends Dataset>(
  read: (reading: Reading, paths: readonly string[], like?: T) => Promise<T>,
  { reading, data, test }: Pair,
): Promise<{ data: T; test: T | undefined }> {
  const train = await read(reading, data);
  if (test.length === 0) return { data: train, test: undefined };
  const warn = (text: string) => reading.hooks.onEvent({ kind: 'warning', text });
  return { data: train, test: await notLastUse(train, warn, () => read(reading, test, train)) };
}

type Pair = {
  readonly reading: Reading;
  readonly data: readonly string[];
  readonly test: readonly string[];
};

/** Reads what a model needs: its kind of data, and a test set in the training set's terms. */
export function readBoth(
  kind: Dataset['kind'],
  pair: Pair,
): Promise<{ data: Dataset; test: Dataset | undefined }> {
  switch (kind) {
    case 'samples':
      return readTwo(readSamples, pair);
    case 'ratings':
      return readTwo(readRatings, pair);
    case 'corpus':
      return readTwo(readCorpus, pair);
    default:
      return unreachable(kind);
  }
}
