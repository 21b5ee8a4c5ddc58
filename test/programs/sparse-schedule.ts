// Test program with schedule and a sparse table: one host runs it, several refuse to.
import { defineProgram } from '../../src/program/program.ts';

export const program = defineProgram<unknown, number, null, null, number>({
  name: 'sparse schedule',
  tables: () => [{ name: 'words', rows: 3, columns: 100, layout: 'sparse' }],
  start: () => null,
  startSchedule: () => null,
  schedule: ({ clock, workers }) => (clock === 1 ? undefined : new Array<number>(workers).fill(0)),
  push: () => 0,
});
