// assembly/linear/gram.ts and block.ts against float64: second moments by parts, and a block's
// subproblem against its conditions of optimality.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { blockBytes, solveBlock } from '../src/models/linear/block.ts';
import { gramShare } from '../src/models/linear/gram.ts';
import { allClose, close, floats, onEveryBuild, prngOf } from './helpers/lab.ts';
import type { Lab } from './helpers/lab.ts';
import { gamma, sum, U32 } from './oracle/rounding.ts';

const doubles = (n: number, seed: number) => Float64Array.from(floats(n, prngOf(seed)));
const noPoll = () => undefined;

/** A partition's columns in the lab; sparse ones without the zeros. Returns its line of places. */
function placePartition(lab: Lab, x: readonly Float32Array[], rows: number, dense: boolean) {
  const length = (rows + 3) & ~3;
  if (dense) {
    const flat = new Float32Array(x.length * length);
    x.forEach((column, j) => flat.set(column, j * length));
    return [rows, length, 0, 0, 0, lab.input(flat), 0, 0];
  }
  const entries = x.map((column) =>
    [...column].flatMap((value, i) => (value === 0 ? [] : [[i, value] as const])),
  );
  // Any order of the columns is good: here the last comes first.
  const order = x.map((_, j) => x.length - 1 - j);
  const sorted = order.map((j) => entries[j]!);
  const starts = sorted.reduce((all, column) => [...all, all.at(-1)! + column.length], [0]);
  const cells = new Int32Array(2 * starts.at(-1)!);
  const values = new Float32Array(cells.buffer);
  sorted.flat().forEach(([i, value], k) => {
    cells[2 * k] = i;
    values[2 * k + 1] = value;
  });
  return [
    ...[rows, rows, lab.input(Int32Array.from(order)), lab.input(Int32Array.from(starts))],
    ...[lab.input(cells), 0, lab.output((rows + 1) * 4), lab.output(cells.length * 4)],
  ];
}

onEveryBuild(
  'gram: parts of two partitions, mirrored, appended slots, weights and means',
  (lab) => {
    for (const [columns, base] of [
      [1, 0],
      [5, 0],
      [9, 4],
      [37, 20],
    ] as const) {
      for (const dense of [false, true]) {
        for (const weighted of [false, true]) {
          const label = `${columns} columns, ${base} old, dense=${dense} weighted=${weighted}`;
          lab.reset();
          const { kernels } = lab;
          const sizes = [7, 261];
          const prng = prngOf(columns);
          // Columns stand in the data in another order than in the slots.
          const list = Int32Array.from({ length: columns }, (_, k) => (k * 7 + 3) % columns);
          const x = sizes.map((rows) =>
            Array.from({ length: columns }, () =>
              floats(rows, prng).map((value) => (!dense && prng.uniform() < 0.6 ? 0 : value)),
            ),
          );
          const w = sizes.map((rows) =>
            weighted ? doubles(rows, rows).map(Math.abs) : new Float64Array(rows).fill(1),
          );
          const total = sum(w.flatMap((values) => [...values]));
          const scales = doubles(columns, 9).map((value) => 1 + Math.abs(value));
          const means = Float64Array.from(list, (j) => {
            return sum(x.flatMap((part, p) => [...part[j]!].map((v, i) => w[p]![i]! * v))) / total;
          });
          const lines = sizes.map((rows, p) => placePartition(lab, x[p]!, rows, dense));
          const weightsAt = w.map((values) => (weighted ? lab.input(values) : 0));
          const places = lab.input(Int32Array.from(lines.flat()));
          const slots = [lab.input(list), lab.input(means), lab.input(scales)] as const;
          const count = columns - base;
          const cursor = lab.output(262 * 4);
          const part = lab.output(new Float32Array(columns * count));
          const work = lab.output(4 * 256 * 4 + 4 * count * 8);
          if (!dense) {
            sizes.forEach((_, p) => {
              kernels.gram_compact(count, slots[0] + base * 4, places + 32 * p, cursor);
            });
          }
          const weights = weighted ? lab.input(Int32Array.from(weightsAt)) : 0;
          for (const worker of [0, 1]) {
            for (const { first, last } of gramShare(columns, worker, 2)) {
              const to = part + first * count * 4;
              if (dense) {
                const shape = [2, places, weights, first, last, base, count] as const;
                kernels.gram_dense(...shape, ...slots, to, work);
              } else {
                const shape = [2, places, weights, first, last, base, count, total] as const;
                kernels.gram_sparse(...shape, ...slots, to, work);
              }
            }
          }
          const stride = (columns + 3) & ~3;
          const G = lab.output(new Float32Array(columns * stride));
          kernels.gram_place(1, 0, base, count, stride, part, G);
          lab.check(label);
          const got = lab.f32(G, columns * stride);
          const centred = (k: number, p: number, i: number) =>
            (x[p]![list[k]!]![i]! - means[k]!) * scales[k]!;
          for (let a = 0; a < columns; a++) {
            for (let b = 0; b < columns; b++) {
              const terms = x.flatMap((_, p) =>
                [...w[p]!].map((weight, i) => weight * centred(a, p, i) * centred(b, p, i)),
              );
              // Sparse ones are sums about 0 minus a product of means.
              const raw = x.flatMap((part, p) =>
                [...w[p]!].map(
                  (weight, i) =>
                    weight * (part[list[a]!]![i]! * part[list[b]!]![i]! * scales[a]! * scales[b]!),
                ),
              );
              const size = [...terms, ...raw].reduce((all, term) => all + Math.abs(term), 0);
              const known = a >= base || b >= base;
              const want = known ? sum(terms) : 0;
              close(got[a * stride + b]!, want, gamma(70, U32) * size, `${label} G[${a}][${b}]`);
            }
          }
        }
      }
    }
  },
);

