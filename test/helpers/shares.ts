// The same load on one host alone and on several together, for the tests of shared loading. What
// the hosts hold, one behind the other, is what one host alone holds.
import * as assert from 'uvu/assert';
import { partitionsOf, type World } from '../../src/base/world.ts';
import type { RatingsOptions } from '../../src/data/load-ratings.ts';
import type { SamplesOptions } from '../../src/data/load-samples.ts';
import {
  failureOf,
  ratingsOf,
  samplesOf,
  startHost,
  withChunks,
  type Plain,
  type PlainRatings,
  type TestHost,
} from './loading.ts';
import { fakeWorlds, onAll, type WorldsOptions } from './worlds.ts';

const mostHosts = 4;
const hosts: TestHost[] = [];

/** Host `rank` of this process, started when it is first wanted. */
export function hostAt(rank = 0): TestHost {
  return (hosts[rank] ??= startHost(1));
}

export async function closeShares(): Promise<void> {
  await Promise.all(hosts.map((host) => host.close()));
}

/** Numbers of hosts, with the threads of each. */
export const casts: readonly (readonly number[])[] = [[1], [1, 1], [1, 2, 1], [1, 1, 1, 1]];

export type Ask = WorldsOptions & { readonly chunkBytes?: number };

/** A host that takes part in `world`. */
function member(world: World, chunkBytes: number) {
  assert.ok(world.rank < mostHosts);
  return { ...withChunks(hostAt(world.rank), chunkBytes), world };
}

/** Loads the same files on all hosts of a cast. `paths` may differ by rank. */
export function loadShares(
  threads: readonly number[],
  paths: (rank: number) => readonly string[],
  options: SamplesOptions = {},
  { chunkBytes = 1 << 20, ...ask }: Ask = {},
) {
  const worlds = fakeWorlds(threads.length, { ...ask, threads });
  return onAll(worlds, (world) => samplesOf(member(world, chunkBytes), paths(world.rank), options));
}

export function loadRatingShares(
  threads: readonly number[],
  paths: readonly string[],
  options: RatingsOptions = {},
  { chunkBytes = 1 << 20, ...ask }: Ask = {},
) {
  const worlds = fakeWorlds(threads.length, { ...ask, threads });
  return onAll(worlds, (world) => ratingsOf(member(world, chunkBytes), paths, options));
}

export function values<T>(settled: readonly PromiseSettledResult<T>[]): T[] {
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** What every host threw; "none" where one did not. */
export function reasons(settled: readonly PromiseSettledResult<unknown>[]): Promise<string[]> {
  const ask = settled.map(async (result) => {
    const again = () =>
      result.status === 'rejected' ? Promise.reject(result.reason as Error) : Promise.resolve();
    const { code, message } = await failureOf(hostAt(), again);
    return `${code} ${message}`;
  });
  return Promise.all(ask);
}

/** The shares are the rows of the hosts' partitions, and make up what one host loads. */
export function assertShares(
  shares: readonly Plain[],
  whole: Plain,
  threads: readonly number[],
  what: string,
): void {
  const { data, blockRows, first, ...facts } = whole;
  assert.is(first, 0, what);
  assert.is(
    blockRows.reduce((sum, rows) => sum + rows, 0),
    facts.rows,
    what,
  );
  const partitions = Math.max(
    16,
    threads.reduce((sum, n) => sum + n, 0),
  );
  const at = (partition: number) => Math.floor((facts.rows * partition) / partitions);
  for (const [rank, share] of shares.entries()) {
    const { data: rows, blockRows: sizes, first: from, ...same } = share;
    assert.equal(same, facts, `${what}: facts of host ${rank}`);
    const range = partitionsOf({ threads }, partitions, rank);
    assert.equal([from, rows.length], [at(range.first), at(range.last) - at(range.first)], what);
    assert.ok(sizes.every((size) => size > 0) || rows.length === 0, `${what}: no empty blocks`);
  }
  assert.equal(
    shares.flatMap(({ data: rows }) => rows),
    data,
    `${what}: rows`,
  );
}

/** Chunks of every host are known to all, and lie where their holder says. */
export function assertRatingShares(
  shares: readonly PlainRatings[],
  whole: PlainRatings,
  what: string,
): void {
  const { data, places, ...facts } = whole;
  assert.equal(places, [], `${what}: nothing is elsewhere`);
  const first = shares[0]?.places ?? [];
  for (const [rank, share] of shares.entries()) {
    const { data: own, places: mine, ...same } = share;
    assert.equal(same, facts, `${what}: facts of host ${rank}`);
    assert.is(own.length, data.length, what);
    assert.is(mine.length, shares.length > 1 ? facts.blockCounts.length : 0, what);
    mine.forEach(({ holder, here }, i) => {
      assert.is(holder, first[i]?.holder, `${what}: holder of chunk ${i}`);
      if (holder === rank) assert.ok(here, `${what}: chunk ${i} is here`);
    });
  }
  let at = 0;
  facts.blockCounts.forEach((count, i) => {
    const holder = first[i]?.holder ?? 0;
    const held = shares[holder]?.data.slice(at, at + count);
    assert.equal(held, data.slice(at, at + count), `${what}: chunk ${i} on host ${holder}`);
    at += count;
  });
}
