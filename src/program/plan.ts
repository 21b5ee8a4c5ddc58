// The plan of a run: everything a thread needs to take part, as plain data. The supervisor makes it
// once; actors receive it by structured clone, the big things behind it are in shared memory.
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import { SystemError, toFault } from '../base/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Arena } from '../memory/arena.ts';
import type { Policy } from '../ps/freshness.ts';
import type { TicketRoom } from '../record/tickets.ts';
import { rangeOf, type Range } from '../base/ranges.ts';
import { isLockStep, planTables, type TablePlan, type TableSpec } from '../store/table.ts';
import type { AnyProgram, Setup } from './program.ts';

/** Where actors find a program: a built-in name, or the URL of a module that exports `program`. */
export type ProgramSource = { readonly builtIn: string } | { readonly url: string };

export type RunPlan = {
  readonly program: ProgramSource;
  /** URL of the user's kernel module, if the program has one. */
  readonly userKernels: string | undefined;
  readonly options: unknown;
  readonly data: Dataset;
  readonly workers: number;
  readonly partitions: number;
  readonly seed: number;
  readonly policy: Policy;
  readonly audit: boolean;
  /** A planted bug, for the tests of the auditor: reads go ahead one clock too early. */
  readonly canary: 'early-read' | undefined;
  readonly tables: readonly TablePlan[];
  /** How many of them `tables()` declared; those after them were created while the run lasts. */
  readonly planned: number;
  /** Directory of created tables: see created/tables.ts. */
  readonly created: number;
  /** All tables bulk-synchronous: reads in place, deterministic folds at a gate. */
  readonly lockStep: boolean;
  readonly buffers: Readonly<Record<string, number>>;
  readonly bufferBytes: Readonly<Record<string, number>>;
  /**
   * Delta logs of this host's partitions, or in a scheduled run of its workers; the scheduler's
   * host then has those of all workers. See logAt.
   */
  readonly logs: { readonly at: number; readonly bytes: number; readonly first: number };
  /** Of a scheduled program: phases that may be in flight before the one that is pulled next. */
  readonly pipeline: number;
  /** The run's other hosts; undefined when this host runs it alone. */
  readonly cluster: ClusterPlan | undefined;
  /** Of a recorded run: where the order of sections of the table lock is written down. */
  readonly tickets?: TicketRoom | undefined;
};

/** What a host keeps of a table next to its values, in a run of several hosts. */
export type ReplicaPlan = {
  /** The host's deltas of rows that others own, not cut into a batch yet; of a cache by slot. */
  readonly deltas: TablePlan;
  /** u8 a row: it has deltas that were not cut. */
  readonly touched: number;
  /** i32 a row: clocks of the others that a cached row has in it; −1 when it never came. */
  readonly rowClocks: number;
};

/** How deltas travel. */
export type Sending = {
  /** For each link; undefined: no limit. */
  readonly bytesPerSecond: number | undefined;
  /** Deltas go before their clock ends when links are idle. */
  readonly early: boolean;
  /** Which rows go first then. */
  readonly order: 'magnitude' | 'random' | 'first';
  readonly encoding: 'full' | 'f16' | 'bf16';
};

export type ClusterPlan = {
  readonly rank: number;
  readonly size: number;
  /** Number of the run in its job: the same on every host. */
  readonly run: number;
  /** The host's first worker among all hosts' workers. */
  readonly firstWorker: number;
  readonly workers: number;
  /** Workers of each host, by rank. */
  readonly hosts: readonly Range[];
  readonly clocks: number;
  readonly sending: Sending;
  /** By table. */
  readonly replicas: readonly ReplicaPlan[];
};

/** Workers of each host, numbered through all hosts. */
export function hostsOf({ workers, cluster }: Pick<RunPlan, 'workers' | 'cluster'>) {
  return cluster?.hosts ?? [{ first: 0, last: workers }];
}

/**
 * Delta log of partition p, or of worker p of all hosts in a scheduled run: there a worker has one
 * for each clock that may be in flight.
 */
export function logAt({ logs, pipeline }: RunPlan, p: number, clock = 0): number {
  const slots = pipeline + 1;
  return logs.at + ((p - logs.first) * slots + (clock % slots)) * logs.bytes;
}

