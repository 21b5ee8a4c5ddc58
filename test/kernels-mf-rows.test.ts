// assembly/models/mf-columns.ts and mf-rows.ts: ratings by rows, and rows solved from them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  allClose,
  close,
  floats,
  integers,
  onEveryBuild,
  prngOf,
  same,
  type Lab,
} from './helpers/lab.ts';
import { gamma, sum, U32, U64 } from './oracle/rounding.ts';

onEveryBuild('mf_cut: ids as they come, in parts of equal cost', (lab) => {
  for (const [n, G] of [1, 2, 3, 17, 400].flatMap((n) => [1, 4, 64].map((G) => [n, G] as const))) {
    lab.reset();
    const counts = integers(n, 20, prngOf(n)).map((count, id) => (id === 0 ? 90 : count));
    const [rank, part, starts] = [n, n, G + 1].map((size) => lab.output(size * 4));
    lab.kernels.mf_cut(n, G, lab.input(counts), rank!, part!, starts!);
    lab.check(`n=${n} G=${G}`);
    same(
      lab.i32(rank!, n),
      Int32Array.from(counts, (_, id) => id),
      'rank is the id',
    );
    const bounds = lab.i32(starts!, G + 1);
    assert.is(bounds[0], 0);
    assert.is(bounds[G], n);
    const cost = (id: number) => counts[id]! + 8;
    const total = sum(Array.from(counts, (_, id) => cost(id)));
    for (let g = 0; g < G; g++) {
      let weight = 0;
      for (let id = bounds[g]!; id < bounds[g + 1]!; id++) {
        assert.is(lab.i32(part!, n)[id], g);
        weight += cost(id);
      }
      // A part begins at the first id at or after its share: off by less than one id.
      assert.ok(Math.abs(weight - total / G) <= 98, `n=${n} G=${G} part ${g}: ${weight}`);
    }
  }
});

onEveryBuild('mf_row_starts, mf_place_rows: input order in each row, the pilot first', (lab) => {
  for (const [count, every] of [0, 1, 7, 500].flatMap((n) => [1, 3].map((e) => [n, e] as const))) {
    lab.reset();
    const prng = prngOf(count);
    const [rows, others, firstRow] = [9, 13, 40];
    const row = integers(count, rows, prng).map((r) => r + firstRow);
    const other = integers(count, others, prng);
    const values = floats(count, prng);
    const parts = integers(others, 5, prng);
    const counts = new Int32Array(rows);
    row.forEach((r) => (counts[r - firstRow] = counts[r - firstRow]! + 1));
    const [starts, cursors] = [lab.output((rows + 1) * 4), lab.output(rows * 4)];
    lab.kernels.mf_row_starts(rows, lab.input(counts), starts, cursors);
    const [ids, out] = [lab.output(count * 4), lab.output(count * 4)];
    const [rowAt, otherAt, valueAt] = [lab.input(row), lab.input(other), lab.input(values)];
    const partAt = lab.input(parts);
    const ends: number[][] = [];
    for (let which = 0; which < (every > 1 ? 2 : 1); which++) {
      lab.kernels.mf_place_rows(
        ...([count, firstRow, 0.5, every, which, rowAt, otherAt, valueAt] as const),
        ...([partAt, cursors, ids, out] as const),
      );
      ends.push([...lab.i32(cursors, rows)]);
    }
    lab.check(`count=${count} every=${every}`);
    for (let r = 0; r < rows; r++) {
      const mine = [...row.keys()].filter((j) => row[j] === r + firstRow);
      const early = (j: number) => parts[other[j]!]! % every === 0;
      const want = [...mine.filter(early), ...mine.filter((j) => !early(j))];
      const start = lab.i32(starts, rows + 1)[r]!;
      assert.is(ends.at(-1)![r], start + mine.length);
      assert.is(ends[0]![r], start + mine.filter(early).length);
      want.forEach((j, place) => {
        assert.is(lab.i32(ids, count)[start + place], other[j]);
        assert.is(lab.f32(out, count)[start + place], Math.fround(values[j]! - 0.5));
      });
    }
  }
});

