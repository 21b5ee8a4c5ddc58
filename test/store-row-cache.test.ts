// Tables with a bounded row cache: a host holds its own rows and some of the others', whatever the
// size of the table, and sums stay exact.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import type { SimulatedHost } from '../src/sim/simulated-host.ts';
import { defineProgram, type PartitionWork } from '../src/program/program.ts';
import type { Consistency } from '../src/ps/freshness.ts';
import { foldRows } from '../src/store/fold.ts';
import { openRowCache } from '../src/store/row-cache.ts';
import { openSnapshots } from '../src/store/snapshot.ts';
import { planTables, type TablePlan } from '../src/store/table.ts';
import { openView } from '../src/store/views.ts';
import { packValues } from '../src/store/wire/values.ts';
import { checkPayload } from '../src/store/wire/format.ts';
import { denseRow, tableOf, tryCluster } from './helpers/cluster.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { openBench } from './helpers/wire.ts';
import { incsAt, program, type ReadingOptions } from './programs/reading-program.ts';

const rowsOfValue = new Map<string, Buffer>();
function rowOf(value: number, columns: number): Buffer {
  const known = rowsOfValue.get(`${value} ${columns}`);
  if (known !== undefined) return known;
  const row = Buffer.from(new Int32Array(columns).fill(value).buffer);
  rowsOfValue.set(`${value} ${columns}`, row);
  return row;
}

/** Sums of own rows, host by host, against the pushes. */
function checkSums(hosts: readonly SimulatedHost[], options: ReadingOptions, partitions: number) {
  const want = new Int32Array(options.rows);
  for (let partition = 0; partition < partitions; partition++) {
    for (let clock = 0; clock < options.clocks; clock++) {
      for (const row of incsAt(partition, clock, options)) want[row]! += 1;
    }
  }
  for (const { arena, plan } of hosts) {
    const table = tableOf(plan, 'counts');
    const { first, last } = table.cache!.own;
    for (let row = first; row < last; row++) {
      const at = table.at + row * table.rowBytes;
      const found = Buffer.from(arena.u8.buffer, at, 4 * options.columns);
      const filled = rowOf(want[row]!, options.columns);
      assert.ok(found.equals(filled), `row ${row}: ${arena.i32[at / 4]}, not ${want[row]}`);
    }
  }
}

const policies: [Consistency, number, boolean][] = [
  ['bsp', 0, false],
  ['ssp', 2, false],
  ['essp', 2, false],
  ['essp', 3, true],
  ['async', 0, false],
];

for (const [consistency, staleness, early] of policies) {
  for (const hosts of [2, 3]) {
    const how = `${consistency}, s = ${staleness}${early ? ', early' : ''}, ${hosts} hosts`;
    test(`row cache: reads keep their bound, sums are exact (${how})`, () => {
      for (const ahead of [0, 2]) {
        const bound = consistency === 'async' ? 1000 : staleness;
        const options: ReadingOptions = {
          ...{
            clocks: 40,
            staleness: bound,
            ahead,
            rows: 101,
            columns: 5,
            incRows: 2,
            readRows: 3,
          },
          ...{ cacheRows: consistency === 'async' ? 60 : 26 },
        };
        const run = { hosts, consistency, staleness, early, options, audit: true };
        const { fault, hosts: all } = tryCluster(program, run);
        assert.is(fault?.message, undefined, fault?.stack);
        assert.ok(
          all.every((host) => host.finished),
          all.map((host) => host.describe()).join('\n'),
        );
        checkSums(all, options, 2 * hosts);
      }
    });
  }
}

test('row cache: on one host it is not there', async () => {
  await withHost(2, async (host) => {
    const options = { clocks: 8, staleness: 1, ahead: 2, rows: 50, columns: 3, cacheRows: 1 };
    const run = { consistency: 'ssp', staleness: 1, partitions: 2 } as const;
    const wanted = request('reading-program', options, run);
    const { plan } = await host.run(await programOf('reading-program'), wanted);
    assert.is(tableOf(plan, 'counts').cache, undefined);
  });
});

test('row cache: too few slots for what pushes read and write is ERR_LIMIT, with the remedy', () => {
  const options = { clocks: 8, staleness: 1, ahead: 0, rows: 500, columns: 3, cacheRows: 2 };
  const run = { hosts: 2, consistency: 'essp', staleness: 1, options } as const;
  const { fault } = tryCluster(program, run);
  assert.is(fault?.code, 'ERR_LIMIT');
  assert.match(fault?.message ?? '', 'table "counts" keeps 2 rows of other hosts at a time');
  assert.match(fault?.message ?? '', 'raise cacheRows');
});

test('row cache: a table of 2.5 GiB over hosts of 0.8 GiB', () => {
  const options: ReadingOptions = {
    ...{ clocks: 6, staleness: 1, ahead: 1, rows: 640_000, columns: 1024 },
    ...{ cacheRows: 64, readRows: 8, incRows: 4 },
  };
  const small = { ...program, deltaBytes: () => 2 ** 20 };
  const run = { hosts: 4, threads: 1, consistency: 'essp', staleness: 1 } as const;
  const arenaBytes = 700 * 2 ** 20;
  const { fault, hosts } = tryCluster(small, { ...run, options, arenaBytes, audit: false });
  assert.is(fault?.message, undefined, fault?.stack);
  checkSums(hosts, { ...options, columns: 1024 }, 4);
});

