// mf: matrix factorization of ratings with L2 and biases.
//
//   objective   Σ_(u,i) (r_ui − μ − b_u − b_i − p_u·q_i)² + λ Σ_(u,i) (‖p_u‖² + ‖q_i‖²)
//   solver      sgd on a rotation schedule: src/models/mf/sgd.ts
import type { Ratings } from '../../data/dataset.ts';
import type { Metrics, OptionSpec } from '../../jobs/job.ts';
import type { RunResult } from '../../supervisor/host.ts';
import {
  auditMetrics,
  type Model,
  type Predictions,
  type Session,
  type TrainedModel,
  type TrainOutcome,
  type TrainRequest,
} from '../model.ts';
import { result, type MfOptions } from './layout.ts';
import { mfPredict, sumsBytes, type MfPredictOptions } from './predict.ts';
import { mfSgd } from './sgd.ts';

const defaultPasses = 8;
const defaultLearningRate = 0.12;
/** Partitions of scoring: more than any machine has cores. */
const scorePartitions = 64;

const options: readonly OptionSpec[] = [
  {
    ...{ name: 'rank', type: 'integer', minimum: 1, maximum: 4096, default: 32 },
    help: 'factors of a user and of an item',
  },
  {
    ...{ name: 'lambda', type: 'number', minimum: 0, default: 0.02 },
    help: 'weight of the L2 penalty, per rating',
  },
  {
    ...{ name: 'bias', type: 'boolean', default: true },
    help: 'mean, user and item biases; without them ratings are p·q alone',
  },
  {
    ...{ name: 'solver', type: 'choice', choices: ['sgd'], default: 'sgd' },
    help: 'stochastic gradient descent on a rotation schedule',
  },
  {
    ...{ name: 'learning-rate', type: 'number', minimum: 0, exclusive: true, default: undefined },
    help: 'first step size on normalized ratings, falls to 0; default 0.12, halved if it diverges',
  },
  {
    ...{ name: 'shrinkage', type: 'number', minimum: 0, default: 5 },
    help: 'prior of so many ratings at 0 on every row: steadies rows with few ratings',
  },
  {
    ...{ name: 'blocks', type: 'integer', minimum: 0, maximum: 256, default: 0 },
    help: 'grid of blocks × blocks, also the most threads that can work; 0: from the data',
  },
];

type Facts = {
  readonly mean: number;
  readonly users: number;
  readonly items: number;
  readonly userBase: number;
  readonly itemBase: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly rank: number;
  readonly bias: boolean;
};

async function train(session: Session, request: TrainRequest<Ratings>): Promise<TrainOutcome> {
  const { data, test, seed, audit, passes = defaultPasses } = request;
  const given = request.options as Record<string, number> & { bias: boolean };
  const programOptions: MfOptions = {
    rank: given['rank'] ?? 0,
    lambda: given['lambda'] ?? 0,
    shrinkage: given['shrinkage'] ?? 0,
    bias: given.bias,
    learningRate: given['learning-rate'] ?? defaultLearningRate,
    halvings: given['learning-rate'] === undefined ? 6 : 0,
    blocks: given['blocks'] ?? 0,
    ...{ passes, test },
  };
  const policy = { consistency: 'bsp', staleness: 0 } as const;
  const partitions = session.host.threads;
  const run = await session.host.run(
    mfSgd,
    {
      ...{ program: { builtIn: 'mf-sgd' }, userKernels: undefined, canary: undefined },
      ...{ data, seed, audit, policy, partitions, options: programOptions },
    },
    { onEvent: session.onEvent.bind(session), signal: session.signal },
  );
  const buffers = (name: string) => run.plan.buffers[name] ?? 0;
  const results = session.host.arena.f64.subarray(
    buffers('results') / 8,
    buffers('results') / 8 + 8,
  );
  const metrics: Record<string, number> = {
    trainRmse: results[result.rmse] ?? NaN,
    ...auditMetrics(run),
  };
  if (test !== undefined) metrics['rmse'] = results[result.testRmse] ?? NaN;
  const { users, items, userBase, itemBase, minimum, maximum } = data;
  const { rank, bias } = programOptions;
  const mean = results[result.mean] ?? 0;
  const facts: Facts = {
    ...{ mean, users, items, userBase, itemBase, minimum, maximum, rank, bias },
  };
  const tensors = [
    { name: 'users', shape: [users, rank], at: buffers('userOut') },
    { name: 'items', shape: [items, rank], at: buffers('itemOut') },
  ];
  if (bias) {
    tensors.push({ name: 'userBias', shape: [users], at: buffers('userBiasOut') });
    tensors.push({ name: 'itemBias', shape: [items], at: buffers('itemBiasOut') });
  }
  return {
    trained: { model: 'mf', facts, tensors },
    objective: results[result.objective] ?? NaN,
    metrics,
    // SGD has no certificate: it ends after its passes, with steps of length 0.
    ...{ converged: null, gap: null, tolerance: null },
    ...{ clocks: run.clocks, passes, policy, stalenessHistogram: run.stalenessHistogram },
  };
}

