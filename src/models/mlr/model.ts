// mlr: multinomial logistic regression, L2, dense and sparse, any number of classes.
//
//   objective   (1/n) Σ_i −ln softmax(Wᵀx_i + b)_{y_i} + λ/2 ‖W‖²        b is not penalized
//   gap         (objective − dual) / objective: its distance from the optimum is at most this share
//   solvers     batch: src/models/mlr/batch/program.ts      sgd: src/models/mlr/sgd.ts
import { SystemError } from '../../base/errors.ts';
import { partitionsFor, type World } from '../../base/world.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Metrics, ModelOptions } from '../../jobs/job.ts';
import type { RunRequest } from '../../program/plan.ts';
import type { RunResult } from '../../supervisor/host.ts';
import {
  nothingToAudit,
  type Model,
  type Predictions,
  type Session,
  type TrainedModel,
  type TrainOutcome,
  type TrainRequest,
} from '../model.ts';
import { gramRowsMax, result as batchResult, type MlrBatchOptions } from './batch/layout.ts';
import { mlrBatch } from './batch/program.ts';
import { rowsHere } from '../rows.ts';
import { columnCounts, defaultLearningRate } from './gathered.ts';
import { mlrOptions } from './options.ts';
import { metricsOf, predictWith, scoreAt, type ClassFacts, type Scoring } from './scoring.ts';
import { mlrSgd, type MlrSgdOptions } from './sgd.ts';
import { mlrShape } from './shape.ts';

/** Of the batch solver; wide data has fewer, for each needs a copy of the weights now and then. */
const batchPartitions = { narrow: 16, wide: 2 } as const;
/** More lanes of a dual ascent can use more threads and need more passes: measured in bench/. */
const batchLanes = 2;

type Run = Pick<RunRequest, 'data' | 'seed' | 'policy' | 'audit'>;

async function runProgram(
  session: Session,
  name: 'mlr-batch' | 'mlr-sgd',
  request: Run & { readonly partitions: number; readonly options: unknown },
  onEvent: Session['onEvent'] = session.onEvent.bind(session),
): Promise<RunResult> {
  const program = { 'mlr-batch': mlrBatch, 'mlr-sgd': mlrSgd }[name];
  const source = { program: { builtIn: name }, userKernels: undefined, canary: undefined };
  const hooks = { onEvent, signal: session.signal };
  return session.host.run(program, { ...request, ...source }, hooks);
}

/** Unpadded tensors out of padded weight rows, which are packed where they stand. */
function trainedFrom(
  session: Session,
  data: Samples,
  at: number,
  intercept: boolean,
): TrainedModel {
  const { features, classes, rowBytes } = mlrShape(data, intercept);
  const packed = classes * 4;
  // Forwards, to places that are never ahead: a row is read before it is written over.
  session.host.kernels.rows_repack(features, packed, rowBytes, packed, at, at);
  const tensors = [{ name: 'weights', shape: [features, classes], at }];
  if (intercept) {
    tensors.push({ name: 'intercept', shape: [classes], at: at + features * rowBytes });
  }
  const { base, scale, storage, columnNames } = data;
  const facts: ClassFacts = {
    ...{ classes: data.classes, features, base, scale, storage, intercept, columnNames },
  };
  return { model: 'mlr', facts, tensors };
}

/** Padded weight rows out of a model's tensors: what kernels read. */
function padWeights(session: Session, trained: TrainedModel, facts: ClassFacts): number {
  const { arena, kernels } = session.host;
  const { features, classes, rows, rowBytes } = mlrShape(
    { columns: facts.features, classes: facts.classes },
    facts.intercept,
  );
  const at = arena.allocate(rows * rowBytes);
  arena.u8.fill(0, at, at + rows * rowBytes);
  const tensor = (name: string) => trained.tensors.find((found) => found.name === name)?.at ?? 0;
  kernels.rows_repack(features, classes * 4, classes * 4, rowBytes, tensor('weights'), at);
  if (facts.intercept) {
    const place = at + features * rowBytes;
    kernels.rows_repack(1, classes * 4, classes * 4, rowBytes, tensor('intercept'), place);
  }
  return at;
}

