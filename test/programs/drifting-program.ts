// Test program: f32 tables whose deltas are random and depend on what was read, so any difference
// in the order of sums, or in what a push saw, grows from clock to clock.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

export const program = defineProgram<{ readonly clocks: number }, PartitionWork, null>({
  name: 'drifting',
  tables: () => [
    { name: 'dense', rows: 13, columns: 37 },
    { name: 'sparse', rows: 5, columns: 50, layout: 'sparse' },
    { name: 'some', rows: 40, columns: 3, access: 'none' },
  ],
  clocks: ({ options }) => options.clocks,
  start: () => null,
  push(ctx, { partition }) {
    const { prng, arena, scratch } = ctx;
    const [dense, sparse, some] = [ctx.table('dense'), ctx.table('sparse'), ctx.table('some')];
    for (let row = 0; row < dense.rows; row++) {
      const delta = dense.get(row).map((value) => Math.sin(3 * value) * 0.1 + prng.uniform() - 0.5);
      dense.inc(row, delta);
    }
    const row = prng.below(5);
    const { columns, values } = sparse.getSparse(row);
    sparse.incSparse(
      row,
      columns,
      Float32Array.from(values, (value) => -0.3 * value),
    );
    sparse.incSparse(
      (row + partition) % 5,
      [prng.below(50), prng.below(50)],
      [prng.uniform(), 1 / 3],
    );
    arena.i32[scratch.at / 4] = prng.below(40);
    const place = some.incRows(scratch.at, 1) / 4;
    for (let column = 0; column < 3; column++) arena.f32[place + column] = prng.uniform() / 3;
  },
});
