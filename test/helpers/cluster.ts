// Several hosts inside one process, each with its own memory and threads, joined by real meshes over
// the loopback address.
import { createServer } from 'node:net';
import type { JoinOptions } from '../../src/cluster/mailbox-actor.ts';
import { Host } from '../../src/supervisor/host.ts';
import { base } from './meshes.ts';

/** A port that nobody listened at a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export const plainSending = {
  ...{ bytesPerSecond: undefined, early: false, order: 'first', encoding: 'full' },
} as const;

/** Hosts of `threads[rank]` workers each, joined when there are several; closed whatever happens. */
export async function withCluster<T>(
  threads: readonly number[],
  body: (hosts: readonly Host[]) => Promise<T>,
): Promise<T> {
  const hosts = threads.map(
    (count) => new Host({ threads: count, loaders: 1, variant: 'release', pushTimeoutMs: 10_000 }),
  );
  try {
    const { onListening, log, listen, ...plain } = base;
    const [size, port] = [threads.length, await freePort()];
    const join = (rank: number): JoinOptions => ({
      ...{ ...plain, rank, size, port, threads: threads[rank] ?? 1 },
    });
    if (size > 1) await Promise.all(hosts.map((host, rank) => host.join(join(rank), plainSending)));
    return await body(hosts);
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
  }
}
