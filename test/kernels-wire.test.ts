// assembly/wire/rows.ts and marks.ts against plain arrays.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Prng } from '../src/base/prng.ts';
import {
  allClose,
  floats,
  integers,
  lengths,
  onEveryBuild,
  permutation,
  prngOf,
  same,
  type Lab,
} from './helpers/lab.ts';

const ROWS = 23;
const widths = [1, 2, 3, 4, 5, 7, 8, 13, 16, 33];
const strideOf = (columns: number) => (columns + 3) & ~3;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** A padded table with zeros here and there, and its rows as arrays. */
function tableOf(columns: number, prng: Prng, fill: number) {
  const stride = strideOf(columns);
  const table = new Float32Array(ROWS * stride);
  const values = floats(ROWS * columns, prng).map((x) => (prng.uniform() < fill ? x : 0));
  const rows = range(ROWS).map((row) => {
    const cells = values.subarray(row * columns, (row + 1) * columns);
    table.set(cells, row * stride);
    return [...cells];
  });
  return { table, rows, stride, rowBytes: stride * 4 };
}

/** Every width with listed and with consecutive rows. */
function forRows(
  lab: Lab,
  body: (columns: number, list: Int32Array | undefined, prng: Prng) => void,
) {
  for (const columns of widths) {
    for (const count of [0, 1, 6, ROWS]) {
      for (const isListed of [true, false]) {
        const prng = prngOf(columns * 100 + count);
        lab.reset();
        body(columns, isListed ? permutation(ROWS, prng).subarray(0, count) : undefined, prng);
        lab.check(`${columns} columns, ${count} rows, ${isListed ? 'listed' : 'in order'}`);
      }
    }
  }
}

/** Rows in order begin at this one. */
const FROM = 4;
const namesOf = (list: Int32Array | undefined) =>
  list ? [...list] : range(11).map((i) => FROM + i);
const placeOf = (lab: Lab, list: Int32Array | undefined, table: number, rowBytes: number) =>
  list ? ([lab.input(list), table] as const) : ([0, table + FROM * rowBytes] as const);

onEveryBuild('rows_nonzeros: counts the values of a row that are not 0', (lab) => {
  forRows(lab, (columns, list, prng) => {
    const { table, rows, rowBytes } = tableOf(columns, prng, 0.5);
    const names = namesOf(list);
    const out = lab.output(names.length * 4);
    const [at, base] = placeOf(lab, list, lab.input(table), rowBytes);
    lab.kernels.rows_nonzeros(names.length, columns, rowBytes, at, base, out);
    const want = names.map((row) => rows[row]!.filter((x) => x !== 0).length);
    same(lab.i32(out, names.length), want, 'counts');
  });
});

onEveryBuild('rows_pack: rows without padding; taken rows become 0', (lab) => {
  forRows(lab, (columns, list, prng) => {
    for (const take of [0, 1]) {
      const { table, rows, stride, rowBytes } = tableOf(columns, prng, 0.8);
      const names = namesOf(list);
      const out = lab.output(names.length * columns * 4);
      const tableAt = lab.output(table);
      const [at, base] = placeOf(lab, list, tableAt, rowBytes);
      lab.kernels.rows_pack(take, names.length, columns, rowBytes, at, base, out);
      const want = names.flatMap((row) => rows[row]!);
      same(lab.f32(out, want.length), want, 'packed');
      if (take) names.forEach((row) => table.fill(0, row * stride, (row + 1) * stride));
      same(lab.f32(tableAt, table.length), table, 'what stays');
    }
  });
});

onEveryBuild('rows_set: values to their rows, padding untouched', (lab) => {
  forRows(lab, (columns, list, prng) => {
    const { table, stride, rowBytes } = tableOf(columns, prng, 1);
    const names = namesOf(list);
    const values = floats(names.length * columns, prng);
    const tableAt = lab.output(table);
    const [at, base] = placeOf(lab, list, tableAt, rowBytes);
    lab.kernels.rows_set(names.length, columns, rowBytes, at, lab.input(values), base);
    names.forEach((row, i) => {
      table.set(values.subarray(i * columns, (i + 1) * columns), row * stride);
    });
    same(lab.f32(tableAt, table.length), table, 'set');
  });
});

