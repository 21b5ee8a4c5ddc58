// lasso and elastic-net: squared loss with an L1 penalty, or L1 and L2, sparse and dense data.
//
//   objective   1/(2n) ‖y − Xβ − b‖² + λ (α ‖β‖₁ + (1−α)/2 ‖β‖²)            b is not penalized
//   gap         objective − dual: its distance from the optimum is at most this; converged when it
//               is at most tolerance · ‖y − ȳ‖²/2n
//   solver      program.ts; lasso is α = 1
import { SystemError } from '../../base/errors.ts';
import { together } from '../../base/together.ts';
import { partitionsFor, type World } from '../../base/world.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Metrics, PathPoint } from '../../jobs/job.ts';
import type { RunResult } from '../../supervisor/host.ts';
import { linearScore, scoreLine, type LinearScoreOptions } from '../linear/score.ts';
import {
  nothingToAudit,
  type Model,
  type Predictions,
  type Session,
  type TrainedModel,
  type TrainOutcome,
  type TrainRequest,
} from '../model.ts';
import { localSamples } from '../rows.ts';
import { solveByPhases, type Solved } from './independent.ts';
import { fact, factCells, result, resultCells, type LassoOptions } from './layout.ts';
import { elasticNetOptions, lassoOptions, solverOptions } from './options.ts';
import { lassoSolve } from './program.ts';

const defaultTolerance = 1e-6;
/** Blocks of one λ, at most. */
const passesMax = 1000;
const scorePartitions = 64;

/**
 * Partitions of the solver: enough for many cores, few enough that their partial sums, one for each
 * column, are little beside the data, that a kernel has rows to work on, and that their residuals
 * stay in a cache.
 */
function partitionsOf(world: World, { data, partitions }: TrainRequest<Samples>): number {
  if (partitions !== undefined) return partitions;
  if (world.size > 1) return partitionsFor(world);
  const { rows, columns, nonzeros, storage } = data;
  const entries = storage === 'csr' ? nonzeros : rows * columns;
  const most = Math.min(entries / (4 * Math.max(1, columns)), rows / 256, 64);
  return Math.max(1, Math.min(4, Math.floor(rows / 64)), Math.floor(most));
}

/** What model.json has besides the tensors. */
export type LassoFacts = {
  readonly features: number;
  readonly base: number;
  readonly scale: number;
  readonly storage: Samples['storage'];
  readonly classes: readonly string[];
  readonly columnNames: readonly string[];
  readonly intercept: number;
  readonly lambda: number;
  readonly alpha: number;
  readonly nonzeros: number;
  /** Every λ of a path; with folds their mean squared error and its standard error. */
  readonly path: readonly PathPoint[];
};

type Kind = 'lasso' | 'elastic-net';

function checkOptions(kind: Kind, options: LassoOptions, data: Samples): void {
  const wrong = (rule: string): never => {
    throw new SystemError('ERR_CONFIG', rule);
  };
  if (data.rows === 0) throw new SystemError('ERR_DATA', `${kind} needs at least 1 row, got 0`);
  const { folds, path, alpha, lambda, slots } = options;
  if (folds === 1 || folds > data.rows) {
    wrong(`--folds must be 0, or 2 to the number of rows, ${data.rows}; got ${folds}`);
  }
  if (path > 0 && lambda !== undefined) {
    wrong('--lambda is one value, --path and --folds choose their own: leave one out');
  }
  if (alpha === 0 && lambda === undefined) {
    wrong('--l1-ratio 0 has no λmax, for coefficients are never all 0: give --lambda');
  }
  if (alpha === 0 && data.columns > slots) {
    const rule = `--l1-ratio 0 solves all columns together, up to --working-set ${slots}`;
    wrong(`${rule}, the data has ${data.columns}: use --l1-ratio 0.01, or a larger --working-set`);
  }
}

/** The solver's account of every λ. */
function readPath(session: Session, run: RunResult, options: LassoOptions) {
  const { f64 } = session.host.arena;
  const results = (run.plan.buffers['results'] ?? 0) / 8;
  const cellOf = (index: number) => f64[results + index] ?? 0;
  const values = Array.from({ length: cellOf(result.count) }, (_, index) => {
    const at = results + resultCells + index * factCells;
    const of = (cell: number) => f64[at + cell] ?? 0;
    const scored = options.folds > 0 && { error: of(fact.error), standardError: of(fact.spread) };
    return {
      ...{ lambda: of(fact.lambda), objective: of(fact.objective), gap: of(fact.gap) },
      ...{ nonzeros: of(fact.nonzeros), ...scored },
    };
  });
  return { values, cellOf };
}

async function solveJointly(
  session: Session,
  request: TrainRequest<Samples>,
  options: LassoOptions,
): Promise<Solved> {
  const { data, seed, audit } = request;
  if (audit) session.warn(nothingToAudit);
  const ask = {
    ...{ data, seed, audit, options, partitions: partitionsOf(session.world, request) },
    policy: { consistency: 'bsp', staleness: 0 } as const,
    ...{ program: { builtIn: 'lasso-solve' }, userKernels: undefined, canary: undefined },
  };
  const hooks = { onEvent: session.onEvent.bind(session), signal: session.signal };
  const run = await session.host.run(lassoSolve, ask, hooks);
  const { values, cellOf } = readPath(session, run, options);
  const chosen = values[cellOf(result.chosen)] ?? values[0]!;
  if (cellOf(result.columns) === 0) {
    session.warn('no column varies: all coefficients are 0');
  }
  const most = options.tolerance * cellOf(result.scale);
  const apart = options.folds > 0 && cellOf(result.foldGap) > 1;
  if (apart) session.warn('not all folds converged: give it more --passes or a larger --tolerance');
  return {
    ...{ run, values, chosen, intercept: cellOf(result.intercept), metrics: {} },
    ...{ passes: cellOf(result.passes), at: run.plan.buffers['out'] ?? 0 },
    gapScale: cellOf(result.scale),
    converged: !apart && values.every((value) => value.gap <= most),
  };
}