onEveryBuild(
  'mf_confidence: a weight’s root and a target; what is not liked weighs nothing',
  (lab) => {
    const counts = Float32Array.of(3, 0, 0.25, 1000, -2);
    const [values, weights] = [lab.output(counts), lab.output(counts.length * 4)];
    lab.kernels.mf_confidence(counts.length, 0.5, values, weights);
    lab.check('confidence');
    counts.forEach((count, j) => {
      const w = count > 0 ? count / 2 : 0;
      assert.is(lab.f32(weights, 5)[j], Math.fround(Math.sqrt(w)));
      assert.is(lab.f32(values, 5)[j], w > 0 ? Math.fround((1 + w) / Math.sqrt(w)) : 0);
    });
  },
);

onEveryBuild(
  'mf_first_rows, mf_unpack: blocks of lanes, by id; rows one behind the other',
  (lab) => {
    for (const [b, blocks, skip, rank, one] of [
      [4, 1, 0, 3, -1],
      [8, 3, 2, 20, 0],
      [4, 2, 2, 6, 1],
    ] as const) {
      for (const nonNegative of [0, 1]) {
        lab.reset();
        const n = 11;
        const counts = Int32Array.from({ length: n }, (_, id) => id % 3);
        const table = lab.output(n * b * blocks * 4);
        const lanes = b * blocks;
        const put = (first: number, last: number) =>
          lab.kernels.mf_first_rows(
            ...([first, last, n, b, blocks, skip, rank, one, nonNegative, 5, 0.01, 0.1] as const),
            ...([lab.input(counts), table] as const),
          );
        put(0, 4);
        put(4, n);
        const out = lab.output(n * lanes * 4);
        lab.kernels.mf_unpack(0, n, n, b, 0, lanes, lanes * 4, table, out);
        const part = lab.output(n * rank * 4);
        lab.kernels.mf_unpack(0, n, n, b, skip, rank, rank * 4, table, part);
        lab.check(`b=${b}`);
        const cells = lab.f32(table, n * lanes);
        for (let id = 0; id < n; id++) {
          for (let lane = 0; lane < lanes; lane++) {
            const value = lab.f32(out, n * lanes)[id * lanes + lane]!;
            const place = (Math.floor(lane / b) * n + id) * b + (lane % b);
            assert.is(value, cells[place]);
            const factor = lane >= skip && lane < skip + rank;
            if (factor) assert.is(lab.f32(part, n * rank)[id * rank + lane - skip], value);
            if (!factor || id % 3 === 0) assert.is(value, lane === one ? 1 : 0);
            else assert.ok(value !== 0 && value > (nonNegative ? 0 : -0.4) && value < 0.4);
          }
        }
      }
    }
  },
);

type Case = {
  readonly b: number;
  readonly blocks: number;
  readonly counts: readonly number[];
  readonly weighted?: boolean;
  readonly base?: boolean;
  readonly bias?: boolean;
  readonly nonNegative?: boolean;
  readonly stored?: boolean;
  readonly lambda?: number;
  readonly omega?: number;
};

const others = 7;
/** Of these rows the gathered ratings fit, and of larger ones not. */
const room = 1 << 16;

