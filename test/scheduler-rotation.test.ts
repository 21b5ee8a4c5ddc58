import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { partOf, rangeOf } from '../src/base/ranges.ts';
import { createPrng } from '../src/base/prng.ts';
import { createCosts } from '../src/scheduler/costs.ts';
import { balance, ranges, stratum } from '../src/scheduler/rotation.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { draws } from './programs/drawing-program.ts';
import type { SummingOptions } from './programs/summing-program.ts';

test('rotation: the blocks of a stratum share no part, and a pass visits each block once', () => {
  for (let grid = 1; grid <= 12; grid++) {
    const visited = new Set<string>();
    for (let t = 0; t < grid; t++) {
      const blocks = stratum(grid, t);
      assert.is(blocks.length, grid);
      assert.is(new Set(blocks.map((block) => block.row)).size, grid, `rows of stratum ${t}`);
      assert.is(new Set(blocks.map((block) => block.column)).size, grid, `columns of ${t}`);
      for (const { row, column } of blocks) visited.add(`${row} ${column}`);
    }
    assert.is(visited.size, grid * grid, `grid ${grid}`);
  }
});

test('ranges: partOf is the inverse of rangeOf, and the ranges cover all', () => {
  const sizes = [fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 40 })] as const;
  fc.assert(
    fc.property(...sizes, (count, parts) => {
      let next = 0;
      for (let part = 0; part < parts; part++) {
        const { first, last } = rangeOf(count, parts, part);
        assert.is(first, next, `part ${part} of ${parts} goes on where the one before ended`);
        for (; next < last; next++) assert.is(partOf(count, parts, next), part);
      }
      assert.is(next, count);
    }),
  );
});

/** The least load of the busiest worker, by trying all ways. */
function bestLoad(costs: readonly number[], workers: number): number {
  let best = Infinity;
  const loads = new Array<number>(workers).fill(0);
  const place = (item: number): void => {
    if (item === costs.length) {
      best = Math.min(best, Math.max(...loads));
      return;
    }
    for (let worker = 0; worker < workers; worker++) {
      loads[worker]! += costs[item]!;
      if (loads[worker]! < best) place(item + 1);
      loads[worker]! -= costs[item]!;
    }
  };
  place(0);
  return best;
}

test('balance: the busiest worker has at most 4/3 − 1/(3 workers) of the best possible', () => {
  const costs = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 8 });
  fc.assert(
    fc.property(costs, fc.integer({ min: 1, max: 4 }), (all, workers) => {
      const shares = balance(all, workers, (cost) => cost);
      assert.is(shares.length, workers);
      const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
      assert.equal(sorted(shares.flat()), sorted(all), 'every item has one worker');
      const busiest = Math.max(...shares.map((share) => share.reduce((a, b) => a + b, 0)));
      const bound = (4 / 3 - 1 / (3 * workers)) * bestLoad(all, workers);
      assert.ok(busiest <= bound + 1e-9, `${busiest} > ${bound}`);
    }),
    { numRuns: 300 },
  );
});

test('balance: ties go to the lower index, so that two runs share alike', () => {
  const items = ['a', 'b', 'c', 'd', 'e'];
  assert.equal(
    balance(items, 2, () => 1),
    [
      ['a', 'c', 'e'],
      ['b', 'd'],
    ],
  );
});

test('costs: what blocks really cost is learnt from what workers took, and shared out evenly', () => {
  const blocks = Array.from({ length: 24 }, (_, b) => b);
  const prng = createPrng(5);
  // Blocks of equal size that are up to four times as slow as others.
  const real = blocks.map(() => 1 + 3 * prng.uniform());
  const costs = createCosts(() => 1);
  const loads = (shares: readonly (readonly number[])[]) =>
    shares.map((share) => share.reduce((sum, block) => sum + real[block]!, 0));
  const worst = (shares: readonly (readonly number[])[]) => {
    const found = loads(shares);
    return Math.max(...found) / (found.reduce((a, b) => a + b) / found.length);
  };
  const naive = worst(balance(blocks, 4, costs.of));
  for (let clock = 0; clock < 200; clock++) {
    const some = blocks.filter(() => prng.uniform() < 0.5);
    const shares = balance(some, 4, costs.of);
    loads(shares).forEach((ms, worker) => costs.measured(shares[worker]!, ms));
  }
  const learnt = worst(balance(blocks, 4, costs.of));
  assert.ok(naive > 1.15 && learnt < 1.08, `${naive} → ${learnt}`);
  costs.measured([], 5);
  costs.measured([0], 0);
  assert.ok(costs.of(0) > 0, 'nothing measured is nothing learnt');
});

test('ranges: cover 0 … count in order, sizes differ by at most 1', () => {
  const counts = fc.nat(10_000);
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 64 }), (count, workers) => {
      let next = 0;
      const sizes = ranges(count, workers).map(({ first, last }, worker) => {
        assert.is(first, next);
        assert.equal({ first, last }, rangeOf(count, workers, worker));
        next = last;
        return last - first;
      });
      assert.is(next, count);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});

async function summed(workers: number, options: SummingOptions) {
  return withHost(workers, async (host) => {
    let found: Readonly<Record<string, number>> = {};
    const { clocks, plan } = await host.run(
      await programOf('summing-program'),
      request('summing-program', options),
      {
        onEvent(event) {
          if (event.kind === 'progress') found = event.values;
        },
      },
    );
    const pushed = plan.tables[0]!;
    const at = (pushed.at + pushed.rowBytes) / 4;
    return { ...found, clocks, pushed: [...host.arena.i32.subarray(at, at + 2)] };
  });
}

for (const [workers, works] of [
  [1, 1],
  [2, 2],
  [4, 4],
  [4, 1], // fewer works than workers: the rest waits
  [3, 2],
] as const) {
  test(`scheduled: a sum by parts (${works} works, ${workers} workers)`, async () => {
    const found = await summed(workers, { count: 1000, clocks: 12, works });
    const total = 12 * ((999 * 1000 * 1999) / 6);
    assert.equal(found, { total, order: 12, clocks: 12, pushed: [12_000, 12 * works] });
  });
}

test('scheduled: a schedule that ends at once ends the run', async () => {
  const found = await summed(3, { count: 10, clocks: 0, works: 3 });
  assert.equal(found, { total: 0, order: 0, clocks: 0, pushed: [0, 0] });
});

test('scheduled: clocks without any work are clocks', async () => {
  const found = await summed(2, { count: 10, clocks: 5, works: 0 });
  assert.equal(found, { total: 0, order: 5, clocks: 5, pushed: [0, 0] });
});

test('random numbers: every draw of a push is another one, the same for any workers', async () => {
  const drawn = async (workers: number) =>
    withHost(workers, async (host) => {
      const wanted = request('drawing-program', null, { partitions: 4 });
      const { plan } = await host.run(await programOf('drawing-program'), wanted);
      const { at, rows } = plan.tables[0]!; // 4 columns: no padding
      return Array.from(host.arena.i32.subarray(at / 4, at / 4 + rows * draws));
    });
  const one = await drawn(1);
  assert.is(new Set(one).size, one.length, 'no two draws are the same');
  assert.equal(await drawn(3), one);
});

test.run();
