// Prefetches: rows of other hosts are on their way before the push that wants them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Consistency } from '../src/ps/freshness.ts';
import { defineProgram, type PartitionWork } from '../src/program/program.ts';
import { openControl } from '../src/store/control.ts';
import { tryCluster } from './helpers/cluster.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { program, type ReadingOptions } from './programs/reading-program.ts';

const policies: [Consistency, number][] = [
  ['bsp', 0],
  ['ssp', 2],
  ['essp', 2],
];

for (const [consistency, staleness] of policies) {
  test(`prefetch: reads are right, and fewer wait (${consistency}, s = ${staleness})`, () => {
    /** Reads that had to wait for rows. */
    const waitsWith = (ahead: number) => {
      const options: ReadingOptions = { clocks: 15, staleness, ahead, rows: 4000, columns: 3 };
      const { fault, hosts } = tryCluster(program, {
        ...{ hosts: 3, threads: 2, consistency, staleness, options, audit: false },
      });
      assert.is(fault?.message, undefined);
      assert.ok(hosts.every((host) => host.finished));
      const granted = hosts.flatMap(({ arena }) => {
        const control = openControl(arena, 2);
        return [0, 1].map((worker) => control.granted(worker));
      });
      return granted.reduce((sum, wants) => sum + wants, 0);
    };
    const [without, with1, with3] = [waitsWith(0), waitsWith(1), waitsWith(3)];
    assert.ok(without > 80, `${without} waits of 90 reads`);
    const counts = `${without} waits without, ${with1} with rows of the next clock, ${with3} of the third`;
    assert.ok(with1 <= without, counts);
    // Pulled rows that came long ago are too old, and are asked for again.
    const most = consistency === 'ssp' ? without : without / 2;
    assert.ok(with3 <= most, counts);
  });
}

test('prefetch: on one host it is asked, and does nothing', async () => {
  await withHost(2, async (host) => {
    const options = { clocks: 8, staleness: 1, ahead: 2, rows: 50, columns: 3 };
    const run = { consistency: 'ssp', staleness: 1, partitions: 2 } as const;
    await host.run(await programOf('reading-program'), request('reading-program', options, run));
  });
});

test('prefetch: more than may be under way is dropped, and all ends', () => {
  // A want of its own for every push of 40 partitions, of rows of other hosts alone.
  const greedy = {
    ...program,
    prefetch: (...args: Parameters<NonNullable<typeof program.prefetch>>) =>
      program.prefetch?.(...args) ?? {},
  };
  const options: ReadingOptions = { clocks: 5, staleness: 1, ahead: 2, rows: 9000, columns: 1 };
  const run = { hosts: 2, threads: 1, consistency: 'essp', staleness: 1, partitions: 80 } as const;
  const arenaBytes = 200 * 2 ** 20;
  const { fault, hosts } = tryCluster(greedy, { ...run, options, arenaBytes, audit: false });
  assert.is(fault?.message, undefined);
  assert.ok(hosts.every((host) => host.finished));
});

test('prefetch: refused: a table without declared rows, a row that a table has not', () => {
  const wrong = (name: string, row: number) =>
    defineProgram<unknown, PartitionWork, null>({
      name: 'wrong',
      tables: () => [
        { name: 'whole', rows: 5, columns: 1 },
        { name: 'declared', rows: 5, columns: 1, access: 'rows' },
      ],
      clocks: () => 2,
      start: () => null,
      reads: ({ scratch }) => ({ declared: { at: scratch.at, count: 0 } }),
      prefetch({ scratch, arena }) {
        arena.i32[scratch.at / 4] = row;
        return { [name]: { at: scratch.at, count: 1 } };
      },
      push: () => undefined,
    });
  const faultOf = (name: string, row: number) =>
    tryCluster(wrong(name, row), { hosts: 2, consistency: 'essp' }).fault?.message ?? 'none';
  assert.match(faultOf('whole', 0), 'access "rows", got table "whole"');
  assert.match(faultOf('none', 0), 'access "rows", got table "none"');
  assert.match(faultOf('declared', 5), 'rows 0 to 4, prefetch() declares 5');
  assert.is(faultOf('declared', 4), 'none');
});

test.run();
