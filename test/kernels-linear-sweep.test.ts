// assembly/linear/sweep.ts against float64: columns that are packed, a sweep of coordinate descent
// on them, and the extrapolation of points.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, onEveryBuild, prngOf, same, type Lab } from './helpers/lab.ts';
import { sum, U64 } from './oracle/rounding.ts';

const columns = 9;
const sizes = [6, 11];
/** Places of v: each partition has 4 more than its rows. */
const firsts = Int32Array.of(0, 10);
const length = 25;
/** Not in order, and not all of them. */
const listed = Int32Array.of(0, 2, 3, 8, 7, 1);

const doubles = (n: number, seed: number) => Float64Array.from(floats(n, prngOf(seed)));

/** x[p][j][i], and the partitions' lines in the lab. Column 7 is empty in sparse data. */
function place(lab: Lab, dense: boolean) {
  const prng = prngOf(dense ? 3 : 4);
  const x = sizes.map((rows) =>
    Array.from({ length: columns }, (_, j) =>
      [...floats(rows, prng)].map((v) => (!dense && (j === 7 || prng.uniform() < 0.5) ? 0 : v)),
    ),
  );
  const lines = x.map((part, p) => {
    const rows = sizes[p]!;
    const stride = (rows + 3) & ~3;
    const padded = part.flatMap((column) => [...column, 0, 0, 0, 0].slice(0, stride));
    if (dense) return [rows, stride, 0, 0, 0, lab.input(Float32Array.from(padded)), 0, 0];
    const order = part.map((_, j) => columns - 1 - j);
    const entries = order.map((j) => part[j]!.flatMap((v, i) => (v === 0 ? [] : [[i, v]])));
    const starts = entries.reduce((all, own) => [...all, all.at(-1) + own.length], [0]);
    const cells = Int32Array.from(entries.flat(), ([i]) => i!);
    const both = new Int32Array(2 * cells.length);
    const values = new Float32Array(both.buffer);
    entries.flat().forEach(([i, v], k) => {
      both[2 * k] = i!;
      values[2 * k + 1] = v!;
    });
    const at = [Int32Array.from(order), Int32Array.from(starts), both].map((a) => lab.input(a));
    return [rows, rows, ...at, 0, 0, 0];
  });
  return { x, lines: lab.input(Int32Array.from(lines.flat())) };
}

/** Column j over all places of v. */
function whole(x: readonly number[][][], j: number): number[] {
  const out = Array<number>(length).fill(0);
  x.forEach((part, p) => part[j]!.forEach((value, i) => (out[firsts[p]! + i] = value)));
  return out;
}

function packed(lab: Lab, dense: boolean) {
  const { x, lines } = place(lab, dense);
  const list = lab.input(listed);
  const args = [listed.length, list, 2, lines] as const;
  const count = lab.kernels.sweep_entries(...args);
  const starts = lab.output((listed.length + 1) * 4);
  const entries = lab.output(count * 8);
  lab.kernels.sweep_pack(...args, lab.input(firsts), starts, entries);
  return { x, list, count, starts, entries };
}

onEveryBuild('sweep_pack: listed columns of all partitions, one after the other', (lab) => {
  for (const dense of [false, true]) {
    lab.reset();
    const { x, count, starts, entries } = packed(lab, dense);
    lab.check(`dense=${dense}`);
    const bounds = lab.i32(starts, listed.length + 1);
    const want = [...listed].map((j) =>
      x.flatMap((part, p) =>
        part[j]!.flatMap((v, i) => (dense || v !== 0 ? [[firsts[p]! + i, v]] : [])),
      ),
    );
    assert.is(count, want.flat().length);
    same(
      bounds,
      want.reduce((all, own) => [...all, all.at(-1) + own.length], [0]),
      'starts',
    );
    const cells = lab.i32(entries, 2 * count);
    const values = lab.f32(entries, 2 * count);
    want.flat().forEach(([i, v], k) => {
      assert.is(cells[2 * k], i);
      assert.is(values[2 * k + 1], v);
    });
  }
});

