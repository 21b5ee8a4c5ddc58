// Every kind of inc and every way to read a table (kinds-program.ts), on threads and on hosts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Arena } from '../src/memory/arena.ts';
import type { RunPlan } from '../src/program/plan.ts';
import type { Consistency } from '../src/ps/freshness.ts';
import { openDeltaLog } from '../src/store/delta-log.ts';
import { sparseRow } from '../src/store/sparse-rows.ts';
import { openView } from '../src/store/views.ts';
import { denseRow, runCluster, tableOf } from './helpers/cluster.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { openBench } from './helpers/wire.ts';
import { incsOf, program, shape } from './programs/kinds-program.ts';

const clocks = 12;

/** Both tables as arrays, summed up by other means. */
function sums(partitions: number): { dense: number[][]; topics: number[][] } {
  const zeros = (rows: number, columns: number) =>
    Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  const tables = {
    dense: zeros(shape.rows, shape.columns),
    topics: zeros(shape.words, shape.topics),
  };
  for (let partition = 0; partition < partitions; partition++) {
    for (let clock = 0; clock < clocks; clock++) {
      for (const { table, row, columns, values } of incsOf(partition, clock)) {
        columns.forEach((column, i) => (tables[table][row]![column]! += values[i]!));
      }
    }
  }
  return tables;
}

function checkTables(arena: Arena, plan: RunPlan, partitions: number, label: string): void {
  const want = sums(partitions);
  const [dense, topics] = [tableOf(plan, 'dense'), tableOf(plan, 'topics')];
  want.dense.forEach((values, row) => {
    assert.equal(denseRow(arena, dense, row), values, `${label}: dense row ${row}`);
  });
  want.topics.forEach((values, row) => {
    const found = sparseRow(arena, topics, row);
    const part = (at: number) => [...arena.i32.subarray(at / 4, at / 4 + found.count)];
    const entries = values.flatMap((value, column) => (value === 0 ? [] : [[column, value]]));
    const [columns, ordered] = [part(found.columns), part(found.values)];
    const got = columns.map((column, i) => [column, ordered[i]]);
    assert.equal(got, entries, `${label}: sparse row ${row}, no zeros`);
  });
}

for (const access of [undefined, 'rows'] as const) {
  const options = access ? { clocks, access } : { clocks };
  const reads = access ? 'declared rows' : 'whole tables';
  for (const [consistency, staleness, threads] of [
    ['bsp', 0, 3],
    ['essp', 2, 3],
    ['async', 0, 2],
  ] as [Consistency, number, number][]) {
    test(`kinds: all incs are in the tables (${consistency}, ${reads}, threads)`, async () => {
      await withHost(threads, async (host) => {
        const wanted = request('kinds-program', options, { consistency, staleness, audit: true });
        const { plan } = await host.run(await programOf('kinds-program'), wanted);
        checkTables(host.arena, plan, plan.partitions, consistency);
      });
    });
  }
  for (const [consistency, staleness, hosts] of [
    ['bsp', 0, 3],
    ['essp', 2, 3],
    ['ssp', 1, 2],
    ['async', 0, 2],
  ] as [Consistency, number, number][]) {
    test(`kinds: all incs are in the tables (${consistency}, ${reads}, ${hosts} hosts)`, () => {
      const run = { hosts, consistency, staleness, options };
      runCluster(program, run).forEach(({ arena, plan }, rank) => {
        checkTables(arena, plan, 2 * hosts, `rank ${rank}`);
      });
    });
  }
}

test('kinds: a sorted row in place, as schedule and pull see it, is in order', () => {
  const bench = openBench();
  const { arena, place } = bench;
  const [table] = bench.tables([{ name: 't', rows: 2, columns: 9, layout: 'sorted' }]);
  arena.i32.set([arena.allocate(64) / 16, 5, 8], (table!.at + table!.rowBytes) / 4);
  const { columns, values } = sparseRow(arena, table!, 1);
  arena.i32.set([0, 2, 3, 5, 8], columns / 4);
  arena.f32.set([1, -2, 7, 1, 7], values / 4);
  const view = openView(arena, place.kernels, table!);
  view.point(table!.at, bench.log(), 2);
  const { columns: order, values: sorted } = view.getSparse(1);
  assert.equal([...order], [3, 8, 0, 5, 2]);
  assert.equal([...sorted], [7, 7, 1, 1, -2]);
});

test('kinds: refused: columns that a table has not, dense incs of sparse rows', () => {
  const bench = openBench();
  const { arena, place } = bench;
  const tables = bench.tables([
    { name: 'dense', rows: 3, columns: 5 },
    { name: 'sparse', rows: 3, columns: 5, layout: 'sparse' },
  ]);
  const log = openDeltaLog(arena, arena.allocate(4096), 4096);
  log.clear();
  const [dense, sparse] = tables.map((table) => {
    const view = openView(arena, place.kernels, table);
    view.point(table.at, log, 3);
    return view;
  });
  const refusals: [() => void, RegExp][] = [
    [() => dense!.incColumns(3, [0], [1]), /table "dense" has rows 0 to 2, got 3/],
    [() => dense!.incColumns(0, [5], [1]), /"dense" has 5 columns, inc names column 5/],
    [() => dense!.incColumns(0, [0.5], [1]), /inc names column 0.5/],
    [() => dense!.incColumns(0, [1, 2], [1]), /"dense" has 5 columns, values for 1/],
    [() => dense!.incSpan(0, 3, [1, 1, 1]), /"dense" has 5 columns, incSpan names 3 to 5/],
    [() => dense!.incSpan(0, -1, [1]), /incSpan names -1 to -1/],
    [() => sparse!.incSpan(0, 0, [1]), /"sparse" is sparse: incSpan is for dense rows/],
    [() => sparse!.incColumns(0, [0], [1]), /"sparse" is sparse: incColumns is for dense rows/],
    [() => dense!.incSpan(0, 0, new Array<number>(2000)), /"dense" has 5 columns/],
  ];
  for (const [act, words] of refusals) assert.throws(act, words);
  assert.is([...log.records(tables)].length, 0, 'what was refused is not in the log');
});

test('kinds: incs of some columns take a few bytes of the log, not a row', () => {
  const bench = openBench();
  const { arena, place } = bench;
  const [table] = bench.tables([{ name: 'wide', rows: 2, columns: 1_000_000 }]);
  const log = openDeltaLog(arena, arena.allocate(4096), 4096);
  log.clear();
  const view = openView(arena, place.kernels, table!);
  view.point(table!.at, log, 2);
  for (let i = 0; i < 20; i++) {
    view.incColumns(1, [999_999, i], [1, 2]);
    view.incSpan(1, 500_000 + i, [1, 2, 3]);
  }
  assert.is([...log.records([table!])].length, 40);
});

test.run();
