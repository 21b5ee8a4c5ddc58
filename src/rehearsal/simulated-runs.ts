// Runs of all hosts on virtual time: the real program, workers, members, sessions over a simulated
// network with the faults that were asked for. Real time goes by for the computing only.
import { fromFault, SystemError } from '../base/errors.ts';
import { createPrng } from '../base/prng.ts';
import type { Event } from '../mailbox/messages.ts';
import { adoptTables } from '../program/created/tables.ts';
import type { Sending } from '../program/plan.ts';
import type { AnyProgram } from '../program/program.ts';
import { transientStragglers, type FaultPlan, type Slowdown } from '../sim/faults.ts';
import type { TransientStraggler } from '../sim/options.ts';
import { SimulatedHost } from '../sim/simulated-host.ts';
import { openVirtualNetwork, type VirtualNetwork } from '../sim/virtual-network.ts';
import { VirtualTime } from '../sim/virtual-time.ts';
import type { RunResult } from '../supervisor/host.ts';
import { sumLags, type HostRun } from './hosts.ts';

/** How a simulated cluster behaves. */
export type Cluster = {
  readonly threads: readonly number[];
  readonly faults: FaultPlan;
  readonly transient: TransientStraggler | undefined;
  /** Virtual milliseconds of the push of one partition. */
  readonly pushMs: number;
  readonly seed: number;
  readonly sending: Sending;
};

/** What a run on virtual time came to. */
export type VirtualRun = {
  readonly seconds: number;
  readonly clocks: number;
  readonly lags: readonly number[];
  /** Share of the workers' time that they waited. */
  readonly waited: number;
  /** Bytes that left a host, on average. */
  readonly bytesSent: number;
  readonly traceHash: string;
  /** Real milliseconds that pushes took. */
  readonly pushesMs: readonly number[];
};

export type SimulatedRunOptions = Cluster & {
  readonly module: WebAssembly.Module;
  readonly run: number;
  readonly signal: AbortSignal;
  /** What workers report, and when in virtual time. */
  onEvent(event: Event, nowMs: number): void;
};

/** Events between two looks at what else the process has to do: some tens of milliseconds. */
const sliceEvents = 2000;
/** A livelock repeats itself for ever; the longest honest run comes nowhere near. */
const eventsMax = 2_000_000_000;
const pushesMeasured = 2000;
/** A schedule does not say beforehand how long it is: stragglers are drawn for so many clocks. */
const scheduledClocks = 10_000;

/** Measures the first pushes of a program in real time. */
function measured(program: AnyProgram, pushesMs: number[]): AnyProgram {
  return {
    ...program,
    push(ctx, work): unknown {
      if (pushesMs.length >= pushesMeasured) return program.push(ctx, work);
      const from = performance.now();
      const partial: unknown = program.push(ctx, work);
      pushesMs.push(performance.now() - from);
      return partial;
    },
  };
}

/** Stalls for as long as the slowest of runs could last, the same for every policy. */
function stallsOf(options: SimulatedRunOptions, runs: readonly HostRun[]): readonly Slowdown[] {
  const { transient, pushMs, threads, seed } = options;
  const [one] = runs;
  if (transient === undefined || one === undefined) return [];
  const { program, request } = one;
  const workers = threads.reduce((sum, n) => sum + n, 0);
  const clockMs = Math.ceil(request.partitions / workers) * pushMs;
  let first = 0;
  const hosts = threads.map((own) => ({ first, last: (first += own) }));
  const clocks = program.clocks?.({ ...request, workers, hosts }) ?? scheduledClocks;
  const stallMs = transient.clocks * clockMs;
  const { share } = transient;
  const horizonMs = (clocks * clockMs * 4) / (1 - share) + 100 * stallMs;
  const prng = createPrng(seed, 2);
  return transientStragglers(prng, { size: threads.length, stallMs, share, horizonMs });
}

