// The kernels of binary logistic regression that go from one row, or one column, to the next: the
// dual ascent against a bisection of each row, turns over columns against plain arrays.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, noise, onEveryBuild, type Lab } from './helpers/lab.ts';
import { pairsOf, placeRows, randomRows } from './helpers/samples.ts';
import { sigmoid } from './oracle/logistic.ts';

const weights = { c0: 0.5, c1: 2 } as const;

/** The a of a row's subproblem: m = m₀ + q (σ(−m) − a). */
function exactDual(m0: number, q: number, a: number): number {
  let [low, high] = [m0 - q, m0 + q];
  for (let step = 0; step < 200; step++) {
    const m = (low + high) / 2;
    if (m - m0 - q * (sigmoid(-m) - a) > 0) high = m;
    else low = m;
  }
  return sigmoid(-(low + high) / 2);
}

onEveryBuild('logistic_ascent, logistic_norms: rows one after the other, by groups', (lab) => {
  for (const { columns, count, boost, inverse, order } of [
    { columns: 5, count: 70, boost: 0.3, inverse: 0.8, order: [2, 1] },
    { columns: 33, count: 32, boost: 0, inverse: 40, order: [0, 0] },
    { columns: 9, count: 1, boost: 0.3, inverse: 2e4, order: [0, 0] },
  ]) {
    lab.reset();
    const rows = { ...randomRows({ count, columns, classes: 2, seed: columns }), scale: 2 ** -8 };
    const { directory } = placeRows(lab, rows, 'csr');
    const pairs = rows.pixels.map((_, i) => pairsOf(rows, i));
    const [norms, sums] = [lab.output(count * 8), lab.output(Float64Array.of(1, 2))];
    const total = lab.kernels.logistic_norms(count, directory, norms);
    const squares = pairs.map((row) => row.reduce((sum, [, x]) => sum + x * x, 0));
    allClose(lab.f64(norms, count), squares, 1e-12, 'norms');
    const sum = squares.reduce((all, own) => all + own, 0);
    allClose([total], [sum], 1e-12, 'their sum');

    const start = noise(columns + 1, 3, 2);
    const before = noise(count, 4).map((x) => Math.min(1, Math.abs(x)));
    const [w, alpha] = [lab.output(start), lab.output(before)];
    const groups = Math.ceil(count / 32);
    const [a = 0, c = 0] = order;
    const lanes = 1.5;
    lab.kernels.logistic_ascent(
      ...([0, groups, groups, a || 1, c, count, directory, columns] as const),
      ...([weights.c0, weights.c1, inverse, boost, lanes, w, alpha, norms, sums] as const),
    );
    lab.check(`d=${columns}`);
    const after = lab.f64(alpha, count);
    const own = Float64Array.from(start);
    let [met, loss] = [1, 2];
    for (let j = 0; j < groups; j++) {
      const group = ((a || 1) * j + c) % groups;
      for (let i = 32 * group; i < Math.min(32 * group + 32, count); i++) {
        const y = rows.targets[i] === 1 ? 1 : -1;
        const weight = y > 0 ? weights.c1 : weights.c0;
        const m = y * pairs[i]!.reduce((z, [k, x]) => z + x * own[k]!, own[columns]!);
        const [p, old] = [sigmoid(-m), before[i]!];
        met += (weight * (p - old) ** 2) / (p * (1 - p) + old * (1 - old));
        loss += weight * (Math.max(0, -m) + Math.log1p(Math.exp(-Math.abs(m))));
        const share = weight * lanes * inverse;
        const exact = exactDual(m, share * (squares[i]! + boost), old);
        assert.ok(Math.abs(exact - after[i]!) <= 5e-4, `row ${i}: ${after[i]}, not ${exact}`);
        const step = y * share * (after[i]! - old);
        for (const [k, x] of pairs[i]!) own[k]! += step * x;
        own[columns]! += boost * step;
      }
    }
    const scale = Math.max(...own.map(Math.abs));
    allClose(lab.f64(w, columns + 1), own, 1e-10 * scale, 'w');
    allClose(lab.f64(sums, 2), [met, loss], 1e-8 * (met + loss), 'sums');
  }
});

