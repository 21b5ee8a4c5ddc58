// assembly/medlda: topics of tokens against the joint by enumeration, what is drawn against its
// moments, and the tables.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, onEveryBuild, prngOf, type Lab } from './helpers/lab.ts';
import { bagsOf } from './helpers/lda.ts';
import { openSupervised } from './helpers/medlda.ts';
import { logGamma, type Documents } from './oracle/lda.ts';
import {
  shares,
  shortfall,
  supervisedPosterior,
  system,
  type Supervised,
} from './oracle/medlda.ts';
import { chiSquared } from './oracle/chi-squared.ts';

const small: { documents: Documents; problem: Supervised } = {
  documents: [[0, 0, 1], [1, 2], [2]],
  problem: {
    ...{ words: 3, alpha: [0.6, 0.6, 0.6], beta: 0.4, cost: 0.7, margin: 1.5 },
    ...{ targets: [0, 1, -1] },
    eta: [
      [1.5, -0.5, 0.2],
      [-1, 2, 0.4],
    ],
    lambda: [
      [0.8, 2],
      [1.1, 0.6],
      [1, 1],
    ],
  },
};

const words = (lab: Lab, seed: number) => {
  const prng = prngOf(seed);
  return lab.output(Int32Array.of(prng.uint32() | 0, prng.uint32() | 0));
};

type Opened = ReturnType<typeof openSupervised>;
function open(lab: Lab, { plan, size }: Opened, documents: number): void {
  assert.is(lab.kernels.medlda_open(0, documents, 0, 1 << 20, 1, 2, plan), size);
}

/** n_dk, n_kw and n_k are those of the tokens' topics. */
function checkCounts(lab: Lab, opened: Opened, documents: Documents, topics: number) {
  const { width } = opened;
  const z = opened.topicsNow();
  const totals = new Array<number>(topics).fill(0);
  const table = new Map<number, number>();
  z.forEach((own, d) => {
    const mine = new Array<number>(width).fill(0);
    own.forEach((k, i) => {
      mine[k]! += 1;
      totals[k]! += 1;
      const cell = documents[d]![i]! * width + k;
      table.set(cell, (table.get(cell) ?? 0) + 1);
    });
    assert.equal([...lab.i32(opened.rows + d * width * 4, width)], mine, `n_dk of ${d}`);
  });
  assert.equal([...lab.i32(opened.totals, topics)], totals, 'n_k');
  const most = Math.max(...documents.flat()) + 1;
  lab.i32(opened.table, most * width).forEach((n, cell) => {
    assert.is(n, table.get(cell) ?? 0, `n_kw, cell ${cell}`);
  });
}

onEveryBuild('medlda_sample: long chains have the posterior of all assignments', (lab) => {
  const { documents, problem } = small;
  const opened = openSupervised(lab, documents, problem);
  open(lab, opened, documents.length);
  const prng = prngOf(3);
  const want = supervisedPosterior(documents, problem);
  const found = new Float64Array(want.length);
  const [draws, thinning] = [lab.variant === 'debug' ? 4_000 : 40_000, 6];
  for (let pass = 0; pass < draws * thinning; pass++) {
    const word = 1 + (pass % 2);
    for (const [low, high] of [
      [0, word],
      [word, 3],
    ] as const) {
      lab.kernels.medlda_sample(0, 3, low, high, prng.uint32(), prng.uint32(), opened.plan);
    }
    if (pass % thinning !== 0) continue;
    found[
      opened
        .topicsNow()
        .flat()
        .reduceRight((code, k) => code * 3 + k, 0)
    ]! += 1;
  }
  lab.check('chain');
  checkCounts(lab, opened, documents, 3);
  const { statistic, bound, cells } = chiSquared(found, want, draws);
  assert.ok(statistic < bound, `${statistic} of ${cells} cells`);
});

onEveryBuild(
  'medlda_open, medlda_sample: counts are those of the tokens, for many topics',
  (lab) => {
    for (const topics of [2, 7, 8, 9, 33, 100]) {
      lab.reset();
      const prng = prngOf(topics);
      const documents = Array.from({ length: 9 }, () =>
        Array.from({ length: prng.below(30) }, () => prng.below(11)).sort((a, b) => a - b),
      );
      const row = (size: number) => Array.from({ length: topics }, () => size * prng.uniform() - 3);
      const problem = {
        ...{ words: 11, alpha: row(0).fill(0.2), beta: 0.1, cost: 1.6, margin: 64 },
        targets: documents.map((_, d) => (d % 4) - 1),
        eta: [row(60), row(60), row(6)],
        lambda: documents.map(() => [1e-6, 3, 80]),
      };
      const opened = openSupervised(lab, documents, problem);
      assert.is(opened.end, opened.size);
      assert.equal([...lab.i32(opened.tokens, opened.size)], documents.flat());
      open(lab, opened, documents.length);
      checkCounts(lab, opened, documents, topics);
      let changes = 0;
      for (const [low, high] of [
        [0, 4],
        [4, 11],
      ] as const) {
        changes += lab.kernels.medlda_sample(0, 9, low, high, 5, topics, opened.plan);
      }
      assert.ok(changes > 0);
      lab.check(`K=${topics}`);
      checkCounts(lab, opened, documents, topics);
    }
  },
);

