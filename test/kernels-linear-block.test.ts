// The steps of assembly/linear/block.ts one by one against float64; the whole of them, solveBlock,
// is in kernels-linear-gram.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, onEveryBuild, prngOf, type Lab } from './helpers/lab.ts';

const count = 7;
const stride = 8;

/** A positive definite block whose values are exact in f32, with 0s, penalties and ridges. */
function problem(lab: Lab, seed: number) {
  const prng = prngOf(seed);
  const A = Array.from({ length: count }, () =>
    [...floats(12, prng)].map((v) => Math.round(v * 8)),
  );
  const dotted = (a: number[], b: number[]) => a.reduce((all, v, i) => all + v * b[i]!, 0);
  const G = A.map((a, i) => A.map((b, j) => dotted(a, b) / 64 + (i === j ? 1 : 0)));
  const flat = new Float32Array(count * stride);
  G.forEach((row, i) => flat.set(row, i * stride));
  const pad = (values: readonly number[]) =>
    Float64Array.from({ length: stride }, (_, j) => values[j] ?? 0);
  const u = pad([0.5, 0, -1, 0, 2, 0, -0.25]);
  const g = pad([...floats(count, prng)].map((v) => 3 * v));
  const l1 = pad([0.5, 1, 0.25, 0, 0.5, 2, 0.125]);
  const l2 = pad([0, 0.5, 0, 1, 0.25, 0, 0.5]);
  const at = { G: lab.input(flat), l1: lab.input(l1), l2: lab.input(l2) };
  return { G, u, g, l1, l2, at };
}

type Problem = ReturnType<typeof problem>;

const off = ({ u, g, l1 }: Problem, j: number) =>
  u[j] === 0 ? Math.max(0, Math.abs(g[j]!) - l1[j]!) : Math.abs(g[j]! + Math.sign(u[j]!) * l1[j]!);

onEveryBuild('block: violations, active variables', (lab) => {
  for (let seed = 1; seed < 6; seed++) {
    lab.reset();
    const one = problem(lab, seed);
    const [g, u, units] = [one.g, one.u, one.g.map(() => 0.5)].map((x) => lab.input(x));
    const list = lab.output(count * 4);
    const all = Array.from({ length: count }, (_, j) => off(one, j));
    assert.is(lab.kernels.block_violation(count, g!, u!, one.at.l1, 0), Math.max(...all));
    assert.is(
      lab.kernels.block_violation(count, g!, u!, one.at.l1, units!),
      Math.max(...all) / 0.5,
    );
    const active = all.flatMap((value, j) => (one.u[j] !== 0 || value > 0 ? [j] : []));
    assert.is(lab.kernels.block_active(count, g!, u!, one.at.l1, list), active.length);
    assert.equal([...lab.i32(list, active.length)], active);
  }
});

onEveryBuild('block: a sweep is coordinate descent, and keeps the gradients', (lab) => {
  for (let seed = 1; seed < 6; seed++) {
    lab.reset();
    const { G, u, g, l1, l2, at } = problem(lab, seed);
    const [gAt, uAt] = [lab.output(g), lab.output(u)];
    const most = lab.kernels.block_sweep(count, stride, at.G, at.l1, at.l2, gAt, uAt, 0);
    let largest = 0;
    for (let j = 0; j < count; j++) {
      const h = G[j]![j]! + l2[j]!;
      const z = h * u[j]! - g[j]!;
      const after = (Math.sign(z) * Math.max(0, Math.abs(z) - l1[j]!)) / h;
      const change = after - u[j]!;
      largest = Math.max(largest, h * Math.abs(change));
      u[j] = after;
      for (let k = 0; k < count; k++) g[k]! += G[k]![j]! * change;
      g[j]! += l2[j]! * change;
    }
    close(most, largest, 1e-9, 'largest change');
    allClose([...lab.f64(uAt, count)], [...u.subarray(0, count)], 1e-9, 'u');
    allClose([...lab.f64(gAt, count)], [...g.subarray(0, count)], 1e-9, 'g');
  }
});

onEveryBuild('block: conjugate gradients solve the free variables, the search lowers', (lab) => {
  for (let seed = 1; seed < 6; seed++) {
    lab.reset();
    const { G, u, g, l1, l2, at } = problem(lab, seed);
    const [gAt, uAt, d] = [lab.output(g), lab.output(u), lab.output(stride * 8)];
    const work = lab.output(3 * stride * 8 + stride * 4 + 16);
    const places = [at.G, at.l1, at.l2, gAt, uAt, d, work] as const;
    assert.ok(lab.kernels.block_newton(count, stride, 50, 1e-6, ...places) <= 50);
    const step = lab.f64(d, count);
    const times = (x: ArrayLike<number>, j: number) =>
      G[j]!.reduce((all, value, k) => all + value * x[k]!, l2[j]! * x[j]!);
    for (let j = 0; j < count; j++) {
      if (u[j] === 0) assert.is(step[j], 0, 'what is not free stays');
      else close(times(step, j), -(g[j]! + Math.sign(u[j]!) * l1[j]!), 1e-4, `row ${j}`);
    }
    const t = lab.kernels.block_line(count, stride, ...places);
    assert.ok(Math.abs(t) > 0 && Math.abs(t) <= 1, `t = ${t}`);
    const moved = lab.f64(uAt, count).map((value, j) => value - u[j]!);
    const penalty = (x: ArrayLike<number>, j: number) => l1[j]! * Math.abs(x[j]!);
    let change = 0;
    for (let j = 0; j < count; j++) {
      change += moved[j]! * g[j]! + 0.5 * moved[j]! * times(moved, j);
      change += penalty(lab.f64(uAt, count), j) - penalty(u, j);
      close(lab.f64(gAt, count)[j]!, g[j]! + times(moved, j), 1e-4, `gradient ${j}`);
      assert.ok(u[j]! * lab.f64(uAt, count)[j]! >= 0, 'no sign changes');
    }
    assert.ok(change < 0, `the objective falls, by ${-change}`);
  }
});

onEveryBuild('block: changes of some are applied to the gradients of all', (lab) => {
  lab.reset();
  const { G, g, l2, at } = problem(lab, 3);
  const list = [5, 0, 3];
  const changes = [0.5, -2, 0];
  const gAt = lab.output(g);
  const places = [lab.input(Int32Array.from(list)), stride, at.G, at.l2] as const;
  lab.kernels.block_apply(count, 3, ...places, lab.input(Float64Array.from(changes)), gAt);
  list.forEach((slot, k) => {
    for (let j = 0; j < count; j++) g[j]! += G[j]![slot]! * changes[k]!;
    g[slot]! += l2[slot]! * changes[k]!;
  });
  allClose([...lab.f64(gAt, count)], [...g.subarray(0, count)], 1e-12, 'g');
});

onEveryBuild('block_gather: the matrix may be gathered where it stands, slots ascending', (lab) => {
  const size = 8;
  const G = Float32Array.from(
    { length: size * size },
    (_, k) => 100 * Math.floor(k / size) + (k % size),
  );
  const list = Int32Array.of(0, 2, 3, 6);
  const at = lab.output(G);
  lab.kernels.block_gather(list.length, lab.input(list), size, at, size, at);
  lab.check('gather');
  const rows = [...list].map((a) => [...[...list].map((b) => 100 * a + b), 0, 0, 0, 0]);
  assert.equal([...lab.f32(at, list.length * size)], rows.flat());
});

test.run();
