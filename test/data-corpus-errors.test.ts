// What is wrong with a corpus: file, line, column, rule and text, on one host and on several.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CorpusOptions } from '../src/data/load-corpus.ts';
import { corpusOf } from './helpers/corpus.ts';
import { failureOf, gzipMembers, put, withChunks } from './helpers/loading.ts';
import { closeShares, hostAt, reasons } from './helpers/shares.ts';
import { fakeWorlds, onAll } from './helpers/worlds.ts';

test.after(closeShares);

type Case = readonly [
  name: string,
  text: string,
  place: string,
  words: string,
  found: string,
  options?: CorpusOptions,
];

const libsvm = { format: 'libsvm' } as const;
const ldac = { format: 'lda-c' } as const;
const bow = { format: 'bow' } as const;
const MTX = '%%MatrixMarket matrix coordinate integer general\n';
const csv = 'year,text\n';

const cases: readonly Case[] = [
  ['a count is zero', '0:1\n1:0 2:1\n', '2:3', 'a positive integer', '"0"', libsvm],
  ['a count is negative', '1:1 2:-3\n', '1:7', 'a positive integer', '"-3"', libsvm],
  ['a count is no integer', '1:1\n2:1.5\n', '2:3', 'a positive integer', '"1.5"', libsvm],
  ['a count is no number', '1:1\n2:x\n', '2:3', 'a positive integer', '"x"', libsvm],
  ['a count is too large', '1:16777217\n', '1:3', 'at most 16777216', '"16777217"', libsvm],
  ['a word is no number', '1:1 dog:2\n', '1:5', 'index:value expected', '"dog:2"', libsvm],
  ['a word has no colon', '1:1 2 3:1\n', '1:5', 'without blanks', '"2"', libsvm],
  ['lda-c: too few pairs', '2 0:1 1:1\n3 0:1 1:2\n', '2:1', 'the pairs here are 2', '"3"', ldac],
  ['lda-c: no number of pairs', '0:1 1:1\n', '1:1', 'M word:count', '"0:1"', ldac],
  ['bow: no sizes', '3\n4\nx\n', '3:1', 'begins with D, W and NNZ', '"x"', bow],
  ['bow: sizes are missing', '3\n4\n', '3:1', 'begins with D, W and NNZ', 'the end', bow],
  ['bow: no documents', '0\n4\n0\n', '1:1', 'documents D is an integer from 1', '"0"', bow],
  ['bow: fewer entries', '2\n4\n3\n1 1 1\n2 1 1\n', '6:1', 'promises 3 entries', 'the end', bow],
  ['bow: more entries', '2\n4\n1\n1 1 1\n2 1 1\n', '5:1', 'promises 1 entries', '"2"', bow],
  ['bow: a word is too high', '2\n4\n1\n1 5 1\n', '4:3', 'the word must be between 1', '"5"', bow],
  ['bow: document 0', '2\n4\n1\n0 1 1\n', '4:1', 'the document must be between 1', '"0"', bow],
  ['bow: a count is zero', '2\n4\n2\n1 1 1\n2 2 0\n', '5:5', 'a positive integer', '"0"', bow],
  ['bow: a count is a share', '2\n4\n1\n1 1 .5\n', '4:5', 'a positive integer', '".5"', bow],
  ['mtx: a count is negative', `${MTX}1 2 1\n1 1 -1\n`, '3:5', 'a positive integer', '"-1"'],
  ['csv: too few fields', `${csv}1790,a\n1791\n`, '3:5', '2 fields expected', 'the end'],
  ['csv: too many fields', `${csv}1790,a\n1791,b,c\n`, '3:7', 'there are more', '","'],
  ['csv: an open quote', `${csv}1790,"a\n`, '2:6', 'must be closed', '"\\"a"'],
  ['csv: a date is none', `${csv}1790,a\nlong ago,b\n`, '3:1', 'a date is a year', '"long ago"'],
  ['csv: month 13', `${csv}1790,a\n1790-13-01,b\n`, '3:1', 'YYYY-MM-DD', '"1790-13-01"'],
  ['csv: no label', 'label,text\n1,a\n,b\n', '3:1', 'the value is missing', '","'],
];

