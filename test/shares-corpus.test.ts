// Corpora on several hosts: each holds the documents of its partitions, and knows all facts.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import { partitionsOf } from '../src/base/world.ts';
import type { CorpusOptions } from '../src/data/load-corpus.ts';
import { corpusOf, type PlainCorpus } from './helpers/corpus.ts';
import { gzipMembers, put, withChunks } from './helpers/loading.ts';
import { casts, closeShares, hostAt, values } from './helpers/shares.ts';
import { fakeWorlds, onAll } from './helpers/worlds.ts';

test.after(closeShares);

/** The shares, one behind the other, are what one host alone holds. */
function assertShares(shares: readonly PlainCorpus[], whole: PlainCorpus, cast: readonly number[]) {
  const { data, names, dates = [], first: _, blockRows: __, ...facts } = whole;
  const partitions = Math.max(
    16,
    cast.reduce((sum, n) => sum + n, 0),
  );
  const at = (partition: number) => Math.floor((facts.documents * partition) / partitions);
  for (const [rank, share] of shares.entries()) {
    const { data: own, names: mine, dates: years = [], first, blockRows, ...same } = share;
    assert.equal(same, facts, `facts of host ${rank}`);
    const range = partitionsOf({ threads: cast }, partitions, rank);
    const [from, to] = [at(range.first), at(range.last)];
    assert.equal([first, own.length], [from, to - from]);
    assert.equal([mine, years], [names.slice(from, to), dates.slice(from, to)]);
    assert.is(
      blockRows.reduce((sum, n) => sum + n, 0),
      own.length,
    );
  }
  assert.equal(
    shares.flatMap((share) => share.data),
    data,
  );
}

async function everyCast(
  paths: readonly string[],
  options: CorpusOptions,
  chunks: readonly number[] = [7, 100, 1 << 20],
): Promise<PlainCorpus> {
  let whole: PlainCorpus | undefined;
  for (const chunkBytes of chunks) {
    whole = await corpusOf(withChunks(hostAt(), chunkBytes), paths, options);
    for (const cast of casts) {
      const worlds = fakeWorlds(cast.length, { threads: cast });
      const loaded = await onAll(worlds, (world) =>
        corpusOf({ ...withChunks(hostAt(world.rank), chunkBytes), world }, paths, options),
      );
      assertShares(values(loaded), whole, cast);
    }
  }
  assert.ok(whole);
  return whole;
}

function countsText(seed: number, documents: number): string {
  const prng = createPrng(seed);
  const pairs = (most: number) =>
    Array.from({ length: prng.below(most) }, () => `${prng.below(30)}:${1 + prng.below(5)}`);
  // Documents at the end are longer: shares of bytes and of documents are not the same.
  const line = (d: number) => pairs(d > documents / 2 ? 9 : 3).join(' ');
  return Array.from({ length: documents }, (_, d) => `${prng.below(4)} ${line(d)}\n`).join('');
}

for (const form of ['plain', 'gzip'] as const) {
  const pack = (text: string) => put(hostAt(), form === 'gzip' ? gzipMembers(text, 2) : text);

  test(`shares of counts, ${form}`, async () => {
    const whole = await everyCast([pack(countsText(1, 67)), pack(countsText(2, 20))], {});
    assert.equal([whole.documents, whole.classes.length], [87, 4]);
  });

  test(`shares of entries, ${form}`, async () => {
    const prng = createPrng(3);
    const entries = Array.from({ length: 150 }, () => [50, 9, 4].map((n) => 1 + prng.below(n)));
    const text = `50\n9\n150\n${entries.map((entry) => `${entry.join(' ')}\n`).join('')}`;
    await everyCast([pack(text)], {}, [7, 1 << 20]);
  });

  test(`shares of texts: words that one host alone sees, ${form}`, async () => {
    const prng = createPrng(5);
    const word = (d: number) => (prng.below(3) === 0 ? `only${d >> 3}` : `word${prng.below(20)}`);
    const line = (d: number) => Array.from({ length: prng.below(6) }, () => word(d)).join(' ');
    const text = Array.from({ length: 61 }, (_, d) => `${line(d)}\n`).join('');
    const whole = await everyCast([pack(text)], { format: 'text', maxShare: 0.2 });
    assert.ok(whole.words > 20 && whole.vocabulary.includes('only3'), whole.vocabulary.join());
  });

  test(`shares of csv texts, ${form}`, async () => {
    const lines = Array.from({ length: 40 }, (_, d) => `${1790 + d},name ${d},w${d % 5} w${d % 3}`);
    await everyCast([pack(`year,name,text\n${lines.join('\n')}\n`)], { minDocuments: 1 });
  });
}

test('shares of files that are documents', async () => {
  const folder = join(hostAt().folder, 'documents');
  mkdirSync(folder);
  for (let d = 0; d < 23; d++) put(hostAt(), `w${d % 5} w${d % 3}`, `documents/${d}.txt`);
  const whole = await everyCast([folder], {}, [7, 1 << 20]);
  assert.equal([whole.documents, whole.words, whole.names[1]], [23, 5, '1.txt']);
});

test('shares of documents to be scored', async () => {
  const like = { words: 20, vocabulary: [], base: 0, classes: ['1', '2'] };
  const whole = await everyCast([put(hostAt(), countsText(9, 40))], { like });
  assert.match(whole.warnings.join(), /labels that the training data does not have: .* tokens of/);
});

test.run();