/** Everything mf_rows reads, at random, in a lab; `row(id)`: lanes of the other side. */
function place(lab: Lab, shape: Case, seed: number) {
  const { b, blocks, counts, weighted, base, bias, stored, lambda = 0.3, omega = 1 } = shape;
  const prng = prngOf(seed);
  const n = counts.length;
  const lanes = b * blocks;
  const total = sum(counts);
  const positive = (array: Float32Array) => array.map(Math.abs);
  const random = (size: number) =>
    shape.nonNegative ? positive(floats(size, prng)) : floats(size, prng);
  const own = random(n * lanes);
  const other = random(others * lanes);
  if (bias) {
    for (let row = 0; row < n; row++) own[row * b + 1] = 1;
    for (let row = 0; row < others; row++) other[row * b] = 1;
  }
  const ids = integers(total, others, prng);
  const values = floats(total, prng);
  const weights = positive(floats(total, prng));
  const G = new Float32Array(lanes * lanes);
  const random2 = floats(lanes * 3, prng);
  for (let i = 0; i < lanes; i++) {
    for (let j = 0; j < lanes; j++) {
      for (let k = 0; k < 3; k++) G[i * lanes + j]! += random2[3 * i + k]! * random2[3 * j + k]!;
    }
  }
  const starts = new Int32Array(n + 1);
  counts.forEach((count, row) => (starts[row + 1] = starts[row]! + count));
  const at = {
    own: lab.output(own),
    ownDeltas: stored ? lab.output(n * b * 4) : 0,
    residuals: stored ? lab.output(total * 4) : 0,
    sums: lab.output(Float64Array.of(1, 2)),
    work: lab.output(room + total * 4 + 256 * b * 4 + (b + 8) * (b + 8) * 4 + lanes * 4 + 64),
    plan: lab.output(64),
  };
  const startsAt = lab.input(starts);
  const idsAt = lab.input(ids);
  const part = Int32Array.of(
    ...[0, startsAt, startsAt + 4, idsAt, lab.input(values)],
    ...[weighted ? lab.input(weights) : 0, at.residuals],
  );
  const plan = new Int32Array(16);
  plan.set([
    b,
    blocks,
    n,
    others,
    bias ? 1 : -1,
    bias ? 0 : -1,
    (shape.nonNegative ? 1 : 0) + 2,
    room,
  ]);
  new Float32Array(plan.buffer).set([lambda, omega], 8);
  plan.set([at.own, lab.input(other), at.ownDeltas, 0, base ? lab.input(G) : 0, at.work], 10);
  const planAt = lab.input(plan);
  const lanesOf = (table: Float32Array, size: number, row: number) =>
    Array.from(
      { length: lanes },
      (_, lane) => table[(Math.floor(lane / b) * size + row) * b + (lane % b)]!,
    );
  /** √w x of rating j. */
  const x = (j: number) =>
    lanesOf(other, others, ids[j]!).map((v) => (weighted ? Math.fround(v * weights[j]!) : v));
  return { at, part: lab.input(part), plan: planAt, own, x, values, starts, G, lanesOf, lanes };
}

const dot = (a: readonly number[], c: readonly number[]) => sum(a.map((v, k) => v * c[k]!));
const absolute = (a: readonly number[]) => a.map(Math.abs);

