// The kernels of binary logistic regression against float64 sums over plain arrays.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, noise, onEveryBuild, same, type Lab } from './helpers/lab.ts';
import { pairsOf, placeRows, randomRows, storages, type SampleRows } from './helpers/samples.ts';
import { sigmoid } from './oracle/logistic.ts';

const weights = { c0: 0.5, c1: 2 } as const;
const workBytes = (d: number) => 2 * (d + 17) * 4 + 8 * (d + 2);

/** Rows with what a pass has of them. */
function problem(seed: number, columns: number) {
  // A power of two: f32 rows are multiplied with it in f64, all others in f32.
  const rows = { ...randomRows({ count: 23, columns, classes: 2, seed }), scale: 2 ** -8 };
  const n = rows.pixels.length;
  const pairs = rows.pixels.map((_, i) => pairsOf(rows, i));
  const [z, q, v] = [noise(n, seed + 1, 6), noise(n, seed + 2, 3), noise(columns + 1, seed + 3, 2)];
  return { rows, n, d: columns, pairs, z, q, v, y: Array.from(rows.targets, (k) => 2 * k - 1) };
}
type Problem = ReturnType<typeof problem>;

const shapes = [1, 4, 7, 33] as const;

/** Runs `body` for every storage and some widths. */
function everyway(lab: Lab, body: (p: Problem, place: () => Place, label: string) => void): void {
  for (const columns of shapes) {
    const p = problem(columns, columns);
    for (const storage of storages) {
      const place = () => {
        lab.reset();
        return placeHead(lab, p.rows, storage);
      };
      body(p, place, `${storage} d=${columns}`);
    }
  }
}

function placeHead(lab: Lab, rows: SampleRows, storage: (typeof storages)[number]) {
  const { code, directory, scale } = placeRows(lab, rows, storage);
  return [code, rows.pixels.length, directory, rows.columns, scale] as const;
}
type Place = ReturnType<typeof placeHead>;

const dot = (pairs: Problem['pairs'][number], v: Float64Array) =>
  pairs.reduce((sum, [j, x]) => sum + x * v[j]!, v[v.length - 1]!);

/** Σ_i a_i x_i with a last element Σ a_i. */
function combine({ pairs, d }: Problem, a: readonly number[]): Float64Array {
  const out = new Float64Array(d + 1);
  pairs.forEach((row, i) => {
    for (const [j, x] of row) out[j]! += a[i]! * x;
    out[d]! += a[i]!;
  });
  return out;
}

const entropy = (a: number) => (a <= 0 || a >= 1 ? 0 : -a * Math.log(a) - (1 - a) * Math.log1p(-a));

function curvature(m: number, moved: number): number {
  const own = sigmoid(m) * sigmoid(-m);
  if (m >= 0) return own;
  const bound = m < -1e-3 ? Math.tanh(-m / 2) / (-2 * m) : 0.25;
  return own + Math.min(1, Math.abs(moved)) * Math.max(0, bound - own);
}

onEveryBuild(
  'logistic_advance: scores, loss, gradient, curvature and duals of every row',
  (lab) => {
    everyway(lab, (p, place, label) => {
      for (const [fresh, taken, t] of [
        [true, 0.5, 1],
        [false, 0, 0.25],
      ] as const) {
        const head = place();
        const { n, d } = p;
        const v = fresh ? lab.input(p.v) : 0;
        const old = noise(n, 8);
        const start = noise(d + 1, 9);
        const [z, q, h, before] = [p.z, p.q, old, noise(n, 7)].map((x) => lab.output(x));
        const [g, sums] = [lab.output(start), lab.output(new Float64Array(5))];
        const work = lab.output(workBytes(d));
        lab.kernels.logistic_advance(
          ...([...head, weights.c0, weights.c1, taken, t, v, z!, q!, h!] as const),
          ...([before!, g, sums, work] as const),
        );
        lab.check(label);
        const at = p.z.map((value, i) => value + taken * p.q[i]!);
        const step = fresh ? Float64Array.from(p.pairs, (row) => dot(row, p.v)) : p.q;
        allClose(lab.f64(z!, n), at, 1e-12, `${label} z`);
        allClose(lab.f64(q!, n), step, 1e-11, `${label} q`);
        if (fresh) same(lab.f64(before!, n), old, `${label} before`);
        const moved = at.map((value, i) => value + t * step[i]!);
        const c = p.y.map((y) => (y > 0 ? weights.c1 : weights.c0));
        const m = p.y.map((y, i) => y * moved[i]!);
        const a = m.map((margin) => sigmoid(-margin));
        const own = m.map((margin, i) => c[i]! * curvature(margin, t * step[i]!));
        allClose(lab.f64(h!, n), own, 1e-11, `${label} h`);
        const slopes = combine(
          p,
          a.map((dual, i) => -c[i]! * p.y[i]! * dual),
        );
        allClose(
          lab.f64(g, d + 1),
          slopes.map((value, j) => value + start[j]!),
          1e-10,
          `${label} g`,
        );
        const sum = (of: (i: number) => number) => p.y.reduce((total, _, i) => total + of(i), 0);
        const want = [
          sum((i) => c[i]! * (Math.max(-m[i]!, 0) + Math.log1p(Math.exp(-Math.abs(m[i]!))))),
          sum((i) => c[i]! * entropy(a[i]!)),
          sum((i) => (p.y[i]! > 0 ? c[i]! * a[i]! : 0)),
          sum((i) => (p.y[i]! < 0 ? c[i]! * a[i]! : 0)),
          sum((i) => (m[i]! < 0 ? 1 : 0)),
        ];
        allClose(lab.f64(sums, 5), want, 1e-10, `${label} sums`);
      }
    });
  },
);