/** Partitions of worker `worker` of this host. */
export function partitionsOf({ partitions, workers, cluster }: RunPlan, worker: number): Range {
  const first = cluster?.firstWorker ?? 0;
  return rangeOf(partitions, cluster?.workers ?? workers, first + worker);
}

/** Rows of a table that this host owns: all of them when it is alone. */
export function ownRows(cluster: ClusterPlan | undefined, rows: number): Range {
  return rangeOf(rows, cluster?.size ?? 1, cluster?.rank ?? 0);
}

/** Directory of created tables: a head, and an entry for each. */
const createdBytes = 16 + limits.tablesMax * limits.createdTableBytes;

export const ledgerTable = '#ledger';

type Planned =
  | 'planned'
  | 'created'
  | 'tables'
  | 'lockStep'
  | 'buffers'
  | 'bufferBytes'
  | 'logs'
  | 'pipeline'
  | 'workers'
  | 'cluster'
  | 'tickets';
export type RunRequest = Omit<RunPlan, Planned> & {
  /** Run over the rows of this host alone, whoever else takes part in the job. */
  readonly local?: boolean;
};

/** The hosts of a run, as its plan needs to know them. */
export type ClusterPlace = Pick<ClusterPlan, 'rank' | 'size' | 'run' | 'sending'> & {
  /** Worker threads by rank. */
  readonly threads: readonly number[];
};

/**
 * The hidden table of an audited run: row w counts the clocks of worker w that were folded in. It
 * is held to the tightest bound of the tables that are read, for it stands for all of them.
 */
function ledgerSpec(workers: number, specs: readonly TableSpec[], run: Policy): TableSpec {
  const read = specs.filter(({ access }) => access !== 'none');
  const bounds = read.map(({ staleness = run.staleness }) => staleness);
  const staleness = bounds.length === 0 ? run.staleness : Math.min(...bounds);
  return { name: ledgerTable, rows: workers, columns: 1, type: 'i32', staleness };
}

function planReplica(arena: Arena, table: TablePlan): ReplicaPlan {
  const allocate = (bytes: number) => {
    const at = arena.allocate(bytes);
    arena.u8.fill(0, at, at + bytes);
    return at;
  };
  const held = table.cache?.slots ?? table.rows;
  const deltas = {
    ...table,
    reducer: undefined,
    cache: undefined,
    at: allocate(held * table.rowBytes),
  };
  const touched = allocate(table.rows + 16);
  const rowClocks = table.access === 'rows' ? allocate(table.rows * 4) : 0;
  if (rowClocks > 0) arena.i32.fill(-1, rowClocks / 4, rowClocks / 4 + table.rows);
  return { deltas, touched, rowClocks };
}

/** Allocates a table that is created while `plan` runs, as number `id`. */
export function planTable(
  arena: Arena,
  spec: TableSpec,
  id: number,
  { policy, lockStep, cluster }: RunPlan,
): { readonly table: TablePlan; readonly replica: ReplicaPlan | undefined } {
  const [first] = planTables(arena, [spec], policy, (rows) => ownRows(cluster, rows));
  assert(first !== undefined, 'one table was planned');
  const table = { ...first, id };
  if (lockStep && table.policy.consistency !== 'bsp') {
    const rule = `table "${spec.name}": this run is bulk-synchronous, and so is a table created in it`;
    throw new SystemError('ERR_PROGRAM', `${rule}, got staleness ${table.policy.staleness}`);
  }
  return { table, replica: cluster && planReplica(arena, table) };
}

/** Workers of each host, one host's behind the other's. */
function numberWorkers(threads: readonly number[]): readonly Range[] {
  let first = 0;
  return threads.map((count) => ({ first, last: (first += count) }));
}

/** What hosts share of a scheduled run is bytes of places that never move. */
function checkShareable(program: AnyProgram, tables: readonly TablePlan[]): void {
  const sparse = tables.find(({ layout }) => layout === 'sparse');
  if (sparse === undefined) return;
  const rule = `a program with schedule has no sparse tables on several hosts`;
  const found = `${program.name} has "${sparse.name}"`;
  throw new SystemError('ERR_CONFIG', `${rule}, ${found}: make it dense, or use one host`);
}

