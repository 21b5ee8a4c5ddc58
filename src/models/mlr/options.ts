// The command-line options of mlr.
import type { OptionSpec } from '../../jobs/job.ts';

export const mlrOptions: readonly OptionSpec[] = [
  {
    ...{ name: 'lambda', type: 'number', default: 1e-4, minimum: 0 },
    help: 'weight of the L2 penalty λ/2 ‖W‖²',
  },
  {
    ...{ name: 'solver', type: 'choice', choices: ['batch', 'sgd'], default: 'batch' },
    help: 'batch: deterministic, ends with a certified gap; sgd: the parameter server',
  },
  {
    ...{ name: 'method', type: 'choice', choices: ['auto', 'ascent', 'descent'], default: 'auto' },
    help: 'batch: dual coordinate ascent or preconditioned L-BFGS; auto takes the faster',
  },
  {
    ...{ name: 'intercept', type: 'boolean', default: true },
    help: 'a free, unpenalized intercept for every class',
  },
  {
    ...{ name: 'learning-rate', type: 'number', minimum: 0, exclusive: true, default: undefined },
    help: 'sgd: first step size, falls linearly to 0; default 40 / mean ‖x‖²',
  },
  {
    ...{ name: 'batch-size', type: 'integer', minimum: 1, default: 128 },
    help: 'sgd: rows of one clock, over all partitions',
  },
];
