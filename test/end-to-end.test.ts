// The whole program as its user meets it: the real command line with the shipped data, and the
// library in the caller's process. Limits on time are there so that nothing hangs, no more.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Mf, Mlr, train } from '../src/index.ts';
import { built, lastEvent, perpetuum, startScript, withFolder } from './helpers/command.ts';
import { exampleData } from './helpers/models.ts';
import { readSafetensors } from './oracle/safetensors.ts';

const a9a = exampleData('a9a.gz');
const a9aTest = exampleData('a9a.t.gz');
const digits = exampleData('digits.csv.gz');

const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const isPositive = (value: unknown) => isNumber(value) && Number(value) > 0;

/** DESIGN, section 10: the fields that other programs read, and what they are. */
const doneFields: Readonly<Record<string, (value: unknown) => boolean>> = {
  event: (value) => value === 'done',
  model: (value) => typeof value === 'string',
  objective: isNumber,
  metrics: (value) => Object.values(value as object).every(isNumber),
  converged: (value) => value === null || typeof value === 'boolean',
  gap: (value) => value === null || isNumber(value),
  clocks: isCount,
  passes: isCount,
  threads: isCount,
  hosts: (value) => value === 1,
  consistency: (value) => ['bsp', 'ssp', 'essp', 'async'].includes(String(value)),
  staleness: isCount,
  seed: isCount,
  seconds: (value) => {
    const { load, train, total } = value as Record<string, number>;
    return [load, train, total].every(isPositive) && load! + train! <= total! + 1e-9;
  },
  memoryBytesMax: isPositive,
  bytesSent: isCount,
  stalenessHistogram: (value) => Array.isArray(value) && value.every(isCount),
  modelHash: (value) => /^[0-9a-f]{64}$/.test(String(value)),
};

function checkDone(done: Record<string, unknown>): void {
  for (const [name, holds] of Object.entries(doneFields)) {
    assert.ok(name in done, `${name} is there`);
    assert.ok(holds(done[name]), `${name}: ${JSON.stringify(done[name])}`);
  }
}

const lines = (text: string) => text.trimEnd().split('\n');

/** The labels of the shipped files, read without any of src. */
function labelsOf(path: string, of: (line: string) => string): string[] {
  return lines(gunzipSync(readFileSync(path)).toString()).map(of);
}

test('a9a: train, evaluate, predict, predict --probabilities agree with each other', async () => {
  await withFolder(async (folder) => {
    const model = join(folder, 'model');
    const options = ['--test', a9aTest, '--out', model, '--json', '--threads', '2'];
    const trained = await perpetuum(['train', 'mlr', a9a, ...options]);
    assert.is(trained.code, 0, trained.err);
    const done = lastEvent(trained);
    checkDone(done);
    assert.equal([done['model'], done['converged'], done['threads']], ['mlr', true, 2]);
    const { accuracy } = done['metrics'] as { accuracy: number };
    assert.ok(accuracy > 0.845, `accuracy ${accuracy}`);
    const events = lines(trained.out).map((line) => JSON.parse(line) as { event: string });
    assert.ok(events.length > 1 && events.slice(0, -1).every(({ event }) => event === 'clock'));

    const evaluated = lastEvent(await perpetuum(['evaluate', model, a9aTest, '--json']));
    assert.equal([evaluated['event'], evaluated['rows']], ['done', 16_281]);
    const same = evaluated['metrics'] as Record<string, number>;
    assert.is(same['accuracy'], accuracy);
    assert.is(same['logLoss'], (done['metrics'] as Record<string, number>)['logLoss']);

    const labels = labelsOf(a9aTest, (line) => String(Number(line.split(' ')[0])));
    const out = join(folder, 'predictions.txt');
    const predicted = await perpetuum(['predict', model, a9aTest, '--out', out]);
    assert.equal([predicted.code, predicted.out], [0, ''], predicted.err);
    const predictions = lines(readFileSync(out, 'utf8'));
    assert.is(predictions.length, labels.length);
    const right = predictions.filter((label, i) => label === labels[i]).length;
    assert.ok(Math.abs(right / labels.length - accuracy) < 1e-9, `${right} of ${labels.length}`);

    const shares = await perpetuum(['predict', model, a9aTest, '--probabilities']);
    const [head, ...rows] = lines(shares.out).map((line) => line.split('\t'));
    assert.equal(head, ['label', '-1', '1']);
    assert.is(rows.length, labels.length);
    let loss = 0;
    rows.forEach(([label, no, yes], i) => {
      assert.is(label, predictions[i]);
      assert.ok(Math.abs(Number(no) + Number(yes) - 1) < 1e-5, `row ${i} sums to 1`);
      loss -= Math.log(Number(labels[i] === '1' ? yes : no));
    });
    assert.ok(Math.abs(loss / rows.length / same['logLoss']! - 1) < 1e-4, 'log-loss of the shares');
  });
});

