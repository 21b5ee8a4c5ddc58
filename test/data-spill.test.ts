// Corpora that are read into a file: the same documents as in memory, out of every format, however
// they are read; and memory that does not grow with them.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../src/base/limits.ts';
import { createPrng } from '../src/base/prng.ts';
import type { CorpusOptions } from '../src/data/load-corpus.ts';
import { comparable, corpusOf, spilledCorpusOf, type PlainCorpus } from './helpers/corpus.ts';
import { failureOf, gzipMembers, put, withChunks, type TestHost } from './helpers/loading.ts';
import { closeHosts, everyWay, host } from './helpers/ways.ts';

test.after(closeHosts);

/** Holds that documents in a file are those in memory, in every way of reading. */
async function sameEveryWay(text: string, options: CorpusOptions = {}) {
  const wanted = await corpusOf(host(), [put(host(), text)], options);
  let got: PlainCorpus | undefined;
  await everyWay(text, async (at: TestHost, path: string) => {
    return (got = await spilledCorpusOf(at, [path], options));
  });
  assert.ok(got);
  assert.equal(comparable(got), comparable(wanted));
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

/** Documents as entries, `gaps` empty ones between them; the words of some in any order. */
function entriesOf(text: string, gaps: (d: number) => number) {
  let document = 0;
  const entries = text.split('\n').flatMap((line, d) => {
    document += 1 + gaps(d);
    return (line.match(/\d+:\d+/g) ?? []).map((pair) => {
      const [w = '', n = ''] = pair.split(':');
      return `${document} ${Number(w) + 1} ${n}\n`;
    });
  });
  return { documents: document + 3, entries };
}

const bow = (text: string, gaps: (d: number) => number = () => 0) => {
  const { documents, entries } = entriesOf(text, gaps);
  return `${documents}\n40\n${entries.length}\n${entries.join('')}`;
};

test('spill: entries: documents over several chunks, and empty ones anywhere', async () => {
  await sameEveryWay(bow(counts[0]![1]));
  const prng = createPrng(8);
  await sameEveryWay(bow(counts[1]![1], () => prng.below(4)));
  const long = `${'1:1 2:2 39:1 '.repeat(60)}\n3:1\n\n${'5:1 '.repeat(200)}\n${'7:1 '.repeat(30)}\n`;
  await sameEveryWay(bow(long));
  await sameEveryWay(`%%MatrixMarket matrix coordinate pattern general\n9 3 2\n4 1\n4 3\n`);
});

test('spill: entries: many empty documents', async () => {
  const many = 300_000;
  const text = `${2 * many}\n3\n3\n1 1 1\n${many} 2 5\n${many} 3 1\n`;
  const got = await spilledCorpusOf(host(), [put(host(), text)]);
  assert.equal([got.documents, got.empty], [2 * many, 2 * many - 2]);
  assert.ok(got.blockRows.every((documents) => documents <= 1 << 17));
  assert.equal(
    [got.data[0], got.data[many - 1]].map((d) => d?.bag),
    [
      [0, 1],
      [1, 5, 2, 1],
    ],
  );
  const small = await spilledCorpusOf(withChunks(host(), 7), [put(host(), text)]);
  assert.equal(comparable(small), comparable(got));
});

test('spill: entries: out of order is refused where it stands, first violations first', async () => {
  const refused = async (text: string, words: RegExp) => {
    for (const chunkBytes of [7, 12, 20, 1 << 20]) {
      for (const content of [text, gzipMembers(text, 2)]) {
        const at = withChunks(host(), chunkBytes);
        const load = () => spilledCorpusOf(at, [put(host(), content, 'bad')]);
        const { code, message } = await failureOf(host(), load);
        assert.is(code, 'ERR_DATA', message);
        assert.match(message, words);
      }
    }
  };
  const order = /^bad:6:2: documents that are read into a file ascend; the one before is 3: sort/;
  await refused('4\n4\n3\n1 1 1\n3 1 1\n 2 1 1\n', order);
  await refused('4\n4\n4\n1 1 1\n3 1 1\n 2 1 1\n4 9 1\n', order);
  await refused('4\n4\n5\n1 1 1\n3 1 1\n\n4 1 0\n2 1 1\n3 1 1\n', /^bad:7:5: a count must be/);
  await refused('4\n4\n3\n1 1 1\n3 1 1\n4 1 1\n2 1 1\n', /^bad:7:1: .* promises 3 entries/);
  await refused('4\n4\n5\n1 1 1\n3 1 1\n4 1 1\n', /^bad:7:1: .* promises 5 entries/);
});

test('spill: entries: a document of too many', async () => {
  const most = limits.documentEntriesMax;
  const text = (n: number) => `2\n1\n${n + 1}\n${'1 1 1\n'.repeat(n)}2 1 1\n`;
  const got = await spilledCorpusOf(host(), [put(host(), text(most))]);
  assert.equal(
    got.data.map(({ bag }) => bag),
    [
      [0, most],
      [0, 1],
    ],
  );
  const load = () => spilledCorpusOf(host(), [put(host(), text(most + 1), 'long')]);
  const { code, message } = await failureOf(host(), load);
  assert.is(code, 'ERR_LIMIT');
  assert.match(message, /^long: a document .* at most 2097152 entries; .* document 1 has 2097153$/);
});

const vocabulary = () =>
  put(host(), Array.from({ length: 41 }, (_, w) => `${w % 5 === 0 ? 'stop' : 'w'}${w}\n`).join(''));
const stopWords = () =>
  put(host(), [0, 5, 10, 15, 20, 25, 30, 35, 40].map((w) => `stop${w}\n`).join(''));

test('spill: counts without stop words, and in the words of the training data', async () => {
  const text = randomLines(4, 60, (d) => `${d % 3} `);
  await sameEveryWay(text, { vocabulary: vocabulary(), stopWords: stopWords() });
  const words = put(
    host(),
    Array.from({ length: 40 }, (_, w) => `${w % 5 ? 'w' : 'stop'}${w}\n`).join(''),
  );
  await sameEveryWay(bow(text), { vocabulary: words, stopWords: stopWords() });
  await sameEveryWay(bow(text), { like: { words: 9, vocabulary: [], base: 1, classes: [] } });
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
      assert.equal(comparable(got), comparable(wanted));
      assert.ok(got.warnings.includes('names of documents that are read into a file are left out'));
    }
  }
});

test.run();
