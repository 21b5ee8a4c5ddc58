// Scores samples with weights of a softmax: loss, errors, predictions. Every host scores its own
// rows, in a run of its own. mlr's, and with two classes logistic's.
import { together } from '../../base/together.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Metrics } from '../../jobs/job.ts';
import type { RunResult } from '../../supervisor/host.ts';
import type { Predictions, Session } from '../model.ts';
import { localSamples } from '../rows.ts';
import { mlrEvaluate, sumsBytes, type MlrEvaluateOptions } from './evaluate.ts';

/** Partitions of scoring: more than any machine has cores, less than its rows. */
const scorePartitions = 64;

/** What scoring needs of a model of classes besides its weights. */
export type ClassFacts = {
  readonly classes: readonly string[];
  readonly features: number;
  readonly base: number;
  readonly scale: number;
  readonly storage: Samples['storage'];
  readonly intercept: boolean;
  readonly columnNames: readonly string[];
};

export type Scoring = Omit<MlrEvaluateOptions, 'probabilities'>;
/** `known`: rows whose label is a class of the model; the others have no loss and are wrong. */
type Scores = { loss: number; known: number; wrong: number };

/** Scores the rows that lie here: a run of this host alone. */
export async function scoreHere(
  session: Session,
  data: Samples,
  options: MlrEvaluateOptions,
): Promise<{ readonly run: RunResult; readonly sums: Scores }> {
  const request = {
    ...{ data: localSamples(data), options, seed: 1, audit: false, local: true },
    policy: { consistency: 'bsp', staleness: 0 } as const,
    partitions: Math.max(session.host.threads, scorePartitions),
    ...{ program: { builtIn: mlrEvaluate.name }, userKernels: undefined, canary: undefined },
  };
  const hooks = { onEvent: session.onEvent.bind(session), signal: session.signal };
  const run = await session.host.run(mlrEvaluate, request, hooks);
  const sums = { loss: 0, known: 0, wrong: 0 };
  const { f64 } = session.host.arena;
  for (let p = 0; p < run.plan.partitions; p++) {
    const at = ((run.plan.buffers['sums'] ?? 0) + p * sumsBytes) / 8;
    sums.loss += f64[at] ?? 0;
    sums.known += f64[at + 1] ?? 0;
    sums.wrong += f64[at + 2] ?? 0;
  }
  return { run, sums };
}

/** Adds up what all hosts scored. */
export function totalOf(shares: readonly Scores[]): Scores {
  const total = (of: (share: Scores) => number) =>
    shares.reduce((sum, share) => sum + of(share), 0);
  return {
    loss: total(({ loss }) => loss),
    known: total(({ known }) => known),
    wrong: total(({ wrong }) => wrong),
  };
}

/** Scores `data` with the weights at `weights`, padded rows in the shared memory, on all hosts. */
export async function scoreAt(session: Session, data: Samples, scoring: Scoring): Promise<Scores> {
  return together(session.world, 'scores', async (talk) => {
    const { sums } = await scoreHere(session, data, { ...scoring, probabilities: false });
    return totalOf(await talk.exchange(sums));
  });
}

/** Accuracy, and the mean loss of the rows whose label the model knows. */
export function metricsOf(scores: Scores, rows: number): Metrics {
  const accuracy = 1 - scores.wrong / rows;
  return { accuracy, ...(scores.known > 0 && { logLoss: scores.loss / scores.known }) };
}

/** One line a row: the class, or class names' probabilities separated by tabs under a header. */
function* predictionLines(
  session: Session,
  data: Samples,
  ask: { readonly classes: readonly string[]; run: RunResult; probabilities: boolean },
): Generator<string> {
  const { classes, run, probabilities } = ask;
  const { i32, f32 } = session.host.arena;
  const best = (run.plan.buffers['classes'] ?? 0) / 4;
  const table = (run.plan.buffers['probabilities'] ?? 0) / 4;
  const K = classes.length;
  if (probabilities) yield ['label', ...classes].join('\t');
  for (let row = 0; row < data.rows; row++) {
    const label = classes[i32[best + row] ?? 0] ?? '';
    if (!probabilities) yield label;
    else {
      const shares = f32.subarray(table + row * K, table + (row + 1) * K);
      yield [label, ...Array.from(shares, (share) => share.toPrecision(6))].join('\t');
    }
  }
}

export async function predictWith(
  session: Session,
  data: Samples,
  scoring: MlrEvaluateOptions,
): Promise<Predictions> {
  const { run } = await scoreHere(session, data, scoring);
  const { classes, probabilities } = scoring;
  const lines = predictionLines(session, data, { classes, run, probabilities });
  return { rows: data.rows, lines };
}
