// assembly/linear/lasso.ts, and the small kernels of block.ts, against float64.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, lengths, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import type { Lab } from './helpers/lab.ts';
import { pairsOf, placeRows, randomRows, storages } from './helpers/samples.ts';
import { gamma, sum, U64 } from './oracle/rounding.ts';

const doubles = (n: number, seed: number) => Float64Array.from(floats(n, prngOf(seed)));
const positive = (n: number, seed: number) => doubles(n, seed).map(Math.abs);

/** Vectors of `n` variables; some u are 0, one column is constant (ω = 0). */
function variables(n: number) {
  const u = doubles(n, 1 + n).map((value, j) => (j % 3 === 0 ? 0 : value));
  const omega = positive(n, 2 + n).map((value, j) => (j === 4 ? 0 : value));
  return { u, omega, c: doubles(n, 3 + n), means: doubles(n, 4 + n), t: positive(n, 5 + n) };
}

/** All of them, and every other one, last first. */
const listsOf = (n: number) => [
  undefined,
  Int32Array.from({ length: n >> 1 }, (_, k) => 2 * ((n >> 1) - k) - 1),
];

function each(
  lab: Lab,
  body: (n: number, list: Int32Array | undefined, chosen: readonly number[]) => void,
): void {
  for (const n of lengths) {
    for (const list of listsOf(n)) {
      lab.reset();
      body(n, list, list ? [...list] : Array.from({ length: n }, (_, j) => j));
    }
  }
}

onEveryBuild('targets_widen, residual_finish: residuals, masks and their sums', (lab) => {
  for (const n of lengths) {
    for (const masked of [false, true]) {
      lab.reset();
      const { kernels } = lab;
      const labels = floats(n, prngOf(n));
      const directory = new Float32Array(4 * n);
      labels.forEach((value, i) => (directory[4 * i + 3] = value));
      const y = lab.output(n * 8);
      kernels.targets_widen(n, lab.input(directory), y);
      same(lab.f64(y, n), labels, 'labels');
      const before = doubles(n, 7);
      const mask = Float64Array.from({ length: n }, (_, i) => (i % 4 === 1 ? 0 : 1));
      const v = lab.output(before);
      const z = lab.output(n * 8);
      const sums = lab.output(48);
      kernels.residual_finish(n, 0.25, masked ? lab.input(mask) : 0, y, v, masked ? z : v, sums);
      lab.check(`n=${n}`);
      const moved = before.map((value) => value + 0.25);
      same(lab.f64(v, n), moved, 'v');
      const w = masked ? mask : mask.map(() => 1);
      if (masked)
        same(
          lab.f64(z, n),
          moved.map((value, i) => w[i]! * value),
          'z',
        );
      const terms = [
        [...moved].map((value, i) => w[i]! * value),
        [...moved].map((value, i) => w[i]! * value * value),
        [...moved].map((value, i) => w[i]! * value * labels[i]!),
        [...moved].map((value, i) => (1 - w[i]!) * value * value),
        [...labels].map((value, i) => w[i]! * value),
        [...labels].map((value, i) => w[i]! * value * value),
      ];
      const bounds = terms.map((all) => gamma(n + 3, U64) * sum(all.map(Math.abs)));
      allClose(lab.f64(sums, 6), terms.map(sum), bounds, `sums, n=${n}`);
    }
  }
});

onEveryBuild(
  'folds_mask: a row of each `folds` in a row is left out, the same from any row',
  (lab) => {
    for (const folds of [2, 5, 7]) {
      lab.reset();
      const n = 70;
      const masks = Array.from({ length: folds }, (_, fold) => {
        const at = lab.output(n * 8);
        const kept = lab.kernels.folds_mask(n, 0, fold, folds, 3, at);
        assert.is(kept, sum(lab.f64(at, n)));
        const rest = lab.output((n - 13) * 8);
        lab.kernels.folds_mask(n - 13, 13, fold, folds, 3, rest);
        same(lab.f64(rest, n - 13), lab.f64(at, n).slice(13), 'by row number');
        return lab.f64(at, n);
      });
      for (let i = 0; i < n; i++) {
        assert.is(masks.filter((mask) => mask[i] === 0).length, 1, `row ${i}`);
      }
      masks.forEach((mask) => assert.ok(n - sum(mask) >= Math.floor(n / folds), 'even'));
      lab.check('folds');
    }
  },
);

