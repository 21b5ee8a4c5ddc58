// Coordinate descent by phases against float64: the optimum of plain coordinate descent, a gap that
// bounds what is left, and the same bits for any number of threads.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gapAt, objective, optimum, type Design } from './oracle/coordinate.ts';
import { linearPhases } from '../src/models/linear/phases/program.ts';
import { lasso } from '../src/models/lasso/model.ts';
import { logistic } from '../src/models/logistic/model.ts';
import { drive, driving } from './helpers/driven.ts';
import { withHost } from './helpers/hosts.ts';
import { withCluster } from './helpers/joined-hosts.ts';
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

test('phases: the same bits for 1, 2 and 3 threads', async () => {
  const asks: Ask[] = [
    { kind: 'dynamic', squared: true, refresh: true },
    { kind: 'random', threshold: 1, phaseSize: 3 },
    { kind: 'dynamic', pipeline: 2, schedulers: 3 },
  ];
  for (const loss of ['square', 'logistic'] as const) {
    const design = designOf(shapes.blocks, 7, { loss, intercept: true });
    for (const ask of asks) {
      const ends: string[] = [];
      for (const threads of [1, 2, 3]) {
        await withHost(threads, async (host) => {
          const { v, b, updates, trace } = await solveDesign(host, design, {
            partitions: 5,
            ...ask,
          });
          ends.push(JSON.stringify([[...v], b, updates, trace]));
        });
      }
      assert.is(new Set(ends).size, 1, `${loss} ${JSON.stringify(ask)}`);
    }
  }
});

test('phases: the same bits on 1, 2 and 4 hosts', async () => {
  for (const loss of ['square', 'logistic'] as const) {
    const design = designOf(shapes.ar, 7, { loss, intercept: true });
    const ends = new Set<string>();
    for (const threads of [[2], [1, 1], [1, 1, 1, 1]]) {
      await withCluster(threads, async (hosts) => {
        const solved = await Promise.all(
          hosts.map(async (host) => {
            const data = placeDesign(host.arena, design);
            const ask: Ask = { pipeline: 1, passes: 3, partitions: 5, tolerance: 0, damping: true };
            const run = await host.run(linearPhases, phasesRequest(data, design, ask));
            return solvedOf(host, run);
          }),
        );
        for (const { v, b, trace } of solved) ends.add(JSON.stringify([[...v], b, trace]));
      });
    }
    assert.is(ends.size, 1, loss);
  }
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
