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

type Case = readonly [
  name: string,
  text: string | Uint8Array,
  place: string,
  words: string,
  found: string,
  options?: SamplesOptions & { readonly y?: string | Uint8Array },
];

const libsvm = { format: 'libsvm' } as const;
const csv = { format: 'csv' } as const;
const MTX = '%%MatrixMarket matrix coordinate real general\n';
const ARRAY = '%%MatrixMarket matrix array real general\n';
const Y2 = `${ARRAY}2 1\n1\n-1\n`;

const samples: readonly Case[] = [
  ['libsvm: label is text', '1 1:1\nspam 2:1\n', '2:1', 'label must be a number', '"spam"', libsvm],
  ['libsvm: two labels', '1 1:1\n1,2 2:1\n', '2:1', 'label must be a number', '"1,2"', libsvm],
  [
    'libsvm: label is missing',
    '1 1:1\n 3:1 4:1\n',
    '2:2',
    'label must be a number',
    '"3:1"',
    libsvm,
  ],
  ['libsvm: label is NaN', 'nan 1:1\n', '1:1', 'label must be a number', '"nan"', libsvm],
  ['libsvm: label is beyond f32', '1 1:1\n4e38 1:1\n', '2:1', '32-bit float', '"4e38"', libsvm],
  [
    'libsvm: label is long',
    `1 1:1\n1.${'0'.repeat(300)} 1:1\n`,
    '2:1',
    'at most 256 bytes',
    '"1.0000',
    libsvm,
  ],
  ['libsvm: index is text', '1 1:1 x:2\n', '1:7', 'index:value expected', '"x:2"', libsvm],
  ['libsvm: index is negative', '1 -1:1\n', '1:3', 'non-negative integer', '"-1:1"', libsvm],
  ['libsvm: index has a fraction', '1 1.5:1\n', '1:3', 'index:value expected', '"1.5:1"', libsvm],
  [
    'libsvm: colon is missing',
    '1 1:1\n1 2 3:4\n',
    '2:3',
    'without blanks around the colon',
    '"2"',
    libsvm,
  ],
  ['libsvm: blank before the colon', '1 1 :1\n', '1:3', 'without blanks around', '"1"', libsvm],
  [
    'libsvm: value is missing',
    '1 1:1 2:\n',
    '1:9',
    'decimal number',
    'the end of the line',
    libsvm,
  ],
  ['libsvm: blank after the colon', '1 1: 5\n', '1:5', 'decimal number', '', libsvm],
  ['libsvm: value is text', '1 1:1\n\n1 2:abc\n', '3:5', 'decimal number', '"abc"', libsvm],
  ['libsvm: value has a tail', '1 1:1 2:3.5x 3:1\n', '1:9', 'decimal number', '"3.5x"', libsvm],
  ['libsvm: value is a comma number', '1 1:1,5\n', '1:5', 'decimal number', '"1', libsvm],
  ['libsvm: value is NaN', '1 1:NaN\n', '1:5', 'must be finite', '"NaN"', libsvm],
  ['libsvm: value is infinite', '1 1:-inf\n', '1:5', 'must be finite', '"-inf"', libsvm],
  ['libsvm: value is beyond f32', '1 1:1e39\n', '1:5', '32-bit float', '"1e39"', libsvm],
  ['libsvm: exponent has no digits', '1 1:1e\n', '1:5', 'decimal number', '"1e"', libsvm],
  [
    'libsvm: indices repeat',
    '1 2:1 2:1\n',
    '1:7',
    'ascend within a line; the one before is 2',
    '"2:1"',
    libsvm,
  ],
  ['libsvm: indices descend', '1 1:1\n1 5:1 4:1\n', '2:7', 'the one before is 5', '"4:1"', libsvm],
  [
    'libsvm: index is beyond the limit',
    '1 100000001:1\n',
    '1:3',
    'at most 100000000',
    '"100000001:1"',
    libsvm,
  ],
  [
    'libsvm: index wraps 32 bits',
    '1 4294967297:1\n',
    '1:3',
    'at most 100000000',
    '"4294967297:1"',
    libsvm,
  ],
  [
    'libsvm: qid',
    '1 qid:3 1:1\n',
    '1:3',
    'qid (ranking groups) is not supported',
    '"qid:3"',
    libsvm,
  ],
  [
    'libsvm: carriage return within a line',
    '1 1:1\r 2:1\n',
    '1:5',
    'decimal number',
    '"1"',
    libsvm,
  ],
  ['libsvm: NUL bytes', '1 1:1\n\0\0\0\n', '2:1', 'label must be a number', '"\\u0000', libsvm],
  ['libsvm: only comments', '# a\n\n# b\n', '1:1', 'no rows', 'the end of the file', libsvm],
  ['empty file', '', '1:1', 'no data', 'the end of the file'],
  [
    'csv: a feature is text',
    '1,2,a\n3,x,b\n',
    '2:3',
    'column 1 (counted from 0): a value must be a decimal',
    '"x"',
    csv,
  ],
  [
    'csv: a named feature is text',
    'age,job,y\n1,2,a\n2,clerk,b\n',
    '3:3',
    'column "job"',
    '"clerk"',
    csv,
  ],
  ['csv: a feature is missing', '1,2,a\n3,,b\n', '2:3', 'the value is missing', '","', csv],
  [
    'csv: the last field is missing',
    '1,2,a\n3,4,\n',
    '2:5',
    'the value is missing',
    'the end of the line',
    csv,
  ],
  ['csv: a feature is ?', '1,2,a\n?,4,b\n', '2:1', 'a value is missing; fill it in', '"?"', csv],
  ['csv: a feature is NA', '1,2,a\n3, NA ,b\n', '2:4', 'a value is missing', '"NA"', csv],
  ['csv: a feature is inf', '1,2,a\ninf,4,b\n', '2:1', 'must be finite', '"inf"', csv],
  [
    'csv: too few fields',
    '1,2,a\n3,4\n',
    '2:4',
    '3 fields expected as in the first row, there are 2',
    'the end of the line',
    csv,
  ],
  [
    'csv: too many fields',
    '1,2,a\n3,4,b,5\n',
    '2:6',
    '3 fields expected as in the first row, there are more',
    '","',
    csv,
  ],
  [
    'csv: a quote stays open',
    '1,2,a\n3,4,"b\n5,6,c\n',
    '2:5',
    'must be closed on its line',
    '"\\"b"',
    csv,
  ],
  [
    'csv: text after a closing quote',
    '1,2,a\n3,4,"b"c\n',
    '2:8',
    'must follow a closing quote',
    '"c"',
    csv,
  ],
  [
    'csv: a quoted feature is text',
    '1,2,a\n"3x",4,b\n',
    '2:1',
    'decimal number',
    '"\\"3x\\""',
    csv,
  ],
  ['csv: a number has a tail', '1,2,a\n3 4,5,b\n', '2:1', 'decimal number', '"3 4"', csv],
  [
    'csv: a long label',
    `1,a\n2,${'b'.repeat(257)}\n`,
    '2:3',
    'at most 256 bytes',
    `"${'b'.repeat(40)}…"`,
    csv,
  ],
  [
    'csv: one column only',
    'a\nb\n',
    '1:1',
    'a feature column besides the label',
    '0 feature columns',
    csv,
  ],
  [
    'csv: a line before the table',
    'made by hand\n1,2,3\n4,5,6\n',
    '1:1',
    'the next has 3',
    '"made by hand"',
    csv,
  ],
  ['csv: a header and no rows', 'a,b\n', '1:1', 'no rows', 'the end of the file', csv],
  [
    'csv: label to predict is text',
    '1,2\n3,x\n',
    '2:3',
    'label must be a number',
    '"x"',
    { ...csv, labels: 'number' },
  ],
  [
    'mtx: banner',
    '%%MatrixMarkt matrix\n1 1 1\n',
    '1:1',
    'begins with %%MatrixMarket',
    '"%%MatrixMarkt"',
    { format: 'mtx', y: Y2 },
  ],
  [
    'mtx: symmetric',
    '%%MatrixMarket matrix coordinate real symmetric\n1 1 1\n',
    '1:39',
    'only general',
    '"symmetric"',
    { y: Y2 },
  ],
  [
    'mtx: complex',
    '%%MatrixMarket matrix coordinate complex general\n1 1 1\n',
    '1:34',
    'real, integer or pattern',
    '"complex"',
    { y: Y2 },
  ],
  [
    'mtx: no size line',
    `${MTX}% only comments\n`,
    '1:1',
    'size line is missing',
    'the end of the file',
    { y: Y2 },
  ],
  ['mtx: size is text', `${MTX}%\n2 x 1\n`, '3:3', 'columns must be an integer', '"x"', { y: Y2 }],
  [
    'mtx: size is short',
    `${MTX}2 2\n1 1 1\n`,
    '2:4',
    'entries must be an integer',
    '""',
    { y: Y2 },
  ],
  [
    'mtx: row beyond the size',
    `${MTX}2 2 2\n1 1 1\n3 1 1\n`,
    '4:1',
    'between 1 and the 2',
    '"3"',
    { y: Y2 },
  ],
  [
    'mtx: row 0',
    `${MTX}2 2 2\n0 1 1\n1 1 1\n`,
    '3:1',
    'the row must be between 1',
    '"0"',
    { y: Y2 },
  ],
  [
    'mtx: column beyond the size',
    `${MTX}2 2 1\n1 3 1\n`,
    '3:3',
    'the column must be between 1 and the 2',
    '"3"',
    { y: Y2 },
  ],
  [
    'mtx: too many entries',
    `${MTX}2 2 2\n1 1 1\n\n1 2 1\n2 1 1\n`,
    '6:1',
    'promises 2 entries, there are more',
    '"2"',
    { y: Y2 },
  ],
  [
    'mtx: too few entries',
    `${MTX}2 2 3\n1 1 1\n1 2 1\n`,
    '5:1',
    'promises 3 entries, there are 2',
    'the end of the file',
    { y: Y2 },
  ],
  [
    'mtx: entry without value',
    `${MTX}2 2 1\n1 1\n`,
    '3:4',
    'missing a number',
    'the end of the line',
    { y: Y2 },
  ],
  ['mtx: entry with more', `${MTX}2 2 1\n1 1 1 1\n`, '3:7', 'nothing may follow', '"1"', { y: Y2 }],
  [
    'mtx: entry stands twice',
    `${MTX}2 2 4\n2 1 1\n1 2 3\n\n1 1 5\n2 1 2\n`,
    '7:1',
    'stands in the file twice',
    '"2"',
    { y: Y2 },
  ],
  ['mtx: commas', `${MTX}2 2 1\n1,1,1\n`, '3:1', 'integers, separated by blanks', '"1"', { y: Y2 }],
  [
    'mtx: array too short',
    `${ARRAY}2 2\n1\n2\n3\n`,
    '6:1',
    'promises 4 entries, there are 3',
    'the end of the file',
    { y: Y2 },
  ],
  [
    'mtx: array too long',
    `${ARRAY}2 1\n1\n2\n3\n`,
    '5:1',
    'promises 2 entries, there are more',
    '"3"',
    { y: Y2 },
  ],
  ['mtx: array with text', `${ARRAY}2 1\n1\nabc\n`, '4:1', 'decimal number', '"abc"', { y: Y2 }],
  [
    'idx: magic',
    Buffer.of(1, 0, 8, 1, 0, 0, 0, 1, 5),
    '1:1',
    'begins with 00 00 08',
    '"\\u0001',
    { format: 'idx', y: idxFile([1], Buffer.of(1)) },
  ],
  [
    'idx: type',
    Buffer.of(0, 0, 13, 1, 0, 0, 0, 1, 5),
    '1:3',
    'type 08',
    'type 0xd',
    { y: idxFile([1], Buffer.of(1)) },
  ],
  [
    'idx: images end early',
    idxFile([2, 3], Buffer.of(1, 2, 3, 4, 5)),
    '1:18',
    'promises 2 × 3 bytes',
    'the end of the file',
    { y: idxFile([2], Buffer.of(1, 2)) },
  ],
  [
    'idx: images go on',
    idxFile([2, 2], Buffer.of(1, 2, 3, 4, 5)),
    '1:17',
    'promises 2 × 2 bytes',
    'more bytes',
    { y: idxFile([2], Buffer.of(1, 2)) },
  ],
  [
    'idx: labels first',
    idxFile([2], Buffer.of(1, 2)),
    '1:4',
    'images first',
    'one dimension',
    { y: idxFile([2, 1], Buffer.of(1, 2)) },
  ],
];

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

