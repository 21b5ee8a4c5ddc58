// A seed's hosts over the simulated network, while faults happen, until all of them are over: what
// the fuzz of data-parallel programs and that of scheduled ones have in common.
import type { Fault } from '../../src/base/errors.ts';
import type { NetworkListener } from '../../src/mailbox/network.ts';
import { memoryBytesFor, type SimulatedHost } from '../../src/sim/simulated-host.ts';
import type { CreateSession, VirtualHost } from '../../src/sim/virtual-host.ts';
import { openVirtualNetwork } from '../../src/sim/virtual-network.ts';
import { VirtualTime } from '../../src/sim/virtual-time.ts';
import { excuses } from '../checkers/excuses.ts';
import type { Findings } from '../checkers/findings.ts';
import type { Progress } from '../checkers/progress.ts';
import { patience, type FuzzPlan } from './ps-plan.ts';

/** Worker threads of a host. */
export const threadsMax = 3;
/** Memories are expensive: seeds use them one after the other. */
const memories: WebAssembly.Memory[] = [];

export function memoryOf(rank: number): WebAssembly.Memory {
  const pages = memoryBytesFor(threadsMax, 8 * 2 ** 20) / 65_536;
  memories[rank] ??= new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return memories[rank];
}

/** What stands in the place of the right thing, so that checkers have something to find. */
export type Meddling = {
  readonly createSession?: CreateSession;
  /** Stands between the network and a host. */
  readonly meddle?: (rank: number, listener: NetworkListener) => NetworkListener;
};

type HostsPlan = Pick<FuzzPlan, 'seed' | 'threads' | 'faults' | 'settings'>;

/** What hosts are opened with. */
export type Opening = { readonly time: VirtualTime; changed(rank: number): void };

type Opened = {
  readonly hosts: readonly SimulatedHost[];
  readonly findings: Findings;
  readonly progress: Progress;
};

export type HostsRun = ReturnType<typeof runHosts>;

const nothing = () => undefined;

function resends({ faults }: HostsPlan): boolean {
  const { lost, twice, overtaking } = faults.channel;
  return lost + twice + overtaking > 0;
}

/** Runs the hosts that `open` makes; `sampled` looks at one when something has changed there. */
export function runHosts(
  plan: HostsPlan,
  options: Meddling,
  around: {
    open(opening: Opening): Opened;
    sampled(rank: number, host: SimulatedHost, place: VirtualHost): void;
  },
) {
  const size = plan.threads.length;
  const time = new VirtualTime({ eventsMax: 300_000 });
  const over = new Set<number>();
  const dead = new Set<number>();
  let endMs = 0;
  const end = (rank: number) => {
    over.add(rank);
    progress.got(`the end of host ${rank}`);
    endMs = time.nowMs;
  };
  const changed = (rank: number) => {
    const host = hosts[rank];
    const here = network.host(rank);
    if (host === undefined || here === undefined || over.has(rank)) return;
    around.sampled(rank, host, here);
    if (!host.finished && host.fault === undefined) return;
    end(rank);
    here.close();
  };
  const { hosts, findings, progress } = around.open({ time, changed });
  const { createSession } = options;
  const network = openVirtualNetwork({
    ...{ size, seed: plan.seed, time, faults: plan.faults, connectTimeoutMs: 250 },
    settings: { ...plan.settings, ...(resends(plan) ? { resendMs: 40 } : {}) },
    ...(createSession ? { createSession } : {}),
    onCrash(rank) {
      dead.add(rank);
      hosts[rank]?.end();
      end(rank);
    },
    onRestart(rank) {
      // A new life takes no part in the run of the old one.
      network.open(rank, { packet: nothing, room: nothing, lost: nothing });
    },
  });
  const places = hosts.map((host, rank) => {
    progress.want(`the end of host ${rank}`, 0);
    return network.open(rank, options.meddle?.(rank, host) ?? host);
  });
  hosts.forEach((host, rank) => {
    const place = places[rank];
    if (place) host.start(place);
  });
  try {
    time.runWhile(() => over.size < size && findings.count === 0);
    if (findings.count === 0) progress.idle();
  } catch (error) {
    findings.add('events', error instanceof Error ? error.message : String(error));
  }
  const { trace } = network;
  const sent = places.flatMap((place) => place.statistics()).map(({ bytesSent }) => bytesSent);
  return {
    ...{ findings, trace, dead, endMs, events: time.events, mostSent: Math.max(0, ...sent) },
    alive: hosts.flatMap((host, rank) => (dead.has(rank) ? [] : [{ host, rank }])),
    /** The end of the trace, hosts in words, and the plan. */
    last: (whole: unknown): readonly string[] => [
      ...trace.last().slice(-25),
      ...hosts.map((host, rank) => `host ${rank}: ${host.describe()}`),
      JSON.stringify(whole),
    ],
  };
}

/** Says so when a run ended after `latestMs`. */
export function checkDeadline({ endMs, findings }: HostsRun, latestMs: number): void {
  if (endMs <= latestMs) return;
  const words = `the run ended at virtual ms ${endMs.toFixed(0)}, ${latestMs.toFixed(0)} is late`;
  findings.add('progress', words);
}

/** A loss is right when the plan lets that host be lost, and says what was waited for. */
export function judgeLoss(
  plan: HostsPlan,
  end: {
    readonly rank: number;
    readonly fault: Fault;
    readonly dead: ReadonlySet<number>;
    readonly waited: RegExp;
  },
): string | undefined {
  const { rank, fault, dead, waited } = end;
  const words = `host ${rank} ends with ${fault.code}: ${fault.message}`;
  if (fault.code !== 'ERR_PEER_LOST') return `${words} ${fault.stack ?? ''}`;
  // It may have come from another host, which is named before it.
  const pattern = new RegExp(`(?:^|: )rank (\\d+) is lost: .*; waited for ${waited.source}`);
  const named = pattern.exec(fault.message);
  if (named === null) return `${words}, which does not say who, and what was waited for`;
  const lost = Number(named[1]);
  const excused = excuses(plan.faults, plan.threads.length, patience);
  const isExcused = dead.has(lost) || excused.some(({ a, b }) => a === lost || b === lost);
  return isExcused ? undefined : `${words}, and nothing happened to it`;
}
