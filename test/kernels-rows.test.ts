// assembly/linalg/rows.ts: gathering and folding rows, and finding what is not finite.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { floats, integers, onEveryBuild, permutation, prngOf, same } from './helpers/lab.ts';

const rowFloats = [4, 8, 12, 20, 64];

onEveryBuild('rows_oldest: the least clock of listed rows outside the own range', (lab) => {
  const clocks = lab.input(Int32Array.of(9, -1, 4, 0x7fff_ffff, 2, 7));
  const oldest = (rows: number[], first: number, last: number) =>
    lab.kernels.rows_oldest(rows.length, lab.input(Int32Array.from(rows)), clocks, first, last);
  assert.is(oldest([0, 2, 5], 0, 0), 4);
  assert.is(oldest([0, 2, 4], 2, 5), 9);
  assert.is(oldest([1], 0, 0), -1);
  assert.is(oldest([2, 3], 2, 3), 0x7fff_ffff);
  assert.is(oldest([], 0, 0), 0x7fff_ffff);
});

onEveryBuild('rows_gather: row i of the result is row rows[i] of the table', (lab) => {
  for (const columns of rowFloats) {
    for (const count of [0, 1, 2, 7, 40]) {
      lab.reset();
      const prng = prngOf(columns * 100 + count);
      const table = floats(columns * 23, prng);
      const rows = integers(count, 23, prng);
      const out = lab.output(count * columns * 4);
      lab.kernels.rows_gather(count, columns * 4, lab.input(rows), lab.input(table), out);
      const want = Array.from(rows, (row) => [
        ...table.subarray(row * columns, (row + 1) * columns),
      ]).flat();
      same(lab.f32(out, count * columns), want, `${count} × ${columns}`);
      lab.check(`${count} × ${columns}`);
    }
  }
});

onEveryBuild('f32_add_checked: adds, or names the first value that is not finite', (lab) => {
  for (let n = 0; n <= 68; n += 4) {
    const prng = prngOf(n);
    const x = floats(n, prng);
    const y = floats(n, prng);
    const sum = x.map((value, i) => value + y[i]!);
    lab.reset();
    const yAt = lab.output(y);
    assert.is(lab.kernels.f32_add_checked(n, lab.input(x), yAt), -1, `n=${n}`);
    same(lab.f32(yAt, n), sum, `n=${n}`);
    lab.check(`n=${n}`);
    for (let i = 0; i < n; i++) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        lab.reset();
        const poisoned = Float32Array.from(x);
        poisoned[i] = bad;
        const target = lab.output(y);
        const found = lab.kernels.f32_add_checked(n, lab.input(poisoned), target);
        assert.is(found, i, `n=${n}, ${bad} at ${i}`);
        const group = i & ~3;
        const want = [...sum.subarray(0, group), ...y.subarray(group)];
        same(lab.f32(target, n), want, `n=${n}: nothing from its group of 4 on is added`);
        lab.check(`n=${n}, ${bad} at ${i}`);
      }
    }
  }
});

onEveryBuild('f32_rows_add, i32_rows_add: fold the rows of a range and no other', (lab) => {
  for (const columns of rowFloats) {
    for (const count of [0, 1, 5, 17]) {
      const prng = prngOf(columns + 7 * count);
      const rows = permutation(23, prng).subarray(0, count);
      for (const [first, last] of [
        [0, 23],
        [5, 14],
        [9, 9],
      ] as const) {
        lab.reset();
        const table = integers(columns * 23, 1000, prng);
        const values = integers(columns * count, 1000, prng);
        const want = Int32Array.from(table);
        rows.forEach((row, i) => {
          if (row < first || row >= last) return;
          for (let j = 0; j < columns; j++) want[row * columns + j]! += values[i * columns + j]!;
        });
        // Small integers: f32 sums are exact, so both kernels have one expectation.
        const [ints, reals] = [lab.output(table), lab.output(Float32Array.from(table))];
        const rowsAt = lab.input(rows);
        const [a, b] = [lab.input(values), lab.input(Float32Array.from(values))];
        const { f32_rows_add, i32_rows_add } = lab.kernels;
        assert.is(i32_rows_add(count, columns * 4, rowsAt, a, ints, first, last), -1);
        assert.is(f32_rows_add(count, columns * 4, rowsAt, b, reals, first, last), -1);
        same(lab.i32(ints, table.length), want, `i32 ${count} × ${columns}`);
        same(lab.f32(reals, table.length), want, `f32 ${count} × ${columns}`);
        lab.check(`${count} × ${columns} in [${first}, ${last})`);
      }
    }
  }
});

onEveryBuild('f32_rows_add: names the row whose delta is not finite, in its range only', (lab) => {
  const rows = Int32Array.of(3, 0, 6, 2);
  for (let bad = 0; bad < 4; bad++) {
    for (let j = 0; j < 8; j++) {
      lab.reset();
      const values = floats(4 * 8, prngOf(bad));
      values[bad * 8 + j] = j % 2 ? NaN : -Infinity;
      const table = lab.output(floats(8 * 8, prngOf(9)));
      const [rowsAt, valuesAt] = [lab.input(rows), lab.input(values)];
      const add = (first: number, last: number) =>
        lab.kernels.f32_rows_add(4, 32, rowsAt, valuesAt, table, first, last);
      assert.is(add(0, 8), rows[bad], `row ${rows[bad]} lane ${j}`);
      assert.is(add(7, 8), -1, 'a row of another shard is another thread’s to judge');
      lab.check(`row ${rows[bad]} lane ${j}`);
    }
  }
});

test.run();
