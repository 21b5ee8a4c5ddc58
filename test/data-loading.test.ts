// What a load promises beyond the values: test sets that follow a training set, abort, progress, an
// event loop that stays free, memory.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadSamples } from '../src/data/load-samples.ts';
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

const big = '1 1:0.25 7:3 19:0.125\n-1 2:1 3:1 4:-0.5\n'.repeat(60_000);

test('like: a libsvm test set takes base, columns and classes; what is beyond is counted', async () => {
  const train = await samplesOf(host, [put(host, '+1 1:1 3:1\n-1 2:1\n')]);
  const test = put(host, '-1 1:5 2:6 4:7 9:8\n1 3:1\n3 4:4\n');
  const got = await samplesOf(withChunks(host, 7), [test], { like: train });
  assert.equal(got.data, [
    { label: '-1', values: [0, 5, 1, 6] },
    { label: '1', values: [2, 1] },
    { label: null, values: [] },
  ]);
  assert.equal([got.columns, got.base, got.classes], [3, 1, ['-1', '1']]);
  assert.equal(got.warnings, [
    "3 entries beyond the training data's 3 columns were left out",
    'labels that the training data does not have: 3',
  ]);
  const low = await failureOf(host, () =>
    samplesOf(host, [put(host, '1 0:1\n', 'low')], { like: train }),
  );
  assert.match(low.message, /^low:1:3: indices start at 1, as in the training data/);
});

test('like: a 0-based training set makes indices from 1 on 0-based too', async () => {
  const train = await samplesOf(host, [put(host, '1 0:1 5:1\n-1 2:1\n')]);
  const got = await samplesOf(host, [put(host, '1 1:5\n')], { like: train });
  assert.equal([got.data[0]?.values, got.columns, got.base], [[1, 5], 6, 0]);
});

test('like: a csv test set takes storage and classes, and may lack the label column', async () => {
  const train = await samplesOf(host, [put(host, '0.5,2,x\n3,4,y\n')]);
  const got = await samplesOf(host, [put(host, '1,2,y\n3,4,new\n')], { like: train });
  assert.is(got.storage, 'f32');
  assert.equal(
    got.data.map(({ label }) => label),
    ['y', null],
  );
  const more = await samplesOf(host, [put(host, '1,2,9,y\n')], { like: train });
  assert.equal(more.data, [{ label: 'y', values: [1, 2] }]);
  assert.equal(more.warnings, ["1 columns beyond the training data's 2 were left out"]);
  const bare = await samplesOf(host, [put(host, '1,2\n3,4\n', 'bare')], { like: train });
  assert.equal(bare.data, [
    { label: null, values: [1, 2] },
    { label: null, values: [3, 4] },
  ]);
  assert.match(bare.warnings[0] ?? '', /bare has no label column/);
  const few = await failureOf(host, () =>
    samplesOf(host, [put(host, '1\n', 'few')], { like: train }),
  );
  assert.match(few.message, /^few:1:1: the training data has 2 feature columns; found 0/);
  const other = await failureOf(host, () =>
    samplesOf(host, [put(host, '1 1:1\n', 'o')], { like: train }),
  );
  assert.match(other.message, /^o: the training data is dense, this file is sparse/);
});

test('like: ratings of unknown users and items are kept with index -1', async () => {
  const train = await ratingsOf(host, [put(host, '5 10 1\n7 12 2\n')]);
  const got = await ratingsOf(host, [put(host, '6 11 3\n4 12 4\n8 13 5\n7 99 1\n')], {
    like: train,
  });
  assert.equal(got.data, [
    [1, 1, 3],
    [-1, 2, 4],
    [-1, -1, 5],
    [2, -1, 1],
  ]);
  assert.equal([got.users, got.items, got.userBase, got.itemBase], [3, 3, 5, 10]);
  assert.is(got.warnings.length, 1);
});

