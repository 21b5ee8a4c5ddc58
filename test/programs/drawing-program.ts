// Test program: every draw of a push goes to a column of its own.
import { defineProgram } from '../../src/program/program.ts';

export const draws = 4;

export const program = defineProgram<null, { readonly partition: number }, null>({
  name: 'drawing',
  tables: ({ partitions }) => [
    { name: 'drawn', rows: 2 * partitions, columns: draws, type: 'i32' },
  ],
  start: () => null,
  clocks: () => 2,
  push(ctx, { partition }) {
    const drawn = Array.from({ length: draws }, () => ctx.prng.uint32() >>> 1);
    ctx.table('drawn').inc(2 * partition + ctx.clock, drawn);
  },
});
