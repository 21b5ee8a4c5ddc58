// Test program for stopping: small pushes, a push that never returns (polling or not), or workers
// that wait for a slow one.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

export type PatientOptions = { readonly way: 'small' | 'endless' | 'waits' | 'polls' };

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
    const forever = (way === 'endless' || way === 'polls') && clock === 3;
    const ms = forever ? Infinity : way === 'waits' && late ? 60 : 1;
    const until = performance.now() + ms;
    while (performance.now() < until) if (way === 'polls') ctx.poll();
    ctx.table('sum').inc(0, [1]);
  },
});
