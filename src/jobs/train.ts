// The train job: load → train → save, on the actors of one host.
import { resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Dataset, Samples } from '../data/dataset.ts';
import { SystemError, toFault } from '../base/errors.ts';
import { chooseVariant } from '../memory/kernels.ts';
import { hashModel, saveModel } from '../models/model-directory.ts';
import type { Model, Session, TrainOutcome, TrainRequest } from '../models/model.ts';
import { findModel, models } from '../models/registry.ts';
import { isProgramPath } from '../base/program-path.ts';
import { checkThreads } from '../base/threads.ts';
import { together } from '../base/together.ts';
import { partitionsFor, type World } from '../base/world.ts';
import { saveRecord, sizesOf } from '../record/directory.ts';
import { Host, type HostOptions, type JobHost } from '../supervisor/host.ts';
import { joinHosts } from './cluster.ts';
import { loaderThreads, readBoth, withLoaders } from './input.ts';
import type { InputOptions, JobHooks, TrainDone, TrainJob } from './job.ts';
import { lastUse } from './spill.ts';
import { userModel } from './user-program.ts';

declare const PERPETUUM_VERSION: string;

/** A model that does not care which data it gets: what `input` says was checked. */
type LooseModel = Omit<Model<Samples>, 'train' | 'input'> & {
  readonly input: Dataset['kind'];
  train(session: Session, request: TrainRequest<never>): Promise<TrainOutcome>;
};

/** How a model wants labels to be read. */
export function labelsOf({ labels }: Pick<LooseModel, 'labels'>) {
  return labels === undefined ? {} : { labels };
}

async function resolveModel(name: string): Promise<LooseModel> {
  const found = findModel(name);
  if (found !== undefined) return found as unknown as LooseModel;
  if (isProgramPath(name)) return await userModel(name);
  const known = models.map((model) => model.name).join(', ');
  const rule = `the model must be one of ${known}, or the path of a program (.js, .mjs)`;
  throw new SystemError('ERR_CONFIG', `${rule}, got "${name}"`);
}

function checkSpill({ spill, options }: TrainJob, model: LooseModel): void {
  if (spill === undefined) return;
  if (model.mustNotSpill === undefined) {
    const can = models.filter(({ mustNotSpill }) => mustNotSpill).map(({ name }) => name);
    const rule = `--spill is for documents of ${can.join(', ')}`;
    throw new SystemError('ERR_CONFIG', `${rule}; ${model.name} keeps its data in memory`);
  }
  const why = model.mustNotSpill(options);
  if (why !== undefined) throw new SystemError('ERR_CONFIG', `--spill: ${why} in memory`);
}

/** What a model's methods need of the process they run in. */
export function openSession(host: JobHost, hooks: JobHooks, world: World): Session {
  return {
    host,
    world,
    signal: hooks.signal,
    onProgress: (clock, values) => hooks.onEvent({ kind: 'progress', clock, values }),
    onEvent(event, thread) {
      if (event.kind === 'log') hooks.onEvent({ kind: 'log', thread, line: event.line });
      else hooks.onEvent(event);
    },
    warn: (text) => hooks.onEvent({ kind: 'warning', text }),
  };
}

export type MakeHost = (options: HostOptions) => JobHost;

/** A host for one job, real where `make` makes no other; closed whatever happens. */
export async function withHost<T>(
  options: Omit<HostOptions, 'loaders' | 'variant'> & { readonly reproducible: boolean },
  body: (host: JobHost) => Promise<T>,
  make: MakeHost = (made) => new Host(made),
): Promise<T> {
  const { reproducible, ...rest } = options;
  const host = make({
    ...{ ...rest, threads: checkThreads(rest.threads), loaders: loaderThreads() },
    variant: chooseVariant({ reproducible }),
  });
  try {
    const result = await body(host);
    await host.close();
    return result;
  } catch (thrown) {
    await host.close(toFault(thrown));
    throw thrown;
  }
}

const seconds = (fromMs: number, toMs: number) => (toMs - fromMs) / 1000;

/** Rank 0 speaks for all; of the others, what their programs print, and how far they are. */
function hooksOf(world: World, hooks: JobHooks): JobHooks {
  if (world.rank === 0) return hooks;
  const told = new Set(['log', 'load', 'progress']);
  return { ...hooks, onEvent: (event) => told.has(event.kind) && hooks.onEvent(event) };
}

/**
 * Trains on all hosts of `world`, which call it with the same job, but for the threads. Rank 0
 * saves the model; all return its result. `make` puts other hosts in the place of real ones.
 */
