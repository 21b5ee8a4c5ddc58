// Every violation names file, line and column of the first offending token, the rule and the text,
// whatever the chunks, the threads and the compression.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../src/base/limits.ts';
import type { LoaderPool } from '../src/data/loader-pool.ts';
import type { SamplesOptions } from '../src/data/load-samples.ts';
import { idxFile } from './helpers/data-oracle.ts';
import { ARRAY, libsvm, MTX, ratings, samples } from './helpers/data-violations.ts';
import {
  failureOf,
  gzipMembers,
  put,
  ratingsOf,
  samplesOf,
  startHost,
  withChunks,
} from './helpers/loading.ts';

const host = startHost(2);
test.after(() => host.close());

for (const [name, text, place, words, found, given = {}] of samples) {
  test(`${name}: refused at ${place}`, async () => {
    const { y, ...options } = given;
    const forms: (readonly [string, string | Uint8Array])[] = [['plain', text]];
    if (text.length > 0)
      forms.push(['gzip', gzipMembers(text, 1)], ['gzip members', gzipMembers(text, 2)]);
    for (const chunkBytes of [7, 64, 1000, 1 << 20]) {
      const small = withChunks(host, chunkBytes);
      for (const [form, content] of forms) {
        const paths = [put(host, content, 'bad.data')];
        if (y !== undefined) paths.push(put(host, y, 'y.data'));
        const failure = await failureOf(host, () => samplesOf(small, paths, options));
        const which = `${form}, chunks of ${chunkBytes}: ${failure.code} ${failure.message}`;
        assert.is(failure.code, 'ERR_DATA', which);
        assert.ok(failure.message.startsWith(`bad.data:${place}: `), which);
        assert.ok(failure.message.includes(words), which);
        assert.ok(failure.message.includes(`; found ${found}`), which);
      }
    }
  });
}

for (const [name, text, place, words, found] of ratings) {
  test(`ratings: ${name}: refused at ${place}`, async () => {
    for (const chunkBytes of [7, 1000]) {
      const path = put(host, text, 'bad.data');
      const load = () => ratingsOf(withChunks(host, chunkBytes), [path], { format: 'ratings' });
      const { code, message } = await failureOf(host, load);
      assert.is(code, 'ERR_DATA', message);
      assert.ok(message.startsWith(`bad.data:${place}: `), message);
      assert.ok(message.includes(words) && message.includes(`; found ${found}`), message);
    }
  });
}

test('the first violation in the file wins, whatever the timing (200 violations, chunks of 64)', async () => {
  const good = '1 1:1 2:1\n'.repeat(30);
  const path = put(host, good + '1 5:oops\n' + '1 2:1 1:1\n'.repeat(200), 'bad.data');
  for (let round = 0; round < 20; round++) {
    const failure = await failureOf(host, () => samplesOf(withChunks(host, 64), [path]));
    assert.ok(failure.message.startsWith('bad.data:31:5: '), failure.message);
  }
});

test('a violation that is found late still wins over later ones, and ends the load', async () => {
  const path = put(
    host,
    '1 1:1\n'.repeat(30) + '1 5:late\n' + '1 1:early\n'.repeat(2000),
    'bad.data',
  );
  let started = 0;
  const pool: LoaderPool = {
    ...host.pool,
    chunkBytes: 64,
    async run(task) {
      started += 1;
      const result = await host.pool.run(task);
      const first = result.kind === 'parsed' && result.violation?.found === 'late';
      if (first) await new Promise((resolve) => setTimeout(resolve, 30));
      return result;
    },
  };
  const { message } = await failureOf(host, () => samplesOf({ ...host, pool }, [path]));
  assert.ok(message.startsWith('bad.data:31:5: '), message);
  assert.ok(started < 20, `${started} of 300 tasks were started`);
});

test('in a second file lines count from its own start', async () => {
  const paths = [
    put(host, '1 1:1\n'.repeat(50), 'good.data'),
    put(host, '1 1:1\n1 x\n', 'bad.data'),
  ];
  const failure = await failureOf(host, () => samplesOf(withChunks(host, 64), paths));
  assert.ok(failure.message.startsWith('bad.data:2:3: '), failure.message);
});

test('a damaged gzip file is refused where its data ends, after violations before that', async () => {
  const text = '1 1:1 2:2\n'.repeat(5000);
  const whole = gzipMembers(text, 1);
  for (const chunkBytes of [1000, 1 << 20]) {
    const small = withChunks(host, chunkBytes);
    const cut = put(host, whole.subarray(0, whole.length - 9), 'cut.gz');
    const { code, message } = await failureOf(host, () => samplesOf(small, [cut]));
    assert.is(code, 'ERR_DATA');
    assert.match(message, /^cut\.gz:\d+:\d+: the compressed file is damaged or cut off here/);
    const bad = gzipMembers(`1 1:x\n${text}`, 1);
    const both = put(host, bad.subarray(0, bad.length - 9), 'both.gz');
    const failure = await failureOf(host, () => samplesOf(small, [both], { format: 'libsvm' }));
    assert.ok(failure.message.startsWith('both.gz:1:5: '), failure.message);
  }
  const garbage = put(
    host,
    Buffer.concat([Buffer.of(0x1f, 0x8b), Buffer.from('nothing')]),
    'garbage.gz',
  );
  const { message } = await failureOf(host, () => samplesOf(host, [garbage]));
  assert.ok(message.startsWith('garbage.gz:1:1: the compressed file is damaged'), message);
});

