// mlr against float64: the batch solver ends at the optimum that Newton's method finds, its gap
// bounds what is left, and the objective printed is the one of the weights returned.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Storage } from '../src/data/dataset.ts';
import { readSamples, withLoaders } from '../src/jobs/input.ts';
import { mlr } from '../src/models/mlr/model.ts';
import type { TrainOutcome } from '../src/models/model.ts';
import type { Policy } from '../src/ps/freshness.ts';
import type { Host } from '../src/supervisor/host.ts';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import {
  exampleData,
  hashOf,
  pairsOf,
  placeSamples,
  requestOf,
  sessionOf,
  tensorOf,
  trainOn,
  type PlainSamples,
} from './helpers/models.ts';
import { objective, optimum, type MlrProblem } from './oracle/mlr.ts';

type Shape = { storage: Storage; classes: number; columns: number; rows: number; seed: number };

/** Rows scattered around a centre per class, one label in ten wrong. */
function randomSamples({ storage, classes, columns, rows, seed }: Shape): PlainSamples {
  const prng = prngOf(seed);
  const centres = Array.from({ length: classes }, () =>
    Array.from({ length: columns }, () => prng.uniform()),
  );
  const targets = Array.from({ length: rows }, (_, i) => i % classes);
  const values = targets.map((k) =>
    centres[k]!.map((centre) => {
      const x = 0.4 * centre + 0.6 * prng.uniform();
      if (storage === 'u8') return Math.floor(256 * x);
      if (storage === 'csr' && prng.uniform() < 0.6) return 0;
      return Math.fround(2 * x - 1);
    }),
  );
  const noisy = targets.map((k) => (prng.uniform() < 0.1 ? prng.below(classes) : k));
  const scale = storage === 'u8' ? Math.fround(1 / 255) : 1;
  return { storage, values, targets: noisy, columns, classes, scale };
}

type Method = 'auto' | 'ascent' | 'descent';
type Ask = {
  lambda: number;
  intercept: boolean;
  method?: Method;
  passes?: number;
  tolerance?: number;
};

async function solve(host: Host, samples: PlainSamples, ask: Ask) {
  const { lambda, intercept, method = 'auto', passes = 5000, tolerance = 1e-6 } = ask;
  const mark = host.arena.mark();
  const data = placeSamples(host.arena, samples);
  const request = requestOf('mlr', data, { lambda, intercept, method }, { passes, tolerance });
  const outcome = await mlr.train(sessionOf(host), request);
  const weights = [...tensorOf(host, outcome, 'weights'), ...tensorOf(host, outcome, 'intercept')];
  host.arena.release(mark);
  return { outcome, weights };
}

function problemOf(samples: PlainSamples, { lambda, intercept }: Ask): MlrProblem {
  const { targets, columns, classes } = samples;
  return { rows: pairsOf(samples), targets, columns, classes, intercept, lambda };
}

/** What must hold of any end of the batch solver, converged or not. */
function checkCertificate(
  problem: MlrProblem,
  { outcome, weights }: { outcome: TrainOutcome; weights: readonly number[] },
  least: number,
  label: string,
) {
  const at = objective(problem, weights);
  const gap = outcome.gap ?? NaN;
  const off = Math.abs(outcome.objective - at) / at;
  assert.ok(off <= 1e-9, `${label}: printed ${outcome.objective}, is ${at}`);
  assert.ok(outcome.objective >= least * (1 - 1e-9), `${label}: below the optimum ${least}`);
  const bound = outcome.objective * (1 - gap);
  assert.ok(bound <= least * (1 + 1e-9), `${label}: gap ${gap}, ${outcome.objective} vs ${least}`);
}

