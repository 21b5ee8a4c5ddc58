// The simulated network: real sessions over simulated connections, a Network for each host, and the
// crashes of a fault plan carried out. What src/mailbox/tcp is to sockets, this is to a simulation.
//
//   host's code ─ Network ─▶ Session ─ frames ─▶ Connections ─ frames ─▶ Session ─ listener ─▶ …
//                        one for each ordered pair of hosts, as in production
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import { createPrng } from '../base/prng.ts';
import type { NetworkListener } from '../mailbox/network.ts';
import { sessionDefaults } from '../mailbox/session-types.ts';
import { Session } from '../mailbox/session.ts';
import { Connections } from './connections.ts';
import type { FaultPlan } from './faults.ts';
import { Trace } from './trace.ts';
import { VirtualHost, type CreateSession, type SessionSettings } from './virtual-host.ts';
import type { VirtualTime } from './virtual-time.ts';

export type VirtualNetworkOptions = {
  readonly size: number;
  /** Of jitter, loss and what else is drawn along the way. */
  readonly seed: number;
  readonly time: VirtualTime;
  readonly faults: FaultPlan;
  /** What sessions do differently from production. */
  readonly settings?: Partial<SessionSettings>;
  readonly tickMs?: number;
  /** Attempts to connect that nobody answers fail after so long. */
  readonly connectTimeoutMs?: number;
  /** A crash of the plan happened to a host, or it is to start again: `open` it then. */
  readonly onCrash?: (rank: number) => void;
  readonly onRestart?: (rank: number) => void;
  readonly createSession?: CreateSession;
};

export type VirtualNetwork = {
  readonly trace: Trace;
  /** Starts host `rank`, or starts it again after a crash. */
  open(rank: number, listener: NetworkListener): VirtualHost;
  /** The host that is there, if there is one. */
  host(rank: number): VirtualHost | undefined;
  /** Ends host `rank`; `silent` leaves its connections half open, as a power cut does. */
  crash(rank: number, silent: boolean): void;
  /** Breaks the connection between two hosts. */
  reset(a: number, b: number): void;
};

/** A network of `size` hosts, none of which is there before it is opened. */
export function openVirtualNetwork(options: VirtualNetworkOptions): VirtualNetwork {
  const { size, seed, time, faults, onCrash, onRestart } = options;
  const { connectTimeoutMs = limits.handshakeMs, tickMs = limits.sessionTickMs } = options;
  const trace = new Trace(() => time.nowMs);
  const prng = createPrng(seed, 1);
  const connections = new Connections({ size, time, faults, prng, trace, connectTimeoutMs });
  const hosts: (VirtualHost | undefined)[] = Array.from({ length: size }, () => undefined);
  const lives = new Array<number>(size).fill(0);
  const { lost, twice, overtaking, stale } = faults.channel;
  const unreliable = lost + twice + overtaking > 0;
  const settings: SessionSettings = {
    ...sessionDefaults,
    resendMs: unreliable ? limits.resendMs : undefined,
    ...options.settings,
  };
  assert(!unreliable || settings.resendMs !== undefined, 'sessions know that frames get lost');
  const createSession = options.createSession ?? ((config, nowMs) => new Session(config, nowMs));
  for (const [host, skew] of faults.skews) time.skew(host, skew);

  const network: VirtualNetwork = {
    trace,
    open(rank, listener) {
      const incarnation = (lives[rank] ?? 0) + 1;
      lives[rank] = incarnation;
      const own = { rank, size, incarnation, settings, tickMs, stale, createSession };
      const host = new VirtualHost({ ...own, time, trace, connections }, listener);
      trace.add(`open ${rank} life ${incarnation}`);
      hosts[rank] = host;
      return host;
    },
    host: (rank) => hosts[rank],
    crash(rank, silent) {
      const host = hosts[rank];
      if (host === undefined) return;
      host.end();
      hosts[rank] = undefined;
      connections.crash(rank, silent);
    },
    reset: (a, b) => connections.reset(a, b),
  };
  time.watch(() => hosts.some((host) => host !== undefined && isRestless(host, hosts)));
  for (const { rank, atMs, silent, restartMs } of faults.crashes) {
    time.backgroundAt(atMs, `crash ${rank}`, () => {
      if (hosts[rank] === undefined) return;
      network.crash(rank, silent);
      onCrash?.(rank);
      if (restartMs === undefined) return;
      time.at(restartMs, `restart ${rank}`, () => onRestart?.(rank));
    });
  }
  return network;
}

/** Is there more to come for this host, or something to learn that it does not know yet? */
function isRestless(host: VirtualHost, hosts: readonly (VirtualHost | undefined)[]): boolean {
  return hosts.some((peer, rank) => {
    if (rank === host.rank) return false;
    if (host.isRestless(rank)) return true;
    const gone = peer === undefined || peer.phase(host.rank) === 'lost';
    return gone && host.phase(rank) === 'up';
  });
}
