// Runs one job in this process: what the host process does for the guardian. What train does not
// need is loaded when it is asked for: a small job feels it.
import type { Job, JobDone, JobHooks } from './job.ts';
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
      return (await import('./score.ts')).predictJob(job, hooks);
    case 'evaluate':
      return (await import('./score.ts')).evaluateJob(job, hooks);
    case 'topics':
      return (await import('./topics.ts')).topicsJob(job, hooks);
    case 'simulate': {
      const { simulateJob } = await import('./simulate.ts');
      return { command: 'simulate', result: await simulateJob(job, hooks) };
    }
    case 'replay': {
      const { replayJob } = await import('./replay.ts');
      return { command: 'replay', result: await replayJob(job, hooks) };
    }
  }
}
