// The command-line options of lasso and elastic-net.
import type { ModelOptions, OptionSpec } from '../../jobs/job.ts';
import { pathOptions } from '../linear/lambdas.ts';
import { independentOptions } from '../linear/phases/independent.ts';
import type { LassoOptions } from './layout.ts';

const shared: readonly OptionSpec[] = [
  {
    ...{ name: 'lambda', type: 'number', minimum: 0, exclusive: true, default: undefined },
    ...{ defaultText: 'by --lambda-ratio', help: 'weight of the penalty' },
  },
  {
    ...{ name: 'lambda-ratio', type: 'number', minimum: 0, exclusive: true, default: 0.01 },
    help: 'λ as a share of λmax, the least λ at which all coefficients are 0',
  },
  ...pathOptions,
  {
    ...{ name: 'folds', type: 'integer', minimum: 0, maximum: 100, default: 0 },
    help: 'cross-validation picks λ of a path (of 100 if --path is not given); 0: none',
  },
  {
    ...{ name: 'one-standard-error', type: 'boolean', default: false },
    help: 'with --folds: the largest λ within one standard error of the best',
  },
  {
    ...{ name: 'intercept', type: 'boolean', default: true },
    help: 'a free, unpenalized intercept',
  },
  {
    ...{ name: 'standardize', type: 'boolean', default: false },
    help: 'penalize coefficients of columns scaled to variance 1; they are given in data units',
  },
  {
    ...{ name: 'schedule', type: 'choice', default: 'dynamic' },
    choices: ['dynamic', 'static', 'random', 'cyclic'],
    help: 'which variables join the working set first, or are updated next',
  },
  {
    ...{ name: 'working-set', type: 'integer', minimum: 8, maximum: 16384, default: 4096 },
    help: 'joint: most variables that are solved together, 4 bytes for each pair',
  },
  {
    ...{ name: 'updates', type: 'choice', choices: ['joint', 'independent'], default: 'joint' },
    help: 'a block is solved on its second moments; or each variable alone',
  },
  ...independentOptions,
];

export const lassoOptions: readonly OptionSpec[] = shared;

export const elasticNetOptions: readonly OptionSpec[] = [
  {
    ...{ name: 'l1-ratio', type: 'number', minimum: 0, maximum: 1, default: 0.5 },
    help: 'α, the share of the L1 penalty: λ (α ‖β‖₁ + (1 − α)/2 ‖β‖²)',
  },
  ...shared,
];

/** Values of λ that cross-validation has to choose from, where none are asked for. */
const foldsPath = 100;

/** The solver's options out of the model's. */
export function solverOptions(
  options: ModelOptions,
  { tolerance, passes }: { tolerance: number; passes: number },
): LassoOptions {
  const folds = Number(options['folds'] ?? 0);
  const path = Number(options['path'] ?? 0);
  const lambda = options['lambda'];
  return {
    alpha: Number(options['l1-ratio'] ?? 1),
    lambda: lambda === undefined ? undefined : Number(lambda),
    lambdaRatio: Number(options['lambda-ratio']),
    path: folds > 0 && path === 0 ? foldsPath : path,
    pathRatio: Number(options['path-ratio']),
    folds,
    oneStandardError: options['one-standard-error'] === true,
    intercept: options['intercept'] === true,
    standardize: options['standardize'] === true,
    ...{ tolerance, passes },
    schedule: options['schedule'] as LassoOptions['schedule'],
    slots: Number(options['working-set']),
  };
}
