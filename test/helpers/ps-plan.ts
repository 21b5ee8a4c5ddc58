// What a seed of the parameter server's fuzz is: hosts, tables, policies, sizes and faults, drawn.
import { createPrng, type Prng } from '../../src/base/prng.ts';
import type { Consistency } from '../../src/ps/freshness.ts';
import type { Sending } from '../../src/program/plan.ts';
import { drawFaults, noFaults, transientStragglers, type FaultPlan } from '../../src/sim/faults.ts';
import type { SessionSettings } from '../../src/sim/virtual-host.ts';
import type { TableSpec } from '../../src/store/table.ts';

export type FuzzPlan = {
  readonly seed: number;
  /** Worker threads by rank. */
  readonly threads: readonly number[];
  readonly partitions: number;
  readonly clocks: number;
  readonly consistency: Consistency;
  readonly staleness: number;
  readonly tables: readonly TableSpec[];
  /** Increments are integers, so that sums are exact in any order; else they have fractions. */
  readonly exact: boolean;
  readonly audit: boolean;
  readonly sending: Sending;
  readonly epochsSpare: number;
  readonly earlyBytes: number;
  readonly burstBytes: number;
  readonly settings: Partial<SessionSettings>;
  readonly faults: FaultPlan;
  /** Every so many clocks is a barrier; 0: none. */
  readonly barrierEvery: number;
  /** Pushes name rows of the next clock beforehand. */
  readonly prefetches: boolean;
  /** The push of this partition at this clock fails, as a user's may. */
  readonly failure: { readonly partition: number; readonly clock: number } | undefined;
  /** Virtual ms of a push by rank, before it is varied. */
  readonly pushMs: readonly number[];
};

export const patience = { peerTimeoutMs: 4000, recoveryMs: 1300 } as const;

export const one = <const T>(prng: Prng, values: readonly [T, ...T[]]): T =>
  values[prng.below(values.length)] ?? values[0];

/** Anything from `lowest` to `highest`, as likely small as large. */
export const between = (prng: Prng, lowest: number, highest: number) =>
  lowest * (highest / lowest) ** prng.uniform();

/** The first table has a cell a partition, to which that partition alone adds 1 a clock. */
export function drawTables(prng: Prng, partitions: number): readonly TableSpec[] {
  const own: TableSpec = { name: 'own', rows: partitions, columns: 1 + prng.below(3), type: 'i32' };
  const more = Array.from({ length: prng.below(5) }, (_, i): TableSpec => {
    const layout = one(prng, ['dense', 'dense', 'dense', 'sparse', 'sorted']);
    const rows = 1 + prng.below(one(prng, [4, 40, 150]));
    const columns = 1 + prng.below(one(prng, [2, 6, 20]));
    const access = one(prng, ['snapshot', 'snapshot', 'rows', 'rows', 'none']);
    const staleness = prng.below(3) === 0 ? { staleness: prng.below(4) } : {};
    const type = one(prng, ['i32', 'f32']);
    const spec: TableSpec = { name: `t${i}`, rows, columns, layout, access, type, ...staleness };
    const isCached = layout === 'dense' && access === 'rows' && prng.below(2) === 0;
    return isCached ? { ...spec, rows: 400, columns: 2, cacheRows: 16 + prng.below(50) } : spec;
  });
  return [own, ...more];
}

export function drawSending(prng: Prng): Sending {
  return {
    bytesPerSecond: prng.below(3) === 0 ? Math.round(between(prng, 2e4, 2e6)) : undefined,
    early: prng.below(2) === 0,
    order: one(prng, ['first', 'random', 'magnitude']),
    encoding: one(prng, ['full', 'full', 'f16', 'bf16']),
  };
}

