// Matrix Market and idx files come out as an oracle reads them, however they are cut or compressed.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import { idxFile, libsvmOracle } from './helpers/data-oracle.ts';
import { gzipMembers, put, samplesOf, withChunks } from './helpers/loading.ts';
import { closeHosts, everyWay, host } from './helpers/ways.ts';

test.after(closeHosts);

function matrixText(
  rows: number,
  columns: number,
  seed: number,
  order: 'row' | 'column' | 'any',
): string {
  const prng = createPrng(seed);
  const entries = Array.from(
    { length: rows * columns },
    (_, i) => [Math.floor(i / columns) + 1, (i % columns) + 1] as const,
  )
    .filter(() => prng.below(3) === 0)
    .map(([r, c]) => ({
      r,
      c,
      text: `${r} ${c} ${(prng.uniform() - 0.5).toPrecision(6)}`,
      key: prng.uniform(),
    }));
  if (order === 'column') entries.sort((a, b) => a.c - b.c || a.r - b.r);
  if (order === 'any') entries.sort((a, b) => a.key - b.key);
  const head = `%%MatrixMarket matrix coordinate real general\n%\n${rows} ${columns} ${entries.length}\n`;
  return head + entries.map(({ text }) => text).join('\n') + '\n';
}

for (const order of ['row', 'column', 'any'] as const) {
  test(`mtx: coordinate entries become sorted rows (${order} order)`, async () => {
    const text = matrixText(40, 60, 8, order);
    const labels = Array.from({ length: 40 }, (_, i) => String((i % 3) - 1));
    const y = put(
      host(),
      `%%MatrixMarket matrix array integer general\n40 1\n${labels.join('\n')}\n`,
    );
    const got = await samplesOf(host(), [put(host(), text), y]);
    const wanted = libsvmOracle(
      labels
        .map((label, i) => {
          const mine = text
            .split('\n')
            .slice(3)
            .map((line) => line.split(' '));
          const row = mine
            .filter(([r]) => Number(r) === i + 1)
            .sort((a, b) => Number(a[1]) - Number(b[1]));
          return [label, ...row.map(([, c, v]) => `${c}:${v}`)].join(' ');
        })
        .join('\n'),
    );
    assert.equal(got.data, wanted.data);
    assert.equal([got.columns, got.base, got.storage], [60, 1, 'csr']);
    assert.equal(got.classes, ['-1', '0', '1']);
    await everyWay(text, (where, path) => samplesOf(where, [path, y]));
  });
}

for (const [name, value] of [
  ['bytes', (i: number) => String(i % 200)],
  ['reals', (i: number) => String(i / 8)],
] as const) {
  test(`mtx: an array is read column by column into dense rows (${name})`, async () => {
    const values = Array.from({ length: 21 * 5 }, (_, i) => value(i));
    const text = `%%MatrixMarket matrix array real general\n% c\n21 5\n${values.join('\n')}\n`;
    const targets = Array.from({ length: 21 }, (_, i) => i / 4 - 2);
    const entries = targets.map((target, i) => `${i + 1} 1 ${target}`).reverse();
    const y = put(
      host(),
      `%%MatrixMarket matrix coordinate real general\n21 1 21\n${entries.join('\n')}\n`,
    );
    const got = await samplesOf(host(), [put(host(), text), y], { labels: 'number' });
    const wanted = targets.map((label, r) => {
      return { label, values: Array.from({ length: 5 }, (_, c) => Number(values[c * 21 + r])) };
    });
    assert.equal(got.data, wanted);
    assert.is(got.storage, name === 'bytes' ? 'u8' : 'f32');
    await everyWay(text, (where, path) => samplesOf(where, [path, y], { labels: 'number' }));
    const classes = await samplesOf(host(), [put(host(), text), y]);
    assert.equal(
      classes.data.map(({ label }) => Number(label)),
      targets,
    );
  });
}

for (const dimensions of [
  [37, 5, 4],
  [12, 33],
  [9, 2, 2, 3],
]) {
  test(`idx: images of ${dimensions.length - 1} dimensions are bytes over 255`, async () => {
    const [rows = 0, ...inner] = dimensions;
    const rowBytes = inner.reduce((a, b) => a * b, 1);
    const prng = createPrng(4);
    const pixels = Uint8Array.from({ length: rows * rowBytes }, () => prng.below(256));
    const labels = Uint8Array.from({ length: rows }, () => prng.below(3) * 4);
    const images = idxFile(dimensions, pixels);
    const wanted = Array.from({ length: rows }, (_, r) => ({
      label: String(labels[r]),
      values: [...pixels.subarray(r * rowBytes, (r + 1) * rowBytes)].map(
        (pixel) => pixel * (1 / 255),
      ),
    }));
    const y = idxFile([rows], labels);
    for (const threads of [1, 2, 4]) {
      for (const chunkBytes of [rowBytes, 64, 1 << 20]) {
        for (const pack of [(b: Buffer) => b, (b: Buffer) => gzipMembers(b, 2)]) {
          const small = withChunks(host(threads), chunkBytes);
          if (chunkBytes < rowBytes) continue;
          const got = await samplesOf(small, [put(small, pack(images)), put(small, pack(y))]);
          assert.equal(got.data, wanted);
          assert.equal([got.storage, got.columns, got.classes], ['u8', rowBytes, ['0', '4', '8']]);
        }
      }
    }
  });
}

test.run();
