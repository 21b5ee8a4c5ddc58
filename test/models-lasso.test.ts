// lasso and elastic-net against float64: the optimum of a plain coordinate descent, certificates
// computed anew, closed forms, paths, folds, degenerate data, several hosts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLoaderPool } from '../src/data/loader-pool.ts';
import { loadSamples } from '../src/data/load-samples.ts';
import { lasso, type LassoFacts } from '../src/models/lasso/model.ts';
import type { Host } from '../src/supervisor/host.ts';
import { withHost } from './helpers/hosts.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { close, prngOf } from './helpers/lab.ts';
import { fit, problemOf, randomRegression, type Regression } from './helpers/lasso.ts';
import { requestOf, sessionOf, tensorOf } from './helpers/models.ts';
import { lassoGap, lassoObjective, solveLasso } from './oracle/lasso.ts';

const shapes = [
  { storage: 'f32', rows: 90, columns: 12, seed: 1 },
  { storage: 'f32', rows: 25, columns: 70, seed: 2, offset: 1 },
  { storage: 'u8', rows: 120, columns: 17, seed: 3 },
  { storage: 'csr', rows: 300, columns: 40, seed: 4 },
  { storage: 'csr', rows: 40, columns: 150, seed: 5, offset: 2 },
] as const;

const kinds = [
  { alpha: 1, intercept: true, standardize: false },
  { alpha: 1, intercept: false, standardize: true },
  { alpha: 0.5, intercept: true, standardize: true },
  { alpha: 0.2, intercept: false, standardize: false },
];

for (const shape of shapes) {
  const { storage, rows, columns } = shape;
  test(`lasso: the optimum, certified (${storage}, ${rows} × ${columns})`, async () => {
    const data = randomRegression(shape);
    await withHost(2, async (host) => {
      for (const kind of kinds) {
        const { alpha } = kind;
        const model = alpha === 1 ? 'lasso' : 'elastic-net';
        const rest = { intercept: kind.intercept, standardize: kind.standardize };
        const ratio = { ...rest, 'lambda-ratio': 0.05, 'l1-ratio': alpha, model } as const;
        const { outcome, beta, intercept, facts } = await fit(host, data, ratio);
        const label = JSON.stringify(kind);
        const problem = problemOf(data, { ...kind, lambda: facts.lambda });
        const best = lassoObjective(problem, solveLasso(problem));
        assert.is(outcome.converged, true, label);
        const scale = lassoObjective(problem, { beta: beta.map(() => 0), intercept: 3 });
        close(outcome.objective, best, 2e-9 * scale, `${label} objective`);
        // Coefficients are f32: the optimum is flat, the certificate is not.
        const own = lassoObjective(problem, { beta, intercept });
        close(own, outcome.objective, 1e-6 * best, `${label} at the returned parameters`);
        assert.ok(lassoGap(problem, { beta, intercept }) <= 1e-5 * scale, `${label} gap`);
        assert.is(facts.nonzeros, beta.filter((value) => value !== 0).length, label);
      }
    });
  });
}

test('lasso: a given λ, also above λmax; ridge regression by --l1-ratio 0', async () => {
  const data = randomRegression(shapes[0]);
  await withHost(1, async (host) => {
    const none = await fit(host, data, { lambda: 100 });
    assert.is(none.facts.nonzeros, 0);
    close(none.intercept, data.y.reduce((sum, y) => sum + y, 0) / 90, 1e-9, 'the mean');
    const ridge = await fit(host, data, { model: 'elastic-net', 'l1-ratio': 0, lambda: 0.3 });
    const problem = problemOf(data, { alpha: 0, lambda: 0.3 });
    const best = lassoObjective(problem, solveLasso(problem));
    close(ridge.outcome.objective, best, 1e-8 * best, 'ridge');
    assert.is(ridge.outcome.converged, true);
  });
});

test('lasso: an orthogonal design is soft thresholding', async () => {
  // Columns of a Hadamard matrix: X'X = 16 I.
  const sign = (i: number, j: number) => ((i & j).toString(2).split('1').length % 2 ? 1 : -1);
  const values = Array.from({ length: 16 }, (_, i) =>
    Array.from({ length: 15 }, (_, j) => sign(i, j + 1)),
  );
  const y = Array.from({ length: 16 }, (_, i) => Math.fround(Math.sin(3 * i) + i / 9));
  const data: Regression = { storage: 'f32', values, y, scale: 1 };
  await withHost(2, async (host) => {
    for (const lambda of [0.02, 0.1, 0.3]) {
      const { beta } = await fit(host, data, { lambda });
      values[0]!.forEach((_, j) => {
        const z = y.reduce((sum, value, i) => sum + value * values[i]![j]!, 0) / 16;
        close(beta[j]!, Math.sign(z) * Math.max(0, Math.abs(z) - lambda), 1e-6, `β ${j}`);
      });
    }
  });
});

