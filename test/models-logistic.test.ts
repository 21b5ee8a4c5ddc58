// logistic against float64: it ends at the optimum that coordinate-wise Newton's method finds, its
// gap bounds what is left, and the same numbers come out of any number of threads.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Logistic } from '../src/library/logistic.ts';
import { logistic } from '../src/models/logistic/model.ts';
import { areaUnderCurve } from '../src/models/logistic/auc.ts';
import type { PathPoint } from '../src/jobs/job.ts';
import { withHost } from './helpers/hosts.ts';
import { close } from './helpers/lab.ts';
import {
  exampleData,
  placeSamples,
  requestOf,
  sessionOf,
  trainOn,
  type PlainSamples,
} from './helpers/models.ts';
import { checkCertificate, problemOf, randomSamples, solve } from './helpers/logistic.ts';
import { gapOf, objective, optimum } from './oracle/logistic.ts';

for (const storage of ['u8', 'f32', 'csr'] as const) {
  for (const ratio of [0, 0.5, 1]) {
    test(`logistic: the optimum of an oracle (${storage}, l1-ratio ${ratio})`, async () => {
      await withHost(2, async (host) => {
        let seed = 0;
        for (const intercept of [true, false]) {
          for (const lambda of [3e-2, 3e-3, 3e-4]) {
            const shape = { storage, columns: 5 + (seed % 4), rows: 90 + seed, seed: ++seed };
            const samples = randomSamples(shape);
            const ask = { lambda, ratio, intercept };
            const problem = problemOf(samples, ask);
            const solved = await solve(host, samples, ask);
            const { value } = optimum(problem);
            const label = `lambda=${lambda} intercept=${intercept}`;
            checkCertificate(problem, solved, value, label);
            assert.ok(solved.outcome.converged, `${label}: gap ${solved.outcome.gap}`);
            assert.ok(solved.outcome.objective / value - 1 <= 1e-6, label);
          }
        }
      });
    });
  }
}

test('logistic: the gap is one that scores alone can show, in the end (L2)', async () => {
  await withHost(1, async (host) => {
    const samples = randomSamples({ storage: 'csr', columns: 30, rows: 300, seed: 4 });
    const ask = { lambda: 1e-3, tolerance: 1e-8 };
    const { weights, outcome } = await solve(host, samples, ask);
    const gap = gapOf(problemOf(samples, ask), weights) / outcome.objective;
    assert.ok(outcome.converged && gap <= 2e-8, `${outcome.gap}, of the weights ${gap}`);
  });
});

test('logistic: wide, sparse rows end at the optimum by way of the dual (L2)', async () => {
  await withHost(2, async (host) => {
    const samples = randomSamples({ storage: 'csr', columns: 600, rows: 80, seed: 21 });
    for (const ask of [
      { lambda: 1e-1, intercept: false },
      { lambda: 1e-3, intercept: true },
      { lambda: 1e-2, balanced: true },
      { lambda: 1e-2, intercept: true, positive: 3 },
    ]) {
      const problem = problemOf(samples, ask);
      const solved = await solve(host, samples, { ...ask, tolerance: 1e-7 });
      const { value } = optimum(problem);
      checkCertificate(problem, solved, value, JSON.stringify(ask));
      assert.ok(solved.outcome.converged, `${JSON.stringify(ask)}: gap ${solved.outcome.gap}`);
      assert.ok(solved.outcome.objective / value - 1 <= 1e-7, JSON.stringify(ask));
    }
  });
});

test('logistic: turns over the columns where very many features are in use', async () => {
  await withHost(2, async (host) => {
    const samples = randomSamples({ storage: 'csr', columns: 2400, rows: 240, seed: 31 });
    for (const intercept of [true, false]) {
      const ask = { lambda: 1e-3, ratio: 0.01, intercept, tolerance: 1e-6 };
      const { outcome, weights } = await solve(host, samples, ask);
      const problem = problemOf(samples, ask);
      assert.ok((outcome.metrics['nonzeros'] ?? 0) > 1600, 'so many are in use');
      assert.ok(outcome.converged, `gap ${outcome.gap}`);
      // A wrong direction still goes down, but not by Newton's few steps.
      assert.ok(outcome.clocks <= 60, `${outcome.clocks} clocks`);
      const at = objective(problem, weights);
      assert.ok(Math.abs(outcome.objective / at - 1) <= 1e-10, `${outcome.objective}, is ${at}`);
      const gap = gapOf(problem, weights) / at;
      assert.ok(gap <= 1e-4, `of the weights alone ${gap}`);
    }
  });
});

