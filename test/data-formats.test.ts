// Every format comes out as the oracle reads it, however the file is cut, compressed or
// parallelized.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import { csvOracle, libsvmOracle, ratingsOracle } from './helpers/data-oracle.ts';
import { gzipMembers, put, ratingsOf, samplesOf, withChunks } from './helpers/loading.ts';
import { CHUNKS, closeHosts, everyWay, host } from './helpers/ways.ts';

test.after(closeHosts);

function libsvmText(seed: number, rows: number, base: number): string {
  const prng = createPrng(seed);
  const lines = Array.from({ length: rows }, () => {
    let index = base - 1;
    const entries = Array.from({ length: prng.below(6) }, () => {
      index += 1 + prng.below(5);
      const value = [
        String(prng.below(10)),
        (prng.uniform() * 2 - 1).toPrecision(7),
        '1e-3',
        '-.5',
        '2.',
      ];
      return `${index}:${value[prng.below(5)]}`;
    });
    const label = ['+1', '-1', '2', '10'][prng.below(4)] ?? '1';
    const tail = [' ', '', ' # note 5:5', '\t'][prng.below(4)] ?? '';
    return [label, ...entries].join(prng.below(5) === 0 ? '  ' : ' ') + tail;
  });
  return lines.join('\n') + '\n';
}

for (const base of [0, 1]) {
  test(`libsvm: rows are the oracle's whatever the chunks, threads and compression (base ${base})`, async () => {
    const text = libsvmText(17 + base, 200, base);
    const wanted = libsvmOracle(text);
    assert.is(wanted.base, base);
    const got = await samplesOf(host(), [put(host(), text)]);
    assert.equal(got.data, wanted.data);
    assert.equal([got.base, got.columns, got.storage], [base, wanted.columns, 'csr']);
    assert.equal(got.classes, ['-1', '1', '2', '10']);
    await everyWay(text, (where, path) => samplesOf(where, [path]));
  });
}

test('libsvm: one index 0 in the last line makes the whole file 0-based', async () => {
  const text = '1 1:1 2:2\n-1 3:3\n1 0:5 3:1\n';
  const got = await samplesOf(withChunks(host(), 7), [put(host(), text)]);
  assert.equal(
    got.data.map(({ values }) => values),
    [
      [1, 1, 2, 2],
      [3, 3],
      [0, 5, 3, 1],
    ],
  );
  assert.equal([got.base, got.columns], [0, 4]);
});

test('libsvm: CRLF, byte order mark, blank lines, comments and no last line feed change nothing', async () => {
  const plain = await samplesOf(host(), [put(host(), '1 1:1 3:2\n-1 2:0.5\n1\n')]);
  const text = '\uFEFF\r\n# head\r\n1 1:1 3:2\r\n\r\n  \t\r\n-1 2:0.5 # tail\r\n1#none';
  for (const chunkBytes of CHUNKS) {
    const got = await samplesOf(withChunks(host(), chunkBytes), [put(host(), text)], {
      format: 'libsvm',
    });
    assert.equal(got.data, plain.data);
  }
});

test('libsvm: labels are numbers to predict when asked', async () => {
  const path = put(host(), '0.5 1:1\n-2.25e1 1:2\n3 2:1\n');
  const got = await samplesOf(host(), [path], { labels: 'number' });
  assert.equal(
    got.data.map(({ label }) => label),
    [0.5, -22.5, 3],
  );
  assert.equal(got.classes, []);
});

test('libsvm: files follow one another and share classes and base', async () => {
  const paths = [put(host(), '+1 1:1\n2 2:1\n'), put(host(), gzipMembers('1 0:3\n-1 1:1', 2))];
  const got = await samplesOf(withChunks(host(), 7), paths);
  assert.equal(
    got.data.map(({ label }) => label),
    ['1', '2', '1', '-1'],
  );
  assert.equal(
    got.data.map(({ values }) => values),
    [
      [1, 1],
      [2, 1],
      [0, 3],
      [1, 1],
    ],
  );
  assert.equal(got.classes, ['-1', '1', '2']);
});

function csvText(
  seed: number,
  rows: number,
  delimiter: string,
  value: (u: number) => string,
): string {
  const prng = createPrng(seed);
  const line = () => {
    const features = Array.from({ length: 5 }, () => value(prng.uniform()));
    return [...features, ['yes', 'no', 'may be'][prng.below(3)]].join(delimiter);
  };
  return Array.from({ length: rows }, line).join('\n') + '\n';
}

for (const [name, delimiter] of [
  ['comma', ','],
  ['tab', '\t'],
  ['semicolon', ';'],
  ['bar', '|'],
] as const) {
  test(`csv: rows are the oracle's whatever the chunks, threads and compression (${name})`, async () => {
    const body = csvText(5, 100, delimiter, (u) => (u * 200 - 100).toFixed(3));
    const text = `${['a', 'b', 'c', 'd', 'e', 'kind'].join(delimiter)}\n${body}`;
    const got = await samplesOf(host(), [put(host(), text)]);
    assert.equal(got.data, csvOracle(text, delimiter, 5, true));
    assert.equal([got.storage, got.columns, got.classes], ['f32', 5, ['may be', 'no', 'yes']]);
    assert.equal(got.columnNames, ['a', 'b', 'c', 'd', 'e']);
    await everyWay(text, (where, path) => samplesOf(where, [path]));
  });
}

