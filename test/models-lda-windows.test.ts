// lda over windows of its documents: files change no bit of the result, however many windows,
// threads and hosts; windows in memory lose no count and find the same likelihood as no windows.
import { existsSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Corpus } from '../src/data/dataset.ts';
import { withHost } from './helpers/hosts.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { plantTopics } from './helpers/lda.ts';
import { fitLda, objectiveOf } from './helpers/lda-fits.ts';
import { spillCorpus, withFolder } from './helpers/spilled.ts';

const known = plantTopics(prngOf(21), { topics: 5, documents: 160, length: 20 });
const tokens = known.documents.flat().length;
const options = { topics: 9, 'optimize-interval': 2, 'evaluate-interval': 2 };
/** The option that makes n windows of the documents. */
const windowOf = (n: number) => ({ window: (tokens * 16) / (n - 0.5) / 2 ** 20 });

test('lda: a window more is another order, and loses no count', async () => {
  await withHost(2, async (host) => {
    const hashes = new Set<string>();
    for (const windows of [1, 2, 7, 12]) {
      const fitted = await fitLda(host, known, { ...options, ...windowOf(windows) }, { passes: 5 });
      const want = objectiveOf(fitted, known);
      const { objective } = fitted.outcome;
      assert.ok(Math.abs(objective - want) < 1e-10 * Math.abs(want), `${windows}: ${objective}`);
      hashes.add(fitted.hash);
    }
    assert.is(hashes.size, 4);
  });
});

test('lda: windows find the same likelihood as none', async () => {
  await withHost(2, async (host) => {
    const means: number[] = [];
    for (const windows of [1, 6]) {
      const found: number[] = [];
      for (const seed of [1, 2, 3]) {
        const fixed = { topics: 5, alpha: 0.5, beta: 0.2, 'evaluate-interval': 4 };
        const ask = { passes: 64, seed };
        const { progress } = await fitLda(host, known, { ...fixed, ...windowOf(windows) }, ask);
        const told = progress.flatMap((values) => values['logLikelihood'] ?? []).slice(-8);
        found.push(told.reduce((sum, value) => sum + value, 0) / told.length);
      }
      means.push(Math.max(...found));
    }
    // As between the two roads in models-lda.test.ts: means over 32 passes, the best of 3 chains.
    assert.ok(Math.abs(means[0]! - means[1]!) < 0.03, means.join(' '));
  });
});

test('lda: there are no more windows than documents, nor than memory is saved by', async () => {
  await withHost(2, async (host) => {
    const of = (window: number) => fitLda(host, known, { ...options, window }, { passes: 3 });
    // 8 parts have 20 documents each; a part's window has 4 bytes for each of 30 words.
    const least = 2 * 8 * 4 * (known.words + 1);
    const [smallest, tiny] = [await of(least / 2 ** 20), await of(1e-9)];
    assert.is(tiny.hash, smallest.hash);
    assert.is.not(tiny.hash, (await of(1)).hash);
  });
});

test('lda: memory above 2 GiB is memory', async () => {
  const run = (above: boolean, filed: boolean) =>
    withFolder((folder) =>
      withHost(2, async (host) => {
        // Memory that nobody touches costs nothing.
        if (above) host.arena.allocate(2 ** 31);
        const keep = (data: Corpus) => (filed ? spillCorpus(host.arena, data, folder) : data);
        const asked = { ...options, ...windowOf(3) };
        const { outcome, progress } = await fitLda(host, known, asked, { passes: 3 }, { keep });
        return [outcome.objective, progress];
      }),
    );
  const below = await run(false, false);
  for (const filed of [false, true]) assert.equal(await run(true, filed), below);
});

test('lda: α is fitted to the documents of all windows', async () => {
  const group = (word: number, count: number) =>
    Array.from({ length: count }, (_, d) => [0, 1, 2, 3, 4].map((i) => word + ((d + i) % 6)));
  // Of the two topics, the last of four windows has one alone.
  const documents = [...group(0, 150), ...group(6, 50)];
  await withHost(1, async (host) => {
    const windows = windowOf(4).window * (1000 / tokens);
    const asked = { topics: 2, alpha: 0.5, 'optimize-interval': 1, window: windows };
    const ask = { passes: 30, partitions: 1 };
    const { outcome, arrays } = await fitLda(host, { documents, words: 12 }, asked, ask);
    assert.equal([...arrays.get('topic_totals')!].sort(), [250, 750]);
    const { alpha } = outcome.trained.facts as { alpha: number[] };
    const [rare = 0, common = 0] = [...alpha].sort((a, b) => a - b);
    assert.ok(common / rare > 1.5 && common / rare < 6, `α ${alpha.join(' ')}`);
  });
});

test('lda: files change no bit, for any windows and threads', async () => {
  for (const [windows, sampler] of [
    [1, 'exact'],
    [3, 'mh'],
    [12, 'exact'],
  ] as const) {
    const asked = { ...options, ...windowOf(windows), sampler };
    const memory = await withHost(2, (host) => fitLda(host, known, asked, { passes: 5 }));
    for (const threads of [1, 3]) {
      await withFolder((folder) =>
        withHost(threads, async (host) => {
          const spill = (data: Corpus) => spillCorpus(host.arena, data, folder);
          const filed = await fitLda(host, known, asked, { passes: 5 }, { keep: spill });
          assert.ok(existsSync(join(folder, 'part-0')));
          assert.is(filed.outcome.objective, memory.outcome.objective);
          assert.equal(filed.progress, memory.progress);
          assert.equal(filed.outcome.trained.facts, memory.outcome.trained.facts);
          for (const [name, values] of memory.arrays) {
            const documents = name.startsWith('doc_');
            const want = name === 'doc_starts' ? Int32Array.of(0) : documents ? [] : values;
            assert.equal([...filed.arrays.get(name)!], [...want], `${name}, ${windows} windows`);
          }
        }),
      );
    }
  }
});

test('lda: files of several hosts change no bit', async () => {
  const partitions = 8;
  const ask = { partitions, passes: 4, audit: false };
  const asked = { ...options, ...windowOf(5) };
  const train = (threads: readonly number[], filed: boolean) =>
    withCluster(threads, (hosts) =>
      Promise.all(
        hosts.map((host) =>
          withFolder(async (folder) => {
            const keep = (data: Corpus) => (filed ? spillCorpus(host.arena, data, folder) : data);
            const { outcome, progress, arrays } = await fitLda(host, known, asked, ask, { keep });
            const ofWords = [...arrays].filter(([name]) => !name.startsWith('doc_'));
            return JSON.stringify([
              outcome.objective,
              progress,
              ofWords.map(([, all]) => [...all]),
            ]);
          }),
        ),
      ),
    );
  const [alone] = await train([2], false);
  for (const threads of [
    [1, 2],
    [1, 1, 1],
  ]) {
    assert.is((await train(threads, true))[0], alone);
  }
});

test('lda: a file that is cut off or gone while training says so', async () => {
  for (const harm of [(file: string) => truncateSync(file, 100), rmSync]) {
    await withFolder((folder) =>
      withHost(1, async (host) => {
        const spill = (data: Corpus) => {
          const spilled = spillCorpus(host.arena, data, folder);
          harm(spilled.spill!.path);
          return spilled;
        };
        try {
          await fitLda(host, known, options, { passes: 2 }, { keep: spill });
          assert.unreachable();
        } catch (thrown) {
          const { code, message } = thrown as { code?: string; message: string };
          assert.is(code, 'ERR_DATA');
          assert.match(message, /documents: documents cannot be read back .*leave the file alone/);
        }
      }),
    );
  }
});

test.run();