test('logistic: a path is the optimum of each λ, from λmax on', async () => {
  await withHost(2, async (host) => {
    for (const [storage, columns] of [
      ['csr', 20],
      ['csr', 600],
      ['f32', 9],
    ] as const) {
      const samples = randomSamples({ storage, columns, rows: 90, seed: columns });
      const asked = { lambda: 0.02, ratio: 0.8, path: 5, tolerance: 1e-7 };
      const { outcome } = await solve(host, samples, asked);
      const { values = [], chosen } = outcome.path ?? {};
      assert.ok(outcome.converged && values.length === 5 && chosen === 4, `${storage} ${columns}`);
      assert.is(values[0]?.nonzeros, 0, 'none is in use at λmax');
      assert.is(outcome.metrics['lambda'], values[4]?.lambda);
      for (const { lambda, objective: found, gap, nonzeros } of values) {
        const problem = problemOf(samples, { ...asked, lambda });
        const { value } = optimum(problem);
        const label = `${storage} ${columns} λ=${lambda}: ${found}, optimum ${value}`;
        assert.ok(Math.abs(found / value - 1) <= 2e-7 && gap <= 1e-7 * found, label);
        assert.ok(lambda === values[0]?.lambda || nonzeros > 0, label);
      }
    }
  });
});

test('logistic: any schedule of a block ends at the same optimum', async () => {
  await withHost(2, async (host) => {
    const samples = randomSamples({ storage: 'csr', columns: 1300, rows: 90, seed: 12 });
    const passes = new Map<string, number>();
    for (const schedule of ['dynamic', 'static', 'random', 'cyclic']) {
      const ask = { lambda: 4e-3, ratio: 1, tolerance: 1e-6, schedule };
      const solved = await solve(host, samples, ask);
      assert.ok(solved.outcome.converged, `${schedule}: gap ${solved.outcome.gap}`);
      passes.set(schedule, solved.outcome.passes);
      const problem = problemOf(samples, ask);
      const at = objective(problem, solved.weights);
      assert.ok(Math.abs(solved.outcome.objective / at - 1) <= 1e-10, schedule);
      assert.ok(gapOf(problem, solved.weights) <= 1e-3 * at, schedule);
    }
    const [dynamic = 0, ...others] = passes.values();
    assert.ok(
      others.every((count) => count > dynamic),
      `the violators first take the fewest passes: ${[...passes].join(' ')}`,
    );
  });
});

test('logistic: λ in two ways, or a share of what is not there, are refused', async () => {
  await withHost(1, async (host) => {
    const data = placeSamples(
      host.arena,
      randomSamples({ storage: 'f32', columns: 3, rows: 9, seed: 2 }),
    );
    const base = { 'l1-ratio': 1, intercept: true, 'positive-weight': 1, 'class-weight': 'none' };
    for (const [options, words] of [
      [{ lambda: 1e-3, path: 4 }, /leave one out/],
      [{ lambda: 1e-3, 'lambda-ratio': 0.1 }, /leave one out/],
      [{ 'lambda-ratio': 0.1, 'l1-ratio': 0 }, /no λmax/],
    ] as const) {
      const request = requestOf('logistic', data, { ...base, ...options });
      let message = '';
      try {
        await logistic.train(sessionOf(host), request);
      } catch (error) {
        message = String(error);
      }
      assert.match(message, words);
    }
  });
});

test('logistic: a path by independent updates is that of joint ones', async () => {
  await withHost(2, async (host) => {
    const samples = randomSamples({ storage: 'f32', columns: 6, rows: 60, seed: 4 });
    const data = placeSamples(host.arena, samples);
    const base = { 'l1-ratio': 1, intercept: true, 'positive-weight': 1, 'class-weight': 'none' };
    const paths: (readonly PathPoint[])[] = [];
    for (const updates of ['joint', 'independent']) {
      const phases = { damping: true, 'dependency-threshold': 1, 'phase-size': 1, schedulers: 1 };
      const options = { ...base, ...phases, pipeline: 0, path: 4, 'path-ratio': 0.05, updates };
      const request = requestOf('logistic', data, options, { tolerance: 1e-7 });
      const { path, converged, metrics } = await logistic.train(sessionOf(host), request);
      assert.is(converged, true, updates);
      assert.is(metrics['lambda'], path?.values[3]?.lambda, updates);
      paths.push(path?.values ?? []);
    }
    const [joint = [], independent = []] = paths;
    assert.is(joint.length, 4);
    joint.forEach(({ lambda, objective }, i) => {
      close(independent[i]!.lambda, lambda, 1e-9 * lambda, `λ ${i}`);
      close(independent[i]!.objective, objective, 1e-6 * objective, `objective ${i}`);
    });
  });
});

