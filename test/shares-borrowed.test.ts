// Files that rank 0 alone has: the others fetch the bytes that they read.
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { idxFile } from './helpers/data-oracle.ts';
import { ARRAY, MTX } from './helpers/data-violations.ts';
import { gzipMembers, put, samplesOf, withChunks } from './helpers/loading.ts';
import {
  assertShares,
  closeShares,
  hostAt,
  loadShares,
  reasons,
  values,
} from './helpers/shares.ts';

test.after(closeShares);

type Read = { readonly from: number; readonly bytes: number };

/** Loads files that rank 0 alone has; returns the reads of the others. */
async function borrow(
  files: readonly (string | Uint8Array)[],
  chunkBytes: number,
  cast: readonly number[] = [1, 1, 1],
): Promise<Read[]> {
  const paths = files.map((file) => put(hostAt(), file));
  const whole = await samplesOf(withChunks(hostAt(), chunkBytes), paths);
  const reads: Read[] = [];
  const onRead = (_: string, from: number, bytes: number) => void reads.push({ from, bytes });
  const absent = paths.map((_, i) => join(hostAt().folder, 'absent', String(i)));
  const settled = await loadShares(
    cast,
    (rank) => (rank === 0 ? paths : absent),
    {},
    { chunkBytes, onRead },
  );
  assertShares(values(settled), whole, cast, `borrowed, chunks of ${chunkBytes}`);
  return reads;
}

const text = '1 1:1 7:0.25\n-1 2:1 3:1 4:-0.5\n2 5:1\n'.repeat(40);

test('borrowed: text of every chunk size', async () => {
  for (const chunkBytes of [1, 7, 100, 1 << 20]) await borrow([text, text], chunkBytes);
});

test('borrowed: a last line without its end, and a line longer than many chunks', async () => {
  await borrow([`${text}1 3:4`], 7);
  const long = Array.from({ length: 30_000 }, (_, i) => `${i + 1}:1`).join(' ');
  await borrow([`${text}1 ${long}\n${text}`], 1000);
});

test('borrowed: compressed text, Matrix Market, idx', async () => {
  await borrow([gzipMembers(text, 3)], 100);
  const cells = Array.from({ length: 30 }, (_, i) => `${i + 1} ${(i % 4) + 1} 1\n`).join('');
  const y = Array.from({ length: 30 }, (_, i) => `${i % 2}\n`).join('');
  await borrow([`${MTX}30 4 30\n${cells}`, `${ARRAY}30 1\n${y}`], 50);
  const pixels = Uint8Array.from({ length: 40 * 6 }, (_, i) => i);
  const labels = Uint8Array.from({ length: 40 }, (_, i) => i % 10);
  await borrow([idxFile([40, 2, 3], pixels), idxFile([40], labels)], 30);
});

test('borrowed: a host fetches its share and little more', async () => {
  const big = '1 1:1 7:0.25\n-1 2:1 3:1 4:-0.5\n'.repeat(60_000);
  const reads = await borrow([big], 1 << 16, [1, 1]);
  const fetched = reads.reduce((sum, { bytes }) => sum + bytes, 0);
  // Half of the file, and for each chunk the end of its last line.
  assert.ok(fetched > 0.4 * big.length && fetched < 1.2 * big.length, `${fetched} bytes`);
});

test('borrowed: a file that rank 0 does not have either', async () => {
  const found = await reasons(await loadShares([1, 1], () => [join(hostAt().folder, 'absent')]));
  assert.match(found[0] ?? '', /^ERR_DATA absent: cannot be read/);
  assert.is(found[1], found[0]);
});

test('borrowed: reading that fails on rank 0 ends the load on all', async () => {
  const path = put(hostAt(), text);
  const absent = join(hostAt().folder, 'absent');
  const settled = await loadShares(
    [1, 1],
    (rank) => [rank === 0 ? path : absent],
    {},
    {
      chunkBytes: 100,
      remote: () => join(absent, 'gone'),
    },
  );
  const found = await reasons(settled);
  assert.match(found[0] ?? '', /ENOENT/);
  assert.is(found[1], found[0]);
});

test('borrowed: nothing is left behind', async () => {
  const folder = mkdtempSync(join(hostAt().folder, 'temporary-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    await borrow([text], 100);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  assert.ok(existsSync(folder));
  assert.equal(readdirSync(folder), []);
});

test.run();
