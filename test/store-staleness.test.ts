// Reads counted from ground truth, under random delays: see twin-program.ts for what every push
// checks of what it reads.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodeOf, SystemError } from '../src/base/errors.ts';
import type { Consistency } from '../src/ps/freshness.ts';
import { sparseRow } from '../src/store/sparse-rows.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import type { TwinOptions } from './programs/twin-program.ts';

/** Mostly quick pushes and some that hold everybody up. */
const delays = fc.array(
  fc.oneof(
    { arbitrary: fc.double({ min: 0, max: 0.5, noNaN: true }), weight: 4 },
    { arbitrary: fc.double({ min: 2, max: 8, noNaN: true }), weight: 1 },
  ),
  { minLength: 3, maxLength: 40 },
);

const cases: readonly (readonly [Consistency, number, number])[] = [
  ['bsp', 0, 3],
  ['ssp', 0, 2],
  ['ssp', 1, 4],
  ['ssp', 3, 3],
  ['essp', 2, 2],
];

for (const [consistency, staleness, workers] of cases) {
  const name = `${consistency}, s = ${staleness}, ${workers} workers`;
  test(`staleness: reads are whole clocks and keep their bound (${name})`, async () => {
    const twin = await programOf('twin-program');
    const clocks = 25;
    const partitions = 2 * workers;
    await withHost(workers, async (host) => {
      const body = async (work: number[], seed: number) => {
        const options: TwinOptions = { clocks, delays: work, bound: staleness };
        const run = { consistency, staleness, audit: true, partitions, seed };
        const result = await host.run(twin, request('twin-program', options, run));
        assert.is(result.clocks, clocks);
        const bins = result.stalenessHistogram;
        assert.ok(bins.length <= staleness + 1, `lags ${bins.join(' ')} exceed ${staleness}`);
        const reads = bins.reduce((sum, count) => sum + count, 0);
        assert.is(reads, clocks * partitions, 'every read was audited');
      };
      await fc.assert(fc.asyncProperty(delays, fc.nat(), body), { numRuns: 5, endOnFailure: true });
    });
  });
}

test('staleness: bounded reads really lag, so the bound is not kept by waiting for all', async () => {
  await withHost(3, async (host) => {
    const options: TwinOptions = { clocks: 40, delays: [0, 0, 4, 0, 0, 0, 3], bound: 3 };
    const run = { consistency: 'ssp', staleness: 3, audit: true, partitions: 3 } as const;
    const wanted = request('twin-program', options, run);
    const { stalenessHistogram } = await host.run(await programOf('twin-program'), wanted);
    assert.ok(
      stalenessHistogram.slice(1).some((reads) => reads > 0),
      stalenessHistogram.join(' '),
    );
  });
});

test('staleness: async waits for nobody, reads are still whole clocks, all ends', async () => {
  await withHost(3, async (host) => {
    const options: TwinOptions = { clocks: 30, delays: [0, 0, 0, 6], bound: undefined };
    const run = { consistency: 'async', audit: true, partitions: 3 } as const;
    const wanted = request('twin-program', options, run);
    const { clocks, stalenessHistogram } = await host.run(await programOf('twin-program'), wanted);
    assert.is(clocks, 30);
    assert.is(
      stalenessHistogram.reduce((sum, reads) => sum + reads, 0),
      90,
    );
  });
});

test('staleness: of several tables the tightest bound holds for the push (s = 1 and 4)', async () => {
  await withHost(3, async (host) => {
    const options: TwinOptions = {
      ...{ clocks: 30, delays: [0, 0, 5, 0, 1], bound: 1 },
      ...{ leftStaleness: 4, rightStaleness: 1 },
    };
    const run = { consistency: 'ssp', staleness: 9, audit: false, partitions: 6 } as const;
    const { plan } = await host.run(
      await programOf('twin-program'),
      request('twin-program', options, run),
    );
    assert.equal(
      plan.tables.map((table) => table.policy.staleness),
      [4, 1],
    );
    assert.not(plan.lockStep);
  });
});

test('staleness: a table with s = 0 makes a push wait for all, beside a stale one', async () => {
  await withHost(2, async (host) => {
    const options: TwinOptions = {
      ...{ clocks: 30, delays: [0, 0, 4, 0, 1], bound: 0, leftStaleness: 0 },
    };
    const run = { consistency: 'essp', staleness: 5, audit: false, partitions: 4 } as const;
    const { plan } = await host.run(
      await programOf('twin-program'),
      request('twin-program', options, run),
    );
    assert.equal(
      plan.tables.map((table) => table.policy.consistency),
      ['bsp', 'essp'],
    );
    assert.not(plan.lockStep, 'folds happen under the lock');
  });
});

test('staleness: the auditor finds a planted bug, reads one clock too early', async () => {
  const twin = await programOf('twin-program');
  // Worker 1 is slow at every clock, so worker 0 always reads before it is done.
  const slow = Array.from({ length: 14 }, (_, i) => (i >= 7 ? 8 : 0));
  for (const [consistency, staleness] of [
    ['ssp', 1],
    ['essp', 0],
  ] as const) {
    let found: unknown;
    for (let attempt = 0; attempt < 5 && found === undefined; attempt++) {
      await withHost(2, async (host) => {
        const options: TwinOptions = { clocks: 7, delays: slow, bound: undefined };
        const run = { consistency, staleness, audit: true, partitions: 2 } as const;
        const wanted = request('twin-program', options, { ...run, canary: 'early-read' });
        await host.run(twin, wanted).catch((error: unknown) => (found = error));
      });
    }
    assert.ok(found instanceof SystemError, `the canary was not found (${consistency})`);
    assert.is(found.code, 'ERR_STALENESS');
    assert.is(exitCodeOf(found.code), 6);
    assert.match(found.message, /worker \d at clock \d+ read a table with \d+ clocks of worker \d/);
  }
});

/** Bits of all tables after a lock-step run. */
async function bitsOf(workers: number, seed: number): Promise<string> {
  return withHost(workers, async (host) => {
    const run = { partitions: 8, seed };
    const wanted = request('drifting-program', { clocks: 15 }, run);
    const { plan } = await host.run(await programOf('drifting-program'), wanted);
    assert.ok(plan.lockStep);
    const { u8 } = host.arena;
    const bytes = plan.tables.flatMap((table) => {
      if (table.layout === 'dense') {
        return [Buffer.from(u8.subarray(table.at, table.at + table.rows * table.rowBytes))];
      }
      return Array.from({ length: table.rows }, (_, row) => {
        const { columns, values, count } = sparseRow(host.arena, table, row);
        const part = (at: number) => Buffer.from(u8.subarray(at, at + count * 4));
        return Buffer.concat([part(columns), part(values)]);
      });
    });
    assert.ok(
      bytes.every((part) => part.some((byte) => byte !== 0)),
      'every table moved',
    );
    return Buffer.concat(bytes).toString('hex');
  });
}

test('lock-step: f32 tables have the same bits with 1, 2 and 4 workers', async () => {
  const one = await bitsOf(1, 3);
  assert.ok((await bitsOf(2, 3)) === one, '2 workers');
  assert.ok((await bitsOf(4, 3)) === one, '4 workers');
  assert.ok((await bitsOf(4, 3)) === one, 'again');
  assert.not.ok((await bitsOf(2, 4)) === one, 'another seed is another run');
});

test.run();