test('row cache: own rows of a table far beyond 4 GiB are read, written and packed', () => {
  const bench = openBench();
  const { arena, place } = bench;
  const own = { first: 900_000, last: 900_040 };
  const spec = {
    name: 'huge',
    rows: 1_000_000,
    columns: 65_536,
    access: 'rows',
    cacheRows: 3,
  } as const;
  const [table] = planTables(arena, [spec], { consistency: 'bsp', staleness: 0 }, () => own);
  const huge = table as TablePlan;
  assert.ok(huge.at < -(2 ** 37), 'row 0 would be far below the memory');
  const log = bench.log();
  const view = openView(arena, place.kernels, huge);
  view.point(0, log, 0);
  const list = arena.allocate(64);
  arena.i32.set([900_007, 900_039], list / 4);
  view.incSpan(900_007, 10, [1, 2, 3]);
  view.incColumns(900_039, [65_535, 4], [5, 6]);
  arena.f32[view.incRows(list, 2) / 4] = 7;
  arena.f32[view.incRange(900_007, 1) / 4 + 65_535] = 8;
  foldRows(place, [huge], log, { rowsOf: () => [own], clock: 0 });
  const snapshots = openSnapshots(arena, place.kernels, true);
  view.point(snapshots.take(huge, { at: list, count: 2 }), log, 2, list);
  const found = [...view.each()].map(([row, values]) => [
    row,
    [...values].flatMap((value, column) => (value === 0 ? [] : [[column, value]])),
  ]);
  assert.equal(found, [
    [
      900_007,
      [
        [0, 7],
        [10, 1],
        [11, 2],
        [12, 3],
        [65_535, 8],
      ],
    ],
    [
      900_039,
      [
        [4, 6],
        [65_535, 5],
      ],
    ],
  ]);
  const payloads = packValues(place, huge, Int32Array.of(900_007, 900_039));
  for (const payload of payloads)
    assert.is(
      checkPayload(payload, [huge], () => own),
      undefined,
    );
});

test('row cache: CLOCK: what was used is spared once, pins and own deltas hold, owners hear', () => {
  const bench = openBench();
  const { arena } = bench;
  const spec = { name: 't', rows: 100, columns: 4, access: 'rows', cacheRows: 3 } as const;
  const [table] = planTables(arena, [spec], { consistency: 'bsp', staleness: 0 }, () => ({
    ...{ first: 0, last: 50 },
  }));
  const touched = arena.allocate(128);
  const rowClocks = arena.allocate(400);
  arena.i32.fill(-1, rowClocks / 4, rowClocks / 4 + 100);
  const cache = openRowCache(arena, table!, table!.cache!, { touched, rowClocks });
  const held = () =>
    Array.from({ length: 100 }, (_, row) => row).filter((row) => cache.slotOf(row) >= 0);
  for (const row of [60, 61, 62]) cache.claim(row);
  arena.i32[rowClocks / 4 + 60] = 5;
  cache.claim(63);
  assert.equal(held(), [61, 62, 63], 'all were used: the hand went round once');
  assert.equal([...cache.takeGone()], [60]);
  assert.equal([...cache.takeGone()], []);
  cache.claim(61);
  cache.claim(64);
  assert.equal(held(), [61, 63, 64], '61 was used again, 62 was not');
  assert.equal([...cache.takeGone()], [], 'the owner never thought that 62 is here');
  cache.pin(61);
  arena.u8[touched + 63] = 1;
  for (const row of [70, 71, 72]) cache.claim(row);
  assert.equal(held(), [61, 63, 72], 'pinned, and with own deltas');
  cache.pin(72);
  assert.is(cache.tryClaim(73), undefined);
  assert.throws(() => cache.claim(73), /cacheRows/);
  cache.unpin(61);
  const place = cache.placeOf(cache.slotOf(61)) / 4;
  arena.f32.fill(9, place, place + 4);
  cache.claim(73);
  assert.equal([...arena.f32.subarray(place, place + 4)], [0, 0, 0, 0], 'a fresh slot is zeros');
  assert.equal(held(), [63, 72, 73]);
});

test('row cache: rows that never fit: random reads and writes, with few slots', () => {
  const wild = defineProgram<unknown, PartitionWork, number>({
    name: 'wild',
    tables: () => [{ name: 'counts', rows: 2000, columns: 2, access: 'rows', cacheRows: 40 }],
    clocks: () => 60,
    start: ({ arena }) => arena.allocate(64),
    reads({ state, arena }, { partition, clock }) {
      const prng = createPrng(partition, clock);
      for (let i = 0; i < 5; i++) arena.i32[state / 4 + i] = prng.below(2000);
      return { counts: { at: state, count: 5 } };
    },
    push(ctx, { clock }) {
      for (const [row, [sum]] of ctx.table('counts').each()) {
        if (sum! > 0 && sum! % 1 !== 0) throw new Error(`${row}: ${sum} at ${clock}`);
        ctx.table('counts').inc(row, [1, clock]);
      }
    },
  });
  const run = { hosts: 4, threads: 2, consistency: 'essp', staleness: 1, audit: false } as const;
  const { fault, hosts } = tryCluster(wild, run);
  assert.is(fault?.message, undefined, fault?.stack);
  let total = 0;
  for (const { arena, plan } of hosts) {
    const table = tableOf(plan, 'counts');
    const { first, last } = table.cache!.own;
    for (let row = first; row < last; row++) total += denseRow(arena, table, row)[0]!;
  }
  assert.is(total, 60 * 8 * 5);
});

test.run();
