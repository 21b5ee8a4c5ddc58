// logistic: binary logistic regression with L1, L2 or both (elastic net), dense and sparse.
//
//   objective   (1/n) Σ_i c_i ln(1 + exp(−y_i z_i)) + λ (α ‖w‖₁ + (1 − α)/2 ‖w‖²)
//               z = w·x + b, b is not penalized; y = −1 for the first class, +1 for the second;
//               c_i: the weight of its class, 1 by default
//   gap         (objective − dual) / objective: its distance from the optimum is at most this share
//   solver      src/models/logistic/program.ts
import { SystemError } from '../../base/errors.ts';
import { partitionsFor, type World } from '../../base/world.ts';
import type { Samples } from '../../data/dataset.ts';
import type { ModelOptions, PathPoint } from '../../jobs/job.ts';
import type { RunResult } from '../../supervisor/host.ts';
import type { Lambdas } from '../linear/lambdas.ts';
import { solveIndependent } from '../linear/phases/independent.ts';
import { predictWith, type ClassFacts } from '../mlr/scoring.ts';
import {
  nothingToAudit,
  type Model,
  type Session,
  type TrainedModel,
  type TrainOutcome,
  type TrainRequest,
} from '../model.ts';
import { fact, factBytes, narrowMax, result, type LogisticOptions } from './solver/layout.ts';
import { logisticOptions } from './options.ts';
import { logisticSolve } from './solver/program.ts';
import { measure, scoringOf } from './scoring.ts';

const defaultTolerance = 1e-5;
const defaultLambda = 1e-4;
/** Of one λ; turns over columns are passes too. */
const defaultPasses = 10_000;
/** Of narrow data; wide data has fewer, for each has vectors and moments of the features. */
const partitionsOf = { narrow: 16, wide: [2, 8], entries: 1 << 20 } as const;

function checkClasses({ classes }: Samples): void {
  if (classes.length === 2) return;
  const found = classes.length === 1 ? `only "${classes[0]}"` : `${classes.length}`;
  const next = classes.length > 2 ? ': use mlr' : '';
  throw new SystemError('ERR_DATA', `logistic needs 2 classes, the labels have ${found}${next}`);
}

/** The command line has checked these already; a caller of the library has not. */
function checkOptions(options: ModelOptions): void {
  const check = (name: string, rule: string, holds: (value: number) => boolean) => {
    const value = Number(options[name]);
    if (holds(value) && Number.isFinite(value)) return;
    throw new SystemError('ERR_CONFIG', `logistic: ${name} must be ${rule}, got ${value}`);
  };
  const noOptimum = 'above 0: separable rows have no optimum without it';
  if (options['lambda'] !== undefined) check('lambda', noOptimum, (value) => value > 0);
  check('l1-ratio', 'from 0 to 1', (value) => value >= 0 && value <= 1);
  check('positive-weight', 'above 0', (value) => value > 0);
}

/** λ as asked for: a path, a share of λmax, or one value. */
function lambdasFrom(options: ModelOptions): Lambdas {
  const [path, ratio] = [Number(options['path'] ?? 0), options['lambda-ratio']];
  const one = path === 0 && ratio === undefined;
  return {
    lambda: one ? Number(options['lambda'] ?? defaultLambda) : undefined,
    ...{ lambdaRatio: Number(ratio ?? 0), path, pathRatio: Number(options['path-ratio'] ?? 0) },
  };
}

function checkLambdas(options: ModelOptions): void {
  const wrong = (rule: string): never => {
    throw new SystemError('ERR_CONFIG', `logistic: ${rule}`);
  };
  const { lambda } = lambdasFrom(options);
  if (options['lambda'] !== undefined && lambda === undefined) {
    wrong('--lambda is one value, --path and --lambda-ratio choose their own: leave one out');
  }
  if (lambda === undefined && Number(options['l1-ratio']) === 0) {
    wrong('--l1-ratio 0 has no λmax, for weights are never all 0: give --lambda');
  }
}

/** What a row of each class weighs. */
function weightsFrom(options: ModelOptions): LogisticOptions['classWeights'] {
  const positive = Number(options['positive-weight']);
  if (options['class-weight'] !== 'balanced') return [1, positive];
  if (positive === 1) return 'balanced';
  const rule = '--class-weight balanced sets the weights of both classes';
  throw new SystemError('ERR_CONFIG', `${rule}: leave --positive-weight ${positive} out`);
}

/** On several hosts partitions are those by which rows were shared out. */
function cutOf(world: World, { data, partitions }: TrainRequest<Samples>): number {
  if (partitions !== undefined) return partitions;
  if (world.size > 1) return partitionsFor(world);
  const { rows, columns, nonzeros, storage } = data;
  if (columns < narrowMax) return partitionsOf.narrow;
  const [least, most] = partitionsOf.wide;
  const entries = storage === 'csr' ? nonzeros : rows * columns;
  return Math.min(most, Math.max(least, Math.floor(entries / partitionsOf.entries)));
}

