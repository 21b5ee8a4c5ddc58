// Reducers: what a row's owner makes of deltas, against plain arithmetic, on threads and on hosts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import { compileKernels } from '../src/memory/kernels.ts';
import { fold, wholeTable } from '../src/store/fold.ts';
import type { Reducer } from '../src/store/reduce.ts';
import type { TableSpec } from '../src/store/table.ts';
import { addPayload } from '../src/store/wire/apply.ts';
import { packLog } from '../src/store/wire/values.ts';
import { denseRow, runCluster, tableOf, tryCluster } from './helpers/cluster.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { anyNumbers, openBench, randomLog, readTable } from './helpers/wire.ts';
import { newCell, takeIn } from './oracle/reducers.ts';
import { incsOf, program, shape } from './programs/reducing-program.ts';

const clocks = 9;
const reducers: readonly Reducer[] = [
  'nonnegative',
  { softThreshold: 0.05 },
  { adaRevision: { initialStep: 0.3 } },
];
const nameOf = (reducer: Reducer) => JSON.stringify(reducer).replaceAll('"', '');

/** The table after a run whose clocks are folded in partition order. */
function wanted(reducer: Reducer, partitions: number): number[][] {
  const table = Array.from({ length: shape.rows }, () =>
    Array.from({ length: shape.columns }, newCell),
  );
  for (let clock = 0; clock < clocks; clock++) {
    const seen = new Set<number>();
    for (let partition = 0; partition < partitions; partition++) {
      for (const { row, columns, values } of incsOf(partition, clock)) {
        const delta = new Float32Array(shape.columns);
        columns.forEach((column, i) => (delta[column] = values[i]!));
        takeIn(reducer, table[row]!, delta, !seen.has(row));
        if (delta.some((value) => value !== 0)) seen.add(row);
      }
    }
  }
  return table.map((row) => row.map(({ value }) => value));
}

const rowsOf = (run: {
  arena: Parameters<typeof denseRow>[0];
  plan: Parameters<typeof tableOf>[0];
}) =>
  Array.from({ length: shape.rows }, (_, row) =>
    denseRow(run.arena, tableOf(run.plan, 'reduced'), row),
  );

for (const reducer of reducers) {
  for (const threads of [1, 3]) {
    test(`reducer: ${nameOf(reducer)} in lock-step, ${threads} threads, bit by bit`, async () => {
      await withHost(threads, async (host) => {
        const run = request('reducing-program', { clocks, reducer }, { partitions: 6 });
        const { plan } = await host.run(await programOf('reducing-program'), run);
        assert.equal(rowsOf({ arena: host.arena, plan }), wanted(reducer, 6));
      });
    });
  }
  for (const hosts of [2, 3]) {
    test(`reducer: ${nameOf(reducer)} in lock-step, ${hosts} hosts, bit by bit`, () => {
      const options = { clocks, reducer };
      const run = { hosts, threads: 2, partitions: 6, consistency: 'bsp', options } as const;
      for (const host of runCluster(program, run)) {
        assert.equal(rowsOf(host), wanted(reducer, 6));
      }
    });
    test(`reducer: ${nameOf(reducer)} under staleness: all ${hosts} hosts have the owner's`, () => {
      const run = {
        hosts,
        consistency: 'essp',
        staleness: 2,
        options: { clocks, reducer },
      } as const;
      const [first, ...others] = runCluster(program, run).map(rowsOf);
      for (const other of others) assert.equal(other, first);
      const values = first!.flat();
      assert.ok(values.some((value) => value !== 0) && values.every(Number.isFinite));
      if (reducer === 'nonnegative') assert.ok(values.every((value) => value >= 0));
    });
  }
}

const kernel = { kernel: 'rows_add_nonnegative' };
const url = new URL('../wasm/kernels.release.wasm', import.meta.url).href;

