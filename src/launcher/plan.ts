// Who takes part in a launch, before anything is started: ranks, where they run, with how many
// threads, and where rank 0 is met.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { isLoopback } from '../base/place.ts';
import { addressOf, type HostSpec } from './hosts.ts';

export type RankPlan = {
  readonly rank: number;
  /** For messages. */
  readonly host: string;
  /** Where ssh connects to; undefined: this machine, without ssh. */
  readonly ssh: string | undefined;
  /** Worker threads; undefined: the cores of its machine over the ranks on it. */
  readonly threads: number | undefined;
  /** Ranks on the same machine, this one included. */
  readonly share: number;
};

export type LaunchPlan = {
  readonly ranks: readonly RankPlan[];
  /** The name by which the others reach rank 0. */
  readonly rankZeroHost: string;
  /** 0: any free one. */
  readonly port: number;
};

export type PlanOptions = {
  /** --threads of the job. */
  readonly threads: number | undefined;
  readonly port: number | undefined;
};

const local = '127.0.0.1';

/** N hosts on this machine. */
export function planLocal(size: number, { threads, port }: PlanOptions): LaunchPlan {
  const ranks = Array.from({ length: size }, (_, rank) => ({
    ...{ rank, host: 'localhost', ssh: undefined, threads, share: size },
  }));
  return { ranks, rankZeroHost: local, port: port ?? 0 };
}

/**
 * The hosts of a list. Those that are this machine, by name, need no ssh.
 * @throws ERR_CONFIG for hosts that cannot reach each other by the names given.
 */
export function planHosts(
  hosts: readonly HostSpec[],
  ownName: string,
  { threads, port }: PlanOptions,
): LaunchPlan {
  const here = ['localhost', local, '::1', ownName];
  const ranks = hosts.map((spec, rank): RankPlan => {
    const { name, slots } = spec;
    return {
      ...{ rank, host: addressOf(spec), ssh: here.includes(name) ? undefined : name },
      threads: slots ?? threads,
      share: hosts.filter((other) => other.name === name).length,
    };
  });
  const far = ranks.find(({ host }) => !isLoopback(host) && host !== ownName);
  const near = ranks.find(({ host }) => isLoopback(host));
  if (far !== undefined && near !== undefined) {
    const rule = `${far.host} cannot reach ${near.host}, which is another machine everywhere`;
    throw new SystemError('ERR_CONFIG', `${rule}\nname this machine as ${far.host} knows it`);
  }
  const alone = ranks.every(({ ssh }) => ssh === undefined);
  const first = ranks[0]?.host ?? local;
  const rankZeroHost = alone || first === 'localhost' ? local : first;
  return { ranks, rankZeroHost, port: port ?? hosts[0]?.port ?? 0 };
}

/** Threads of a rank on a machine with so many cores. */
export function threadsOf({ threads, share }: RankPlan, cores: number): number {
  const fair = Math.max(1, Math.floor(cores / share));
  return Math.min(threads ?? fair, limits.workersMax);
}

/** What --dry-run prints. `commandOf` gives the command line of a rank, ready for a shell. */
export function planText(
  { ranks, rankZeroHost, port }: LaunchPlan,
  job: string,
  commandOf: (rank: RankPlan) => string,
): string {
  const lines = ranks.map((rank) => {
    const cores = rank.share === 1 ? 'one per core' : `cores / ${rank.share}, at least 1`;
    const threads = rank.threads ?? cores;
    return `rank ${rank.rank}  ${rank.host}  threads: ${threads}\n  ${commandOf(rank)}\n`;
  });
  const size = `${ranks.length} ${ranks.length === 1 ? 'host' : 'hosts'}`;
  const where = `${rankZeroHost}, port ${port === 0 ? 'chosen when it starts' : port}`;
  const meet = ranks.length === 1 ? '' : `; rank 0 listens on ${where}`;
  return `${size}${meet}\njob: ${job}\n${lines.join('')}`;
}
