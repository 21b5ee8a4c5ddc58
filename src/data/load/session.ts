// One load in progress: its control words, its tasks in the pool, and what they answer. The main
// thread only hands out tasks and adds up their small answers.
import { fromFault, SystemError, toFault } from '../../base/errors.ts';
import { together, type Talk } from '../../base/together.ts';
import { partitionsFor, soloWorld, type World } from '../../base/world.ts';
import type { Arena } from '../../memory/arena.ts';
import type { LoaderPool } from '../loader-pool.ts';
import type { SpillFile } from '../spill/tasks.ts';
import { openFiles, type Files } from './borrowed.ts';
import {
  CONTROL_BYTES,
  controlCell,
  PROGRESS_CELL,
  type Failure,
  type LoaderTask,
  type ResultOf,
  type Step,
} from '../tasks.ts';

const PROGRESS_MS = 100;
/** Elements that the steps of one task handle together: some milliseconds. */
const STEP_ELEMENTS = 1 << 20;

export type Host = {
  readonly arena: Arena;
  readonly pool: LoaderPool;
  /** The hosts that load the same files, each its share; this one alone when absent. */
  readonly world?: World;
};

export type Watch = {
  /**
   * Partitions of the data, the same on all hosts: a host holds the rows of those that its workers
   * have (partitionsOf). Default partitionsFor(world).
   */
  readonly partitions?: number;
  readonly signal?: AbortSignal;
  /** At most ten times a second. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
};

export type Session = Required<Host> & {
  readonly partitions: number;
  readonly talk: Talk;
  readonly files: Files;
  readonly control: SharedArrayBuffer;
  /** Documents go into this file; into the arena when absent. */
  readonly spill?: SpillFile;
  /** Bytes that the tasks will read, for onProgress. */
  expect(bytes: number): void;
  /** Dense blocks are f32 from now on. */
  setWide(): void;
  isWide(): boolean;
  /** Runs one task. @throws what the task failed with. */
  ask<T extends LoaderTask>(task: T): Promise<ResultOf<T>>;
  /**
   * Runs tasks, `threads` and a few ahead at a time. After a task that `failed` none behind it
   * starts, and all before it are finished: so answers up to the first failure are the same on any
   * machine.
   */
  askAll<T extends LoaderTask>(
    tasks: readonly T[],
    failed: (result: ResultOf<T>) => boolean,
  ): Promise<readonly (ResultOf<T> | Failure)[]>;
  /** Runs steps in any order; their answers are in order. */
  steps(steps: readonly Step[]): Promise<readonly number[]>;
};

function elementsOf(step: Step): number {
  return 'n' in step ? step.n : 'columns' in step ? step.rows * step.columns : STEP_ELEMENTS;
}

/** Steps in groups that take about the same time. */
function groups(steps: readonly Step[]): Step[][] {
  const all: Step[][] = [];
  let room = 0;
  for (const step of steps) {
    if (room <= 0) {
      all.push([]);
      room = STEP_ELEMENTS;
    }
    all.at(-1)?.push(step);
    room -= elementsOf(step);
  }
  return all;
}

function aborted(): SystemError {
  return new SystemError('ERR_ABORTED', 'loading was aborted by its signal');
}

function throwIfFailed(failure: Failure | undefined, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted();
  if (failure !== undefined) throw fromFault(failure);
}

function isFailure(result: { readonly kind: string } | undefined): result is Failure {
  return result?.kind === 'failure';
}

type Shared = Pick<Session, 'world' | 'talk' | 'files'>;

function createSession(
  host: Host,
  watch: Watch,
  shared: Shared,
  control: SharedArrayBuffer,
): Session {
  const { pool } = host;
  const { world, files } = shared;
  const cells = new Int32Array(control);
  const { signal, partitions = partitionsFor(world) } = watch;
  const run = async <T extends LoaderTask>(task: T): Promise<ResultOf<T> | Failure> => {
    try {
      await files.bring(task);
    } catch (error) {
      return { kind: 'failure', ...toFault(error, 'ERR_DATA') };
    }
    return pool.run(task);
  };
  const session: Session = {
    ...{ ...host, ...shared, partitions, control },
    expect: () => undefined,
    setWide: () => void Atomics.store(cells, controlCell.wide, 1),
    isWide: () => Atomics.load(cells, controlCell.wide) !== 0,
    async ask(task) {
      const result = await run(task);
      throwIfFailed(isFailure(result) ? result : undefined, signal);
      return result as ResultOf<typeof task>;
    },
    async askAll(tasks, failed) {
      type Result = ResultOf<(typeof tasks)[number]>;
      const results: (Result | Failure)[] = [];
      let next = 0;
      let end = tasks.length;
      const runner = async () => {
        while (next < end && !signal?.aborted) {
          const at = next++;
          const result = await run(tasks[at]!);
          results[at] = result;
          if (isFailure(result) || failed(result)) end = Math.min(end, at + 1);
        }
      };
      // A few tasks wait in the queue, so that no thread waits for the main thread.
      await Promise.all(Array.from({ length: pool.threads + 2 }, runner));
      throwIfFailed(undefined, signal);
      return results.slice(0, end);
    },
    async steps(steps) {
      const tasks = groups(steps).map((group) => ({
        kind: 'steps' as const,
        control,
        steps: group,
      }));
      const results = await session.askAll(tasks, () => false);
      throwIfFailed(results.find(isFailure), signal);
      return results.flatMap((result) => (isFailure(result) ? [] : result.answers));
    },
  };
  return session;
}

/**
 * Runs `load` with a session of its own; the signal stops its tasks, the timer reports progress.
 * What fails on one host fails on all.
 */
export async function withSession<R>(
  host: Host,
  watch: Watch,
  load: (session: Session) => Promise<R>,
): Promise<R> {
  const { world = soloWorld(1) } = host;
  const files = openFiles(world);
  try {
    return await together(world, 'load', (talk) =>
      watched(host, watch, { world, talk, files }, load),
    );
  } finally {
    await files.close();
  }
}

async function watched<R>(
  host: Host,
  watch: Watch,
  shared: Shared,
  load: (session: Session) => Promise<R>,
): Promise<R> {
  const { signal, onProgress } = watch;
  if (signal?.aborted) throw aborted();
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const cells = new Int32Array(control);
  const progress = new BigInt64Array(control);
  let total = 0;
  let reported = -1;
  const report = () => {
    const done = Math.min(Number(Atomics.load(progress, PROGRESS_CELL)), total);
    if (done !== reported && total > 0) onProgress?.((reported = done), total);
  };
  const timer = onProgress && setInterval(report, PROGRESS_MS);
  const cancel = () => void Atomics.store(cells, controlCell.cancel, 1);
  signal?.addEventListener('abort', cancel);
  try {
    const session = createSession(host, watch, shared, control);
    const result = await load({ ...session, expect: (bytes) => void (total = bytes) });
    report();
    return result;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
  }
}
