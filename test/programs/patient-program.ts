// Test program for stopping: small pushes, a push that never returns, or workers that wait for it.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

export type PatientOptions = { readonly way: 'small' | 'endless' | 'waits' };

export const program = defineProgram<PatientOptions, PartitionWork, null>({
  name: 'patient',
  tables: () => [{ name: 'sum', rows: 1, columns: 1, type: 'i32' }],
  clocks: () => 1e9,
  start: () => null,
  push(ctx, { clock }) {
    const { way } = ctx.options;
    if (clock === 3) ctx.report({ ready: 1 });
    // waits: worker 0 is slow, though it ends; the others wait for its clock.
    const late = clock === 3 && ctx.worker === 0;
    const ms = way === 'endless' && clock === 3 ? Infinity : way === 'waits' && late ? 60 : 1;
    const until = performance.now() + ms;
    while (performance.now() < until);
    ctx.table('sum').inc(0, [1]);
  },
});