onEveryBuild('rows_add: picked rows of the values, f32 and i32, packed and padded', (lab) => {
  forRows(lab, (columns, list, prng) => {
    for (const valueStride of [columns, strideOf(columns)]) {
      const { stride, rowBytes } = tableOf(columns, prng, 1);
      const names = namesOf(list);
      const picks = list ? integers(names.length, 9, prng) : undefined;
      const table = integers(ROWS * stride, 1000, prng);
      const values = integers(Math.max(9, names.length) * valueStride, 1000, prng);
      const want = Int32Array.from(table);
      names.forEach((row, i) => {
        const from = (picks?.[i] ?? i) * valueStride;
        for (let j = 0; j < columns; j++) want[row * stride + j]! += values[from + j]!;
      });
      const picksAt = picks ? lab.input(picks) : 0;
      for (const isFloat of [0, 1]) {
        const typed = (x: Int32Array) => (isFloat ? Float32Array.from(x) : x);
        const tableAt = lab.output(typed(table));
        const [at, base] = placeOf(lab, list, tableAt, rowBytes);
        const bad = lab.kernels.rows_add(
          ...([isFloat, names.length, columns, rowBytes, valueStride * 4] as const),
          ...([picksAt, at, lab.input(typed(values)), base] as const),
        );
        assert.is(bad, -1);
        const got = isFloat ? lab.f32(tableAt, table.length) : lab.i32(tableAt, table.length);
        same(got, want, isFloat ? 'f32' : 'i32');
      }
    }
  });
});

onEveryBuild('rows_add, entries_add: name the place of a row that is not finite', (lab) => {
  for (const columns of widths) {
    for (let bad = 0; bad < columns; bad++) {
      for (const value of [NaN, Infinity, -Infinity]) {
        lab.reset();
        const prng = prngOf(columns);
        const { table, rowBytes } = tableOf(columns, prng, 1);
        const values = floats(3 * columns, prng);
        values[columns + bad] = value;
        const [rows, valuesAt] = [lab.input(Int32Array.of(9, 3, 5)), lab.input(values)];
        const strides = [columns, rowBytes, columns * 4] as const;
        const tableAt = lab.output(table);
        assert.is(lab.kernels.rows_add(1, 3, ...strides, 0, rows, valuesAt, tableAt), 1);
        const names = lab.input(Int32Array.from([0, 1, 2].flatMap(() => range(columns))));
        const counts = lab.input(Int32Array.of(columns, columns, columns));
        const found = lab.kernels.entries_add(
          ...([1, 0, 3, rowBytes, rows, counts, names, valuesAt, lab.output(table)] as const),
        );
        assert.is(found, 1);
        lab.check(`${columns} columns, ${value} at ${bad}`);
      }
    }
  }
});

onEveryBuild('entries_pack: columns and values that are not 0; taken rows become 0', (lab) => {
  forRows(lab, (columns, list, prng) => {
    for (const [take, fill] of [
      [0, 0.3],
      [1, 0.3],
      [0, 1],
      [1, 0],
    ] as const) {
      const { table, rows, stride, rowBytes } = tableOf(columns, prng, fill);
      const names = namesOf(list);
      const entries = names.flatMap((row) =>
        rows[row]!.flatMap((value, column) => (value === 0 ? [] : [{ column, value }])),
      );
      const [outColumns, outValues] = [
        lab.output(entries.length * 4),
        lab.output(entries.length * 4),
      ];
      const tableAt = lab.output(table);
      const [at, base] = placeOf(lab, list, tableAt, rowBytes);
      const n = lab.kernels.entries_pack(
        ...([take, names.length, columns, rowBytes, at, base, outColumns, outValues] as const),
      );
      assert.is(n, entries.length);
      same(
        lab.i32(outColumns, n),
        entries.map(({ column }) => column),
        'columns',
      );
      same(
        lab.f32(outValues, n),
        entries.map(({ value }) => value),
        'values',
      );
      if (take) names.forEach((row) => table.fill(0, row * stride, (row + 1) * stride));
      same(lab.f32(tableAt, table.length), table, 'what stays');
    }
  });
});

