// What is wrong with the data is said by all hosts in the same words, those of one host alone; what
// goes wrong on one host ends the load on all. No host waits for another for ever.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadSamples, type SamplesOptions } from '../src/data/load-samples.ts';
import { together } from '../src/base/together.ts';
import { samples } from './helpers/data-violations.ts';
import { failureOf, gzipMembers, put, samplesOf, withChunks } from './helpers/loading.ts';
import { closeShares, hostAt, loadShares, reasons } from './helpers/shares.ts';
import { fakeWorlds, onAll } from './helpers/worlds.ts';

test.after(closeShares);

async function sameEverywhere(
  paths: readonly string[],
  options: SamplesOptions,
  chunkBytes: number,
): Promise<void> {
  const alone = await failureOf(hostAt(), () =>
    samplesOf(withChunks(hostAt(), chunkBytes), paths, options),
  );
  const wanted = `${alone.code} ${alone.message}`;
  assert.is.not(alone.code, 'none');
  for (const cast of [
    [1, 1],
    [1, 1, 1],
  ]) {
    const found = await reasons(await loadShares(cast, () => paths, options, { chunkBytes }));
    assert.equal(
      found,
      cast.map(() => wanted),
      `chunks of ${chunkBytes}`,
    );
  }
}

for (const [name, text, , , , given = {}] of samples) {
  test(`${name}: all hosts say the same`, async () => {
    const { y, ...options } = given;
    for (const content of [text, gzipMembers(text, 1)]) {
      for (const chunkBytes of [7, 1000]) {
        const paths = [put(hostAt(), text.length > 0 ? content : text, 'bad.data')];
        if (y !== undefined) paths.push(put(hostAt(), y, 'y.data'));
        await sameEverywhere(paths, options, chunkBytes);
      }
    }
  });
}

test('violations: the first in file order wins, whichever host finds it', async () => {
  const good = '1 1:1 2:1\n'.repeat(20);
  for (const before of [0, 1, 2, 3]) {
    const after = '1 2:1 1:1\n'.repeat(40);
    const text = `${good.repeat(before)}1 5:oops\n${after}${good}`;
    await sameEverywhere([put(hostAt(), text, 'bad.data')], {}, 30);
  }
});

test('violations: too many classes over all hosts', async () => {
  const text = Array.from({ length: 5000 }, (_, i) => `${i} 1:1\n`).join('');
  await sameEverywhere([put(hostAt(), text, 'bad.data')], {}, 4000);
});

test('violations: the second file of two', async () => {
  const paths = [put(hostAt(), '1 1:1\n'.repeat(50)), put(hostAt(), '1 1:1\n1 x\n', 'bad.data')];
  await sameEverywhere(paths, {}, 40);
});

test('files: no such file, a folder, no name', async () => {
  await sameEverywhere([join(hostAt().folder, 'absent')], {}, 1000);
  await sameEverywhere([hostAt().folder], {}, 1000);
  await sameEverywhere([], {}, 1000);
});

test('files: hosts that have different files under one name', async () => {
  const paths = ['1 1:1\n', '1 1:1\n2 1:1\n'].map((text) => put(hostAt(), text));
  const found = await reasons(await loadShares([1, 1], (rank) => [paths[rank] ?? '']));
  assert.match(
    found[0] ?? '',
    /^ERR_DATA .*only rank 0 have it; it has 6 bytes on rank 0 and 12 on/,
  );
  assert.is(found[1], found[0]);
});

test('files: one that changes behind the probe is an error on all hosts', async () => {
  const path = put(hostAt(), '1 1:1\n'.repeat(100), 'changing.data');
  const worlds = fakeWorlds(2).map((world) => ({
    ...world,
    async allGather(name: string, bytes: Uint8Array) {
      const all = await world.allGather(name, bytes);
      // Round 1: what the chunks held. Host 1 parses some of host 0's again.
      if (name.endsWith('.1')) writeFileSync(path, '1 1:1 2:2\n'.repeat(60));
      return all;
    },
  }));
  const text = `${'1 1:1\n'.repeat(100)}${'1 1:1 2:2 3:3 4:4 5:5\n'.repeat(100)}`;
  writeFileSync(path, text);
  const settled = await onAll(worlds, (world) => {
    const host = { ...withChunks(hostAt(world.rank), 30), world };
    return loadSamples([path], {}, host);
  });
  const found = await reasons(settled);
  assert.is(found[0], 'ERR_DATA changing.data: the file changed while it was read');
  assert.is(found[1], found[0]);
  rmSync(path);
});

test('abort: on one host ends the load on all', async () => {
  const path = put(hostAt(), '1 1:1\n'.repeat(100));
  for (const rank of [0, 1]) {
    const worlds = fakeWorlds(2);
    const settled = await onAll(worlds, (world) => {
      const host = { ...hostAt(world.rank), world };
      const signal = AbortSignal.abort();
      return loadSamples([path], world.rank === rank ? { signal } : {}, host);
    });
    const found = await reasons(settled);
    assert.equal(found, Array(2).fill('ERR_ABORTED loading was aborted by its signal'));
  }
});

test('memory: full on one host ends the load on all', async () => {
  const text = '1 1:1 2:2 3:3\n'.repeat(1000);
  const { arena } = hostAt(1);
  for (const content of [text, gzipMembers(text, 1)]) {
    const path = put(hostAt(), content);
    const mark = arena.mark();
    arena.allocate(arena.layout.bytes - mark - 1024);
    const found = await reasons(await loadShares([1, 1], () => [path], {}, { chunkBytes: 500 }));
    arena.release(mark);
    assert.match(found[0] ?? '', /^ERR_LIMIT the host's memory is full/);
    assert.is(found[1], found[0]);
  }
});

test('together: the fault of the lowest rank is thrown by all, whatever the round', async () => {
  const settled = await onAll(fakeWorlds(3), (world) =>
    together(world, 'rounds', async (talk) => {
      await talk.exchange(world.rank);
      if (world.rank > 0) throw new Error(`host ${world.rank} fell over`);
      await talk.exchange('more');
      return talk.exchange('never');
    }),
  );
  assert.equal(await reasons(settled), Array(3).fill('ERR_INTERNAL host 1 fell over'));
});

test('together: a fault behind the last round is a fault of all', async () => {
  const settled = await onAll(fakeWorlds(2), (world) =>
    together(world, 'end', async (talk) => {
      const all = await talk.exchange(world.rank);
      if (world.rank === 1) throw new Error('too late');
      return all;
    }),
  );
  assert.equal(await reasons(settled), Array(2).fill('ERR_INTERNAL too late'));
});

test.run();
