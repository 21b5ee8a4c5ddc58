// Test program with schedule, over one or several hosts: every thread checks that what others wrote
// and shared has arrived before its turn, and that nobody else's turn is visible yet.
import { assert } from '../../src/base/assert.ts';
import { defineProgram, type Context } from '../../src/program/program.ts';

export type SharingOptions = {
  readonly clocks: number;
  /** Bytes that every worker sends to the scheduler each clock. */
  readonly bulk: number;
  readonly way?: 'share' | 'name' | 'worker' | 'throw' | 'slow' | 'schedule';
};

const rows = 40;
const columns = 3;

/** A value for a place that differs between clocks. */
const mark = (clock: number, place: number) => (clock + 1) * 1000 + place;

function cells(ctx: Context<SharingOptions>, name: string, first: number, count: number) {
  const at = ctx.buffer(name) / 4 + first;
  return ctx.arena.i32.subarray(at, at + count);
}

export const program = defineProgram<SharingOptions, { clock: number }, null, null, number>({
  name: 'sharing',
  tables: ({ workers }) => [
    { name: 'sum', rows, columns, type: 'i32' },
    { name: 'listed', rows: 9, columns: 4, type: 'i32' },
    { name: 'own', rows: 2 * workers, columns: 4, type: 'i32', access: 'owned' },
  ],
  buffers: ({ workers, options }) => [
    { name: 'board', bytes: 64 },
    { name: 'tokens', bytes: 2 * workers * 64 },
    { name: 'bulk', bytes: workers * options.bulk },
    { name: 'result', bytes: 64 },
  ],
  start: () => null,
  startSchedule: () => null,
  schedule(ctx) {
    const { clock, options } = ctx;
    if (clock === 3) ctx.report({ clock });
    if (clock === options.clocks) {
      cells(ctx, 'result', 0, 1)[0] = mark(clock, 7);
      ctx.share('result', 0, 64);
      return undefined;
    }
    cells(ctx, 'board', 0, 16).fill(mark(clock, 1));
    ctx.share('board', 0, 32);
    ctx.share('board', 32, 32);
    ctx.table('sum').inc(rows - 1, [1, 1, 1]);
    return Array.from({ length: ctx.workers }, () => ({ clock }));
  },
  push(ctx, work) {
    const { clock, worker, workers, options } = ctx;
    const last = clock === 2 && worker === workers - 1;
    if (last && options.way === 'throw') throw new Error('push went wrong');
    if (last && options.way === 'share') ctx.share('board', 60, 8);
    if (last && options.way === 'name') ctx.share('nobody', 0, 8);
    if (last && options.way === 'worker') ctx.share('board', 0, 8, workers);
    for (
      let ends = performance.now() + (options.way === 'slow' ? 5 : 0);
      performance.now() < ends;
    ) {
      ctx.poll();
    }
    assert(work.clock === clock, 'work belongs to its clock');
    const board = cells(ctx, 'board', 0, 16);
    assert(
      board.every((value) => value === mark(clock, 1)),
      `worker ${worker} sees the board of clock ${clock}, got ${board.join()}`,
    );
    const sum = ctx.table('sum');
    for (let row = 0; row < rows - 1; row++) {
      const writers = Array.from({ length: workers }, (_, w) => w).filter((w) => w % 13 === row);
      assert(sum.get(row)[0] === clock * writers.length, `row ${row} at clock ${clock}`);
    }
    assert(sum.get(rows - 1)[0] === clock + 1, 'the scheduler adds one a clock');
    // Tokens go round: each clock a worker sees that of the one before it, of the clock before.
    const before = (worker + workers - 1) % workers;
    const place = (of: number, at: number) => (at % 2) * workers + of;
    const token = cells(ctx, 'tokens', place(before, clock + 1) * 16, 16);
    const own = ctx.table('own');
    if (clock > 0) {
      assert(
        token.every((value) => value === mark(clock - 1, before)),
        `token of ${before} at ${clock}: ${token.join()}`,
      );
      const theirs = ctx.arena.i32[own.at / 4 + place(before, clock + 1) * 4];
      assert(theirs === mark(clock - 1, before), `row of ${before} at clock ${clock}: ${theirs}`);
    }
    sum.inc(worker % 13, [1, clock, worker]);
    // A list of rows is another kind of record than a run of them.
    const listed = ctx.table('listed');
    for (const row of [2, 3, 7]) {
      assert(listed.get(row)[3] === clock * workers, `listed row ${row} at clock ${clock}`);
    }
    ctx.arena.i32.set([7, 2, 3], ctx.scratch.at / 4);
    const deltas = listed.incRows(ctx.scratch.at, 3) / 4;
    for (let i = 0; i < 3; i++) ctx.arena.i32[deltas + i * 4 + 3] = 1;
    const mine = cells(ctx, 'tokens', place(worker, clock) * 16, 16).fill(mark(clock, worker));
    ctx.arena.i32[own.at / 4 + place(worker, clock) * 4] = mine[0] ?? 0;
    const after = (worker + 1) % workers;
    ctx.share('tokens', place(worker, clock) * 64, 64, after);
    ctx.share('own', place(worker, clock) * 16, 16, after);
    cells(ctx, 'bulk', (worker * options.bulk) / 4, options.bulk / 4).fill(mark(clock, worker));
    ctx.share('bulk', worker * options.bulk, options.bulk);
    return worker * 100 + clock;
  },
  pull(ctx, partials) {
    const { clock, workers, options } = ctx;
    partials.forEach((partial, worker) => assert(partial === worker * 100 + clock, 'in order'));
    assert(partials.length === workers, 'everyone reports');
    for (let worker = 0; worker < workers; worker++) {
      const bulk = cells(ctx, 'bulk', (worker * options.bulk) / 4, options.bulk / 4);
      assert(
        bulk.every((value) => value === mark(clock, worker)),
        `bulk of worker ${worker} at clock ${clock}`,
      );
    }
  },
});
