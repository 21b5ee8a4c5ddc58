// assembly/linear/columns.ts against float64: every number of columns 0 … 67, every storage.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, floats, integers, lengths, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import type { Lab } from './helpers/lab.ts';
import { pairsOf, placeRows, randomRows, storages, type SampleRows } from './helpers/samples.ts';
import type { Storage } from '../src/data/dataset.ts';
import { gamma, sum, U64 } from './oracle/rounding.ts';

const doubles = (n: number, seed: number) => Float64Array.from(floats(n, prngOf(seed)));

/** Numbers of rows around the vector width, by number of columns. */
const rowsOf = (columns: number) => 2 + (columns % 19);
const sampleOf = (columns: number): SampleRows =>
  randomRows({ count: rowsOf(columns), columns, classes: 2, seed: 90 + columns });

/** x[j][i] as kernels see it. */
function oracleColumns(rows: SampleRows): number[][] {
  const out = Array.from({ length: rows.columns }, () => rows.pixels.map(() => 0));
  rows.pixels.forEach((_, i) => pairsOf(rows, i).forEach(([j, x]) => (out[j]![i] = x)));
  return out;
}

/** Columns built by the kernels, in the lab. */
function placeColumns(lab: Lab, rows: SampleRows, storage: Storage) {
  const { kernels } = lab;
  const { columns } = rows;
  const count = rows.pixels.length;
  const { code, directory, scale } = placeRows(lab, rows, storage);
  if (storage !== 'csr') {
    const stride = (count + 3) & ~3;
    const x = lab.output(new Float32Array(columns * stride));
    const cut = Math.min(count, 16);
    const rest = [code, count - cut, cut, directory + cut * 16] as const;
    kernels.columns_transpose(code, cut, 0, directory, columns, scale, stride, x);
    kernels.columns_transpose(...rest, columns, scale, stride, x);
    return { dense: true as const, stride, x, length: stride };
  }
  const place = lab.output(new Int32Array(columns));
  const order = lab.output(columns * 4);
  const starts = lab.output((columns + 1) * 4);
  const buckets = lab.output(1024 * 4);
  kernels.csr_count_columns(count, directory, place);
  const nonzeros = kernels.columns_order(columns, place, starts, order, buckets);
  const entries = lab.output(nonzeros * 8);
  const cut = count >> 1;
  kernels.columns_scatter(cut, 0, directory, place, entries);
  kernels.columns_scatter(count - cut, cut, directory + cut * 16, place, entries);
  kernels.columns_place(columns, order, place);
  return { dense: false as const, place, order, starts, entries, nonzeros, length: count };
}

/** Columns by their lengths, the longest first, equal ones as they come. */
function oracleOrder(lengthsOf: readonly number[]): number[] {
  return lengthsOf.map((_, j) => j).sort((a, b) => lengthsOf[b]! - lengthsOf[a]! || a - b);
}

onEveryBuild('columns: rows of every storage become columns, rows ascending', (lab) => {
  for (const columns of lengths) {
    const rows = sampleOf(columns);
    const want = oracleColumns(rows);
    for (const storage of storages) {
      const label = `${storage} columns=${columns}`;
      lab.reset();
      const placed = placeColumns(lab, rows, storage);
      lab.check(label);
      if (placed.dense) {
        const padding = Array<number>(placed.stride - rows.pixels.length).fill(0);
        const padded = want.flatMap((column) => [...column, ...padding]);
        same(lab.f32(placed.x, padded.length), padded, label);
        continue;
      }
      const entries = want.map((column) => column.flatMap((x, i) => (x === 0 ? [] : [[i, x]])));
      const order = oracleOrder(entries.map((column) => column.length));
      same(lab.i32(placed.order, columns), order, `${label}: order`);
      const places = entries.map((_, j) => order.indexOf(j));
      same(lab.i32(placed.place, columns), places, `${label}: place`);
      const sorted = order.map((j) => entries[j]!);
      const starts = sorted.reduce((all, column) => [...all, all.at(-1)! + column.length], [0]);
      same(lab.i32(placed.starts, columns + 1), starts, `${label}: starts`);
      const index = sorted.flat().map(([i]) => i!);
      const at = (cell: number) => index.map((_, k) => 2 * k + cell);
      const cells = lab.i32(placed.entries, 2 * placed.nonzeros);
      same(
        Int32Array.from(at(0), (k) => cells[k]!),
        index,
        `${label}: rows`,
      );
      const values = lab.f32(placed.entries, 2 * placed.nonzeros);
      const want32 = sorted.flat().map(([, x]) => x!);
      same(
        Float32Array.from(at(1), (k) => values[k]!),
        want32,
        `${label}: values`,
      );
    }
  }
});

