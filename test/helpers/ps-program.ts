// The program of the parameter server's fuzz. Every partition adds 1 a clock to a cell of its own
// (as Bösen's hello_ssp does) and some to cells that all share, in every way that tables offer; it
// tells `report` of each, and of what it read before.
import { SystemError } from '../../src/base/errors.ts';
import type { Prng } from '../../src/base/prng.ts';
import { defineProgram, type PartitionWork, type PushContext } from '../../src/program/program.ts';
import type { TableSpec } from '../../src/store/table.ts';
import type { TableView } from '../../src/store/views.ts';
import type { FuzzPlan } from './ps-plan.ts';

export type Report = {
  read(read: { table: number; row: number; column: number; value: number } & At): void;
  inc(inc: { table: number; row: number; column: number; amount: number } & At): void;
};
type At = { readonly worker: number; readonly clock: number };
type Push = PushContext<unknown, unknown>;

/** What a push that is to fail says. */
export const failureWords = 'this push fails on purpose';

/** Rows that a push declares at most, and reads of other tables. */
const readsMax = 4;

/** The values of a row, by column. */
function valuesOf(view: TableView, spec: TableSpec, place: number): ArrayLike<number> {
  if ((spec.layout ?? 'dense') === 'dense') return view.get(place);
  const { columns, values } = view.getSparse(place);
  const all = new Float64Array(spec.columns);
  columns.forEach((column, i) => (all[column] = values[i] ?? 0));
  return all;
}

function columnsOf(prng: Prng, columns: number): readonly number[] {
  const first = prng.below(columns);
  const isOne = prng.below(2) === 0 || columns === 1;
  return isOne ? [first] : [first, (first + 1) % columns];
}

export function isBarrier({ barrierEvery }: FuzzPlan, clock: number): boolean {
  return barrierEvery > 0 && clock % barrierEvery === barrierEvery - 1;
}

export function fuzzProgram(plan: FuzzPlan, report?: Report) {
  const { tables, clocks, exact } = plan;
  const amountOf = (prng: Prng) => (exact ? 1 + prng.below(2) : prng.uniform() - 0.3);

  const declared = (ctx: Push, table: number): readonly number[] => {
    const at = (ctx.scratch.at + 4 * readsMax * table) / 4;
    const count = Math.min(readsMax, tables[table]?.rows ?? 0);
    return [...ctx.arena.i32.subarray(at, at + count)];
  };
  const read = (ctx: Push, table: number, partition: number) => {
    const spec = tables[table];
    if (spec === undefined || spec.access === 'none') return;
    const view = ctx.table(spec.name);
    const rows =
      spec.access === 'rows'
        ? declared(ctx, table)
        : Array.from({ length: readsMax }, (_, i) =>
            table === 0 && i === 0 ? partition : ctx.prng.below(spec.rows),
          );
    rows.forEach((row, place) => {
      const values = valuesOf(view, spec, spec.access === 'rows' ? place : row);
      for (const column of columnsOf(ctx.prng, spec.columns)) {
        const at = { worker: ctx.worker, clock: ctx.clock };
        report?.read({ table, row, column, value: values[column] ?? 0, ...at });
      }
    });
  };

  const add = (ctx: Push, table: number, row: number, columns: readonly number[]) => {
    const spec = tables[table];
    if (spec === undefined) return;
    const view = ctx.table(spec.name);
    const amounts = columns.map(() => (table === 0 ? 1 : amountOf(ctx.prng)));
    columns.forEach((column, i) => {
      const at = { worker: ctx.worker, clock: ctx.clock };
      report?.inc({ table, row, column, amount: amounts[i] ?? 0, ...at });
    });
    if (spec.layout === 'sparse' || spec.layout === 'sorted') {
      view.incSparse(row, columns, amounts);
      return;
    }
    const delta = new Array<number>(spec.columns).fill(0);
    columns.forEach((column, i) => (delta[column] = amounts[i] ?? 0));
    const words = spec.type === 'i32' ? ctx.arena.i32 : ctx.arena.f32;
    const way = ctx.prng.below(3);
    if (way === 0) view.inc(row, delta);
    else if (way === 1) {
      const count = Math.min(2, spec.rows - row);
      words.set(delta, view.incRange(row, count) / 4);
    } else {
      const list = ctx.scratch.at + 4096;
      ctx.arena.i32[list / 4] = row;
      words.set(delta, view.incRows(list, 1) / 4);
    }
  };

  /** Declares rows of each table that wants it, in scratch from list `place` on. */
  const declare = (ctx: Push, place: number) => {
    const reads: Record<string, { at: number; count: number }> = {};
    tables.forEach(({ name, rows, access }, table) => {
      if (access !== 'rows') return;
      const at = ctx.scratch.at + 4 * readsMax * (place + table);
      const count = Math.min(rows, readsMax);
      for (let i = 0; i < count; i++) ctx.arena.i32[at / 4 + i] = ctx.prng.below(rows);
      reads[name] = { at, count };
    });
    return reads;
  };

  return defineProgram<unknown, PartitionWork, null>({
    name: 'fuzz',
    tables: () => tables,
    clocks: () => clocks,
    deltaBytes: () => 64 * 1024,
    start: () => null,
    barrier: (clock) => isBarrier(plan, clock),
    prefetch: (ctx) => (plan.prefetches ? declare(ctx, tables.length) : {}),
    reads: (ctx) => declare(ctx, 0),
    push(ctx, { partition }) {
      const { failure } = plan;
      if (failure?.partition === partition && failure.clock === ctx.clock) {
        throw new SystemError('ERR_PROGRAM', failureWords);
      }
      tables.forEach((_, table) => read(ctx, table, partition));
      add(ctx, 0, partition, [0]);
      tables.forEach(({ rows, columns }, table) => {
        if (table === 0) return;
        for (let n = ctx.prng.below(3); n > 0; n--) {
          add(ctx, table, ctx.prng.below(rows), columnsOf(ctx.prng, columns));
        }
      });
    },
  });
}
