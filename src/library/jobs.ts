// Jobs over files, in the caller's process: what the command line does, as functions.
import type { JobEvent, ModelOptions, TrainDone, TrainJob } from '../jobs/job.ts';
import { runJob } from '../jobs/run-job.ts';
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { findModel } from '../models/registry.ts';
import { policyFrom, type Consistency } from '../ps/freshness.ts';
import { defaultThreads } from '../base/threads.ts';
import { withDefaults } from './estimator.ts';

export type TrainFilesOptions = {
  /** `mlr`, `mf`, or the path of a module that exports `program`. */
  readonly model: string;
  readonly data: string | readonly string[];
  readonly test?: string | readonly string[];
  /** Directory to save the model in. */
  readonly out?: string;
  readonly threads?: number;
  readonly consistency?: Consistency;
  readonly staleness?: number;
  readonly passes?: number;
  readonly tolerance?: number;
  readonly seed?: number;
  readonly audit?: boolean;
  /** The model's options by their command-line names. */
  readonly options?: ModelOptions;
  readonly signal?: AbortSignal;
  onEvent?(event: JobEvent): void;
};

const list = (paths: string | readonly string[] = []): readonly string[] =>
  typeof paths === 'string' ? [paths] : paths;

/**
 * Trains on files.
 *
 *     const options = { lambda: 1e-4 };
 *     const done = await train({ model: 'mlr', data: 'a9a.gz', out: 'model', options });
 *
 * Starts the supervisor and its worker threads in this process and does not block its event loop.
 * @throws SystemError; match its `code`.
 */
export async function train(request: TrainFilesOptions): Promise<TrainDone> {
  const specs = findModel(request.model)?.options ?? [];
  const job: TrainJob = {
    command: 'train',
    ...{ model: request.model, data: list(request.data), test: list(request.test) },
    ...{ out: request.out, threads: request.threads ?? defaultThreads() },
    ...policyFrom(request.consistency, request.staleness),
    ...{ partitions: undefined, passes: request.passes },
    ...{ tolerance: request.tolerance, seed: request.seed ?? 1, audit: request.audit ?? false },
    pushTimeoutMs: limits.pushTimeoutMs,
    input: { format: undefined, label: 'last', delimiter: undefined, header: undefined },
    options: withDefaults(specs, request.options ?? {}),
  };
  const signal = request.signal ?? new AbortController().signal;
  const done = await runJob(job, { signal, onEvent: (event) => request.onEvent?.(event) });
  if (done.command === 'train') return done.result;
  throw new SystemError('ERR_INTERNAL', 'a train job answers with a training result');
}
