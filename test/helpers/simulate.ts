// Simulations and their jobs over the data that comes along.
import { limits } from '../../src/base/limits.ts';
import { plainSending } from '../../src/jobs/cluster.ts';
import type { JobEvent, SimulateDone, SimulateJob } from '../../src/jobs/job.ts';
import type { TrainDone, TrainJob } from '../../src/jobs/job.ts';
import { simulateJob } from '../../src/jobs/simulate.ts';
import { trainJob } from '../../src/jobs/train.ts';
import { withDefaults } from '../../src/library/estimator.ts';
import { findModel } from '../../src/models/registry.ts';
import { createMemory } from '../../src/memory/arena.ts';
import { compileKernels } from '../../src/memory/kernels.ts';
import type { AnyProgram } from '../../src/program/program.ts';
import { policyFrom, type Policy } from '../../src/ps/freshness.ts';
import { allDone, openHosts } from '../../src/rehearsal/hosts.ts';
import { simulateRun, type VirtualRun } from '../../src/rehearsal/simulated-runs.ts';
import type { FaultPlan } from '../../src/sim/faults.ts';
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

/**
 * Trains on simulated hosts while faults happen; what rank 0 found, and the virtual runs. `change`
 * plants what a host's program does.
 */
export async function trainSimulated(
  train: TrainJob,
  threads: readonly number[],
  faults: FaultPlan,
  change: (program: AnyProgram, rank: number) => AnyProgram = (program) => program,
): Promise<{ readonly done: TrainDone; readonly runs: readonly VirtualRun[] }> {
  const module = compileKernels('release');
  const { signal } = new AbortController();
  const runs: VirtualRun[] = [];
  const cluster = { threads, faults, transient: undefined, pushMs: 1, seed: 1, module, signal };
  const hosts = openHosts({
    ...{ threads, module, memories: threads.map((_, rank) => memoryOf(rank)) },
    async runAll(asked) {
      const onEvent = () => undefined;
      const options = { ...cluster, sending: plainSending, run: runs.length + 1, onEvent };
      const own = asked.map((run) => ({ ...run, program: change(run.program, run.rank) }));
      const { results, virtual } = await simulateRun(options, own);
      runs.push(virtual);
      return results;
    },
  });
  const hooks = { onEvent: () => undefined, signal };
  const jobs = hosts.map((host, rank) =>
    trainJob({ ...train, threads: threads[rank] ?? 1 }, hooks, undefined, () => host),
  );
  const [done] = await allDone(jobs);
  if (done === undefined) throw new Error('rank 0 has a result');
  return { done, runs };
}

/** Memories of hosts, used one after the other. */
const memories: WebAssembly.Memory[] = [];
function memoryOf(rank: number): WebAssembly.Memory {
  memories[rank] ??= createMemory(limits.memoryBytes);
  return memories[rank];
}
