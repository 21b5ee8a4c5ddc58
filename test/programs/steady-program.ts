// Test program: adds ones, reads no data; so it runs wherever the rows lie.
import { defineProgram } from '../../src/program/program.ts';

export const program = defineProgram<null, { readonly partition: number }, null>({
  name: 'steady',
  tables: () => [{ name: 'ones', rows: 4, columns: 4 }],
  start: () => null,
  clocks: () => 2,
  push(ctx) {
    ctx.table('ones').inc(ctx.clock, [1, 1, 1, 1]);
    ctx.report({ objective: 7 });
  },
});
