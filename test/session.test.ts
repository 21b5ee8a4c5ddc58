// The session machine: readable scenarios, and thousands of seeds of a channel that does its worst.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { goldenFiles, runGolden } from './helpers/golden.ts';
import { runChannel } from './helpers/session-channel.ts';

import { sessionInWords } from './helpers/session-words.ts';

for (const file of goldenFiles('session')) {
  test(`session: ${file.replace('.txt', '').replaceAll('-', ' ')} (golden)`, () => {
    runGolden('session', file, sessionInWords());
  });
}

const seeds = process.env['TEST_ALL'] === undefined ? 2000 : 20_000;

test(`session: each packet once, in order, over a channel that does its worst (${seeds} seeds)`, () => {
  let [delivered, cuts] = [0, 0];
  for (let seed = 0; seed < seeds; seed++) {
    const report = runChannel(seed, 30);
    assert.is(report.problem, undefined, report.problem);
    delivered += report.delivered;
    cuts += report.cuts;
  }
  assert.is(delivered, seeds * 60);
  assert.ok(cuts > seeds, `${cuts} cuts`);
});

test('session: the same seed gives the same trace', () => {
  for (const seed of [3, 17]) {
    assert.equal(runChannel(seed, 30).trace, runChannel(seed, 30).trace);
  }
});

for (const canary of ['lost-ack', 'double-delivery', 'forgets-after-cut'] as const) {
  test(`session: the checker finds a planted bug (${canary})`, () => {
    const found = Array.from({ length: 50 }, (_, seed) => runChannel(seed, 30, canary).problem);
    const count = found.filter((problem) => problem !== undefined).length;
    assert.ok(count >= 5, `${count} of 50 seeds found it`);
  });
}

test.run();
