import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BoundedMemory } from './checkers/bounded-memory.ts';
import { ExactlyOnce } from './checkers/exactly-once.ts';
import { excuses } from './checkers/excuses.ts';
import { FinalSums } from './checkers/final-sums.ts';
import { Findings } from './checkers/findings.ts';
import { OwnWrites } from './checkers/own-writes.ts';
import { Progress } from './checkers/progress.ts';
import { StalenessBound } from './checkers/staleness-bound.ts';
import { noFaults, type FaultPlan } from '../src/sim/faults.ts';
import { runToyServer, type Bug } from './helpers/toy-server.ts';

for (const staleness of [0, 1, 4]) {
  test(`checkers of tables: a right server breaks nothing (s = ${staleness})`, () => {
    for (let seed = 1; seed <= 200; seed++) {
      assert.equal(runToyServer(seed, { staleness }).lines, [], `SEED=${seed}`);
    }
  });
}

const bugs: readonly (readonly [Bug, RegExp])[] = [
  ['one clock early', /^staleness bound: .*with s = \d it has at least/],
  ['max for min', /^staleness bound: .*clocks of worker \d before \d+ are missing/],
  ['applies twice', /^final sums: host 0 ends with/],
  ['loses a delta', /^staleness bound|^final sums/],
  ['forgets own deltas', /^read my writes: .*its own increments alone/],
  ['counts own deltas twice', /^staleness bound: .*more than/],
  ['never releases', /^progress: no event is left, and the read of worker/],
  ['waits for itself', /^progress: no event is left/],
];

for (const [bug, words] of bugs) {
  for (const staleness of [1, 3]) {
    test(`checkers of tables: a planted bug is found (${bug}, s = ${staleness})`, () => {
      const seeds = Array.from({ length: 50 }, (_, seed) => seed);
      const found = seeds.filter((seed) =>
        runToyServer(seed, { staleness, bug }).lines.some((line) => words.test(line)),
      );
      assert.ok(found.length > 0, `in ${found.length} of 50 seeds`);
    });
  }
}

const cell = { table: 1, row: 2, column: 3 };
const at = (worker: number, clock: number) => ({ ...cell, host: 0, worker, clock });

test('staleness bound: what a read at clock c may show, to the unit', () => {
  const shows = (exact: boolean, value: number) => {
    const findings = new Findings();
    const checker = new StalenessBound({ stalenessOf: () => 1, exact }, findings);
    // Worker 0 adds 1, 2, 4 in clocks 0, 1, 3; worker 1 adds 8 in clock 0 and 16 in clock 2.
    for (const [worker, clock, amount] of [
      ...([
        [0, 0, 1],
        [0, 1, 2],
        [0, 3, 4],
      ] as const),
      ...([
        [1, 0, 8],
        [1, 2, 16],
      ] as const),
    ]) {
      checker.incremented({ ...at(worker, clock), amount });
    }
    checker.read({ ...at(1, 3), value });
    return findings.count === 0;
  };
  // At clock 3 with s = 1: clocks 0 and 1 of everybody.
  assert.not(shows(false, 10));
  assert.ok(shows(false, 11));
  assert.ok(shows(false, 31));
  assert.not(shows(false, 32));
  assert.not(shows(false, NaN));
  assert.ok(shows(true, 11));
  assert.not(shows(true, 12));
});

test('staleness bound: infinite staleness promises nothing of others', () => {
  const findings = new Findings();
  const checker = new StalenessBound({ stalenessOf: () => Infinity }, findings);
  checker.incremented({ ...at(0, 0), amount: 1 });
  checker.read({ ...at(1, 9), value: 0 });
  assert.is(findings.count, 0);
});

test('read my writes: own clocks before the read, not the one under way', () => {
  const findings = new Findings();
  const checker = new OwnWrites(findings);
  checker.incremented({ ...at(0, 0), amount: 5 });
  checker.incremented({ ...at(0, 1), amount: 7 });
  checker.read({ ...at(0, 1), value: 5 });
  checker.read({ ...at(1, 9), value: 0 });
  assert.is(findings.count, 0);
  checker.read({ ...at(0, 2), value: 11 });
  assert.is(findings.count, 1);
});

test('checkers: one that was told nothing has not checked anything, and says so', () => {
  const findings = new Findings();
  new StalenessBound({ stalenessOf: () => 0 }, findings).finished();
  new OwnWrites(findings).finished();
  new FinalSums(findings).finished(0, () => 0);
  assert.is(findings.count, 3);
});

type Act = (checker: ExactlyOnce) => void;
const offer: Act = (checker) => void checker.offered(0, 1);
const arrive =
  (number: number): Act =>
  (checker) =>
    checker.arrived(0, 1, { number, payload: checker.payload(0, 1, number) });
