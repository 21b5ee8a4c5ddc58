// Coordinate descent by phases against float64: the optimum of plain coordinate descent, a gap that
// bounds what is left, and the same bits for any number of threads.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { correlationsOf, gapAt, objective, optimum, type Design } from './oracle/coordinate.ts';
import type { SystemError } from '../src/base/errors.ts';
import type { ModelOptions } from '../src/jobs/job.ts';
import { linearPhases } from '../src/models/linear/phases/program.ts';
import { lasso } from '../src/models/lasso/model.ts';
import { logistic } from '../src/models/logistic/model.ts';
import { drive, driving } from './helpers/driven.ts';
import { programOf, withHost } from './helpers/hosts.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { requestOf, sessionOf } from './helpers/models.ts';
import {
  autoregressive,
  blocks,
  designOf,
  duplicates,
  phasesRequest,
  placeDesign,
  solveDesign,
  solvedOf,
  textLike,
  type Ask,
  type Solved,
} from './helpers/designs.ts';

const strictPhases = await programOf('strict-phases');

async function rejects(run: Promise<unknown>, code: string, words: RegExp): Promise<void> {
  const failed = (await run.catch((error: unknown) => error)) as SystemError;
  assert.is(failed.code, code);
  assert.match(failed.message, words);
}

const tolerance = 1e-6;
/** As a share of the objective of w = 0: how far the float64 optimum may be off. */
const slack = 1e-9;

/** What must hold of every end: the printed objective and gap are those of what is returned. */
function checkEnd(design: Design, solved: Solved, least: number, label: string): void {
  const at = objective(design, solved.v, solved.b);
  const off = Math.abs(solved.objective - at);
  assert.ok(off <= slack * solved.start, `${label}: says ${solved.objective}, is ${at}`);
  assert.ok(at >= least - slack * solved.start, `${label}: below the optimum ${least}`);
  assert.ok(
    at - solved.gap <= least + slack * solved.start,
    `${label}: gap ${solved.gap} is short`,
  );
}

function checkOptimal(design: Design, solved: Solved, least: number, label: string): void {
  checkEnd(design, solved, least, label);
  assert.is(solved.diverged, 0, label);
  assert.ok(solved.gap <= tolerance * solved.start, `${label}: gap ${solved.gap}`);
  const own = gapAt(design, solved.v, solved.b);
  assert.ok(own <= 3 * tolerance * solved.start, `${label}: gap by float64 ${own}`);
}

const size = { rows: 50, columns: 32, seed: 3 };
const shapes = {
  ar: autoregressive(size, 0.8),
  blocks: blocks(size, 8, 0.7),
  duplicates: duplicates(size, 4),
  text: textLike(size),
  wide: autoregressive({ rows: 30, columns: 50, seed: 9 }, 0.5),
};

for (const loss of ['square', 'logistic'] as const) {
  for (const [name, rows] of Object.entries(shapes)) {
    test(`phases: the optimum of plain coordinate descent (${loss}, ${name})`, async () => {
      await driving((host) => {
        for (const [i, kind] of (['dynamic', 'static', 'random', 'cyclic'] as const).entries()) {
          const options = {
            ...{ loss, intercept: i % 2 === 0, standardize: i > 1 },
            ...(i === 3 && { l1: 0.01, l2: 0.02 }),
          };
          const design = designOf(rows, 5, options);
          const { value } = optimum(design, 1e-9);
          const storage = i % 2 === 0 ? 'csr' : 'f32';
          const plan = { damping: true, refresh: true };
          const ask: Ask = { kind, storage, tolerance, passes: 20_000, ...plan };
          checkOptimal(design, drive(host, design, ask), value, `${kind} ${storage}`);
        }
      });
    });
  }
}

test('phases: an end without convergence is certified too', async () => {
  await driving((host) => {
    for (const loss of ['square', 'logistic'] as const) {
      const design = designOf(shapes.ar, 5, { loss, intercept: true });
      const { value } = optimum(design, 1e-9);
      const solved = drive(host, design, { passes: 2, tolerance: 0 });
      checkEnd(design, solved, value, loss);
      assert.ok(solved.gap > 0 && solved.diverged === 0);
      assert.ok(solved.updates >= 64 && solved.updates < 80, `${solved.updates} updates`);
    }
  });
});

for (const pipeline of [1, 2, 3]) {
  test(`phases: the same optimum with ${pipeline} more phases in flight`, async () => {
    await driving((host) => {
      for (const loss of ['square', 'logistic'] as const) {
        const design = designOf(shapes.ar, 5, { loss, intercept: true });
        const { value } = optimum(design, 1e-9);
        for (const kind of ['dynamic', 'random'] as const) {
          const plan = { phaseSize: 3, threshold: 0.4, damping: true, refresh: true };
          const ask: Ask = { kind, pipeline, tolerance, passes: 20_000, ...plan };
          // Some reports come as late as the pipeline lets them, some at once.
          const solved = drive(host, design, { ...ask, late: pipeline });
          checkOptimal(design, solved, value, `${loss} ${kind}`);
        }
      }
    });
  });
}