for (const storage of ['u8', 'f32', 'csr'] as const) {
  for (const intercept of [true, false]) {
    test(`batch: the optimum of Newton's method (${storage}, intercept ${intercept})`, async () => {
      await withHost(2, async (host) => {
        let seed = 0;
        for (const [classes, method] of [
          [2, 'ascent'],
          [3, 'ascent'],
          [7, 'ascent'],
          [2, 'descent'],
          [3, 'descent'],
          [7, 'descent'],
        ] as const) {
          for (const lambda of [1e-1, 1e-2, 1e-3, 1e-4]) {
            const columns = 3 + (seed % 4);
            const shape = { storage, classes, columns, rows: 20 * classes + 3, seed: ++seed };
            const samples = randomSamples(shape);
            const ask = { lambda, intercept, method };
            const problem = problemOf(samples, ask);
            const solved = await solve(host, samples, ask);
            const { value } = optimum(problem);
            const label = `${method} K=${classes} lambda=${lambda}`;
            checkCertificate(problem, solved, value, label);
            assert.ok(solved.outcome.converged, `${label}: gap ${solved.outcome.gap}`);
            const above = solved.outcome.objective / value - 1;
            assert.ok(above <= 2e-6, `${label}: ${above} above the optimum`);
          }
        }
      });
    });
  }
}

/** The optimum on a9a at lambda 1e-4, with intercepts, by an independent L-BFGS in float64. */
const a9aOptimum = 0.3236810371655528;

test('batch on a9a: a valid gap at tolerance 1e-4 and 1e-6', async () => {
  for (const [tolerance, above, method] of [
    [1e-4, 1e-4, 'ascent'],
    [1e-6, 2e-6, 'ascent'],
    [1e-4, 1e-4, 'descent'],
    [1e-6, 2e-6, 'descent'],
  ] as const) {
    const data = exampleData('a9a.gz');
    const done = await trainOn('mlr', { data, tolerance, options: { lambda: 1e-4, method } });
    const { objective, gap, converged } = done;
    assert.ok(converged && gap !== null && gap <= tolerance, `gap ${gap}`);
    assert.ok(Math.abs(objective / a9aOptimum - 1) <= above, `objective ${objective}`);
    assert.ok(objective * (1 - gap) <= a9aOptimum * (1 + 1e-9), `gap ${gap} at ${objective}`);
    assert.ok(objective >= a9aOptimum * (1 - 1e-9), `below the optimum: ${objective}`);
  }
});

test('batch on raw pixels with little penalty: more passes do not lead away', async () => {
  const data = exampleData('digits.csv.gz');
  const up = { data, passes: 600, options: { lambda: 1e-4, method: 'ascent' } };
  const { objective, gap } = await trainOn('mlr', up);
  assert.ok(gap !== null && gap < 0.05, `objective ${objective}, gap ${gap}`);
  const down = await trainOn('mlr', { data, options: { lambda: 1e-4 } });
  assert.ok(down.converged, `auto descends: gap ${down.gap}`);
});

test('sgd on a9a: within 3 % of the optimum after 10 passes, whatever the consistency', async () => {
  await withHost(2, async (host) => {
    const hooks = { signal: new AbortController().signal, onEvent: () => undefined };
    const input = { format: undefined, label: 'last', delimiter: undefined, header: undefined };
    const data = await withLoaders(host, (pool) =>
      readSamples({ host, pool, hooks, input }, [exampleData('a9a.gz')]),
    );
    const loaded = host.arena.mark();
    for (const [consistency, staleness] of [
      ['bsp', 0],
      ['essp', 1],
      ['essp', 2],
      ['essp', 3],
      ['ssp', 2],
      ['async', 0],
    ] as const) {
      const policy = { consistency, staleness };
      const options = { lambda: 1e-4, solver: 'sgd' };
      const request = requestOf('mlr', data, options, { policy, passes: 10 });
      const { objective, ...outcome } = await mlr.train(sessionOf(host), request);
      host.arena.release(loaded);
      const label = `${consistency} s=${staleness}: ${objective}`;
      assert.ok(objective <= a9aOptimum * 1.03, label);
      assert.ok(objective >= a9aOptimum * (1 - 1e-9), label);
      assert.is(outcome.gap, null, 'sgd has no certificate');
      assert.equal([outcome.passes, outcome.policy], [10, policy], label);
    }
  });
});