test('a line beyond the limit is refused, after the violations before it', async () => {
  const long = `1 ${'1:1 '.repeat(limits.lineBytesMax / 4 + 1)}\n`.replace('1:1 1:1', '1:1 2:1');
  const line = '1'.repeat(limits.lineBytesMax + 2);
  for (const pack of [
    (text: string) => Buffer.from(text),
    (text: string) => gzipMembers(text, 1),
  ]) {
    const path = put(host, pack(`1 1:1\n1 2:2\n${line}\n1 1:1\n`), 'long.data');
    const failure = await failureOf(host, () => samplesOf(host, [path], libsvm));
    assert.ok(failure.message.startsWith('long.data:3:1: a line has at most'), failure.message);
    const before = put(host, pack(`1 1:1\n1 x\n${long}`), 'long.data');
    const first = await failureOf(host, () => samplesOf(host, [before], libsvm));
    assert.ok(first.message.startsWith('long.data:2:3: '), first.message);
  }
});

test('too many classes are refused at the first label too many, within and across chunks', async () => {
  const text = Array.from({ length: limits.classesMax + 5 }, (_, i) => `${i} 1:1\n`).join('');
  const path = put(host, text, 'many.data');
  for (const chunkBytes of [1000, 1 << 20]) {
    const { message } = await failureOf(host, () =>
      samplesOf(withChunks(host, chunkBytes), [path]),
    );
    assert.ok(
      message.startsWith(`many.data:${limits.classesMax + 1}:1: there are at most 4096`),
      message,
    );
  }
  const got = await samplesOf(host, [path], { labels: 'number' });
  assert.is(got.rows, limits.classesMax + 5);
});

test('labels of a matrix: their number, their shape, a row without one', async () => {
  const x = put(host, `${MTX}2 2 1\n1 1 1\n`, 'x.mtx');
  const table = [
    [
      `${ARRAY}3 1\n1\n2\n3\n`,
      'y.mtx:2:1: the labels of 2 rows are a matrix of 2 rows and 1 column; found "3 1"',
    ],
    [`${ARRAY}2 1\n1\nx\n`, 'y.mtx:4:1: a label must be a number'],
    [`${MTX}2 1 1\n1 1 1\n`, 'y.mtx:2:1: every row must have a label; found "2 1 1"'],
    [`${MTX}2 1 2\n1 1 1\n1 1 2\n`, 'y.mtx:2:1: every row must have one label; row 2 has none'],
    [`${MTX}2 1 2\n1 1 1\n2 1 x\n`, 'y.mtx:4:5: '],
  ];
  for (const [text = '', wanted = ''] of table) {
    const y = put(host, text, 'y.mtx');
    const { code, message } = await failureOf(host, () => samplesOf(host, [x, y]));
    assert.is(code, 'ERR_DATA', wanted);
    assert.ok(message.startsWith(wanted), message);
  }
});

test('labels of images: their number and their size', async () => {
  const x = put(host, idxFile([2, 3], Buffer.alloc(6)), 'x.idx');
  const table = [
    [idxFile([3], Buffer.alloc(3)), 'y.idx:1:5: there must be a label for each of the 2 images'],
    [
      idxFile([2], Buffer.alloc(1)),
      'y.idx:1:10: the header promises 2 bytes; found the end of the file',
    ],
    [
      gzipMembers(idxFile([2], Buffer.alloc(1)), 1),
      'y.idx:1:10: the header promises 2 bytes; found the end',
    ],
    [
      gzipMembers(idxFile([2], Buffer.alloc(4)), 1),
      'y.idx:1:11: the header promises 2 bytes; found more bytes',
    ],
  ] as const;
  for (const [bytes, wanted] of table) {
    const { message } = await failureOf(host, () =>
      samplesOf(host, [x, put(host, bytes, 'y.idx')]),
    );
    assert.ok(message.startsWith(wanted), message);
  }
});

test('files that cannot be read are refused by name, options by name, rule and value', async () => {
  mkdirSync(join(host.folder, 'folder'));
  const path = put(host, 'a,b,c\n1,2,3\n', 'good.csv');
  const table: readonly (readonly [string[], SamplesOptions, string, RegExp])[] = [
    [[join(host.folder, 'none')], {}, 'ERR_DATA', /^none: cannot be read \(ENOENT.*check the path/],
    [[join(host.folder, 'folder')], {}, 'ERR_DATA', /^folder: a folder; name the data files/],
    [[], {}, 'ERR_CONFIG', /no data file/],
    [[path], { format: 'ratings' }, 'ERR_CONFIG', /samples are read from .*, got ratings/],
    [
      [path],
      { label: 'd' },
      'ERR_CONFIG',
      /label must be a column name.*got "d".*columns are a, b, c/,
    ],
    [[path], { label: '3' }, 'ERR_CONFIG', /a number from 0 to 2/],
    [[path], { delimiter: '::' }, 'ERR_CONFIG', /one ASCII character.*got "::"/],
    [
      [put(host, '1 1:1\n'), path],
      {},
      'ERR_DATA',
      /all files must have one format.*libsvm, this is csv/,
    ],
    [
      [path, put(host, 'a,b\n1,2\n', 'two.csv')],
      {},
      'ERR_DATA',
      /^two\.csv:1:1: the columns must be those of/,
    ],
    [[put(host, `${MTX}1 1 0\n`)], {}, 'ERR_CONFIG', /the matrix and then its labels/],
    [[put(host, idxFile([1, 1], Buffer.of(1)))], {}, 'ERR_CONFIG', /images and then labels/],
  ];
  for (const [paths, options, code, words] of table) {
    const failure = await failureOf(host, () => samplesOf(host, paths, options));
    assert.is(failure.code, code, failure.message);
    assert.match(failure.message, words);
  }
});

test.run();
