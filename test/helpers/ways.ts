// Loads one text in every way that may not matter: chunk sizes, numbers of threads, compression.
import * as assert from 'uvu/assert';
import { gzipMembers, put, startHost, withChunks, type TestHost } from './loading.ts';

const hosts = new Map<number, TestHost>();
/** A host with so many loader threads, started once. */
export const host = (threads = 2): TestHost => {
  const existing = hosts.get(threads);
  if (existing) return existing;
  const started = startHost(threads);
  hosts.set(threads, started);
  return started;
};

/** Ends the threads of all hosts. */
export async function closeHosts(): Promise<void> {
  for (const { close } of hosts.values()) await close();
}

export const CHUNKS = [7, 64, 1000, 1 << 20];

/** What may not depend on chunks, and the sizes of the blocks, which do. */
function apart(loaded: object): readonly [rest: object, blocks: unknown] {
  const { blockRows, blockCounts, ...rest } = loaded as Record<string, unknown>;
  return [rest, blockRows ?? blockCounts];
}

/** Holds that `load` gives the same data in every way, and the same blocks for one chunk size. */
export async function everyWay(
  text: string,
  load: (host: TestHost, path: string) => Promise<object>,
) {
  const wanted = await load(host(), put(host(), text));
  const ways = new Map<string, string | Uint8Array>([
    ['gzip', gzipMembers(text, 1)],
    ['gzip of three members', gzipMembers(text, 3)],
    ['plain', text],
  ]);
  for (const chunkBytes of CHUNKS) {
    const cut: unknown[] = [];
    for (const threads of [1, 2, 4]) {
      for (const [name, content] of threads === 2 ? ways : [['plain', text] as const]) {
        const small = withChunks(host(threads), chunkBytes);
        const got = await load(small, put(small, content));
        const [rest, blocks] = apart(got);
        assert.equal(
          rest,
          apart(wanted)[0],
          `${name}, chunks of ${chunkBytes}, ${threads} threads`,
        );
        cut.push(blocks);
      }
    }
    for (const blocks of cut)
      assert.equal(blocks, cut[0], `blocks depend on the file alone, ${chunkBytes}`);
  }
}
