// The predict and evaluate jobs: a saved model over new data.
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { unreachable } from '../base/assert.ts';
import type { Corpus, Dataset, Ratings, Samples } from '../data/dataset.ts';
import type { CorpusFacts } from '../data/load-corpus.ts';
import type { LoaderPool } from '../data/loader-pool.ts';
import { SystemError } from '../base/errors.ts';
import { soloWorld } from '../base/world.ts';
import { loadModel } from '../models/model-directory.ts';
import type { Model, Session, TrainedModel } from '../models/model.ts';
import { findModel } from '../models/registry.ts';
import { readCorpus, readRatings, readSamples, withLoaders, type Reading } from './input.ts';
import type { EvaluateJob, JobDone, JobHooks, Metrics, PredictJob } from './job.ts';
import { labelsOf, openSession, withHost } from './train.ts';

type Scoring<T> = (opened: {
  readonly session: Session;
  readonly trained: TrainedModel;
  readonly model: Model<never>;
  readonly data: never;
  readonly rows: number;
}) => Promise<T>;

/** Loads model and data into a host and hands them to `body`. */
function withModel<T>(
  job: PredictJob | EvaluateJob,
  hooks: JobHooks,
  body: Scoring<T>,
): Promise<T> {
  return withHost({ threads: job.threads, reproducible: false }, async (host) => {
    const { trained } = await loadModel(job.modelDirectory, host.arena);
    const model = findModel(trained.model);
    if (model === undefined) {
      const rule = `${job.modelDirectory} holds "${trained.model}", which is not a model of this version`;
      throw new SystemError('ERR_CHECKPOINT', `${rule}: a user's program scores by itself`);
    }
    const read = (pool: LoaderPool) => {
      const reading = { host, pool, hooks, input: job.input, ...labelsOf(model) };
      return readAs(model.input, reading, { paths: job.data, trained });
    };
    const data = await withLoaders<Dataset>(host, read, job.data);
    const rows = rowsOf(data);
    const session = openSession(host, hooks, soloWorld(job.threads));
    const loose = { model: model as unknown as Model<never>, data: data as never };
    return body({ session, trained, rows, ...loose });
  });
}

/** Reads data in the terms of what the model was trained on. */
function readAs(
  kind: Dataset['kind'],
  reading: Reading,
  { paths, trained }: { readonly paths: readonly string[]; readonly trained: TrainedModel },
): Promise<Dataset> {
  switch (kind) {
    case 'ratings':
      return readRatings(reading, paths, ratingFacts(trained));
    case 'corpus':
      return readCorpus(reading, paths, corpusFacts(trained));
    case 'samples':
      return readSamples(reading, paths, sampleFacts(trained));
    default:
      return unreachable(kind);
  }
}

function rowsOf(data: Dataset): number {
  if (data.kind === 'corpus') return data.documents;
  return data.kind === 'ratings' ? data.count : data.rows;
}

/** A model of documents keeps words, base, classes and, if it had them, vocabulary. */
export function corpusFacts(trained: TrainedModel): CorpusFacts {
  const { words, base, classes = [], vocabulary = [] } = trained.facts as unknown as Corpus;
  return { words, base, classes, vocabulary };
}

function sampleFacts(trained: TrainedModel) {
  const facts = trained.facts as unknown as Samples & { features: number };
  const { storage, features: columns, base, classes, scale } = facts;
  return { storage, columns, base, classes, scale };
}

function ratingFacts(trained: TrainedModel) {
  const { users, items, userBase, itemBase } = trained.facts as unknown as Ratings;
  return { users, items, userBase, itemBase };
}

export function evaluateJob(job: EvaluateJob, hooks: JobHooks): Promise<JobDone> {
  return withModel(job, hooks, async ({ session, trained, model, data, rows }) => {
    const metrics: Metrics = await model.evaluate(session, trained, data);
    return { command: 'evaluate', model: trained.model, rows, metrics };
  });
}

/** Lines are joined to pieces of about this size: one message or write each. */
const pieceChars = 1 << 16;

function* inPieces(lines: Iterable<string>): Generator<string> {
  let piece = '';
  for (const line of lines) {
    piece += line + '\n';
    if (piece.length < pieceChars) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

export function predictJob(job: PredictJob, hooks: JobHooks): Promise<JobDone> {
  return withModel(job, hooks, async ({ session, trained, model, data, rows }) => {
    const { probabilities } = job;
    const { lines } = await model.predict(session, trained, data, { probabilities });
    if (job.out === undefined) {
      for (const text of inPieces(lines)) {
        hooks.onEvent({ kind: 'output', text });
        await new Promise((resolve) => setImmediate(resolve));
      }
    } else await writeLines(job.out, lines);
    return { command: 'predict', rows, out: job.out ?? null };
  });
}

async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  const file = createWriteStream(path);
  const failed = new Promise<never>((_, reject) =>
    file.once('error', (cause: Error) => {
      const text = `--out ${path} cannot be written: ${cause.message}`;
      reject(new SystemError('ERR_CONFIG', text, { cause }));
    }),
  );
  const write = async () => {
    for (const piece of inPieces(lines)) {
      if (!file.write(piece)) await once(file, 'drain');
      await new Promise((resolve) => setImmediate(resolve));
    }
    file.end();
    await once(file, 'close');
  };
  await new Promise<void>((resolve, reject) => {
    write().then(resolve, reject);
    failed.catch(reject);
  });
}