test('digits: train and predict a CSV file; predictions on standard output', async () => {
  await withFolder(async (folder) => {
    const model = join(folder, 'model');
    const words = ['--lambda', '1', '--out', model, '--json', '--quiet', '--consistency', 'bsp'];
    const done = lastEvent(await perpetuum(['train', 'mlr', digits, ...words]));
    checkDone(done);
    const { trainAccuracy } = done['metrics'] as { trainAccuracy: number };
    assert.ok(trainAccuracy > 0.95, `accuracy ${trainAccuracy}`);
    const { code, out, err } = await perpetuum(['predict', model, digits, '--quiet']);
    assert.is(code, 0, err);
    const labels = labelsOf(digits, (line) => line.split(',').at(-1));
    const right = lines(out).filter((label, i) => label === labels[i]).length;
    assert.is(lines(out).length, labels.length);
    assert.ok(Math.abs(right / labels.length - trainAccuracy) < 1e-9, `${right} right`);
    const { code: bad, err: words2 } = await perpetuum(['predict', model, digits, '--out', folder]);
    assert.is(bad, 2, words2);
  });
});

test('ratings: train and evaluate mf from the command line', async () => {
  await withFolder(async (folder) => {
    const rows = Array.from({ length: 3000 }, (_, k) => {
      const [u, i] = [k % 61, (k * 7) % 53];
      return `${u} ${i} ${(3 + Math.sin(u) * Math.cos(i)).toFixed(3)}\n`;
    });
    const [data, held, model] = ['train.txt', 'test.txt', 'm'].map((name) => join(folder, name));
    writeFileSync(data!, rows.slice(0, 2400).join(''));
    writeFileSync(held!, rows.slice(2400).join(''));
    const words = ['--test', held!, '--out', model!, '--rank', '4', '--json', '--passes', '40'];
    const done = lastEvent(await perpetuum(['train', 'mf', data!, ...words]));
    checkDone(done);
    const { rmse } = done['metrics'] as { rmse: number };
    assert.ok(rmse < 0.3, `rmse ${rmse}`);
    const again = lastEvent(await perpetuum(['evaluate', model!, held!, '--json']));
    const metrics = again['metrics'] as Record<string, number>;
    assert.ok(Math.abs(metrics['rmse']! / rmse - 1) < 1e-6, `${metrics['rmse']} and ${rmse}`);
    const { out } = await perpetuum(['predict', model!, held!]);
    assert.is(lines(out).length, 600);
  });
});

test('demo: topics of two centuries, printed, saved, and on a page', async () => {
  await withFolder(async (folder) => {
    const { code, out, err } = await perpetuum(['demo', '--out', 'm'], folder);
    assert.is(code, 0, err);
    assert.match(out, /share +1790 ─+ 2020 +words\n/);
    // Spoken of in the Cold War and since, and not before.
    assert.match(out, /▁▁▁.* (nuclear|soviet|children|americans) /);
    assert.match(out, /page: open topics.html in a browser/);
    assert.match(err, /What to try next:/);
    const tensors = readSafetensors(readFileSync(join(folder, 'm', 'weights.safetensors')));
    assert.equal(tensors.get('topic_totals')?.shape, [20]);
    const page = readFileSync(join(folder, 'topics.html'), 'utf8');
    assert.match(page, /<title>State of the Union<\/title>/);
  });
});

