// Faults as data. A plan says beforehand all that goes wrong in a run and when; a network carries
// it out. Plans are written by hand, come from options (options.ts), or are drawn from a seed.
//
// Drawn plans follow swarm testing (Groce et al. 2012): each kind of fault is off in half of the
// runs, and where it is on its weight is wildly uneven. A mix of everything at once would hide what
// only a few kinds together, or one kind alone, can show.
import { assert } from '../base/assert.ts';
import type { Prng } from '../base/prng.ts';
import type { ClockSkew } from './virtual-time.ts';

/** What every link is like, all the time. */
export type LinkModel = {
  /** One way. */
  readonly latencyMs: number;
  /** Added to the latency of each frame: uniform in [0, jitterMs). */
  readonly jitterMs: number;
  /** What a host can send, and what it can receive, in all. */
  readonly bytesPerMs: number;
  /** Share of segments that are lost and sent again by TCP, which holds up what is behind them. */
  readonly loss: number;
};

/** Nothing gets from `from` to `to`. A two-way cut is two of them. */
export type Cut = {
  readonly from: number;
  readonly to: number;
  readonly fromMs: number;
  readonly untilMs: number;
};

/** A connection between two hosts breaks. Both notice, each at its own moment. */
export type Reset = { readonly a: number; readonly b: number; readonly atMs: number };

/**
 * What becomes of single frames inside a connection, as shares. TCP does none of it, so a plan with
 * any of these runs sessions that send again by themselves (SessionConfig.resendMs).
 */
export type Channel = {
  readonly lost: number;
  readonly twice: number;
  /** Arrives before the one that was written before it. */
  readonly overtaking: number;
  /** What a connection still held when it was replaced is heard, after what the new one brought. */
  readonly stale: boolean;
};

export type Crash = {
  readonly rank: number;
  readonly atMs: number;
  /** A power cut: its connections do not end, there is just silence. */
  readonly silent: boolean;
  /** When it starts again, with nothing of its memory. */
  readonly restartMs?: number;
};

/** A host takes `factor` times as long for everything; Infinity is a frozen process. */
export type Slowdown = {
  readonly rank: number;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly factor: number;
};

export type FaultPlan = {
  readonly link: LinkModel;
  readonly cuts: readonly Cut[];
  readonly resets: readonly Reset[];
  readonly channel: Channel;
  readonly crashes: readonly Crash[];
  /** In the order of time; those of one host do not overlap. */
  readonly slowdowns: readonly Slowdown[];
  readonly skews: ReadonlyMap<number, ClockSkew>;
};

/** A network on which nothing takes time and nothing goes wrong. */
export const perfectLink: LinkModel = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerMs: Infinity,
  loss: 0,
};

export const noFaults: FaultPlan = {
  link: perfectLink,
  cuts: [],
  resets: [],
  channel: { lost: 0, twice: 0, overtaking: 0, stale: false },
  crashes: [],
  slowdowns: [],
  skews: new Map(),
};

export type Swarm = {
  readonly size: number;
  /** Faults begin before this. */
  readonly horizonMs: number;
  /** After so long without a sign of life a peer is given up: some cuts are longer, most not. */
  readonly peerTimeoutMs: number;
};

/** Half of the time 0; else anything from `lowest` to `highest`, as likely small as large. */
function swarmWeight(prng: Prng, lowest: number, highest: number): number {
  const on = prng.below(2) === 0;
  const weight = lowest * (highest / lowest) ** prng.uniform();
  return on ? weight : 0;
}

function pair(prng: Prng, size: number): readonly [number, number] {
  const a = prng.below(size);
  return [a, (a + 1 + prng.below(size - 1)) % size];
}

/** So many as `weight` says on average, each made by `make`. */
function several<T>(prng: Prng, weight: number, make: () => T): T[] {
  const whole = Math.floor(weight);
  const count = whole + (prng.uniform() < weight - whole ? 1 : 0);
  return Array.from({ length: count }, make);
}

function drawCuts(prng: Prng, { size, horizonMs, peerTimeoutMs }: Swarm): readonly Cut[] {
  const longest = prng.below(4) === 0 ? 3 * peerTimeoutMs : 0.4 * peerTimeoutMs;
  const bothWays = prng.uniform();
  return several(prng, swarmWeight(prng, 0.3, 6), () => {
    const [from, to] = pair(prng, size);
    const fromMs = prng.uniform() * horizonMs;
    const untilMs = fromMs + longest * prng.uniform() ** 2;
    const cut = { from, to, fromMs, untilMs };
    return prng.uniform() < bothWays ? [cut, { ...cut, from: to, to: from }] : [cut];
  }).flat();
}