test('logistic: the same bits for any number of threads', async () => {
  for (const ratio of [0, 0.6, 1]) {
    const samples = randomSamples({ storage: 'csr', columns: 700, rows: 400, seed: 9 });
    const hashes = new Set<string>();
    for (const threads of [1, 2, 3]) {
      await withHost(threads, async (host) => {
        const { hash, outcome } = await solve(host, samples, { lambda: 3e-3, ratio });
        assert.ok(outcome.converged, `gap ${outcome.gap}`);
        hashes.add(hash);
      });
    }
    assert.is(hashes.size, 1, `l1-ratio ${ratio}`);
  }
});

test('logistic: class weights are rows that stand there more than once', async () => {
  await withHost(2, async (host) => {
    const samples = randomSamples({ storage: 'f32', columns: 6, rows: 80, seed: 3 });
    const order = samples.targets.flatMap((target, i) => (target === 1 ? [i, i, i] : [i]));
    const repeated = {
      ...samples,
      values: order.map((i) => samples.values[i]!),
      targets: order.map((i) => samples.targets[i]!),
    };
    for (const ratio of [0, 1]) {
      const lambda = 2e-3;
      const weighted = await solve(host, samples, { lambda, ratio, positive: 3, tolerance: 1e-7 });
      // The mean is over other rows: λ stands against as many as there are.
      const scaled = (lambda * 80) / order.length;
      const doubled = await solve(host, repeated, { lambda: scaled, ratio, tolerance: 1e-7 });
      const other = (doubled.outcome.objective * order.length) / 80;
      assert.ok(Math.abs(weighted.outcome.objective / other - 1) <= 3e-7, `l1-ratio ${ratio}`);
    }
    const ask = { lambda: 1e-3, balanced: true };
    const problem = problemOf(samples, ask);
    checkCertificate(problem, await solve(host, samples, ask), optimum(problem).value, 'balanced');
  });
});

test('logistic: columns that are constant, empty, twice there or huge', async () => {
  await withHost(2, async (host) => {
    const plain = randomSamples({ storage: 'f32', columns: 3, rows: 60, seed: 5 });
    const values = plain.values.map((row) => [...row, 1, 0, row[0]!, row[1]! * 2 ** 20]);
    const samples = { ...plain, values, columns: 7 };
    for (const ratio of [0, 0.5, 1]) {
      const ask = { lambda: 1e-2, ratio, tolerance: 1e-5 };
      const problem = problemOf(samples, ask);
      const solved = await solve(host, samples, ask);
      checkCertificate(problem, solved, optimum(problem).value, `l1-ratio ${ratio}`);
      assert.ok(solved.outcome.converged, `l1-ratio ${ratio}: gap ${solved.outcome.gap}`);
      assert.is(solved.weights[4], 0, 'an empty column has weight 0');
    }
  });
});

test('logistic: separable rows and a single row of each class have an optimum with λ', async () => {
  await withHost(1, async (host) => {
    const targets = [0, 1];
    const values = [[-1], [2]];
    const two: PlainSamples = { storage: 'f32', values, targets, columns: 1, classes: 2, scale: 1 };
    for (const ratio of [0, 1]) {
      for (const lambda of [1e-1, 1e-4]) {
        const ask = { lambda, ratio };
        const problem = problemOf(two, ask);
        const solved = await solve(host, two, ask);
        checkCertificate(problem, solved, optimum(problem).value, `${lambda} ${ratio}`);
        assert.ok(
          solved.outcome.converged,
          `λ ${lambda}, l1-ratio ${ratio}: ${solved.outcome.gap}`,
        );
      }
    }
  });
});

test('logistic: with a λ that is large enough all weights of L1 are 0', async () => {
  await withHost(1, async (host) => {
    const samples = randomSamples({ storage: 'csr', columns: 8, rows: 50, seed: 2 });
    const { outcome, weights } = await solve(host, samples, { lambda: 10, ratio: 1 });
    assert.equal(weights.slice(0, 8), new Array(8).fill(0));
    assert.ok(outcome.converged && outcome.metrics['nonzeros'] === 0);
  });
});