onEveryBuild('block: the solution meets the conditions of optimality, also degenerate', (lab) => {
  for (const [count, rank, ridge] of [
    [1, 1, 0],
    [3, 6, 0],
    [20, 40, 0.1],
    [64, 30, 0],
    [65, 10, 0],
    // Each variable twice.
    [30, 15, 0],
  ] as const) {
    const label = `${count} variables of rank ${rank}`;
    lab.reset();
    const factors = Array.from({ length: rank }, (_, r) => doubles(count, 31 + r));
    if (rank * 2 === count) for (const row of factors) row.copyWithin(rank, 0, rank);
    const stride = (count + 3) & ~3;
    const G = new Float32Array(count * stride);
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        G[a * stride + b] = sum(factors.map((row) => row[a]! * row[b]!)) / rank;
      }
    }
    const start = doubles(count, 5).map((value, j) => (j % 3 === 0 ? 0 : value));
    const l1 = doubles(count, 6).map((value) => 0.01 + 0.05 * Math.abs(value));
    const l2 = new Float64Array(count).fill(ridge);
    // In the range of G, as a gradient is.
    const pull = doubles(count, 8);
    const product = (v: Float64Array, a: number) =>
      sum([...v].map((value, b) => value * G[a * stride + b]!)) + ridge * v[a]!;
    const g0 = pull.map((_, a) => product(pull, a));
    const padded = (values: Float64Array) => {
      const out = new Float64Array(stride);
      out.set(values);
      return out;
    };
    const u = lab.output(padded(start));
    const g = lab.output(padded(g0));
    const work = lab.output(blockBytes(count));
    const end = solveBlock(
      { kernels: lab.kernels, poll: noPoll },
      { count, stride, G: lab.input(G), l1: lab.input(l1), l2: lab.input(l2), g, u, work },
      1e-6,
    );
    lab.check(label);
    const solved = lab.f64(u, count);
    const change = solved.map((value, j) => value - start[j]!);
    const gradient = change.map((_, a) => g0[a]! + product(change, a));
    // What the kernel tracked is the gradient, within f32 products of what it moved.
    const moved = sum([...change].map(Math.abs)) + 100;
    allClose(lab.f64(g, count), gradient, 200 * U32 * moved, label);
    assert.ok(end.violation <= 1e-6, `${label}: violation ${end.violation}`);
    solved.forEach((value, j) => {
      const [slope, penalty] = [gradient[j]!, l1[j]!];
      const off =
        value === 0
          ? Math.max(0, Math.abs(slope) - penalty)
          : Math.abs(slope + Math.sign(value) * penalty);
      close(off, 0, 1e-6 + 200 * U32 * moved, `${label}: variable ${j}`);
    });
  }
});

test.run();
