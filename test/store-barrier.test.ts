// Barriers: at some clocks a push sees all clocks before it, however stale reads may be otherwise.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Consistency } from '../src/ps/freshness.ts';
import { denseRow, runCluster, tableOf } from './helpers/cluster.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { laggedReads, program } from './programs/barrier-program.ts';

const options = { clocks: 25, every: 6 };
const policies: [Consistency, number][] = [
  ['ssp', 4],
  ['essp', 3],
  ['async', 0],
  ['auto', 5],
  ['bsp', 0],
];

for (const [consistency, staleness] of policies) {
  test(`barrier: sees all clocks before (${consistency}, s = ${staleness}, threads)`, async () => {
    await withHost(3, async (host) => {
      for (const audit of [true, false]) {
        const run = { consistency, staleness, audit, partitions: 6 };
        const wanted = request('barrier-program', options, run);
        const { plan } = await host.run(await programOf('barrier-program'), wanted);
        const table = tableOf(plan, 'pushes');
        const counts = Array.from({ length: 6 }, (_, p) => denseRow(host.arena, table, p)[0]);
        assert.equal(counts, new Array(6).fill(options.clocks));
      }
    });
  });
  for (const hosts of [2, 3]) {
    test(`barrier: sees all clocks before (${consistency}, ${hosts} hosts)`, () => {
      const before = laggedReads();
      runCluster(program, { hosts, consistency, staleness, options });
      const isStale = consistency !== 'bsp';
      assert.is(
        laggedReads() > before,
        isStale,
        'other reads lag, so the barrier does the waiting',
      );
    });
  }
}

test.run();
