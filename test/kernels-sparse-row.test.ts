// assembly/linalg/sparse-row.ts against maps, on arbitrary rows.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  allClose,
  floats,
  integers,
  onEveryBuild,
  permutation,
  prngOf,
  same,
  type Lab,
} from './helpers/lab.ts';
import { gamma } from './oracle/rounding.ts';
import { sumColumns, type Entry } from './oracle/sparse-row.ts';

const seed = 20_2411;
const float = fc.oneof(
  fc.float({ noNaN: true, min: -1000, max: 1000 }).filter((x) => x === 0 || Math.abs(x) > 1e-20),
  fc.constantFrom(0, -0, 1, -1, 0.5),
);
const integer = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
// Few columns, so that rows meet; and the largest that a table can have.
const column = fc.oneof(fc.nat(40), fc.nat(99_999_999));
const entriesOf = (value: fc.Arbitrary<number>) =>
  fc.array(fc.tuple(column, value), { maxLength: 67 });
const rowOf = (value: fc.Arbitrary<number>) =>
  entriesOf(value).map((entries) => [...new Map(entries)].sort(([a], [b]) => a - b));

const typed = (isFloat: boolean, entries: readonly Entry[]) => ({
  columns: Int32Array.from(entries, ([c]) => c),
  values: isFloat
    ? Float32Array.from(entries, ([, value]) => value)
    : Int32Array.from(entries, ([, value]) => value),
});

function merge(lab: Lab, isFloat: boolean, a: readonly Entry[], b: readonly Entry[]) {
  lab.reset();
  const [left, right] = [typed(isFloat, a), typed(isFloat, b)];
  const room = (a.length + b.length) * 4;
  const [columns, values] = [lab.output(room), lab.output(room)];
  const count = lab.kernels.sparse_row_merge(
    ...([isFloat ? 1 : 0, a.length, lab.input(left.columns), lab.input(left.values)] as const),
    ...([b.length, lab.input(right.columns), lab.input(right.values), columns, values] as const),
  );
  lab.check('merge');
  return {
    columns: [...lab.i32(columns, count)],
    values: [...(isFloat ? lab.f32(values, count) : lab.i32(values, count))],
  };
}

onEveryBuild('sparse_row_merge: sums of two rows, zeros left out (f32)', (lab) => {
  const property = fc.property(rowOf(float), rowOf(float), (a, b) => {
    // Two terms at most: the f32 sum is the correctly rounded one.
    const rounded = [...sumColumns([...a, ...b], true)].map(
      ([c, sum]) => [c, Math.fround(sum.value)] as const,
    );
    const want = rounded.filter(([, value]) => value !== 0);
    const got = merge(lab, true, a, b);
    assert.equal(
      got.columns,
      want.map(([c]) => c),
    );
    same(
      got.values,
      want.map(([, value]) => value),
      'values',
    );
  });
  fc.assert(property, { seed, numRuns: 300 });
});

onEveryBuild('sparse_row_merge: sums of two rows, zeros left out (i32, wrapping)', (lab) => {
  const property = fc.property(rowOf(integer), rowOf(integer), (a, b) => {
    const want = [...sumColumns([...a, ...b], false)].filter(([, sum]) => sum.value !== 0);
    const got = merge(lab, false, a, b);
    assert.equal(
      got.columns,
      want.map(([c]) => c),
    );
    assert.equal(
      got.values,
      want.map(([, sum]) => sum.value),
    );
  });
  fc.assert(property, { seed, numRuns: 300 });
});

onEveryBuild(
  'sparse_row_merge: every pair of lengths 0…12, disjoint, equal and interleaved',
  (lab) => {
    for (let na = 0; na <= 12; na++) {
      for (let nb = 0; nb <= 12; nb++) {
        for (const [step, from] of [
          [2, 1],
          [1, 0],
          [1, 100],
        ] as const) {
          const a = Array.from({ length: na }, (_, i): Entry => [i * 2, i + 1]);
          const b = Array.from({ length: nb }, (_, i): Entry => [from + i * step, -(i + 1)]);
          const want = [...sumColumns([...a, ...b], false)].filter(([, sum]) => sum.value !== 0);
          const got = merge(lab, false, a, b);
          assert.equal(
            got.columns.map((c, i) => [c, got.values[i]]),
            want.map(([c, sum]) => [c, sum.value]),
            `${na} and ${nb}`,
          );
        }
      }
    }
  },
);

function sortEntries(lab: Lab, isFloat: boolean, entries: readonly Entry[]) {
  lab.reset();
  const { columns, values } = typed(isFloat, entries);
  const [columnsAt, valuesAt] = [lab.output(columns), lab.output(values)];
  const count = lab.kernels.entries_sort(isFloat ? 1 : 0, entries.length, columnsAt, valuesAt);
  lab.check(`sort n=${entries.length}`);
  return {
    columns: [...lab.i32(columnsAt, count)],
    values: [...(isFloat ? lab.f32(valuesAt, count) : lab.i32(valuesAt, count))],
  };
}

function checkSorted(lab: Lab, isFloat: boolean, entries: readonly Entry[]) {
  const want = sumColumns(entries, isFloat);
  const got = sortEntries(lab, isFloat, entries);
  assert.equal(got.columns, [...want.keys()]);
  const sums = [...want.values()];
  const bound = sums.map((sum) => (isFloat ? gamma(sum.terms - 1) * sum.size : 0));
  allClose(
    got.values,
    sums.map((sum) => sum.value),
    bound,
    'values',
  );
}

onEveryBuild('entries_sort: ascending, equal columns added up (f32 and i32)', (lab) => {
  const reals = fc.property(entriesOf(float), (entries) => checkSorted(lab, true, entries));
  fc.assert(reals, { seed, numRuns: 300 });
  const ints = fc.property(entriesOf(integer), (entries) => checkSorted(lab, false, entries));
  fc.assert(ints, { seed, numRuns: 300 });
});

onEveryBuild('entries_sort: every length 0…67 and 5000, with and without duplicates', (lab) => {
  for (const n of [...Array(68).keys(), 5000]) {
    for (const bound of [7, 1_000_000]) {
      const prng = prngOf(n * 10 + bound);
      const columns = integers(n, bound, prng);
      const values = floats(n, prng);
      checkSorted(
        lab,
        true,
        Array.from(columns, (c, i) => [c, values[i]!] as const),
      );
    }
  }
});

onEveryBuild('entries_rank: by value, the largest first, equal ones by column', (lab) => {
  for (const isFloat of [true, false]) {
    for (const n of [...Array(68).keys(), 3000]) {
      lab.reset();
      const prng = prngOf(n);
      const columns = permutation(n, prng);
      // Few values, so that many are equal; negative f32 bits are in the wrong order as integers.
      const values = Array.from(columns, () => prng.below(9) - 4);
      const of = isFloat ? Float32Array.from(values) : Int32Array.from(values);
      const [columnsAt, valuesAt] = [lab.output(columns), lab.output(of)];
      lab.kernels.entries_rank(isFloat ? 1 : 0, n, columnsAt, valuesAt);
      const want = Array.from(columns, (column, i) => [column, values[i]!] as const).sort(
        ([a, x], [b, y]) => y - x || a - b,
      );
      assert.equal(
        [...lab.i32(columnsAt, n)],
        want.map(([column]) => column),
      );
      const got = isFloat ? lab.f32(valuesAt, n) : lab.i32(valuesAt, n);
      assert.equal(
        [...got],
        want.map(([, value]) => value),
      );
      lab.check(`n=${n}`);
    }
  }
});

test.run();