export function drawTrouble(prng: Prng, size: number, horizonMs: number): FaultPlan {
  const { peerTimeoutMs } = patience;
  const drawn = drawFaults(prng, { size, horizonMs, peerTimeoutMs });
  const kind = prng.below(5);
  if (kind === 0) return { ...noFaults, link: drawn.link };
  if (kind > 1) return drawn;
  const stalls = { size, stallMs: horizonMs / 8, share: prng.uniform() * 0.8 + 0.1, horizonMs };
  return { ...noFaults, link: drawn.link, slowdowns: transientStragglers(prng, stalls) };
}

export function drawSettings(prng: Prng): Partial<SessionSettings> {
  return {
    ...{ hardBytes: 2 ** 20, windowBytes: 2 ** 16, softBytes: one(prng, [500, 4000, 60_000]) },
    ...{ heartbeatMs: 100, silenceMs: 400, reconnectMinMs: 5, reconnectMaxMs: 100 },
    peerTimeoutMs: patience.peerTimeoutMs,
  };
}

export function drawPlan(seed: number): FuzzPlan {
  const prng = createPrng(seed, 7);
  const size = 2 + prng.below(4);
  const threads = Array.from({ length: size }, () => 1 + prng.below(3));
  const workers = threads.reduce((a, b) => a + b);
  const partitions = workers + prng.below(1 + Math.min(6, workers));
  const clocks = 2 + prng.below(9);
  const consistency = one(prng, ['bsp', 'ssp', 'essp', 'essp', 'async', 'auto']);
  const staleness = consistency === 'bsp' ? 0 : prng.below(5);
  const base = between(prng, 0.05, 10);
  const slowest = prng.below(3) === 0 ? 1 + 4 * prng.uniform() : 1;
  const pushMs = threads.map((_, rank) => base * (rank === 0 ? slowest : 1));
  const horizonMs = 1.5 * clocks * base * slowest + 100;
  const failure = { partition: prng.below(partitions), clock: prng.below(clocks) };
  return {
    ...{ seed, threads, partitions, clocks, consistency, staleness, pushMs, exact: true },
    tables: drawTables(prng, partitions),
    audit: prng.below(3) === 0,
    barrierEvery: one(prng, [0, 0, 3]),
    prefetches: prng.below(2) === 0,
    failure: prng.below(12) === 0 ? failure : undefined,
    sending: drawSending(prng),
    epochsSpare: one(prng, [1, 2, 4, 8]),
    earlyBytes: one(prng, [16, 200, 100_000]),
    burstBytes: one(prng, [200, 2000, 50_000]),
    settings: drawSettings(prng),
    faults: drawTrouble(prng, size, horizonMs),
  };
}

type Timed = Pick<FuzzPlan, 'faults' | 'clocks' | 'partitions' | 'threads' | 'pushMs' | 'sending'>;

/** The longest that anything of the plan goes on, and what it may hold up after that. */
export function deadlineMs(plan: Timed, bytesSent: number): number {
  const { faults, clocks, partitions, threads, pushMs, sending } = plan;
  const ends = [...faults.cuts, ...faults.slowdowns].map(({ untilMs }) => untilMs);
  const moments = [...faults.resets, ...faults.crashes].map(({ atMs }) => atMs);
  const last = Math.max(0, ...ends, ...moments);
  const { latencyMs, jitterMs, loss, bytesPerMs } = faults.link;
  const { lost, twice, overtaking } = faults.channel;
  const perWorker = Math.ceil(partitions / threads.reduce((a, b) => a + b));
  const computeMs = 2 * perWorker * Math.max(...pushMs);
  const resendMs = lost + twice + overtaking > 0 ? 400 : 0;
  const tripsMs = 12 * (latencyMs + jitterMs) + (loss > 0 ? 500 : 0) + resendMs;
  const bytesMs =
    bytesSent / bytesPerMs + (bytesSent * 1000) / (sending.bytesPerSecond ?? Infinity);
  const lostMs = patience.peerTimeoutMs + patience.recoveryMs;
  return last + lostMs + (clocks + 2) * (computeMs + tripsMs) + 2 * bytesMs;
}