const ratings: readonly (readonly [string, string, string, string, string])[] = [
  ['user is text', '1 2 3\nbob 2 3\n', '2:1', 'a user id must be a non-negative integer', '"bob"'],
  ['user is negative', '1 2 3\n-1 2 3\n', '2:1', 'a user id', '"-1"'],
  ['item has a fraction', '1 2.5 3\n', '1:3', 'an item id', '"2.5"'],
  ['item is missing', '1 2 3\n\n4\n', '3:2', 'an item id is missing', 'the end of the line'],
  ['rating is missing', '1,2,3\n4,5\n', '2:4', 'a rating is missing', 'the end of the line'],
  ['rating is empty', '1,2,,99\n', '1:5', 'decimal number', ''],
  ['rating is text', '1\t2\tgood\n', '1:5', 'decimal number', '"good"'],
  ['rating is NaN', '1\t2\tnan\n', '1:5', 'must be finite', '"nan"'],
  ['one colon', '1:2:3\n', '1:1', 'a user id', '"1:2:3"'],
  ['id beyond 31 bits', '1 2147483647 3\n', '1:3', 'below 2147483647', '"2147483647"'],
  ['id beyond 64 bits', '99999999999999999999 1 3\n', '1:1', 'below 2147483647', '"9999999'],
];

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
