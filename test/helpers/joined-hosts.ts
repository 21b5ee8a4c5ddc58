// Several hosts inside one process, each with its own memory and threads, joined by real meshes
// over the loopback address.
import type { JoinOptions } from '../../src/cluster/mailbox-actor.ts';
import { Host } from '../../src/supervisor/host.ts';
import type { Sending } from '../../src/program/plan.ts';
import { base, quick } from './meshes.ts';

const sending: Sending = {
  ...{ bytesPerSecond: undefined, early: false, order: 'first', encoding: 'full' },
};

type Through = (port: number) => Promise<number>;

/**
 * Sessions of tests that lose nobody: on a busy machine a thread may stand still for longer than
 * `quick` waits (seen: 1.6 s), and the run then ends with ERR_PEER_LOST.
 */
const patient = { ...quick, silenceMs: 20_000, peerTimeoutMs: 60_000 };

async function joinAll(hosts: readonly Host[], between: Through | undefined): Promise<void> {
  const { host, bind, secret, insecure, version, runId } = base;
  const session = between === undefined ? patient : quick;
  const through = between ?? ((port: number) => Promise.resolve(port));
  const plain = { host, bind, secret, insecure, version, runId, session };
  const size = hosts.length;
  const join = (rank: number, port: number, listening: (port: number) => void) => {
    const options: JoinOptions = { ...plain, rank, size, port, threads: hosts[rank]?.threads ?? 1 };
    return hosts[rank]?.join(options, sending, { listening, log: () => undefined });
  };
  let zero: unknown;
  const own = await new Promise<number>((resolve, reject) => {
    zero = join(0, 0, resolve)?.catch(reject);
  });
  const port = await through(own);
  const others = hosts.slice(1).map((_, i) => join(i + 1, port, () => undefined));
  await Promise.all([zero, ...others]);
}

/**
 * Hosts of `threads[rank]` workers each, joined when there are several; closed whatever happens.
 * `through` may put something between rank 0 and the others, which then find out fast.
 */
export async function withCluster<T>(
  threads: readonly number[],
  body: (hosts: readonly Host[]) => Promise<T>,
  through?: Through,
): Promise<T> {
  const hosts = threads.map(
    (count) => new Host({ threads: count, loaders: 1, variant: 'release', pushTimeoutMs: 10_000 }),
  );
  try {
    if (hosts.length > 1) await joinAll(hosts, through);
    return await body(hosts);
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
  }
}
