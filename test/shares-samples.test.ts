// Samples on several hosts: each holds the rows of its partitions, all know the same facts, and
// together they hold what one host alone does.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gzipSync } from 'node:zlib';
import { createPrng } from '../src/base/prng.ts';
import type { SamplesOptions } from '../src/data/load-samples.ts';
import { idxFile } from './helpers/data-oracle.ts';
import { ARRAY, MTX } from './helpers/data-violations.ts';
import { gzipMembers, put, samplesOf, withChunks } from './helpers/loading.ts';
import { assertShares, casts, closeShares, hostAt, loadShares, values } from './helpers/shares.ts';

test.after(closeShares);

type Content = string | Uint8Array;
const CHUNKS = [7, 100, 1000, 1 << 20];

/** Loads the files in every cast and chunk size, plain and compressed, and compares. */
async function everyCast(
  files: readonly Content[],
  options: SamplesOptions = {},
  chunkSizes: readonly number[] = CHUNKS,
): Promise<void> {
  const forms = {
    plain: files.map((file) => put(hostAt(), file)),
    gzip: files.map((file) => put(hostAt(), gzipMembers(file, 2))),
  };
  for (const [form, paths] of Object.entries(forms)) {
    for (const chunkBytes of chunkSizes) {
      const whole = await samplesOf(withChunks(hostAt(), chunkBytes), paths, options);
      for (const cast of casts) {
        const shares = values(await loadShares(cast, () => paths, options, { chunkBytes }));
        const what = `${form}, chunks of ${chunkBytes}, hosts of ${cast.join(' ')} threads`;
        assertShares(shares, whole, cast, what);
      }
    }
  }
}

function libsvmText(seed: number, rows: number, base: number): string {
  const prng = createPrng(seed);
  const lines = Array.from({ length: rows }, (_, row) => {
    let index = base - 1;
    // Rows at the end are longer: shares of bytes and of rows are not the same.
    const entries = Array.from({ length: prng.below(4) + (row > rows / 2 ? 4 : 0) }, () => {
      index += 1 + prng.below(5);
      return `${index}:${prng.below(100) / 8}`;
    });
    const blank = prng.below(6) === 0 ? '# a comment\n\n' : '';
    return `${blank}${prng.below(5)} ${entries.join(' ')}`;
  });
  return lines.join('\n') + '\n';
}

for (const base of [0, 1]) {
  test(`libsvm: hosts hold their rows (base ${base})`, async () => {
    await everyCast([libsvmText(5 + base, 61, base)]);
  });
}

test('libsvm: hosts hold their rows of several files', async () => {
  const files = [
    libsvmText(1, 40, 1),
    '7 1:1',
    libsvmText(2, 5, 1),
    '# nothing\n',
    libsvmText(3, 30, 0),
  ];
  await everyCast(files, { format: 'libsvm' }, [7, 100]);
});

test('libsvm: plain and compressed files in one load', async () => {
  const texts = [libsvmText(1, 40, 1), libsvmText(2, 25, 1), libsvmText(3, 30, 1)];
  const paths = texts.map((text, i) => put(hostAt(), i === 1 ? gzipSync(text) : text));
  const whole = await samplesOf(withChunks(hostAt(), 50), paths);
  for (const cast of casts) {
    const shares = values(await loadShares(cast, () => paths, {}, { chunkBytes: 50 }));
    assertShares(shares, whole, cast, `hosts of ${cast.join(' ')} threads`);
  }
});

test('libsvm: fewer rows than hosts leave some without', async () => {
  for (const rows of [1, 2, 3]) {
    const text = Array.from({ length: rows }, (_, i) => `${i} ${i + 1}:1\n`).join('');
    await everyCast([text]);
  }
});

test('libsvm: a class, a column and base 0 that one host alone sees', async () => {
  const common = '1 1:1 2:1\n-1 2:1\n'.repeat(20);
  await everyCast(
    [`${common}5 1:1\n${common}`, `${common}-1 900:1\n`, `1 0:1\n${common}`],
    {},
    [50],
  );
});