export async function trainJob(
  job: TrainJob,
  allHooks: JobHooks,
  given?: World,
  make?: MakeHost,
): Promise<TrainDone> {
  const startMs = performance.now();
  const { threads, pushTimeoutMs } = job;
  // bsp promises the same bits everywhere, and fused multiply-add differs between machines.
  const reproducible = job.consistency === 'bsp';
  const train = async (host: JobHost) => {
    host.wake();
    const { cluster } = job;
    const joins = cluster !== undefined && host instanceof Host;
    const joined = joins ? await joinHosts(host, { ...job, cluster }, allHooks) : host.world;
    const world = given ?? joined;
    const model = await together(world, 'model', () => resolveModel(job.model));
    checkSpill(job, model);
    const hooks = hooksOf(world, allHooks);
    const partitions = job.partitions ?? partitionsFor(world);
    const files = [...job.data, ...job.test];
    const common = {
      ...{ host, hooks, world, partitions, input: job.input, ...labelsOf(model) },
      ...(job.spill !== undefined && { spill: { directory: job.spill } }),
    };
    const read = await withLoaders(
      host,
      (pool) =>
        readBoth(model.input, {
          reading: { ...common, pool },
          ...{ data: job.data, test: job.test },
        }),
      files,
    );
    const loadedMs = performance.now();
    const lag = monitorEventLoopDelay({ resolution: 5 });
    lag.enable();
    const session = openSession(host, hooks, world);
    const outcome = await lastUse(read.data, session.warn, () =>
      model.train(session, requestOf(job, read)),
    );
    lag.disable();
    const trainedMs = performance.now();
    return together(world, 'result', async (talk) => {
      const modelHash = world.rank === 0 ? await save(job, host, outcome) : '';
      const done: TrainDone = {
        ...{ model: job.model, objective: outcome.objective, metrics: outcome.metrics },
        ...{ converged: outcome.converged, gap: outcome.gap, tolerance: outcome.tolerance },
        ...(outcome.gapScale !== undefined && { gapScale: outcome.gapScale }),
        ...(outcome.path !== undefined && { path: outcome.path }),
        ...(outcome.topics !== undefined && { topics: outcome.topics }),
        ...{ clocks: outcome.clocks, passes: outcome.passes, threads, hosts: world.size },
        ...{ consistency: outcome.policy.consistency, staleness: outcome.policy.staleness },
        seed: job.seed,
        seconds: {
          load: seconds(startMs, loadedMs),
          train: seconds(loadedMs, trainedMs),
          total: seconds(startMs, performance.now()),
        },
        memoryBytesMax: process.resourceUsage().maxRSS * 1024,
        ...(await trafficOf(host)),
        ...{ stalenessHistogram: outcome.stalenessHistogram, modelHash },
        eventLoopLagP99Ms: Math.max(0, lag.percentile(99) / 1e6 - 5),
        out: job.out ?? null,
      };
      const [first = done] = await talk.exchange(done);
      if (host instanceof Host) await writeRecord(job, host, first.modelHash);
      return world.rank === 0 ? done : first;
    });
  };
  const recording = job.record !== undefined;
  return withHost({ threads, pushTimeoutMs, reproducible, recording }, train, make);
}

/** Saves what the host recorded, if it was to. */
async function writeRecord(job: TrainJob, host: Host, modelHash: string): Promise<void> {
  const { cluster: _, record, ...rest } = job;
  if (record === undefined) return;
  const absolute = (paths: readonly string[]) => paths.map((path) => resolve(path));
  const model = isProgramPath(job.model) ? resolve(job.model) : job.model;
  const files = { data: absolute(job.data), test: absolute(job.test) };
  const spill = job.spill !== undefined && { spill: resolve(job.spill) };
  const own = { ...rest, model, ...files, ...spill, input: absoluteInput(job.input) };
  const { variant, records, world } = host;
  const card = {
    ...{ version: PERPETUUM_VERSION, variant, rank: world.rank, threads: world.threads, job: own },
    ...{ files: world.rank === 0 ? await sizesOf([...own.data, ...own.test]) : [], modelHash },
  };
  await saveRecord(record, card, records);
}

/** The files that are named among the options, too. */
function absoluteInput({ corpus, ...input }: InputOptions): InputOptions {
  if (corpus === undefined) return input;
  const { vocabulary, stopWords } = corpus;
  const isFile = stopWords !== undefined && !['english', 'none'].includes(stopWords);
  return {
    ...input,
    corpus: {
      ...corpus,
      ...(vocabulary !== undefined && { vocabulary: resolve(vocabulary) }),
      ...(isFile && { stopWords: resolve(stopWords) }),
    },
  };
}

/** Bytes that left this host, and on which links. */
async function trafficOf(host: JobHost): Promise<Pick<TrainDone, 'bytesSent' | 'links'>> {
  const links = await host.linkStatistics();
  return { bytesSent: links.reduce((sum, link) => sum + link.bytesSent, 0), links };
}

function requestOf(
  job: TrainJob,
  read: { data: Dataset; test: Dataset | undefined },
): TrainRequest<never> {
  const { consistency, staleness, partitions, passes, tolerance, seed, audit, options } = job;
  const policy = { consistency, staleness };
  const loose = { ...read, options, policy, partitions, passes, tolerance, seed, audit };
  return loose as unknown as TrainRequest<never>;
}

function save(job: TrainJob, host: JobHost, outcome: TrainOutcome): Promise<string> {
  if (job.out === undefined) return hashModel(host.arena, outcome.trained);
  const { objective, metrics, converged, gap, tolerance, clocks, passes, policy } = outcome;
  return saveModel(job.out, host.arena, outcome.trained, {
    version: PERPETUUM_VERSION,
    options: job.options,
    training: {
      ...{ data: job.data, objective, metrics, converged, gap, tolerance, clocks, passes },
      ...{ seed: job.seed, threads: job.threads, ...policy },
    },
  });
}
