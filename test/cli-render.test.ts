// What a run looks like: on a terminal, on a pipe, as JSON, and how errors read.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesText, metricText, numberText, shellText, valuesText } from '../src/cli/format.ts';
import {
  checkHugePages,
  checkNode,
  doctorText,
  isReady,
  runChecks,
} from '../src/cli/commands/doctor.ts';
import { failureText, Renderer } from '../src/cli/render.ts';
import { resultText } from '../src/cli/result.ts';
import { parse, type View } from '../src/cli/arguments/parse.ts';
import type { Job, TrainDone } from '../src/jobs/job.ts';
import { fakeModels } from './helpers/fake-models.ts';

const plain: View = { json: false, quiet: false, verbose: false, noColor: false };

/** A renderer over strings and a clock that the test moves. */
function screen(view: Partial<View> = {}, has: { terminal?: boolean; color?: boolean } = {}) {
  const now = { ms: 0, out: '', err: '' };
  const { terminal = false, color = false } = has;
  const renderer = new Renderer(
    {
      ...{ terminal, color, columns: () => 40, nowMs: () => now.ms },
      out: (text) => (now.out += text),
      err: (text) => (now.err += text),
    },
    { ...plain, ...view },
  );
  const clock = (n: number) =>
    renderer.show({ kind: 'progress', clock: n, values: { pass: n, passes: 9 } });
  return { renderer, now, clock };
}

function trainJob(line: string): Job {
  const request = parse(line.split(' '), fakeModels);
  if (request.kind !== 'job') throw new Error('not a job');
  return request.job;
}

const result: TrainDone = {
  ...{ model: 'mlr', objective: 0.324512345, metrics: { testAccuracy: 0.84931, testLoss: 0.33 } },
  ...{ converged: true, gap: 9e-4, tolerance: 1e-3, clocks: 80, passes: 10, threads: 2, hosts: 1 },
  ...{
    consistency: 'essp',
    staleness: 1,
    seed: 1,
    bytesSent: 0,
    links: [],
    memoryBytesMax: 123456789,
  },
  ...{ seconds: { load: 0.25, train: 12.5, total: 12.75 }, stalenessHistogram: [3, 1] },
  ...{ modelHash: '0123456789abcdef', eventLoopLagP99Ms: 1, out: 'my model' },
};

test('json: phases of schedules are lines of their own, and shown nowhere else', () => {
  const phase = {
    ...{ clock: 7, phase: 6, size: 2, picked: [4, 1], priorities: [0.5, 0.25], skipped: 3 },
    rejected: [{ variable: 2, because: 4, correlation: -0.4, where: 'phase' as const }],
    turnedDown: 1,
  };
  const json = screen({ json: true });
  json.renderer.show({ kind: 'schedule', ...phase });
  assert.equal(JSON.parse(json.now.out), { event: 'schedule', ...phase });
  const text = screen();
  text.renderer.show({ kind: 'schedule', ...phase });
  text.renderer.tick();
  assert.is(text.now.out + text.now.err, '');
});

test('pipe: at most one line a second, and the last', () => {
  const { renderer, now, clock } = screen();
  for (let n = 1; n <= 5; n++) {
    clock(n);
    now.ms += 300;
  }
  renderer.tick();
  clock(6);
  renderer.result({ command: 'predict', rows: 1, out: null }, trainJob('predict m a'));
  assert.equal(now.err.split('\n'), [
    'clock 1, pass 1 of 9, 0.00 s',
    'clock 5, pass 5 of 9, 1.20 s',
    'clock 6, pass 6 of 9, 1.50 s',
    '',
  ]);
});

test('terminal: one line rewritten without escape codes, cut to the width', () => {
  const { renderer, now, clock } = screen({}, { terminal: true });
  clock(1);
  now.ms = 50;
  clock(2);
  now.ms = 100;
  clock(1_000_000);
  assert.is(now.err, `\rclock 1, pass 1 of 9, 0.00 s\rclock 1000000, pass 1000000 of 9, 0.10 `);
  now.err = '';
  renderer.show({ kind: 'log', thread: 1, line: 'hi' });
  assert.is(now.err, `\r${' '.repeat(39)}\r[worker 1] hi\n`);
});

test('quiet: no progress, no facts; warnings stay', () => {
  const { renderer, now, clock } = screen({ quiet: true }, { terminal: true });
  clock(1);
  renderer.tick();
  renderer.show({ kind: 'facts', text: '10 rows' });
  renderer.show({ kind: 'warning', text: 'careful' });
  assert.is(now.err, 'perpetuum: warning: careful\n');
});

test('json: clock lines and one done line, nothing else on stdout', () => {
  const { renderer, now, clock } = screen({ json: true });
  renderer.show({ kind: 'facts', text: '10 rows' });
  clock(1);
  renderer.result({ command: 'train', result }, trainJob('train mlr a'));
  const lines = now.out.trimEnd().split('\n');
  assert.equal(
    lines.map((line) => JSON.parse(line) as object),
    [
      { event: 'clock', clock: 1, pass: 1, passes: 9 },
      { event: 'done', ...result },
    ],
  );
});

test('json: an error is an event, too', () => {
  const { renderer, now } = screen({ json: true });
  renderer.failure({ code: 'ERR_DATA', message: 'a:1:1: bad' }, 3);
  assert.is(now.err, 'perpetuum: ERR_DATA a:1:1: bad\n');
  const event = { event: 'error', code: 'ERR_DATA', message: 'a:1:1: bad', exitCode: 3 };
  assert.equal(JSON.parse(now.out), event);
});

