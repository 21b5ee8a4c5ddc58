// Corpora that are read into a file: the same documents as in memory, out of every format, however
// they are read; and memory that does not grow with them.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import type { CorpusOptions } from '../src/data/load-corpus.ts';
import { corpusOf, spilledCorpusOf, type PlainCorpus } from './helpers/corpus.ts';
import { put, type TestHost } from './helpers/loading.ts';
import { closeHosts, everyWay, host } from './helpers/ways.ts';

test.after(closeHosts);

const LEFT_OUT = /of documents that are read into a file are left out$/;

/** What both ways to keep documents have in common. */
function common({ blockRows: _, names: __, dates: ___, warnings, ...rest }: PlainCorpus) {
  return { ...rest, warnings: warnings.filter((line) => !LEFT_OUT.test(line)) };
}

/** Holds that documents in a file are those in memory, in every way of reading. */
async function sameEveryWay(text: string, options: CorpusOptions = {}) {
  const wanted = await corpusOf(host(), [put(host(), text)], options);
  let got: PlainCorpus | undefined;
  await everyWay(text, async (at: TestHost, path: string) => {
    return (got = await spilledCorpusOf(at, [path], options));
  });
  assert.ok(got);
  assert.equal(common(got), common(wanted));
  return got;
}

function randomLines(seed: number, documents: number, head: (d: number, pairs: number) => string) {
  const prng = createPrng(seed);
  return Array.from({ length: documents }, (_, d) => {
    const words = [...new Set(Array.from({ length: prng.below(7) }, () => prng.below(40)))];
    const pairs = words.map((word) => `${word}:${1 + prng.below(9)}`).join(' ');
    return `${head(d, words.length)}${pairs}\n`;
  }).join('');
}

const counts: readonly (readonly [name: string, text: string])[] = [
  ['libsvm', randomLines(1, 90, () => '')],
  ['libsvm with labels', randomLines(2, 90, (d) => `${'201'[d % 3]} `)],
  ['lda-c', randomLines(3, 90, (_, pairs) => `${pairs} `)],
];

for (const [name, text] of counts) {
  test(`spill: ${name}: the documents in the file are those in memory`, async () => {
    await sameEveryWay(text);
  });
}

const vocabulary = () =>
  put(host(), Array.from({ length: 41 }, (_, w) => `${w % 5 === 0 ? 'stop' : 'w'}${w}\n`).join(''));
const stopWords = () =>
  put(host(), [0, 5, 10, 15, 20, 25, 30, 35, 40].map((w) => `stop${w}\n`).join(''));

test('spill: counts without stop words, and in the words of the training data', async () => {
  const text = randomLines(4, 60, (d) => `${d % 3} `);
  await sameEveryWay(text, { vocabulary: vocabulary(), stopWords: stopWords() });
  const like = { words: 20, vocabulary: [], base: 0, classes: ['1', '2'] };
  const got = await sameEveryWay(text, { like });
  assert.match(got.warnings.join(), /labels that the training data does not have: 0.*tokens of/);
});

const word = (prng: ReturnType<typeof createPrng>) => `word${prng.below(30)}`;

test('spill: lines of texts, with words that are too rare and too frequent', async () => {
  const prng = createPrng(5);
  const line = () => Array.from({ length: prng.below(9) }, () => word(prng)).join(' ');
  const text = Array.from({ length: 80 }, () => `${line()} always\n`).join('');
  const got = await sameEveryWay(text, { format: 'text', minDocuments: 3, maxShare: 0.5 });
  assert.not(got.vocabulary.includes('always'));
  assert.ok(got.words > 10);
});

test('spill: columns of csv: labels are kept, names and dates are not', async () => {
  const prng = createPrng(6);
  const line = (d: number) => `${1790 + d},name ${d},${word(prng)} ${word(prng)},${'xy'[d % 2]}\n`;
  const lines = Array.from({ length: 50 }, (_, d) => line(d)).join('');
  const got = await sameEveryWay(`year,name,text,label\n${lines}`);
  assert.equal([got.names, got.dates, got.classes], [[], undefined, ['x', 'y']]);
  assert.ok(
    got.warnings.includes('names and dates of documents that are read into a file are left out'),
  );
});

test('spill: a file a document', async () => {
  const folder = join(host().folder, 'documents');
  mkdirSync(folder);
  for (let d = 0; d < 40; d++) put(host(), d === 7 ? '' : `w${d % 5} w${d % 3}`, `documents/${d}`);
  const wanted = await corpusOf(host(), [folder]);
  for (const chunkBytes of [7, 64, 1 << 20]) {
    for (const threads of [1, 4]) {
      const at = { ...host(threads), pool: { ...host(threads).pool, chunkBytes } };
      const got = await spilledCorpusOf(at, [folder]);
      assert.equal(common(got), common(wanted));
      assert.ok(got.warnings.includes('names of documents that are read into a file are left out'));
    }
  }
});

test.run();
