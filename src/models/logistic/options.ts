// The command-line options of logistic.
import type { OptionSpec } from '../../jobs/job.ts';
import { pathOptions } from '../linear/lambdas.ts';
import { independentOptions } from '../linear/phases/independent.ts';

export const logisticOptions: readonly OptionSpec[] = [
  {
    ...{ name: 'lambda', type: 'number', default: undefined, minimum: 0, exclusive: true },
    ...{ defaultText: '1e-4', help: 'weight of the penalty λ (α ‖w‖₁ + (1 − α)/2 ‖w‖²)' },
  },
  {
    ...{ name: 'lambda-ratio', type: 'number', default: undefined, minimum: 0, exclusive: true },
    help: 'λ as a share of λmax, the least λ at which all weights are 0, instead of --lambda',
  },
  ...pathOptions,
  {
    ...{ name: 'l1-ratio', type: 'number', default: 0, minimum: 0, maximum: 1 },
    help: 'α: 0 is L2 alone, 1 is L1 alone, between them the elastic net',
  },
  {
    ...{ name: 'intercept', type: 'boolean', default: true },
    help: 'a free, unpenalized intercept',
  },
  {
    ...{ name: 'class-weight', type: 'choice', choices: ['none', 'balanced'], default: 'none' },
    help: 'balanced: rows of both classes weigh n/2 in all',
  },
  {
    ...{ name: 'positive-weight', type: 'number', default: 1, minimum: 0, exclusive: true },
    help: 'what a row of the second class weighs; one of the first weighs 1',
  },
  {
    ...{ name: 'updates', type: 'choice', choices: ['joint', 'independent'], default: 'joint' },
    help: 'a block is solved on its second moments; or each variable alone',
  },
  {
    ...{ name: 'schedule', type: 'choice', default: 'dynamic' },
    choices: ['dynamic', 'static', 'random', 'cyclic'],
    help: 'which variables join a block first (L1), or are updated next',
  },
  ...independentOptions,
];
