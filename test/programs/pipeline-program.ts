// Test program with a pipeline: sums the squares of 0 … count − 1 in every clock, while others are
// in flight. It holds the runtime to what it promises: pulls come in order, no more than `depth`
// clocks are ahead, a push reads whole rows, and no delta is lost or folded twice.
import { defineProgram } from '../../src/program/program.ts';
import { ranges } from '../../src/scheduler/rotation.ts';

export type PipelineOptions = {
  readonly count: number;
  readonly clocks: number;
  readonly depth: number;
  /** Of the row that every pull changes, and every push reads. */
  readonly columns?: number;
  /** Characters of ballast in every work and every partial. */
  readonly ballast?: number;
  readonly failAt?: number;
  /** Phases of one item each: `ahead` clocks later the same comes again. */
  readonly items?: number;
  /** Says in the middle that there is nothing to schedule until all has been pulled. */
  readonly pauseAt?: number;
};

type Work = { readonly first: number; readonly last: number; readonly ballast: string };
type Partial = { readonly sum: number; readonly ballast: string };
type State = { total: number; pulled: number; deepest: number; paused: boolean };

const columnsOf = ({ columns = 2000 }: PipelineOptions) => columns;

export const program = defineProgram<PipelineOptions, Work, null, State, Partial>({
  name: 'pipeline',
  tables: ({ options }) => [
    { name: 'pushed', rows: 3, columns: 2, type: 'i32' },
    { name: 'pulled', rows: 1, columns: columnsOf(options) },
  ],
  pipeline: ({ options }) => options.depth,
  conflict: (_, a, b) => (Math.abs(a - b) === 7 ? 'they are 7 apart' : undefined),
  start: () => null,
  startSchedule: () => ({ total: 0, pulled: 0, deepest: 0, paused: false }),
  schedule(ctx) {
    const { clock, options, state } = ctx;
    if (ctx.table('pulled').get(0)[0] !== state.pulled) throw new Error('pull is seen at once');
    const ahead = clock - state.pulled;
    if (ahead > options.depth) throw new Error(`${ahead} clocks ahead`);
    state.deepest = Math.max(state.deepest, ahead);
    if (clock === options.pauseAt && ahead > 0) {
      state.paused = true;
      return undefined;
    }
    if (clock >= options.clocks) {
      const [pushed = 0, works = 0] = ctx.table('pushed').get(1);
      const { total, deepest, paused } = state;
      if (ahead === 0) ctx.report({ total, deepest, pushed, works, paused: paused ? 1 : 0 });
      return undefined;
    }
    if (options.items !== undefined) {
      ctx.began({ number: clock, picked: [clock % options.items] });
    }
    const ballast = 'w'.repeat(options.ballast ?? 0);
    return ranges(options.count, ctx.workers).map((range) => ({ ...range, ballast }));
  },
  push(ctx, { first, last, ballast }) {
    const { depth, failAt } = ctx.options;
    if (ctx.clock === failAt && ctx.worker === ctx.workers - 1) throw new Error('planted');
    const row = ctx.table('pulled').get(0);
    const [seen = -1] = row;
    if (row.some((value) => value !== seen)) throw new Error('a torn row');
    if (seen > ctx.clock || seen < ctx.clock - depth) {
      throw new Error(`clock ${ctx.clock} reads ${seen} pulls`);
    }
    let sum = 0;
    for (let i = first; i < last; i++) sum += i * i;
    ctx.table('pushed').inc(1, [last - first, 1]);
    return { sum, ballast };
  },
  pull(ctx, partials) {
    const { state, options } = ctx;
    if (ctx.clock !== state.pulled) throw new Error(`pulled ${ctx.clock} after ${state.pulled}`);
    if (partials.some((_, worker) => !(ctx.pushMs(worker) >= 0))) throw new Error('no time');
    state.pulled += 1;
    for (const { sum } of partials) state.total += sum;
    ctx.table('pulled').inc(0, new Array<number>(columnsOf(options)).fill(1));
    if (options.items !== undefined) ctx.ended(ctx.clock);
  },
});