/** Pushes run while others are pulled: reads then need copies, and each clock a log of its own. */
function checkPipeline(program: AnyProgram, pipeline: number): number {
  if (Number.isInteger(pipeline) && pipeline >= 0 && pipeline <= limits.pipelineMax)
    return pipeline;
  const rule = `pipeline is a whole number from 0 to ${limits.pipelineMax}`;
  throw new SystemError('ERR_PROGRAM', `${program.name}: ${rule}, got ${pipeline}`);
}

/** Allocates tables, buffers and logs in the arena and writes down where they are. */
export function planRun(
  arena: Arena,
  program: AnyProgram,
  request: RunRequest,
  workers: number,
  place?: ClusterPlace,
): RunPlan {
  const { options, data, partitions, seed } = request;
  const total = place?.threads.reduce((sum, threads) => sum + threads, 0) ?? workers;
  if (partitions < total && program.schedule === undefined) {
    const rule = `--partitions must be at least the number of threads, ${total}`;
    throw new SystemError('ERR_CONFIG', `${rule}, got ${partitions}`);
  }
  if (partitions > limits.partitionsMax) {
    const rule = `--partitions must be at most ${limits.partitionsMax}`;
    throw new SystemError('ERR_CONFIG', `${rule}, got ${partitions}`);
  }
  const hosts = numberWorkers(place?.threads ?? [workers]);
  const setup: Setup<unknown> = { options, data, workers: total, hosts, partitions, seed };
  const ask = <T>(what: string, question: () => T): T => {
    try {
      return question();
    } catch (thrown) {
      const { code, message } = toFault(thrown, 'ERR_PROGRAM');
      throw new SystemError(code, `${message} (${what} of program "${program.name}")`, {
        cause: thrown,
      });
    }
  };
  const specs = [...ask('tables', () => program.tables(setup))];
  if (request.audit && program.schedule === undefined)
    specs.push(ledgerSpec(total, specs, request.policy));
  const isSpread = place !== undefined && program.schedule === undefined;
  const tables = planTables(arena, specs, request.policy, (rows) =>
    isSpread ? rangeOf(rows, place.size, place.rank) : { first: 0, last: rows },
  );
  if (place !== undefined && program.schedule !== undefined) checkShareable(program, tables);
  const buffers: Record<string, number> = {};
  const bufferBytes: Record<string, number> = {};
  for (const { name, bytes, at } of ask('buffers', () => program.buffers?.(setup)) ?? []) {
    buffers[name] = at ?? arena.allocate(bytes);
    bufferBytes[name] = bytes;
  }
  const dense = tables.filter((table) => table.layout === 'dense' && table.access !== 'owned');
  const once = dense.reduce((sum, table) => sum + table.rows * table.rowBytes, 0);
  const wanted =
    ask('deltaBytes', () => program.deltaBytes?.(setup)) ?? Math.min(once + 2 ** 20, 2 ** 26);
  const bytes = Math.ceil(wanted / 4096) * 4096 + 4096;
  const cluster = place && {
    ...{ rank: place.rank, size: place.size, run: place.run, sending: place.sending },
    firstWorker: hosts[place.rank]?.first ?? 0,
    ...{ workers: total, hosts },
    clocks: ask('clocks', () => program.clocks?.(setup)) ?? 0,
    replicas: program.schedule === undefined ? tables.map((t) => planReplica(arena, t)) : [],
  };
  const created = arena.allocate(createdBytes);
  arena.u8.fill(0, created, created + createdBytes);
  const planned = { tables, planned: tables.length, created, buffers, bufferBytes };
  const pipeline = checkPipeline(program, ask('pipeline', () => program.pipeline?.(setup)) ?? 0);
  const lockStep = isLockStep(tables) && pipeline === 0;
  const base = { ...request, workers, ...planned, lockStep, cluster, pipeline };
  const plan = { ...base, logs: { at: 0, bytes, first: 0 } };
  const scheduled = place?.rank === 0 ? { first: 0, last: total } : hosts[place?.rank ?? 0];
  const { first, last } =
    program.schedule === undefined
      ? { first: partitionsOf(plan, 0).first, last: partitionsOf(plan, workers - 1).last }
      : (scheduled ?? { first: 0, last: workers });
  const at = arena.allocate(bytes * (last - first) * (pipeline + 1));
  return { ...plan, logs: { at, bytes, first } };
}