test('reducer: an export of the user’s kernel module, on threads and on hosts', async () => {
  await withHost(2, async (host) => {
    const options = { clocks, reducer: kernel };
    const run = { partitions: 6, userKernels: url };
    const wish = request('reducing-program', options, run);
    const { plan } = await host.run(await programOf('reducing-program'), wish);
    assert.equal(rowsOf({ arena: host.arena, plan }), wanted('nonnegative', 6));
  });
  const more = { userModule: compileKernels('release') };
  const options = { clocks, reducer: kernel };
  const run = { hosts: 2, threads: 1, partitions: 6, consistency: 'bsp', options, more } as const;
  for (const host of runCluster(program, run)) {
    assert.equal(rowsOf(host), wanted('nonnegative', 6));
  }
});

test('reducer: refused: no such export, wrong tables, wrong numbers', () => {
  const options = { clocks, reducer: { kernel: 'none' } };
  const { fault } = tryCluster(program, { hosts: 2, consistency: 'essp', options });
  assert.is(fault?.code, 'ERR_PROGRAM');
  assert.match(fault?.message ?? '', 'table "reduced": its reducer is an export');
  assert.match(fault?.message ?? '', 'which has no "none"');
  const bench = openBench();
  const refusals: [Partial<TableSpec>, RegExp][] = [
    [{ layout: 'sparse', reducer: 'nonnegative' }, /a reducer is for dense rows/],
    [{ access: 'owned', reducer: 'nonnegative' }, /a reducer is for dense rows/],
    [{ type: 'i32', reducer: 'nonnegative' }, /is for f32 values/],
    [{ columns: 65_537, reducer: 'nonnegative' }, /at most 65536 columns/],
    [{ reducer: { softThreshold: -1 } }, /softThreshold must be a number >= 0/],
    [{ reducer: { adaRevision: { initialStep: NaN } } }, /initialStep must be a number >= 0/],
  ];
  for (const [spec, words] of refusals) {
    assert.throws(() => bench.tables([{ name: 't', rows: 2, columns: 3, ...spec }]), words);
  }
});

test('reducer: a log that is sent record by record gives the same bits as fold()', () => {
  const bench = openBench();
  const { place } = bench;
  for (let seed = 0; seed < 60; seed++) {
    bench.reset();
    const prng = createPrng(seed, 5);
    const reducer = reducers[seed % 3]!;
    const spec = { name: 't', rows: 40, columns: 1 + prng.below(40), reducer };
    const [[direct], [sent]] = [bench.tables([spec]), bench.tables([spec])];
    for (let clock = 0; clock < 3; clock++) {
      const { log } = randomLog(bench, [direct!], prng, {
        records: 12,
        fill: 0.1,
        value: anyNumbers,
      });
      fold(place, [direct!], log, { share: wholeTable, clock });
      for (const range of [
        { first: 0, last: 17 },
        { first: 17, last: 40 },
      ]) {
        for (const payload of packLog(place, log, [direct!], () => range)) {
          addPayload(place, payload, [sent!], clock);
        }
      }
    }
    assert.equal(readTable(bench, sent!), readTable(bench, direct!), `case ${seed}`);
  }
});

test('reducer: rows that others own take the plain sum', () => {
  const bench = openBench();
  const { place } = bench;
  const spec = { name: 't', rows: 30, columns: 6 };
  const [plain] = bench.tables([spec]);
  const [full] = bench.tables([{ ...spec, reducer: { softThreshold: 0.5 } }]);
  const own = { first: 8, last: 21 };
  const [whole, part] = [
    full!,
    { ...bench.tables([spec])[0]!, reducer: { ...full!.reducer!, own } },
  ];
  const prng = createPrng(4, 4);
  const { log } = randomLog(bench, [plain!], prng, { records: 60, fill: 0.3, value: anyNumbers });
  for (const table of [plain!, whole, part]) {
    fold(place, [table], log, { share: wholeTable, clock: 0 });
  }
  const [sums, reduced, got] = [plain!, whole, part].map((table) => readTable(bench, table));
  assert.not.equal(sums, reduced);
  const isOwn = (row: number) => row >= own.first && row < own.last;
  assert.equal(
    got,
    sums!.map((values, row) => (isOwn(row) ? reduced![row]! : values)),
  );
});

test.run();
