// In-memory training: arrays in, arrays out, the supervisor in the caller's process. Nothing here
// blocks the event loop; the host lives for one call.
import type { Metrics, ModelOptions, OptionSpec } from '../jobs/job.ts';
import { chooseVariant } from '../memory/kernels.ts';
import type { Session, Tensor, TrainedModel, TrainOutcome, TrainRequest } from '../models/model.ts';
import { policyFrom, type Consistency } from '../ps/freshness.ts';
import { checkThreads, defaultThreads } from '../base/threads.ts';
import { soloWorld } from '../base/world.ts';
import { Host, type JobHost } from '../supervisor/host.ts';

/** Options of a fit that all models share. */
export type FitOptions = {
  /** Worker threads; default one per core. */
  readonly threads?: number;
  readonly seed?: number;
  readonly passes?: number;
  readonly tolerance?: number;
  readonly consistency?: Consistency;
  readonly staleness?: number;
  readonly signal?: AbortSignal;
  onProgress?(values: Metrics): void;
};

/** What a fit found out about itself. */
export type FitSummary = Pick<
  TrainOutcome,
  'objective' | 'metrics' | 'converged' | 'gap' | 'tolerance' | 'passes' | 'clocks'
>;

/** A trained model outside any host: tensors as plain arrays. */
export type Fitted = {
  readonly model: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly tensors: readonly (Omit<Tensor, 'at'> & { readonly values: Float32Array })[];
};

/** Runs `body` with a host of its own. */
export async function withOwnHost<T>(
  options: FitOptions,
  body: (host: Host, session: Session) => Promise<T>,
): Promise<T> {
  const threads = checkThreads(options.threads ?? defaultThreads());
  const reproducible = options.consistency === 'bsp';
  const host = new Host({ threads, loaders: 1, variant: chooseVariant({ reproducible }) });
  const session: Session = {
    host,
    world: soloWorld(threads),
    signal: options.signal ?? new AbortController().signal,
    onProgress: (_, values) => options.onProgress?.(values),
    onEvent: (event) => event.kind === 'progress' && options.onProgress?.(event.values),
    warn: () => undefined,
  };
  try {
    return await body(host, session);
  } finally {
    await host.close();
  }
}

/** Defaults of a model's options, with what the caller set on top. */
export function withDefaults(specs: readonly OptionSpec[], given: ModelOptions): ModelOptions {
  const values: Record<string, number | string | boolean> = {};
  for (const spec of specs) if (spec.default !== undefined) values[spec.name] = spec.default;
  return { ...values, ...given };
}

/** The part of a train request that comes from FitOptions. */
export function requestFrom(options: FitOptions): Omit<TrainRequest<never>, 'data' | 'options'> {
  const { seed = 1, passes, tolerance } = options;
  const policy = policyFrom(options.consistency, options.staleness);
  return { test: undefined, policy, partitions: undefined, audit: false, seed, passes, tolerance };
}

/** The part of an outcome that outlives its host. */
export function summaryOf(outcome: TrainOutcome): FitSummary {
  const { objective, metrics, converged, gap, tolerance, passes, clocks } = outcome;
  return { objective, metrics, converged, gap, tolerance, passes, clocks };
}

/** Copies a model's tensors out of the host. */
export function takeOut(host: JobHost, trained: TrainedModel): Fitted {
  const { model, facts } = trained;
  const tensors = trained.tensors.map(({ name, shape, at }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return { name, shape, values: host.arena.f32.slice(at / 4, at / 4 + count) };
  });
  return { model, facts, tensors };
}

/** Copies a model's tensors into a host. */
export function putIn(host: JobHost, { model, facts, tensors }: Fitted): TrainedModel {
  const placed = tensors.map(({ name, shape, values }) => {
    const at = host.arena.allocate(values.byteLength);
    host.arena.f32.set(values, at / 4);
    return { name, shape, at };
  });
  return { model, facts, tensors: placed };
}