onEveryBuild('parts_mean, lasso_scales, lasso_fold, lasso_export: units of columns', (lab) => {
  each(lab, (n, list, chosen) => {
    const { kernels } = lab;
    const { c, means, t, omega, u } = variables(n);
    const parts = [11, 12, 13].map((seed) => doubles(n, seed));
    const flat = new Float64Array(3 * n);
    parts.forEach((part, p) => flat.set(part, p * n));
    const part = lab.input(flat);
    const mean = lab.output(n * 8);
    kernels.parts_mean(n, 3, n * 8, 7, part, mean);
    const totals = Array.from({ length: n }, (_, j) => sum(parts.map((values) => values[j]!)));
    allClose(
      lab.f64(mean, n),
      totals.map((total) => total / 7),
      4 * U64,
      'means',
    );
    const out = lab.output(c);
    const [at, m, scale] = [list ? lab.input(list) : 0, lab.input(means), lab.input(t)];
    kernels.lasso_fold(chosen.length, at, 3, n * 8, 0.5, 7, part, m, scale, out);
    const want = c.slice();
    chosen.forEach((j, k) => {
      const total = sum(parts.map((values) => values[k]!));
      want[j] = (t[j]! * (total - means[j]! * 0.5)) / 7;
    });
    allClose(lab.f64(out, n), want, 32 * U64, 'slopes');
    const variance = omega.map((value, j) => (j === 7 ? 1e-30 : value));
    for (const standardize of [0, 1]) {
      const own = lab.output(variance);
      const factors = lab.output(n * 8);
      const varying = kernels.lasso_scales(n, standardize, m, own, factors);
      const scales = variance.map((v, j) => (v > 1e-24 * means[j]! ** 2 ? 1 / Math.sqrt(v) : 0));
      same(lab.f64(own, n), scales, 'scales');
      same(
        lab.f64(factors, n),
        scales.map((s) => (s > 0 && standardize ? 1 : s)),
        'factors',
      );
      assert.is(varying, scales.filter((s) => s > 0).length);
    }
    const weights = lab.output(n * 4);
    const moved = kernels.lasso_export(n, lab.input(u), m, scale, weights);
    const beta = Float32Array.from(u, (value, j) => t[j]! * value);
    same(lab.f32(weights, n), beta, 'weights');
    close(
      moved,
      sum([...beta].map((value, j) => means[j]! * value)),
      gamma(n + 2, U64) * n,
      'Σ m β',
    );
    lab.check(`n=${n}`);
  });
});

onEveryBuild('lasso_scan, lasso_screen, lasso_violators, lasso_support: who counts', (lab) => {
  each(lab, (n, list, chosen) => {
    const { kernels } = lab;
    const { c, u, omega } = variables(n);
    const at = list ? lab.input(list) : 0;
    const vectors = [lab.input(c), lab.input(u), lab.input(omega)] as const;
    const [l1, l2] = [0.3, 0.2];
    const scan = lab.output(40);
    kernels.lasso_scan(chosen.length, at, l1, l2, ...vectors, scan);
    const live = chosen.filter((j) => omega[j]! > 0);
    const slope = (j: number) => Math.abs(c[j]! / omega[j]! - l2 * omega[j]! * u[j]!);
    const scaled = live.map((j) => Math.abs(omega[j]! * u[j]!));
    const over = live.map((j) => Math.max(0, Math.abs(c[j]!) / omega[j]! - l1) ** 2);
    const want = [
      Math.max(0, ...live.map(slope)),
      sum(scaled),
      sum(scaled.map((value) => value * value)),
      sum(over),
      scaled.filter((value) => value > 0).length,
    ];
    allClose(
      lab.f64(scan, 5),
      want,
      want.map((value) => gamma(n + 8, U64) * (value + 4)),
      'scan',
    );

    const out = lab.output(n * 4);
    const kept = kernels.lasso_screen(chosen.length, at, l1, l2, 0.9, 0.05, ...vectors, out);
    const safe = live.filter((j) => {
      const reach = 0.9 * Math.abs(c[j]!) + Math.sqrt(1 + l2 * omega[j]! ** 2) * 0.05;
      return u[j] !== 0 || reach >= l1 * omega[j]!;
    });
    same(lab.i32(out, kept), safe, 'survivors');

    const slots = Int32Array.from({ length: n }, (_, j) => (j % 5 === 0 ? j : -1));
    const [found, priorities] = [lab.output(n * 4), lab.output(n * 8)];
    const count = kernels.lasso_violators(
      ...([chosen.length, at, l1, vectors[0], vectors[2], lab.input(slots)] as const),
      ...([found, priorities] as const),
    );
    const excess = (j: number) => Math.abs(c[j]!) - l1 * omega[j]!;
    const wrong = live.filter((j) => slots[j]! < 0 && excess(j) > 0);
    same(lab.i32(found, count), wrong, 'violators');
    allClose(lab.f64(priorities, count), wrong.map(excess), 4 * U64, 'priorities');

    const support = lab.output(n * 4);
    const others = kernels.lasso_support(n, vectors[1], support);
    same(
      lab.i32(support, others),
      [...u.keys()].filter((j) => u[j] !== 0),
      'support',
    );
    lab.check(`n=${n}`);
  });
});

