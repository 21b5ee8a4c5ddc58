// Scheduled programs over simulated hosts: partials that come late, are lost and sent again, or end
// with their host; planted bugs that have to be found. More seeds are in sim-scheduled-seeds.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Meddling } from './helpers/fuzz-hosts.ts';
import { deliversTwice, skipsOne } from './helpers/planted.ts';
import { fuzzScheduled } from './helpers/scheduled-fuzz.ts';
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

test.run();
