// Passes over the samples by column: what every solver of a linear model repeats, X'v and X a, and
// nothing else. Reports what a pass costs each worker, the least of each partition's passes, and
// the median time from pass to pass.
import { partitionRows } from '../../src/models/rows.ts';
import { addColumns, dots, openColumns, type Columns } from '../../src/models/linear/columns.ts';
import type { Samples } from '../../src/data/dataset.ts';
import { defineProgram, type PartitionWork, type PushContext } from '../../src/program/program.ts';

type Options = { readonly repeats: number };
type Own = { readonly columns: Columns; readonly v: number; readonly a: number; leastMs: number };
type State = {
  readonly own: Map<number, Own>;
  readonly starts: number[];
  /** Partitions of this worker that are done with the last pass. */
  ended: number;
};

/** The first pass builds the columns. */
const warmup = 1;

function open({ state, ...ctx }: PushContext<Options, State>, partition: number): Own {
  const data = ctx.data as Samples;
  const columns = openColumns(ctx, data, partitionRows(data.rows, ctx.partitions, partition));
  const v = ctx.arena.allocate((columns.length + 2) * 8);
  const a = ctx.arena.allocate((columns.columns + 2) * 8);
  const own = { columns, v, a, leastMs: Infinity };
  state.own.set(partition, own);
  return own;
}

function report({ state, worker, ...ctx }: PushContext<Options, State>): void {
  const spent = [...state.own.values()].reduce((sum, { leastMs }) => sum + leastMs, 0);
  const spans = state.starts.slice(1).map((start, i) => start - state.starts[i]!);
  const medianMs = spans.sort((a, b) => a - b)[spans.length >> 1] ?? NaN;
  ctx.report({ objective: 0, [`spent${worker}Ms`]: spent, ...(worker === 0 ? { medianMs } : {}) });
}

export const program = defineProgram<Options, PartitionWork, State>({
  name: 'passes',
  tables: () => [{ name: 'nothing', rows: 1, columns: 1 }],
  clocks: ({ options }) => options.repeats + warmup,
  start: () => ({ own: new Map(), starts: [], ended: 0 }),
  push(ctx, { partition, clock }) {
    const { state, arena } = ctx;
    const own = state.own.get(partition) ?? open(ctx, partition);
    const { columns, v, a } = own;
    // Every time, so that v neither grows nor becomes denormal.
    arena.f64.fill(1e-3, v / 8, v / 8 + columns.rows);
    const start = performance.now();
    if (clock >= warmup && state.starts.length <= clock - warmup) state.starts.push(start);
    dots(ctx, columns, { list: 'all', v, out: a });
    addColumns(ctx, columns, { list: 'all', a, v });
    own.leastMs = Math.min(own.leastMs, performance.now() - start);
    if (clock + 1 === ctx.options.repeats + warmup && ++state.ended === state.own.size) report(ctx);
  },
});
