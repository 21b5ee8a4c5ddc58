// Corpora from files of counts: the same documents out of every format, in every way of reading.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import type { CorpusOptions } from '../src/data/load-corpus.ts';
import { corpusOf } from './helpers/corpus.ts';
import { put } from './helpers/loading.ts';
import { closeHosts, everyWay, host } from './helpers/ways.ts';

test.after(closeHosts);

type Bag = readonly (readonly [word: number, count: number])[];

/** Documents, some of them empty; word 0 and the last one occur. */
function randomBags(seed: number, documents: number, words: number): Bag[] {
  const prng = createPrng(seed);
  return Array.from({ length: documents }, (_, d) => {
    if (d === 0) return [[0, 2] as const, [words - 1, 1] as const];
    const all = Array.from({ length: prng.below(7) }, () => prng.below(words));
    const distinct = [...new Set(all)].sort((a, b) => a - b);
    return distinct.map((word) => [word, 1 + prng.below(prng.below(4) === 0 ? 300 : 9)] as const);
  });
}

const pairs = (bag: Bag, base: number) => bag.map(([w, n]) => `${w + base}:${n}`).join(' ');
const lines = (rows: readonly string[]) => rows.join('\n') + '\n';
const bare = (bags: readonly Bag[], base = 0) => lines(bags.map((bag) => pairs(bag, base)));
const ldac = (bags: readonly Bag[]) => lines(bags.map((bag) => `${bag.length} ${pairs(bag, 0)}`));
const libsvm = (bags: readonly Bag[]) => lines(bags.map((bag, d) => `${d % 3} ${pairs(bag, 1)}`));
const entriesOf = (bags: readonly Bag[]) =>
  bags.flatMap((bag, d) => bag.map(([word, n]) => `${d + 1} ${word + 1} ${n}`));
const bow = (bags: readonly Bag[], words: number, entries = entriesOf(bags)) =>
  lines([String(bags.length), String(words), String(entries.length), ...entries]);
const MTX = '%%MatrixMarket matrix coordinate integer general\n% documents × words\n';
const mtx = (bags: readonly Bag[], words: number, entries = entriesOf(bags)) =>
  `${MTX}${bags.length} ${words} ${lines([String(entries.length), ...entries])}`;

const WORDS = 40;
const bags = randomBags(3, 90, WORDS);
const wanted = bags.map((bag) => bag.flat());
const tokens = bags.flat().reduce((sum, [, n]) => sum + n, 0);

const forms: readonly (readonly [format: string, text: string, base: number])[] = [
  ['libsvm', bare(bags), 0],
  ['libsvm', bare(bags, 1), 1],
  ['libsvm', libsvm(bags), 1],
  ['lda-c', ldac(bags), 0],
  ['bow', bow(bags, WORDS), 1],
  ['mtx', mtx(bags, WORDS), 1],
];

for (const [format, text, base] of forms) {
  test(`${format} is recognised and gives the documents, whatever chunks and threads (${text.slice(0, 9).trim()})`, async () => {
    await everyWay(text, (at, path) => corpusOf(at, [path]));
    const got = await corpusOf(host(), [put(host(), text)]);
    assert.equal(
      got.data.map(({ bag }) => bag),
      wanted,
    );
    const { documents, words, nonzeros } = got;
    assert.equal(
      [got.format, got.base, documents, words, nonzeros, got.tokens],
      [format, base, bags.length, WORDS, bags.flat().length, tokens],
    );
    assert.is(got.empty, bags.filter((bag) => bag.length === 0).length);
  });
}

test('labels of counts are kept', async () => {
  const got = await corpusOf(host(), [put(host(), libsvm(bags))]);
  assert.equal(got.classes, ['0', '1', '2']);
  assert.equal(
    got.data.map(({ label }) => label),
    bags.map((_, d) => String(d % 3)),
  );
});

test('entries of documents may come in any order', async () => {
  const prng = createPrng(1);
  const keyed = entriesOf(bags).map((entry) => ({ entry, key: prng.uint32() }));
  const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ entry }) => entry);
  for (const text of [bow(bags, WORDS, shuffled), mtx(bags, WORDS, shuffled)]) {
    const got = await corpusOf(host(), [put(host(), text)]);
    assert.equal(
      got.data.map(({ bag }) => bag),
      wanted,
    );
  }
});

async function bagsIn(text: string, options: CorpusOptions = {}) {
  const got = await corpusOf(host(), [put(host(), text)], options);
  return got.data.map(({ bag }) => bag);
}

test('words in any order are sorted, and words that stand twice summed up', async () => {
  assert.equal(await bagsIn('3:1 0:2 3:4 1:1\n\n0:1 0:1 0:1\n'), [[0, 2, 1, 1, 3, 5], [], [0, 3]]);
  assert.equal(await bagsIn('2 1 4\n', { format: 'lda-c' }).catch(() => 'refused'), 'refused');
  assert.equal(await bagsIn('2\n3\n4\n2 3 1\n2 1 5\n1 2 1\n2 3 2\n'), [
    [1, 1],
    [0, 5, 2, 3],
  ]);
  const long = Array.from({ length: 2000 }, (_, i) => (i * 7919) % 1999);
  const [bag = []] = await bagsIn(`${long.map((word) => `${word}:1`).join(' ')}\n`);
  assert.equal(bag.length, 2 * 1999);
  assert.equal(
    bag.filter((_, i) => i % 2 === 0),
    [...new Set(long)].sort((a, b) => a - b),
  );
});

test('stop words of counts are left out where the words are known', async () => {
  const vocabulary = Array.from({ length: WORDS }, (_, w) => (w % 5 === 0 ? `stop${w}` : `w${w}`));
  const stop = put(host(), lines(vocabulary.filter((word) => word.startsWith('stop'))));
  const options = { vocabulary: put(host(), lines(vocabulary)), stopWords: stop };
  const number = new Map(vocabulary.filter((_, w) => w % 5 !== 0).map((word, i) => [word, i]));
  const left = bags.map((bag) =>
    bag.flatMap(([w, n]) => (w % 5 === 0 ? [] : [number.get(vocabulary[w]!)!, n])),
  );
  for (const [, text] of forms) {
    const got = await corpusOf(host(), [put(host(), text)], options);
    assert.equal(
      got.data.map(({ bag }) => bag),
      left,
    );
    assert.equal([got.words, got.vocabulary], [number.size, [...number.keys()]]);
    assert.not(got.warnings.some((line) => line.includes('left out')));
  }
  let message = '';
  await corpusOf(host(), [put(host(), bare(bags))], { stopWords: 'english' }).catch(
    (error: unknown) => (message = String(error)),
  );
  assert.match(message, '--stop-words of counts needs --vocabulary');
});

test.run();