test('lasso: the support that made the labels is found', async () => {
  const prng = prngOf(21);
  const values = Array.from({ length: 100 }, () =>
    Array.from({ length: 100 }, () => (prng.uniform() < 0.5 ? Math.fround(prng.uniform()) : 0)),
  );
  const y = values.map((row) => Math.fround([0, 2, 4, 6, 8].reduce((s, j) => s + row[j]!, 0)));
  await withHost(2, async (host) => {
    const options = { 'lambda-ratio': 0.5, standardize: true };
    const { beta } = await fit(host, { storage: 'csr', values, y, scale: 1 }, options);
    const support = beta.flatMap((value, j) => (value === 0 ? [] : [j]));
    assert.equal(support, [0, 2, 4, 6, 8]);
  });
});

test('lasso: every λ of a path is solved, and the last is the model', async () => {
  const data = randomRegression(shapes[3]);
  await withHost(2, async (host) => {
    const { facts, outcome, hash } = await fit(host, data, { path: 12, 'path-ratio': 0.02 });
    assert.is(facts.path.length, 12);
    assert.is(facts.path[0]!['nonzeros'], 0, 'λmax');
    facts.path.forEach(({ lambda, objective, gap }) => {
      const problem = problemOf(data, { lambda: lambda });
      const best = lassoObjective(problem, solveLasso(problem));
      close(objective, best, 1e-8 * best, `λ ${lambda}`);
      assert.ok(objective - best <= gap + 1e-12, 'the gap bounds what is left');
    });
    assert.is(facts.lambda, facts.path[11]!['lambda']);
    assert.is(outcome.converged, true);
    for (const threads of [1, 3]) {
      await withHost(threads, async (other) => {
        const again = await fit(other, data, { path: 12, 'path-ratio': 0.02 });
        assert.is(again.hash, hash, `${threads} threads`);
        assert.equal(again.facts.path, facts.path, `${threads} threads`);
      });
    }
  });
});

/** Mean squared error of each fold's own solution at λ on the rows that it leaves out. */
function foldErrors(
  data: Regression,
  masks: readonly (readonly number[])[],
  lambda: number,
): number[] {
  const { x } = problemOf(data, { lambda: 1 });
  return masks.map((mask) => {
    const pick = <T>(rows: readonly T[], kept: number) => rows.filter((_, i) => mask[i] === kept);
    const solution = solveLasso({ x: pick(x, 1), y: pick(data.y, 1), lambda });
    const squares = pick(x, 0).map((row, i) => {
      const score = row.reduce((s, value, j) => s + value * solution.beta[j]!, 0);
      return (pick(data.y, 0)[i]! - score - solution.intercept) ** 2;
    });
    return squares.reduce((sum, square) => sum + square, 0) / squares.length;
  });
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The rows that each fold keeps: one of each run of `folds` rows is left out; which, is random. */
function foldMasks(host: Host, rows: number, folds: number): number[][] {
  const at = host.arena.allocate(rows * 8);
  return Array.from({ length: folds }, (_, fold) => {
    host.kernels.folds_mask(rows, 0, fold, folds, 1, at);
    return [...host.arena.f64.slice(at / 8, at / 8 + rows)];
  });
}

test('lasso: folds score each λ on rows that were left out', async () => {
  const data = randomRegression(shapes[0]);
  const options = { folds: 4, path: 8, 'path-ratio': 0.01 };
  const found = await withHost(2, (host) => fit(host, data, options));
  const { path } = found.facts;
  const errors = path.map(({ error }) => error!);
  assert.is(found.facts.lambda, path[errors.indexOf(Math.min(...errors))]!['lambda'], 'the best');
  await withHost(1, async (host) => {
    const masks = foldMasks(host, 90, 4);
    masks[0]!.forEach((_, i) => {
      assert.is(masks.filter((mask) => mask[i] === 0).length, 1, 'a row is left out once');
    });
    for (const { lambda, error } of path) {
      close(error!, mean(foldErrors(data, masks, lambda)), 1e-4 * error!, `λ ${lambda}`);
    }
    const again = await fit(host, data, options);
    assert.equal(again.facts.path, path, 'one thread finds the same');
    const careful = await fit(host, data, { ...options, 'one-standard-error': true });
    assert.ok(careful.facts.lambda >= found.facts.lambda);
    await rejects(fit(host, data, { folds: 91 }), 'ERR_CONFIG');
    await rejects(fit(host, data, { folds: 1 }), 'ERR_CONFIG');
    await rejects(fit(host, data, { path: 5, lambda: 1 }), 'ERR_CONFIG');
    await rejects(fit(host, data, { model: 'elastic-net', 'l1-ratio': 0 }), 'ERR_CONFIG');
  });
});

test('lasso: folds whose own λmax is a little above the path’s', async () => {
  // A variable enters there with next to nothing; the others must still enter after it.
  for (const seed of [1, 2, 3, 4, 5]) {
    const data = randomRegression({ ...shapes[0], rows: 3000, columns: 3, seed });
    await withHost(1, async (host) => {
      const { facts, outcome } = await fit(host, data, { folds: 3, path: 5 });
      assert.is(outcome.converged, true);
      const masks = foldMasks(host, 3000, 3);
      for (const { lambda, error } of facts.path) {
        close(error!, mean(foldErrors(data, masks, lambda)), 1e-4 * error!, `λ ${lambda}`);
      }
    });
  }
});

test('lasso: folds that did not get there are told of', async () => {
  const data = randomRegression(shapes[1]);
  await withHost(1, async (host) => {
    const { outcome, warnings } = await fit(
      host,
      data,
      { folds: 3, path: 5 },
      { passes: 1, tolerance: 1e-3 },
    );
    assert.is(outcome.converged, false);
    assert.ok(
      warnings.some((text) => text.startsWith('not all folds converged')),
      String(warnings),
    );
  });
});

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error as { code?: string },
  );
  assert.is(thrown?.code, code);
}

