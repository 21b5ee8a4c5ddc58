// A loader thread of the piscina pool: claims its scratch, then answers tasks until the pool ends.
//   main   task (src/data/tasks.ts)  ------>  runLoaderTask  ------>  result
import { workerData } from 'node:worker_threads';
import { openLoader, type LoaderData, type LoaderThread } from '../src/data/parse/thread.ts';
import { runLoaderTask } from '../src/data/parse/run.ts';
import type { LoaderResult, LoaderTask } from '../src/data/tasks.ts';

let thread: LoaderThread | undefined;

/** The function that piscina calls, by name. */
export function runTask(task: LoaderTask): Promise<LoaderResult> {
  thread ??= openLoader(workerData as LoaderData);
  return runLoaderTask(thread, task);
}