type Solved = {
  readonly run: RunResult;
  readonly weights: number;
  readonly passes: number;
  /** Relative: how far the objective can be from the optimum, as a share of it. */
  readonly gap: number | null;
  /** What the certificate measured of the training rows, in f64 at `weights`. */
  readonly measured: { readonly objective: number; readonly wrong: number } | undefined;
};

/** Partitions of the solver. On several hosts they are those by which rows were shared out. */
function batchCut(world: World, { data, partitions }: TrainRequest<Samples>): number {
  if (partitions !== undefined) return partitions;
  if (world.size > 1) return partitionsFor(world);
  return batchPartitions[data.columns < gramRowsMax ? 'narrow' : 'wide'];
}

/** A round of the ascent goes through rows of all partitions, so several hosts descend. */
function batchMethod(world: World, options: ModelOptions): MlrBatchOptions['method'] {
  const method = options['method'] as MlrBatchOptions['method'];
  if (world.size === 1) return method;
  if (method !== 'ascent') return 'descent';
  const rule = '--method ascent needs all rows on one host';
  throw new SystemError('ERR_CONFIG', `${rule}, got ${world.size} hosts: use --method descent`);
}

async function solveBatch(session: Session, request: TrainRequest<Samples>): Promise<Solved> {
  if (request.audit) session.warn(nothingToAudit);
  const { data, seed, audit } = request;
  const { lambda, intercept } = request.options as { lambda: number; intercept: boolean };
  if (!(lambda > 0)) {
    const rule = '--solver batch needs --lambda > 0';
    throw new SystemError('ERR_CONFIG', `${rule}, got ${lambda}: use --solver sgd for no penalty`);
  }
  const { tolerance = defaultTolerance, passes = batchPasses } = request;
  const lanes = request.partitions ?? batchLanes;
  const partitions = batchCut(session.world, request);
  const method = batchMethod(session.world, request.options);
  const options: MlrBatchOptions = { lambda, intercept, tolerance, passes, lanes, method };
  const policy = { consistency: 'bsp', staleness: 0 } as const;
  const run = await runProgram(session, 'mlr-batch', {
    ...{ data, seed, audit, policy, options, partitions },
  });
  const { f64 } = session.host.arena;
  const results = (run.plan.buffers['results'] ?? 0) / 8;
  const objective = f64[results + batchResult.objective] ?? 1;
  return {
    run,
    weights: run.plan.buffers['out'] ?? 0,
    passes: f64[results + batchResult.passes] ?? 0,
    gap: (f64[results + batchResult.gap] ?? 0) / objective,
    measured: { objective, wrong: f64[results + batchResult.wrong] ?? 0 },
  };
}

/** Adds up what partitions here report of a pass; says the mean loss when all their rows are in. */
function passProgress(session: Session, rows: number, passes: number): Session['onEvent'] {
  const sums = new Map<number, { loss: number; rows: number }>();
  return (event, thread) => {
    if (event.kind !== 'progress') return session.onEvent(event, thread);
    const { pass = 0, loss = 0, rows: seen = 0 } = event.values;
    const sum = sums.get(pass) ?? { loss: 0, rows: 0 };
    sums.set(pass, sum);
    sum.loss += loss;
    sum.rows += seen;
    if (sum.rows < rows || rows === 0) return;
    sums.delete(pass);
    session.onProgress(event.clock, { pass, passes, loss: sum.loss / rows });
  };
}

