import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openArena } from '../src/memory/arena.ts';
import type { Consistency } from '../src/ps/freshness.ts';
import { sparseRow } from '../src/store/sparse-rows.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';

const clocks = 23;
const partitions = 8;

for (const [consistency, staleness, threads] of [
  ['bsp', 0, 1],
  ['bsp', 0, 3],
  ['ssp', 2, 2],
  ['ssp', 1, 4],
  ['essp', 3, 3],
  ['async', 0, 4],
] as [Consistency, number, number][]) {
  test(`tables: no inc is lost (${consistency}, s = ${staleness}, ${threads} workers)`, async () => {
    await withHost(threads, async (host) => {
      const options = { clocks, delayMs: 0.5 };
      const run = { consistency, staleness, audit: true };
      const wanted = request('counting-program', options, run);
      const { plan, clocks: done } = await host.run(await programOf('counting-program'), wanted);
      assert.is(done, clocks);
      const { i32 } = openArena(host.arena.memory, host.arena.layout);
      const [dense, sparse, declared] = plan.tables;
      if (!dense || !sparse || !declared) throw new Error('three tables were planned');
      for (let row = 0; row < 7; row++) {
        const at = (dense.at + row * dense.rowBytes) / 4;
        const mine = Array.from({ length: partitions }, (_, p) => p).filter((p) => p % 7 === row);
        const clockSum = (clocks * (clocks - 1)) / 2;
        const expected = mine.reduce(
          (sum, p) =>
            sum.map((v, i) => v + [clocks, clockSum, p * clocks, -clocks, 2 * clocks][i]!),
          [0, 0, 0, 0, 0],
        );
        assert.equal([...i32.subarray(at, at + 5)], expected, `dense row ${row}`);
        const times = Array.from({ length: clocks }, (_, c) => c).filter(
          (c) => c % 7 === row,
        ).length;
        const found = sparseRow(host.arena, sparse, row);
        const part = (from: number) => [...i32.subarray(from / 4, from / 4 + found.count)];
        const names = Array.from({ length: partitions }, (_, p) => p);
        assert.equal(part(found.columns), [...names, 999], `sparse columns of row ${row}`);
        const sums = [...names.map(() => 2 * times), partitions * times];
        assert.equal(part(found.values), sums, `sparse values of row ${row}`);
      }
      for (let row = 0; row < 100; row++) {
        const at = (declared.at + row * declared.rowBytes) / 4;
        const expected = [
          row < clocks ? partitions : 0,
          row === 99 ? 10 * partitions * clocks : 0,
          0,
        ];
        assert.equal([...i32.subarray(at, at + 3)], expected, `declared row ${row}`);
      }
    });
  });
}

test.run();