test('errors: hint on a line of its own; stack with --verbose and for bugs alone', () => {
  const stack = 'Error: no\n    at there (file.js:1:2)';
  const text = (code: 'ERR_DATA' | 'ERR_INTERNAL', verbose: boolean) =>
    failureText({ code, message: 'no\ntry this', stack }, { verbose, color: false });
  assert.is(text('ERR_DATA', false), 'perpetuum: ERR_DATA no\n  try this\n');
  const full = 'no\n  try this\n    at there (file.js:1:2)\n';
  assert.is(text('ERR_DATA', true), `perpetuum: ERR_DATA ${full}`);
  assert.is(text('ERR_INTERNAL', false), `perpetuum: ERR_INTERNAL ${full}`);
});

test('colours: only when the screen has them', () => {
  const fault = { code: 'ERR_DATA', message: 'no' } as const;
  assert.ok(failureText(fault, { verbose: false, color: true }).includes('\x1b['));
  for (const color of [true, false]) {
    const { renderer, now } = screen({}, { terminal: true, color });
    renderer.show({ kind: 'warning', text: 'careful' });
    assert.is(now.err.includes('\x1b['), color);
  }
});

test('result of train: readable, with the next command', () => {
  const job = trainJob('train mlr a --test t.csv --format csv --no-header --delimiter tab');
  assert.equal(resultText({ command: 'train', result }, job).split('\n'), [
    'mlr on 2 threads, essp, staleness 1, seed 1',
    '  objective     0.324512',
    '  testAccuracy  84.93 %',
    '  testLoss      0.33',
    '  converged     yes: gap 0.0009 <= tolerance 0.001',
    '  time          12.8 s (load 0.25 s, train 12.5 s)',
    '  clocks        80 (10 passes)',
    '  staleness     0: 75.00 %, 1: 25.00 % of reads',
    '  memory        123.5 MB',
    '  model hash    0123456789ab',
    '  saved in      my model',
    '',
    "next: perpetuum evaluate 'my model' t.csv --format csv --delimiter tab --no-header",
    '',
  ]);
});

test('result of train: a relative tolerance says of what; a path shows what was chosen', () => {
  const values = Array.from({ length: 50 }, (_, i) => ({
    ...{ lambda: 100 - i, objective: 7 + i, gap: 0.5, nonzeros: i },
    ...{ error: 2.25, standardError: 0.125 },
  }));
  const read = (changes: Partial<TrainDone>) =>
    resultText({ command: 'train', result: { ...result, ...changes } }, trainJob('train mlr a'));
  assert.match(
    read({ gapScale: 12.5 }),
    'converged     yes: gap 0.0009 <= tolerance 0.001 × 12.5\n',
  );
  assert.match(read({ passes: 50.2105263 }), '80 (50.2105 passes)');
  const long = read({ path: { values, chosen: 31 } });
  const head = 'path of 50 values, 19 of them here; * is the model';
  assert.match(long, `\n${head}\n     lambda  objective  gap  nonzeros  mean squared error`);
  const row = '69         38  0.5        31                2.25           0.125\n';
  assert.match(long, `\n  *      ${row}`);
  assert.match(long, `\n         51         56  0.5        49 `);
  assert.not.match(read({ path: { values: values.slice(0, 2), chosen: 1 } }), 'of them here');
});

test('result of train: not converged names the remedy; nothing saved says how', () => {
  const none = { converged: false, stalenessHistogram: [], out: null } as const;
  const read = (changes: Partial<TrainDone>) =>
    resultText(
      { command: 'train', result: { ...result, ...none, ...changes } },
      trainJob('train mlr a'),
    );
  const remedy = 'more --passes or a larger --tolerance';
  assert.ok(read({}).includes(`no, after 10 passes: gap 0.0009 > tolerance 0.001; ${remedy}\n`));
  assert.ok(read({ gap: null }).includes('no, after 10 passes: give it more --passes\n'));
  assert.ok(read({}).includes('nowhere: --out DIR saves the model'));
  assert.not(read({}).includes('staleness   '));
  const rare = read({ stalenessHistogram: [4, 1, 1, 1, 1, 1, 1] });
  assert.ok(rare.includes('4: 10.00 %, 5 and more: 20.00 % of reads'), rare);
});

test('numbers as people read them', () => {
  assert.equal([numberText(1 / 3), numberText(1e-9), numberText(NaN)], ['0.333333', '1e-9', 'NaN']);
  assert.equal([bytesText(0), bytesText(999), bytesText(1.25e9)], ['0 B', '999 B', '1.3 GB']);
  assert.is(metricText('accuracy', 0.5), '50.00 %');
  assert.is(metricText('rmse', 0.5), '0.5');
  assert.is(valuesText({ pass: 2, passes: 4, objective: 0.25 }), 'pass 2 of 4, objective 0.25');
  assert.is(shellText("it's"), `'it'\\''s'`);
});

test('doctor: verdict and advice', () => {
  assert.is(checkNode('20.18.3').state, 'bad');
  assert.is(checkNode('20.19.0').state, 'ok');
  assert.is(checkNode('22.1.0').state, 'ok');
  assert.is(checkHugePages('[always] madvise never').state, 'ok');
  assert.is(checkHugePages('always [madvise] never').state, 'advice');
  assert.is(checkHugePages(undefined).state, 'ok');
  assert.not(isReady([checkNode('18.0.0')]));
  const checks = runChecks();
  assert.ok(isReady(checks), doctorText(checks));
  for (const word of ['cores', 'memory', 'SIMD', 'relaxed SIMD', 'shared memory', 'free disk']) {
    assert.ok(doctorText(checks).includes(word), word);
  }
});

test.run();
