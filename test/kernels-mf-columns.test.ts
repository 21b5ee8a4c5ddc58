// assembly/models/mf-columns.ts, and what mf-rows.ts has besides mf_rows: ratings by rows, first
// values, moments, errors, the best of many.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, floats, integers, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import { gamma, sum, U64 } from './oracle/rounding.ts';

const others = 7;
const dot = (a: readonly number[], c: readonly number[]) => sum(a.map((v, k) => v * c[k]!));

onEveryBuild('mf_cut: ids as they come, in parts of equal cost', (lab) => {
  for (const [n, G] of [1, 2, 3, 17, 400].flatMap((n) => [1, 4, 64].map((G) => [n, G] as const))) {
    lab.reset();
    const counts = integers(n, 20, prngOf(n)).map((count, id) => (id === 0 ? 90 : count));
    const [rank, part, starts] = [n, n, G + 1].map((size) => lab.output(size * 4));
    lab.kernels.mf_cut(n, G, lab.input(counts), rank!, part!, starts!);
    lab.check(`n=${n} G=${G}`);
    same(
      lab.i32(rank!, n),
      Int32Array.from(counts, (_, id) => id),
      'rank is the id',
    );
    const bounds = lab.i32(starts!, G + 1);
    assert.is(bounds[0], 0);
    assert.is(bounds[G], n);
    const cost = (id: number) => counts[id]! + 8;
    const total = sum(Array.from(counts, (_, id) => cost(id)));
    for (let g = 0; g < G; g++) {
      let weight = 0;
      for (let id = bounds[g]!; id < bounds[g + 1]!; id++) {
        assert.is(lab.i32(part!, n)[id], g);
        weight += cost(id);
      }
      // A part begins at the first id at or after its share: off by less than one id.
      assert.ok(Math.abs(weight - total / G) <= 98, `n=${n} G=${G} part ${g}: ${weight}`);
    }
  }
});

onEveryBuild('mf_row_starts, mf_place_rows: input order in each row, the pilot first', (lab) => {
  for (const [count, every] of [0, 1, 7, 500].flatMap((n) => [1, 3].map((e) => [n, e] as const))) {
    lab.reset();
    const prng = prngOf(count);
    const [rows, others, firstRow] = [9, 13, 40];
    const row = integers(count, rows, prng).map((r) => r + firstRow);
    const other = integers(count, others, prng);
    const values = floats(count, prng);
    const parts = integers(others, 5, prng);
    const counts = new Int32Array(rows);
    row.forEach((r) => (counts[r - firstRow] = counts[r - firstRow]! + 1));
    const [starts, cursors] = [lab.output((rows + 1) * 4), lab.output(rows * 4)];
    lab.kernels.mf_row_starts(rows, lab.input(counts), starts, cursors);
    const [ids, out] = [lab.output(count * 4), lab.output(count * 4)];
    const [rowAt, otherAt, valueAt] = [lab.input(row), lab.input(other), lab.input(values)];
    const partAt = lab.input(parts);
    const ends: number[][] = [];
    for (let which = 0; which < (every > 1 ? 2 : 1); which++) {
      lab.kernels.mf_place_rows(
        ...([count, firstRow, 0.5, every, which, rowAt, otherAt, valueAt] as const),
        ...([partAt, cursors, ids, out] as const),
      );
      ends.push([...lab.i32(cursors, rows)]);
    }
    lab.check(`count=${count} every=${every}`);
    for (let r = 0; r < rows; r++) {
      const mine = [...row.keys()].filter((j) => row[j] === r + firstRow);
      const early = (j: number) => parts[other[j]!]! % every === 0;
      const want = [...mine.filter(early), ...mine.filter((j) => !early(j))];
      const start = lab.i32(starts, rows + 1)[r]!;
      assert.is(ends.at(-1)[r], start + mine.length);
      assert.is(ends[0]![r], start + mine.filter(early).length);
      want.forEach((j, place) => {
        assert.is(lab.i32(ids, count)[start + place], other[j]);
        assert.is(lab.f32(out, count)[start + place], Math.fround(values[j]! - 0.5));
      });
    }
  }
});

