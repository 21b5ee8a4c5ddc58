// What a host process loads while its first worker comes up: the jobs, and their guardian's side.
import type { Worker as Thread } from 'node:worker_threads';
import { serveGuardian } from '../src/cli/host-process.ts';
import { runJob } from '../src/jobs/run-job.ts';
import { keepThread } from '../src/supervisor/thread.ts';

export function serve(worker: Thread): void {
  keepThread(worker);
  const [, , folder] = process.argv;
  serveGuardian({ channel: process, exit: (code) => process.exit(code), runJob, folder });
}
