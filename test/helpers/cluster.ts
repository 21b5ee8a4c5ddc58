// Runs of several hosts for tests: simulated ones, over real tables, without faults.
import * as assert from 'uvu/assert';
import { compileKernels } from '../../src/memory/kernels.ts';
import type { TablePlan } from '../../src/store/table.ts';
import type { RunPlan } from '../../src/program/plan.ts';
import type { AnyProgram } from '../../src/program/program.ts';
import type { Arena } from '../../src/memory/arena.ts';
import type { Consistency } from '../../src/ps/freshness.ts';
import type { Fault } from '../../src/base/errors.ts';
import { noFaults } from '../../src/sim/faults.ts';
import {
  memoryBytesFor,
  SimulatedHost,
  type SimulatedHostOptions,
} from '../../src/sim/simulated-host.ts';
import { openVirtualNetwork } from '../../src/sim/virtual-network.ts';
import { VirtualTime } from '../../src/sim/virtual-time.ts';
import { noData } from './hosts.ts';

export type ClusterRun = {
  readonly hosts: number;
  readonly threads?: number;
  readonly consistency: Consistency;
  readonly staleness?: number;
  readonly options?: unknown;
  readonly seed?: number;
  readonly partitions?: number;
  readonly arenaBytes?: number;
  readonly early?: boolean;
  /** A host that takes nine times as long. */
  readonly slowRank?: number;
  readonly encoding?: 'full' | 'f16' | 'bf16';
  readonly audit?: boolean;
  readonly more?: Partial<SimulatedHostOptions>;
};

export type ClusterResult = {
  readonly hosts: readonly SimulatedHost[];
  readonly fault: Fault | undefined;
  /** Virtual milliseconds that the run took. */
  readonly passedMs: number;
};

const module = compileKernels('release');

/** Runs the program to its end, or to its first fault, which is returned. */
export function tryCluster(program: AnyProgram, run: ClusterRun): ClusterResult {
  const { hosts: size, threads = 2, consistency, staleness = 0, seed = 3 } = run;
  const time = new VirtualTime();
  const network = openVirtualNetwork({ size, seed: 1, time, faults: noFaults });
  const pages = memoryBytesFor(threads, run.arenaBytes ?? 16 * 2 ** 20) / 65_536;
  const early = run.early ?? false;
  const encoding = run.encoding ?? 'full';
  const hosts = Array.from(
    { length: size },
    (_, rank) =>
      new SimulatedHost({
        ...{ program, module, time, slowdowns: [] },
        pushMs: (worker, clock) =>
          (rank === run.slowRank ? 9 : 1) * (1 + ((rank * 7 + worker * 3 + clock * 5) % 4)),
        memory: new WebAssembly.Memory({ initial: pages, maximum: 65_536, shared: true }),
        place: {
          ...{ rank, size, run: 1, threads: Array.from({ length: size }, () => threads) },
          sending: { bytesPerSecond: undefined, early, order: 'first', encoding },
        },
        request: {
          ...{ program: { builtIn: program.name }, userKernels: undefined, canary: undefined },
          ...{ options: run.options ?? {}, data: noData, seed, audit: run.audit ?? true },
          ...{ partitions: run.partitions ?? threads * size, policy: { consistency, staleness } },
        },
        ...run.more,
      }),
  );
  const places = hosts.map((host, rank) => network.open(rank, host));
  hosts.forEach((host, rank) => host.start(places[rank]!));
  const fault = () => hosts.find((host) => host.fault !== undefined)?.fault;
  time.runWhile(() => fault() === undefined && !hosts.every((host) => host.finished));
  return { hosts, fault: fault(), passedMs: time.nowMs };
}

/** Runs the program to its end. */
export function runCluster(program: AnyProgram, run: ClusterRun): readonly SimulatedHost[] {
  const { hosts, fault } = tryCluster(program, run);
  assert.is(fault?.message, undefined, fault?.stack);
  assert.ok(
    hosts.every((host) => host.finished),
    hosts.map((host) => host.describe()).join('\n'),
  );
  return hosts;
}

/** A dense row of a table. */
export function denseRow(arena: Arena, table: TablePlan, row: number): number[] {
  const words = table.type === 'f32' ? arena.f32 : arena.i32;
  const from = (table.at + row * table.rowBytes) / 4;
  return [...words.subarray(from, from + table.columns)];
}

/** The table with that name. */
export function tableOf(plan: RunPlan, name: string): TablePlan {
  const table = plan.tables.find((candidate) => candidate.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  return table;
}
