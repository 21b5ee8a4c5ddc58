// The seeds of the fuzz of scheduled programs. PERPETUUM_FIRST_SEED and PERPETUUM_SEEDS say which;
// a failure prints what repeats it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzzScheduled } from './helpers/scheduled-fuzz.ts';

const all = process.env['TEST_ALL'] !== undefined;
const seeds = Number(process.env['PERPETUUM_SEEDS'] ?? (all ? 20_000 : 400));
const first = Number(process.env['PERPETUUM_FIRST_SEED'] ?? 1);
const command = 'npm test -- --only sim-scheduled-seeds';

test(`simulated scheduled runs: every partial once and in order, same bits (${seeds} seeds)`, () => {
  const total = { pulls: 0, finished: 0, faults: 0 };
  for (let seed = first; seed < first + seeds; seed++) {
    const { findings, pulls, finished, faults, last } = fuzzScheduled(seed);
    total.pulls += pulls;
    total.finished += finished;
    total.faults += faults;
    if (findings.length === 0) continue;
    const again = `PERPETUUM_FIRST_SEED=${seed} PERPETUUM_SEEDS=1 ${command}`;
    assert.unreachable([...last(), `SEED=${seed}`, ...findings, again].join('\n'));
  }
  if (seeds < 100) return;
  assert.ok(total.pulls > 4 * seeds, `partials are checked: ${total.pulls} clocks`);
  assert.ok(total.finished > 2 * seeds, `hosts finish: ${total.finished}`);
  assert.ok(total.faults > seeds / 10, `hosts end with a fault: ${total.faults}`);
});

test.run();
