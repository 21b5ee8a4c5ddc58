// assembly/models/softmax.ts against an independent float64 softmax: loss, gradient, evaluation.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, onEveryBuild, prngOf, same, type Lab } from './helpers/lab.ts';
import { problemOf, runEvaluate, runGradient } from './helpers/mlr.ts';
import { randomRows, storages, type SampleRows } from './helpers/samples.ts';
import * as oracle from './oracle/softmax.ts';
import { gamma, U32, U64 } from './oracle/rounding.ts';

/** Every padding, every number of vectors in a group, several times. */
const classCounts = Array.from({ length: 66 }, (_, i) => i + 2);
const widths = [1, 5, 16, 19, 33];

/** Six rows, one empty, one full; the fourth has an unknown label. */
function sampleRows(classes: number, columns: number): SampleRows {
  const rows = randomRows({ count: 6, columns, classes, seed: classes * 100 + columns });
  rows.targets[3] = -1;
  return rows;
}

function everyShape(body: (classes: number, rows: SampleRows, intercept: boolean) => void): void {
  for (const classes of classCounts) {
    const columns = widths[classes % widths.length]!;
    for (const intercept of [false, true]) body(classes, sampleRows(classes, columns), intercept);
  }
}

onEveryBuild(
  'mlr_gradient: loss and gradient within their bounds, K = 2…67, all storages',
  (lab) => {
    everyShape((classes, rows, intercept) => {
      const problem = problemOf(rows, classes, intercept, classes);
      const want = oracle.gradient(problem);
      const before = floats(want.value.length, prngOf(5));
      const label = `K=${classes} d=${rows.columns} intercept=${intercept}`;
      const runs = storages.map((storage) => runGradient(lab, rows, problem, storage, before));
      for (const { loss, values, padding } of runs) {
        close(loss, want.loss, want.lossBound, `${label}: loss`);
        const total = want.value.map((value, i) => value + before[i]!);
        const rounding = gamma(rows.pixels.length + 1);
        const bound = want.bound.map(
          (b, i) => b + rounding * (Math.abs(before[i]!) + want.size[i]!),
        );
        allClose(values, total, bound, label);
        same(padding, new Float32Array(padding.length), `${label}: padding stays 0`);
        same(values, runs[0]!.values, `${label}: the storages agree bit for bit`);
        assert.is(loss, runs[0]!.loss, `${label}: and in the loss`);
      }
    });
  },
);

onEveryBuild('mlr_gradient: a row with target −1 adds nothing', (lab) => {
  const rows = randomRows({ count: 4, columns: 9, classes: 3, seed: 4 });
  rows.targets.fill(-1);
  const problem = problemOf(rows, 3, true, 4);
  const before = floats(30, prngOf(6));
  for (const storage of storages) {
    const { loss, values } = runGradient(lab, rows, problem, storage, before);
    assert.is(loss, 0);
    same(values, before, storage);
  }
});

/**
 * (φ(h) − φ(−h)) / 2h along a direction D of signs; φ''' is a sum of third central moments of D's
 * scores, each at most their range cubed. W and h·D are multiples of 2^−10: W ± h·D is exact.
 */
function checkDirection(lab: Lab, rows: SampleRows, classes: number, seed: number): void {
  const h = 2 ** -10;
  const prng = prngOf(seed);
  const base = problemOf(rows, classes, true, seed);
  const grid = Array.from(base.weights, (w) => Math.round(w / h) * h);
  const direction = grid.map(() => prng.below(3) - 1);
  const at = (step: number) => ({ ...base, weights: grid.map((w, i) => w + step * direction[i]!) });
  const options = { probabilities: false, sums: [0, 0, 0] as const };
  const losses = [h, -h].map((step) => runEvaluate(lab, rows, at(step), 'u8', options).sums[0]!);
  const slope = (losses[0]! - losses[1]!) / (2 * h);
  const third = rows.pixels.map((_, i) => {
    const { z } = oracle.scores({ ...base, weights: direction }, base.rows[i]!);
    return (Math.max(...z) - Math.min(...z)) ** 3;
  });
  const cubes = third.reduce((total, value) => total + value, 0);
  const noise = oracle.loss(at(h)).bound / h;
  const { values } = runGradient(lab, rows, at(0), 'u8', new Float32Array(grid.length));
  const { bound } = oracle.gradient(at(0));
  const inner = values.reduce((total, value, i) => total + value * direction[i]!, 0);
  const rounding = bound.reduce((total, value, i) => total + value * Math.abs(direction[i]!), 0);
  const allowed = (h * h * cubes) / 6 + noise + rounding;
  close(inner, slope, allowed, `K=${classes} seed=${seed}`);
  assert.ok(allowed < 0.01 * (1 + Math.abs(slope)), `the bound says something: ${allowed}`);
}

onEveryBuild(
  'mlr_gradient: is the slope of mlr_evaluate’s f64 loss (finite differences)',
  (lab) => {
    for (const classes of [2, 3, 4, 10, 17, 33]) {
      const rows = randomRows({ count: 8, columns: 13, classes, seed: classes });
      for (let seed = 0; seed < 6; seed++) checkDirection(lab, rows, classes, 10 * classes + seed);
    }
  },
);

