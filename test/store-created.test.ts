// Tables that a program creates while it runs (creating-program.ts), on threads and on hosts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorCode } from '../src/base/errors.ts';
import type { Arena } from '../src/memory/arena.ts';
import type { RunPlan } from '../src/program/plan.ts';
import type { Consistency } from '../src/ps/freshness.ts';
import { sparseRow } from '../src/store/sparse-rows.ts';
import { denseRow, runCluster, tableOf, tryCluster } from './helpers/cluster.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { born, program, type CreatingOptions } from './programs/creating-program.ts';

const clocks = 15;

function checkTables(arena: Arena, plan: RunPlan): void {
  const { partitions } = plan;
  assert.equal(
    plan.tables.map(({ name, id }) => [id, name]).filter(([, name]) => name !== '#ledger'),
    [[0, 'first'], ...['late', 'words', 'chosen'].map((name, i) => [plan.planned + i, name])],
  );
  const after = Array.from({ length: clocks }, (_, clock) => clock).filter((c) => c > born.late);
  const sum = after.reduce((a, b) => a + b, 0);
  for (let p = 0; p < partitions; p++) {
    assert.equal(denseRow(arena, tableOf(plan, 'first'), p), [clocks, clocks]);
    const late = denseRow(arena, tableOf(plan, 'late'), p);
    assert.equal(late, [after.length, sum, -after.length], `late row ${p}`);
  }
  for (let word = 0; word < 5; word++) {
    const { columns, values, count } = sparseRow(arena, tableOf(plan, 'words'), word);
    const part = (at: number) => [...arena.i32.subarray(at / 4, at / 4 + count)];
    const times = after.filter((clock) => clock % 5 === word).length;
    assert.equal(
      part(columns),
      Array.from({ length: partitions }, (_, p) => p),
    );
    assert.equal(part(values), new Array(partitions).fill(2 * times));
  }
  for (let clock = born.chosen + 1; clock < clocks; clock++) {
    const all = (partitions * (partitions - 1)) / 2;
    const row = denseRow(arena, tableOf(plan, 'chosen'), (clock + 1) % 50);
    assert.equal(row, [partitions, all], `chosen at clock ${clock}`);
  }
}

const policies: [Consistency, number][] = [
  ['bsp', 0],
  ['ssp', 2],
  ['essp', 3],
  ['async', 0],
];

for (const [consistency, staleness] of policies) {
  const bound = consistency === 'async' ? 1000 : staleness;
  const options: CreatingOptions = { clocks, staleness: bound };
  for (const audit of [false, true]) {
    const how = `${consistency}, s = ${staleness}${audit ? ', audited' : ''}`;
    test(`created tables: used from the next clock on (${how}, threads)`, async () => {
      await withHost(3, async (host) => {
        const run = { consistency, staleness, audit, partitions: 6 };
        const wanted = request('creating-program', options, run);
        const { plan } = await host.run(await programOf('creating-program'), wanted);
        checkTables(host.arena, plan);
      });
    });
    for (const hosts of [2, 3]) {
      test(`created tables: used from the next clock on (${how}, ${hosts} hosts)`, () => {
        const run = { hosts, consistency, staleness, options, audit };
        for (const { arena, plan } of runCluster(program, run)) checkTables(arena, plan);
      });
    }
  }
}

for (const [consistency, staleness] of policies.filter(([name]) => name !== 'bsp')) {
  for (const slowRank of [0, 2]) {
    test(`created tables: a host far behind is told of them (${consistency}, ${slowRank})`, () => {
      const options: CreatingOptions = { clocks, staleness: 1000 };
      const run = { hosts: 3, consistency, staleness: staleness + 3, options, slowRank } as const;
      for (const { arena, plan } of runCluster(program, run)) checkTables(arena, plan);
    });
  }
}

const refusals: readonly (readonly [CreatingOptions['wrong'], ErrorCode, RegExp])[] = [
  ['spec', 'ERR_PROGRAM', /table "wrong": every worker calls createTable .* got .*columns/],
  [
    'missing',
    'ERR_PROGRAM',
    /table "wrong": every worker .* worker \d has finished clock 2 without/,
  ],
  ['late', 'ERR_PROGRAM', /table "wrong": every worker calls createTable/],
  ['again', 'ERR_PROGRAM', /"wrong": .* created at clock 2 and again at 4/],
  ['declared', 'ERR_PROGRAM', /tables\(\) declares "first" already/],
  ['many', 'ERR_LIMIT', /a run has at most 32 tables, "many 31" is one more/],
  ['early', 'ERR_PROGRAM', /no table "wrong"/],
];

for (const [wrong, code, words] of refusals) {
  test(`created tables: refused: ${wrong}`, async () => {
    const options = { clocks, staleness: 1, wrong };
    const run = { consistency: 'essp', staleness: 1, audit: false } as const;
    const { fault } = tryCluster(program, { ...run, hosts: 2, options });
    assert.is(fault?.code, code, fault?.message);
    assert.match(fault?.message ?? '', words);
    await withHost(2, async (host) => {
      const wanted = request('creating-program', options, { ...run, partitions: 4 });
      const done = host.run(await programOf('creating-program'), wanted);
      const error = await done.then(
        () => undefined,
        (thrown: unknown) => thrown as Error & { code: string },
      );
      assert.is(error?.code, code, error?.message);
      assert.match(error?.message ?? '', words);
    });
  });
}

test('created tables: refused: a stale table in a bulk-synchronous run', () => {
  const options = { clocks, staleness: 0, wrong: 'stale' };
  const { fault } = tryCluster(program, { hosts: 2, consistency: 'essp', options, audit: false });
  assert.is(fault?.code, 'ERR_PROGRAM');
  assert.match(fault?.message ?? '', 'this run is bulk-synchronous');
});

test.run();
