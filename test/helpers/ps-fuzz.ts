// A seed of the parameter server's fuzz: real tables, kernels, workers and members of 1 to 5 hosts
// over the simulated network, while faults happen; and the checkers of what has to hold.
import type { Machines } from '../../src/cluster/machines.ts';
import { compileKernels } from '../../src/memory/kernels.ts';
import { ownRows } from '../../src/program/plan.ts';
import { BoundedMemory } from '../checkers/bounded-memory.ts';
import { FinalSums } from '../checkers/final-sums.ts';
import { Findings } from '../checkers/findings.ts';
import type { Cell } from '../checkers/increments.ts';
import { OwnWrites } from '../checkers/own-writes.ts';
import { Progress } from '../checkers/progress.ts';
import { StalenessBound } from '../checkers/staleness-bound.ts';
import { SimulatedHost } from '../../src/sim/simulated-host.ts';
import type { VirtualHost } from '../../src/sim/virtual-host.ts';
import { sparseRow } from '../../src/store/sparse-rows.ts';
import { checkDeadline, judgeLoss, memoryOf, runHosts } from './fuzz-hosts.ts';
import type { Meddling, Opening } from './fuzz-hosts.ts';
import { noData } from './hosts.ts';
import { deadlineMs, drawPlan, type FuzzPlan } from './ps-plan.ts';
import { failureWords, fuzzProgram, isBarrier, type Report } from './ps-program.ts';

export type FuzzOptions = Meddling & { readonly machines?: Machines };

export type FuzzReport = {
  readonly findings: readonly string[];
  readonly hash: string;
  /** The end of the trace, hosts in words, and the plan. */
  readonly last: () => readonly string[];
  readonly reads: number;
  readonly events: number;
  readonly finished: number;
  readonly faults: number;
  /** Of a plan with fractions: bytes of every table of every host that finished. */
  readonly tables: readonly (readonly Uint8Array[])[];
};

const module = compileKernels('release');

/** What host `host` has in a cell. */
function valueIn({ arena, plan }: SimulatedHost, { table, row, column }: Cell): number {
  const spec = plan.tables[table];
  if (spec === undefined) return NaN;
  const words = spec.type === 'i32' ? arena.i32 : arena.f32;
  if (spec.layout === 'dense') return words[(spec.at + row * spec.rowBytes) / 4 + column] ?? NaN;
  const { count, columns, values } = sparseRow(arena, spec, row);
  const at = arena.i32.subarray(columns / 4, columns / 4 + count).indexOf(column);
  return at < 0 ? 0 : (words[values / 4 + at] ?? NaN);
}

/** Of a table with a bounded cache a host has its own rows at the end. */
function isHere({ plan }: SimulatedHost, { table, row }: Cell): boolean {
  const spec = plan.tables[table];
  if (spec?.cache === undefined) return true;
  const { first, last } = ownRows(plan.cluster, spec.rows);
  return row >= first && row < last;
}

/** The values of a table, row by row, and nothing that depends on where it is. */
function bytesOf(host: SimulatedHost, table: number): Uint8Array {
  const { arena, plan } = host;
  const spec = plan.tables[table];
  if (spec === undefined) return new Uint8Array(0);
  if (spec.layout === 'dense') return arena.u8.slice(spec.at, spec.at + spec.rows * spec.rowBytes);
  const rows = Array.from({ length: spec.rows }, (_, row) => {
    const { count, columns, values } = sparseRow(arena, spec, row);
    const bytes = (at: number) => [...arena.u8.subarray(at, at + 4 * count)];
    return [count, ...bytes(columns), ...bytes(values)];
  });
  return Uint8Array.from(rows.flat());
}

class Checkers implements Report {
  readonly findings = new Findings();
  readonly progress = new Progress(Infinity, this.findings);
  readonly memory: BoundedMemory;
  readonly staleness: StalenessBound;
  readonly #own = new OwnWrites(this.findings);
  readonly #sums = new FinalSums(this.findings);
  readonly #added = new Map<number, number>();
  readonly #hostOf: readonly number[];
  #clock = 0;
  reads = 0;

  constructor(plan: FuzzPlan, memoryBytes: number, lockStep: boolean, bounds: readonly number[]) {
    this.memory = new BoundedMemory(memoryBytes, this.findings);
    const stalenessOf = (table: number) =>
      isBarrier(plan, this.#clock) ? 0 : (bounds[table] ?? 0);
    this.staleness = new StalenessBound({ stalenessOf, exact: lockStep }, this.findings);
    this.#hostOf = plan.threads.flatMap((threads, rank) => new Array<number>(threads).fill(rank));
  }

  read(read: Parameters<Report['read']>[0]): void {
    const whole = { ...read, host: this.#hostOf[read.worker] ?? -1 };
    this.#clock = read.clock;
    this.reads += 1;
    this.staleness.read(whole);
    this.#own.read(whole);
  }

  inc(inc: Parameters<Report['inc']>[0]): void {
    const whole = { ...inc, host: this.#hostOf[inc.worker] ?? -1 };
    this.staleness.incremented(whole);
    this.#own.incremented(whole);
    this.#sums.incremented(whole);
    this.#added.set(inc.table, (this.#added.get(inc.table) ?? 0) + inc.amount);
  }

  /** The tables of a host that has finished: each cell, and nothing elsewhere. */
  finished(rank: number, host: SimulatedHost): void {
    this.#sums.finished(rank, (cell) =>
      isHere(host, cell) ? valueIn(host, cell) : this.#sums.sum(cell),
    );
    host.plan.tables.forEach(({ name, rows, columns, cache }, table) => {
      if (name.startsWith('#') || cache !== undefined) return;
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          sum += valueIn(host, { table, row, column });
        }
      }
      const added = this.#added.get(table) ?? 0;
      if (sum === added) return;
      this.findings.add('whole tables', `host ${rank} has ${sum} in table ${table}, not ${added}`);
    });
  }
}

