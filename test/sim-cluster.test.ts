// The parameter server over simulated hosts: thousands of seeds of everything at once. A failure
// prints what repeats it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzz } from './helpers/ps-fuzz.ts';

const all = process.env['TEST_ALL'] !== undefined;
const seeds = Number(process.env['PERPETUUM_SEEDS'] ?? (all ? 100_000 : 2_000));
const firstSeed = Number(process.env['PERPETUUM_FIRST_SEED'] ?? 1);
const command = 'npm test -- --only sim-cluster';

test(`simulated cluster: every read in its bound, exact sums everywhere (${seeds} seeds)`, () => {
  const total = { reads: 0, finished: 0, faults: 0 };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const { findings, reads, finished, faults, last } = fuzz(seed);
    total.reads += reads;
    total.finished += finished;
    total.faults += faults;
    if (findings.length === 0) continue;
    const again = `PERPETUUM_FIRST_SEED=${seed} PERPETUUM_SEEDS=1 ${command}`;
    assert.unreachable([...last, `SEED=${seed}`, ...findings, again].join('\n'));
  }
  if (seeds < 100) return;
  assert.ok(total.reads > 100 * seeds, `reads are checked: ${total.reads}`);
  assert.ok(total.finished > seeds, `hosts finish: ${total.finished}`);
  assert.ok(total.faults > seeds / 20, `hosts lose others: ${total.faults}`);
});

test.run();
