// assembly/topics/sampling.ts against sums over all assignments of topics.
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Lab } from './helpers/lab.ts';
import { allClose, close, integers, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import { modelOf, placePlan, randomModel } from './helpers/topics.ts';
import { enumerate, meanOf, phiOf } from './oracle/topics.ts';

const tiny = modelOf(
  [
    [9, 0, 1],
    [0, 4, 0],
    [2, 0, 7],
    [0, 0, 0],
    [1, 6, 0],
  ],
  [0.5, 0.2, 0.9],
  0.1,
);
const words = [0, 2, 4, 0, 3];
/** Standard errors that a mean may be away: 1 in 10⁵ by chance, and the seeds are fixed. */
const errors = 4.5;

const zeroed = (lab: Lab, n: number) => lab.output(new Int32Array(n));

/** Memory of topics_fold; the state of the generator is at `random`. */
function placeFold(lab: Lab, topics: number, list: readonly number[]) {
  return {
    words: lab.input(Int32Array.from(list)),
    z: lab.output(list.length * 4),
    counts: zeroed(lab, topics),
    sums: zeroed(lab, topics),
    touched: lab.output(topics * 4),
    masses: lab.output(topics * 8),
    random: lab.output(Int32Array.of(1, 0)),
  };
}

function fold(lab: Lab, plan: number, n: number, at: ReturnType<typeof placeFold>, samples = 20) {
  const { words, z, counts, sums, touched, masses, random } = at;
  return lab.kernels.topics_fold(
    ...([plan, n, 3, samples, words, z, counts, sums, touched, masses, random] as const),
  );
}

onEveryBuild('topics_facts: Σα, the tail, the largest α, and facts by topic', (lab) => {
  const model = randomModel(23, 7);
  const plan = placePlan(lab, model);
  const [beta = 0, alpha = 0, tail = 0, most = 0] = lab.f64(plan + 24, 4);
  const inverse = Array.from(model.totals, (total) => 1 / (total + 23 * beta));
  const alphas = Array.from(model.alpha);
  close(
    alpha,
    alphas.reduce((a, b) => a + b),
    1e-12,
    'Σα',
  );
  close(
    tail,
    alphas.reduce((sum, a, k) => sum + a * beta * inverse[k]!, 0),
    1e-14,
    'tail',
  );
  assert.is(most, Math.max(...alphas));
  lab.check('facts');
});

for (const particles of [1, 2, 7]) {
  onEveryBuild(`topics_left_to_right: unbiased (${particles} particles)`, (lab) => {
    const plan = placePlan(lab, tiny);
    const at = lab.input(Int32Array.from(words));
    const K = tiny.topics;
    const bytes = K * 8 + particles * (12 + 4 * (K + words.length));
    const work = lab.output(new Uint8Array(bytes));
    const random = lab.output(Int32Array.of(particles, 5));
    const estimates = Array.from({ length: 12_000 }, () =>
      Math.exp(lab.kernels.topics_left_to_right(plan, words.length, particles, at, work, random)),
    );
    const { mean, error } = meanOf(estimates);
    const { probability } = enumerate(tiny, words);
    assert.ok(error > 0 && error < 0.02 * probability, `error ${error} of ${probability}`);
    close(mean, probability, errors * error, 'p(w)');
    lab.check('left to right');
  });
}

onEveryBuild('topics_left_to_right: unbiased where most particles are given up', (lab) => {
  // Word 0 is in all topics, word 2 in one: most particles turn out wrong, and cannot leave their
  // topic. The product of the particles' means is a third too small here.
  const sharp = modelOf(
    [0, 1, 2, 3].map((w) => [0, 1, 2].map((k) => (w === 0 || w === k + 1 ? 9 : 0))),
    [0.02, 0.02, 0.02],
    0.05,
  );
  const list = [0, 0, 0, 0, 2, 2, 2, 0];
  const plan = placePlan(lab, sharp);
  const particles = 8;
  const work = lab.output(new Uint8Array(3 * 8 + particles * (12 + 4 * (3 + list.length))));
  const random = lab.output(Int32Array.of(4, 4));
  const at = lab.input(Int32Array.from(list));
  const estimates = Array.from({ length: 6000 }, () =>
    Math.exp(lab.kernels.topics_left_to_right(plan, list.length, particles, at, work, random)),
  );
  const { mean, error } = meanOf(estimates);
  const { probability } = enumerate(sharp, list);
  assert.ok(error < 0.02 * probability, `error ${error} of ${probability}`);
  close(mean, probability, errors * error, 'p(w)');
  lab.check('left to right');
});

onEveryBuild('topics_left_to_right: many particles make one estimate sharp', (lab) => {
  const model = randomModel(12, 4, 3);
  const plan = placePlan(lab, model);
  const list = [0, 5, 5, 11, 3, 7, 1];
  const particles = 4000;
  const work = lab.output(new Uint8Array(4 * 8 + particles * (12 + 4 * (4 + list.length))));
  const random = lab.output(Int32Array.of(9, 9));
  const at = lab.input(Int32Array.from(list));
  const got = lab.kernels.topics_left_to_right(plan, list.length, particles, at, work, random);
  close(got, Math.log(enumerate(model, list).probability), 0.05, 'ln p(w)');
  assert.is(lab.kernels.topics_left_to_right(plan, 0, particles, at, work, random), 0);
});

onEveryBuild('topics_fold: the posterior mean of θ', (lab) => {
  const plan = placePlan(lab, tiny);
  const at = placeFold(lab, 3, words);
  const samples = 40;
  const means = Array.from({ length: 3000 }, () => {
    const found = fold(lab, plan, words.length, at, samples);
    const sums = lab.i32(at.sums, 3);
    const listed = [...lab.i32(at.touched, found)].sort();
    assert.equal(
      listed,
      [0, 1, 2].filter((k) => sums[k]! > 0),
    );
    assert.is(
      sums.reduce((a, b) => a + b),
      samples * words.length,
      'every token, every sweep',
    );
    lab.kernels.topics_clear(found, at.touched, at.sums);
    return [...sums].map((sum, k) => (sum / samples + tiny.alpha[k]!) / (words.length + 1.6));
  });
  const { theta } = enumerate(tiny, words);
  theta.forEach((want, k) => {
    const { mean, error } = meanOf(means.map((row) => row[k]!));
    close(mean, want, errors * error, `θ ${k}`);
  });
  same(lab.i32(at.counts, 3), [0, 0, 0], 'counts are 0 again');
  same(lab.i32(at.sums, 3), [0, 0, 0], 'sums are 0 again');
  lab.check('fold');
});

onEveryBuild('topics_score: Σ ln Σ_k θ_k φ_kw', (lab) => {
  const model = randomModel(30, 9, 2);
  const plan = placePlan(lab, model);
  const seen = [...integers(17, 30, prngOf(4))];
  const at = placeFold(lab, 9, seen);
  const found = fold(lab, plan, seen.length, at);
  const sums = lab.i32(at.sums, 9);
  const norm = seen.length + Array.from(model.alpha).reduce((a, b) => a + b);
  const theta = [...sums].map((sum, k) => (sum / 20 + model.alpha[k]!) / norm);
  const phi = phiOf(model);
  const rest = [0, 1, 29, 7, 7];
  const want = rest.map((w) => Math.log(theta.reduce((p, share, k) => p + share * phi[k]![w]!, 0)));
  const scored = [plan, rest.length, seen.length, 20, found] as const;
  const list = lab.input(Int32Array.from(rest));
  const got = lab.kernels.topics_score(...scored, list, at.touched, at.sums);
  close(
    got,
    want.reduce((a, b) => a + b),
    1e-11,
    'Σ ln p',
  );
  lab.check('score');
});

for (const threshold of [0, 0.001, 0.05, 0.3]) {
  onEveryBuild(`topics_mixture: topics with θ ≥ ${threshold}`, (lab) => {
    const model = {
      ...randomModel(30, 20, 5),
      alpha: Float64Array.from({ length: 20 }, () => 0.1),
    };
    const plan = placePlan(lab, model);
    const seen = [...integers(25, 30, prngOf(6))];
    const at = placeFold(lab, 20, seen);
    const found = fold(lab, plan, seen.length, at);
    const theta = [...lab.i32(at.sums, 20)].map((sum) => (sum / 20 + 0.1) / (25 + 2));
    const want = [...theta.keys()].filter((k) => theta[k]! >= threshold);
    const room = threshold === 0 ? 20 : Math.min(20, Math.floor(1 / threshold));
    const out = lab.output(room * 8);
    const mixed = [plan, 25, 20, found, threshold, at.touched, at.sums, out] as const;
    const entries = lab.kernels.topics_mixture(...mixed);
    const pairs = Array.from({ length: entries }, (_, i) => ({
      k: lab.i32(out + 8 * i, 1)[0]!,
      share: lab.f32(out + 8 * i + 4, 1)[0]!,
    })).sort((a, b) => a.k - b.k);
    assert.equal(
      pairs.map(({ k }) => k),
      want,
    );
    allClose(
      pairs.map(({ share }) => share),
      want.map((k) => theta[k]!),
      1e-7,
      'θ',
    );
    lab.check('mixture');
  });
}

onEveryBuild('topics_shuffle: keeps the words, and every place is as likely', (lab) => {
  const random = lab.output(Int32Array.of(3, 0));
  const at = lab.output(Int32Array.of(0, 1, 2, 3));
  const seen = new Map<string, number>();
  const rounds = 24_000;
  for (let round = 0; round < rounds; round++) {
    lab.kernels.topics_shuffle(4, at, random);
    const order = lab.i32(at, 4).join('');
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  assert.is(seen.size, 24);
  const expected = rounds / 24;
  const chi = [...seen.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  assert.ok(chi < 58, `χ² = ${chi} with 23 degrees of freedom: 1 in 10⁴ by chance`);
  lab.check('shuffle');
});

test.run();
