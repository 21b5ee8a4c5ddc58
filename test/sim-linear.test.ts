// lasso, elastic net and logistic regression on 1, 2 and 4 simulated hosts: partial sums that come
// late, get lost and are sent again change no bit of the model; the number of hosts may, for each
// sums its own second moments first, and then objectives agree within what their gaps certify.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemError } from '../src/base/errors.ts';
import type { ModelOptions } from '../src/jobs/job.ts';
import { noFaults, perfectLink, type FaultPlan } from '../src/sim/faults.ts';
import { prngOf } from './helpers/lab.ts';
import { a9aJob, trainSimulated } from './helpers/simulate.ts';

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-linear-'));
test.after(() => rmSync(folder, { recursive: true }));

const columns = 60;

/** Rows of a planted linear model of three columns; sparse ones have a few of the columns. */
function textOf(rows: number, label: (score: number) => string, isSparse: boolean): string {
  const prng = prngOf(rows);
  const line = () => {
    const values = Array.from({ length: columns }, () =>
      isSparse && prng.below(5) > 0 ? 0 : Number((2 * prng.uniform() - 1).toFixed(3)),
    );
    const score = 3 * (values[0] ?? 0) - 2 * (values[7] ?? 0) + (values[40] ?? 0);
    const said = label(score + 0.2 * prng.uniform());
    if (!isSparse) return `${values.join(',')},${said}\n`;
    const entries = values.flatMap((value, j) => (value === 0 ? [] : [`${j + 1}:${value}`]));
    return `${said} ${entries.join(' ')}\n`;
  };
  return Array.from({ length: rows }, line).join('');
}

function put(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const number = (score: number) => score.toFixed(4);
const sign = (score: number) => (score > 0.1 ? '1' : '-1');
const data = {
  numbers: put('numbers.csv', textOf(300, number, false)),
  sparse: put('numbers.svm', textOf(301, number, true)),
  classes: put('classes.csv', textOf(250, sign, false)),
  sparseClasses: put('classes.svm', textOf(251, sign, true)),
};

const link = { ...perfectLink, latencyMs: 1, jitterMs: 3, loss: 0.02 };
const channel = { lost: 0.2, twice: 0.2, overtaking: 0.2, stale: true };
const cut = { from: 1, to: 0, fromMs: 10, untilMs: 700 };
const troubles: readonly (readonly [string, FaultPlan])[] = [
  [
    'late',
    { ...noFaults, link, slowdowns: [{ rank: 1, fromMs: 0, untilMs: Infinity, factor: 20 }] },
  ],
  ['lost', { ...noFaults, link, channel }],
  ['cut off for a while', { ...noFaults, link, cuts: [cut, { ...cut, from: 0, to: 1 }] }],
];

const cases: readonly (readonly [string, string, string, ModelOptions])[] = [
  ['lasso', 'dense', data.numbers, { lambda: 0.02 }],
  ['lasso', 'sparse, a path', data.sparse, { path: 8 }],
  ['elastic-net', 'dense, standardized', data.numbers, { lambda: 0.05, standardize: true }],
  ['logistic', 'dense, L2', data.classes, { lambda: 0.01 }],
  ['logistic', 'sparse, L1', data.sparseClasses, { lambda: 0.01, 'l1-ratio': 1 }],
];

for (const [model, what, path, options] of cases) {
  test(`${model} on simulated hosts: late and lost partials change nothing (${what})`, async () => {
    const job = a9aJob({ model, data: [path], options, passes: undefined });
    const alone = await trainSimulated(job, [2], noFaults);
    assert.is(alone.done.converged, true, `gap ${alone.done.gap}`);
    for (const threads of [
      [1, 1],
      [1, 1, 1, 1],
    ]) {
      const quiet = await trainSimulated(job, threads, noFaults);
      const { objective, gap, modelHash } = quiet.done;
      const apart = Math.abs(objective - alone.done.objective);
      // Both are that far above the same optimum at most; and a sum in another order.
      const most = Math.max(gap ?? 0, alone.done.gap ?? 0) + 1e-12 * objective;
      assert.is(quiet.done.converged, true, `gap ${gap}`);
      assert.ok(apart <= most, `${threads.length} hosts: ${apart} of ${most}`);
      const quickMs = quiet.runs.reduce((sum, { seconds }) => sum + 1000 * seconds, 0);
      for (const [name, faults] of troubles) {
        const { done, runs } = await trainSimulated(job, threads, faults);
        const where = `${name}, ${threads.length} hosts`;
        assert.is(done.objective, objective, where);
        assert.is(done.modelHash, modelHash, where);
        assert.is(done.gap, gap, where);
        const ms = runs.reduce((sum, { seconds }) => sum + 1000 * seconds, 0);
        assert.ok(ms > quickMs, `${where}: ${ms} ms of ${quickMs}`);
      }
    }
  });
}

test('lasso on simulated hosts: a host that is cut off for good ends it, and says at what', async () => {
  const gone = { ...cut, untilMs: Infinity };
  const faults = { ...noFaults, link, cuts: [gone, { ...gone, from: 0, to: 1 }] };
  const job = a9aJob({ model: 'lasso', data: [data.numbers], options: { lambda: 0.02 } });
  const error: unknown = await trainSimulated(job, [1, 1], faults).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SystemError);
  assert.is(error.code, 'ERR_PEER_LOST');
  assert.match(
    error.message,
    /rank \d is lost: .*; waited for .* at clock|of clock \d+ from rank 0/,
  );
});

test.run();
