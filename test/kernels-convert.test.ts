// assembly/parse/convert.ts against plain loops, every length 0…67.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { floats, integers, lengths, onEveryBuild, prngOf, same } from './helpers/lab.ts';

const bytes = (n: number, seed: number) => Uint8Array.from(integers(n, 256, prngOf(seed)));
const indexes = (n: number) => Array.from({ length: n }, (_, i) => i);

onEveryBuild('bytes_copy, bytes_zero: n bytes at any alignment, overlap allowed', (lab) => {
  const view = (at: number, n: number) => new Uint8Array(lab.u16(at, (n + 1) >> 1).buffer, 0, n);
  for (const n of lengths) {
    lab.reset();
    const from = bytes(n, n);
    const to = lab.output(n, n % 7);
    lab.kernels.bytes_copy(n, lab.input(from, n % 5), to);
    same(view(to, n), from, `n=${n}`);
    const both = lab.output(bytes(n + 3, n + 1));
    lab.kernels.bytes_copy(n, both, both + 3);
    same(view(both + 3, n), bytes(n + 3, n + 1).subarray(0, n), `n=${n}, up by 3`);
    lab.kernels.bytes_zero(n, to);
    same(view(to, n), new Uint8Array(n), `n=${n} zero`);
    lab.check(`n=${n}`);
  }
});

onEveryBuild('i32_shift, i32_rebase, i32_remap, i32_fill, i32_find', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const x = integers(n, 40, prngOf(n));
    const shifted = lab.output(x, 4);
    lab.kernels.i32_shift(n, -17, shifted);
    const less = x.map((value) => value - 17);
    same(lab.i32(shifted, n), less, `shift n=${n}`);
    const rebased = lab.output(x);
    lab.kernels.i32_rebase(n, 5, 30, rebased);
    const inside = x.map((value) => (value >= 5 && value < 35 ? value - 5 : -1));
    same(lab.i32(rebased, n), inside, `rebase n=${n}`);
    const map = integers(40, 1000, prngOf(1));
    const [mapped, mapAt] = [lab.output(x), lab.input(map)];
    lab.kernels.i32_remap(n, mapAt, mapped, mapped);
    const renamed = x.map((value) => map[value]!);
    same(lab.i32(mapped, n), renamed, `remap in place n=${n}`);
    const filled = lab.output(n * 4, 4);
    lab.kernels.i32_fill(n, -9, filled);
    same(lab.i32(filled, n), new Int32Array(n).fill(-9), `fill n=${n}`);
    const at = lab.input(x);
    for (const wanted of [0, 7, 39, 40]) {
      assert.is(lab.kernels.i32_find(n, wanted, at), x.indexOf(wanted), `find n=${n}`);
    }
    lab.check(`n=${n}`);
  }
});

onEveryBuild(
  'i32_scatter: places values, through a map or not; rows outside are left out',
  (lab) => {
    for (const n of lengths) {
      for (const mapped of [false, true]) {
        lab.reset();
        const [rows, base] = [20, 3];
        const places = integers(n, 26, prngOf(n));
        const [from, map] = [integers(n, 9, prngOf(n + 1)), integers(9, 99, prngOf(2))];
        const to = lab.output(new Int32Array(rows).fill(-1));
        const mapAt = mapped ? lab.input(map) : 0;
        lab.kernels.i32_scatter(n, base, rows, mapAt, lab.input(places), lab.input(from), to);
        lab.check(`n=${n}`);
        const want = new Int32Array(rows).fill(-1);
        places.forEach((place, i) => {
          // A typed array ignores what lies outside of it.
          want[place - base] = mapped ? map[from[i]!]! : from[i]!;
        });
        same(lab.i32(to, rows), want, `n=${n} mapped=${mapped}`);
      }
    }
  },
);

onEveryBuild('u8_labels: widened, and every byte met is marked', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const from = bytes(n, n);
    const [seen, to] = [lab.output(new Int32Array(256)), lab.output(n * 4)];
    lab.kernels.u8_labels(n, seen, lab.input(from), to);
    lab.check(`n=${n}`);
    same(lab.i32(to, n), from, `n=${n}`);
    const want = indexes(256).map((value) => (from.includes(value) ? 1 : 0));
    same(lab.i32(seen, 256), want, `seen n=${n}`);
  }
});

