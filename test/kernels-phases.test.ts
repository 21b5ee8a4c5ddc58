// assembly/linear/phases.ts against float64, for every length 0 … 67.
import { allClose, close, floats, lengths, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import { pairsOf, placeRows, randomRows } from './helpers/samples.ts';
import { gamma, sum, U64 } from './oracle/rounding.ts';
import { test } from 'uvu';

const doubles = (n: number, seed: number) => Float64Array.from(floats(n, prngOf(seed)));
const signs = (n: number, seed: number) => doubles(n, seed).map((x) => (x > 0 ? 1 : -1));
const total = (values: ArrayLike<number>) => sum(Array.from(values));
const absolute = (values: ArrayLike<number>) => total(Array.from(values, Math.abs));

onEveryBuild('phase_targets: classes as signs, numbers as they are', (lab) => {
  for (const count of lengths.slice(1)) {
    const rows = randomRows({ count, columns: 3, classes: 2, seed: count });
    for (const numbers of [0, 1]) {
      lab.reset();
      const { directory } = placeRows(lab, rows, 'f32');
      const y = lab.output(count * 8);
      lab.kernels.phase_targets(numbers, count, directory, y);
      lab.check(`${count}`);
      // The bits of a class number as f32.
      const asNumber = new Float32Array(Int32Array.from(rows.targets).buffer);
      const want = Array.from(rows.targets, (k, i) => (numbers ? asNumber[i]! : k === 1 ? 1 : -1));
      same(lab.f64(y, count), want, `${count} ${numbers}`);
    }
  }
});

onEveryBuild('phase_residuals, phase_square_sums', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const targets = doubles(n, 5 + n);
    const [y, u] = [lab.output(targets), lab.output(n * 8)];
    const before = doubles(3, n);
    const sums = lab.output(before);
    lab.kernels.phase_residuals(n, 0.25, y, u);
    same(
      lab.f64(y, n),
      targets.map((x) => x - 0.25),
      `${n}: y`,
    );
    same(
      lab.f64(u, n),
      targets.map((x) => 0.25 - x),
      `${n}: u`,
    );
    lab.kernels.phase_square_sums(n, 0.5, y, u, sums);
    lab.check(`${n}`);
    const own = targets.map((x) => 0.75 - x);
    const parts = [own.map((x) => (x * x) / 2), own, own.map((x, i) => x * (targets[i]! - 0.25))];
    const bounds = parts.map(
      (part, k) => gamma(n + 3, U64) * (absolute(part) + Math.abs(before[k]!)),
    );
    allClose(
      lab.f64(sums, 3),
      parts.map((part, k) => before[k]! + total(part)),
      bounds,
      `${n}`,
    );
  }
});

const entropyOf = (a: number) => (a > 0 && a < 1 ? -a * Math.log(a) - (1 - a) * Math.log1p(-a) : 0);

onEveryBuild('phase_logistic_slopes, phase_logistic_entropy', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const [targets, scores] = [signs(n, n), doubles(n, 7 + n).map((x) => 12 * x)];
    const [y, z, g] = [lab.input(targets), lab.output(scores), lab.output(n * 8)];
    const sums = lab.output(new Float64Array(6));
    const [t, s0, s1, c0, c1] = [0.5, 0.75, 0.5, 1.5, 0.25];
    const c = targets.map((own) => (own > 0 ? c1 : c0));
    lab.kernels.phase_logistic_slopes(n, t, c0, c1, s0, s1, y, z, g, sums);
    lab.check(`${n}`);
    const m = scores.map((x, i) => targets[i]! * (x + t));
    const a = m.map((x) => 1 / (1 + Math.exp(x)));
    const want = a.map((x, i) => c[i]! * (targets[i]! > 0 ? -s1 * x : s0 * x));
    allClose(
      lab.f64(g, n),
      want,
      want.map((x) => 1e-14 * Math.abs(x)),
      `${n}: slopes`,
    );
    const of = (sign: number) => total(a.map((x, i) => (targets[i] === sign ? c[i]! * x : 0)));
    const parts = [
      total(m.map((x, i) => c[i]! * (Math.max(0, -x) + Math.log1p(Math.exp(-Math.abs(x)))))),
      total(a.map((x, i) => -targets[i]! * c[i]! * x)),
      total(a.map((x, i) => c[i]! * x * (1 - x))),
      ...[of(1), of(-1), total(a.map((x, i) => c[i]! * entropyOf(x)))],
    ];
    // exp, log and the quotient are right to some units of 2^-53, of values up to 13.
    allClose(lab.f64(sums, 6), parts, n * 13 * 30 * U64, `${n}: sums`);
    const entropy = lab.kernels.phase_logistic_entropy(n, 0.9, c0, c1, y, g);
    close(
      entropy,
      total(want.map((x, i) => c[i]! * entropyOf((0.9 * Math.abs(x)) / c[i]!))),
      n * 2e-14,
      `${n}: entropy`,
    );
    lab.kernels.phase_row_weights(n, c0, c1, y, z);
    same(lab.f64(z, n), c, `${n}: weights`);
  }
});