/** One block of every row: the system that the step must solve, and what came of it. */
function checkStep(lab: Lab, shape: Case, block: number, seed: number): void {
  lab.reset();
  const { b, blocks, counts, base, bias, nonNegative, stored, lambda = 0.3, omega = 1 } = shape;
  const placed = place(lab, shape, seed);
  const { at, own, x, values, starts, lanesOf, lanes, G } = placed;
  const n = counts.length;
  const call = (first: number, last: number) =>
    lab.kernels.mf_rows(
      ...([first, last, block, block + 1, -1, placed.plan, placed.part, at.sums] as const),
    );
  call(0, 2);
  call(2, n);
  const label = JSON.stringify({ ...shape, counts: counts.length, block });
  lab.check(label);
  const after = lab.f32(at.own, n * lanes);
  let [errors, penalties, norms] = [1, 2, 2];
  for (let row = 0; row < n; row++) {
    const [p, q] = [lanesOf(own, n, row), lanesOf(after, n, row)];
    const ratings = Array.from({ length: counts[row]! }, (_, k) => starts[row]! + k);
    if (ratings.length === 0) {
      assert.equal(q, p, 'a row without ratings stays');
      continue;
    }
    const from = block * b;
    const ridge = lambda * ratings.length;
    const rows = ratings.map(x);
    const fixed = (lane: number) => bias === true && lane === 1;
    const free = (lane: number) => bias === true && lane === 0;
    const error = (k: number, at: readonly number[]) => values[ratings[k]!]! - dot(at, rows[k]!);
    const lean = ratings.length + lanes + 4 * b + 10;
    q.forEach((value, lane) => {
      if (lane < from || lane >= from + b || fixed(lane)) assert.is(value, p[lane], label);
      if (nonNegative && !free(lane)) assert.ok(value >= 0, `${label}: lane ${lane}: ${value}`);
    });
    // H δ = g, but for the rounding of H, g and of an elimination (Higham 2002, theorem 10.3).
    const H = (i: number, k: number) =>
      sum(rows.map((r) => r[i]! * r[k]!)) +
      (base ? G[i * lanes + k]! : 0) +
      (i === k && !free(i) ? ridge : 0);
    for (let i = from; i < from + b && nonNegative !== true; i++) {
      if (fixed(i)) continue;
      let g = sum(rows.map((r, k) => error(k, p) * r[i]!)) - (free(i) ? 0 : ridge * p[i]!);
      let size = sum(
        rows.map((r, k) => {
          const most = Math.abs(values[ratings[k]!]!) + dot(absolute(p), absolute(r));
          return most * Math.abs(r[i]!);
        }),
      );
      size += ridge * Math.abs(p[i]!);
      for (let k = 0; base && k < lanes; k++) {
        g -= G[i * lanes + k]! * p[k]!;
        size += Math.abs(G[i * lanes + k]! * p[k]!);
      }
      let bound = gamma(lean) * size;
      for (let k = from; k < from + b; k++) {
        if (fixed(k)) continue;
        const delta = (q[k]! - p[k]!) / omega;
        g -= H(i, k) * delta;
        const room =
          gamma(lean) * Math.abs(delta) + (2 * U32 * (Math.abs(q[k]!) + Math.abs(p[k]!))) / omega;
        bound += b * Math.sqrt(H(i, i) * H(k, k)) * room;
      }
      close(g, 0, bound, `${label}: row ${row} lane ${i}`);
    }
    // Never up.
    const value = (lanesNow: readonly number[]) => {
      let total = sum(rows.map((_, k) => error(k, lanesNow) ** 2));
      lanesNow.forEach((v, i) => {
        if (!free(i) && !fixed(i)) total += ridge * v * v;
        for (let k = 0; base && k < lanes; k++) total += G[i * lanes + k]! * v * lanesNow[k]!;
      });
      return total;
    };
    assert.ok(value(q) <= value(p) * (1 + gamma(lean) * 100), `${label}: row ${row} went up`);
    ratings.forEach((j, k) => {
      const want = error(k, q);
      if (shape.weighted !== true) errors += want * want;
      if (!stored) return;
      const moved = q.map((v, lane) => Math.abs(v) + 2 * Math.abs(p[lane]!));
      const size = Math.abs(values[j]!) + dot(moved, absolute(rows[k]!));
      close(lab.f32(at.residuals, starts[n]!)[j]!, want, gamma(lean) * 2 * size, `${label} y ${j}`);
    });
    const skip = bias ? 2 : 0;
    penalties += ratings.length * sum(q.slice(skip).map((v) => v * v));
    norms += ratings.length * sum(q.map((v) => v * v));
    for (let i = 0; stored && i < b; i++) {
      const delta = lab.f32(at.ownDeltas, n * b)[row * b + i]!;
      const room = 2 * U32 * (Math.abs(q[from + i]!) + Math.abs(p[from + i]!));
      close(delta, q[from + i]! - p[from + i]!, room, `${label} delta`);
    }
  }
  const [gotErrors = NaN, gotPenalties = NaN] = lab.f64(at.sums, 2);
  // Biases and ones are added with the rest and taken off again.
  close(gotPenalties, penalties, gamma(lanes * n, U64) * 2 * norms, `${label} penalty`);
  if (shape.weighted) return;
  // Errors' squares are of residuals that carry rounding errors as large as the terms they are of.
  const scale = sum(counts) * (1 + lanes) ** 2;
  close(gotErrors, errors, gamma(8 * lanes + 1000) * scale, `${label} errors ${blocks}`);
}

const counts = [5, 0, 1, 40, 300];

