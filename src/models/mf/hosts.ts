// Who has what when several hosts factorize a matrix. Ratings lie where they were read until they
// are sorted by user part; from then on a part of the users, its rows and its ratings, is one
// host's. Parts of items go round: each is always where the next block is that needs it.
import type { RatingBlock, Ratings } from '../../data/dataset.ts';
import type { Setup } from '../../program/program.ts';
import { rangeOf, type Range } from '../../base/ranges.ts';

type Cast = Pick<Setup<unknown>, 'hosts' | 'workers'>;

/** The user parts of host `host`: those of its workers. May be none. */
export function hostParts({ hosts, workers }: Cast, grid: number, host: number): Range {
  const { first, last } = hosts[host] ?? { first: 0, last: 0 };
  const partsOf = (worker: number) => rangeOf(grid, workers, worker);
  return { first: partsOf(first).first, last: partsOf(last - 1).last };
}

export function hostOfWorker({ hosts }: Cast, worker: number): number {
  return hosts.findIndex(({ first, last }) => first <= worker && worker < last);
}

/** A worker of the host that has user part `part`. */
export function workerNear(cast: Cast, grid: number, part: number): number {
  const host = cast.hosts.findIndex((_, index) => {
    const { first, last } = hostParts(cast, grid, index);
    return first <= part && part < last;
  });
  return cast.hosts[host]?.first ?? 0;
}

/** Numbers of the chunks that lie on host `host`, in order. */
export function chunksOn({ blocks }: Ratings, host: number): readonly number[] {
  return blocks.flatMap(({ holder = 0 }, index) => (holder === host ? [index] : []));
}

/** The columns of a chunk, as buffers by which hosts send each other segments of it. */
const columns = ['user', 'item', 'value'] as const;
export type ChunkOf = 'train' | 'test';

export function chunkBuffers(of: ChunkOf, blocks: readonly RatingBlock[]) {
  return blocks.flatMap((block, index) =>
    columns.map((column) => ({
      name: `${of} ${index} ${column}`,
      bytes: block.count * 4,
      at: block[column],
    })),
  );
}

/**
 * Sends the segments of a sorted chunk to the hosts that have their user parts. `ends[a]`: where
 * part a ends in the chunk.
 */
export function sendSegments(
  ctx: Cast & { share(name: string, from: number, bytes: number, to?: number): void },
  chunk: { readonly of: ChunkOf; readonly index: number },
  ends: Int32Array,
): void {
  if (ctx.hosts.length === 1) return;
  ctx.hosts.forEach(({ first: worker }, host) => {
    const parts = hostParts(ctx, ends.length, host);
    if (parts.first === parts.last) return;
    const first = ends[parts.first - 1] ?? 0;
    const count = (ends[parts.last - 1] ?? 0) - first;
    for (const column of columns) {
      ctx.share(`${chunk.of} ${chunk.index} ${column}`, first * 4, count * 4, worker);
    }
  });
}
