// The pool of loader threads: one-shot parallel tasks (parse a chunk, renumber blocks), so piscina
// fits. Threads share the host's memory; a task and its answer are small plain data. Where a host's
// own workers are enough, helper-pool.ts is in its place, and no thread more has to start.
import { Piscina } from 'piscina';
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import type { Layout } from '../memory/layout.ts';
import type { LoaderData } from './parse/thread.ts';
import type { Failure, LoaderTask, ResultOf } from './tasks.ts';

export type LoaderPoolOptions = {
  readonly memory: WebAssembly.Memory;
  readonly layout: Layout;
  readonly module: WebAssembly.Module;
  /** 1 to limits.loadersMax. */
  readonly threads: number;
  /** First of `threads` scratch numbers of the layout; its last ones when absent. */
  readonly firstSlot?: number;
  /** Text of one task: the grain of the blocks. Tests use tiny ones. */
  readonly chunkBytes?: number;
};

export type LoaderPool = {
  readonly threads: number;
  readonly chunkBytes: number;
  /** Queues a task; what went wrong is part of the answer. */
  run<T extends LoaderTask>(task: T): Promise<ResultOf<T> | Failure>;
  /** Ends the threads; loads in progress fail. */
  close(): Promise<void>;
};

/**
 * Starts the loader threads; they live until `close`.
 *
 *     const pool = createLoaderPool({ memory, layout, module, threads: 2 });
 */
export function createLoaderPool(options: LoaderPoolOptions): LoaderPool {
  const { memory, layout, module, threads, chunkBytes = limits.chunkBytes } = options;
  const firstSlot = options.firstSlot ?? layout.threadCount - threads;
  assert(threads >= 1 && threads <= limits.loadersMax, 'a pool has 1 to loadersMax threads');
  assert(firstSlot >= 0, 'the layout has scratch for the loaders');
  assert(firstSlot + threads <= layout.threadCount, 'the loaders are on the map');
  assert(chunkBytes >= 1 && chunkBytes <= limits.chunkBytes, 'scratch holds a chunk');
  const claimed = new SharedArrayBuffer(4);
  const workerData: LoaderData = { memory, module, layout, firstSlot, threads, claimed };
  const piscina = new Piscina<LoaderTask, never>({
    filename: new URL('./loader-actor.cjs', import.meta.url).href,
    name: 'runTask',
    minThreads: threads,
    maxThreads: threads,
    workerData,
  });
  return {
    threads,
    chunkBytes,
    run: (task) => piscina.run(task),
    close: () => piscina.destroy(),
  };
}