test('csv: integers from 0 to 255 stay bytes until one value is none', async () => {
  const bytes = csvText(6, 60, ',', (u) => String(Math.floor(u * 256)));
  const got = await samplesOf(withChunks(host(), 64), [put(host(), bytes)]);
  assert.is(got.storage, 'u8');
  assert.equal(got.data, csvOracle(bytes, ',', 5, false));
  for (const last of ['256', '-1', '0.5']) {
    const text = `${bytes}1,2,3,4,${last},no\n`;
    for (const threads of [1, 2, 4]) {
      const wide = await samplesOf(withChunks(host(threads), 64), [put(host(threads), text)]);
      assert.is(wide.storage, 'f32');
      assert.equal(wide.data, csvOracle(text, ',', 5, false));
    }
  }
});

test('csv: the label column is a name, a number or the last one', async () => {
  const text = 'size,kind,"the, weight"\n1,x,2\n3,y,4\n';
  const path = put(host(), text);
  for (const label of ['kind', '1']) {
    const got = await samplesOf(host(), [path], { label });
    assert.equal(got.data, [
      { label: 'x', values: [1, 2] },
      { label: 'y', values: [3, 4] },
    ]);
    assert.equal(got.columnNames, ['size', 'the, weight']);
  }
  const number = await samplesOf(host(), [put(host(), '1,5,2\n3,6,4\n')], { label: 'last' });
  assert.equal(
    number.data.map(({ label }) => label),
    ['2', '4'],
  );
});

test('csv: quoted fields, blanks around fields, CRLF and a byte order mark are read (RFC 4180)', async () => {
  const text =
    '\uFEFFa,b,kind\r\r\n "1" , 2.5,"say ""hi"", you"\r\n3,"4",plain\r\r\n\r\n5,6,"plain"';
  const wanted = [
    { label: 'say "hi", you', values: [1, 2.5] },
    { label: 'plain', values: [3, 4] },
    { label: 'plain', values: [5, 6] },
  ];
  for (const chunkBytes of CHUNKS) {
    const got = await samplesOf(withChunks(host(), chunkBytes), [put(host(), text)]);
    assert.equal(got.data, wanted);
    assert.equal(got.classes, ['plain', 'say "hi", you']);
  }
});

test('csv: blanks delimit, the header can be forced either way', async () => {
  const text = '  1.5   2 a\n3\t4  b\n';
  const got = await samplesOf(host(), [put(host(), text)], { delimiter: ' ' });
  assert.equal(got.data, [
    { label: 'a', values: [1.5, 2] },
    { label: 'b', values: [3, 4] },
  ]);
  const digits = put(host(), '1,2,3\n4,5,6\n');
  assert.is((await samplesOf(host(), [digits], { header: true })).rows, 1);
  assert.is((await samplesOf(host(), [digits], { header: false })).rows, 2);
});

test('csv: classes are sorted by value when all are numbers, else by text', async () => {
  const numbers = await samplesOf(host(), [put(host(), '1,10\n1,+2\n1,2.0\n1,-3\n')]);
  assert.equal(numbers.classes, ['-3', '2', '10']);
  const texts = await samplesOf(host(), [put(host(), '1,10\n1,9\n1,x\n')]);
  assert.equal(texts.classes, ['10', '9', 'x']);
});

const separators = [
  ['tab', '\t', /\t/],
  ['comma', ',', /,/],
  ['blanks', '  ', /\s+/],
  ['::', '::', /::/],
] as const;
for (const [name, separator, pattern] of separators) {
  test(`ratings: triples are the oracle's whatever the chunks, threads and compression (${name})`, async () => {
    const prng = createPrng(3);
    const triple = () => [3 + prng.below(50), 7 + prng.below(9), prng.below(10) / 2, 978300760];
    const text = Array.from({ length: 150 }, () => triple().join(separator)).join('\n');
    const got = await ratingsOf(host(), [put(host(), text)]);
    const wanted = ratingsOracle(text, pattern);
    assert.equal(got.data, wanted.data);
    assert.equal([got.userBase, got.itemBase], [wanted.userBase, wanted.itemBase]);
    const values = wanted.data.map(([, , value]) => value);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    assert.ok(Math.abs(got.mean - mean) < 1e-12);
    assert.equal([got.minimum, got.maximum], [Math.min(...values), Math.max(...values)]);
    // The mean's last bits depend on where blocks end, so it is left out of the comparison.
    await everyWay(text, async (where, path) => ({ ...(await ratingsOf(where, [path])), mean: 0 }));
  });
}

test('ratings: a header line is skipped, a line may be without time (movielens)', async () => {
  const text = 'userId,movieId,rating,timestamp\r\n1,31,2.5,1260759144\r\n2,30,4\r\n';
  for (const chunkBytes of CHUNKS) {
    const got = await ratingsOf(withChunks(host(), chunkBytes), [put(host(), text)]);
    assert.equal(got.data, [
      [0, 1, 2.5],
      [1, 0, 4],
    ]);
    assert.equal([got.users, got.items, got.userBase, got.itemBase], [2, 2, 1, 30]);
  }
});

test('ratings: a Matrix Market file has the users and items of its size line', async () => {
  const text =
    '%%MatrixMarket matrix coordinate integer general\n% note\n4 5 3\n1 1 3\n4 2 5\n2 5 -1\n';
  const got = await ratingsOf(withChunks(host(), 7), [put(host(), text)]);
  assert.equal(got.data, [
    [0, 0, 3],
    [3, 1, 5],
    [1, 4, -1],
  ]);
  assert.equal([got.users, got.items, got.userBase], [4, 5, 1]);
  const pattern = '%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 2\n2 1\n';
  assert.equal((await ratingsOf(host(), [put(host(), pattern)])).data, [
    [0, 1, 1],
    [1, 0, 1],
  ]);
});

test.run();