/** The hash of what a model trained on `samples` weighs, by a new host of its own. */
function hashWith(threads: number, samples: PlainSamples, ask: HashAsk): Promise<string> {
  const { solver, method = 'auto', seed = 1, consistency = 'bsp' } = ask;
  const policy = { consistency, staleness: consistency === 'bsp' ? 0 : 2 };
  return withHost(threads, async (host) => {
    const data = placeSamples(host.arena, samples);
    const options = { solver, method, lambda: 1e-3, 'batch-size': 32 };
    const request = requestOf('mlr', data, options, { policy, seed, passes: 3 });
    return hashOf(host, await mlr.train(sessionOf(host), request));
  });
}
type HashAsk = {
  solver: 'batch' | 'sgd';
  method?: Method;
  seed?: number;
  consistency?: Policy['consistency'];
};

for (const [solver, method] of [
  ['batch', 'ascent'],
  ['batch', 'descent'],
  ['sgd', 'auto'],
] as const) {
  for (const storage of ['u8', 'f32', 'csr'] as const) {
    test(`${solver} ${method}: the same bits for 1, 2 and 4 threads (${storage})`, async () => {
      const samples = randomSamples({ storage, classes: 3, columns: 21, rows: 700, seed: 5 });
      const hashes = [];
      for (const threads of [1, 2, 2, 4]) {
        hashes.push(await hashWith(threads, samples, { solver, method }));
      }
      assert.is(new Set(hashes).size, 1, hashes.join(' '));
      const other = await hashWith(2, samples, { solver, method, seed: 2 });
      // A descent draws no random numbers.
      assert.is(other === hashes[0], method === 'descent');
    });
  }
}

test('batch: the same bits in every consistency mode', async () => {
  const samples = randomSamples({ storage: 'csr', classes: 4, columns: 12, rows: 300, seed: 8 });
  const hashes = [];
  for (const consistency of ['bsp', 'ssp', 'essp', 'async'] as const) {
    for (const threads of [1, 3]) {
      hashes.push(await hashWith(threads, samples, { solver: 'batch', consistency }));
    }
  }
  assert.is(new Set(hashes).size, 1, hashes.join(' '));
});

/** Trains until tolerance 1e-6 and checks the certificate against the oracle. */
async function reaches(samples: PlainSamples, ask: Ask, label: string): Promise<TrainOutcome> {
  return withHost(2, async (host) => {
    const solved = await solve(host, samples, ask);
    const problem = problemOf(samples, ask);
    checkCertificate(problem, solved, optimum(problem).value, label);
    assert.ok(solved.outcome.converged, `${label}: gap ${solved.outcome.gap}`);
    assert.ok(solved.weights.every(Number.isFinite), `${label}: ${solved.weights.join(' ')}`);
    return solved.outcome;
  });
}

const plain = (
  values: number[][],
  targets: readonly number[],
  more: Partial<PlainSamples> = {},
) => ({
  ...{ storage: 'f32' as const, values, targets, columns: values[0]!.length, scale: 1 },
  ...{ classes: Math.max(...targets) + 1, ...more },
});

test('batch: columns of one value and of zeros', async () => {
  const { values, targets } = randomSamples({
    ...{ storage: 'f32', classes: 3, columns: 3, rows: 60, seed: 3 },
  });
  for (const storage of ['f32', 'csr'] as const) {
    const wider = values.map(([a = 0, b = 0, c = 0]) => [a, 0, b, 3, c]);
    for (const intercept of [true, false]) {
      const label = `${storage} ${intercept}`;
      await reaches(plain(wider, targets, { storage }), { lambda: 1e-2, intercept }, label);
    }
    // Nothing to learn from: the optimum is the shares of the classes.
    const nothing = plain(
      values.map(() => [0, 0]),
      targets,
      { storage },
    );
    await reaches(nothing, { lambda: 1e-2, intercept: true }, `${storage}: only zeros`);
  }
});

test('batch: every row twice or more has the optimum of one each', async () => {
  const samples = randomSamples({ storage: 'f32', classes: 3, columns: 4, rows: 40, seed: 21 });
  const many = plain(
    [...samples.values, ...samples.values, ...samples.values].map((row) => [...row]),
    [...samples.targets, ...samples.targets, ...samples.targets],
  );
  const ask = { lambda: 1e-2, intercept: true };
  const once = await reaches(samples, ask, 'once');
  const thrice = await reaches(many, ask, 'three times');
  assert.ok(Math.abs(once.objective / thrice.objective - 1) <= 2e-6);
});

