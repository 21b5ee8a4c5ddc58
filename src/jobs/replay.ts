// The replay job: what `train --record` wrote down, again, on this machine, in one thread. It ends
// well when the model has the recorded hash.
import { setMaxListeners } from 'node:events';
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { createMemory } from '../memory/arena.ts';
import { chooseVariant, compileKernels, type KernelVariant } from '../memory/kernels.ts';
import { diverged } from '../record/bytes.ts';
import { loadRecords, sizesOf, type HostRecord } from '../record/directory.ts';
import type { RunRecord } from '../record/run-record.ts';
import { allDone, openHosts, runAloneOn, type HostRun } from '../rehearsal/hosts.ts';
import { replayRun } from '../rehearsal/replayed-runs.ts';
import type { RunResult } from '../supervisor/host.ts';
import { plainSending } from './cluster.ts';
import type { JobHooks, ReplayDone, ReplayJob, TrainDone, TrainJob } from './job.ts';
import { trainJob } from './train.ts';

declare const PERPETUUM_VERSION: string;

type Records = readonly HostRecord<TrainJob>[];

/** The kernels that were recorded with. @throws ERR_CONFIG where this machine has them not. */
function variantOf({ variant }: HostRecord<TrainJob>): KernelVariant {
  const known = (['release', 'relaxed', 'debug'] as const).find((name) => name === variant);
  const relaxed = known === 'relaxed' && chooseVariant({ reproducible: false }) !== 'relaxed';
  if (known !== undefined && !relaxed) return known;
  const rule = `the record was made with ${variant} kernels, which this machine does not have`;
  throw new SystemError('ERR_CONFIG', `${rule}: replay it where it was recorded`);
}

async function checkFiles({ files }: HostRecord<TrainJob>): Promise<void> {
  const paths = files.map(({ path }) => path);
  const sizes = await sizesOf(paths).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SystemError('ERR_DATA', `the recorded data cannot be read: ${why}`, { cause });
  });
  for (const [i, { path, bytes }] of files.entries()) {
    const now = sizes[i]?.bytes;
    if (now === bytes) continue;
    const rule = `${path} must have ${bytes} bytes, as when it was recorded, got ${now}`;
    throw new SystemError('ERR_DATA', `${rule}\nreplay needs the same data`);
  }
}

/** Gives each host's runs their records, in order. */
function recordsInOrder(records: Records) {
  const next = records.map(() => 0);
  return {
    take(rank: number): RunRecord {
      const number = next[rank] ?? 0;
      next[rank] = number + 1;
      const record = records[rank]?.runs[number];
      if (record !== undefined) return record;
      throw diverged(`rank ${rank}`, `it makes more runs than the ${number} recorded ones`);
    },
    end(): void {
      const rank = records.findIndex(({ runs }, r) => runs.length !== next[r]);
      if (rank < 0) return;
      throw diverged(`rank ${rank}`, `it makes ${next[rank]} runs, not as many as recorded`);
    },
  };
}

/** The hosts of the record in this process. */
async function replayHosts(records: Records, hooks: JobHooks): Promise<TrainDone> {
  const [first] = records;
  if (first === undefined) throw new SystemError('ERR_INTERNAL', 'a record has hosts');
  const module = compileKernels(variantOf(first));
  const { threads, job } = first;
  setMaxListeners(0, hooks.signal); // each host listens
  const order = recordsInOrder(records);
  let number = 0;
  const common = {
    ...{ module, threads, signal: hooks.signal, sending: job.sending ?? plainSending },
  };
  const hosts = openHosts({
    ...{ threads, module, memories: threads.map(() => createMemory(limits.memoryBytes)) },
    runAll(runs) {
      number += 1;
      const own = runs.map(({ rank }) => order.take(rank));
      return replayRun({ ...common, run: number }, runs, own);
    },
    async runOne(run: HostRun): Promise<RunResult> {
      const record = order.take(run.rank);
      if (record.kind === 'plain') return runAloneOn(run, module, threads[run.rank] ?? 1);
      const [result] = await replayRun({ ...common, run: 0 }, [run], [record]);
      if (result === undefined) throw diverged(`rank ${run.rank}`, 'its run has no result');
      return result;
    },
  });
  const jobs = hosts.map((host, rank) => {
    const own = records[rank]?.job ?? job;
    const again = { ...own, threads: threads[rank] ?? 1, out: undefined, record: undefined };
    return trainJob(again, hooks, undefined, () => host);
  });
  const [done] = await allDone(jobs);
  order.end();
  if (done === undefined) throw new SystemError('ERR_INTERNAL', 'rank 0 has a result');
  return done;
}

/** A scheduled program on one host: its threads answer the scheduler, and always with the same. */
async function runAgain({ job }: HostRecord<TrainJob>, hooks: JobHooks): Promise<TrainDone> {
  const text = 'a scheduled program has no order to replay: it is run again';
  hooks.onEvent({ kind: 'facts', text });
  return trainJob({ ...job, out: undefined, record: undefined }, hooks);
}

/**
 * Does a recorded run again.
 * @throws ERR_DATA when the record or its data have changed; ERR_PROGRAM saying where the replay
 *   diverged from the record.
 */
export async function replayJob(job: ReplayJob, hooks: JobHooks): Promise<ReplayDone> {
  const records = await loadRecords<TrainJob>(job.directory);
  const [first] = records;
  if (first === undefined) throw new SystemError('ERR_INTERNAL', 'a record has hosts');
  if (first.version !== PERPETUUM_VERSION) {
    const text = `recorded by version ${first.version}, replayed by ${PERPETUUM_VERSION}`;
    hooks.onEvent({ kind: 'warning', text });
  }
  await checkFiles(first);
  const runs = records.flatMap((record) => record.runs);
  const scheduled = runs.some((run) => run.kind === 'plain' && run.scheduled);
  const alone = scheduled && records.length === 1;
  const done = await (alone ? runAgain(first, hooks) : replayHosts(records, hooks));
  if (done.modelHash !== first.modelHash) {
    const hashes = `model hash ${done.modelHash}, recorded ${first.modelHash}`;
    throw diverged('its end, every clock before was as recorded', hashes);
  }
  const replayed = runs.filter(({ kind }) => kind === 'timed').length;
  return {
    ...{ model: done.model, hosts: records.length, objective: done.objective },
    ...{ modelHash: done.modelHash, runs: { replayed, plain: runs.length - replayed } },
  };
}
