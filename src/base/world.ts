// The hosts that take part in a job, as one of them sees it. All run the same job; what they have
// to agree on they gather from each other.
import { SystemError } from './errors.ts';
import { rangeOf, type Range } from './ranges.ts';

export type World = {
  readonly rank: number;
  readonly size: number;
  /** Worker threads of every host, by rank. */
  readonly threads: readonly number[];
  /**
   * Every host calls it with the same name and its own bytes; all get everyone's, by rank.
   * @throws ERR_PEER_LOST when a host is gone.
   */
  allGather(name: string, bytes: Uint8Array): Promise<readonly Uint8Array[]>;
  /**
   * The `bytes` bytes from byte `from` on of a file that rank 0 has and this host does not. Rank 0
   * answers whenever it is asked, whatever its own job does. Fewer bytes only at the file's end.
   * @throws what reading the file threw on rank 0; ERR_PEER_LOST when it is gone.
   */
  readRemote(path: string, from: number, bytes: number): Promise<Uint8Array>;
};

/** The world of a host that is alone. */
export function soloWorld(threads: number): World {
  return {
    ...{ rank: 0, size: 1, threads: [threads] },
    allGather: (_, bytes) => Promise.resolve([bytes]),
    readRemote: () => Promise.reject(new SystemError('ERR_INTERNAL', 'there is no other host')),
  };
}

const leastPartitions = 16;

/** Partitions of a job that names none: they are the unit of shares, so every worker has one. */
export function partitionsFor({ threads }: Pick<World, 'threads'>): number {
  return Math.max(leastPartitions, workersOf(threads));
}

function workersOf(threads: readonly number[]): number {
  return threads.reduce((sum, n) => sum + n, 0);
}

/** The partitions [first, last) of all `partitions` that the workers of host `rank` have. */
export function partitionsOf(
  { threads }: Pick<World, 'threads'>,
  partitions: number,
  rank: number,
): Range {
  const of = (worker: number) => rangeOf(partitions, workersOf(threads), worker);
  const next = workersOf(threads.slice(0, rank + 1));
  return { first: of(workersOf(threads.slice(0, rank))).first, last: of(next - 1).last };
}