onEveryBuild('mf_rows: a step solves its system, on all sizes of blocks', (lab) => {
  for (const [b, blocks] of [4, 8, 12, 16, 28].flatMap((b) =>
    [1, 2, 3].map((n) => [b, n] as const),
  )) {
    checkStep(lab, { b, blocks, counts }, blocks - 1, b + blocks);
    checkStep(lab, { b, blocks, counts, bias: true, stored: true }, 0, b + blocks);
  }
});

onEveryBuild('mf_rows: weights, a base, longer steps, and no penalty', (lab) => {
  for (const b of [4, 12]) {
    checkStep(lab, { b, blocks: 2, counts, weighted: true, base: true, lambda: 2 }, 1, b);
    checkStep(lab, { b, blocks: 2, counts, omega: 1.5, stored: true }, 0, b);
    checkStep(lab, { b, blocks: 2, counts: [300, 200, 100], lambda: 0 }, 0, b);
  }
});

onEveryBuild('mf_rows: nothing below 0', (lab) => {
  for (const b of [4, 8]) {
    checkStep(lab, { b, blocks: 2, counts, nonNegative: true }, 1, b);
    checkStep(lab, { b, blocks: 2, counts, nonNegative: true, bias: true }, 0, b);
  }
});

onEveryBuild('mf_rows: a row with more ratings than are gathered at once', (lab) => {
  checkStep(lab, { b: 16, blocks: 1, counts: [1100, 3] }, 0, 3);
});

onEveryBuild('mf_rows: residuals kept and brought up to date are those computed anew', (lab) => {
  lab.reset();
  const shape = { b: 4, blocks: 2, counts: [5, 9, 300], stored: true };
  const { at, plan, part, starts } = place(lab, shape, 1);
  const total = starts[3]!;
  const { mf_rows } = lab.kernels;
  mf_rows(0, 3, 0, 0, -1, plan, part, at.sums);
  const before = lab.f32(at.residuals, total).slice();
  // The other side moved by these in block 1: what residuals must lose is p's block 1 times them.
  const deltas = floats(others * 4, prngOf(2));
  const words = lab.i32(plan, 16).slice();
  words[13] = lab.input(deltas);
  const moved = lab.input(words);
  mf_rows(0, 3, 0, 0, 1, moved, part, at.sums);
  lab.check('applied');
  const own = lab.f32(at.own, 3 * 8);
  const ids = lab.i32(lab.i32(part, 7)[3]!, total);
  for (let row = 0; row < 3; row++) {
    for (let j = starts[row]!; j < starts[row + 1]!; j++) {
      let [want, size] = [before[j]!, Math.abs(before[j]!)];
      for (let k = 0; k < 4; k++) {
        const term = own[(3 + row) * 4 + k]! * deltas[ids[j]! * 4 + k]!;
        want -= term;
        size += Math.abs(term);
      }
      close(lab.f32(at.residuals, total)[j]!, want, gamma(6) * size, `rating ${j}`);
    }
  }
});

onEveryBuild('mf_moments: Σ x xᵀ of some rows of a table in blocks', (lab) => {
  for (const [b, blocks, n] of [
    [4, 1, 1],
    [4, 3, 20],
    [12, 2, 300],
  ] as const) {
    lab.reset();
    const lanes = b * blocks;
    const table = floats(n * lanes, prngOf(n));
    const [G, work] = [lab.output(lanes * lanes * 4), lab.output(256 * lanes * 4)];
    const first = n > 1 ? 1 : 0;
    lab.kernels.mf_moments(first, n, n, b, blocks, lab.input(table), G, work);
    lab.check(`b=${b} blocks=${blocks}`);
    const at = (row: number, lane: number) =>
      table[(Math.floor(lane / b) * n + row) * b + (lane % b)]!;
    const want: number[] = [];
    const bounds: number[] = [];
    for (let i = 0; i < lanes; i++) {
      for (let j = 0; j < lanes; j++) {
        const terms = Array.from(
          { length: n - first },
          (_, r) => at(first + r, i) * at(first + r, j),
        );
        want.push(sum(terms));
        bounds.push(gamma(n + 2) * sum(terms.map(Math.abs)));
      }
    }
    allClose(lab.f32(G, lanes * lanes), want, bounds, `b=${b} blocks=${blocks}`);
  }
});