onEveryBuild('u8_rows_pad, f32_to_u8_rows, u8_to_f32_rows: rows restrided, padding 0', (lab) => {
  const rows = 3;
  for (const columns of lengths) {
    for (const stride of [columns, columns + 5]) {
      lab.reset();
      const label = `columns=${columns} stride=${stride}`;
      const packed = bytes(rows * columns, columns);
      const want = new Uint8Array(rows * stride);
      for (const r of indexes(rows)) {
        want.set(packed.subarray(r * columns, (r + 1) * columns), r * stride);
      }
      const u8 = (at: number) => new Uint8Array(lab.u16(at, want.length).buffer, 0, want.length);
      const padded = lab.output(want.length);
      lab.kernels.u8_rows_pad(rows, columns, stride, lab.input(packed), padded);
      same(u8(padded), want, `${label} pad`);
      const narrow = lab.output(want.length);
      const floatsAt = lab.input(Float32Array.from(packed));
      lab.kernels.f32_to_u8_rows(rows, columns, columns, stride, floatsAt, narrow);
      same(u8(narrow), want, `${label} narrow`);
      const wide = lab.output(want.length * 4);
      lab.kernels.u8_to_f32_rows(rows, columns, columns, stride, lab.input(packed), wide);
      same(lab.f32(wide, want.length), want, `${label} widen`);
      lab.check(label);
    }
  }
});

onEveryBuild(
  'f32_columns_to_rows: column by column in pieces, columns beyond are dropped',
  (lab) => {
    const [all, columns, stride] = [5, 4, 6];
    for (const rows of lengths.slice(1)) {
      lab.reset();
      const values = Float32Array.from(integers(rows * all, 256, prngOf(rows)));
      const cut = Math.floor(values.length / 3);
      const wanted = new Float32Array(rows * stride);
      values.forEach((value, at) => {
        const column = Math.floor(at / rows);
        if (column < columns) wanted[(at % rows) * stride + column] = value;
      });
      for (const asBytes of [0, 1]) {
        const x = lab.output(asBytes ? new Uint8Array(wanted.length) : wanted.map(() => 0));
        for (const [first, last] of [
          [0, cut],
          [cut, values.length],
        ] as const) {
          const from = lab.input(values.slice(first, last));
          const n = last - first;
          lab.kernels.f32_columns_to_rows(n, first, rows, columns, stride, asBytes, from, x);
        }
        lab.check(`rows=${rows}`);
        const got = asBytes
          ? new Uint8Array(lab.u16(x, wanted.length).buffer, 0, wanted.length)
          : lab.f32(x, wanted.length);
        same(got, wanted, `rows=${rows} bytes=${asBytes}`);
      }
    }
  },
);

onEveryBuild(
  'csr_row_starts, csr_take_rows: sums so far; as many rows as fit, one at least',
  (lab) => {
    for (const n of lengths) {
      lab.reset();
      const counts = integers(n, 9, prngOf(n));
      const starts = counts.reduce<number[]>((sums, count) => [...sums, sums.at(-1) + count], [0]);
      const [at, rowStart] = [lab.output(counts), lab.output((n + 1) * 4)];
      const end = lab.kernels.csr_row_starts(n, 100, at, rowStart);
      assert.is(end, 100 + starts[n]!, `n=${n}`);
      same(lab.i32(rowStart, n + 1), starts, `n=${n} starts`);
      const cursors = starts.slice(0, n).map((start) => 100 + start);
      same(lab.i32(at, n), cursors, `n=${n} cursors`);
      const countsAt = lab.input(counts);
      for (const entriesMax of [0, 3, 20, 1000]) {
        const fits = indexes(n).filter((i) => starts[i + 1]! <= entriesMax).length;
        const want = Math.min(n, Math.max(1, fits));
        assert.is(lab.kernels.csr_take_rows(n, entriesMax, countsAt), want, `n=${n} ${entriesMax}`);
      }
      lab.check(`n=${n}`);
    }
  },
);

