// Test program whose deltas are 64 bytes that one recognises wherever they stand in the open.
import { defineProgram } from '../../src/program/program.ts';

export const pattern = 'The delta of a test: 64 bytes of f32, that nothing else contains';
const row = new Float32Array(new TextEncoder().encode(pattern).buffer);

export const program = defineProgram<null, { readonly partition: number }, null>({
  name: 'pattern',
  tables: () => [{ name: 'patterns', rows: 8, columns: 16 }],
  start: () => null,
  clocks: () => 20,
  push(ctx) {
    for (let i = 0; i < 8; i++) ctx.table('patterns').inc(i, row);
    ctx.report({ objective: 7 });
  },
});
