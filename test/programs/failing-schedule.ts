// Test program with all three functions: the one that the options name fails at clock 2.
import { defineProgram } from '../../src/program/program.ts';

type Options = { readonly way: string };

function forever(): never {
  for (let n = 0; ; n++) if (n < 0) throw new Error('unreachable');
}

export const program = defineProgram<Options, number, null, null, number>({
  name: 'failing schedule',
  tables: () => [{ name: 'sum', rows: 2, columns: 1 }],
  start: () => null,
  startSchedule({ options }) {
    if (options.way === 'startSchedule') throw new Error('startSchedule went wrong');
    return null;
  },
  schedule({ clock, options, workers }) {
    if (clock === 2 && options.way === 'schedule') throw new Error('schedule went wrong');
    if (clock === 2 && options.way === 'scheduleLoop') forever();
    if (clock === 2 && options.way === 'scheduleExit') process.exit(4);
    if (clock === 2 && options.way === 'works') return new Array<number>(workers + 1).fill(0);
    return clock === 6 ? undefined : Array.from({ length: workers }, (_, w) => w);
  },
  push(ctx, work) {
    const now = ctx.clock === 2 && ctx.worker === 1;
    if (now && ctx.options.way === 'push') throw new Error('push went wrong');
    if (now && ctx.options.way === 'nan') ctx.table('sum').inc(1, [NaN]);
    if (now && ctx.options.way === 'partial') return (() => 0) as unknown as number;
    return work;
  },
  pull({ clock, options }) {
    if (clock === 2 && options.way === 'pull') throw new Error('pull went wrong');
  },
});