onEveryBuild('entries_add: adds to rows, or sets them', (lab) => {
  forRows(lab, (columns, list, prng) => {
    const names = namesOf(list);
    const stride = strideOf(columns);
    const table = integers(ROWS * stride, 1000, prng);
    const entries = names.map(() => range(columns).filter(() => prng.uniform() < 0.4));
    const columnsAt = lab.input(Int32Array.from(entries.flat()));
    const values = integers(entries.flat().length, 1000, prng);
    const counts = lab.input(Int32Array.from(entries, ({ length }) => length));
    for (const set of [0, 1]) {
      const want = Int32Array.from(table);
      let next = 0;
      names.forEach((row, i) => {
        if (set) want.fill(0, row * stride, (row + 1) * stride);
        for (const column of entries[i]!) want[row * stride + column]! += values[next++]!;
      });
      for (const isFloat of [0, 1]) {
        const typed = (x: Int32Array) => (isFloat ? Float32Array.from(x) : x);
        const tableAt = lab.output(typed(table));
        const [at, base] = placeOf(lab, list, tableAt, stride * 4);
        const bad = lab.kernels.entries_add(
          ...([isFloat, set, names.length, stride * 4, at, counts] as const),
          ...([columnsAt, lab.input(typed(values)), base] as const),
        );
        assert.is(bad, -1);
        const got = isFloat ? lab.f32(tableAt, table.length) : lab.i32(tableAt, table.length);
        same(got, want, `set ${set}, float ${isFloat}`);
      }
    }
  });
});

onEveryBuild('sparse_counts, sparse_pack: entries of sparse rows, which taking empties', (lab) => {
  for (const take of [0, 1]) {
    for (const list of [undefined, Int32Array.of(3, 0, 4), Int32Array.of()]) {
      lab.reset();
      const prng = prngOf(take);
      const counts = [5, 0, 1, 9, 4];
      const words: number[] = [];
      const rows = counts.map((count) => {
        const capacity = count + prng.below(5);
        const cells = { columns: integers(count, 1000, prng), values: floats(count, prng) };
        const bytes = new Int32Array(2 * capacity);
        bytes.set(cells.columns);
        bytes.set(new Int32Array(cells.values.buffer), capacity);
        words.push(lab.input(bytes) / 16, count, capacity, 0);
        return cells;
      });
      const before = Int32Array.from(words);
      const names = list ? [...list] : range(5);
      const n = names.reduce((sum, row) => sum + counts[row]!, 0);
      const directoryAt = lab.output(before);
      const rowsAt = list ? lab.input(list) : 0;
      const [countsAt, columns, values] = [
        lab.output(names.length * 4),
        lab.output(n * 4),
        lab.output(n * 4),
      ];
      lab.kernels.sparse_counts(names.length, rowsAt, directoryAt, countsAt);
      lab.kernels.sparse_pack(take, names.length, rowsAt, directoryAt, columns, values);
      same(
        lab.i32(countsAt, names.length),
        names.map((row) => counts[row]!),
        'counts',
      );
      same(
        lab.i32(columns, n),
        names.flatMap((row) => [...rows[row]!.columns]),
        'columns',
      );
      same(
        lab.f32(values, n),
        names.flatMap((row) => [...rows[row]!.values]),
        'values',
      );
      if (take) names.forEach((row) => (before[row * 4 + 1] = 0));
      same(lab.i32(directoryAt, before.length), before, 'the directory');
      lab.check(`take ${take}`);
    }
  }
});

