// The options of mf, and what its programs make of them.
import { SystemError } from '../../base/errors.ts';
import type { Ratings } from '../../data/dataset.ts';
import type { ScheduleKind } from '../../scheduler/schedule.ts';
import type { OptionSpec } from '../../jobs/job.ts';
import type { TrainRequest } from '../model.ts';
import type { MfOptions } from './layout.ts';
import type { RowsOptions } from './rows/layout.ts';

export const defaultPasses = { sgd: 8, als: 10, ccd: 10 } as const;
const defaultLearningRate = 0.12;
const defaultTolerance = 1e-4;
/** als and ccd end at the minimum and need more against noise than SGD, which stops before. */
const defaultLambda = { sgd: 0.02, als: 0.05, ccd: 0.05, implicit: 0.02 } as const;

export const options: readonly OptionSpec[] = [
  {
    ...{ name: 'rank', type: 'integer', minimum: 1, maximum: 4096, default: 32 },
    help: 'factors of a user and of an item',
  },
  {
    ...{ name: 'lambda', type: 'number', minimum: 0, default: undefined },
    ...{ defaultText: '0.05 with als, ccd; 0.02 with sgd, implicit' },
    help: 'weight of the L2 penalty, per rating',
  },
  {
    ...{ name: 'bias', type: 'boolean', default: true },
    help: 'mean, user and item biases; without them ratings are p·q alone',
  },
  {
    ...{ name: 'solver', type: 'choice', choices: ['sgd', 'als', 'ccd'], default: 'sgd' },
    help:
      'sgd: many ratings and good predictions soon; als: the minimum of the objective in few ' +
      'passes, also implicit; ccd (CCD++): the same a few factors at a time, ranks of hundreds',
  },
  {
    ...{ name: 'non-negative', type: 'boolean', default: false },
    help: 'als, ccd: factors of at least 0',
  },
  {
    ...{ name: 'implicit', type: 'boolean', default: false },
    help: 'als: ratings are counts; what is not rated is a 0 of confidence 1; no biases',
  },
  {
    ...{ name: 'confidence', type: 'number', minimum: 0, exclusive: true, default: 40 },
    help: 'implicit: a count of r has the confidence 1 + confidence·r',
  },
  {
    ...{ name: 'subspace', type: 'integer', minimum: 0, maximum: 64, default: 0 },
    help: 'als, ccd: factors of a row that are solved at once, a multiple of 4; 0: by the solver',
  },
  {
    ...{
      name: 'schedule',
      type: 'choice',
      choices: ['cyclic', 'static', 'random', 'dynamic'],
      default: 'cyclic',
    },
    help: 'ccd: the order of the blocks of factors in a pass',
  },
  {
    ...{ name: 'continuation', type: 'boolean', default: true },
    help: 'als, ccd: begin with the penalty that keeps noise out, and go down to lambda',
  },
  {
    ...{ name: 'learning-rate', type: 'number', minimum: 0, exclusive: true, default: undefined },
    help: 'sgd: first step size on normalized ratings, falls to 0; default 0.12, halved if it diverges',
  },
  {
    ...{ name: 'shrinkage', type: 'number', minimum: 0, default: 5 },
    help: 'sgd: prior of so many ratings at 0 on every row: steadies rows with few ratings',
  },
  {
    ...{ name: 'blocks', type: 'integer', minimum: 0, maximum: 256, default: 0 },
    help: 'sgd: grid of blocks × blocks, also the most threads that can work; 0: from the data',
  },
];

type Given = Readonly<Record<string, number>> & {
  readonly bias: boolean;
  readonly implicit: boolean;
  readonly 'non-negative': boolean;
  readonly continuation: boolean;
  readonly solver: 'sgd' | 'als' | 'ccd';
  readonly schedule: ScheduleKind;
};
type Request = TrainRequest<Ratings>;

/** What all solvers are told. */
function common(request: Request): MfOptions {
  const given = request.options as Given;
  return {
    rank: given['rank'] ?? 0,
    lambda: given['lambda'] ?? defaultLambda[given.implicit ? 'implicit' : given.solver],
    shrinkage: given['shrinkage'] ?? 0,
    bias: given.bias && !given.implicit,
    learningRate: given['learning-rate'] ?? defaultLearningRate,
    halvings: given['learning-rate'] === undefined ? 6 : 0,
    blocks: given['blocks'] ?? 0,
    passes: request.passes ?? defaultPasses[given.solver],
    test: request.test,
  };
}

function check(given: Given, data: Ratings): void {
  const { solver, implicit } = given;
  const wrong = (rule: string, found: string): never => {
    throw new SystemError('ERR_CONFIG', `${rule}, got ${found}`);
  };
  if (given['non-negative'] && solver === 'sgd') {
    wrong('--non-negative needs --solver als or ccd', '--solver sgd');
  }
  if (implicit && solver !== 'als') wrong('--implicit needs --solver als', `--solver ${solver}`);
  if (implicit && data.minimum < 0) {
    wrong('with --implicit every rating must be a count, at least 0', `${data.minimum}`);
  }
  const { subspace = 0 } = given;
  if (subspace % 4 !== 0) wrong('--subspace must be 0 or a multiple of 4', `${subspace}`);
}

/** What to run, and with which options. @throws ERR_CONFIG for options that exclude each other. */
export function programOptions(request: Request) {
  const given = request.options as Given;
  check(given, request.data);
  const { solver } = given;
  if (solver === 'sgd') return { solver, options: common(request) } as const;
  const options: RowsOptions = {
    ...common(request),
    solver,
    confidence: given.implicit ? (given['confidence'] ?? 0) : 0,
    nonNegative: given['non-negative'],
    subspace: given['subspace'] ?? 0,
    tolerance: request.tolerance ?? defaultTolerance,
    schedule: given.schedule,
    continuation: given.continuation && !given.implicit,
  };
  return { solver, options } as const;
}