onEveryBuild(
  'logistic_product, logistic_diagonal: Σ h x xᵀ times a vector, and its diagonal',
  (lab) => {
    everyway(lab, (p, place, label) => {
      const { n, d } = p;
      const h = noise(n, 5).map(Math.abs);
      let head = place();
      const [hAt, vAt] = [lab.input(h), lab.input(p.v)];
      const start = noise(d + 1, 6);
      let out = lab.output(start);
      lab.kernels.logistic_product(...head, hAt, vAt, out, lab.output(workBytes(d)));
      lab.check(label);
      const product = combine(
        p,
        p.pairs.map((row, i) => h[i]! * dot(row, p.v)),
      );
      const wanted = product.map((value, j) => value + start[j]!);
      allClose(lab.f64(out, d + 1), wanted, 1e-10, `${label} product`);

      head = place();
      const again = lab.input(h);
      out = lab.output(new Float64Array(d + 1));
      lab.kernels.logistic_diagonal(...head, again, out, lab.output(workBytes(d)));
      lab.check(label);
      const squares = new Float64Array(d + 1);
      p.pairs.forEach((row, i) => {
        for (const [j, x] of row) squares[j]! += h[i]! * x * x;
        squares[d]! += h[i]!;
      });
      allClose(lab.f64(out, d + 1), squares, 1e-11, `${label} diagonal`);
    });
  },
);

onEveryBuild('logistic_dual, logistic_entropy: at a point and along a step', (lab) => {
  const { c0, c1 } = weights;
  everyway(lab, (p, place, label) => {
    const { n, d } = p;
    const h = noise(n, 5).map((x) => 0.2 * Math.abs(x));
    for (const [along, t] of [
      [false, 0.5],
      [true, 0],
    ] as const) {
      const head = place();
      const [s0, s1] = [0.75, 0.9];
      const [z, q] = [lab.input(p.z), lab.input(p.q)];
      const hAt = along ? lab.input(h) : 0;
      const v = lab.output(new Float64Array(d + 1));
      const work = lab.output(workBytes(d));
      const sums = lab.output(new Float64Array(3));
      lab.kernels.logistic_dual(...head, c0, c1, s0, s1, t, hAt, z, q, v, work);
      const [, count, directory] = head;
      lab.kernels.logistic_entropy(count, directory, c0, c1, s0, s1, t, hAt, z, q, sums);
      lab.check(label);
      const c = p.y.map((y) => (y > 0 ? c1 : c0));
      const a = p.y.map((y, i) => {
        const point = sigmoid(-y * (p.z[i]! + t * p.q[i]!));
        const ahead = along ? (h[i]! * y * p.q[i]!) / c[i]! : 0;
        return (y > 0 ? s1 : s0) * Math.min(1, Math.max(0, point - ahead));
      });
      const want = combine(
        p,
        a.map((dual, i) => c[i]! * p.y[i]! * dual),
      );
      want[d] = 0;
      allClose(lab.f64(v, d + 1), want, 1e-10, `${label} v`);
      const sum = (of: (i: number) => number) => p.y.reduce((total, _, i) => total + of(i), 0);
      const sumsWanted = [
        sum((i) => c[i]! * entropy(a[i]!)),
        sum((i) => (p.y[i]! > 0 ? c[i]! * a[i]! : 0)),
        sum((i) => (p.y[i]! < 0 ? c[i]! * a[i]! : 0)),
      ];
      allClose(lab.f64(sums, 3), sumsWanted, 1e-10, `${label} sums`);
    }
  });
});