const losses = ['square', 'logistic'] as const;

test('phases: the same bits for 1, 2 and 3 threads', async () => {
  const asks: Ask[] = [
    { kind: 'dynamic', squared: true, refresh: true },
    { kind: 'random', threshold: 1, phaseSize: 3 },
    { kind: 'dynamic', pipeline: 2, schedulers: 3 },
  ];
  const ends = new Map<string, Set<string>>();
  for (const threads of [1, 2, 3]) {
    await withHost(threads, async (host) => {
      for (const loss of losses) {
        const design = designOf(shapes.blocks, 7, { loss, intercept: true });
        for (const ask of asks) {
          const own: Ask = { partitions: 5, passes: 6, ...ask };
          const { v, b, updates, trace } = await solveDesign(host, design, own);
          const what = `${loss} ${JSON.stringify(ask)}`;
          const found = ends.get(what) ?? new Set();
          ends.set(what, found.add(JSON.stringify([[...v], b, updates, trace])));
        }
      }
    });
  }
  for (const [what, found] of ends) assert.is(found.size, 1, what);
});

test('phases: the same bits on 1, 2 and 4 hosts', async () => {
  const ends = { square: new Set<string>(), logistic: new Set<string>() };
  for (const threads of [[2], [1, 1], [1, 1, 1, 1]]) {
    await withCluster(threads, async (hosts) => {
      for (const loss of losses) {
        const design = designOf(shapes.ar, 7, { loss, intercept: true });
        const solved = await Promise.all(
          hosts.map(async (host) => {
            const data = placeDesign(host.arena, design);
            const plan = { pipeline: 1, passes: 1, partitions: 5, tolerance: 0, audit: true };
            const ask: Ask = { ...plan, damping: true };
            const run = await host.run(linearPhases, phasesRequest(data, design, ask));
            return { ...solvedOf(host, run), audited: run.auditedPairs };
          }),
        );
        for (const { v, b, trace } of solved) ends[loss].add(JSON.stringify([[...v], b, trace]));
        assert.ok((solved[0]!.audited ?? 0) > 100, `${solved[0]!.audited} pairs were audited`);
      }
    });
  }
  for (const loss of losses) assert.is(ends[loss].size, 1, loss);
});

for (const threads of [[2], [1, 2]]) {
  test(`phases: a pair that correlates is found by the auditor (${threads.join('+')})`, async () => {
    const design = designOf(shapes.ar, 7, { intercept: true });
    const correlations = correlationsOf(design);
    const [failed] = await withCluster(threads, (hosts) =>
      Promise.all(
        hosts.map(async (host) => {
          const data = placeDesign(host.arena, design, 'csr');
          const ask: Ask = { pipeline: 1, phaseSize: 4, threshold: 0.5, passes: 3, audit: true };
          const url = new URL('./strict-phases.js', import.meta.url).href;
          const asked = { ...phasesRequest(data, design, ask), program: { url } };
          return host.run(strictPhases, asked).catch((error: unknown) => error as SystemError);
        }),
      ),
    );
    assert.is((failed as SystemError).code, 'ERR_SCHEDULE');
    const words = /ha(?:s|ve) (\d+) and (\d+) in flight at once: their columns correlate by (\S+),/;
    const found = words.exec((failed as SystemError).message);
    const [, j, k, said] = found?.map(Number) ?? [];
    const own = correlations[j ?? -1]?.[k ?? -1] ?? NaN;
    assert.ok(Math.abs(own) >= 0.1 && Math.abs(own) < 0.5, (failed as SystemError).message);
    assert.ok(Math.abs(own - said!) < 1e-3, `${said} is ${own}`);
  });
}

test('phases: a path ends at each λ where a run of its own does', async () => {
  await withHost(2, async (host) => {
    const design = designOf(shapes.wide, 7, { intercept: true });
    const mark = host.arena.mark();
    const data = placeDesign(host.arena, design);
    const solve = async (options: ModelOptions, passes?: number) => {
      const own = { updates: 'independent', 'phase-size': 4, 'dependency-threshold': 0.3 };
      const asked = { tolerance: 1e-6, ...(passes !== undefined && { passes }) };
      const request = requestOf('lasso', data, { ...own, ...options }, asked);
      return lasso.train(sessionOf(host), request);
    };
    const { path, converged } = await solve({ path: 5, 'path-ratio': 0.05 });
    const values = path?.values ?? [];
    assert.is(converged, true);
    assert.is(values.length, 5);
    assert.is(path?.chosen, 4);
    assert.is(values[0]!.nonzeros, 0, 'λmax');
    assert.ok(Math.abs(values[4]!.lambda / values[0]!.lambda - 0.05) < 1e-12);
    for (const { lambda, objective, nonzeros } of values.slice(1)) {
      const alone = await solve({ lambda });
      assert.ok(nonzeros > 0);
      // Both gaps are at most 1e-6 of the objective of w = 0, which is the first one.
      const off = Math.abs(alone.objective - objective) / values[0]!.objective;
      assert.ok(off <= 1e-6, `${lambda}: ${objective}`);
    }
    const ended = await solve({ path: 5, 'path-ratio': 0.001 }, 1);
    assert.is(ended.converged, false, 'one λ is enough');
    await rejects(solve({ folds: 3 }), 'ERR_CONFIG', /no cross-validation/);
    host.arena.release(mark);
  });
});