onEveryBuild('columns_order: columns above the longest bucket keep their order', (lab) => {
  const counts = Int32Array.of(3, 2000, 0, 1023, 5000, 1022, 3);
  const at = lab.output(counts);
  const starts = lab.output((counts.length + 1) * 4);
  const order = lab.output(counts.length * 4);
  const total = lab.kernels.columns_order(counts.length, at, starts, order, lab.output(4096));
  lab.check('order');
  assert.is(total, 9051);
  same(lab.i32(order, counts.length), [1, 3, 4, 5, 0, 6, 2], 'order');
  same(lab.i32(starts, counts.length + 1), [0, 2000, 3023, 8023, 9045, 9048, 9051, 9051], 'starts');
  same(lab.i32(at, counts.length), [9045, 0, 9051, 2000, 3023, 8023, 9048], 'next');
});

onEveryBuild('columns_dots, columns_add: all columns, and a list with repetitions', (lab) => {
  for (const columns of lengths) {
    const rows = sampleOf(columns);
    const x = oracleColumns(rows);
    const n = rows.pixels.length;
    const picked = columns === 0 ? new Int32Array(0) : integers(7, columns, prngOf(columns));
    const every = Int32Array.from({ length: columns }, (_, j) => j);
    for (const storage of storages) {
      for (const list of [undefined, picked]) {
        const chosen = list ?? every;
        const label = `${storage} columns=${columns} ${list ? 'list' : 'all'}`;
        lab.reset();
        const placed = placeColumns(lab, rows, storage);
        const vector = doubles(placed.length, 7 + columns).fill(0, n);
        const v = lab.input(vector);
        const to = lab.output(new Float64Array(chosen.length));
        const target = lab.output(vector);
        const factors = doubles(chosen.length, 3).map((f, k) => (k === 1 ? 0 : f));
        const a = lab.input(factors);
        const at = list ? lab.input(list) : 0;
        const { kernels } = lab;
        if (placed.dense) {
          const { stride } = placed;
          kernels.columns_dots_dense(chosen.length, at, stride, placed.x, v, to);
          kernels.columns_add_dense(chosen.length, at, stride, placed.x, a, target);
        } else {
          const { place, order, starts, entries } = placed;
          const shape = [list ? place : order, starts, entries] as const;
          kernels.columns_dots_sparse(chosen.length, at, ...shape, v, to);
          kernels.columns_add_sparse(chosen.length, at, ...shape, a, target);
        }
        lab.check(label);
        const products = [...chosen].map((j) => x[j]!.map((value, i) => value * vector[i]!));
        const rounding = gamma(n + 4, U64);
        allClose(
          ...([lab.f64(to, chosen.length), products.map(sum)] as const),
          ...([products.map((terms) => rounding * sum(terms.map(Math.abs))), label] as const),
        );
        const sums = [...vector].map((value, i) => [
          value,
          ...[...chosen].map((j, k) => (i < n ? factors[k]! * x[j]![i]! : 0)),
        ]);
        const bounds = sums.map((terms) => gamma(terms.length + 2, U64) * sum(terms.map(Math.abs)));
        allClose(lab.f64(target, placed.length), sums.map(sum), bounds, `${label}: added`);
      }
    }
  }
});

onEveryBuild('columns_moments: Σ w x and Σ w (x − c)², rows without an entry too', (lab) => {
  for (const columns of lengths) {
    const rows = sampleOf(columns);
    const x = oracleColumns(rows);
    const n = rows.pixels.length;
    for (const storage of storages) {
      for (const [weighted, centred] of [
        [false, false],
        [true, true],
      ] as const) {
        const label = `${storage} columns=${columns} weighted=${weighted}`;
        lab.reset();
        const placed = placeColumns(lab, rows, storage);
        const w = weighted ? doubles(n, 5).map(Math.abs) : new Float64Array(n).fill(1);
        const c = centred ? doubles(columns, 6) : new Float64Array(columns);
        const weights = weighted ? lab.input(w) : 0;
        const centres = centred ? lab.input(c) : 0;
        const sums = lab.output(columns * 8);
        const squares = lab.output(columns * 8);
        const out = [weights, centres, sums, squares] as const;
        if (placed.dense) {
          lab.kernels.columns_moments_dense(columns, n, placed.stride, placed.x, ...out);
        } else {
          const { order, starts, entries } = placed;
          lab.kernels.columns_moments_sparse(columns, sum(w), order, starts, entries, ...out);
        }
        lab.check(label);
        const first = x.map((column) => column.map((value, i) => w[i]! * value));
        const second = x.map((column, j) => column.map((value, i) => w[i]! * (value - c[j]!) ** 2));
        const rounding = gamma(n + 8, U64);
        // Rows without an entry are Σ w minus what has one: an absolute error of Σ w c².
        const zeros = [...c].map((value) => rounding * 2 * sum(w) * value * value);
        const boundOf = (terms: number[]) => rounding * sum(terms.map(Math.abs));
        allClose(lab.f64(sums, columns), first.map(sum), first.map(boundOf), label);
        const bounds = second.map((terms, j) => boundOf(terms) + zeros[j]!);
        allClose(lab.f64(squares, columns), second.map(sum), bounds, `${label}: squares`);
      }
    }
  }
});

test.run();