onEveryBuild('mf_top: the best rows that are not known, best first', (lab) => {
  for (const [n, known] of [
    [1, 0],
    [3, 3],
    [8, 2],
    [40, 7],
  ] as const) {
    lab.reset();
    const prng = prngOf(n);
    // Small whole numbers: scores are exact, and some are equal.
    const whole = (size: number) => floats(size, prng).map((v) => Math.round(3 * v));
    const [p, rows] = [whole(8), whole(n * 8)];
    const ids = Int32Array.from({ length: known }, (_, k) => (k * 5) % n);
    const marks = lab.output(new Uint8Array(n));
    const found = lab.output(10 * 8);
    const [idsAt, pAt, rowsAt] = [lab.input(ids), lab.input(p), lab.input(rows)];
    const count = lab.kernels.mf_top(n, 32, 10, known, idsAt, marks, pAt, rowsAt, found);
    lab.check(`n=${n}`);
    assert.ok(
      lab.u8(marks, n).every((mark) => mark === 0),
      'marks are cleared',
    );
    const score = (i: number) => dot([...p], [...rows.subarray(8 * i, 8 * i + 8)]);
    const want = Array.from({ length: n }, (_, i) => i)
      .filter((i) => !ids.includes(i))
      .sort((a, c) => score(c) - score(a) || a - c)
      .slice(0, 10);
    assert.equal([...lab.i32(found, count)], want, `n=${n}`);
  }
});

onEveryBuild('mf_rows_error: errors and norms in f64 at packed rows', (lab) => {
  for (const [lanes, weighted] of [4, 12].flatMap((n) =>
    [false, true].map((w) => [n, w] as const),
  )) {
    lab.reset();
    const prng = prngOf(lanes);
    const [n, total] = [5, 60];
    const starts = Int32Array.of(0, 10, 10, 11, 40, total);
    const [own, other] = [floats(n * lanes, prng), floats(others * lanes, prng)];
    const ids = integers(total, others, prng);
    const values = floats(total, prng);
    const roots = floats(total, prng).map((v, j) => (j % 7 === 0 ? 0 : Math.abs(v)));
    const startsAt = lab.input(starts);
    const part = Int32Array.of(
      ...[0, startsAt, startsAt + 4, lab.input(ids), lab.input(values)],
      ...[weighted ? lab.input(roots) : 0, 0],
    );
    const sums = lab.output(Float64Array.of(3, 4));
    const [ownAt, otherAt, partAt] = [lab.input(own), lab.input(other), lab.input(part)];
    const call = (with_: number) =>
      lab.kernels.mf_rows_error(0, n, lanes * 4, 2, 1, partAt, ownAt, with_, sums);
    call(otherAt);
    call(0);
    lab.check(`lanes=${lanes}`);
    let [errors, norms, size] = [3, 4, 3];
    for (let row = 0; row < n; row++) {
      const p = [...own.subarray(row * lanes, (row + 1) * lanes)];
      norms += 2 * (starts[row + 1]! - starts[row]!) * sum(p.slice(2).map((v) => v * v));
      for (let j = starts[row]!; j < starts[row + 1]!; j++) {
        const score = dot(p, [...other.subarray(ids[j]! * lanes, (ids[j]! + 1) * lanes)]);
        const w = roots[j]! ** 2;
        if (!weighted) errors += (values[j]! - score) ** 2;
        else if (w > 0) errors += (1 + w) * (1 - score) ** 2 - score ** 2;
        size += (1 + w) * (1 + Math.abs(score)) ** 2;
      }
    }
    const bound = 1e3 * U64 * (size + norms);
    allClose(lab.f64(sums, 2), [errors, norms], [bound, bound], `lanes=${lanes}`);
  }
});

test.run();
