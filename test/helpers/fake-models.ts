// Two models for the tests of the command line: one option of every type.
import type { ModelInfo } from '../../src/cli/arguments/parse.ts';

export const fakeModels: readonly ModelInfo[] = [
  {
    ...{ name: 'mf', summary: 'matrix factorization', defaultPasses: 20 },
    options: [
      { name: 'rank', type: 'integer', default: 32, minimum: 1, maximum: 512, help: 'factors' },
      { name: 'bias', type: 'boolean', default: true, help: 'biases of users and items' },
    ],
  },
  {
    ...{ name: 'mlr', summary: 'multinomial logistic regression', defaultPasses: 10 },
    options: [
      { name: 'lambda', type: 'number', default: 1e-4, minimum: 0, help: 'L2 penalty' },
      {
        ...{ name: 'learning-rate', type: 'number', default: undefined, minimum: 0 },
        ...{ exclusive: true, help: 'first step size' },
      },
      {
        ...{ name: 'solver', type: 'choice', choices: ['sgd', 'batch'], default: 'sgd' },
        help: 'how to minimize',
      },
      { name: 'intercept', type: 'boolean', default: true, help: 'a bias for every class' },
    ],
  },
];
