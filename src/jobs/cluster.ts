// Joining the hosts of a job: what the launcher said of this host's place, as settings of the mesh,
// and whether all hosts were given the same job.
import { basename } from 'node:path';
import { SystemError } from '../base/errors.ts';
import type { ClusterPlace } from '../base/place.ts';
import type { World } from '../base/world.ts';
import type { Sending } from '../program/plan.ts';
import type { Host } from '../supervisor/host.ts';
import type { JobHooks, TrainJob } from './job.ts';

declare const PERPETUUM_VERSION: string;

/** Deltas as they are, at once when a clock ends. */
export const plainSending: Sending = {
  ...{ bytesPerSecond: undefined, early: false, order: 'magnitude', encoding: 'full' },
};

/** What hosts must agree on. Paths, threads and where to save are each host's own. */
function termsOf(job: TrainJob): Readonly<Record<string, unknown>> {
  const { consistency, staleness, partitions, passes, tolerance, seed, audit } = job;
  const { sending = plainSending, input, options } = job;
  return {
    ...{ model: basename(job.model), files: job.data.length, 'test files': job.test.length },
    ...{ consistency, staleness, partitions, passes, tolerance, seed, audit },
    ...{ ...sending, ...input, ...options },
  };
}

/** @throws ERR_CONFIG, on all hosts, when they were started with different options. */
async function checkTerms(world: World, job: TrainJob): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(termsOf(job)));
  const all = (await world.allGather('terms', bytes)).map(
    (text) => JSON.parse(new TextDecoder().decode(text)) as Record<string, unknown>,
  );
  const [first = {}] = all;
  const word = (value: unknown) => (value === undefined ? 'not given' : JSON.stringify(value));
  all.forEach((terms, rank) => {
    for (const name of new Set([...Object.keys(first), ...Object.keys(terms)])) {
      const [wanted, found] = [word(first[name]), word(terms[name])];
      if (wanted === found) continue;
      const rule = 'all hosts must be started with the same options';
      const what = `${name} is ${wanted} on rank 0 and ${found} on rank ${rank}`;
      throw new SystemError('ERR_CONFIG', `${rule}: ${what}\nperpetuum launch does it for you`);
    }
  });
}

/**
 * Waits until all hosts of the job are there; rank 0 says where it listens.
 * @throws ERR_PEER_LOST naming the ranks that did not come, ERR_CONFIG when refused, or when they
 *   have different jobs.
 */
export async function joinHosts(
  host: Host,
  job: TrainJob & { readonly cluster: ClusterPlace },
  hooks: JobHooks,
): Promise<World> {
  const { sending = plainSending } = job;
  const { rank, size, rankZero, bind, secret, insecure, runId, joinTimeoutMs } = job.cluster;
  const mesh = {
    ...{ rank, size, bind, secret, insecure, runId, joinTimeoutMs, threads: host.threads },
    ...{ host: rankZero.host, port: rankZero.port, version: PERPETUUM_VERSION },
  };
  const world = await host.join(mesh, sending, {
    listening(port) {
      if (rank === 0) hooks.onEvent({ kind: 'listening', host: rankZero.host, port });
    },
    log: (text) => hooks.onEvent({ kind: 'warning', text }),
  });
  await checkTerms(world, job);
  return world;
}