test('like: images and matrices take the classes and columns of the training set', async () => {
  const image = (pixels: number[]) =>
    put(host, idxFile([pixels.length, 1, 1], Buffer.from(pixels)));
  const label = (labels: number[]) => put(host, idxFile([labels.length], Buffer.from(labels)));
  const train = await samplesOf(host, [image([1, 2]), label([3, 7])]);
  const got = await samplesOf(host, [image([5, 6, 7]), label([7, 3, 4])], { like: train });
  assert.equal(
    got.data.map((row) => row.label),
    ['7', '3', null],
  );
  const x = '%%MatrixMarket matrix coordinate real general\n2 4 3\n1 1 1\n1 4 2\n2 2 3\n';
  const sparse = await samplesOf(host, [put(host, '1 1:1 2:1\n2 3:1\n')]);
  const matrix = await samplesOf(host, [put(host, x)], { like: sparse });
  assert.equal(matrix.data, [
    { label: null, values: [0, 1] },
    { label: null, values: [1, 3] },
  ]);
  assert.equal([matrix.columns, matrix.warnings.length], [3, 2]);
});

test('the format comes from the content; a name never decides, an option does', async () => {
  const detected = async (text: string, name: string) =>
    (await samplesOf(host, [put(host, text, name)])).format;
  assert.is(await detected('1 1:1\n', 'a.csv'), 'libsvm');
  assert.is(await detected('1,2,3\n', 'a.svm'), 'csv');
  assert.is(await detected('1\n2 5:1\n', 'b.txt'), 'libsvm');
  const path = put(host, '1 2 3\n4 5 6\n');
  assert.is((await samplesOf(host, [path], { format: 'csv' })).columns, 2);
  assert.is(
    (await failureOf(host, () => samplesOf(host, [path], { format: 'libsvm' }))).code,
    'ERR_DATA',
  );
});

test('abort: a load ends with ERR_ABORTED and the pool stays usable', async () => {
  const plain = put(host, big);
  const paths = [plain, put(host, gzipMembers(big, 3))];
  for (const path of paths) {
    const controller = new AbortController();
    const load = failureOf(host, () =>
      samplesOf(withChunks(host, 1000), [path], { signal: controller.signal }),
    );
    setTimeout(() => controller.abort(), 5);
    assert.is((await load).code, 'ERR_ABORTED');
  }
  const early = await failureOf(host, () =>
    samplesOf(host, paths, { signal: AbortSignal.abort() }),
  );
  assert.is(early.code, 'ERR_ABORTED');
  const after = await samplesOf(host, [plain]);
  assert.is(after.rows, 120_000);
});

test('progress rises and ends at the size of the files, compressed or not', async () => {
  for (const bytes of [Buffer.from(big), gzipMembers(big, 2)]) {
    const reports: (readonly [number, number])[] = [];
    const onProgress = (done: number, total: number) => reports.push([done, total]);
    await samplesOf(withChunks(host, 20_000), [put(host, bytes)], { onProgress });
    assert.equal(reports.at(-1), [bytes.length, bytes.length]);
    assert.ok(reports.every(([done], i) => i === 0 || done > (reports[i - 1]?.[0] ?? 0)));
  }
});

test('the event loop of the caller stays free: p99 below 20 ms while 5 MB load in 2000 tasks', async () => {
  const path = put(host, big);
  const lag = monitorEventLoopDelay({ resolution: 1 });
  const mark = host.arena.mark();
  lag.enable();
  await loadSamples([path], {}, withChunks(host, 2500));
  lag.disable();
  host.arena.release(mark);
  assert.ok(lag.percentile(99) / 1e6 < 20, `p99 ${lag.percentile(99) / 1e6} ms`);
});

test('memory: the arena grows by the size of the blocks', async () => {
  const mark = host.arena.mark();
  const { rows, nonzeros } = await loadSamples([put(host, big)], {}, host);
  const bytes = host.arena.mark() - mark;
  host.arena.release(mark);
  const wanted = rows * 8 + nonzeros * 8;
  assert.ok(bytes <= wanted * 1.01, `${bytes} for ${wanted}`);
});

test('full memory is ERR_LIMIT with what to do', async () => {
  const header = '%%MatrixMarket matrix array real general\n100000000 100 \n1\n';
  const y = put(host, '%%MatrixMarket matrix array real general\n100000000 1\n1\n');
  const counts = '%%MatrixMarket matrix coordinate real general\n90000000 1 0\n';
  for (const text of [header, counts]) {
    const mark = host.arena.mark();
    host.arena.allocate(600 * 2 ** 20);
    const { code, message } = await failureOf(host, () => samplesOf(host, [put(host, text), y]));
    host.arena.release(mark);
    assert.ok(code === 'ERR_LIMIT' || code === 'ERR_DATA', message);
    if (code === 'ERR_LIMIT') assert.match(message, /memory is full.*use less data/);
  }
});

test.run();
