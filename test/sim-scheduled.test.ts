// Scheduled programs over simulated hosts: partials that come late, are lost and sent again, or end
// with their host; planted bugs that have to be found. More seeds are in sim-scheduled-seeds.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plainSending } from '../src/jobs/cluster.ts';
import { noFaults, perfectLink, type FaultPlan } from '../src/sim/faults.ts';
import type { Meddling } from './helpers/fuzz-hosts.ts';
import { deliversTwice, skipsOne } from './helpers/planted.ts';
import { patience } from './helpers/ps-plan.ts';
import { fuzzScheduled, runScheduledPlan } from './helpers/scheduled-fuzz.ts';
import { drawScheduled, type ScheduledPlan } from './helpers/scheduled-plan.ts';
import * as planted from './helpers/scheduled-planted.ts';

test('simulated scheduled runs: the same seed gives the same trace, another seed another', () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const { hash, events } = fuzzScheduled(seed);
    const again = fuzzScheduled(seed);
    assert.is(again.hash, hash, `SEED=${seed}`);
    assert.is(again.events, events, `SEED=${seed}`);
    hashes.add(hash);
  }
  assert.is(hashes.size, 20);
});

/** Each with the words that the checkers find for it. */
const canaries: readonly (readonly [string, Meddling, RegExp])[] = [
  ['a report is dropped', { meddle: planted.drops('report') }, /no event is left/],
  ['work is dropped', { meddle: planted.drops('work') }, /no event is left/],
  ['shared bytes are dropped', { meddle: planted.drops('shared') }, /does not see|has .* not/],
  ['work before its shared bytes', { meddle: planted.worksEarly }, /does not see the board/],
  ['a report before its deltas', { meddle: planted.reportsEarly }, /partials: the scheduler at/],
  ['a flush is answered early', { meddle: planted.flushesEarly }, /does not see the token/],
  ['deltas are folded twice', { meddle: planted.foldsTwice }, /partials: the scheduler at/],
  ['workers are swapped', { meddle: planted.swapsWorkers }, /partials: pull gets/],
  ['frames are not sent again', { createSession: planted.resendsNothing }, /no event is left/],
  [
    'a packet is delivered twice',
    { createSession: deliversTwice },
    /assigned|pushes clock \d+ again/,
  ],
  ['a packet is lost with its connection', { createSession: skipsOne }, /does not see|reads/],
];

for (const [name, options, words] of canaries) {
  test(`simulated scheduled runs: checkers find a planted bug (${name})`, () => {
    const others = new Set<string>();
    for (let seed = 1; seed <= 150; seed++) {
      const { findings } = fuzzScheduled(seed, options);
      if (findings.some((finding) => words.test(finding))) return;
      findings.forEach((finding) => others.add(finding));
    }
    assert.unreachable(
      `150 seeds, and nothing was found but ${[...others].slice(0, 5).join('\n')}`,
    );
  });
}

/** A plan of the fuzz in which nothing goes wrong. */
function quietPlan(seed: number): ScheduledPlan {
  const drawn = drawScheduled(seed);
  const sending = { ...plainSending, bytesPerSecond: undefined };
  return { ...drawn, sending, clocks: 12, faults: noFaults, failure: undefined };
}

/** How long the hosts of a plan run when `faults` happen; they come to the end all the same. */
function endMsOf(plan: ScheduledPlan, faults: Partial<FaultPlan>): number {
  const { findings, finished, endMs, last } = runScheduledPlan({
    ...plan,
    faults: { ...noFaults, ...faults },
  });
  assert.equal(findings, [], last().join('\n'));
  assert.is(finished, plan.threads.length);
  return endMs;
}

const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

test('simulated scheduled runs: late partials delay the run and change nothing', () => {
  for (const seed of seeds) {
    const plan = quietPlan(seed);
    const slow = { rank: 1, fromMs: 0, untilMs: Infinity, factor: 10 };
    const alone = endMsOf(plan, {});
    assert.ok(endMsOf(plan, { slowdowns: [slow] }) > alone, `SEED=${seed}`);
    const link = { ...perfectLink, latencyMs: 5, jitterMs: 20 };
    // A clock takes two ways at least, when anyone elsewhere has work.
    assert.ok(endMsOf(plan, { link }) > alone + 20, `SEED=${seed}`);
  }
});

test('simulated scheduled runs: what is lost, doubled or overtaken arrives once and in order', () => {
  for (const seed of seeds) {
    const plan = quietPlan(seed);
    const channel = { lost: 0.2, twice: 0.2, overtaking: 0.2, stale: true };
    const link = { ...perfectLink, latencyMs: 1 };
    assert.ok(endMsOf(plan, { channel, link }) > endMsOf(plan, { link }), `SEED=${seed}`);
    const cut = { from: 1, to: 0, fromMs: 2, untilMs: 900 };
    const cuts = [cut, { ...cut, from: 0, to: 1, fromMs: 1500, untilMs: 2500 }];
    assert.ok(endMsOf(plan, { cuts, link }) > 900, `SEED=${seed}`);
  }
});

test('simulated scheduled runs: a host that is lost ends all in time, with what was awaited', () => {
  for (const seed of seeds) {
    for (const silent of [false, true]) {
      for (const rank of [0, 1]) {
        const plan = { ...quietPlan(seed), clocks: 1000 };
        const crashes = [{ rank, atMs: 30, silent }];
        const faults = { ...noFaults, link: { ...perfectLink, latencyMs: 1 }, crashes };
        // That faults name the lost host, and what was awaited, is checked for every seed.
        const ran = runScheduledPlan({ ...plan, faults });
        assert.equal(ran.findings, [], ran.last().join('\n'));
        assert.is(ran.faults, plan.threads.length - 1, `SEED=${seed}`);
        assert.ok(ran.endMs < 30 + patience.peerTimeoutMs + patience.recoveryMs, `${ran.endMs} ms`);
      }
    }
  }
});

test.run();
