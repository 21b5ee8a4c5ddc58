// Test program: worker 1 fails at clock 2, in the way that the options name.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';
import type { PushContext } from '../../src/program/program.ts';

export type FailingOptions = { readonly way: string };

type Push = PushContext<FailingOptions, null>;

function forever(): never {
  for (let n = 0; ; n++) if (n < 0) throw new Error('unreachable');
}

const ways: Readonly<Record<string, (ctx: Push) => unknown>> = {
  push() {
    throw new Error('push went wrong');
  },
  text() {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- programs may
    throw 'only a text';
  },
  exit: () => process.exit(3),
  loop: forever,
  gather({ kernels, arena, scratch }) {
    arena.i32[scratch.at / 4] = 0;
    return kernels.rows_gather(1, 2 ** 30, scratch.at, 2 ** 32 - 65536, scratch.at);
  },
  repack: ({ kernels }) => kernels.rows_repack(3, 2 ** 31 - 1, 0, 0, 2 ** 32 - 16, 2 ** 31),
  tableName: (ctx) => ctx.table('wieghts'),
  bufferName: (ctx) => ctx.buffer('lost'),
  getRow: (ctx) => ctx.table('dense').get(5),
  getDeclared: (ctx) => ctx.table('declared').get(2),
  getNone: (ctx) => ctx.table('writeOnly').get(0),
  incRow: (ctx) => ctx.table('dense').inc(-1, [1, 2, 3]),
  incLength: (ctx) => ctx.table('dense').inc(0, [1, 2]),
  incColumn: (ctx) => ctx.table('sparse').incSparse(0, [0, 100], [1, 1]),
  incValues: (ctx) => ctx.table('sparse').incSparse(0, [0, 1], [1]),
  incRange: (ctx) => ctx.table('dense').incRange(4, 2),
  incCount: (ctx) => ctx.table('dense').incRows(ctx.scratch.at, -1),
  incRows(ctx) {
    ctx.arena.i32.set([4, 5], ctx.scratch.at / 4);
    return ctx.table('dense').incRows(ctx.scratch.at, 2);
  },
  log(ctx) {
    for (;;) ctx.table('dense').inc(0, [1, 2, 3]);
  },
  nan: (ctx) => ctx.table('dense').inc(3, [1, NaN, 3]),
  infinite: (ctx) => ctx.table('sparse').incSparse(4, [7], [Infinity]),
  overflow(ctx) {
    ctx.table('dense').inc(2, [3e38, 0, 0]);
    ctx.table('dense').inc(2, [3e38, 0, 0]);
  },
  allocate: (ctx) => ctx.arena.allocate(2 ** 33),
  report: (ctx) => ctx.report({ ['x'.repeat(40_000)]: 1 }),
};

const outside = 1e6;

export const program = defineProgram<FailingOptions, PartitionWork, null>({
  name: 'failing',
  tables({ options }) {
    if (options.way === 'tables') throw new TypeError('tables went wrong');
    return [
      { name: 'dense', rows: 5, columns: options.way === 'columns' ? 2 ** 30 : 3 },
      { name: 'sparse', rows: 5, columns: 100, layout: 'sparse' },
      { name: 'declared', rows: 50, columns: 3, access: 'rows' },
      { name: 'writeOnly', rows: 5, columns: 3, access: 'none' },
    ];
  },
  deltaBytes: () => 10_000,
  clocks: () => 6,
  start({ worker, options }) {
    if (worker === 1 && options.way === 'start') throw new Error('start went wrong');
    if (worker === 1 && options.way === 'startLoop') forever();
    return null;
  },
  reads({ arena, scratch, worker, clock, options }) {
    const now = worker === 1 && clock === 2;
    if (now && options.way === 'reads') throw new Error('reads went wrong');
    if (now && options.way === 'readsNone') return {};
    const row = now && options.way === 'readsRow' ? outside : 7;
    arena.i32.set([1, row], scratch.at / 4);
    return { declared: { at: scratch.at, count: 2 } };
  },
  push(ctx) {
    ctx.table('dense').inc(0, [1, 0, 0]);
    if (ctx.worker === 1 && ctx.clock === 2) ways[ctx.options.way]?.(ctx);
    // Outside its functions: nobody catches it but the thread.
    if (ctx.worker === 1 && ctx.options.way === 'late') {
      queueMicrotask(() => {
        throw new Error('later went wrong');
      });
    }
  },
});