onEveryBuild('mlr_evaluate: loss, best class, probabilities, counts, K = 2…67', (lab) => {
  everyShape((classes, rows, intercept) => {
    const problem = problemOf(rows, classes, intercept, classes);
    const want = oracle.loss(problem);
    const all = problem.rows.map((row) => oracle.scores(problem, row).z);
    for (const storage of storages) {
      const label = `K=${classes} d=${rows.columns} ${storage}`;
      const options = { probabilities: classes % 2 === 0, sums: [1, 100, 50] as const };
      const got = runEvaluate(lab, rows, problem, storage, options);
      const best = all.map((z) => z.indexOf(Math.max(...z)));
      assert.equal([...got.classes], best, label);
      close(got.sums[0]! - 1, want.value, want.bound + 2 * U64 * (1 + want.value), label);
      // A label the model does not know is wrong; its loss has no meaning and does not count.
      const known = rows.targets.filter((y) => y >= 0).length;
      const wrong = best.filter((k, i) => k !== rows.targets[i]).length;
      assert.equal([...got.sums.subarray(1)], [100 + known, 50 + wrong], label);
      if (!options.probabilities) continue;
      const p = all.flatMap((z) => oracle.softmax(z).p);
      // f64 errors are far below the one rounding to f32: half an ulp and a bit.
      const bound = p.map((value) => 1.001 * U32 * value);
      allClose(got.probabilities, p, bound, label);
    }
  });
});

const oneRow = (columns: number, target: number): SampleRows => ({
  pixels: [new Uint8Array(columns).fill(1)],
  targets: Int32Array.of(target),
  columns,
  scale: 1,
});

onEveryBuild('exp4: relative error below 1.2e-7 on [−87, 0], seen through the gradient', (lab) => {
  let worst = 0;
  for (let i = 0; i < 6000; i++) {
    // x = 1 and scores (0, −t, −t', −t''): G_k = p_k for k ≠ 0. Dense near 0, where e^x matters.
    const z = [0, 1, 2, 3].map((k) =>
      k === 0 ? 0 : -Math.fround(87 * ((3 * i + k) / 18000) ** 2),
    );
    const rows = oneRow(1, 0);
    const problem = { ...problemOf(rows, 4, false, 1), weights: z };
    const { values } = runGradient(lab, rows, problem, 'f32', new Float32Array(4));
    const { p } = oracle.softmax(z);
    for (const k of [1, 2, 3]) {
      // exp4(0) = 1 exactly: the sum is off only by the other terms. Then 5 roundings; but none,
      // and the sum is 1, when the other terms are less than half an ulp of 1.
      const error = Math.abs(values[k]! / p[k]! - 1);
      const alone = z[1]! < -20 && z[3]! < -20;
      const bound = oracle.EXP4_ERROR * (alone ? 1 : 2 - p[0]!) + (alone ? 0 : gamma(6));
      worst = Math.max(worst, error);
      assert.ok(error <= bound, `t=${-z[k]!}: ${error} > ${bound}`);
    }
  }
  assert.ok(worst > 0, 'something was measured');
});

onEveryBuild('exp64, log64: the loss of two classes is ln(1 + e^−t) to f64 precision', (lab) => {
  const options = { probabilities: false, sums: [0, 0, 0] as const };
  for (let i = 0; i <= 4000; i++) {
    const t = Math.fround(i < 2000 ? i / 1000 : 2 + ((i - 2000) / 50) ** 1.5);
    for (const target of [0, 1]) {
      const rows = oneRow(1, target);
      const problem = { ...problemOf(rows, 2, false, 1), weights: [0, -t] };
      const got = runEvaluate(lab, rows, problem, 'f32', options).sums[0]!;
      const ln = Math.log1p(Math.exp(-t));
      const want = ln + (target === 1 ? t : 0);
      // ln(1 + e) is as steep as 1: the errors of e^−t and of the rounded sum come through.
      const bound = oracle.LOG64_ERROR * ln + oracle.EXP64_ERROR * Math.exp(-t) + 2 * U64;
      close(got, want, bound + 2 * U64 * want, `t=${t} y=${target}`);
    }
  }
});

onEveryBuild('log64: relative error below 1e-15 at 2 … 4096 (equal scores)', (lab) => {
  const options = { probabilities: false, sums: [0, 0, 0] as const };
  for (const classes of [...Array(300).keys()].map((i) => Math.floor(2 + i ** 1.458))) {
    const rows = oneRow(1, classes - 1);
    const problem = { ...problemOf(rows, classes, false, 1), weights: new Float32Array(classes) };
    const got = runEvaluate(lab, rows, problem, 'f32', options).sums[0]!;
    close(got, Math.log(classes), oracle.LOG64_ERROR * Math.log(classes), `K=${classes}`);
  }
});

onEveryBuild('mlr: scores that differ by hundreds give certainty, not NaN', (lab) => {
  const rows = oneRow(1, 1);
  const problem = { ...problemOf(rows, 5, false, 1), weights: [900, -900, 0, 899, -3e38] };
  const { loss, values } = runGradient(lab, rows, problem, 'f32', new Float32Array(5));
  close(loss, 1800 + Math.log1p(Math.exp(-1)), 1800 * gamma(2), 'loss');
  const { p } = oracle.softmax(problem.weights);
  const want = p.map((value, k) => value - (k === 1 ? 1 : 0));
  allClose(
    values,
    want,
    want.map((v) => 4e-7 * Math.abs(v) + 1e-37),
    'gradient',
  );
  const options = { probabilities: true, sums: [0, 0, 0] as const };
  const got = runEvaluate(lab, rows, problem, 'f32', options);
  allClose(
    got.probabilities,
    p,
    p.map((v) => U32 * v),
    'probabilities',
  );
});

test.run();