function openHost(options: SimulatedRunOptions, run: HostRun, at: Running): SimulatedHost {
  const { threads, sending, pushMs, module, onEvent } = options;
  const { rank, arena, program, request, userModule, hooks } = run;
  const { time, slowdowns } = at;
  return new SimulatedHost({
    ...{ program: measured(program, at.pushesMs), request, module, time },
    ...{ ...(userModule && { userModule }), arena, memory: arena.memory },
    place: { rank, size: threads.length, run: options.run, threads, sending },
    slowdowns: slowdowns.filter((slowdown) => slowdown.rank === rank),
    pushMs: () => pushMs,
    onEvent(event, thread) {
      onEvent(event, time.nowMs);
      hooks.onEvent?.(event, thread);
    },
  });
}

type Running = {
  readonly time: VirtualTime;
  readonly slowdowns: readonly Slowdown[];
  readonly pushesMs: number[];
};

async function toTheEnd(
  hosts: readonly SimulatedHost[],
  time: VirtualTime,
  signal: AbortSignal,
): Promise<void> {
  const isOver = () => hosts.every(({ finished }) => finished) || hosts.some(({ fault }) => fault);
  while (!isOver()) {
    let events = 0;
    const done = time.runWhile(() => events++ < sliceEvents && !isOver());
    const fault = hosts.find((host) => host.fault !== undefined)?.fault;
    if (fault !== undefined) throw fromFault(fault);
    if (done === 0 && !isOver()) {
      const where = hosts.map((host, rank) => `rank ${rank}: ${host.describe()}`).join('\n');
      throw new SystemError('ERR_INTERNAL', `the simulated hosts wait for each other\n${where}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new SystemError('ERR_ABORTED', 'the simulation was stopped');
  }
}

/** Carries out a run of all hosts. */
export async function simulateRun(
  options: SimulatedRunOptions,
  runs: readonly HostRun[],
): Promise<{ readonly results: readonly RunResult[]; readonly virtual: VirtualRun }> {
  const { threads, seed, faults: given } = options;
  const time = new VirtualTime({ eventsMax });
  const stalls = stallsOf(options, runs);
  const slowdowns = [...given.slowdowns, ...stalls].sort((a, b) => a.fromMs - b.fromMs);
  const frozen = options.transient?.frozen === true;
  const faults = { ...given, slowdowns: frozen ? slowdowns : given.slowdowns };
  const network = openVirtualNetwork({ size: threads.length, seed, time, faults });
  const pushesMs: number[] = [];
  const at: Running = { time, slowdowns, pushesMs };
  const hosts = runs.map((run) => openHost(options, run, at));
  const places = hosts.map((host, rank) => network.open(rank, host));
  hosts.forEach((host, rank) => {
    const place = places[rank];
    if (place !== undefined) host.start(place);
  });
  await toTheEnd(hosts, time, options.signal);
  const endMs = time.nowMs;
  const results = hosts.map((host): RunResult => {
    const stalenessHistogram = sumLags(host.summaries.map(({ lags }) => lags));
    const { arena, plan, clock: clocks, tableBytes } = host;
    adoptTables({ arena, plan }, Infinity);
    return { plan, clocks, stalenessHistogram, tableBytes };
  });
  const waitedMs = hosts.reduce((sum, host) => sum + host.waitedMs, 0);
  const workers = threads.reduce((sum, n) => sum + n, 0);
  return {
    results,
    virtual: {
      ...{ seconds: endMs / 1000, clocks: results[0]?.clocks ?? 0, pushesMs },
      lags: sumLags(results.map(({ stalenessHistogram }) => stalenessHistogram)),
      waited: endMs > 0 ? waitedMs / (workers * endMs) : 0,
      bytesSent: bytesSent(network, threads.length) / threads.length,
      traceHash: network.trace.hash,
    },
  };
}

function bytesSent(network: VirtualNetwork, size: number): number {
  const links = Array.from({ length: size }, (_, rank) => network.host(rank)?.statistics() ?? []);
  return links.flat().reduce((sum, link) => sum + link.bytesSent, 0);
}