/** Columns of two partitions as assembly/linear/columns.ts has them; position = column. */
function placeColumns(lab: Lab, x: readonly (readonly number[])[], cut: number, records: number) {
  const columns = x[0]!.length;
  const parts = [x.slice(0, cut), x.slice(cut)];
  const places = parts.map((rows, p) => {
    const starts = [0];
    const entries: [number, number][] = [];
    for (let j = 0; j < columns; j++) {
      rows.forEach((row, i) => row[j] !== 0 && entries.push([i, row[j]!]));
      starts.push(entries.length);
    }
    const bytes = new DataView(new ArrayBuffer(Math.max(8, entries.length * 8)));
    entries.forEach(([i, value], k) => {
      bytes.setInt32(8 * k, i, true);
      bytes.setFloat32(8 * k + 4, value, true);
    });
    const place = lab.input(Int32Array.from({ length: columns }, (_, j) => j));
    const at = lab.input(new Uint8Array(bytes.buffer));
    return [place, lab.input(Int32Array.from(starts)), at, records + (p === 0 ? 0 : cut * 16)];
  });
  return lab.input(Int32Array.from(places.flat()));
}

onEveryBuild('logistic_cycle and what belongs to it: a turn over columns', (lab) => {
  lab.reset();
  const [n, d, cut, l1, l2] = [9, 6, 4, 0.4, 0.1];
  const values = noise(n * d, 1).map((x) => (Math.abs(x) < 0.4 ? 0 : Math.fround(x)));
  const x = Array.from({ length: n }, (_, i) => Array.from(values.slice(i * d, i * d + d)));
  const h = noise(n, 2).map((value) => 0.25 * Math.abs(value));
  const records = lab.output(new Float64Array(2 * n));
  lab.kernels.logistic_records(n, lab.input(h), records);
  const places = placeColumns(lab, x, cut, records);
  const w = noise(d, 3).map((value, j) => (j % 2 === 0 ? 0 : value));
  const g = noise(d, 4);
  const diagonal = Float64Array.from(w, (_, j) =>
    x.reduce((s, row, i) => s + h[i]! * row[j]! ** 2, 0),
  );
  const order = [3, 0, 5, 1, 4, 2];
  const [list, step] = [lab.output(Int32Array.from(order)), lab.output(new Float64Array(d))];
  const sum = lab.output(Float64Array.of(7));
  const [wAt, gAt, diagonalAt] = [lab.input(w), lab.input(g), lab.input(diagonal)];
  const t = new Float64Array(n);
  const moved = new Float64Array(d);
  let off = 7;
  const kept: number[] = [];
  for (const j of order) {
    const value = w[j]! + moved[j]!;
    const slope = g[j]! + l2 * value + x.reduce((s, row, i) => s + row[j]! * h[i]! * t[i]!, 0);
    if (value === 0 && Math.abs(slope) <= l1) continue;
    kept.push(j);
    off += value === 0 ? Math.abs(slope) - l1 : Math.abs(slope + Math.sign(value) * l1);
    const curvature = diagonal[j]! + l2;
    const aim = curvature * value - slope;
    const change = (Math.sign(aim) * Math.max(0, Math.abs(aim) - l1)) / curvature - value;
    moved[j]! += change;
    x.forEach((row, i) => (t[i]! += change * row[j]!));
  }
  const left = lab.kernels.logistic_cycle(
    ...([d, list, 2, places, l1, l2, wAt, gAt, diagonalAt, step, sum] as const),
  );
  lab.check('turn');
  assert.equal(Array.from(lab.i32(list, left)), kept);
  assert.ok(left > 0 && left < d, 'some leave the list');
  allClose(lab.f64(step, d), moved, 1e-10, 'step');
  allClose(lab.f64(sum, 1), [off], 1e-10, 'violations');
  const states = () => Float64Array.from(t, (_, i) => lab.f64(records, 2 * n)[2 * i]!);
  allClose(states(), t, 1e-10, 't');
  const drift = t.reduce((s, own, i) => s + own * h[i]!, 0);
  allClose([lab.kernels.logistic_drift(n, records)], [drift], 1e-10, 'drift');
  lab.kernels.logistic_shift(n, 0.5, records);
  lab.check('shift');
  const shifted = t.map((own) => own + 0.5);
  allClose(states(), shifted, 1e-10, 'shifted');
});

onEveryBuild('f64_merge: a share of what every part has moved', (lab) => {
  for (const [n, parts] of [
    [1, 1],
    [7, 3],
  ] as const) {
    lab.reset();
    const [from, moved] = [noise(n, 1), noise(n * parts, 2)];
    const w = lab.output(from);
    lab.kernels.f64_merge(n, parts, 0.4, lab.input(moved), w);
    lab.check(`n=${n}`);
    const want = from.map((value, i) => {
      let sum = value;
      for (let p = 0; p < parts; p++) sum += 0.4 * (moved[p * n + i]! - value);
      return sum;
    });
    allClose(lab.f64(w, n), want, 1e-14, `n=${n}`);
  }
});

test.run();
