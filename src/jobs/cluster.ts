// Joining the hosts of a job: what the launcher said of this host's place, as settings of the mesh.
import type { ClusterPlace } from '../base/place.ts';
import type { World } from '../base/world.ts';
import type { Sending } from '../program/plan.ts';
import type { Host } from '../supervisor/host.ts';
import type { JobHooks } from './job.ts';

declare const PERPETUUM_VERSION: string;

/** Deltas as they are, at once when a clock ends. */
export const plainSending: Sending = {
  ...{ bytesPerSecond: undefined, early: false, order: 'magnitude', encoding: 'full' },
};

/**
 * Waits until all hosts of the job are there; rank 0 says where it listens.
 * @throws ERR_PEER_LOST naming the ranks that did not come, ERR_CONFIG when refused.
 */
export function joinHosts(
  host: Host,
  place: ClusterPlace,
  hooks: JobHooks,
  sending: Sending = plainSending,
): Promise<World> {
  const { rank, size, rankZero, bind, secret, insecure, runId, joinTimeoutMs } = place;
  const mesh = {
    ...{ rank, size, bind, secret, insecure, runId, joinTimeoutMs, threads: host.threads },
    ...{ host: rankZero.host, port: rankZero.port, version: PERPETUUM_VERSION },
  };
  return host.join(mesh, sending, {
    listening(port) {
      if (rank === 0) hooks.onEvent({ kind: 'listening', host: rankZero.host, port });
    },
    log: (text) => hooks.onEvent({ kind: 'warning', text }),
  });
}
