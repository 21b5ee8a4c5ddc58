// Tables: what a program declares, and where the supervisor put them.
//
//   dense   rows × columns values, a row every `rowBytes` (columns × 4 padded to 16)
//   sparse  a directory of rows × 4 words {place, count, capacity, 0}; a row's entries are `count`
//           columns (i32, ascending) and then, `capacity` words on, their values; none is 0
//   sorted  the same; only what a push reads of it is in another order
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Arena } from '../memory/arena.ts';
import type { RowRange } from './fold.ts';
import { cacheRefusal, planCache, type CachePlan } from './row-cache.ts';
import { planReducer, reducerRefusal, type Reducer, type ReducerPlan } from './reduce.ts';
import { tightest, type Consistency, type Policy } from '../ps/freshness.ts';

export type TableSpec = {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Default f32. i32 sums are exact in any order. */
  readonly type?: 'f32' | 'i32';
  /**
   * Default dense. Sparse rows hold their nonzero entries alone, by column. `sorted` ones too, but
   * a push reads them by value, the largest first and equal ones by column, which costs a copy:
   * worth it for rows that are read in part, like the topics of a word.
   */
  readonly layout?: 'dense' | 'sparse' | 'sorted';
  /** Clocks a read may lag; default is the run's. 0 is bulk-synchronous. */
  readonly staleness?: number;
  /**
   * How `push` reads it. `snapshot` (default): all rows, as they were before the push began.
   * `rows`: only the rows that `reads` declares. `owned`: in place and written in place, for
   * programs whose schedule gives every worker rows that no other has. `none`: never read.
   */
  readonly access?: 'snapshot' | 'rows' | 'owned' | 'none';
  /**
   * For dense tables with access `rows`: in a run of several hosts, each keeps at most so many rows
   * of the others at a time, and gives the least recently used back. It needs room for what the
   * workers of a host read and write in a clock, and in those that they may be ahead. The host's
   * memory holds its own rows and these alone: at the end, too, it has no others.
   */
  readonly cacheRows?: number;
  /** How the owner of a row takes deltas in; default: it adds them. */
  readonly reducer?: Reducer;
};

export type TablePlan = Required<
  Omit<TableSpec, 'staleness' | 'layout' | 'reducer' | 'cacheRows'>
> & {
  readonly id: number;
  readonly layout: 'dense' | 'sparse';
  /** How a push finds the entries of a sparse row. */
  readonly order: 'column' | 'value';
  readonly policy: Policy;
  readonly reducer: ReducerPlan | undefined;
  /** Rows of others are in slots, and only own rows stand where `at` says. */
  readonly cache: CachePlan | undefined;
  readonly rowBytes: number;
  /**
   * Byte offset of the rows (dense) or of the directory (sparse). Of a cached table it is where row
   * 0 would be, which may be below 0: kernels count modulo 2^32.
   */
  readonly at: number;
};

/** Bytes of one entry of a sparse table's directory. */
export const directoryBytes = 16;

function check(condition: boolean, spec: TableSpec, rule: string): void {
  if (condition) return;
  throw new SystemError('ERR_CONFIG', `table "${spec.name}": ${rule}, got ${JSON.stringify(spec)}`);
}

function policyOf(spec: TableSpec, run: Policy): Policy {
  const staleness = spec.staleness ?? run.staleness;
  if (run.consistency === 'async') return { consistency: 'async', staleness };
  const consistency: Consistency = staleness === 0 ? 'bsp' : run.consistency;
  return consistency === 'bsp' ? { consistency, staleness: 0 } : { consistency, staleness };
}

function allocateRows(arena: Arena, bytes: number): number {
  const at = arena.allocate(bytes);
  arena.u8.fill(0, at, at + bytes);
  return at;
}

/**
 * Allocates and clears the tables of a run. `run` is the policy of tables that set none; `ownRows`
 * says which rows of so many this host owns, by default all.
 */
export function planTables(
  arena: Arena,
  specs: readonly TableSpec[],
  run: Policy,
  ownRows: (rows: number) => RowRange = (rows) => ({ first: 0, last: rows }),
): readonly TablePlan[] {
  if (specs.length > limits.tablesMax) {
    const rule = `a program has at most ${limits.tablesMax} tables`;
    throw new SystemError('ERR_CONFIG', `${rule}, got ${specs.length}`);
  }
  return specs.map((spec, id) => {
    const { rows, columns, staleness = 0 } = spec;
    check(Number.isInteger(rows) && rows >= 1, spec, 'rows must be an integer >= 1');
    check(Number.isInteger(columns) && columns >= 1, spec, 'columns must be an integer >= 1');
    const columnsRule = `columns must be at most ${limits.columnsMax}`; // row bytes are 31 bits
    check(columns <= limits.columnsMax, spec, columnsRule);
    check(Number.isInteger(staleness) && staleness >= 0, spec, 'staleness must be >= 0');
    const { type = 'f32', access = 'snapshot' } = spec;
    const layout = (spec.layout ?? 'dense') === 'dense' ? 'dense' : 'sparse';
    const order = spec.layout === 'sorted' ? 'value' : 'column';
    check(layout === 'dense' || access !== 'owned', spec, 'a sparse table cannot be owned');
    const refusal = reducerRefusal(spec) ?? cacheRefusal(spec, limits.reducedColumnsMax);
    check(refusal === undefined, spec, refusal ?? '');
    const rowBytes = layout === 'dense' ? (columns * 4 + 15) & ~15 : directoryBytes;
    const own = ownRows(rows);
    const cache = planCache(arena, spec, own, rowBytes);
    const at = cache ? cache.base - own.first * rowBytes : allocateRows(arena, rows * rowBytes);
    const policy = policyOf(spec, run);
    const reducer = planReducer(arena, spec, own, rowBytes);
    const shape = { rows, columns, type, layout, order, access } as const;
    return { id, name: spec.name, ...shape, policy, reducer, cache, rowBytes, at };
  });
}

/** One lock-step for a run whose every table is bulk-synchronous: folds then happen at a gate. */
export function isLockStep(tables: readonly TablePlan[]): boolean {
  return tables.every((table) => table.policy.consistency === 'bsp');
}

/** What a push waits for: the tightest bound among the tables that it reads. */
export function readPolicy(tables: readonly TablePlan[], run: Policy): Policy {
  const read = tables.filter((table) => table.access !== 'none').map((table) => table.policy);
  return read.length === 0 ? run : tightest(read);
}