onEveryBuild(
  'mf_confidence: a weight’s root and a target; what is not liked weighs nothing',
  (lab) => {
    const counts = Float32Array.of(3, 0, 0.25, 1000, -2);
    const [values, weights] = [lab.output(counts), lab.output(counts.length * 4)];
    lab.kernels.mf_confidence(counts.length, 0.5, values, weights);
    lab.check('confidence');
    counts.forEach((count, j) => {
      const w = count > 0 ? count / 2 : 0;
      assert.is(lab.f32(weights, 5)[j], Math.fround(Math.sqrt(w)));
      assert.is(lab.f32(values, 5)[j], w > 0 ? Math.fround((1 + w) / Math.sqrt(w)) : 0);
    });
  },
);

onEveryBuild(
  'mf_first_rows, mf_unpack: blocks of lanes, by id; rows one behind the other',
  (lab) => {
    for (const [b, blocks, skip, rank, one] of [
      [4, 1, 0, 3, -1],
      [8, 3, 2, 20, 0],
      [4, 2, 2, 6, 1],
    ] as const) {
      for (const nonNegative of [0, 1]) {
        lab.reset();
        const n = 11;
        const counts = Int32Array.from({ length: n }, (_, id) => id % 3);
        const table = lab.output(n * b * blocks * 4);
        const lanes = b * blocks;
        const put = (first: number, last: number) =>
          lab.kernels.mf_first_rows(
            ...([first, last, n, b, blocks, skip, rank, one, nonNegative, 5, 0.01, 0.1] as const),
            ...([lab.input(counts), table] as const),
          );
        put(0, 4);
        put(4, n);
        const out = lab.output(n * lanes * 4);
        lab.kernels.mf_unpack(0, n, n, b, 0, lanes, lanes * 4, table, out);
        const part = lab.output(n * rank * 4);
        lab.kernels.mf_unpack(0, n, n, b, skip, rank, rank * 4, table, part);
        lab.check(`b=${b}`);
        const cells = lab.f32(table, n * lanes);
        for (let id = 0; id < n; id++) {
          for (let lane = 0; lane < lanes; lane++) {
            const value = lab.f32(out, n * lanes)[id * lanes + lane]!;
            const place = (Math.floor(lane / b) * n + id) * b + (lane % b);
            assert.is(value, cells[place]);
            const factor = lane >= skip && lane < skip + rank;
            if (factor) assert.is(lab.f32(part, n * rank)[id * rank + lane - skip], value);
            if (!factor || id % 3 === 0) assert.is(value, lane === one ? 1 : 0);
            else assert.ok(value !== 0 && value > (nonNegative ? 0 : -0.4) && value < 0.4);
          }
        }
      }
    }
  },
);

onEveryBuild('mf_moments: Σ x xᵀ of some rows of a table in blocks', (lab) => {
  for (const [b, blocks, n] of [
    [4, 1, 1],
    [4, 3, 20],
    [12, 2, 300],
  ] as const) {
    lab.reset();
    const lanes = b * blocks;
    const table = floats(n * lanes, prngOf(n));
    const [G, work] = [lab.output(lanes * lanes * 4), lab.output(256 * lanes * 4)];
    const first = n > 1 ? 1 : 0;
    lab.kernels.mf_moments(first, n, n, b, blocks, lab.input(table), G, work);
    lab.check(`b=${b} blocks=${blocks}`);
    const at = (row: number, lane: number) =>
      table[(Math.floor(lane / b) * n + row) * b + (lane % b)]!;
    const want: number[] = [];
    const bounds: number[] = [];
    for (let i = 0; i < lanes; i++) {
      for (let j = 0; j < lanes; j++) {
        const terms = Array.from(
          { length: n - first },
          (_, r) => at(first + r, i) * at(first + r, j),
        );
        want.push(sum(terms));
        bounds.push(gamma(n + 2) * sum(terms.map(Math.abs)));
      }
    }
    allClose(lab.f32(G, lanes * lanes), want, bounds, `b=${b} blocks=${blocks}`);
  }
});

