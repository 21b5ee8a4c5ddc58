import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { storm } from './helpers/storm.ts';

const seeds = Number(process.env['PERPETUUM_SEEDS'] ?? (process.env['TEST_ALL'] ? 100_000 : 2_000));
const first = Number(process.env['PERPETUUM_FIRST_SEED'] ?? 1);

test(`simulated network: exactly once, in order, or lost for a reason (${seeds} seeds)`, () => {
  const total = { packets: 0, losses: 0, reconnects: 0, events: 0 };
  const bad: string[] = [];
  const t0 = performance.now();
  for (let seed = first; seed < first + seeds; seed++) {
    const { findings, packets, losses, reconnects, events, last } = storm(seed);
    total.packets += packets; total.losses += losses; total.reconnects += reconnects; total.events += events;
    if (findings.length > 0) {
      bad.push(`SEED=${seed}: ${findings.length} ${findings[0]}`);
      if (seeds === 1) console.log(last.join('\n'), findings.join('\n'));
    }
  }
  console.log(total, (performance.now() - t0) / 1000, bad.length);
  console.log(bad.slice(0, 30).join('\n'));
  assert.is(bad.length, 0);
});
test.run();
