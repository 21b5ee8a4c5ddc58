// mf: matrix factorization of ratings with L2 and biases.
//
//   objective   Σ_(u,i) (r_ui − μ − b_u − b_i − p_u·q_i)² + λ Σ_(u,i) (‖p_u‖² + ‖q_i‖²)
//   implicit    Σ_(u,i) c_ui (t_ui − p_u·q_i)² + λ (Σ_u ‖p_u‖² + Σ_i ‖q_i‖²)     over all pairs
//               c_ui = 1 + a r_ui, t_ui = 1 where r_ui > 0, else c = 1 and t = 0
//               (Hu, Koren and Volinsky 2008)
//   solvers     sgd on a rotation schedule: src/models/mf/sgd.ts
//               als and ccd, row by row: src/models/mf/rows/program.ts
import type { Ratings } from '../../data/dataset.ts';
import type { Metrics } from '../../jobs/job.ts';
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
import { result } from './layout.ts';
import { defaultPasses, options, programOptions } from './options.ts';
import { mfPredict, sumsBytes, type MfPredictOptions } from './predict.ts';
import { mfRows } from './rows/program.ts';
import { mfSgd } from './sgd.ts';

/** Partitions of scoring: more than any machine has cores. */
const scorePartitions = 64;

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
  const { data, test, seed, audit } = request;
  if (audit) session.warn(nothingToAudit);
  const { solver, options } = programOptions(request);
  const policy = { consistency: 'bsp', staleness: 0 } as const;
  const partitions = session.host.threads;
  const [program, builtIn] = solver === 'sgd' ? [mfSgd, 'mf-sgd'] : [mfRows, 'mf-rows'];
  const run = await session.host.run(
    program,
    {
      ...{ program: { builtIn }, userKernels: undefined, canary: undefined },
      ...{ data, seed, audit, policy, partitions, options },
    },
    { onEvent: session.onEvent.bind(session), signal: session.signal },
  );
  const buffers = (name: string) => run.plan.buffers[name] ?? 0;
  const results = session.host.arena.f64.subarray(
    buffers('results') / 8,
    buffers('results') / 8 + 8,
  );
  const { rank, bias } = options;
  const implicit = 'confidence' in options && options.confidence > 0;
  const metrics: Record<string, number> = implicit
    ? {}
    : { trainRmse: results[result.rmse] ?? NaN };
  if (test !== undefined) metrics['rmse'] = results[result.testRmse] ?? NaN;
  const { users, items, userBase, itemBase } = data;
  const [minimum, maximum] = implicit ? [0, 1] : [data.minimum, data.maximum];
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
  const end =
    'tolerance' in options
      ? {
          converged: results[result.converged] === 1,
          tolerance: options.tolerance,
          passes: results[result.passes] ?? 0,
        }
      : // SGD ends after its passes, with steps of length 0: nothing says how near it came.
        { converged: null, tolerance: null, passes: options.passes };
  return {
    trained: { model: 'mf', facts, tensors },
    objective: results[result.objective] ?? NaN,
    ...{ metrics, gap: null, ...end },
    ...{ clocks: run.clocks, policy, stalenessHistogram: run.stalenessHistogram },
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
  summary: 'matrix factorization of ratings (user item rating) with L2 and biases',
  input: 'ratings',
  defaultPasses: `${defaultPasses.sgd} (sgd), ${defaultPasses.als} (als, ccd)`,
  ...{ options, train, evaluate, predict },
};