onEveryBuild(
  'medlda_lambda: the reciprocal is inverse Gaussian; hinge loss and accuracy',
  (lab) => {
    const { documents, problem } = small;
    const opened = openSupervised(lab, documents, problem);
    open(lab, opened, documents.length);
    const z = opened.topicsNow();
    const sums = lab.output(new Float64Array(2));
    const random = words(lab, 9);
    const draws = lab.variant === 'debug' ? 4_000 : 40_000;
    const found = Array.from({ length: 4 }, () => ({ value: 0, inverse: 0, square: 0 }));
    let right = 0;
    for (let draw = 0; draw < draws; draw++) {
      right = lab.kernels.medlda_lambda(0, 3, opened.plan, sums, random);
      lab.f32(opened.lambdas, 4).forEach((lambda, i) => {
        found[i]!.value += lambda / draws;
        found[i]!.inverse += 1 / lambda / draws;
        found[i]!.square += lambda ** 2 / draws;
      });
    }
    lab.check('lambda');
    let hinge = 0;
    found.forEach(({ value, inverse, square }, i) => {
      const [d, t] = [i >> 1, i & 1];
      const zeta = shortfall(problem, shares(z[d]!, 3), [problem.targets[d]!, t]);
      hinge += Math.max(0, zeta);
      // X inverse Gaussian (1/m, 1): E X = 1/m, Var X = 1/m³; E 1/X = m + 1, Var 1/X = m + 2.
      const m = problem.cost * Math.abs(zeta);
      close(value, m + 1, 5 * Math.sqrt((m + 2) / draws), `E λ ${i}`);
      close(inverse, 1 / m, 5 * Math.sqrt(1 / m ** 3 / draws), `E 1/λ ${i}`);
      // 1/X is IG(m, m²) + χ²: its fourth central moment is 15 m + 48 + 3 (m + 2)² ≤ 15 (m + 2)².
      const variance = square - value ** 2;
      close(variance, m + 2, 5 * (m + 2) * Math.sqrt(15 / draws), `Var λ ${i}`);
    });
    const [loss = 0, known] = lab.f64(sums, 2);
    close(loss / draws, hinge, 1e-5, 'hinge');
    assert.is(known, 2 * draws);
    const best = [0, 1].map((d) => {
      const scores = problem.eta.map((row) =>
        row.reduce((s, v, k) => s + v * shares(z[d]!, 3)[k]!, 0),
      );
      return Number(scores.indexOf(Math.max(...scores)) === problem.targets[d]);
    });
    assert.is(right, best[0]! + best[1]!);
  },
);

onEveryBuild('medlda_system, medlda_weights: the Gaussian of the weights', (lab) => {
  const { documents, problem } = small;
  const opened = openSupervised(lab, documents, problem);
  open(lab, opened, documents.length);
  const z = opened.topicsNow();
  const [P, work, b] = [72, 48, 24].map((bytes) => lab.output(bytes)) as [number, number, number];
  const sum = lab.output(new Float64Array(3));
  const random = words(lab, 4);
  const { kernels } = lab;
  const want = system(problem, z, 1);
  kernels.medlda_system(1, 0, 2, opened.plan, P, b, work);
  kernels.medlda_system(1, 2, 3, opened.plan, P, b, work);
  allClose(lab.f64(b, 3), want.b, 1e-5, 'b');
  const lower = (at: number) => [0, 3, 4, 6, 7, 8].map((i) => lab.f64(at, 9)[i]!);
  const flat = want.P.flat();
  allClose(
    lower(P),
    [0, 3, 4, 6, 7, 8].map((i) => flat[i]!),
    1e-5,
    'P',
  );
  assert.is(kernels.cholesky(3, P), 0);
  const mean = lab.output(lab.f64(b, 3));
  kernels.cholesky_solve_vector(3, P, mean);
  const right = lab.i32(b, 6);
  const draws = lab.variant === 'debug' ? 4_000 : 40_000;
  const centered: number[][] = [];
  const center = [...lab.f64(mean, 3)];
  for (let draw = 0; draw < draws; draw++) {
    right.forEach((word, i) => lab.write(b + 4 * i, word));
    kernels.medlda_weights(1, opened.plan, P, b, draw === 0 ? sum : 0, work, random);
    centered.push([...lab.f32(opened.etas + opened.width * 4, 3)].map((x, k) => x - center[k]!));
    if (draw % 500 === 499) lab.check('weights');
  }
  allClose(lab.f64(sum, 3), center, 1e-12, 'the mean');
  const covariance = (i: number, j: number) =>
    centered.reduce((all, x) => all + x[i]! * x[j]!, 0) / draws;
  // P times the covariance is the unit matrix.
  for (let i = 0; i < 3; i++) {
    const first = centered.reduce((all, x) => all + x[i]!, 0) / draws;
    close(first, 0, 5 * Math.sqrt(covariance(i, i) / draws), `mean ${i}`);
    for (let j = 0; j < 3; j++) {
      const cell = want.P[i]!.reduce((all, p, k) => all + p * covariance(k, j), 0);
      const spread = Math.sqrt((want.P[i]![i]! * covariance(j, j) + 1) / draws);
      close(cell, i === j ? 1 : 0, 6 * spread, `P Σ ${i} ${j}`);
    }
  }
  const sums = lab.input(Float64Array.of(2, 4, 6, -2, 0, 8));
  const packed = lab.output(24);
  assert.is(kernels.medlda_mean(2, sums, packed, opened.plan), 1 + 4 + 9 + 1 + 0 + 16);
  assert.equal([...lab.f32(packed, 6)], [1, 2, 3, -1, 0, 4]);
  assert.equal([...lab.f32(opened.etas + opened.width * 4, 3)], [-1, 0, 4]);
  lab.check('mean');
});

