// Test program with schedule, push and pull: sums the squares of 0 … count − 1 by parts, through
// partials, an i32 table of pushes and an f32 table of the scheduler, and says what it found.
import { defineProgram } from '../../src/program/program.ts';
import { ranges } from '../../src/scheduler/rotation.ts';

export type SummingOptions = {
  readonly count: number;
  readonly clocks: number;
  /** Works per clock; fewer than workers is legal, none too. */
  readonly works: number;
};

type Work = { readonly first: number; readonly last: number };
type State = { total: number; order: string[] };

export const program = defineProgram<SummingOptions, Work, null, State, number>({
  name: 'summing',
  tables: () => [
    { name: 'pushed', rows: 3, columns: 2, type: 'i32' },
    { name: 'pulled', rows: 1, columns: 1 },
    { name: 'seen', rows: 1, columns: 1, type: 'i32', access: 'owned' },
  ],
  start: () => null,
  startSchedule: () => ({ total: 0, order: [] }),
  schedule(ctx) {
    const { clock, options, state } = ctx;
    // What pull wrote is there at once, and what the pushes of the clock before wrote too.
    const done = Math.min(clock, options.clocks);
    const pulled = ctx.table('pulled').get(0)[0];
    const pushed = ctx.table('pushed').get(1)[1];
    const works = Math.min(options.works, ctx.workers);
    if (pulled !== done || pushed !== done * works) {
      throw new Error(`clock ${clock}: pulled ${pulled}, pushed ${pushed}, of ${done}`);
    }
    if (clock === options.clocks) {
      ctx.report({ total: state.total, order: state.order.length });
      return undefined;
    }
    return ranges(options.count, works);
  },
  push(ctx, { first, last }) {
    // A push sees the tables as they are after the pull before it.
    if (ctx.table('pulled').get(0)[0] !== ctx.clock) throw new Error('a stale read');
    let sum = 0;
    for (let i = first; i < last; i++) sum += i * i;
    ctx.table('pushed').inc(1, [last - first, 1]);
    return sum;
  },
  pull(ctx, partials) {
    if (partials.length !== Math.min(ctx.options.works, ctx.workers)) throw new Error('partials');
    ctx.table('pulled').inc(0, [1]);
    for (const partial of partials) ctx.state.total += partial;
    // In worker order: the parts ascend, so their sums of squares do.
    const sorted = [...partials].sort((a, b) => a - b);
    if (String(sorted) !== String(partials)) throw new Error(`out of order: ${partials.join(' ')}`);
    ctx.state.order.push(partials.join(' '));
  },
});
