// Any bytes at all: a load ends, with data or with an error of the file, and never with a bug.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
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

const numRuns = process.env['TEST_ALL'] ? 5000 : 250;
const allowed = ['none', 'ERR_DATA', 'ERR_LIMIT', 'ERR_CONFIG'];
/** file:line:column, or a file that is wrong as a whole. */
const located =
  /^(fuzz\.(data|y):\d+:\d+: .+; found .+|fuzz\.data: .*(all files|the training data))/s;

const MTX = '%%MatrixMarket matrix coordinate real general\n';
const ARRAY = '%%MatrixMarket matrix array integer general\n';
const Y = `${ARRAY}3 1\n1\n-1\n1\n`;
const seeds = {
  libsvm: '1 1:0.5 3:2\n-1 2:1e-3 # c\n+1\n2 1:7 10:-.5\n',
  csv: 'a,b,kind\n1,2.5,"x, y"\n3,-4e2,z\n"5",6,z\n',
  ratings: 'userId,movieId,rating\n1,2,3.5,99\n7,8,1\n9,2,5\n',
  mtx: `${MTX}% c\n3 4 4\n1 1 0.5\n3 4 2\n2 2 1\n1 3 -1\n`,
  array: `${ARRAY}3 2\n1\n2\n3\n4\n5\n256\n`,
  idx: idxFile([3, 2, 2], Buffer.from('abcdefghijkl')).toString('latin1'),
};

type Edit = { readonly at: number; readonly cut: number; readonly text: string };
const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '\n',
      '\r\n',
      ' ',
      ':',
      ',',
      '.',
      'e',
      '-',
      '"',
      '#',
      '%',
      '\0',
      '0',
      '9',
      '::',
      'nan',
      'é',
      '\uFEFF',
    ],
  ),
  fc.string({ maxLength: 4 }),
  fc.integer({ min: -3, max: 99999 }).map(String),
);
const edits = fc.array(fc.record({ at: fc.nat(), cut: fc.nat(4), text: piece }), {
  minLength: 1,
  maxLength: 4,
});

function mutate(text: string, changes: readonly Edit[]): string {
  return changes.reduce((now, { at, cut, text: put }) => {
    const place = at % (now.length + 1);
    return now.slice(0, place) + put + now.slice(place + cut);
  }, text);
}

async function check(
  bytes: Uint8Array,
  format: string,
  chunkBytes: number,
  gzip: boolean,
): Promise<void> {
  const small = withChunks(host, chunkBytes);
  const path = put(small, gzip ? gzipMembers(bytes, 2) : bytes, 'fuzz.data');
  const failure = await failureOf(small, async () => {
    if (format === 'ratings') return ratingsOf(small, [path], { format });
    const named = format === 'array' ? 'mtx' : (format as 'csv');
    if (format === 'libsvm' || format === 'csv') return samplesOf(small, [path], { format: named });
    const y = format === 'idx' ? idxFile([3], Buffer.from('abc')) : Y;
    return samplesOf(small, [path, put(small, y, 'fuzz.y')], { format: named });
  });
  const { code, message, stack } = failure;
  assert.ok(allowed.includes(code), `${code} ${message} ${stack}`);
  if (code === 'ERR_DATA') assert.match(message, located);
}

const chunk = fc.constantFrom(7, 64, 1000);
for (const [format, text] of Object.entries(seeds)) {
  test(`${format}: a mutated valid file loads or is refused with its place (${numRuns} cases)`, async () => {
    const encoding = format === 'idx' ? 'latin1' : 'utf8';
    await fc.assert(
      fc.asyncProperty(edits, chunk, fc.boolean(), (changes, chunkBytes, gzip) =>
        check(Buffer.from(mutate(text, changes), encoding), format, chunkBytes, gzip),
      ),
      { numRuns },
    );
  });

  test(`${format}: random bytes load or are refused with their place (${numRuns} cases)`, async () => {
    const random = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .string({ unit: fc.constantFrom(...'0123456789 :,.\n\r\t-+e"#'), maxLength: 200 })
        .map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(random, chunk, (bytes, chunkBytes) =>
        check(bytes, format, chunkBytes, false),
      ),
      { numRuns },
    );
  });
}

test(`plain and gzip give the same data or the same error, at any chunk size (${numRuns} cases)`, async () => {
  await fc.assert(
    fc.asyncProperty(edits, chunk, chunk, async (changes, one, other) => {
      const text = mutate(seeds.libsvm.repeat(5), changes);
      const answer = async (content: string | Uint8Array, chunkBytes: number) => {
        const path = put(host, content, 'same.data');
        let data: unknown;
        const failure = await failureOf(host, async () => {
          const { blockRows, ...rest } = await samplesOf(withChunks(host, chunkBytes), [path], {
            format: 'libsvm',
          });
          assert.is(
            blockRows.reduce((a, b) => a + b, 0),
            rest.rows,
          );
          data = rest;
        });
        return { data, code: failure.code, message: failure.message };
      };
      const wanted = await answer(text, one);
      assert.equal(await answer(text, other), wanted);
      if (text.length > 0) assert.equal(await answer(gzipMembers(text, 2), other), wanted);
    }),
    { numRuns },
  );
});

test.run();