onEveryBuild('medlda_lost, medlda_export: rows that add up, and as they are saved', (lab) => {
  const rows = Int32Array.of(
    1,
    0,
    2,
    9,
    9,
    9,
    9,
    9,
    0,
    0,
    0,
    9,
    9,
    9,
    9,
    9,
    4,
    5,
    0,
    9,
    9,
    9,
    9,
    9,
  );
  const at = lab.input(rows);
  const totals = lab.output(Int32Array.of(10, 0, 0));
  const starts = lab.input(Int32Array.of(3, 6, 6, 14));
  assert.is(lab.kernels.medlda_lost(3, 3, 32, starts, at, totals), 1, 'one row has 9 and not 8');
  assert.equal([...lab.i32(totals, 3)], [15, 5, 2]);
  const out = [4, 9, 9].map((n) => lab.output(new Int32Array(n))) as [number, number, number];
  assert.is(lab.kernels.medlda_export(3, 3, 32, 2, at, ...out), 6);
  assert.equal([...lab.i32(out[0], 4)], [2, 4, 4, 6]);
  assert.equal([...lab.i32(out[1] + 8, 4)], [0, 2, 0, 1]);
  assert.equal([...lab.i32(out[2] + 8, 4)], [1, 2, 4, 5]);
  lab.check('tables');
});

onEveryBuild('medlda_classes: the class of the greatest score, from shares', (lab) => {
  const documents = [[0, 0, 1, 4], [2, 4], [4], [1]];
  const bags = bagsOf(documents);
  const [rowStart, index, count] = [bags.starts, bags.words, bags.counts].map((values) =>
    lab.input(values),
  ) as [number, number, number];
  // Word 4 is none of the model's: lengths are 3, 1, 0 and 1. z̄ as below, α = ½, K = 2.
  const known = [3, 1, 0, 1];
  const means = [
    [2 / 3, 1 / 3],
    [0, 1],
    [0, 0],
    [1, 0],
  ];
  const mixtures = new Float32Array(16);
  const topics = new Int32Array(mixtures.buffer);
  means.forEach((mean, d) => {
    mean.forEach((share, k) => {
      topics[4 * d + 2 * k] = k;
      mixtures[4 * d + 2 * k + 1] = (known[d]! * share + 0.5) / (known[d]! + 1);
    });
  });
  const eta = [
    [1, 0],
    [-1, 2],
  ];
  const before = 0.25;
  const scores = lab.output(new Float32Array(8).fill(before));
  const classes = lab.output(16);
  const right = lab.kernels.medlda_classes(
    ...([4, 2, 2, 4, 0.5, rowStart, index, count, lab.input(Int32Array.of(0, 1, 1, -1))] as const),
    ...([lab.input(mixtures), lab.input(Float32Array.from(eta.flat())), classes, scores] as const),
  );
  const want = means.flatMap((mean) =>
    eta.map((row) => before + row[0]! * mean[0]! + row[1]! * mean[1]!),
  );
  allClose(lab.f32(scores, 8), want, 1e-5, 'scores');
  assert.equal([...lab.i32(classes, 4)], [0, 1, 0, 0]);
  assert.is(right, 2);
  lab.check('classes');
});

onEveryBuild('lda_rises, lda_length_rises: sums of lnΓ(a + n) − lnΓ(a)', (lab) => {
  const counts = [0, 1, 3, 8, 9, 250];
  const ends = counts.reduce((all, n) => [...all, all.at(-1) + n], [4]);
  for (const a of [0.01, 2.5, 300]) {
    lab.reset();
    const want = counts.reduce((sum, n) => sum + logGamma(a + n) - logGamma(a), 0);
    const flat = lab.input(Int32Array.from(counts));
    close(lab.kernels.lda_rises(counts.length, a, flat), want, 1e-10 * Math.abs(want), `a=${a}`);
    const starts = lab.input(Int32Array.from(ends));
    const found = lab.kernels.lda_length_rises(counts.length, a, starts);
    close(found, want, 1e-10 * Math.abs(want), `lengths, a=${a}`);
  }
});

test.run();