const lost =
  (by: number, rank: number): Act =>
  (checker) =>
    checker.lost(by, rank);
const crash: Act = (checker) => checker.crashed(0);
const restart: Act = (checker) => checker.restarted(0);

const histories: readonly (readonly [string, readonly Act[], RegExp | undefined])[] = [
  ['in order', [offer, offer, arrive(0), arrive(1)], undefined],
  ['one is missing at the end', [offer, offer, arrive(0)], /1 of 2 packets arrived/],
  ['twice', [offer, arrive(0), arrive(0)], /packet 0 came again/],
  ['out of order', [offer, offer, arrive(1), arrive(0)], /packets 0 to 0 did not/],
  ['out of nothing', [arrive(0)], /never offered/],
  ['lost without a reason', [lost(1, 0), lost(0, 1)], /nothing happened/],
  ['lost after a crash', [offer, crash, lost(1, 0)], undefined],
  ['nobody told of a crash', [offer, crash], /never told that it lost 0/],
  ['lost twice', [crash, lost(1, 0), lost(1, 0)], /a second time/],
  ['after the loss', [offer, crash, lost(1, 0), arrive(0)], /from a lost peer/],
  ['under way when it crashed', [offer, crash, arrive(0), lost(1, 0)], undefined],
  [
    'a new life, taken for the old',
    [offer, crash, restart, offer, arrive(0), arrive(1)],
    /new life/,
  ],
  ['a new life', [offer, crash, lost(1, 0), restart, lost(0, 1), offer], undefined],
];

for (const [name, acts, words] of histories) {
  test(`exactly once: ${name}`, () => {
    const findings = new Findings();
    const checker = new ExactlyOnce(2, findings);
    for (const act of acts) act(checker);
    assert.is(checker.settled || findings.count > 0 || words !== undefined, true);
    checker.finished();
    if (words === undefined) assert.equal(findings.lines, []);
    else
      assert.ok(
        findings.lines.some((line) => words.test(line)),
        findings.lines.join('\n'),
      );
  });
}

test('exactly once: other bytes are found', () => {
  const findings = new Findings();
  const checker = new ExactlyOnce(2, findings);
  const payload = checker.payload(0, 1, checker.offered(0, 1)).map((byte) => byte ^ 1);
  checker.arrived(0, 1, { number: 0, payload });
  assert.match(findings.lines[0] ?? '', 'other bytes');
});

test('bounded memory: what was offered and has not arrived', () => {
  const findings = new Findings();
  const memory = new BoundedMemory(100, findings);
  memory.offered(0, 1, 60);
  memory.offered(1, 0, 60);
  memory.offered(0, 1, 40);
  assert.is(findings.count, 0);
  memory.offered(0, 1, 1);
  memory.arrived(0, 1, 60);
  memory.offered(0, 1, 59);
  memory.sampled(0, 1, 101);
  assert.equal(findings.count, 2);
  assert.is(memory.highestBytes, 101);
});

test('progress: what waits for longer than patience, and what waits when all is over', () => {
  const findings = new Findings();
  const progress = new Progress(100, findings);
  progress.want('a', 0);
  progress.want('b', 50);
  assert.ok(progress.check(100));
  progress.got('a');
  assert.ok(progress.check(150));
  assert.not(progress.check(151));
  progress.idle();
  assert.equal(findings.lines, ['progress: b is awaited since virtual ms 50.000']);
  const late = new Findings();
  const other = new Progress(100, late);
  other.idle();
  other.want('c', 0);
  other.idle();
  assert.equal(late.lines, ['progress: no event is left, and c is awaited']);
});

test('excuses: those who could not hear each other for too long, and nobody else', () => {
  const patience = { peerTimeoutMs: 1000, recoveryMs: 100 };
  const of = (plan: Partial<FaultPlan>) =>
    excuses({ ...noFaults, ...plan }, 3, patience).map(({ a, b }) => `${a}${b}`);
  const cut = (fromMs: number, untilMs: number) => ({ from: 2, to: 0, fromMs, untilMs });
  assert.equal(of({ cuts: [cut(0, 899)] }), []);
  assert.equal(of({ cuts: [cut(0, 900)] }), ['02']);
  assert.equal(of({ cuts: [cut(0, 500), cut(600, 900)] }), ['02']);
  assert.equal(of({ cuts: [cut(0, 500), cut(601, 1100)] }), []);
  const slow = { rank: 1, fromMs: 400, untilMs: 1300, factor: Infinity };
  assert.equal(of({ slowdowns: [slow] }), ['01', '12']);
  assert.equal(of({ cuts: [cut(0, 400)], slowdowns: [{ ...slow, rank: 0, untilMs: 900 }] }), [
    '02',
  ]);
});

test.run();
