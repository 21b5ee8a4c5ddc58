// assembly/models/softmax-certificate.ts and mlr_softmax_rows against float64, K = 2…67.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, lengths, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import { pad, paddedOf, problemOf, unpad } from './helpers/mlr.ts';
import { pairsOf, placeRows, randomRows, storages, type SampleRows } from './helpers/samples.ts';
import * as oracle from './oracle/certificate.ts';
import { divergence, negativeEntropy } from './oracle/dual.ts';
import { gamma, U32, U64 } from './oracle/rounding.ts';
import * as mlr from './oracle/softmax.ts';

const classCounts = Array.from({ length: 66 }, (_, i) => i + 2);
const widths = [1, 5, 16, 19, 33];
const doubles = (n: number, seed: number) => Float64Array.from(floats(n, prngOf(seed)));

function sampleOf(classes: number): SampleRows {
  const columns = widths[classes % widths.length]!;
  return randomRows({ count: 6, columns, classes, seed: classes * 100 + columns });
}

/** Distributions, one spread out, one a single class, one with a tiny entry. */
function distributions(count: number, classes: number, seed: number): Float32Array[] {
  const prng = prngOf(seed);
  return Array.from({ length: count }, (_, i) => {
    const raw = Array.from({ length: classes }, () => prng.uniform() ** (1 + 4 * (i % 3)));
    if (i === 1) raw.fill(0).fill(1, 0, 1);
    if (i === 2) raw[classes - 1] = 3e-8;
    const total = raw.reduce((a, b) => a + b, 0);
    return Float32Array.from(raw, (value) => value / total);
  });
}

const flatten = (rows: readonly Float32Array[]) => rows.flatMap((row) => [...row]);

onEveryBuild(
  'mlr_dual_balance: Σ (α − e_y) and Σ (diag α − ααᵀ) on top of what was there',
  (lab) => {
    for (const K of classCounts) {
      lab.reset();
      const rows = sampleOf(K);
      const count = rows.pixels.length;
      const alpha = distributions(count, K, K);
      const { directory } = placeRows(lab, rows, 'u8');
      const [rBefore, matrixBefore] = [doubles(K, 1), doubles(K * K, 2)];
      const [r, matrix] = [lab.output(rBefore), lab.output(matrixBefore)];
      const at = lab.input(pad(flatten(alpha), K, NaN));
      lab.kernels.mlr_dual_balance(count, directory, K, paddedOf(K) * 4, at, r, matrix);
      lab.check(`K=${K}`);
      const want = oracle.balance(alpha, rows.targets, K);
      const rounding = gamma(2 * count + 2, U64);
      const r0 = want.r.map((value, k) => value + rBefore[k]!);
      allClose(lab.f64(r, K), r0, rounding * 2 * (count + 1), `K=${K} r`);
      // Terms with α_k < 1e-7 are left out, in both places of the diagonal's.
      const m0 = want.matrix.map((value, k) => value + matrixBefore[k]!);
      const off = rounding * 2 * (count + 1) + count * 1e-7;
      allClose(lab.f64(matrix, K * K), m0, off, `K=${K} matrix`);
    }
  },
);

