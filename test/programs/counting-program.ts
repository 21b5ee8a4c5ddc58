// Test program: every push adds known integers and waits a random while. Whatever the order and the
// delays, the tables must end at the exact sums.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

export type CountingOptions = { readonly clocks: number; readonly delayMs: number };

export const rows = 7;
export const columns = 5;

export const program = defineProgram<CountingOptions, PartitionWork, Int32Array>({
  name: 'counting',
  tables: () => [
    { name: 'dense', rows, columns, type: 'i32' },
    { name: 'sparse', rows, columns: 1000, type: 'i32', layout: 'sparse' },
    { name: 'declared', rows: 100, columns: 3, type: 'i32', access: 'rows' },
  ],
  clocks: ({ options }) => options.clocks,
  start: ({ arena }) => new Int32Array(arena.memory.buffer, arena.allocate(64), 16),
  reads({ state, clock }) {
    state[0] = clock % 100;
    state[1] = 99;
    return { declared: { at: state.byteOffset, count: 2 } };
  },
  push(ctx, { partition, clock }) {
    const until = performance.now() + ctx.prng.uniform() * ctx.options.delayMs;
    const dense = ctx.table('dense');
    dense.inc(partition % rows, [1, clock, partition, -1, 2]);
    ctx.table('sparse').incSparse(clock % rows, [partition, 999, partition], [1, 1, 1]);
    const declared = ctx.table('declared');
    const place = declared.incRows(ctx.state.byteOffset, 2) / 4;
    ctx.arena.i32[place] = 1;
    ctx.arena.i32[place + declared.rowBytes / 4 + 1] = 10;
    while (performance.now() < until);
  },
});