onEveryBuild('logistic_gram, gram_square: chosen features, every row or some', (lab) => {
  everyway(lab, (p, place, label) => {
    const { n, d } = p;
    const h = noise(n, 5).map(Math.abs);
    const all = Array.from({ length: d + 1 }, (_, j) => j);
    for (const [list, step] of [
      [all, 1],
      [all.filter((j) => j % 2 === 0), 3],
      [all.slice(0, d), 1],
    ] as const) {
      const k = list.length;
      const head = place();
      const map = new Int32Array(d + 1).fill(-1);
      list.forEach((j, slot) => (map[j] = slot));
      const [code, count, directory, columns, scale] = head;
      const cells = (k * (k + 1)) / 2;
      const bytes = (4 * cells + 15) & ~15;
      const G = lab.output(new Uint8Array(2 * bytes));
      const work = lab.output(workBytes(d));
      const [hAt, mapAt] = [lab.input(h), lab.input(map)];
      // The same twice: two partitions.
      for (const part of [0, 1]) {
        lab.kernels.logistic_gram(
          ...([code, count, step, directory, columns, scale, hAt, mapAt, k] as const),
          ...([G + part * bytes, work] as const),
        );
      }
      const stride = (k + 3) & ~3;
      const out = lab.output(k * stride * 4);
      lab.kernels.gram_square(k, 2, bytes, G, stride, out);
      lab.check(label);
      const want = new Float64Array(k * stride);
      p.pairs.forEach((row, i) => {
        if (i % step !== 0) return;
        const own = [
          ...row.filter(([j]) => map[j]! >= 0),
          ...(map[d]! >= 0 ? [[d, 1] as const] : []),
        ];
        for (const [a, x] of own) {
          for (const [b, y] of own) want[map[a]! * stride + map[b]!]! += 2 * step * h[i]! * x * y;
        }
      });
      allClose(lab.f32(out, k * stride), want, 2e-5, `${label} k=${k} step=${step}`);
    }
  });
});

onEveryBuild('logistic_violations and what is made of them', (lab) => {
  for (const d of [1, 2, 9]) {
    const w = noise(d, 1).map((x, j) => (j % 2 === 0 ? 0 : x));
    const g = noise(d, 2, 3);
    const [l1, l2] = [1, 0.5];
    const slope = g.map((value, j) => value + l2 * w[j]!);
    for (const near of [1, 0.6]) {
      lab.reset();
      const [wAt, gAt, out, fresh] = [
        lab.input(w),
        lab.input(g),
        lab.output(d * 8),
        lab.output(d * 8),
      ];
      const count = lab.kernels.logistic_violations(d, l1, l2, near, wAt, gAt, out, fresh);
      const off = slope.map((s, j) =>
        w[j] === 0 ? Math.max(0, Math.abs(s) - near) : Math.abs(s + Math.sign(w[j]!) * l1),
      );
      allClose(lab.f64(out, d), off, 1e-14, `violations d=${d}`);
      const wanted = off.filter((value, j) => w[j] === 0 && value > 0);
      allClose(lab.f64(fresh, count), wanted, 1e-14, `fresh d=${d}`);
      const used = lab.kernels.logistic_priorities(d, 10, 0.5, wAt, out);
      assert.is(used, w.filter((value) => value !== 0).length);
      const ranked = off.map((value, j) => (w[j] !== 0 ? value + 10 : value < 0.5 ? 0 : value));
      allClose(lab.f64(out, d), ranked, 1e-14, `priorities d=${d}`);
    }
    lab.reset();
    const m = noise(d, 3).map((x) => 1 + Math.abs(x));
    const [wAt, gAt, mAt] = [lab.input(w), lab.input(g), lab.input(m)];
    const [free, step] = [lab.output(d * 8), lab.output(noise(d, 4, 2))];
    lab.kernels.logistic_free(d, l1, l2, wAt, gAt, free);
    const rest = slope.map((s, j) => {
      if (w[j] !== 0) return -s - Math.sign(w[j]!) * l1;
      return Math.abs(s) > l1 ? -s + Math.sign(s) * l1 : 0;
    });
    allClose(lab.f64(free, d), rest, 1e-14, `free d=${d}`);
    const given = lab.f64(step, d);
    lab.kernels.f64_mask(d, free, step);
    lab.kernels.logistic_project(d, free, wAt, step);
    const cut = given.map((s, j) => {
      if (rest[j] === 0) return 0;
      const sign = w[j] === 0 ? rest[j]! : w[j]!;
      return (w[j]! + s) * sign < 0 ? -w[j]! : s;
    });
    allClose(lab.f64(step, d), cut, 1e-14, `projected d=${d}`);
    lab.kernels.logistic_shrink(d, l1, l2, wAt, gAt, mAt, step);
    const shrunk = slope.map((s, j) => {
      const aim = m[j]! * w[j]! - s;
      return (Math.sign(aim) * Math.max(0, Math.abs(aim) - l1)) / m[j]! - w[j]!;
    });
    allClose(lab.f64(step, d), shrunk, 1e-13, `shrunk d=${d}`);
    lab.check(`d=${d}`);
  }
});

test.run();