onEveryBuild('mlr_dual_rebuild: mends the duals and adds up the weights they stand for', (lab) => {
  for (const K of classCounts) {
    for (const storage of storages) {
      lab.reset();
      const rows = sampleOf(K);
      const [count, d, lanes] = [rows.pixels.length, rows.columns, paddedOf(K)];
      const label = `${storage} K=${K}`;
      const alpha = distributions(count, K, K);
      // Large enough that some entries end at 0.
      const t = floats(K, prngOf(K)).map((value) => 3 * value);
      const dotsOf = floats(count, prngOf(K + 1));
      const [w0, state0] = [floats(d * K, prngOf(2)), floats(3 * K, prngOf(3))];
      const il = Math.fround(0.3);
      const { code, directory, scale } = placeRows(lab, rows, storage);
      const alphaAt = lab.output(pad(flatten(alpha), K, 0));
      const negEntropy = lab.output(count * 4);
      const [w, state] = [lab.output(pad(w0, K, 0)), lab.output(pad(state0, K, 0))];
      const work = lab.output(lanes * 4 + 2 * (d + 16) * 4);
      lab.kernels.mlr_dual_rebuild(
        ...([code, count, directory, d, scale, K, lanes * 4, lab.input(t), il] as const),
        ...([alphaAt, negEntropy, lab.input(dotsOf), w, state, work] as const),
      );
      lab.check(label);

      const mended = alpha.map((a) => oracle.mend(a, t));
      const got = unpad(lab.f32(alphaAt, count * lanes), K);
      const wanted = mended.flatMap((row) => row.alpha);
      // f64, then rounded to f32 twice; where α (1 − t + mean) nearly cancels, f64 still shows.
      allClose(
        got.values,
        wanted,
        wanted.map((a) => 1.001 * gamma(2) * a + 1e-15),
        `${label} α`,
      );
      const stored = alpha.map((_, i) => got.values.subarray(i * K, (i + 1) * K));
      const entropies = stored.map(negativeEntropy);
      const bound = entropies.map((value) => 2 * U32 * Math.abs(value) + K * 1e-14);
      allClose(lab.f32(negEntropy, count), entropies, bound, `${label} Σ α ln α`);

      const duals = { alpha: stored, targets: rows.targets };
      // The state is a table of bias, centre and shift: its "columns" 1 and 2 are 1 and m_i.
      const features = rows.pixels.map((_, i) => pairsOf(rows, i));
      const centred = rows.pixels.map((_, i) => [[1, 1] as const, [2, dotsOf[i]!] as const]);
      const sums = [
        { rows: features, columns: d, before: w0, at: w },
        { rows: centred, columns: 3, before: state0, at: state },
      ];
      for (const { rows: pairs, columns, before, at } of sums) {
        const { value, size } = oracle.outer(pairs, duals, columns, K);
        const { values, padding } = unpad(lab.f32(at, columns * lanes), K);
        same(padding, new Float32Array(padding.length), `${label}: padding stays 0`);
        const total = value.map((x, i) => before[i]! + il * x);
        const off = size.map((x, i) => gamma(count + 4) * (Math.abs(before[i]!) + il * x));
        allClose(values, total, off, `${label} sums of ${columns} rows`);
      }
    }
  }
});

onEveryBuild('mlr_dual_uncentre: w − mean·centreᵀ, and Σ mean·w of the result in f64', (lab) => {
  for (const rows of lengths) {
    lab.reset();
    const lanes = 4 * (1 + (rows % 5));
    const [mean, centre] = [floats(rows, prngOf(rows)), floats(lanes, prngOf(rows + 1))];
    const [w0, out0] = [floats(rows * lanes, prngOf(rows + 2)), doubles(lanes, rows + 3)];
    const [w, out] = [lab.output(w0), lab.output(out0)];
    const [meanAt, centreAt] = [lab.input(mean), lab.input(centre)];
    lab.kernels.mlr_dual_uncentre(rows, lanes * 4, meanAt, centreAt, w, out);
    lab.check(`rows=${rows}`);
    const got = lab.f32(w, rows * lanes);
    const parts = Array.from(w0, (_, at) => mean[Math.floor(at / lanes)]! * centre[at % lanes]!);
    const want = parts.map((part, at) => w0[at]! - part);
    const bound = parts.map((part, at) => gamma(2) * (Math.abs(part) + Math.abs(w0[at]!)));
    allClose(got, want, bound, `rows=${rows}`);
    for (let k = 0; k < lanes; k++) {
      let [total, size] = [out0[k]!, Math.abs(out0[k]!)];
      mean.forEach((mu, j) => {
        total += mu * got[j * lanes + k]!;
        size += Math.abs(mu * got[j * lanes + k]!);
      });
      close(lab.f64(out, lanes)[k]!, total, 2 * gamma(rows + 1, U64) * size, `rows=${rows} [${k}]`);
    }
  }
});