onEveryBuild('lasso_block, lasso_changes: a block there and back', (lab) => {
  each(lab, (n, _, chosen) => {
    const { kernels } = lab;
    const { c, u, omega, means, t } = variables(n);
    const slots = [...chosen].reverse();
    const list = lab.input(Int32Array.from(slots));
    const count = slots.length;
    const outs = Array.from({ length: 5 }, () => lab.output(count * 8)) as [
      ...[number, number, number, number, number],
    ];
    const vectors = [lab.input(c), lab.input(u), lab.input(omega)] as const;
    kernels.lasso_block(count, list, 0.3, 0.2, 0.01, ...vectors, ...outs);
    const [l1, l2, g, own, units] = outs.map((out) => lab.f64(out, count));
    const ridge = (j: number) => 0.2 * omega[j]! * omega[j]!;
    allClose(
      l1!,
      slots.map((j) => 0.3 * omega[j]!),
      U64,
      'λ₁',
    );
    allClose(
      l2!,
      slots.map((j) => ridge(j) + 0.01),
      4 * U64,
      'λ₂',
    );
    allClose(
      g!,
      slots.map((j) => ridge(j) * u[j]! - c[j]!),
      4 * U64,
      'g',
    );
    same(
      own!,
      slots.map((j) => u[j]!),
      'u',
    );
    same(
      units!,
      slots.map((j) => omega[j]!),
      'ω',
    );

    const next = own!.map((value, k) => (k % 2 === 0 ? value : value + 0.5));
    const [uAt, lists, values, sums] = [
      ...[lab.output(u), lab.output(count * 4), lab.output(count * 8), lab.output(8)],
    ] as const;
    const changed = kernels.lasso_changes(
      ...([count, list, lab.input(next), uAt!, lab.input(means), lab.input(t)] as const),
      ...([lists!, values!, sums!] as const),
    );
    const moved = slots.filter((_, k) => k % 2 === 1);
    same(lab.i32(lists!, changed), moved, 'changed');
    allClose(
      lab.f64(values!, changed),
      moved.map((j) => -0.5 * t[j]!),
      2 * U64,
      'changes',
    );
    const shift = sum(moved.map((j) => 0.5 * t[j]! * means[j]!));
    close(lab.f64(sums!, 1)[0]!, shift, gamma(n + 3, U64) * n, 'shift');
    slots.forEach((j, k) => assert.is(lab.f64(uAt!, n)[j], next[k]));
    lab.check(`n=${n}`);
  });
});

onEveryBuild('linear_scores: scores and squared errors of every storage', (lab) => {
  for (const columns of lengths) {
    const rows = randomRows({ count: 5, columns, classes: 2, seed: 60 + columns });
    const labels = floats(5, prngOf(columns));
    const w = floats(columns, prngOf(columns + 1));
    for (const storage of storages) {
      lab.reset();
      const targets = new Int32Array(labels.buffer.slice(0));
      const { code, directory, scale } = placeRows(lab, { ...rows, targets }, storage);
      const [scores, sums] = [lab.output(40), lab.output(Float64Array.of(1, 1, 1))];
      const work = lab.output(2 * (columns + 16) * 4);
      lab.kernels.linear_scores(
        ...([code, 5, directory, columns, scale, lab.input(w), 0.5, scores, sums, work] as const),
      );
      lab.check(`${storage} ${columns}`);
      const want = rows.pixels.map(
        (_, i) => 0.5 + sum(pairsOf(rows, i).map(([j, x]) => w[j]! * x)),
      );
      allClose(lab.f64(scores, 5), want, gamma(columns + 2, U64) * (columns + 1), storage);
      const errors = want.map((score, i) => (labels[i]! - score) ** 2);
      const totals = [errors, [...labels], [...labels].map((y) => y * y)];
      const size = gamma(columns + 16, U64) * (columns + 4) ** 2;
      allClose(
        lab.f64(sums, 3),
        totals.map((terms) => 1 + sum(terms)),
        size,
        `${storage} sums`,
      );
    }
  }
});

onEveryBuild('f64_gather, f64_scatter, f64_subtract, block_gather: parts of vectors', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const { kernels } = lab;
    const list = Int32Array.from({ length: n >> 1 }, (_, k) => 2 * k + 1);
    const count = list.length;
    const x = doubles(n, n);
    const at = lab.input(list);
    const [part, back] = [lab.output(count * 8), lab.output(new Float64Array(n))];
    kernels.f64_gather(count, at, lab.input(x), part);
    kernels.f64_scatter(count, at, part, back);
    kernels.f64_subtract(n, lab.input(x), back);
    same(
      lab.f64(back, n),
      x.map((value, j) => (j % 2 === 1 && j >> 1 < count ? 0 : -value)),
      'x',
    );
    const stride = (n + 3) & ~3;
    const width = (count + 3) & ~3;
    const G = floats(n * stride, prngOf(n));
    const out = lab.output(count * width * 4);
    kernels.block_gather(count, at, stride, lab.input(G), width, out);
    const want = [...list].flatMap((a) =>
      Array.from({ length: width }, (_, b) => (b < count ? G[a * stride + list[b]!]! : 0)),
    );
    same(lab.f32(out, count * width), want, 'G');
    lab.check(`n=${n}`);
  }
});

test.run();