async function solve(session: Session, request: TrainRequest<Samples>): Promise<RunResult> {
  if (request.audit) session.warn(nothingToAudit);
  const { data, seed, audit, options: given } = request;
  const options: LogisticOptions = {
    ...{ alpha: Number(given['l1-ratio']), ...lambdasFrom(given) },
    schedule: (given['schedule'] ?? 'dynamic') as LogisticOptions['schedule'],
    ...{ intercept: given['intercept'] === true, classWeights: weightsFrom(given) },
    tolerance: request.tolerance ?? defaultTolerance,
    passes: request.passes ?? defaultPasses,
  };
  const policy = { consistency: 'bsp', staleness: 0 } as const;
  const source = { userKernels: undefined, canary: undefined };
  return session.host.run(
    logisticSolve,
    {
      ...{ data, seed, audit, policy, options, partitions: cutOf(session.world, request) },
      ...{ program: { builtIn: logisticSolve.name }, ...source },
    },
    { onEvent: session.onEvent.bind(session), signal: session.signal },
  );
}

function trainedFrom(at: number, data: Samples, intercept: boolean): TrainedModel {
  const { base, scale, storage, columnNames, classes, columns: features } = data;
  const facts: ClassFacts = { classes, features, base, scale, storage, intercept, columnNames };
  const tensors = [{ name: 'weights', shape: [features], at }];
  if (intercept) tensors.push({ name: 'intercept', shape: [1], at: at + features * 4 });
  return { model: 'logistic', facts, tensors };
}

/** --updates independent: by phases of linear-phases. */
async function trainByPhases(
  session: Session,
  request: TrainRequest<Samples>,
): Promise<TrainOutcome> {
  const { data, test, options, tolerance = defaultTolerance } = request;
  const penalty = { alpha: Number(options['l1-ratio']), ...lambdasFrom(options) };
  const own = { loss: 'logistic', classWeights: weightsFrom(options), tolerance } as const;
  const given = { ...penalty, ...own, relativeTo: 'objective' } as const;
  const solved = await solveIndependent(session, request, given);
  const { run, of, coefficients, metrics, passes, converged, path: values } = solved;
  const trained = trainedFrom(coefficients, data, options['intercept'] === true);
  const { accuracy = NaN } = await measure(session, data, scoringOf(session, trained));
  const objective = of('objective');
  return {
    ...{ trained, objective, gap: of('gap') / objective, tolerance, converged },
    ...(values.length > 1 && { path: { values, chosen: values.length - 1 } }),
    metrics: {
      ...(penalty.lambda === undefined && { lambda: values.at(-1)?.lambda ?? NaN }),
      ...{ trainAccuracy: accuracy, nonzeros: of('nonzeros'), ...metrics },
      ...(test !== undefined && (await measure(session, test, scoringOf(session, trained)))),
    },
    ...{ clocks: run.clocks, passes },
    ...{ stalenessHistogram: run.stalenessHistogram, policy: run.plan.policy },
  };
}

/** The solver's account of every λ. */
function readPath(session: Session, run: RunResult, path: number): readonly PathPoint[] {
  const { f64 } = session.host.arena;
  return Array.from({ length: Math.max(1, path) }, (_, index) => {
    const at = ((run.plan.buffers['facts'] ?? 0) + index * factBytes) / 8;
    const of = (cell: number) => f64[at + cell] ?? 0;
    const known = { lambda: of(fact.lambda), objective: of(fact.objective), gap: of(fact.gap) };
    return { ...known, nonzeros: of(fact.nonzeros) };
  });
}

async function train(session: Session, request: TrainRequest<Samples>): Promise<TrainOutcome> {
  const { data, test, options } = request;
  checkClasses(data);
  checkOptions(options);
  checkLambdas(options);
  if (options['updates'] === 'independent') return trainByPhases(session, request);
  const run = await solve(session, request);
  const { f64 } = session.host.arena;
  const of = (index: number) => f64[(run.plan.buffers['results'] ?? 0) / 8 + index] ?? 0;
  const trained = trainedFrom(run.plan.buffers['out'] ?? 0, data, options['intercept'] === true);
  const objective = of(result.objective);
  const gap = objective > 0 ? of(result.gap) / objective : 0;
  const tolerance = request.tolerance ?? defaultTolerance;
  const { path, lambda } = lambdasFrom(options);
  const values = readPath(session, run, path);
  const chosen = values.length - 1;
  const own = {
    ...(lambda === undefined && { lambda: values[chosen]?.lambda ?? NaN }),
    ...{ trainAccuracy: 1 - of(result.wrong) / data.rows, nonzeros: of(result.nonzeros) },
  };
  const converged = values.every((value) => value.gap <= tolerance * value.objective);
  return {
    trained: path > 1 ? { ...trained, facts: { ...trained.facts, path: values } } : trained,
    ...{ objective, gap, tolerance, converged },
    ...(path > 1 && { path: { values, chosen } }),
    metrics: {
      ...own,
      ...(test !== undefined && (await measure(session, test, scoringOf(session, trained)))),
    },
    ...{ clocks: run.clocks, passes: of(result.passes) },
    ...{ stalenessHistogram: run.stalenessHistogram, policy: run.plan.policy },
  };
}

export const logistic: Model<Samples> = {
  name: 'logistic',
  summary: 'binary logistic regression with L1, L2 or elastic net, certified by its duality gap',
  input: 'samples',
  defaultPasses,
  options: logisticOptions,
  train,
  predict: (session, trained, data, options) =>
    predictWith(session, data, { ...scoringOf(session, trained), ...options }),
  evaluate: (session, trained, data) => measure(session, data, scoringOf(session, trained)),
};