onEveryBuild('rows_importance: the sum of relative changes', (lab) => {
  forRows(lab, (columns, list, prng) => {
    if (!list) return;
    for (const isFloat of [0, 1]) {
      const stride = strideOf(columns);
      const [deltas, values] = [0, 1].map(() => integers(ROWS * stride, 9, prng).map((x) => x - 4));
      const typed = (x: Int32Array) => (isFloat ? Float32Array.from(x) : x);
      const out = lab.output(list.length * 4);
      lab.kernels.rows_importance(
        ...([isFloat, list.length, columns, stride * 4, lab.input(list)] as const),
        ...([lab.input(typed(deltas!)), lab.input(typed(values!)), out] as const),
      );
      const want = Array.from(list, (row) =>
        range(columns).reduce((sum, j) => {
          const at = row * stride + j;
          return sum + Math.abs(deltas![at]!) / (Math.abs(values![at]!) + 1e-6);
        }, 0),
      );
      allClose(
        lab.f32(out, list.length),
        want,
        want.map((x) => 1e-5 * x),
        `float ${isFloat}`,
      );
    }
  });
});

onEveryBuild('marks_list: numbers of marks, cleared or not', (lab) => {
  for (const n of lengths) {
    for (const wanted of [0, 1, 2]) {
      for (const [clear, share] of [
        [0, 0.3],
        [1, 0.3],
        [1, 0.02],
        [1, 1],
      ] as const) {
        lab.reset();
        const prng = prngOf(n);
        const marks = Uint8Array.from({ length: n }, () =>
          prng.uniform() < share ? 1 + prng.below(2) : 0,
        );
        const isHit = (mark: number) => (wanted ? mark === wanted : mark !== 0);
        const want = [...marks].flatMap((mark, i) => (isHit(mark) ? [1000 + i] : []));
        const [at, out] = [lab.output(marks, n % 16), lab.output(n * 4)];
        const found = lab.kernels.marks_list(n, 1000, wanted, clear, at, out);
        assert.equal([...lab.i32(out, found)], want, `n=${n}`);
        const left = clear ? marks.map((mark) => (isHit(mark) ? 0 : mark)) : marks;
        assert.equal(lab.u8(at, n), left, `n=${n}`);
        lab.check(`n=${n}`);
      }
    }
  }
});

onEveryBuild('marks_set, marks_of_rows, rows_within', (lab) => {
  for (const count of [0, 1, 5, 17]) {
    lab.reset();
    const prng = prngOf(count);
    const rows = integers(count, 40, prng);
    const marks = new Uint8Array(40);
    const at = lab.output(marks);
    const rowsAt = lab.input(rows);
    lab.kernels.marks_set(count, 2, rowsAt, at);
    rows.forEach((row) => (marks[row] = 2));
    assert.equal(lab.u8(at, 40), marks);
    const [names, picks] = [lab.output(count * 4), lab.output(count * 4)];
    const found = lab.kernels.rows_within(count, 10, 30, rowsAt, names, picks);
    const want = [...rows].flatMap((row, i) => (row >= 10 && row < 30 ? [{ row, i }] : []));
    assert.equal(
      [...lab.i32(names, found)],
      want.map(({ row }) => row),
    );
    assert.equal(
      [...lab.i32(picks, found)],
      want.map(({ i }) => i),
    );
    for (const rowBytes of [16, 32, 80]) {
      const values = new Float32Array((count * rowBytes) / 4);
      const fresh = new Uint8Array(count).fill(2);
      for (let row = 0; row < count; row += 2) {
        values[(row * rowBytes) / 4 + prng.below(rowBytes / 4)] = 1e-40;
        fresh[row] = 1;
      }
      const target = lab.output(new Uint8Array(count).fill(2));
      lab.kernels.marks_of_rows(count, rowBytes, lab.input(values), target);
      assert.equal(lab.u8(target, count), fresh, 'a mark stays where a row is 0');
    }
    lab.check(`${count} rows`);
  }
});

test.run();
