// assembly/linalg/gram.ts, and what repacks and shifts rows, against float64: every n = 0…67.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, lengths, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import { pairsOf, placeRows, randomRows, storages, type SampleRows } from './helpers/samples.ts';
import * as oracle from './oracle/gram.ts';
import { gamma, sum, U32, U64 } from './oracle/rounding.ts';

const doubles = (n: number, seed: number) => Float64Array.from(floats(n, prngOf(seed)));

/** A symmetric positive definite matrix as its lower triangle; above it NaN, which nobody reads. */
function definite(n: number): Float64Array {
  const root = doubles(n * n, 300 + n);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    if (j > i) return NaN;
    const terms = Array.from({ length: n }, (_, k) => root[i * n + k]! * root[j * n + k]!);
    return sum(terms) + (i === j ? 1 : 0);
  });
}

const sampleOf = (columns: number): SampleRows =>
  randomRows({ count: 7, columns, classes: 2, seed: 40 + columns });

onEveryBuild('gram_add_curved: G += Σ w x xᵀ of every step-th row, lower triangle', (lab) => {
  const K = 3;
  for (const d of lengths) {
    for (const [intercept, step] of [
      [0, 1],
      [1, 3],
    ] as const) {
      const rows = sampleOf(d);
      const n = d + intercept;
      // Rows of alpha: K probabilities, then padding that nobody reads.
      const prng = prngOf(70 + d);
      const alpha = rows.pixels.map(() => {
        const parts = Array.from({ length: K }, () => 0.1 + prng.uniform());
        return [...parts.map((part) => Math.fround(part / sum(parts))), NaN];
      });
      const curvature = (i: number) =>
        (1 - sum(alpha[i]!.slice(0, K).map((share) => share * share))) / K;
      const chosen = rows.pixels.flatMap((_, i) => {
        if (i % step !== 0) return [];
        return [[...pairsOf(rows, i), ...(intercept ? [[d, 1] as const] : [])]];
      });
      const weights = rows.pixels.map((_, i) => curvature(i)).filter((_, i) => i % step === 0);
      const want = oracle.gram(chosen, n, weights);
      const before = doubles(n * n, d);
      const lower = (_: number, at: number) => at % n <= Math.floor(at / n);
      for (const storage of storages) {
        const label = `${storage} d=${d} intercept=${intercept}`;
        lab.reset();
        const { code, directory, scale } = placeRows(lab, rows, storage);
        const G = lab.output(before);
        const work = lab.output(2 * (d + 17) * 4);
        const { length } = rows.pixels;
        const { kernels } = lab;
        const duals = lab.input(Float32Array.from(alpha.flat()));
        const added = kernels.gram_add_curved(
          ...([code, length, step, directory, d, scale, intercept, K, 16, duals, G, work] as const),
        );
        lab.check(label);
        assert.is(added, chosen.length, label);
        const got = lab.f64(G, n * n);
        const rounding = gamma(chosen.length + 8, U64);
        const total = before.map((value, at) => value + want.value[at]!);
        const bound = before.map((value, at) => rounding * (Math.abs(value) + want.size[at]!));
        allClose(got.filter(lower), total.filter(lower), bound.filter(lower), label);
        const upper = (_: number, at: number) => !lower(_, at);
        same(got.filter(upper), before.filter(upper), `${label}: above the diagonal`);
      }
    }
  }
});

onEveryBuild(
  'cholesky: L Lᵀ = A within n + 1 roundings of |L| |L|ᵀ; cholesky_solve: A X = B',
  (lab) => {
    for (const n of lengths) {
      lab.reset();
      const A = definite(n);
      const at = lab.output(A);
      assert.is(lab.kernels.cholesky(n, at), 0, `n=${n}`);
      lab.check(`n=${n}`);
      const L = lab.f64(at, n * n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          if (j > i) assert.ok(Number.isNaN(L[i * n + j]), 'above the diagonal nothing is written');
          if (j > i) continue;
          const { value, size } = oracle.product(L, n, i, j);
          // Higham, theorem 10.3.
          close(value, A[i * n + j]!, gamma(n + 3, U64) * size, `n=${n} [${i},${j}]`);
        }
      }
      const lanes = 4 * (1 + (n % 3));
      const B = floats(n * lanes, prngOf(n));
      const [X, work] = [lab.output(B), lab.output(n * lanes * 8)];
      lab.kernels.cholesky_solve(n, lab.input(L), lanes * 4, X, work);
      lab.check(`solve n=${n}`);
      checkSolution(n, { A, L, B, X: lab.f32(X, n * lanes), lanes });
    }
  },
);

/**
 * |B − A X| ≤ γ_{3n+1} |L| |Lᵀ| |X| in f64 (Higham, theorem 10.4), and |A| times X's rounding to
 * f32 at the end.
 */