/** Bytes that a host may have under way to another: what fits, a cut, a push, and what is small. */
function linkBytes(plan: FuzzPlan): number {
  const tables = plan.tables.reduce((sum, { rows, columns }) => sum + rows * (columns * 8 + 16), 0);
  return (plan.settings.softBytes ?? 0) + 4 * tables + 20_000;
}

function openHosts(plan: FuzzPlan, options: FuzzOptions, around: Around): readonly SimulatedHost[] {
  const { seed, threads, partitions, consistency, staleness, audit, sending } = plan;
  const { epochsSpare, earlyBytes, burstBytes, faults } = plan;
  const { machines } = options;
  const request = {
    ...{ program: { builtIn: 'fuzz' }, userKernels: undefined, options: {}, data: noData },
    ...{ partitions, seed, audit, policy: { consistency, staleness }, canary: undefined },
  };
  const tuning = { epochsSpare, earlyBytes, burstBytes, ...(machines && { machines }) };
  return threads.map((_, rank) => {
    const slowdowns = faults.slowdowns.filter((slowdown) => slowdown.rank === rank);
    return new SimulatedHost({
      ...{
        program: fuzzProgram(plan, plan.exact ? around.report : undefined),
        module,
        time: around.time,
        slowdowns,
      },
      ...{ memory: memoryOf(rank), tuning, request },
      place: { rank, size: threads.length, run: 1, threads, sending },
      pushMs: (worker, clock, partition) => {
        const varied = (worker * 7 + clock * 13 + partition * 5) % 16;
        return (plan.pushMs[rank] ?? 1) * (0.2 + varied / 10);
      },
      changed: () => around.changed(rank),
    });
  });
}

type Around = Pick<Opening, 'time' | 'changed'> & { readonly report: Report };

/** Caches of fewer rows may be too small for what the workers of a host use. */
const smallCache = 50;

/** A fault is right when its world gave a reason. */
function judge(plan: FuzzPlan, rank: number, host: SimulatedHost, dead: ReadonlySet<number>) {
  const { fault } = host;
  if (fault === undefined) return undefined;
  if (plan.failure !== undefined && fault.message.includes(failureWords)) return undefined;
  const smallest = Math.min(...plan.tables.map(({ cacheRows = Infinity }) => cacheRows));
  const isCacheFull = fault.code === 'ERR_LIMIT' && fault.message.includes('raise cacheRows');
  if (isCacheFull && smallest < smallCache) return undefined;
  return judgeLoss(plan, { rank, fault, dead, waited: /clock \d+ of rank \d+/ });
}

export function fuzz(seed: number, options: FuzzOptions = {}): FuzzReport {
  return runPlan(drawPlan(seed), options);
}

/** Runs a plan and checks all of it. */
export function runPlan(plan: FuzzPlan, options: FuzzOptions = {}): FuzzReport {
  const size = plan.threads.length;
  const world: { checkers?: Checkers } = {};
  const report: Report = {
    read: (read) => world.checkers?.read(read),
    inc: (inc) => world.checkers?.inc(inc),
  };
  const sampled = (rank: number, host: SimulatedHost, place: VirtualHost) => {
    const { batches, heldParts } = host.kept;
    const partsMax = 2 * size * (plan.tables.length + 2) * plan.partitions;
    const batchesMax = plan.staleness + plan.epochsSpare;
    if (batches > batchesMax || heldParts > partsMax) {
      const kept = `${batches} batches of ${batchesMax}, ${heldParts} parts of ${partsMax}`;
      world.checkers?.findings.add('bounded memory', `host ${rank} keeps ${kept}`);
    }
    for (let to = 0; to < size; to++) {
      if (to !== rank) world.checkers?.memory.sampled(rank, to, place.heldBytes(to).sending);
    }
  };
  const open = (around: Opening) => {
    const hosts = openHosts(plan, options, { ...around, report });
    const [first] = hosts;
    const bounds = (first?.plan.tables ?? []).map(({ policy }) =>
      policy.consistency === 'async' ? Infinity : policy.staleness,
    );
    const checkers = new Checkers(plan, linkBytes(plan), first?.plan.lockStep ?? false, bounds);
    world.checkers = checkers;
    return { hosts, ...checkers };
  };
  const ran = runHosts(plan, options, { open, sampled });
  const { checkers } = world;
  const { findings, alive, events, trace } = ran;
  for (const { host, rank } of alive) {
    const wrong = judge(plan, rank, host, ran.dead);
    if (wrong !== undefined) findings.add('faults', wrong);
    if (host.finished && plan.exact) checkers?.finished(rank, host);
  }
  checkDeadline(ran, deadlineMs(plan, ran.mostSent));
  const ended = alive.filter(({ host }) => host.finished);
  return {
    ...{ findings: findings.lines, hash: trace.hash, events, reads: checkers?.reads ?? 0 },
    ...{ finished: ended.length, faults: alive.length - ended.length },
    tables: plan.exact
      ? []
      : ended.map(({ host }) => plan.tables.map((_, table) => bytesOf(host, table))),
    last: () => ran.last(plan),
  };
}
