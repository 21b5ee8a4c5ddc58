// Ratings on several hosts: all know all chunks and the same facts; each chunk lies on its holder.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import type { RatingsOptions } from '../src/data/load-ratings.ts';
import { MTX } from './helpers/data-violations.ts';
import { gzipMembers, put, ratingsOf, withChunks } from './helpers/loading.ts';
import {
  assertRatingShares,
  casts,
  closeShares,
  hostAt,
  loadRatingShares,
  reasons,
  values,
} from './helpers/shares.ts';

test.after(closeShares);

async function everyCast(
  files: readonly (string | Uint8Array)[],
  options: RatingsOptions = {},
): Promise<void> {
  const paths = files.map((file) => put(hostAt(), file));
  for (const chunkBytes of [9, 100, 1 << 20]) {
    const whole = await ratingsOf(withChunks(hostAt(), chunkBytes), paths, options);
    for (const cast of casts) {
      const shares = values(await loadRatingShares(cast, paths, options, { chunkBytes }));
      assertRatingShares(shares, whole, `chunks of ${chunkBytes}, hosts of ${cast.join(' ')}`);
    }
  }
}

function text(seed: number, count: number): string {
  const prng = createPrng(seed);
  const line = () => `${3 + prng.below(40)}\t${7 + prng.below(30)}\t${prng.below(10) / 2}\n`;
  return Array.from({ length: count }, line).join('');
}

test('ratings: chunks are known to all and lie on their holders', async () => {
  await everyCast([text(1, 150), text(2, 30)]);
});

test('ratings: every host has all chunks of a compressed file', async () => {
  const files = [gzipMembers(text(1, 90), 2), text(2, 30)];
  await everyCast(files);
  const path = put(hostAt(), files[0] ?? '');
  for (const { places } of values(await loadRatingShares([1, 1], [path], {}, { chunkBytes: 50 }))) {
    assert.ok(places.length > 5 && places.every(({ here }) => here));
  }
});

test('ratings: fewer chunks than hosts', async () => {
  await everyCast(['1 1 1\n']);
});

test('ratings: a test set in the terms of the training set', async () => {
  const train = await ratingsOf(hostAt(), [put(hostAt(), text(1, 150))]);
  await everyCast([`${text(3, 40)}999 1 1\n`], { like: train });
});

test('ratings: Matrix Market, and more entries than its size line promises', async () => {
  const entries = Array.from({ length: 60 }, (_, i) => `${(i % 9) + 1} ${(i % 7) + 1} ${i % 5}\n`);
  await everyCast([`${MTX}9 7 60\n${entries.join('')}`]);
  for (const promised of [10, 59, 61]) {
    const path = put(hostAt(), `${MTX}9 7 ${promised}\n${entries.join('')}`);
    const alone = await reasons(await loadRatingShares([1], [path], {}, { chunkBytes: 30 }));
    const found = await reasons(await loadRatingShares([1, 1, 1], [path], {}, { chunkBytes: 30 }));
    assert.match(alone[0] ?? '', /the size line promises/);
    assert.equal(found, [alone[0], alone[0], alone[0]]);
  }
});

test.run();