function checkSolution(
  n: number,
  solved: { A: Float64Array; L: Float64Array; B: Float32Array; X: Float32Array; lanes: number },
): void {
  const { A, L, B, X, lanes } = solved;
  const whole = oracle.mirrored(A, n);
  for (let i = 0; i < n; i++) {
    const sizes = Array.from({ length: n }, (_, j) => oracle.product(L, n, i, j).size);
    for (let k = 0; k < lanes; k++) {
      let bound = 0;
      const terms = sizes.map((size, j) => {
        const x = X[j * lanes + k]!;
        const factor = whole[i * n + j]!;
        bound += (gamma(3 * n + 4, U64) * size + 1.01 * U32 * Math.abs(factor)) * Math.abs(x);
        return factor * x;
      });
      close(sum(terms), B[i * lanes + k]!, bound, `n=${n} [${i}][${k}]`);
    }
  }
}

onEveryBuild('cholesky: a pivot that is not positive gives 1 + its row', (lab) => {
  for (const n of lengths.slice(1)) {
    for (const [row, pivot] of [
      [n - 1, 0],
      [n >> 1, -3],
      [0, NaN],
    ] as const) {
      lab.reset();
      const A = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 4 : 0));
      A[row * n + row] = pivot;
      assert.is(lab.kernels.cholesky(n, lab.output(A)), 1 + row, `n=${n} pivot ${pivot}`);
      lab.check(`n=${n}`);
    }
  }
  // [1 2; 2 1] is indefinite although its diagonal is positive.
  assert.is(lab.kernels.cholesky(2, lab.output(Float64Array.of(1, NaN, 2, 1))), 2);
});

onEveryBuild('rows_sum_columns, rows_sum_squares_columns: sums on top of what was there', (lab) => {
  for (const d of lengths) {
    const rows = sampleOf(d);
    const before = doubles(d, d);
    const { length } = rows.pixels;
    for (const squares of [false, true]) {
      const totals = Float64Array.from(before);
      const sizes = before.map(Math.abs);
      rows.pixels.forEach((_, i) => {
        for (const [j, x] of pairsOf(rows, i)) {
          totals[j]! += squares ? x * x : x;
          sizes[j]! += squares ? x * x : Math.abs(x);
        }
      });
      const bound = sizes.map((size) => 2 * gamma(length, U64) * size);
      for (const storage of storages) {
        lab.reset();
        const { code, directory, scale } = placeRows(lab, rows, storage);
        const [sums, work] = [lab.output(before), lab.output(2 * (d + 16) * 4)];
        const { rows_sum_columns, rows_sum_squares_columns } = lab.kernels;
        if (squares) rows_sum_squares_columns(code, length, directory, d, scale, sums, work);
        else rows_sum_columns(code, length, directory, d, scale, sums, work);
        lab.check(`${storage} d=${d}`);
        allClose(lab.f64(sums, d), totals, bound, `${storage} d=${d} squares=${squares}`);
      }
    }
  }
});

onEveryBuild('rows_scale: each row times its factor, correctly rounded', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const lanes = 4 * (1 + (n % 5));
    const factors = floats(n, prngOf(n));
    const X = floats(n * lanes, prngOf(n + 1));
    const at = lab.output(X);
    lab.kernels.rows_scale(n, lanes * 4, lab.input(factors), at);
    lab.check(`n=${n}`);
    const want = X.map((x, i) => x * factors[Math.floor(i / lanes)]!);
    same(lab.f32(at, n * lanes), want, `n=${n}`);
  }
});

onEveryBuild(
  'rows_repack: packs, pads, repeats and takes single lanes, nothing in between',
  (lab) => {
    for (const n of lengths) {
      for (const rows of [0, 1, 5]) {
        for (const [from, to] of [
          [n, n],
          [n + 3, n],
          [n, n + 5],
          [0, n + 1],
        ] as const) {
          lab.reset();
          const source = floats(rows * from + n, prngOf(n));
          const before = floats(rows * to + n, prngOf(n + 1));
          const at = lab.output(before);
          lab.kernels.rows_repack(rows, n * 4, from * 4, to * 4, lab.input(source), at);
          lab.check(`n=${n}`);
          const want = before.slice();
          for (let i = 0; i < rows; i++) want.set(source.subarray(i * from, i * from + n), i * to);
          same(lab.f32(at, want.length), want, `n=${n} rows=${rows} ${from} → ${to}`);
        }
      }
    }
  },
);

onEveryBuild('f32_shift: x + a, correctly rounded', (lab) => {
  for (const n of lengths) {
    for (const shift of [0, 4]) {
      lab.reset();
      const x = floats(n, prngOf(n));
      const a = Math.fround(0.3);
      const at = lab.output(x, shift);
      lab.kernels.f32_shift(n, a, at);
      lab.check(`n=${n}`);
      same(
        lab.f32(at, n),
        x.map((value) => value + a),
        `n=${n}`,
      );
    }
  }
});

test.run();