/** The optimum on a9a at C = 1 as liblinear states it, divided by n. */
const a9a = { rows: 32_561, ridge: 10_529.5626, lasso: 10_558.7234 };

test('logistic on a9a: the optima of another solver', async () => {
  for (const [ratio, value] of [
    [0, a9a.ridge],
    [1, a9a.lasso],
  ] as const) {
    const options = { lambda: 1 / a9a.rows, 'l1-ratio': ratio, intercept: false };
    const done = await trainOn('logistic', { data: exampleData('a9a.gz'), options });
    const { objective: found, gap, converged, metrics } = done;
    assert.ok(converged && gap !== null && gap <= 1e-5, `gap ${gap}`);
    assert.ok(Math.abs((found * a9a.rows) / value - 1) <= 1e-5, `objective ${found * a9a.rows}`);
    assert.ok((metrics['trainAccuracy'] ?? 0) > 0.845);
  }
});

test('logistic: labels of one kind or of three are refused', async () => {
  await withHost(1, async (host) => {
    for (const [classes, words] of [
      [1, /logistic needs 2 classes, the labels have only "class0"/],
      [3, /the labels have 3: use mlr/],
    ] as const) {
      const shape = { storage: 'f32', columns: 1, classes, scale: 1 } as const;
      const targets = Array.from({ length: classes }, (_, k) => k);
      const samples = { ...shape, values: targets.map((k) => [k]), targets };
      const failed = await solve(host, samples, { lambda: 1 }).catch((error: Error) => error);
      assert.match((failed as Error).message, words);
    }
  });
  for (const [options, words] of [
    [{ lambda: 0 }, /lambda must be above 0: separable rows/],
    [{ l1Ratio: 2 }, /l1-ratio must be from 0 to 1, got 2/],
    [{ positiveWeight: NaN }, /positive-weight must be above 0, got NaN/],
  ] as const) {
    const failed = await new Logistic(options).fit([[0], [1]], [0, 1]).catch((e: Error) => e);
    assert.match((failed as Error).message, words);
  }
  const both = { 'class-weight': 'balanced', 'positive-weight': 2 };
  const failed = await trainOn('logistic', { data: exampleData('a9a.gz'), options: both }).catch(
    (error: Error) => error,
  );
  assert.match((failed as Error).message, /leave --positive-weight 2 out/);
});

test('Logistic: fits arrays, predicts labels of any kind and probabilities', async () => {
  const X = Array.from({ length: 40 }, (_, i) => [i / 10 - 2, (i * 7) % 5]);
  for (const kinds of [[-1, 1] as const, [0, 1] as const, ['no', 'yes'] as const]) {
    const y = X.map(([x]) => kinds[x! > 0 ? 1 : 0]);
    const model = await new Logistic({ lambda: 1e-3, l1Ratio: 0.5, threads: 2 }).fit(X, y);
    assert.equal(model.classes, [...kinds]);
    assert.is(model.weights.length, 2);
    assert.is(model.intercept.length, 1);
    assert.equal(await model.predict(X), y);
    const shares = await model.predictProbabilities(X);
    shares.forEach(([no, yes], i) => {
      assert.ok(Math.abs(no! + yes! - 1) < 1e-5);
      assert.is(yes! > 0.5, y[i] === kinds[1], `row ${i}`);
    });
  }
});

test('logistic: a held-out file is measured, ties count half', async () => {
  const data = exampleData('a9a.gz');
  const done = await trainOn('logistic', { data, test: data, options: { lambda: 1e-3 } });
  assert.is(done.metrics['accuracy'], done.metrics['trainAccuracy']);
  assert.ok((done.metrics['auc'] ?? 0) > 0.89 && (done.metrics['logLoss'] ?? 1) < 0.34);
  const areas = [
    [[1, 2], [0, 0.5], 1],
    [[1, 2], [1, 2], 0.5],
    [[0], [1, 2], 0],
    [[1, 3], [1, 2], 5 / 8],
  ] as const;
  for (const [ones, zeros, area] of areas) {
    assert.is(areaUnderCurve(Float64Array.from(ones), Float64Array.from(zeros)), area);
  }
  assert.is(areaUnderCurve(new Float64Array(0), new Float64Array(1)), undefined);
});

test.run();