onEveryBuild('phase_gradient: parts in order, centred and scaled', (lab) => {
  for (const n of lengths) {
    for (const parts of [1, 3]) {
      lab.reset();
      const x = doubles(n * parts, n);
      const [means, scales] = [doubles(n, 1 + n), doubles(n, 2 + n)];
      const at = lab.input(x);
      const [m, r, out] = [lab.input(means), lab.input(scales), lab.output(n * 8)];
      const most = lab.kernels.phase_gradient(n, parts, 1.5, at, m, r, out);
      lab.check(`${n} ${parts}`);
      const folded = Array.from({ length: n }, (_, j) => {
        let own = x[j]!;
        for (let p = 1; p < parts; p++) own += x[p * n + j]!;
        return own;
      });
      const want = folded.map((own, j) => (own - 1.5 * means[j]!) * scales[j]!);
      allClose(lab.f64(out, n), want, 8 * U64, `${n} ${parts}`);
      same([most], [Math.max(0, ...lab.f64(out, n).map(Math.abs))], `${n}: largest`);
      lab.kernels.phase_gradient(n, parts, 1.5, at, 0, 0, out);
      same(lab.f64(out, n), folded, `${n} ${parts}: sums alone`);
    }
  }
});

onEveryBuild('phase_gradient: in place of the first part', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const x = doubles(n * 2, n);
    const at = lab.output(x);
    lab.kernels.phase_gradient(n, 2, 0, at, 0, 0, at);
    lab.check(`${n}`);
    same(
      lab.f64(at, n),
      Array.from({ length: n }, (_, j) => x[j]! + x[n + j]!),
      `${n}`,
    );
  }
});

onEveryBuild(
  'phase_mark, phase_products: one sparse column with marked ones, by its rows',
  (lab) => {
    for (const columns of lengths.slice(1)) {
      const rows = randomRows({ count: 2 + (columns % 19), columns, classes: 2, seed: columns });
      const prng = prngOf(columns);
      const list = Int32Array.from({ length: columns }, (_, j) => j).filter(
        (j) => j === 0 || prng.uniform() < 0.6,
      );
      const all = rows.pixels.map((_, i) => new Map(pairsOf(rows, i)));
      for (const j of [0, list.at(-1)]) {
        lab.reset();
        const { directory } = placeRows(lab, rows, 'csr');
        const own = all.flatMap((row, i) => (row.has(j) ? [[i, row.get(j)!] as const] : []));
        const cells = new Int32Array(2 * own.length);
        const values = new Float32Array(cells.buffer);
        own.forEach(([i, x], k) => {
          cells[2 * k] = i;
          values[2 * k + 1] = x;
        });
        const entries = lab.input(cells);
        const slots = lab.output(new Int32Array(columns));
        const out = lab.output(list.length * 8);
        const at = lab.input(list);
        lab.kernels.phase_mark(list.length, at, slots, 1);
        same(
          lab.i32(slots, columns),
          Array.from({ length: columns }, (_, k) => list.indexOf(k) + 1),
          `${columns}: marks`,
        );
        lab.kernels.phase_products(list.length, own.length, entries, directory, slots, out);
        lab.kernels.phase_mark(list.length, at, slots, 0);
        lab.check(`${columns}`);
        same(lab.i32(slots, columns), new Int32Array(columns), `${columns}: no marks`);
        const products = Array.from(list, (k) => own.map(([i, x]) => x * (all[i]!.get(k) ?? 0)));
        const bounds = products.map((terms) => gamma(terms.length + 2, U64) * absolute(terms));
        allClose(lab.f64(out, list.length), products.map(total), bounds, `${columns} ${j}`);
      }
    }
  },
);

onEveryBuild('phase_excess, phase_penalty', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const values = doubles(n, 3 + n);
    const at = lab.input(values);
    const excess = lab.kernels.phase_excess(n, 0.5, 0.1, at);
    const penalty = lab.kernels.phase_penalty(n, 0.3, 0.7, at);
    lab.check(`${n}`);
    const over = total(values.map((x) => Math.max(0, 0.5 * Math.abs(x) - 0.1) ** 2));
    close(excess, over, gamma(n + 4, U64) * (over + 0.1 * n), `${n}: excess`);
    const want = total(values.map((x) => 0.3 * Math.abs(x) + 0.35 * x * x));
    close(penalty, want, gamma(n + 4, U64) * want, `${n}: penalty`);
  }
});

test.run();