onEveryBuild('lasso_sweep: coordinate descent with means, weights and a ridge', (lab) => {
  for (const dense of [false, true]) {
    for (const masked of [false, true]) {
      lab.reset();
      const label = `dense=${dense} masked=${masked}`;
      const { x, list, starts, entries } = packed(lab, dense);
      const here = Array<number>(length).fill(0);
      firsts.forEach((at, p) => here.fill(1, at, at + sizes[p]!));
      const w = here.map((value, i) => (masked && i % 3 === 0 ? 0 : value));
      const n = sum(w);
      const weigh = (a: readonly number[], b: readonly number[]) =>
        sum(a.map((value, i) => w[i]! * value * b[i]!));
      const ones = w.map(() => 1);
      const every = Array.from({ length: columns }, (_, j) => whole(x, j));
      const means = Float64Array.from(every, (column) => weigh(column, ones) / n);
      const t = Float64Array.from(every, (column, j) => {
        const centred = column.map((value) => value - means[j]!);
        const variance = weigh(centred, centred) / n;
        return variance > 0 ? 1 / Math.sqrt(variance) : 0;
      });
      const omega = t.map((value, j) => (j === 3 ? 0 : value));
      const start = doubles(length, 8).map((value, i) => value * here[i]!);
      const u = doubles(columns, 9).map((value, j) => (j % 2 ? value : 0));
      const [l1, l2] = [0.05, 0.1];
      // The residual is v + s where s has moved already.
      const s = 0.3;
      let r = [...start].map((value) => value + s);
      const R = weigh(r, ones);
      const objective = (at: readonly number[]) =>
        weigh(r, r) / (2 * n) +
        sum(
          at.map(
            (value, j) => l1 * omega[j]! * Math.abs(value) + (l2 / 2) * (omega[j]! * value) ** 2,
          ),
        );
      const before = objective([...u]);
      const want = [...u];
      for (const j of listed) {
        if (!(omega[j]! > 0)) continue;
        const column = every[j]!.map((value) => (value - means[j]!) * t[j]!);
        const h = 1 + l2 * omega[j]! ** 2;
        const z = want[j]! + weigh(column, r) / n;
        const next = (Math.sign(z) * Math.max(0, Math.abs(z) - l1 * omega[j]!)) / h;
        const change = next - want[j]!;
        want[j] = next;
        r = r.map((value, i) => value - change * column[i]!);
      }
      const v = lab.output(start);
      const to = lab.output(u);
      const shift = lab.output(Float64Array.of(s));
      const vectors = [means, t, omega].map((values) => lab.input(values)) as [
        number,
        number,
        number,
      ];
      const fallen = lab.kernels.lasso_sweep(
        ...([listed.length, list, starts, entries, l1, l2, n, R] as const),
        ...([v, masked ? lab.input(Float64Array.from(w)) : 0, ...vectors, to, shift] as const),
      );
      lab.check(label);
      allClose(
        lab.f64(to, columns),
        want,
        want.map(() => 1e4 * U64),
        label,
      );
      const moved = lab.f64(shift, 1)[0]!;
      const after = lab.f64(v, length);
      r.forEach((value, i) => {
        if (here[i] === 1) close(after[i]! + moved, value, 1e4 * U64, `${label}: r ${i}`);
      });
      close(fallen, before - objective(want), 1e4 * U64, `${label}: fallen`);
      assert.ok(fallen > 0);
    }
  }
});

onEveryBuild('lasso_active: what is not 0 or violates', (lab) => {
  const c = Float64Array.of(0.5, -2, 0.1, 3, 0, -1);
  const u = Float64Array.of(0, 0, 1, 0, -1, 0);
  const omega = Float64Array.of(1, 1, 1, 0, 1, 1);
  const out = lab.output(6 * 4);
  const vectors = [lab.input(c), lab.input(u), lab.input(omega), out] as const;
  assert.is(lab.kernels.lasso_active(6, 0, 1, ...vectors), 3);
  same(lab.i32(out, 3), [1, 2, 4], 'all');
  const list = lab.input(Int32Array.of(5, 4, 1));
  assert.is(lab.kernels.lasso_active(3, list, 0.9, ...vectors), 3);
  same(lab.i32(out, 3), [5, 4, 1], 'listed');
});

onEveryBuild('points_extrapolate: a linear sequence is followed to its end', (lab) => {
  // x ← M x + b with M of rank 4: five differences have it all.
  const rates = [0.9, -0.5, 0.7, 0.95];
  const end = [3, 4, 5, -6];
  const count = 4;
  const points = Array.from({ length: 6 }, (_, k) =>
    end.map((e, j) => e * (1 - rates[j]! ** (k + 1))),
  );
  const at = lab.input(Float64Array.from(points.flat()));
  const out = lab.output(count * 8);
  const work = lab.output(30 * 8);
  assert.is(lab.kernels.points_extrapolate(count, at, out, work), 1);
  lab.check('points');
  // The matrix has a touch of its trace: a hundredth of the way that was left.
  const left = (from: ArrayLike<number>) => sum(end.map((e, j) => Math.abs(e - from[j]!)));
  assert.ok(left(lab.f64(out, count)) < 0.01 * left(points[5]!), 'end');
  // Of what is 0 at last nothing is made, and points that stand still have no direction.
  const gone = points.map((point, k) => point.map((value, j) => (k === 5 && j === 1 ? 0 : value)));
  const zeros = lab.output(count * 8);
  lab.kernels.points_extrapolate(count, lab.input(Float64Array.from(gone.flat())), zeros, work);
  assert.is(lab.f64(zeros, count)[1], 0);
  const still = lab.input(Float64Array.from(Array.from({ length: 6 }, () => end).flat()));
  assert.is(lab.kernels.points_extrapolate(count, still, zeros, work), 0);
});

test.run();