test('libsvm: test data in the terms of the training data', async () => {
  const train = await samplesOf(hostAt(), [put(hostAt(), '+1 1:1 3:1\n-1 2:1\n')]);
  await everyCast(['-1 1:5 2:6 4:7\n1 3:1\n3 4:4\n'.repeat(9)], { like: train }, [20]);
});

test('libsvm: numbers to predict', async () => {
  await everyCast([libsvmText(8, 40, 1)], { labels: 'number' }, [64]);
});

function csvText(seed: number, rows: number, value: (row: number) => string): string {
  const prng = createPrng(seed);
  const line = (row: number) =>
    `${value(row)},${prng.below(256)},"${['a', 'b', 'c'][prng.below(3)]}"\n`;
  return 'x,y,"the label"\n' + Array.from({ length: rows }, (_, row) => line(row)).join('');
}

test('csv: hosts hold their rows, u8', async () => {
  await everyCast([csvText(1, 67, (row) => String(row % 200))]);
});

test('csv: a value that is no byte makes all hosts f32, wherever it stands', async () => {
  for (const odd of [0, 33, 66]) {
    await everyCast([csvText(1, 67, (row) => (row === odd ? '0.5' : '7'))], {}, [40, 1 << 20]);
  }
});

test('csv: test data without labels', async () => {
  const train = await samplesOf(hostAt(), [put(hostAt(), '0.5,2,x\n3,4,y\n')]);
  await everyCast(['1,2\n3,4\n'.repeat(30)], { like: train }, [30]);
});

test('mtx: coordinate matrices and their labels', async () => {
  const prng = createPrng(4);
  const cells = Array.from({ length: 50 * 9 }, (_, i) => i).filter(() => prng.below(3) === 0);
  cells.sort((a, b) => ((a * 379) % 450) - ((b * 379) % 450));
  const entries = cells.map(
    (i) => `${(i % 50) + 1} ${Math.floor(i / 50) + 1} ${prng.below(9) + 1}\n`,
  );
  const X = `${MTX}50 9 ${entries.length}\n${entries.join('')}`;
  const labels = Array.from({ length: 50 }, () => `${prng.below(3)}\n`);
  await everyCast([X, `${ARRAY}50 1\n${labels.join('')}`], {}, [7, 100]);
  const order = labels.map((_, i) => i + 1).reverse();
  const y = `${MTX}50 1 50\n${order.map((row) => `${row} 1 ${row % 4}\n`).join('')}`;
  await everyCast([X, y], {}, [100]);
});

test('mtx: array matrices', async () => {
  const prng = createPrng(6);
  const column = (n: number, of: () => string) => Array.from({ length: n }, of).join('\n') + '\n';
  for (const value of [() => String(prng.below(255)), () => String(prng.uniform())]) {
    const files = [
      `${ARRAY}43 5\n${column(43 * 5, value)}`,
      `${ARRAY}43 1\n${column(43, () => String(prng.below(2)))}`,
    ];
    await everyCast(files, {}, [100, 1 << 20]);
  }
});

test('idx: hosts hold their rows', async () => {
  for (const rows of [1, 3, 50]) {
    const prng = createPrng(rows);
    const bytes = (n: number, most: number) =>
      Uint8Array.from({ length: n }, () => prng.below(most));
    const files = [idxFile([rows, 3, 4], bytes(rows * 12, 256)), idxFile([rows], bytes(rows, 10))];
    await everyCast(files, {}, [12, 100, 1 << 20]);
  }
});

test('partitions: the number that is asked for decides who has which rows', async () => {
  const path = put(hostAt(), '1 1:1\n'.repeat(10));
  const shares = values(await loadShares([1, 1], () => [path], { partitions: 3 }));
  assert.equal(
    shares.map(({ first, data }) => [first, data.length]),
    [
      [0, 3],
      [3, 7],
    ],
  );
});

test.run();
