// Runs of two hosts whose only connection is slow and uneven, over real sockets: delay and jitter
// change when things arrive, never what the tables end at.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import type { Consistency } from '../src/ps/freshness.ts';
import { programOf, request } from './helpers/hosts.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { openSlowProxy, type SlowProxy } from './helpers/slow-proxy.ts';
import { rows, type CountingOptions } from './programs/counting-program.ts';

const clocks = 12;
const partitions = 4;
const options: CountingOptions = { clocks, delayMs: 1 };

for (const [consistency, staleness] of [
  ['bsp', 0],
  ['ssp', 1],
  ['essp', 3],
  ['async', 0],
] as const satisfies readonly (readonly [Consistency, number])[]) {
  test(`delay and jitter: ${consistency}, exact sums on both hosts`, async () => {
    const program = await programOf('counting-program');
    const open: SlowProxy[] = [];
    const through = async (port: number) => {
      const link = { delayMs: 5, jitterMs: 10, prng: createPrng(11, staleness) };
      const proxy = await openSlowProxy(port, link);
      open.push(proxy);
      return proxy.port;
    };
    try {
      await withCluster(
        [1, 1],
        async (hosts) => {
          const ask = { consistency, staleness, partitions, audit: true };
          const runs = await Promise.all(
            hosts.map((host) => host.run(program, request('counting-program', options, ask))),
          );
          runs.forEach(({ plan }, rank) => {
            const { i32 } = hosts[rank]!.arena;
            const [dense] = plan.tables;
            const cell = (row: number, column: number) =>
              i32[(dense!.at + row * dense!.rowBytes) / 4 + column] ?? NaN;
            for (let row = 0; row < rows; row++) {
              const own = row < partitions ? clocks : 0;
              const sum = row < partitions ? (clocks * (clocks - 1)) / 2 : 0;
              const found = [0, 1, 2, 3].map((column) => cell(row, column));
              assert.equal(found, [own, sum, own * row, -own || 0], `rank ${rank}, row ${row}`);
            }
          });
        },
        through,
      );
      assert.ok((open[0]?.chunks() ?? 0) > clocks, 'everything passed the slow link');
    } finally {
      for (const proxy of open) proxy.close();
    }
  });
}

test.run();