test('a program of one’s own, with a kernel of its own', async () => {
  await withFolder(async (folder) => {
    const model = join(folder, 'm');
    const words = ['--set', 'lambda=1e-3', '--out', model, '--json', '--audit'];
    const run = await perpetuum(['train', built('04-own-program.js'), a9a, ...words]);
    assert.is(run.code, 0, run.err);
    const done = lastEvent(run);
    checkDone(done);
    assert.ok(Number(done['objective']) < 0.36, `hinge loss ${String(done['objective'])}`);
    const tensors = readSafetensors(readFileSync(join(model, 'weights.safetensors')));
    assert.equal(tensors.get('w')?.shape, [1, 123]);
    const { code, err } = await perpetuum(['evaluate', model, a9a]);
    assert.is(code, 7, err);
    assert.match(err, /ERR_CHECKPOINT .*scores by itself/);
  });
});

test('one model hash from the command line and the library, for 1, 2 and 4 threads', async () => {
  for (const solver of ['batch', 'sgd']) {
    const words = ['--solver', solver, '--consistency', 'bsp', '--passes', '2', '--json'];
    const hashes = [lastEvent(await perpetuum(['train', 'mlr', digits, ...words]))['modelHash']];
    for (const threads of [1, 2, 4]) {
      const ask = { model: 'mlr', data: digits, passes: 2, options: { solver } } as const;
      hashes.push((await train({ ...ask, threads, consistency: 'bsp' })).modelHash);
    }
    assert.is(new Set(hashes).size, 1, `${solver}: ${hashes.join(' ')}`);
  }
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
  return 'no error';
}

test('train(): an AbortSignal rejects ERR_ABORTED before, while loading and while training', async () => {
  const options = { solver: 'sgd' };
  const ask = { model: 'mlr', data: a9a, passes: 1_000_000, options };
  assert.is(await codeOf(train({ ...ask, signal: AbortSignal.abort() })), 'ERR_ABORTED');
  for (const kind of ['load', 'progress']) {
    const controller = new AbortController();
    const { signal } = controller;
    const onEvent = (event: { kind: string }) => event.kind === kind && controller.abort();
    assert.is(await codeOf(train({ ...ask, signal, onEvent })), 'ERR_ABORTED', kind);
  }
});

test('train(): after an abort nothing keeps the process alive', async () => {
  await withFolder(async (folder) => {
    const script = join(folder, 'abort.mjs');
    const library = JSON.stringify(pathToFileURL(built('index.js')).href);
    writeFileSync(
      script,
      `import { train } from ${library};
      const controller = new AbortController();
      const onEvent = (event) => event.kind === 'progress' && controller.abort();
      const options = { solver: 'sgd' };
      const ask = { model: 'mlr', data: ${JSON.stringify(a9a)}, passes: 1e6, options };
      await train({ ...ask, signal: controller.signal, onEvent }).catch((e) => console.log(e.code));`,
    );
    const { code, out, err } = await startScript(script, []).ended;
    assert.equal([code, out, err], [0, 'ERR_ABORTED\n', '']);
  });
});

/** The longest time between two ticks of a 1 ms timer while `work` runs, and their number. */
async function ticksDuring(work: () => Promise<unknown>) {
  let [last, longestMs, ticks] = [performance.now(), 0, 0];
  const timer = setInterval(() => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    ticks++;
  }, 1);
  const beganMs = performance.now();
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return { longestMs, ticks, tookMs: performance.now() - beganMs };
}

test('Mlr.fit and Mf.fit let the event loop turn while they train', async () => {
  const X = Array.from({ length: 5000 }, (_, i) =>
    Float32Array.from({ length: 40 }, (_, j) => Math.sin(i * (j + 1))),
  );
  const y = X.map((row, i) => (row[0]! + 0.3 * Math.cos(i) > 0 ? 'a' : 'b'));
  const mlr = () => new Mlr({ lambda: 1e-5, tolerance: 1e-9, passes: 150 }).fit(X, y);
  const count = 60_000;
  const triples = {
    users: Int32Array.from({ length: count }, (_, k) => k % 1009),
    items: Int32Array.from({ length: count }, (_, k) => k % 487),
    ratings: Float32Array.from({ length: count }, (_, k) => 1 + (k % 5)),
  };
  const mf = () => new Mf({ rank: 16, passes: 100 }).fit(triples);
  for (const [name, work] of Object.entries({ mlr, mf })) {
    const { longestMs, ticks, tookMs } = await ticksDuring(work);
    assert.ok(longestMs < Math.max(400, 0.5 * tookMs), `${name}: ${longestMs} of ${tookMs} ms`);
    assert.ok(ticks > 20, `${name}: ${ticks} ticks in ${tookMs} ms`);
  }
});

test.run();
