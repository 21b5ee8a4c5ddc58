// Corpora from texts: words against a tokenizer written the obvious way, and what is counted.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import type { CorpusOptions } from '../src/data/load-corpus.ts';
import { corpusOf } from './helpers/corpus.ts';
import { put, withChunks } from './helpers/loading.ts';
import { closeHosts, everyWay, host } from './helpers/ways.ts';

test.after(closeHosts);

const all: CorpusOptions = { format: 'text', stopWords: 'none', minDocuments: 1, minLength: 1 };

/** Words of a text by regular expressions. */
function wordsOf(text: string, shortest = 1): string[] {
  const found = text.match(/[\p{L}\p{M}\p{N}]+(?:['’\-‐][\p{L}\p{M}\p{N}]+)*/gu) ?? [];
  const lower = (c: string) => String.fromCodePoint(c.toLowerCase().codePointAt(0) ?? 0);
  return found
    .map((word) => [...word.replaceAll('’', "'").replaceAll('‐', '-')].map(lower).join(''))
    .filter((word) => /[^0-9'-]/.test(word) && [...word].length >= shortest)
    .filter((word) => Buffer.byteLength(word) <= 64);
}

/** Documents as `word word …`, words in the order of the vocabulary. */
function readable(got: Awaited<ReturnType<typeof corpusOf>>): string[] {
  return got.data.map(({ bag }) =>
    bag
      .flatMap((word, i) => {
        const name = got.vocabulary[word] ?? '?';
        return i % 2 === 0 ? Array.from({ length: bag[i + 1] ?? 0 }, () => name) : [];
      })
      .join(' '),
  );
}

const sorted = (words: readonly string[]) => [...words].sort().join(' ');

const alphabet = [
  'a',
  'B',
  'ç',
  'Œ',
  'ß',
  'я',
  'Ж',
  'Ω',
  '語',
  '𝒳',
  '𐐀',
  'é',
  '7',
  '0',
  'İ',
  'e\u0301',
];
const between = [
  ' ',
  ' ',
  ', ',
  "'",
  '’',
  '-',
  '--',
  '\t',
  '…',
  '‐',
  '\u00a0',
  '"',
  '. ',
  '',
  '😀',
  "'s ",
];

function randomText(seed: number, lines: number): string {
  const prng = createPrng(seed);
  const pick = (list: readonly string[]) => list[prng.below(list.length)] ?? '';
  const word = () => Array.from({ length: 1 + prng.below(5) }, () => pick(alphabet)).join('');
  const line = () => Array.from({ length: prng.below(9) }, () => word() + pick(between)).join('');
  return Array.from({ length: lines }, () => line() + '\n').join('');
}

test('texts: words of any script, as a regular expression finds them', async () => {
  for (const seed of [1, 2, 3]) {
    const text = randomText(seed, 150);
    const got = await corpusOf(host(), [put(host(), text)], all);
    assert.equal(
      readable(got),
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => sorted(wordsOf(line))),
    );
  }
});

test('texts: the same corpus whatever chunks, threads and compression', async () => {
  const text = randomText(4, 60);
  await everyWay(text, (at, path) => corpusOf(at, [path], { ...all, minDocuments: 2 }));
});

test('texts: apostrophes and hyphens inside words, numbers that are none', async () => {
  const text = "Don't — the ‘well-known’ rock-'n'-roll of 1984, R2D2 and 10-20; it’s -here-\n";
  const got = await corpusOf(host(), [put(host(), text)], all);
  assert.equal(readable(got), ["and don't here it's n of r2d2 rock roll the well-known"]);
});

test('texts: stop words, shortest words, rare and frequent ones', async () => {
  const text = 'The house of cards\nA house, a garden\nhouse and cards are my x\n';
  const load = async (options: CorpusOptions) => {
    const got = await corpusOf(host(), [put(host(), text)], { format: 'text', ...options });
    assert.equal(
      got.warnings.filter((warning) => /tokens/.test(warning)),
      [],
    );
    return got.vocabulary.join(' ');
  };
  assert.is(await load({}), 'cards house');
  assert.is(await load({ minDocuments: 1 }), 'cards garden house');
  assert.is(await load({ minDocuments: 1, minLength: 1 }), 'cards garden house x');
  assert.is(await load({ maxShare: 0.7 }), 'cards');
  assert.is(await load({ minDocuments: 1, minLength: 6 }), 'garden');
  const own = put(host(), 'house\nof\n');
  assert.is(await load({ stopWords: own, minDocuments: 1 }), 'and are cards garden my the');
});

test('texts: an empty line is an empty document, and the last line needs no end', async () => {
  const got = await corpusOf(host(), [put(host(), 'one two\n\n \nthree')], all);
  assert.equal(readable(got), ['one two', '', '', 'three']);
  assert.is(got.empty, 2);
  assert.equal(got.warnings, ['2 of 4 documents have no word; they are kept, empty']);
});

test('texts: bytes that are not UTF-8 separate words and are counted', async () => {
  const bytes = Buffer.concat([
    Buffer.from('caf'),
    Buffer.of(0xe9),
    Buffer.from(' a\xedb '),
    Buffer.of(0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf5),
    Buffer.from('c\n'),
  ]);
  const got = await corpusOf(host(), [put(host(), bytes)], all);
  assert.equal(readable(got), ['aíb c caf']);
  assert.match(got.warnings[0] ?? '', /^7 bytes that are not UTF-8/);
});

test('texts: a word has at most 64 bytes', async () => {
  const text = `${'x'.repeat(64)} ${'y'.repeat(65)} ${'é'.repeat(32)} ${'é'.repeat(33)} z\n`;
  const got = await corpusOf(host(), [put(host(), text)], all);
  assert.equal(readable(got), [sorted(wordsOf(text))]);
});

const train = 'apples and pears\nred apples\nred pears, ripe pears\n';

test('texts: documents to be scored have the words of the training set', async () => {
  const known = await corpusOf(host(), [put(host(), train)], { format: 'text' });
  assert.equal(known.vocabulary, ['apples', 'pears', 'red']);
  const path = put(host(), 'Apples of the blue tree, red red\nnothing here\n');
  const got = await corpusOf(withChunks(host(), 7), [path], { format: 'text', like: known });
  assert.equal(
    got.data.map(({ bag }) => bag),
    [[0, 1, 2, 2], []],
  );
  assert.equal(got.warnings, [
    '2 tokens of words that the vocabulary does not have were left out',
    '1 of 2 documents have no word; they are kept, empty',
  ]);
  assert.equal([got.words, got.vocabulary], [3, known.vocabulary]);
});

test('texts: a vocabulary file says which words count, stop words and all', async () => {
  const vocabulary = put(host(), 'the\npears\nnew_york\napples\n');
  const text = put(host(), 'The apples, the pears and a plum\n');
  const got = await corpusOf(host(), [text], { format: 'text', vocabulary });
  assert.equal(
    got.data.map(({ bag }) => bag),
    [[0, 2, 1, 1, 3, 1]],
  );
  assert.is(got.words, 4);
});

function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = join(host().folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    put(host(), text, join(name, path));
  }
  return root;
}

test('texts: a file a document, of folders and of several files', async () => {
  const root = folder('letters', {
    'b/2.txt': 'red\npears\n',
    'a.txt': 'red apples',
    'b/1.txt.gz': gzipSync('green pears'),
    '.hidden': 'nobody reads this',
    'b/empty': '',
  });
  for (const chunkBytes of [7, 1 << 20]) {
    const got = await corpusOf(withChunks(host(), chunkBytes), [root], { minDocuments: 1 });
    assert.equal(got.names, ['a.txt', 'b/1.txt.gz', 'b/2.txt', 'b/empty']);
    assert.equal(readable(got), ['apples red', 'green pears', 'pears red', '']);
  }
  const files = ['b/2.txt', 'a.txt'].map((name) => join(root, name));
  const two = await corpusOf(host(), files, { format: 'text', minDocuments: 1 });
  assert.equal(readable(two), ['pears red', 'apples red']);
  const lines = await corpusOf(host(), files, {
    documents: 'lines',
    minDocuments: 1,
    format: 'text',
  });
  assert.equal(readable(lines), ['red', 'pears', 'apples red']);
});

const csv =
  'year,title,text,label\n1790,"Washington, first","Fellow ""citizens"" of, the Senate",x\n' +
  '1801-07,,citizens and senate,y\n,third,,x\n1801-07-16,Jefferson,"senate",y\n';

test('texts: a column of a csv file, with dates, names and labels', async () => {
  const options = { minDocuments: 1 };
  await everyWay(csv, (at, path) => corpusOf(at, [path], options));
  const got = await corpusOf(host(), [put(host(), csv)], options);
  assert.is(got.format, 'csv');
  assert.equal(readable(got), ['citizens fellow senate', 'citizens senate', '', 'senate']);
  assert.equal(got.names, ['Washington, first', '', 'third', 'Jefferson']);
  assert.equal(
    got.data.map(({ label }) => label),
    ['x', 'y', 'x', 'y'],
  );
  assert.equal(got.dates, [1790, 1801.5, null, Math.fround(1801.5 + 15 / 372)]);
});

test('texts: columns of a csv file by name and number, other delimiters', async () => {
  const text = 'when\tspeech\tby\n1790\tthe senate\tW\n1791\ta senate\tJ\n';
  const options = { textColumn: 'speech', dateColumn: '0', nameColumn: 'by', minDocuments: 1 };
  const got = await corpusOf(host(), [put(host(), text)], options);
  assert.equal(
    [readable(got), got.names, got.dates],
    [
      ['senate', 'senate'],
      ['W', 'J'],
      [1790, 1791],
    ],
  );
});

test.run();