onEveryBuild('csr_sorted_rows: where rows start, from any entry and row on', (lab) => {
  for (const n of lengths) {
    const row = integers(n, 9, prngOf(n)).sort();
    for (const [first, rows] of [
      [0, 9],
      [3, 4],
      [5, 0],
      [8, 20],
    ] as const) {
      lab.reset();
      const from = row.filter((r) => r < first).length;
      const upTo = indexes(rows + 1).map((r) => row.filter((id) => id < first + r).length);
      const [at, rowStart] = [lab.input(row), lab.output((rows + 1) * 4)];
      const end = lab.kernels.csr_sorted_rows(n, from, first, rows, at, rowStart);
      assert.is(end, upTo.at(-1), `n=${n}`);
      same(lab.i32(rowStart, rows + 1), Int32Array.from(upTo), `n=${n} from row ${first}`);
      lab.check(`n=${n}`);
    }
  }
});

onEveryBuild(
  'csr_count_entries, csr_scatter: counted and placed alike, columns beyond left out',
  (lab) => {
    const [rows, columns, base] = [6, 10, 1];
    for (const n of lengths) {
      lab.reset();
      const [row, column] = [integers(n, rows, prngOf(n)), integers(n, 13, prngOf(n + 1))].map(
        (ids) => ids.map((id) => id + base),
      ) as [Int32Array, Int32Array];
      const x = floats(n, prngOf(n));
      const kept = indexes(n).filter((i) => column[i]! - base < columns);
      const [rowAt, columnAt, xAt] = [lab.input(row), lab.input(column), lab.input(x)];
      const counts = lab.output(new Int32Array(rows));
      const { csr_count_entries, csr_row_starts, csr_scatter } = lab.kernels;
      const dropped = csr_count_entries(n, base, rows, columns, rowAt, columnAt, counts);
      assert.is(dropped, n - kept.length, `n=${n} dropped`);
      const byRow = indexes(rows).map((r) => kept.filter((i) => row[i]! - base === r));
      const lengthsOfRows = byRow.map((entries) => entries.length);
      same(lab.i32(counts, rows), lengthsOfRows, `n=${n} counts`);
      csr_row_starts(rows, 0, counts, lab.output((rows + 1) * 4));
      const total = kept.length;
      const [index, value] = [lab.output(total * 4), lab.output(total * 4)];
      const place = (limit: number) =>
        csr_scatter(n, base, rows, columns, limit, rowAt, columnAt, xAt, counts, index, value);
      assert.is(place(total), 0, `n=${n}`);
      lab.check(`n=${n}`);
      const order = byRow.flat();
      const columnsInOrder = order.map((i) => column[i]! - base);
      const valuesInOrder = order.map((i) => x[i]!);
      same(lab.i32(index, total), columnsInOrder, `n=${n} index`);
      same(lab.f32(value, total), valuesInOrder, `n=${n} value`);
      // The cursors stand at the ends now: a second time there is more than was counted.
      if (total > 0) assert.is(place(0), 1, `n=${n}: more than counted`);
      lab.check(`n=${n} refused`);
    }
  },
);

onEveryBuild('csr_twice, triple_find: the first repeated column, the skip-th such entry', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const sorted = integers(n, 3 * n + 1, prngOf(n)).sort();
    const twice = sorted.find((value, i) => i > 0 && sorted[i - 1] === value) ?? -1;
    assert.is(lab.kernels.csr_twice(n, lab.input(sorted)), twice, `n=${n}`);
    const [rows, columns] = [integers(n, 3, prngOf(n)), integers(n, 3, prngOf(n + 1))];
    const places = indexes(n).filter((i) => rows[i] === 1 && columns[i] === 2);
    const [rowsAt, columnsAt] = [lab.input(rows), lab.input(columns)];
    for (const skip of [0, 1, 5]) {
      const found = lab.kernels.triple_find(n, 1, 2, skip, rowsAt, columnsAt);
      assert.is(found, places[skip] ?? -1, `n=${n} skip=${skip}`);
    }
    lab.check(`n=${n}`);
  }
});

test.run();
