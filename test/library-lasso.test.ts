// Lasso and ElasticNet on arrays, dense and sparse: the same answers, checks, and files.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ElasticNet, Lasso, train } from '../src/index.ts';
import { runJob } from '../src/jobs/run-job.ts';
import { withDefaults } from '../src/library/estimator.ts';
import { lasso } from '../src/models/lasso/model.ts';
import { close } from './helpers/lab.ts';
import { problemOf, randomRegression } from './helpers/lasso.ts';
import { lassoObjective, solveLasso } from './oracle/lasso.ts';

const data = randomRegression({ storage: 'csr', rows: 80, columns: 20, seed: 31 });
const X = data.values;
const sparse = {
  columns: 20,
  rowStart: X.reduce<number[]>(
    (all, row) => [...all, all.at(-1) + row.filter(Boolean).length],
    [0],
  ),
  index: X.flatMap((row) => row.flatMap((x, j) => (x === 0 ? [] : [j]))),
  value: X.flatMap((row) => row.filter(Boolean)),
};
const options = { tolerance: 1e-10, threads: 2 };

async function rejected(body: () => Promise<unknown>): Promise<string> {
  try {
    await body();
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
  return 'nothing';
}

test('Lasso: dense and sparse arrays have one solution; predictions are those of the oracle', async () => {
  const dense = await new Lasso({ ...options, lambda: 0.05 }).fit(X, data.y);
  const other = await new Lasso({ ...options, lambda: 0.05 }).fit(sparse, data.y);
  const problem = problemOf(data, { lambda: 0.05 });
  const best = solveLasso(problem);
  close(dense.summary.objective, lassoObjective(problem, best), 1e-8, 'objective');
  best.beta.forEach((beta, j) => {
    close(dense.coefficients[j]!, beta, 1e-4, `β ${j}`);
    close(other.coefficients[j]!, dense.coefficients[j]!, 1e-5, `sparse β ${j}`);
  });
  const scores = await other.predict(sparse);
  const again = await dense.predict(X);
  scores.forEach((score, i) => {
    const want = X[i]!.reduce((sum, x, j) => sum + x * best.beta[j]!, best.intercept);
    close(score, want, 1e-3, `row ${i}`);
    close(again[i]!, score, 1e-4, `row ${i}`);
  });
});

test('ElasticNet: a path, and folds that choose from it', async () => {
  const model = await new ElasticNet({ ...options, l1Ratio: 0.3, path: 5 }).fit(X, data.y);
  assert.is(model.path.length, 5);
  assert.is(model.lambda, model.path[4]!.lambda);
  assert.is(model.path[0]!.error, undefined);
  const chosen = await new ElasticNet({ ...options, folds: 3, path: 5 }).fit(sparse, data.y);
  const errors = chosen.path.map(({ error }) => error!);
  assert.is(chosen.lambda, chosen.path[errors.indexOf(Math.min(...errors))]!.lambda);
});

test('Lasso: what cannot be is refused by name', async () => {
  const plain = new Lasso(options);
  for (const [body, words] of [
    [() => plain.fit([], []), 'ERR_CONFIG X must have rows'],
    [() => plain.fit([[1], [2, 3]], [1, 2]), 'ERR_CONFIG row 1 of X'],
    [() => plain.fit([[1], [NaN]], [1, 2]), 'ERR_CONFIG X[1][0]'],
    [() => plain.fit([[1], [2]], [1]), 'ERR_CONFIG y must have 2'],
    [() => plain.fit([[1], [2]], [1, Infinity]), 'ERR_CONFIG y[1]'],
    [() => plain.fit({ ...sparse, rowStart: [1, 2] }, [1]), 'ERR_CONFIG rowStart[0]'],
    [() => plain.fit({ ...sparse, columns: 3 }, data.y), 'ERR_CONFIG index['],
    [() => plain.fit({ ...sparse, value: [] }, data.y), 'ERR_CONFIG index and value'],
    [() => new Lasso({ ...options, folds: 1 }).fit(X, data.y), 'ERR_CONFIG --folds'],
  ] as const) {
    const found = await rejected(body);
    assert.ok(found.startsWith(words), `${words}: ${found}`);
  }
  const model = await plain.fit(X, data.y);
  assert.ok((await rejected(async () => model.predict([[1]]))).startsWith('ERR_CONFIG X must'));
});

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-library-lasso-'));
test.after(() => rmSync(folder, { recursive: true }));

test('lasso: trained from a file, saved, evaluated and used', async () => {
  const path = join(folder, 'data.csv');
  writeFileSync(path, X.map((row, i) => [data.y[i], ...row].join(',') + '\n').join(''));
  const out = join(folder, 'model');
  const input = { format: undefined, label: '0', delimiter: undefined, header: undefined };
  const hooks = { signal: new AbortController().signal, onEvent: () => undefined };
  const job = { command: 'train', model: 'lasso', data: [path], test: [path], out } as const;
  const rest = { threads: 2, consistency: 'bsp', staleness: 0, partitions: undefined } as const;
  const done = await runJob(
    {
      ...{ ...job, ...rest, passes: undefined, tolerance: 1e-8, seed: 1, audit: false },
      ...{
        pushTimeoutMs: 20_000,
        input,
        options: withDefaults(lasso.options, { 'lambda-ratio': 0.05 }),
      },
    },
    hooks,
  );
  assert.is(done.command, 'train');
  const metrics = done.command === 'train' ? done.result.metrics : {};
  assert.ok(metrics['r2']! > 0.5);
  close(metrics['rmse']!, metrics['trainRmse']!, 1e-12, 'the test set is the training set');
  const common = { modelDirectory: out, data: [path], threads: 1, input };
  const scored = await runJob({ command: 'evaluate', ...common }, hooks);
  if (scored.command === 'evaluate')
    close(scored.metrics['rmse']!, metrics['rmse']!, 1e-12, 'rmse');
  const to = join(folder, 'scores');
  await runJob({ command: 'predict', ...common, out: to, probabilities: false }, hooks);
  const scores = readFileSync(to, 'utf8').trim().split('\n').map(Number);
  const squares = scores.map((score, i) => (score - data.y[i]!) ** 2);
  const rmse = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / 80);
  close(rmse, metrics['rmse']!, 1e-6, 'predictions');
  assert.type(train, 'function');
});

test.run();