async function solveSgd(session: Session, request: TrainRequest<Samples>): Promise<Solved> {
  const { data, seed, audit, policy, passes = sgdPasses } = request;
  const { lambda, intercept } = request.options as { lambda: number; intercept: boolean };
  const batchSize = Math.min(Number(request.options['batch-size']), data.rows);
  const given = request.options['learning-rate'];
  const learningRate =
    given === undefined ? await defaultLearningRate(session, data) : Number(given);
  const counts = await columnCounts(session, data);
  const steps = { learningRate, batchSize, passes, columnCounts: counts };
  const options: MlrSgdOptions = { lambda, intercept, ...steps };
  const partitions = request.partitions ?? partitionsFor(session.world);
  const ask = { data, seed, audit, policy, options, partitions };
  const onEvent = passProgress(session, rowsHere(data), passes);
  const run = await runProgram(session, 'mlr-sgd', ask, onEvent);
  const weights = run.plan.tables[0]?.at ?? 0;
  return { run, weights, passes, gap: null, measured: undefined };
}

const defaultTolerance = 1e-4;
const batchPasses = 500;
const sgdPasses = 10;

function checkClasses(data: Samples): void {
  if (data.classes.length >= 2) return;
  const found = data.classes.length === 1 ? `only "${data.classes[0]}"` : 'none';
  throw new SystemError('ERR_DATA', `mlr needs at least 2 classes, the labels have ${found}`);
}

/** The objective of the header at given weights, in float64, and the rows that they get wrong. */
async function measureObjective(
  session: Session,
  data: Samples,
  scoring: Scoring,
  lambda: number,
): Promise<{ objective: number; wrong: number }> {
  const { loss, wrong } = await scoreAt(session, data, scoring);
  const { features, rowBytes } = mlrShape(data, scoring.intercept);
  const { kernels } = session.host;
  const squares = kernels.f32_sum_squares((features * rowBytes) / 4, scoring.weights);
  return { objective: loss / data.rows + (lambda / 2) * squares, wrong };
}

async function train(session: Session, request: TrainRequest<Samples>): Promise<TrainOutcome> {
  const { data, test, options } = request;
  checkClasses(data);
  const intercept = options['intercept'] === true;
  const lambda = Number(options['lambda']);
  const sgd = options['solver'] === 'sgd';
  const solved = sgd ? await solveSgd(session, request) : await solveBatch(session, request);
  const scoring = { weights: solved.weights, intercept, classes: data.classes };
  const own = solved.measured ?? (await measureObjective(session, data, scoring, lambda));
  const { objective } = own;
  const metrics: Record<string, number> = { trainAccuracy: 1 - own.wrong / data.rows };
  if (test !== undefined) Object.assign(metrics, await measure(session, test, scoring));
  const tolerance = sgd ? null : (request.tolerance ?? defaultTolerance);
  return {
    trained: trainedFrom(session, data, solved.weights, intercept),
    ...{ objective, metrics, gap: solved.gap, tolerance },
    // SGD has no certificate: it ends after its passes.
    converged: sgd ? null : (solved.gap ?? Infinity) <= (tolerance ?? 0),
    clocks: solved.run.clocks,
    passes: solved.passes,
    stalenessHistogram: solved.run.stalenessHistogram,
    policy: solved.run.plan.policy,
  };
}

async function measure(session: Session, data: Samples, scoring: Scoring): Promise<Metrics> {
  return metricsOf(await scoreAt(session, data, scoring), data.rows);
}

function scoringOf(session: Session, trained: TrainedModel): Scoring {
  const facts = trained.facts as ClassFacts;
  const weights = padWeights(session, trained, facts);
  return { weights, intercept: facts.intercept, classes: facts.classes };
}

async function predict(
  session: Session,
  trained: TrainedModel,
  data: Samples,
  options: { readonly probabilities: boolean },
): Promise<Predictions> {
  return predictWith(session, data, { ...scoringOf(session, trained), ...options });
}

export const mlr: Model<Samples> = {
  name: 'mlr',
  summary: 'multinomial logistic regression with L2: certified batch solver, or SGD',
  input: 'samples',
  defaultPasses: `batch ${batchPasses}, sgd ${sgdPasses}`,
  options: mlrOptions,
  train,
  predict,
  evaluate: (session, trained, data) => measure(session, data, scoringOf(session, trained)),
};
