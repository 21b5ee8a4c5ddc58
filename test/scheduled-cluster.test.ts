// Scheduled programs over several hosts: each with its own memory and threads, joined by real meshes
// in this process.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withCluster } from './helpers/cluster.ts';
import { programOf, request } from './helpers/hosts.ts';
import type { SharingOptions } from './programs/sharing-program.ts';

const program = await programOf('sharing-program');

for (const threads of [[2], [1, 1], [2, 1, 1], [1, 2, 1, 3]]) {
  test(`scheduled: what is shared is there in time (threads ${threads.join('+')})`, async () => {
    const options: SharingOptions = { clocks: 12, bulk: 2_500_000 };
    await withCluster(threads, async (hosts) => {
      const runs = await Promise.all(
        hosts.map((host) => host.run(program, request('sharing-program', options))),
      );
      for (const [rank, { plan, clocks, tableBytes }] of runs.entries()) {
        const { arena } = hosts[rank]!;
        assert.is(arena.i32[(plan.buffers['result'] ?? 0) / 4], 13_007, `result on rank ${rank}`);
        assert.is(clocks, 12);
        if (threads.length > 1) assert.ok((tableBytes[1] ?? 0) > 0, 'rows have travelled');
      }
    });
  });
}

test.run();
