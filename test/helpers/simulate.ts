// Simulations and their jobs over the data that comes along.
import type { JobEvent, SimulateDone, SimulateJob, TrainJob } from '../../src/jobs/job.ts';
import { simulateJob } from '../../src/jobs/simulate.ts';
import { withDefaults } from '../../src/library/estimator.ts';
import { findModel } from '../../src/models/registry.ts';
import { policyFrom, type Policy } from '../../src/ps/freshness.ts';
import { exampleData } from './models.ts';

/** Two passes of 64 clocks over a9a. */
export const shortSgd = { solver: 'sgd', 'batch-size': 512 } as const;

export function a9aJob(job: Partial<TrainJob> = {}): TrainJob {
  const { model = 'mlr', options = shortSgd } = job;
  return {
    ...{ command: 'train', model, data: [exampleData('a9a.gz')], test: [] },
    ...{ out: undefined, threads: 1, ...policyFrom(), partitions: undefined, passes: 2 },
    ...{ tolerance: undefined, seed: 1, audit: false, pushTimeoutMs: 20_000 },
    input: { format: undefined, label: 'last', delimiter: undefined, header: undefined },
    ...job,
    options: withDefaults(findModel(model)?.options ?? [], options),
  };
}

/** `bsp essp:4 ssp:1`. */
export function policies(text: string): Policy[] {
  return text.split(' ').map((word) => {
    const [name = '', s] = word.split(':');
    return policyFrom(name as Policy['consistency'], s === undefined ? undefined : Number(s));
  });
}

export function simulate(
  job: Partial<SimulateJob> = {},
  onEvent: (event: JobEvent) => void = () => undefined,
): Promise<SimulateDone> {
  return simulateJob(
    {
      ...{ command: 'simulate', train: a9aJob(), hosts: 4, threads: 1, network: {} },
      ...{ push: '5ms', seed: 1, policies: policies('bsp essp:4'), objective: undefined },
      ...job,
    },
    { onEvent, signal: new AbortController().signal },
  );
}