test('lasso: every schedule ends at the same optimum', async () => {
  const data = randomRegression({ storage: 'csr', rows: 60, columns: 300, seed: 8 });
  await withHost(2, async (host) => {
    const best = await fit(host, data, { 'lambda-ratio': 0.1 });
    for (const schedule of ['static', 'random', 'cyclic']) {
      const { outcome } = await fit(host, data, { 'lambda-ratio': 0.1, schedule });
      assert.is(outcome.converged, true, schedule);
      close(outcome.objective, best.outcome.objective, 1e-8 * outcome.objective, schedule);
    }
  });
});

test('lasso: more coefficients than the working set holds', async () => {
  for (const storage of ['f32', 'csr'] as const) {
    const data = randomRegression({ storage, rows: 150, columns: 60, seed: 9, offset: 1 });
    await withHost(2, async (host) => {
      for (const kind of [kinds[0]!, kinds[2]!]) {
        const label = `${storage} ${JSON.stringify(kind)}`;
        const { alpha, ...rest } = kind;
        const model = alpha === 1 ? 'lasso' : 'elastic-net';
        const few = { 'lambda-ratio': 0.01, 'working-set': 8 };
        const options = { ...few, ...rest, 'l1-ratio': alpha, model } as const;
        const { outcome, facts, hash } = await fit(host, data, options, { partitions: 3 });
        const problem = problemOf(data, { ...kind, lambda: facts.lambda });
        const best = lassoObjective(problem, solveLasso(problem));
        assert.ok(facts.nonzeros > 16);
        assert.is(outcome.converged, true, label);
        close(outcome.objective, best, 1e-7 * best, label);
        const again = await withHost(1, (alone) => fit(alone, data, options, { partitions: 3 }));
        assert.is(again.hash, hash, `${label}: the same bits on one thread`);
      }
      const path = { path: 4, 'path-ratio': 0.05, folds: 3 };
      const whole = await fit(host, data, path);
      const swept = await fit(host, data, { ...path, 'working-set': 8 });
      whole.facts.path.forEach(({ error }, i) => {
        close(swept.facts.path[i]!['error']!, error!, 1e-4 * error!, `${storage}: error of λ ${i}`);
      });
      const ridge = { model: 'elastic-net', 'l1-ratio': 0, lambda: 1, 'working-set': 8 } as const;
      await rejects(fit(host, data, ridge), 'ERR_CONFIG');
    });
  }
});