for (const [name, text, place, words, found, options = {}] of cases) {
  test(`corpus: ${name}: refused at ${place}`, async () => {
    for (const chunkBytes of [7, 64, 1 << 20]) {
      for (const content of [text, gzipMembers(text, 2)]) {
        const path = put(hostAt(), content, 'bad.data');
        const small = withChunks(hostAt(), chunkBytes);
        const { code, message } = await failureOf(hostAt(), () => corpusOf(small, [path], options));
        assert.is(code, 'ERR_DATA', message);
        assert.ok(message.startsWith(`bad.data:${place}: `), message);
        assert.ok(message.includes(words) && message.includes(`; found ${found}`), message);
      }
      const path = put(hostAt(), text, 'bad.data');
      const alone = await failureOf(hostAt(), () =>
        corpusOf(withChunks(hostAt(), chunkBytes), [path], options),
      );
      const all = await onAll(fakeWorlds(2), (world) =>
        corpusOf({ ...withChunks(hostAt(world.rank), chunkBytes), world }, [path], options),
      );
      const wanted = `${alone.code} ${alone.message}`;
      assert.equal(await reasons(all), [wanted, wanted]);
    }
  });
}

const failed = async (text: string, options: CorpusOptions, name = 'data') => {
  const path = put(hostAt(), text, name);
  const { code, message } = await failureOf(hostAt(), () => corpusOf(hostAt(), [path], options));
  return `${code} ${message}`;
};

test('corpus: words beyond the vocabulary, whether the first one is 0 or 1', async () => {
  const vocabulary = put(hostAt(), 'one\ntwo\nthree\n');
  const options = { ...libsvm, vocabulary };
  assert.match(
    await failed('1:1 2:1\n2:1 4:1\n', options),
    /data:2:5: a word is at most 3: .* 3 words/,
  );
  assert.match(await failed('1:1 3:1\n0:1\n', options), /data:1:5: a word is at most 2: .*"3:1"/);
  const good = await corpusOf(hostAt(), [put(hostAt(), '1:1 3:1\n')], options);
  assert.equal([good.words, good.base, good.vocabulary], [3, 1, ['one', 'two', 'three']]);
  assert.match(
    await failed('2\n4\n1\n1 1 1\n', { vocabulary }),
    /must have the 4 words .*; found 3/,
  );
});

test('corpus: vocabularies that are none', async () => {
  const load = (content: string) => {
    const vocabulary = put(hostAt(), content, 'words');
    return failed('0:1\n', { vocabulary });
  };
  assert.match(await load('a\nb\na\n'), /words:3:1: a word stands once.*line 1 too; found "a"/);
  assert.match(await load('a\n\nb\n'), /words:2:1: a vocabulary has a word on each line/);
  assert.match(await load('\n'), /words:1:1: the vocabulary has no words/);
  const missing = await failed('0:1\n', { vocabulary: join(hostAt().folder, 'nowhere') });
  assert.match(missing, /^ERR_DATA nowhere: cannot be read .* check the path/);
});

test('corpus: empty ones', async () => {
  assert.match(await failed('', {}), /ERR_DATA data:1:1: the file has no data/);
  assert.match(await failed('\n\n', libsvm), /ERR_DATA data: the corpus has no words; found 2 doc/);
  assert.match(
    await failed('of the\n', {}),
    /the corpus has no words; found 1 documents, 0 tokens/,
  );
  assert.match(
    await failed('cat\ndog\n', {}),
    /no word of the corpus is left; found 2 .*, 2 tokens/,
  );
  const folder = join(hostAt().folder, 'empty');
  mkdirSync(folder);
  const { message } = await failureOf(hostAt(), () => corpusOf(hostAt(), [folder]));
  assert.match(message, /the folder has no files/);
});

test('corpus: options that do not fit', async () => {
  const no = await failed('0:1\n', { format: 'ratings' });
  assert.match(no, /ERR_CONFIG format: corpora are read from bow, lda-c, libsvm, mtx, text, csv/);
  const column = await failed('a,text\nx,y\n', { dateColumn: 'when' });
  assert.match(column, /ERR_CONFIG .*got "when"; .* has a, text/);
  const like = { words: 3, vocabulary: [], base: 0, classes: [] };
  assert.match(await failed('some text\n', { like }), /ERR_CONFIG texts need the words/);
});

test('corpus: a document that is too long', async () => {
  const long = await failed('word '.repeat(1_700_000), { documents: 'files' });
  assert.match(long, /data:1:1: a document has at most 8388608 bytes.*8388609 bytes and more/);
  const line = await failed('word '.repeat(1_700_000), { format: 'text' });
  assert.match(line, /data:1:1: a line has at most 8388608 bytes/);
});

test.run();
