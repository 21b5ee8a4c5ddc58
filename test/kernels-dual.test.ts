// assembly/models/softmax-dual.ts against the exact row subproblem in float64.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  dualOf,
  flat,
  placeDual,
  squareOf,
  startDual,
  type DualProblem,
  type Snapshot,
} from './helpers/dual.ts';
import { allClose, close, floats, lengths, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import { paddedOf } from './helpers/mlr.ts';
import { pairsOf, randomRows, storages } from './helpers/samples.ts';
import * as oracle from './oracle/dual.ts';
import { gamma, sum, U32, U64 } from './oracle/rounding.ts';
import { EXP4_ERROR, softmax } from './oracle/softmax.ts';

const classCounts = Array.from({ length: 66 }, (_, i) => i + 2);
const widths = [1, 5, 16, 19, 33];
/** 1/(λn): the subproblem's q runs from below 1 to hundreds. */
const rates = [0.01, 0.3, 5, 100];
/** Where a single visit takes nearly all there is to gain, and the share it may miss (measured). */
const qModerate = 50;
const missedMax = 0.1;
/** Visits that bring a row to its optimum from anywhere (measured: 2 do). */
const visits = 6;
const order = { a: 3, c: 2 };

function sampleOf(classes: number, columns = widths[classes % widths.length]!) {
  return randomRows({ count: 5, columns, classes, seed: classes * 100 + columns });
}

function problemFor(classes: number, intercept: boolean): DualProblem {
  const il = rates[classes % rates.length]!;
  const sigma = 1 + (classes % 3);
  return dualOf(sampleOf(classes), classes, intercept, { il, boost: intercept ? 2.5 : 0, sigma });
}

onEveryBuild('mlr_dual_start: m_i, ‖x_i − x̄‖², e_y and entropy 0, d = 0…67', (lab) => {
  for (const d of lengths) {
    for (const intercept of [false, true]) {
      const classes = 2 + (d % 9);
      const rows = sampleOf(classes, d);
      const problem = dualOf(rows, classes, intercept, { il: 1, boost: 1, sigma: 1 });
      for (const storage of storages) {
        const label = `${storage} d=${d} intercept=${intercept}`;
        const started = startDual(lab, problem, storage);
        const count = rows.pixels.length;
        const mean = intercept ? problem.mean : new Float32Array(d);
        const M = squareOf(mean);
        let total = 0;
        rows.pixels.forEach((_, i) => {
          const row = pairsOf(rows, i);
          const terms = row.map(([j, x]) => x * mean[j]!);
          const m = sum(terms);
          const squares = sum(row.map(([, x]) => x * x));
          const size = squares + 2 * sum(terms.map(Math.abs)) + M;
          const off = gamma(d + 4, U64) * size;
          const norm = Math.max(0, squares - 2 * m + M);
          close(lab.f32(started.dots, count)[i]!, m, off + U32 * Math.abs(m), `${label} m`);
          close(lab.f32(started.norms, count)[i]!, norm, 2 * off + U32 * norm, `${label} norm`);
          total += norm;
        });
        close(started.total, total, gamma(d + 9, U64) * (total + 4 * count * (d + M)), label);
        const lanes = paddedOf(classes);
        const alpha = Float32Array.from({ length: count * lanes }, (_, at) =>
          at % lanes === rows.targets[Math.floor(at / lanes)] ? 1 : 0,
        );
        same(lab.f32(started.alpha, count * lanes), alpha, `${label} e_y`);
        same(lab.f32(started.negEntropy, count), new Float32Array(count), `${label} entropy`);
      }
    }
  }
});

type Step = {
  readonly problem: DualProblem;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly sums: { readonly gap: number; readonly loss: number };
  /** The row that is to change. */
  readonly i: number;
  readonly M: number;
  readonly label: string;
};

/** The subproblem that the kernel met at row i, and the error of its f32 scores. */
function met({ problem, before, i, M }: Step) {
  const { rows, classes, intercept, il, boost, sigma } = problem;
  const row = pairsOf(rows, i);
  const m = before.dots[i]!;
  const state = intercept ? { state: before.state } : {};
  const { z, error } = oracle.dualScores(row, { classes, w: before.w, ...state, m, M });
  const q = (before.norms[i]! + boost) * il * sigma;
  return { row, m, z, error, q, old: before.alpha[i]! };
}

/** Distribution, entropy, ascent, nearness to the optimum; returns the share of the gain missed. */
function checkDual(step: Step): number {
  const { after, i, label, problem } = step;
  const { z, error, q, old } = met(step);
  const K = problem.classes;
  const alpha = after.alpha[i]!;
  assert.ok(
    alpha.every((value) => value >= 0),
    `${label}: α ≥ 0`,
  );
  close(sum(alpha), 1, gamma(K + 8), `${label}: Σ α = 1`);
  // |u| ≤ |z| + q at the optimum; 30 is how far the start of the iteration may lie below.
  const size = Math.max(...z.map(Math.abs)) + q + 30;
  const entropyOff = oracle.entropyBound(K, size);
  close(after.negEntropy[i]!, oracle.negativeEntropy(alpha), entropyOff, `${label}: Σ α ln α`);
  const subproblem = { z, q, old };
  const [was, is] = [oracle.value(subproblem, old), oracle.value(subproblem, alpha)];
  const best = oracle.value(subproblem, oracle.optimum(subproblem));
  // The kernel allows itself 1e-6 (1 + q); it sees scores off by `error`, entropies off by their
  // bound, and a sum of K terms of α's step.
  const travel = sum(Array.from(alpha, (value, k) => Math.abs(value - old[k]!)));
  const noise =
    1e-6 * (1 + q) + travel * error + 2 * entropyOff + gamma(K + 8) * travel * (size + q);
  assert.ok(is >= was - noise, `${label}: F fell by ${was - is} > ${noise}`);
  assert.ok(best >= is - noise, `${label}: the oracle is the optimum`);
  return Math.max(0, best - is - noise) / Math.max(best - was, noise);
}

/** W, bias, centre and shift move along α's change; all other rows stay. */
function checkMoves(step: Step): void {
  const { problem, before, after, i, label } = step;
  const { intercept, classes: K, il, sigma, boost } = problem;
  const { row, m } = met(step);
  after.alpha.forEach((alpha, at) => {
    if (at !== i) same(alpha, before.alpha[at]!, `${label}: only row ${i} changes`);
    if (at !== i) assert.is(after.negEntropy[at], before.negEntropy[at], label);
  });
  const h = Array.from(after.alpha[i]!, (value, k) => -il * sigma * (value - before.alpha[i]![k]!));
  const check = (got: Float32Array, was: Float32Array, factor: number, name: string) => {
    const want = h.map((value, k) => was[k]! + factor * value);
    const bound = h.map((value, k) => gamma(5) * (Math.abs(was[k]!) + Math.abs(factor * value)));
    allClose(got, want, bound, `${label} ${name}`);
  };
  const factors = new Map(row);
  for (let j = 0; j < problem.rows.columns; j++) {
    const part = (from: Float32Array) => from.subarray(j * K, (j + 1) * K);
    const factor = factors.get(j);
    if (factor === undefined) same(part(after.w), part(before.w), `${label}: w of a zero`);
    else check(part(after.w), part(before.w), factor, `w ${j}`);
  }
  [boost, 1, m].forEach((factor, part) => {
    const [got, was] = [after.state[part]!, before.state[part]!];
    if (intercept) check(got, was, factor, ['bias', 'c', 's'][part]!);
    else same(got, was, `${label}: no intercept, no state`);
  });
}

/** The sums are KL(α ‖ softmax z) and −ln p_y of the point that was met. */
function checkSums(step: Step): void {
  const { problem, before, sums, i, label } = step;
  const { z, error, old } = met(step);
  const { logSum } = softmax(z);
  const size = Math.max(...z.map(Math.abs), Math.abs(logSum));
  const spread = Math.max(...z) - Math.min(...z);
  // The log-sum: exp4, z − max z, K additions, and f32 at the end; α·z: K products and sums.
  const off = 2 * error + EXP4_ERROR + gamma(problem.classes + 8) * (1 + 2 * size) + U32 * spread;
  const entropy = before.negEntropy[i]!;
  const gap = oracle.divergence(z, old) - oracle.negativeEntropy(old) + entropy;
  close(sums.gap, gap, off + gamma(3) * Math.abs(entropy), `${label} KL`);
  close(sums.loss, logSum - z[problem.rows.targets[i]!]!, off, `${label} loss`);
}

onEveryBuild(
  'mlr_dual_pass: each step ascends its row’s dual, W and state follow, K = 2…67',
  (lab) => {
    for (const classes of classCounts) {
      for (const intercept of [false, true]) {
        const problem = problemFor(classes, intercept);
        const count = problem.rows.pixels.length;
        const { pass, read, M } = placeDual(lab, problem, 'u8', order);
        for (let turn = 0; turn < 2 * count; turn++) {
          const j = turn % count;
          const i = (order.a * j + order.c) % count;
          const label = `K=${classes} intercept=${intercept} turn=${turn} row=${i}`;
          const before = read();
          const sums = pass(j, j + 1);
          const step: Step = { problem, before, after: read(), sums, i, M, label };
          const missed = checkDual(step);
          // Two damped Newton steps: nearly all of the gain while q is moderate; beyond, the rest
          // comes with the next visits.
          if (met(step).q <= qModerate)
            assert.ok(missed <= missedMax, `${label}: missed ${missed}`);
          checkMoves(step);
          checkSums(step);
        }
      }
    }
  },
);

onEveryBuild(
  'mlr_dual_pass: an order visits every row once; one call is many; storages agree',
  (lab) => {
    for (const classes of classCounts) {
      const problem = problemFor(classes, classes % 2 === 0);
      const count = problem.rows.pixels.length;
      const single = placeDual(lab, problem, 'u8', order);
      const start = single.read();
      let [gap, loss] = [0, 0];
      for (let j = 0; j < count; j++) {
        const sums = single.pass(j, j + 1);
        gap += sums.gap;
        loss += sums.loss;
      }
      const want = single.read();
      want.alpha.forEach((alpha, i) => {
        assert.not.equal([...alpha], [...start.alpha[i]!], `K=${classes}: row ${i} was visited`);
      });
      for (const storage of storages) {
        const label = `${storage} K=${classes}`;
        const whole = placeDual(lab, problem, storage, order);
        const sums = whole.pass(0, count);
        same(flat(whole.read()), flat(want), label);
        close(sums.gap, gap, gamma(count, U64) * gap, label);
        close(sums.loss, loss, gamma(count, U64) * loss, label);
      }
    }
  },
);

onEveryBuild('mlr_dual_pass: visits to a single row end at α = softmax(z), whatever q', (lab) => {
  for (const classes of classCounts) {
    const problem = problemFor(classes, classes % 3 === 0);
    const rows = randomRows({ count: 2, columns: problem.rows.columns, classes, seed: classes });
    const { pixels, targets } = rows;
    const row = { ...rows, pixels: pixels.slice(1), targets: targets.slice(1) };
    const alone = { ...problem, rows: row, sigma: 1 };
    const { pass, read, M } = placeDual(lab, alone, 'u8', { a: 1, c: 0 });
    for (let turn = 0; turn < visits; turn++) pass(0, 1);
    const before = read();
    const sums = pass(0, 1);
    const label = `K=${classes}`;
    const step = { problem: alone, before, after: read(), sums, i: 0, M, label };
    checkSums(step);
    const { z, error, q } = met(step);
    const size = Math.max(...z.map(Math.abs)) + q;
    // With one row and σ = 1, q is how far z really moves: F's optimum is the problem's.
    // A gain below 1e-6 (1 + q) may be passed over: F's curvature is at least q, KL's at most 1/α.
    const noise = 2 * error + 1e-6 * (1 + q) + 4 * oracle.entropyBound(classes, size);
    close(oracle.divergence(z, before.alpha[0]!), 0, noise, `${label} q=${q}`);
  }
});

/** One row of one column, x = 1, on the given scores, α from e_0. */
function scored(z: readonly number[], il: number): DualProblem {
  const rows = { pixels: [Uint8Array.of(1)], targets: Int32Array.of(0), columns: 1, scale: 1 };
  const made = dualOf(rows, z.length, false, { il, boost: 0, sigma: 1 });
  return { ...made, w: Float32Array.from(z) };
}

onEveryBuild(
  'mlr_dual_pass: extreme scores stay finite and ascend, for small and large q',
  (lab) => {
    for (const classes of classCounts) {
      const shapes = [
        (k: number) => (k === 0 ? 900 : -900 / (classes - 1)),
        (k: number) => (k === classes - 1 ? 900 : -900 / (classes - 1)),
        (k: number) => (k % 2 === 0 ? 1e6 : -1e6),
        // Softmax does not see what all scores share.
        (k: number) => -500 + k / classes,
        (k: number) => 500 - k / classes,
        (k: number) => -1e5 * (1 + k),
      ];
      for (const [shape, of] of shapes.entries()) {
        for (const il of [1e-4, 0.5, 3, 1000]) {
          const problem = scored(
            Array.from({ length: classes }, (_, k) => of(k)),
            il,
          );
          const { pass, read, M } = placeDual(lab, problem, 'u8', { a: 1, c: 0 });
          const before = read();
          const sums = pass(0, 1);
          const after = read();
          flat(after);
          const label = `K=${classes} shape=${shape} il=${il}`;
          const step = { problem, before, after, sums, i: 0, M, label };
          checkDual(step);
          checkMoves(step);
          checkSums(step);
        }
      }
    }
  },
);

onEveryBuild('mlr_dual_delta: (delta − w) / σ, three roundings, n a multiple of 4', (lab) => {
  for (const n of lengths.map((length) => 4 * length)) {
    for (const sigma of [1, 3, 1.5]) {
      lab.reset();
      const [w, delta] = [floats(n, prngOf(n)), floats(n, prngOf(n + 1))];
      const at = lab.output(delta);
      lab.kernels.mlr_dual_delta(n, sigma, lab.input(w), at);
      lab.check(`n=${n}`);
      const want = Array.from(delta, (value, i) => (value - w[i]!) / sigma);
      const bound = want.map((value) => gamma(3) * Math.abs(value));
      allClose(lab.f32(at, n), want, bound, `n=${n} σ=${sigma}`);
    }
  }
});

test.run();