function drawSlowdowns(prng: Prng, { size, horizonMs, peerTimeoutMs }: Swarm): readonly Slowdown[] {
  const weight = swarmWeight(prng, 0.3, 4);
  const longest = prng.below(8) === 0 ? 2 * peerTimeoutMs : 0.3 * peerTimeoutMs;
  const freezes = prng.uniform();
  const slowdowns: Slowdown[] = [];
  for (let rank = 0; rank < size; rank++) {
    let fromMs = 0;
    for (let n = weight / size; n > 0 && prng.uniform() < n; n -= 1) {
      fromMs += prng.uniform() * horizonMs;
      const untilMs = fromMs + longest * prng.uniform();
      const factor = prng.uniform() < freezes ? Infinity : 1 + 200 * prng.uniform() ** 3;
      slowdowns.push({ rank, fromMs, untilMs, factor });
      fromMs = untilMs;
    }
  }
  return slowdowns.sort((a, b) => a.fromMs - b.fromMs || a.rank - b.rank);
}

function drawLink(prng: Prng): LinkModel {
  const megabytesPerSecond = swarmWeight(prng, 1, 1000);
  return {
    latencyMs: swarmWeight(prng, 0.01, 20),
    jitterMs: swarmWeight(prng, 0.01, 20),
    bytesPerMs: megabytesPerSecond === 0 ? Infinity : megabytesPerSecond * 1000,
    loss: swarmWeight(prng, 0.0001, 0.05),
  };
}

function drawChannel(prng: Prng): Channel {
  // Half of the runs are as TCP is, and their sessions rely on it.
  const on = prng.below(2);
  return {
    lost: on * swarmWeight(prng, 0.001, 0.3),
    twice: on * swarmWeight(prng, 0.001, 0.5),
    overtaking: on * swarmWeight(prng, 0.001, 0.5),
    stale: prng.below(2) === 0,
  };
}

/** Faults of a run that nobody thought of, from a seed. */
export function drawFaults(prng: Prng, swarm: Swarm): FaultPlan {
  const { size, horizonMs } = swarm;
  assert(size >= 2, 'faults are between hosts');
  const link = drawLink(prng);
  const cuts = drawCuts(prng, swarm);
  const resets = several(prng, swarmWeight(prng, 0.3, 20), () => {
    const [a, b] = pair(prng, size);
    return { a, b, atMs: prng.uniform() * horizonMs };
  });
  const channel = drawChannel(prng);
  // Crashes end what could be looked at: rarer than the rest.
  const crashes = several(prng, swarmWeight(prng, 0.05, 1), () => {
    const crash = { rank: prng.below(size), atMs: prng.uniform() * horizonMs };
    const silent = prng.below(2) === 0;
    const restartMs = crash.atMs + prng.uniform() * horizonMs;
    return prng.below(2) === 0 ? { ...crash, silent } : { ...crash, silent, restartMs };
  });
  const slowdowns = drawSlowdowns(prng, swarm);
  const skews = new Map<number, ClockSkew>();
  const driftMost = swarmWeight(prng, 0.0001, 0.02);
  for (let rank = 0; rank < size && driftMost > 0; rank++) {
    const drift = driftMost * (2 * prng.uniform() - 1);
    skews.set(rank, { offsetMs: 1e6 * prng.uniform(), drift });
  }
  return { link, cuts, resets, channel, crashes: once(crashes), slowdowns, skews };
}

/** At most one crash of a host: what comes after its restart is a run of its own. */
function once(crashes: readonly Crash[]): readonly Crash[] {
  return crashes.filter(({ rank }, i) => crashes.findIndex((other) => other.rank === rank) === i);
}

export type TransientStragglers = {
  readonly size: number;
  /** How long one stalls. */
  readonly stallMs: number;
  /** Share of the time in which some host stalls. */
  readonly share: number;
  readonly horizonMs: number;
};

/** One host at a time, drawn at random, stands still; some host does for `share` of the time. */
export function transientStragglers(prng: Prng, options: TransientStragglers): Slowdown[] {
  const { size, stallMs, share, horizonMs } = options;
  const slowdowns: Slowdown[] = [];
  // Half a period on either side of the mean keeps stalls from falling into step with clocks.
  const gapMs = (stallMs * (1 - share)) / share;
  for (let fromMs = gapMs * prng.uniform(); fromMs < horizonMs;) {
    const untilMs = fromMs + stallMs * (0.5 + prng.uniform());
    slowdowns.push({ rank: prng.below(size), fromMs, untilMs, factor: Infinity });
    fromMs = untilMs + gapMs * (0.5 + prng.uniform());
  }
  return slowdowns;
}
