// Test program: pushes that add reals to a table with a reducer, in all ways.
import { createPrng } from '../../src/base/prng.ts';
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';
import type { Reducer } from '../../src/store/reduce.ts';

export type ReducingOptions = { readonly clocks: number; readonly reducer: Reducer };

export const shape = { rows: 19, columns: 10 } as const;

export type ReducingInc = {
  readonly row: number;
  readonly columns: readonly number[];
  readonly values: readonly number[];
  readonly how: 'rows' | 'columns' | 'span';
};

/** What the push of a partition at a clock adds, in order. */
export function incsOf(partition: number, clock: number): readonly ReducingInc[] {
  const prng = createPrng(100 + partition, clock);
  return Array.from({ length: 5 }, () => {
    const row = prng.below(shape.rows);
    const first = prng.below(shape.columns);
    const how = (['rows', 'columns', 'span'] as const)[prng.below(3)]!;
    const columns = Array.from({ length: shape.columns }, (_, column) => column).filter(
      (column) => how === 'rows' || (how === 'span' ? column >= first : prng.uniform() < 0.3),
    );
    const values = columns.map(() => Math.fround(prng.uniform() - 0.45));
    return { row, how, columns, values };
  });
}

export const program = defineProgram<ReducingOptions, PartitionWork, { at: number }>({
  name: 'reducing',
  tables: ({ options }) => [{ name: 'reduced', ...shape, reducer: options.reducer }],
  clocks: ({ options }) => options.clocks,
  start: ({ arena }) => ({ at: arena.allocate(16) }),
  push(ctx, { partition, clock }) {
    const table = ctx.table('reduced');
    for (const { row, how, columns, values } of incsOf(partition, clock)) {
      if (how === 'columns') table.incColumns(row, columns, values);
      else if (how === 'span') table.incSpan(row, columns[0]!, values);
      else if (row % 2 === 0) table.inc(row, values);
      else {
        ctx.arena.i32[ctx.state.at / 4] = row;
        ctx.arena.f32.set(values, table.incRows(ctx.state.at, 1) / 4);
      }
    }
  },
});
