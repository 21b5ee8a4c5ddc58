// The seeds of the parameter server's fuzz, shared among test files so that they run side by side.
// PERPETUUM_FIRST_SEED and PERPETUUM_SEEDS say which; a failure prints what repeats it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzz } from './ps-fuzz.ts';

const all = process.env['TEST_ALL'] !== undefined;
const seeds = Number(process.env['PERPETUUM_SEEDS'] ?? (all ? 100_000 : 2_000));
const firstSeed = Number(process.env['PERPETUUM_FIRST_SEED'] ?? 1);
const parts = 4;
const command = 'npm test -- --only sim-cluster-seeds-1';

/** Adds the test of part `part` (1 to 4) of all seeds. */
export function testSeeds(part: number): void {
  const share = Math.ceil(seeds / parts);
  const first = firstSeed + (part - 1) * share;
  const last = Math.min(first + share, firstSeed + seeds);
  const count = Math.max(0, last - first);
  test(`simulated cluster: reads in their bounds, exact sums everywhere (${count} seeds)`, () => {
    const total = { reads: 0, finished: 0, faults: 0 };
    for (let seed = first; seed < last; seed++) {
      const { findings, reads, finished, faults, last: lines } = fuzz(seed);
      total.reads += reads;
      total.finished += finished;
      total.faults += faults;
      if (findings.length === 0) continue;
      const again = `PERPETUUM_FIRST_SEED=${seed} PERPETUUM_SEEDS=1 ${command}`;
      assert.unreachable([...lines(), `SEED=${seed}`, ...findings, again].join('\n'));
    }
    if (count < 100) return;
    assert.ok(total.reads > 100 * count, `reads are checked: ${total.reads}`);
    assert.ok(total.finished > count, `hosts finish: ${total.finished}`);
    assert.ok(total.faults > count / 10, `hosts end with a fault: ${total.faults}`);
  });
}