onEveryBuild('mf_top: the best rows that are not known, best first', (lab) => {
  for (const [n, known] of [
    [1, 0],
    [3, 3],
    [8, 2],
    [40, 7],
  ] as const) {
    lab.reset();
    const prng = prngOf(n);
    // Small whole numbers: scores are exact, and some are equal.
    const whole = (size: number) => floats(size, prng).map((v) => Math.round(3 * v));
    const [p, rows] = [whole(8), whole(n * 8)];
    const ids = Int32Array.from({ length: known }, (_, k) => (k * 5) % n);
    const marks = lab.output(new Uint8Array(n));
    const found = lab.output(10 * 8);
    const [idsAt, pAt, rowsAt] = [lab.input(ids), lab.input(p), lab.input(rows)];
    const count = lab.kernels.mf_top(n, 32, 10, known, idsAt, marks, pAt, rowsAt, found);
    lab.check(`n=${n}`);
    assert.ok(
      lab.u8(marks, n).every((mark) => mark === 0),
      'marks are cleared',
    );
    const score = (i: number) => dot([...p], [...rows.subarray(8 * i, 8 * i + 8)]);
    const want = Array.from({ length: n }, (_, i) => i)
      .filter((i) => !ids.includes(i))
      .sort((a, c) => score(c) - score(a) || a - c)
      .slice(0, 10);
    assert.equal([...lab.i32(found, count)], want, `n=${n}`);
  }
});

onEveryBuild('mf_rows_error: errors and norms in f64 at packed rows', (lab) => {
  for (const [lanes, weighted] of [4, 12].flatMap((n) =>
    [false, true].map((w) => [n, w] as const),
  )) {
    lab.reset();
    const prng = prngOf(lanes);
    const [n, total] = [5, 60];
    const starts = Int32Array.of(0, 10, 10, 11, 40, total);
    const [own, other] = [floats(n * lanes, prng), floats(others * lanes, prng)];
    const ids = integers(total, others, prng);
    const values = floats(total, prng);
    const roots = floats(total, prng).map((v, j) => (j % 7 === 0 ? 0 : Math.abs(v)));
    const startsAt = lab.input(starts);
    const part = Int32Array.of(
      ...[0, startsAt, startsAt + 4, lab.input(ids), lab.input(values)],
      ...[weighted ? lab.input(roots) : 0, 0],
    );
    const sums = lab.output(Float64Array.of(3, 4));
    const [ownAt, otherAt, partAt] = [lab.input(own), lab.input(other), lab.input(part)];
    const call = (with_: number) =>
      lab.kernels.mf_rows_error(0, n, lanes * 4, 2, 1, partAt, ownAt, with_, sums);
    call(otherAt);
    call(0);
    lab.check(`lanes=${lanes}`);
    let [errors, norms, size] = [3, 4, 3];
    for (let row = 0; row < n; row++) {
      const p = [...own.subarray(row * lanes, (row + 1) * lanes)];
      norms += 2 * (starts[row + 1]! - starts[row]!) * sum(p.slice(2).map((v) => v * v));
      for (let j = starts[row]!; j < starts[row + 1]!; j++) {
        const score = dot(p, [...other.subarray(ids[j]! * lanes, (ids[j]! + 1) * lanes)]);
        const w = roots[j]! ** 2;
        if (!weighted) errors += (values[j]! - score) ** 2;
        else if (w > 0) errors += (1 + w) * (1 - score) ** 2 - score ** 2;
        size += (1 + w) * (1 + Math.abs(score)) ** 2;
      }
    }
    const bound = 1e3 * U64 * (size + norms);
    allClose(lab.f64(sums, 2), [errors, norms], [bound, bound], `lanes=${lanes}`);
  }
});

test.run();
