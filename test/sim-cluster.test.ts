// The parameter server over simulated hosts: planted bugs that have to be found, and the same bits
// on any number of hosts. The seeds of the fuzz are in sim-cluster-seeds-*.test.ts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Machines } from '../src/cluster/machines.ts';
import { networkFaults } from '../src/sim/options.ts';
import { deliversTwice, skipsOne } from './helpers/planted.ts';
import { fuzz, runPlan, type FuzzOptions } from './helpers/ps-fuzz.ts';
import { drawPlan, type FuzzPlan } from './helpers/ps-plan.ts';
import * as planted from './helpers/ps-planted.ts';

test('simulated cluster: the same seed gives the same trace, another seed another', () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const { hash, events } = fuzz(seed);
    const again = fuzz(seed);
    assert.is(again.hash, hash, `SEED=${seed}`);
    assert.is(again.events, events, `SEED=${seed}`);
    hashes.add(hash);
  }
  assert.is(hashes.size, 30);
});

/** Each with the words that the checkers find for it. */
const canaries: readonly (readonly [string, FuzzOptions, RegExp])[] = [
  ['reads are answered a clock early', { machines: planted.answersEarly }, /it has at least/],
  ['max for min', { machines: planted.takesTheFastest }, /it has at least/],
  ['a batch is applied twice', { machines: planted.appliesTwice }, /final sums|more than/],
  ['a batch is delivered twice', { createSession: deliversTwice }, /arrive once and in order/],
  ['a batch is lost with its connection', { createSession: skipsOne }, /once and in order/],
  [
    'a confirmation is lost',
    { machines: planted.losesConfirmations },
    /more than|no event is left/,
  ],
  ['a replay is forgotten', { machines: planted.forgetsReplay }, /its own increments alone/],
  ['a batch is released early', { machines: planted.releasesEarly }, /its own increments alone/],
  ['half a batch counts as whole', { machines: planted.countsHalves }, /at least|more than|ends/],
  ['changed rows are forgotten', { machines: planted.forgetsDirtyRows }, /it has at least/],
  ['applied on arrival', { machines: planted.appliesOnArrival }, /more than the/],
];

for (const [name, options, words] of canaries) {
  test(`simulated cluster: checkers find a planted bug (${name})`, () => {
    for (let seed = 1; seed <= 300; seed++) {
      if (fuzz(seed, options).findings.some((finding) => words.test(finding))) return;
    }
    assert.unreachable('300 seeds, and nothing was found');
  });
}

const ways = [[1], [3], [1, 2], [2, 1, 1], [1, 3, 2, 1], [3, 1, 1, 2, 1]] as const;

/** A bulk-synchronous run whose sums depend on their order, on hosts with `threads` workers. */
function orderedPlan(seed: number, threads: readonly number[]): FuzzPlan {
  const table = { columns: 2, type: 'f32', layout: 'dense' } as const;
  const pushMs = threads.map((_, rank) => 1 + ((rank * 5 + seed) % 4));
  return {
    ...drawPlan(seed),
    ...{ threads, pushMs, partitions: 9, clocks: 12, consistency: 'bsp', staleness: 0 },
    ...{ barrierEvery: 0, prefetches: false },
    ...{ exact: false, failure: undefined, faults: networkFaults({ jitter: '5ms' }, 5) },
    tables: [
      { name: 'own', rows: 9, columns: 1, type: 'i32' },
      { ...table, name: 'dense', rows: 3 },
      { ...table, name: 'rows', rows: 6, columns: 5, access: 'rows' },
      { ...table, name: 'narrow', rows: 5, columns: 1, access: 'none' },
      { ...table, name: 'sparse', rows: 4, layout: 'sparse' },
      { ...table, name: 'sparse rows', rows: 5, columns: 3, layout: 'sparse', access: 'rows' },
    ],
  };
}

/** The tables of all hosts, which are the same; as many as there are hosts. */
function tablesOf(seed: number, threads: readonly number[], machines?: Machines) {
  const { findings, tables, last } = runPlan(
    orderedPlan(seed, threads),
    machines ? { machines } : {},
  );
  if (machines === undefined) {
    assert.equal(findings, [], last().join('\n'));
    assert.is(tables.length, threads.length);
  }
  return tables;
}

test('simulated cluster: bulk-synchronous runs give the same bits on 1 to 5 hosts', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const [expected] = tablesOf(seed, [2]);
    assert.ok(expected?.every((table) => table.some((byte) => byte !== 0)));
    for (const threads of ways) {
      for (const tables of tablesOf(seed, threads)) {
        assert.equal(tables, expected, `SEED=${seed} threads ${threads.join(' ')}`);
      }
    }
  }
});

test('simulated cluster: bits tell when batches are applied on arrival', () => {
  const [expected] = tablesOf(1, [2]);
  const tables = tablesOf(1, [1, 3, 2, 1], planted.appliesOnArrival);
  assert.not.equal(tables[0], expected);
});

test.run();
