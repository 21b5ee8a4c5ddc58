// Runs one job in this process: what the host process does for the guardian.
import type { Job, JobDone, JobHooks } from './job.ts';
import { evaluateJob, predictJob } from './score.ts';
import { replayJob } from './replay.ts';
import { simulateJob } from './simulate.ts';
import { trainJob } from './train.ts';
import type { World } from '../base/world.ts';

/**
 * `world`: the hosts of a train job; this one alone when absent.
 * @throws ERR_DATA, ERR_CONFIG, ERR_NOT_FINITE, … as the job meets them; ERR_ABORTED when
 *   `hooks.signal` fired.
 */
export async function runJob(job: Job, hooks: JobHooks, world?: World): Promise<JobDone> {
  switch (job.command) {
    case 'train':
      return { command: 'train', result: await trainJob(job, hooks, world) };
    case 'predict':
      return predictJob(job, hooks);
    case 'evaluate':
      return evaluateJob(job, hooks);
    case 'simulate':
      return { command: 'simulate', result: await simulateJob(job, hooks) };
    case 'replay':
      return { command: 'replay', result: await replayJob(job, hooks) };
  }
}
