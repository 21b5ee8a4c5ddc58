// The plan of a run: everything a thread needs to take part, as plain data. The supervisor makes it
// once; actors receive it by structured clone, the big things behind it are in shared memory.
import { limits } from '../base/limits.ts';
import { SystemError, toFault } from '../base/errors.ts';
import type { Ratings, Samples } from '../data/dataset.ts';
import type { Arena } from '../memory/arena.ts';
import type { Policy } from '../ps/freshness.ts';
import { isLockStep, planTables, type TablePlan, type TableSpec } from '../store/table.ts';
import type { AnyProgram, Setup } from './program.ts';

/** Where actors find a program: a built-in name, or the URL of a module that exports `program`. */
export type ProgramSource = { readonly builtIn: string } | { readonly url: string };

export type RunPlan = {
  readonly program: ProgramSource;
  /** URL of the user's kernel module, if the program has one. */
  readonly userKernels: string | undefined;
  readonly options: unknown;
  readonly data: Samples | Ratings;
  readonly workers: number;
  readonly partitions: number;
  readonly seed: number;
  readonly policy: Policy;
  readonly audit: boolean;
  /** A planted bug, for the tests of the auditor: reads go ahead one clock too early. */
  readonly canary: 'early-read' | undefined;
  readonly tables: readonly TablePlan[];
  /** All tables bulk-synchronous: reads in place, deterministic folds at a gate. */
  readonly lockStep: boolean;
  readonly buffers: Readonly<Record<string, number>>;
  /** Delta log of partition p (of worker p in a scheduled run): at logs.at + p · logs.bytes. */
  readonly logs: { readonly at: number; readonly bytes: number };
};

export const ledgerTable = '#ledger';

export type RunRequest = Omit<RunPlan, 'tables' | 'lockStep' | 'buffers' | 'logs' | 'workers'>;

/** The hidden table of an audited run: row w counts the clocks of worker w that were folded in. */
function ledgerSpec(workers: number): TableSpec {
  return { name: ledgerTable, rows: workers, columns: 1, type: 'i32' };
}

/** Allocates tables, buffers and logs in the arena and writes down where they are. */
export function planRun(
  arena: Arena,
  program: AnyProgram,
  request: RunRequest,
  workers: number,
): RunPlan {
  const { options, data, partitions, seed } = request;
  if (partitions < workers && program.schedule === undefined) {
    const rule = `--partitions must be at least the number of threads, ${workers}`;
    throw new SystemError('ERR_CONFIG', `${rule}, got ${partitions}`);
  }
  if (partitions > limits.partitionsMax) {
    const rule = `--partitions must be at most ${limits.partitionsMax}`;
    throw new SystemError('ERR_CONFIG', `${rule}, got ${partitions}`);
  }
  const setup: Setup<unknown> = { options, data, workers, partitions, seed };
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
  if (request.audit) specs.push(ledgerSpec(workers));
  const tables = planTables(arena, specs, request.policy);
  const buffers: Record<string, number> = {};
  for (const { name, bytes } of ask('buffers', () => program.buffers?.(setup)) ?? []) {
    buffers[name] = arena.allocate(bytes);
  }
  const dense = tables.filter((table) => table.layout === 'dense' && table.access !== 'owned');
  const once = dense.reduce((sum, table) => sum + table.rows * table.rowBytes, 0);
  const wanted =
    ask('deltaBytes', () => program.deltaBytes?.(setup)) ?? Math.min(once + 2 ** 20, 2 ** 26);
  const bytes = Math.ceil(wanted / 4096) * 4096 + 4096;
  const writers = program.schedule === undefined ? partitions : workers;
  const logs = { at: arena.allocate(bytes * writers), bytes };
  return { ...request, workers, tables, lockStep: isLockStep(tables), buffers, logs };
}