/** Rows [b, 1, f…] and [1, b, f…] out of a model's tensors: what mf_predict reads. */
function packRows(session: Session, trained: TrainedModel, side: 'user' | 'item'): number {
  const { arena, kernels } = session.host;
  const facts = trained.facts as Facts;
  const count = side === 'user' ? facts.users : facts.items;
  const skip = facts.bias ? 2 : 0;
  const rowBytes = ((facts.rank + skip + 3) & ~3) * 4;
  const tensor = (name: string) => trained.tensors.find((found) => found.name === name)?.at ?? 0;
  const at = arena.allocate(count * rowBytes);
  arena.u8.fill(0, at, at + count * rowBytes);
  const factors = facts.rank * 4;
  kernels.rows_repack(count, factors, factors, rowBytes, tensor(`${side}s`), at + skip * 4);
  if (!facts.bias) return at;
  const [biasLane, oneLane] = side === 'user' ? [0, 1] : [1, 0];
  kernels.rows_repack(count, 4, 4, rowBytes, tensor(`${side}Bias`), at + biasLane * 4);
  const one = arena.allocate(16);
  arena.f32[one / 4] = 1;
  kernels.rows_repack(count, 4, 0, rowBytes, one, at + oneLane * 4);
  return at;
}

/** 0, 1, 2, … : a model's rows stand in id order. */
function identity(session: Session, count: number): number {
  const at = session.host.arena.allocate(count * 4 + 16);
  const cells = session.host.arena.i32.subarray(at / 4, at / 4 + count);
  for (let i = 0; i < count; i++) cells[i] = i;
  return at;
}

/** Runs mf-predict over `data`; the predictions lie in the run's buffer. */
async function score(
  session: Session,
  trained: TrainedModel,
  data: Ratings,
  clip: boolean,
): Promise<RunResult> {
  const facts = trained.facts as Facts;
  const [low, high] = clip ? [facts.minimum, facts.maximum] : [-Infinity, Infinity];
  const options: MfPredictOptions = {
    users: packRows(session, trained, 'user'),
    items: packRows(session, trained, 'item'),
    userRows: identity(session, facts.users),
    itemRows: identity(session, facts.items),
    rowBytes: ((facts.rank + (facts.bias ? 2 : 0) + 3) & ~3) * 4,
    ...{ bias: facts.bias, mean: facts.mean, low, high },
  };
  const source = { program: { builtIn: 'mf-predict' }, userKernels: undefined, canary: undefined };
  const policy = { consistency: 'bsp', staleness: 0 } as const;
  const partitions = Math.max(session.host.threads, scorePartitions);
  return session.host.run(
    mfPredict,
    { ...source, data, policy, partitions, options, seed: 1, audit: false, local: true },
    { onEvent: session.onEvent.bind(session), signal: session.signal },
  );
}

async function evaluate(session: Session, trained: TrainedModel, data: Ratings): Promise<Metrics> {
  const { plan } = await score(session, trained, data, false);
  let squares = 0;
  let absolutes = 0;
  for (let p = 0; p < plan.partitions; p++) {
    const at = ((plan.buffers['sums'] ?? 0) + p * sumsBytes) / 8;
    squares += session.host.arena.f64[at] ?? 0;
    absolutes += session.host.arena.f64[at + 1] ?? 0;
  }
  return { rmse: Math.sqrt(squares / data.count), mae: absolutes / data.count };
}

async function predict(
  session: Session,
  trained: TrainedModel,
  data: Ratings,
): Promise<Predictions> {
  const { plan } = await score(session, trained, data, true);
  const first = (plan.buffers['predictions'] ?? 0) / 4;
  const ratings = session.host.arena.f32.subarray(first, first + data.count);
  const lines = function* () {
    for (const rating of ratings) yield String(Number(rating.toPrecision(6)));
  };
  return { rows: data.count, lines: lines() };
}

export const mf: Model<Ratings> = {
  name: 'mf',
  summary: 'matrix factorization of ratings (user item rating) with L2 and biases, by block SGD',
  input: 'ratings',
  ...{ options, defaultPasses, train, evaluate, predict },
};
