// The worker's loop on a thread: wait → step → act. It waits for freshness or for work, gives the
// program its push, and folds the deltas in or reports; the program itself never waits.
import type { Stage } from './context.ts';
import { dataParallelWorker, type WorkerSummary } from './data-parallel.ts';
import { runLoop, type Loop } from './loops/loop.ts';
import { scheduledWorker } from './scheduled/worker.ts';

/** The loop of a worker of this program. */
export function openWorker(stage: Stage): Loop<WorkerSummary> {
  const open = stage.program.schedule === undefined ? dataParallelWorker : scheduledWorker;
  return open(stage);
}

/** Takes part in a run until it ends or is stopped. Blocks its thread. */
export function runWorker(stage: Stage): WorkerSummary {
  return runLoop(stage, openWorker(stage));
}