async function train(
  kind: Kind,
  session: Session,
  request: TrainRequest<Samples>,
): Promise<TrainOutcome> {
  const { data, test } = request;
  const { tolerance = defaultTolerance, passes = passesMax } = request;
  const options = solverOptions(request.options, { tolerance, passes });
  checkOptions(kind, options, data);
  const solve = request.options['updates'] === 'independent' ? solveByPhases : solveJointly;
  const { run, values, chosen, at, ...solved } = await solve(session, request, options);
  const { base, scale, storage, columnNames, columns: features } = data;
  const { lambda, objective, gap, nonzeros } = chosen;
  const facts: LassoFacts = {
    ...{ features, base, scale, storage, classes: [], columnNames },
    ...{ intercept: solved.intercept, lambda, alpha: options.alpha, nonzeros },
    path: values,
  };
  const trained = { model: kind, facts, tensors: [{ name: 'weights', shape: [features], at }] };
  const own = await measure(session, trained, data);
  const metrics: Record<string, number> = { lambda, nonzeros, trainRmse: own['rmse'] ?? 0 };
  Object.assign(metrics, solved.metrics);
  if (test !== undefined) Object.assign(metrics, await measure(session, trained, test));
  return {
    ...{ trained, objective, metrics, gap, tolerance, converged: solved.converged },
    gapScale: solved.gapScale,
    ...(values.length > 1 && { path: { values, chosen: values.indexOf(chosen) } }),
    ...{ clocks: run.clocks, passes: solved.passes },
    ...{ stalenessHistogram: run.stalenessHistogram, policy: run.plan.policy },
  };
}

/** Scores the rows that lie here. */
async function scoreHere(session: Session, trained: TrainedModel, data: Samples) {
  const { intercept } = trained.facts as LassoFacts;
  const options: LinearScoreOptions = { weights: trained.tensors[0]?.at ?? 0, intercept };
  const run = await session.host.run(
    linearScore,
    {
      ...{ data: localSamples(data), options, seed: 1, audit: false, local: true },
      policy: { consistency: 'bsp', staleness: 0 },
      partitions: Math.max(session.host.threads, scorePartitions),
      ...{ program: { builtIn: 'linear-score' }, userKernels: undefined, canary: undefined },
    },
    { onEvent: session.onEvent.bind(session), signal: session.signal },
  );
  const { f64 } = session.host.arena;
  const sums = { errors: 0, labels: 0, squares: 0 };
  for (let p = 0; p < run.plan.partitions; p++) {
    const at = ((run.plan.buffers['sums'] ?? 0) + p * scoreLine) / 8;
    sums.errors += f64[at] ?? 0;
    sums.labels += f64[at + 1] ?? 0;
    sums.squares += f64[at + 2] ?? 0;
  }
  return { sums, scores: run.plan.buffers['scores'] ?? 0 };
}

/** Root mean squared error, and the share of the labels' variance that is explained. */
async function measure(session: Session, trained: TrainedModel, data: Samples): Promise<Metrics> {
  const shares = await together(session.world, 'scores', async (talk) => {
    const { sums } = await scoreHere(session, trained, data);
    return talk.exchange(sums);
  });
  const total = (of: 'errors' | 'labels' | 'squares') =>
    shares.reduce((sum, share) => sum + share[of], 0);
  const errors = total('errors');
  const spread = total('squares') - total('labels') ** 2 / data.rows;
  return { rmse: Math.sqrt(errors / data.rows), ...(spread > 0 && { r2: 1 - errors / spread }) };
}

function* predictionLines(session: Session, scores: number, rows: number): Generator<string> {
  const { f64 } = session.host.arena;
  for (let i = 0; i < rows; i++) yield (f64[scores / 8 + i] ?? 0).toPrecision(9);
}

async function predict(
  session: Session,
  trained: TrainedModel,
  data: Samples,
): Promise<Predictions> {
  const { scores } = await scoreHere(session, trained, data);
  return { rows: data.rows, lines: predictionLines(session, scores, data.rows) };
}

function define(kind: Kind, rest: Pick<Model<Samples>, 'summary' | 'options'>): Model<Samples> {
  return {
    ...{ name: kind, input: 'samples', labels: 'number', defaultPasses: passesMax, ...rest },
    train: (session, request) => train(kind, session, request),
    evaluate: measure,
    predict,
  };
}

export const lasso = define('lasso', {
  summary: 'least squares with an L1 penalty: certified, λ paths, cross-validation',
  options: lassoOptions,
});

export const elasticNet = define('elastic-net', {
  summary: 'least squares with L1 and L2 penalties: certified, λ paths, cross-validation',
  options: elasticNetOptions,
});
