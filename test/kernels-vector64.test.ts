// Dense f64 vectors, and the solution of a small system, against plain arrays.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, noise, onEveryBuild, same } from './helpers/lab.ts';
import { placeRows, randomRows } from './helpers/samples.ts';

onEveryBuild('f64 vectors: every length', (lab) => {
  for (let n = 0; n < 20; n++) {
    lab.reset();
    const [x, y] = [noise(n, n + 1), noise(n, n + 2)];
    const [xAt, yAt, outAt] = [lab.input(x), lab.output(y), lab.output(n * 8)];
    const { kernels } = lab;
    const sum = (of: (i: number) => number) => x.reduce((total, _, i) => total + of(i), 0);
    close(
      kernels.f64_dot(n, xAt, yAt),
      sum((i) => x[i]! * y[i]!),
      1e-14,
      `dot ${n}`,
    );
    close(
      kernels.f64_sum_abs(n, xAt),
      sum((i) => Math.abs(x[i]!)),
      1e-14,
      `abs ${n}`,
    );
    assert.is(kernels.f64_max_abs(n, xAt), Math.max(0, ...x.map(Math.abs)));
    const over = sum((i) => Math.max(0, Math.abs(x[i]!) - 0.3) ** 2);
    close(kernels.f64_excess_squares(n, 0.3, xAt), over, 1e-14, `excess ${n}`);
    kernels.f64_divide(n, xAt, yAt, outAt);
    same(
      lab.f64(outAt, n),
      x.map((value, i) => value / y[i]!),
      `divide ${n}`,
    );
    kernels.f64_axpy(n, 3, xAt, yAt);
    allClose(
      lab.f64(yAt, n),
      y.map((value, i) => value + 3 * x[i]!),
      1e-15,
      `axpy ${n}`,
    );
    const before = lab.f64(yAt, n);
    kernels.f64_xpay(n, 0.5, xAt, yAt);
    same(
      lab.f64(yAt, n),
      before.map((value, i) => x[i]! + 0.5 * value),
      `xpay ${n}`,
    );
    const shifted = lab.f64(yAt, n).map((value) => value + 0.25);
    kernels.f64_shift(n, 0.25, yAt);
    same(lab.f64(yAt, n), shifted, `shift ${n}`);
    kernels.f64_round_step(n, xAt, yAt);
    const rounded = shifted.map((value, i) => Math.fround(x[i]! + value) - x[i]!);
    same(lab.f64(yAt, n), rounded, `round ${n}`);
    lab.check(`n=${n}`);
  }
});

onEveryBuild('f64_sum_parts, f32_widen, directory_count', (lab) => {
  for (const n of [1, 5]) {
    lab.reset();
    const parts = noise(3 * n, n);
    const out = lab.output(n * 8);
    lab.kernels.f64_sum_parts(n, 3, lab.input(parts), out);
    const sums = parts.slice(0, n).map((value, i) => value + parts[n + i]! + parts[2 * n + i]!);
    same(lab.f64(out, n), sums, `parts ${n}`);
    const narrow = Float32Array.from(parts);
    const wide = lab.output(3 * n * 8);
    lab.kernels.f32_widen(3 * n, lab.input(narrow), wide);
    same(lab.f64(wide, 3 * n), narrow, `widen ${n}`);
    lab.check(`n=${n}`);
  }
  lab.reset();
  const rows = randomRows({ count: 17, columns: 2, classes: 3, seed: 1 });
  const { directory } = placeRows(lab, rows, 'u8');
  const twos = rows.targets.filter((target) => target === 2).length;
  assert.is(lab.kernels.directory_count(17, 2, directory), twos);
});

onEveryBuild('cholesky_solve_vector: the solution of a system', (lab) => {
  for (const n of [1, 2, 3, 8]) {
    lab.reset();
    const B = noise(n * n, n);
    const A = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < n; k++) A[i * n + j]! += B[i * n + k]! * B[j * n + k]!;
      }
      A[i * n + i]! += 1;
    }
    const x = noise(n, 9);
    const b = x.map((_, i) => x.reduce((sum, value, j) => sum + A[i * n + j]! * value, 0));
    const [L, at] = [lab.output(A), lab.output(b)];
    assert.is(lab.kernels.cholesky(n, L), 0);
    lab.kernels.cholesky_solve_vector(n, L, at);
    allClose(lab.f64(at, n), x, 1e-12, `n=${n}`);
    lab.check(`n=${n}`);
  }
});

test.run();