test('batch: two rows of two classes', async () => {
  for (const intercept of [true, false]) {
    const rows = [
      [1, -2],
      [3, 0.5],
    ];
    const ask = { lambda: 1e-2, intercept, tolerance: 1e-5 };
    await reaches(plain(rows, [0, 1]), ask, `intercept ${intercept}`);
  }
});

test('batch: columns of a million end at a finite, certified place', async () => {
  const { values, targets } = randomSamples({
    ...{ storage: 'f32', classes: 2, columns: 3, rows: 100, seed: 13 },
  });
  const huge = plain(
    values.map(([a = 0, b = 0, c = 0]) => [a, Math.fround(1e6 * b), c]),
    targets,
  );
  const ask = { lambda: 1e-2, intercept: true, passes: 50 };
  await withHost(2, async (host) => {
    const solved = await solve(host, huge, ask);
    const problem = problemOf(huge, ask);
    checkCertificate(problem, solved, optimum(problem).value, 'huge');
  });
});

/** A file in a folder that is gone after the test. */
async function withFile<T>(text: string, body: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'perpetuum-mlr-'));
  try {
    const path = join(folder, 'data.csv');
    writeFileSync(path, text);
    return await body(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function failure(training: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await training;
  } catch (error) {
    return error as { code: string; message: string };
  }
  return assert.unreachable('it should have failed') as never;
}

test('what mlr refuses: one class, no penalty with batch, too many classes with batch', async () => {
  const lines = (count: number, classOf: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => `${i % 7},${i % 11},${classOf(i)}\n`).join('');
  await withFile(
    lines(20, () => 'cat'),
    async (data) => {
      const { code, message } = await failure(trainOn('mlr', { data }));
      assert.is(code, 'ERR_DATA');
      assert.match(message, /at least 2 classes.*only "cat"/);
    },
  );
  await withFile(
    lines(20, (i) => `c${i % 2}`),
    async (data) => {
      const { code, message } = await failure(trainOn('mlr', { data, options: { lambda: 0 } }));
      assert.is(code, 'ERR_CONFIG');
      assert.match(message, /--lambda > 0, got 0: use --solver sgd/);
      const options = { lambda: 0, solver: 'sgd' };
      assert.ok((await trainOn('mlr', { data, options })).objective > 0, 'sgd needs no penalty');
    },
  );
  await withFile(
    lines(1100, (i) => `c${i % 513}`),
    async (data) => {
      const { code, message } = await failure(trainOn('mlr', { data }));
      assert.is(code, 'ERR_CONFIG');
      assert.match(message, /at most 512 classes, the data has 513: use --solver sgd/);
    },
  );
});

test('labels that training did not have are wrong, and count for no loss', async () => {
  await withFile('0,0,a\n0,1,a\n9,0,b\n9,1,b\n', (data) =>
    withFile('0,0,a\n9,1,b\n9,0,zebra\n0,1,a\n', async (test) => {
      const warnings: string[] = [];
      const { metrics } = await trainOn('mlr', {
        ...{ data, test, options: { lambda: 1e-3 } },
        onEvent: (event) => event.kind === 'warning' && warnings.push(event.text),
      });
      assert.is(metrics['accuracy'], 0.75);
      assert.match(warnings.join(), /zebra/);
      const of = async (text: string) =>
        withFile(
          text,
          async (test) => (await trainOn('mlr', { data, test, options: { lambda: 1e-3 } })).metrics,
        );
      const known = await of('0,0,a\n9,1,b\n0,1,a\n');
      assert.is(known['accuracy'], 1);
      const none = await of('0,0,zebra\n');
      assert.equal([none['accuracy'], 'logLoss' in none], [0, false], 'no row has a loss');
      const ratio = metrics['logLoss']! / known['logLoss']!;
      assert.ok(Math.abs(ratio - 1) < 1e-12, `mean loss of the known rows: ${ratio}`);
    }),
  );
});

test.run();
