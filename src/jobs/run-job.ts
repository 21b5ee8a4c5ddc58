// Runs one job in this process: what the host process does for the guardian.
import { SystemError } from '../base/errors.ts';
import type { Job, JobDone, JobHooks } from './job.ts';

/**
 * @throws ERR_DATA, ERR_CONFIG, ERR_NOT_FINITE, … as the job meets them; ERR_ABORTED when
 *   `hooks.signal` fired.
 */
export function runJob(job: Job, hooks: JobHooks): Promise<JobDone> {
  hooks.onEvent({ kind: 'warning', text: `${job.command} is being built` });
  return Promise.reject(new SystemError('ERR_INTERNAL', 'not built yet'));
}