test('phases: class weights end where those of joint updates do', async () => {
  await withHost(2, async (host) => {
    const design = designOf(shapes.text, 5, { loss: 'logistic', intercept: true });
    // Fewer of the second class.
    design.y.forEach((_, i) => (design.y[i] = i % 4 === 0 ? 1 : -1));
    for (const [storage, ratio, weights] of [
      ['f32', 1, { 'class-weight': 'balanced' }],
      ['csr', 0.3, { 'positive-weight': 5 }],
    ] as const) {
      const mark = host.arena.mark();
      const data = placeDesign(host.arena, design, storage);
      const objectives: number[] = [];
      for (const updates of ['joint', 'independent']) {
        const options = { lambda: 0.02, 'l1-ratio': ratio, ...weights, updates };
        const request = requestOf('logistic', data, options, { tolerance: 1e-6 });
        const { converged, objective } = await logistic.train(sessionOf(host), request);
        assert.is(converged, true, `${updates} ${JSON.stringify(weights)}`);
        objectives.push(objective);
      }
      const [joint, independent] = objectives as [number, number];
      assert.ok(Math.abs(joint / independent - 1) < 1e-6, `${joint}, ${independent}`);
      host.arena.release(mark);
    }
  });
});

/** By column: constant, one twice, its negative, none, huge, tiny, and two plain ones. */
function degenerate(rows: number): number[][] {
  const prng = prngOf(3);
  const normal = () => prng.uniform() + prng.uniform() + prng.uniform() - 1.5;
  return Array.from({ length: rows }, () => {
    const [a, b, c, d, e] = [normal(), normal(), normal(), normal(), normal()];
    return [5, a, a, -a, 0, 1e12 * b, 1e-12 * c, d, e].map(Math.fround);
  });
}

test('phases: constant, equal, empty, huge and tiny columns; one row', async () => {
  await driving((host) => {
    for (const rows of [1, 40]) {
      for (const [loss, intercept, standardize, storage] of [
        ['square', true, true, 'csr'],
        ['square', false, false, 'f32'],
        ['logistic', true, true, 'f32'],
        ['logistic', false, false, 'csr'],
      ] as const) {
        const values = degenerate(rows);
        const made = designOf(values, 5, { loss, intercept, standardize, truth: 1 });
        // Of the plain columns: the huge one would be all of the target.
        const y = made.y.map((_, i) => (loss === 'square' ? values[i]![7]! - 2 : i % 2 ? 1 : -1));
        const design = { ...made, y, l1: 0.02, l2: 0.01 };
        const plan = { damping: true, refresh: true, passes: 2000, tolerance, storage };
        const ask: Ask = { ...plan, threshold: 0.3, phaseSize: 4, partitions: 3 };
        const solved = drive(host, design, ask);
        const label = `${rows} rows, ${loss}, ${storage}`;
        assert.is(solved.diverged, 0, label);
        const off = Math.abs(solved.objective - objective(design, solved.v, solved.b));
        assert.ok(off <= 1e-6 * solved.start + 1e-12, `${label}: off by ${off}`);
        // One row can be fitted along the huge column at no cost: scores grow with log(updates).
        const most = (rows === 1 ? 0.05 : tolerance) * solved.start + 1e-9;
        assert.ok(solved.gap > -1e-12 && solved.gap <= most, `${label}: gap ${solved.gap}`);
        assert.is(solved.v[4], 0, label);
        if (intercept) assert.is(solved.v[0], 0, label);
      }
    }
  });
});

test('phases: --updates independent ends where joint updates do', async () => {
  await withHost(2, async (host) => {
    for (const model of [lasso, logistic]) {
      const loss = model === lasso ? 'square' : 'logistic';
      const design = designOf(shapes.wide, 7, { loss, intercept: true });
      const mark = host.arena.mark();
      const data = placeDesign(host.arena, design);
      const least = model === lasso ? { 'lambda-ratio': 0.2 } : { lambda: 0.05, 'l1-ratio': 0.9 };
      const objectives: number[] = [];
      for (const updates of ['joint', 'independent']) {
        const options = { ...least, updates, 'phase-size': 4, 'dependency-threshold': 0.3 };
        const request = requestOf(model.name, data, options, { tolerance: 1e-8, audit: true });
        const { converged, objective } = await model.train(sessionOf(host), request);
        assert.is(converged, true, `${model.name} ${updates}`);
        objectives.push(objective);
      }
      const [joint, independent] = objectives as [number, number];
      assert.ok(Math.abs(joint / independent - 1) < 1e-6, `${joint}, ${independent}`);
      host.arena.release(mark);
    }
  });
});

test.run();
