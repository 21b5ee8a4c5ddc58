// Recorded runs again: those of bounded staleness in their recorded order, the others just so.
import { SystemError } from '../base/errors.ts';
import type { Sending } from '../program/plan.ts';
import { diverged } from '../record/bytes.ts';
import type { RunRecord } from '../record/run-record.ts';
import { noFaults } from '../sim/faults.ts';
import { ReplayedHost } from '../sim/replayed-host.ts';
import type { RunResult } from '../supervisor/host.ts';
import { sumLags, type HostRun } from './hosts.ts';
import { simulateRun } from './simulated-runs.ts';

export type ReplayedRunOptions = {
  readonly module: WebAssembly.Module;
  readonly threads: readonly number[];
  readonly sending: Sending;
  readonly signal: AbortSignal;
  /** Number of the run among those of all hosts. */
  readonly run: number;
};

type Timed = Extract<RunRecord, { kind: 'timed' }>;

function resultOf(host: ReplayedHost): RunResult {
  const stalenessHistogram = sumLags(host.summaries.map(({ lags }) => lags));
  const clocks = Math.max(...host.summaries.map((summary) => summary.clocks));
  return { plan: host.plan, clocks, stalenessHistogram, tableBytes: [] };
}

function openHost(
  { module, threads, sending, run: number }: ReplayedRunOptions,
  run: HostRun,
  record: Timed,
  hosts: readonly ReplayedHost[],
): ReplayedHost {
  const { rank, arena, program, request, userModule, hooks } = run;
  const size = threads.length;
  const alone = request.local === true || size === 1;
  return new ReplayedHost({
    ...{ program, request, module, arena, rank, record, threads: threads[rank] ?? 1 },
    ...(userModule && { userModule }),
    place: alone ? undefined : { rank, size, run: number, threads, sending },
    send: (to, packet) => hosts[to]?.packet(rank, packet),
    onEvent: (event, thread) => hooks.onEvent?.(event, thread),
  });
}

async function toTheEnd(hosts: readonly ReplayedHost[], signal: AbortSignal): Promise<void> {
  while (!hosts.every(({ done }) => done)) {
    const moved = hosts.map((host) => !host.done && host.advance());
    if (!moved.includes(true)) {
      const waiting = hosts.find(({ done }) => !done);
      throw diverged(waiting?.describe() ?? 'the end', 'what it waits for never comes');
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new SystemError('ERR_ABORTED', 'the replay was stopped');
  }
  for (const host of hosts) host.end();
}

/** Carries out runs of hosts: of all of them, or of one alone. */
export async function replayRun(
  options: ReplayedRunOptions,
  runs: readonly HostRun[],
  records: readonly RunRecord[],
): Promise<readonly RunResult[]> {
  const timed = records.filter((record) => record.kind === 'timed');
  if (timed.length === 0) {
    const { module, threads, sending, signal, run } = options;
    const perfect = { faults: noFaults, transient: undefined, pushMs: 1, seed: 1 };
    const cluster = { ...perfect, module, threads, sending, signal, run };
    const { results } = await simulateRun({ ...cluster, onEvent: () => undefined }, runs);
    return results;
  }
  if (timed.length < runs.length) {
    throw diverged(`run ${options.run}`, 'not all hosts recorded the order of it');
  }
  const hosts: ReplayedHost[] = [];
  for (const [i, run] of runs.entries()) {
    const record = timed[i];
    if (record !== undefined) hosts.push(openHost(options, run, record, hosts));
  }
  await toTheEnd(hosts, options.signal);
  return hosts.map(resultOf);
}
