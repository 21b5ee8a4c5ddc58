// assembly/linalg/vector.ts against float64, every length 0…67, aligned and not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, integers, same } from './helpers/lab.ts';
import { lengths, onEveryBuild, prngOf, type Lab } from './helpers/lab.ts';
import { gamma, U32, U64 } from './oracle/rounding.ts';
import { dot, magnitudes } from './oracle/vector.ts';

/** Runs `body` for every length at the alignments 0 and 4 (x) and 0 and 8 (y). */
function sweep(
  lab: Lab,
  body: (at: {
    n: number;
    x: Float32Array;
    y: Float32Array;
    xShift: number;
    yShift: number;
  }) => void,
): void {
  for (const n of lengths) {
    for (const [xShift, yShift] of [
      [0, 0],
      [4, 8],
    ] as const) {
      lab.reset();
      const prng = prngOf(1000 + n);
      body({ n, x: floats(n, prng), y: floats(n, prng), xShift, yShift });
      lab.check(`n=${n} shift=${xShift}`);
    }
  }
}

onEveryBuild('f32_dot: within n roundings of the exact sum', (lab) => {
  sweep(lab, ({ n, x, y, xShift, yShift }) => {
    const got = lab.kernels.f32_dot(n, lab.input(x, xShift), lab.input(y, yShift));
    const bound = gamma(n) * dot(magnitudes(x), magnitudes(y));
    close(got, dot(x, y), bound, `n=${n}`);
  });
});

onEveryBuild('f32_dot: its bits depend on n and the values, not on alignment', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const prng = prngOf(n);
    const x = floats(n, prng);
    const y = floats(n, prng);
    const first = lab.kernels.f32_dot(n, lab.input(x), lab.input(y));
    assert.is(lab.kernels.f32_dot(n, lab.input(x, 12), lab.input(y, 4)), first, `n=${n}`);
  }
});

onEveryBuild('f32_dot_wide, f32_sum_squares: within n f64 roundings', (lab) => {
  sweep(lab, ({ n, x, y, xShift, yShift }) => {
    const [xAt, yAt] = [lab.input(x, xShift), lab.input(y, yShift)];
    const bound = gamma(n + 1, U64) * dot(magnitudes(x), magnitudes(y));
    close(lab.kernels.f32_dot_wide(n, xAt, yAt), dot(x, y), bound, `n=${n}`);
    close(lab.kernels.f32_sum_squares(n, xAt), dot(x, x), gamma(n + 1, U64) * dot(x, x), `n=${n}`);
  });
});

onEveryBuild('f32_axpy: one product and one sum, each rounded', (lab) => {
  sweep(lab, ({ n, x, y, xShift, yShift }) => {
    const a = Math.fround(-0.7);
    const yAt = lab.output(y, yShift);
    lab.kernels.f32_axpy(n, a, lab.input(x, xShift), yAt);
    const want = Array.from(x, (value, i) => y[i]! + a * value);
    const bound = Array.from(x, (value, i) => gamma(2) * (Math.abs(y[i]!) + Math.abs(a * value)));
    allClose(lab.f32(yAt, n), want, bound, `n=${n}`);
  });
});

onEveryBuild('f32_add, f32_scale: correctly rounded', (lab) => {
  sweep(lab, ({ n, x, y, xShift, yShift }) => {
    const yAt = lab.output(y, yShift);
    lab.kernels.f32_add(n, lab.input(x, xShift), yAt);
    // Two f32 add and multiply without loss in f64 up to one rounding that f32's absorbs.
    same(
      lab.f32(yAt, n),
      x.map((value, i) => value + y[i]!),
      `add n=${n}`,
    );
    const a = Math.fround(1.1);
    const xAt = lab.output(x, xShift);
    lab.kernels.f32_scale(n, a, xAt);
    same(
      lab.f32(xAt, n),
      x.map((value) => a * value),
      `scale n=${n}`,
    );
  });
});

onEveryBuild('f32_add: y + x is exact to half an ulp also when lanes differ by 2^30', (lab) => {
  const x = Float32Array.from({ length: 67 }, (_, i) => 3 * 2 ** (i % 31));
  const y = Float32Array.from({ length: 67 }, (_, i) => (i % 2 ? -1 : 1) / 3);
  const yAt = lab.output(y);
  lab.kernels.f32_add(67, lab.input(x), yAt);
  const want = Array.from(x, (value, i) => value + y[i]!);
  const bound = want.map((value) => U32 * Math.abs(value));
  allClose(lab.f32(yAt, 67), want, bound, 'mixed');
});

onEveryBuild('i32_add: wraps like 32-bit integers', (lab) => {
  for (const n of lengths) {
    for (const shift of [0, 4]) {
      lab.reset();
      const prng = prngOf(n);
      const [x, y] = [0, 1].map(() => integers(n, 2 ** 32, prng)) as [Int32Array, Int32Array];
      const yAt = lab.output(y, shift);
      lab.kernels.i32_add(n, lab.input(x), yAt);
      same(
        lab.i32(yAt, n),
        x.map((value, i) => (value + y[i]!) | 0),
        `n=${n}`,
      );
      lab.check(`n=${n}`);
    }
  }
});

onEveryBuild('f32_finite: finds the first NaN or infinity wherever it is', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const x = floats(n, prngOf(n));
    assert.is(lab.kernels.f32_finite(n, lab.input(x)), -1, `all finite, n=${n}`);
    for (let i = 0; i < n; i += 1 + (n >> 4)) {
      const bad = Float32Array.from(x);
      bad[i] = [NaN, Infinity, -Infinity][i % 3]!;
      if (i + 3 < n) bad[i + 3] = NaN;
      assert.is(lab.kernels.f32_finite(n, lab.input(bad)), i, `n=${n}, bad at ${i}`);
    }
    lab.check(`n=${n}`);
  }
});

test.run();
