// mf_rows of assembly/models/mf-rows.ts: rows solved from their ratings.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { close, floats, integers, onEveryBuild, prngOf, type Lab } from './helpers/lab.ts';
import { gamma, sum, U32, U64 } from './oracle/rounding.ts';

type Case = {
  readonly b: number;
  readonly blocks: number;
  readonly counts: readonly number[];
  readonly weighted?: boolean;
  readonly base?: boolean;
  readonly bias?: boolean;
  readonly nonNegative?: boolean;
  readonly stored?: boolean;
  /** A row's blocks lie together. */
  readonly whole?: boolean;
  readonly lambda?: number;
  readonly omega?: number;
};

const others = 7;
/** Of these rows the gathered ratings fit, and of larger ones not. */
const room = 1 << 16;

/** Everything mf_rows reads, at random, in a lab; `row(id)`: lanes of the other side. */
function place(lab: Lab, shape: Case, seed: number) {
  const { b, blocks, counts, weighted, base, bias, stored, whole } = shape;
  const { lambda = 0.3, omega = 1 } = shape;
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
    const step = whole ? lanes : b;
    for (let row = 0; row < n; row++) own[row * step + 1] = 1;
    for (let row = 0; row < others; row++) other[row * step] = 1;
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
    (shape.nonNegative ? 1 : 0) + 2 + (whole ? 4 : 0),
    room,
  ]);
  new Float32Array(plan.buffer).set([lambda, omega], 8);
  plan.set([at.own, lab.input(other), at.ownDeltas, 0, base ? lab.input(G) : 0, at.work], 10);
  const planAt = lab.input(plan);
  const lanesOf = (table: Float32Array, size: number, row: number) =>
    Array.from({ length: lanes }, (_, lane) => {
      const at = (Math.floor(lane / b) * size + row) * b + (lane % b);
      return table[whole ? row * lanes + lane : at]!;
    });
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

onEveryBuild('mf_rows: rows that stand whole', (lab) => {
  for (const b of [4, 8, 12, 16]) {
    for (const blocks of [1, 2, 5]) {
      checkStep(lab, { b, blocks, counts, whole: true }, blocks - 1, b);
      checkStep(lab, { b, blocks, counts, whole: true, bias: true }, 0, b);
    }
    checkStep(lab, { b, blocks: 2, counts, whole: true, weighted: true, base: true }, 1, b);
  }
  // Too many for the room: gathered block by block.
  checkStep(lab, { b: 16, blocks: 4, counts: [1100, 3], whole: true }, 2, 3);
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

test.run();