test('lasso: degenerate data has its answer', async () => {
  const base = randomRegression(shapes[0]);
  const change = (map: (row: readonly number[], i: number) => number[]): Regression => ({
    ...base,
    values: base.values.map(map),
  });
  const cases: Record<string, Regression> = {
    'a constant and an empty column': change((row) => [7, 0, ...row.slice(2)]),
    'each column twice': change((row) => [...row.slice(0, 6), ...row.slice(0, 6)]),
    'columns of very different scale': change((row) =>
      row.map((x, j) => Math.fround(x * 10 ** (3 * (j - 6)))),
    ),
    'a column far from 0': change((row) => [row[0]! + 1e4, ...row.slice(1)].map(Math.fround)),
  };
  await withHost(2, async (host) => {
    for (const [label, data] of Object.entries(cases)) {
      for (const storage of ['f32', 'csr'] as const) {
        const { outcome, beta, facts } = await fit(
          ...([host, { ...data, storage }, { 'lambda-ratio': 0.1 }, { tolerance: 1e-7 }] as const),
        );
        const problem = problemOf(data, { lambda: facts.lambda });
        const best = lassoObjective(problem, solveLasso(problem));
        close(outcome.objective, best, 1e-6 * best, `${label}, ${storage}`);
        assert.is(outcome.converged, true, label);
        if (label.startsWith('a constant')) assert.equal(beta.slice(0, 2), [0, 0]);
      }
    }
    const one = { ...base, values: base.values.slice(0, 1), y: base.y.slice(0, 1) };
    const single = await fit(host, one, {});
    close(single.intercept, base.y[0]!, 1e-9, 'one row');
    assert.is(single.facts.nonzeros, 0);
    assert.match(single.warnings.join(), 'no column varies');
    const flat = await fit(host, { ...base, y: base.y.map(() => 4) }, {});
    close(flat.intercept, 4, 1e-9, 'equal labels');
    assert.is(flat.facts.nonzeros, 0);
    const huge = change((row) => row.map((x) => Math.fround(x * 1e30)));
    const { outcome } = await fit(host, huge, { 'lambda-ratio': 0.1 });
    const usual = await fit(host, base, { 'lambda-ratio': 0.1 });
    close(outcome.objective, usual.outcome.objective, 1e-5, 'huge values');
  });
});

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-lasso-'));
test.after(() => rmSync(folder, { recursive: true }));

async function loadOn(host: Host, path: string) {
  const { arena, module, world } = host;
  const { memory, layout } = arena;
  const pool = createLoaderPool({ memory, layout, module, threads: 1, chunkBytes: 20_000 });
  try {
    return await loadSamples([path], { labels: 'number' }, { arena, pool, world });
  } finally {
    await pool.close();
  }
}

test('lasso: several hosts reach the same objective, folds too', async () => {
  const data = randomRegression({ storage: 'csr', rows: 700, columns: 60, seed: 11 });
  const path = join(folder, 'data.svm');
  const lines = data.values.map((row, i) => {
    const entries = row.flatMap((x, j) => (x === 0 ? [] : [`${j + 1}:${x}`]));
    return `${data.y[i]} ${entries.join(' ')}\n`;
  });
  writeFileSync(path, lines.join(''));
  const found: { objective: number; facts: LassoFacts; beta: Float32Array }[] = [];
  for (const threads of [[2], [1, 1], [1, 2, 1, 1]]) {
    const all = await withCluster(threads, (hosts) =>
      Promise.all(
        hosts.map(async (host) => {
          const session = { ...sessionOf(host), world: host.world };
          const options = { folds: 3, path: 6, 'path-ratio': 0.05 };
          const asked = { audit: false, partitions: 16, tolerance: 1e-9 };
          const samples = await loadOn(host, path);
          const request = requestOf('lasso', samples, options, asked);
          const outcome = await lasso.train(session, request);
          const facts = outcome.trained.facts as LassoFacts;
          return { objective: outcome.objective, facts, beta: tensorOf(host, outcome, 'weights') };
        }),
      ),
    );
    for (const other of all) assert.equal(other, all[0], 'all hosts have the result');
    found.push(all[0]!);
  }
  const few = await withCluster([1, 1], (hosts) =>
    Promise.all(
      hosts.map(async (host) => {
        const session = { ...sessionOf(host), world: host.world };
        const options = { 'lambda-ratio': 0.01, 'working-set': 8 };
        const asked = { audit: false, partitions: 16, tolerance: 1e-6 };
        const samples = await loadOn(host, path);
        return lasso.train(session, requestOf('lasso', samples, options, asked));
      }),
    ),
  );
  for (const { converged, objective, trained } of few) {
    const { lambda, nonzeros } = trained.facts as LassoFacts;
    const problem = problemOf(data, { lambda });
    const best = lassoObjective(problem, solveLasso(problem));
    assert.ok(nonzeros > 16);
    assert.is(converged, true, 'a part of the support at a time');
    close(objective, best, 1e-4 * best, 'a part of the support at a time');
  }
  const [alone] = found;
  for (const { objective, facts } of found) {
    close(objective, alone!.objective, 1e-8 * objective, 'objective');
    facts.path.forEach(({ error }, i) => {
      close(error!, alone!.facts.path[i]!['error']!, 1e-6 * error!, `error of λ ${i}`);
    });
  }
});

test.run();
