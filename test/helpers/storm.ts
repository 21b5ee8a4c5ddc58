// A storm: hosts that send each other packets at random while a fault plan is carried out, and the
// checkers of what has to hold whatever happens.
import { createPrng, type Prng } from '../../src/base/prng.ts';
import type { NetworkListener } from '../../src/mailbox/network.ts';
import { BoundedMemory } from '../checkers/bounded-memory.ts';
import { ExactlyOnce } from '../checkers/exactly-once.ts';
import { excuses } from '../checkers/excuses.ts';
import { Findings } from '../checkers/findings.ts';
import { drawFaults, type FaultPlan } from '../../src/sim/faults.ts';
import type { CreateSession, VirtualHost } from '../../src/sim/virtual-host.ts';
import { openVirtualNetwork } from '../../src/sim/virtual-network.ts';
import { VirtualTime } from '../../src/sim/virtual-time.ts';

/** As in production, five to ten times as fast, and with queues that are full now and then. */
export const stormSettings = {
  softBytes: 2048,
  hardBytes: 8192,
  windowBytes: 3072,
  heartbeatMs: 100,
  silenceMs: 400,
  peerTimeoutMs: 4000,
  reconnectMinMs: 5,
  reconnectMaxMs: 100,
} as const;
const resendMs = 40;
const recoveryMs = 1300;
const horizonMs = 1500;
/** What a packet of ours takes in a frame, at most. */
const packetBytesMax = 256;

export type Storm = {
  readonly findings: readonly string[];
  readonly hash: string;
  readonly events: number;
  readonly packets: number;
  readonly losses: number;
  readonly reconnects: number;
  readonly last: readonly string[];
};

export type StormOptions = {
  readonly faults?: FaultPlan;
  readonly size?: number;
  readonly createSession?: CreateSession;
  /** Stands between the network and the checkers. */
  readonly meddle?: (rank: number, listener: NetworkListener) => NetworkListener;
};

type Traffic = {
  readonly prng: Prng;
  readonly time: VirtualTime;
  readonly exactlyOnce: ExactlyOnce;
  readonly memory: BoundedMemory;
};

const frameBytes = (payload: Uint8Array) => 80 + payload.length;

/** `host` offers a few packets now, and goes on later. */
function sendOn(host: VirtualHost, traffic: Traffic, bursts: number): void {
  const { prng, time, exactlyOnce, memory } = traffic;
  if (bursts === 0) return;
  const { rank, size } = host;
  for (let n = prng.below(12); n > 0; n--) {
    const to = (rank + 1 + prng.below(size - 1)) % size;
    if (exactlyOnce.hasLost(rank, to) || !host.hasRoom(to)) continue;
    const number = exactlyOnce.offered(rank, to);
    const payload = exactlyOnce.payload(rank, to, number);
    memory.offered(rank, to, frameBytes(payload));
    host.send(to, { header: number, payload });
    memory.sampled(rank, to, host.heldBytes(to).sending);
  }
  const delayMs = (horizonMs / 8) * prng.uniform() ** 2;
  time.after(delayMs, `traffic of ${rank}`, () => {
    host.processor.run(0.001, 'burst', () => sendOn(host, traffic, bursts - 1));
  });
}

/** What `seed` does, with the faults it draws, or given ones. */
export function storm(seed: number, options: StormOptions = {}): Storm {
  const prng = createPrng(seed);
  const size = options.size ?? 2 + prng.below(4);
  const { peerTimeoutMs, softBytes } = stormSettings;
  const drawn = drawFaults(createPrng(seed, 2), { size, horizonMs, peerTimeoutMs });
  const faults = options.faults ?? drawn;
  const time = new VirtualTime({ eventsMax: 300_000 });
  const findings = new Findings();
  const exactlyOnce = new ExactlyOnce(size, findings);
  for (const { a, b, reason } of excuses(faults, size, { peerTimeoutMs, recoveryMs })) {
    exactlyOnce.excused(a, b, reason);
  }
  const memory = new BoundedMemory(softBytes + packetBytesMax, findings);
  const traffic = { prng, time, exactlyOnce, memory };
  let losses = 0;
  const forget = (a: number, b: number) => {
    memory.dropped(a, b);
    memory.dropped(b, a);
  };
  const { lost, twice, overtaking } = faults.channel;
  const resends = lost + twice + overtaking > 0;
  const network = openVirtualNetwork({
    ...{ size, seed, time, faults, tickMs: 20, connectTimeoutMs: 250 },
    settings: { ...stormSettings, ...(resends ? { resendMs } : {}) },
    ...(options.createSession ? { createSession: options.createSession } : {}),
    onCrash: (rank) => {
      exactlyOnce.crashed(rank);
      for (let other = 0; other < size; other++) forget(rank, other);
    },
    onRestart: (rank) => {
      exactlyOnce.restarted(rank);
      start(rank);
    },
  });
  const start = (rank: number) => {
    const listener: NetworkListener = {
      packet: (from, { header, payload }) => {
        exactlyOnce.arrived(from, rank, { number: header, payload });
        memory.arrived(from, rank, frameBytes(payload));
      },
      room: () => undefined,
      lost: (peer) => {
        losses += 1;
        exactlyOnce.lost(rank, peer);
        forget(rank, peer);
      },
    };
    const host = network.open(rank, options.meddle?.(rank, listener) ?? listener);
    host.processor.run(prng.uniform(), 'start', () => sendOn(host, traffic, 4 + prng.below(12)));
  };
  for (let rank = 0; rank < size; rank++) start(rank);
  try {
    time.runUntilIdle();
  } catch (error) {
    findings.add('events', error instanceof Error ? error.message : String(error));
  }
  exactlyOnce.finished();
  let reconnects = 0;
  const sessions: string[] = [];
  for (let rank = 0; rank < size; rank++) {
    for (const link of network.host(rank)?.statistics() ?? []) reconnects += link.reconnects;
    sessions.push(...(network.host(rank)?.describe() ?? []));
  }
  return {
    ...{ findings: findings.lines, hash: network.trace.hash, events: time.events, losses },
    ...{ packets: exactlyOnce.packets, reconnects: reconnects / 2 },
    last: [...network.trace.last(), ...sessions, JSON.stringify(faults)],
  };
}
