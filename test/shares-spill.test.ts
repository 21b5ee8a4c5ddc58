// Corpora that several hosts read into a file each: what a host has there it would have in memory.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import type { CorpusOptions } from '../src/data/load-corpus.ts';
import { comparable, corpusOf, spilledCorpusOf } from './helpers/corpus.ts';
import { gzipMembers, put, withChunks } from './helpers/loading.ts';
import { casts, closeShares, hostAt, reasons, values } from './helpers/shares.ts';
import { fakeWorlds, onAll } from './helpers/worlds.ts';

test.after(closeShares);

type Load = typeof corpusOf;

async function everyCast(path: string, options: CorpusOptions = {}) {
  for (const chunkBytes of [7, 100, 1 << 20]) {
    for (const cast of casts) {
      const load = async (of: Load) => {
        const hosts = await onAll(fakeWorlds(cast.length, { threads: cast }), (world) =>
          of({ ...withChunks(hostAt(world.rank), chunkBytes), world }, [path], options),
        );
        return values(hosts).map(comparable);
      };
      const wanted = await load(corpusOf);
      assert.equal(await load(spilledCorpusOf), wanted, `${cast.join()} chunks of ${chunkBytes}`);
      assert.ok(wanted.every(({ data }) => data.length > 0));
    }
  }
}

const prng = createPrng(11);
const documents = Array.from({ length: 67 }, (_, d) =>
  Array.from({ length: prng.below(d > 30 ? 9 : 3) }, () => [prng.below(30), 1 + prng.below(5)]),
);
const lines = documents.map((bag, d) => `${d % 4} ${bag.map((pair) => pair.join(':')).join(' ')}`);
const entries = documents.flatMap((bag, d) =>
  bag.map(([w = 0, n = 0]) => `${d + 1} ${w + 1} ${n}`),
);
const texts = documents.map((bag, d) =>
  bag.map(([w = 0, n = 0]) => (n === 1 ? `only${d >> 3}` : `word${w}`)).join(' '),
);
const fields = texts.map((text, d) => `${1800 + d},name ${d},${'xyz'[d % 3]},${text}`);
const of = (rows: readonly (string | number)[]) => `${rows.join('\n')}\n`;

const forms: readonly (readonly [name: string, text: string, options?: CorpusOptions])[] = [
  ['counts with labels', of(lines)],
  ['entries', of([documents.length + 9, 30, entries.length, ...entries])],
  ['texts', of(texts), { format: 'text', maxShare: 0.2 }],
  ['csv texts', of(['year,name,label,text', ...fields])],
];

for (const [name, text, options] of forms) {
  test(`spill: shares of ${name}`, async () => {
    await everyCast(put(hostAt(), text), options);
    await everyCast(put(hostAt(), gzipMembers(text, 2)), options);
  });
}

test('spill: shares of files that are documents', async () => {
  const folder = join(hostAt().folder, 'documents');
  mkdirSync(folder);
  for (let d = 0; d < 40; d++) put(hostAt(), `w${d % 5} w${d % 3}`, `documents/${d}.txt`);
  await everyCast(folder);
});

test('spill: entries out of order are refused on all hosts', async () => {
  const path = put(hostAt(), '9\n4\n3\n1 1 1\n8 1 1\n7 1 1\n', 'bad');
  for (const chunkBytes of [7, 1 << 20]) {
    const all = await onAll(fakeWorlds(2), (world) =>
      spilledCorpusOf({ ...withChunks(hostAt(world.rank), chunkBytes), world }, [path]),
    );
    for (const reason of await reasons(all))
      assert.match(reason, /^ERR_DATA .*bad:6:1: documents /);
  }
});

test.run();