onEveryBuild('mlr_dual_score: loss, rows, wrong rows, KL and balance, all storages', (lab) => {
  for (const K of classCounts) {
    for (const intercept of [false, true]) {
      const rows = sampleOf(K);
      const [count, d, lanes] = [rows.pixels.length, rows.columns, paddedOf(K)];
      const problem = problemOf(rows, K, intercept, K);
      const alpha = distributions(count, K, K);
      const before = [1, 100, 50, 3];
      const rBefore = doubles(K, K);
      const loss = mlr.loss(problem);
      const all = problem.rows.map((row) => mlr.scores(problem, row));
      const normal = alpha.map((a) => {
        const total = a.reduce((x, y) => x + y, 0);
        return Float64Array.from(a, (value) => value / total);
      });
      let gap = 0;
      let gapSize = 0;
      all.forEach(({ z, size }, i) => {
        gap += divergence(z, normal[i]!);
        gapSize += 4 * (1 + size + Math.log(K)) * (problem.rows[i]!.length + K + 8);
      });
      const wrong = all.filter(({ z }, i) => z.indexOf(Math.max(...z)) !== rows.targets[i]).length;
      const { r } = oracle.balance(normal, rows.targets, K);
      for (const storage of storages) {
        lab.reset();
        const label = `${storage} K=${K} intercept=${intercept}`;
        const { code, directory, scale } = placeRows(lab, rows, storage);
        const [sums, rAt] = [lab.output(Float64Array.from(before)), lab.output(rBefore)];
        const work = lab.output(2 * (d + 16) * 4 + 2 * lanes * 4);
        const w = lab.input(pad(problem.weights, K, NaN));
        const alphaAt = lab.input(pad(flatten(alpha), K, NaN));
        lab.kernels.mlr_dual_score(
          ...([code, count, directory, d, scale, K, lanes * 4, intercept ? 1 : 0] as const),
          ...([w, alphaAt, sums, rAt, work] as const),
        );
        lab.check(label);
        const got = lab.f64(sums, 4);
        close(got[0]!, 1 + loss.value, loss.bound + 2 * U64 * (1 + loss.value), `${label} loss`);
        assert.equal([...got.subarray(1, 3)], [100 + count, 50 + wrong], label);
        close(got[3]!, 3 + gap, U64 * (gapSize + 8 * (3 + gap)) + count * 5e-15, `${label} KL`);
        const want = r.map((value, k) => value + rBefore[k]!);
        allClose(lab.f64(rAt, K), want, gamma(2 * count + K, U64) * 2 * (count + 1), `${label} r`);
      }
    }
  }
});

onEveryBuild('mlr_softmax_rows: α = softmax of the scores, padding 0, all storages', (lab) => {
  for (const K of classCounts) {
    for (const intercept of [false, true]) {
      const rows = sampleOf(K);
      const [count, d, lanes] = [rows.pixels.length, rows.columns, paddedOf(K)];
      const problem = problemOf(rows, K, intercept, K);
      const want: number[] = [];
      const bound: number[] = [];
      for (const row of problem.rows) {
        const { z, size } = mlr.scores(problem, row);
        const zeta = gamma(row.length + 1) * size;
        const spread = Math.max(...z) - Math.min(...z) + 2 * zeta;
        const relative = Math.expm1(
          2 * zeta + 2 * U32 * spread + 2.1 * mlr.EXP4_ERROR + gamma(K + 5),
        );
        const { p } = mlr.softmax(z);
        want.push(...p);
        bound.push(...p.map((value) => value * relative + K * mlr.EXP4_LEAST));
      }
      for (const storage of storages) {
        lab.reset();
        const { code, directory, scale } = placeRows(lab, rows, storage);
        const alpha = lab.output(count * lanes * 4);
        const work = lab.output(2 * (d + 16) * 4);
        const w = lab.input(pad(problem.weights, K, NaN));
        lab.kernels.mlr_softmax_rows(
          ...([code, count, directory, d, scale, K, lanes * 4] as const),
          ...([intercept ? 1 : 0, w, alpha, work] as const),
        );
        const label = `${storage} K=${K} intercept=${intercept}`;
        lab.check(label);
        const { values, padding } = unpad(lab.f32(alpha, count * lanes), K);
        same(padding, new Float32Array(padding.length), `${label}: padding`);
        allClose(values, want, bound, label);
      }
    }
  }
});

test.run();
