// assembly/topics/words.ts and documents.ts against the plain formulas.
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { Lab } from './helpers/lab.ts';
import { allClose, integers, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import { randomModel, sparseOf } from './helpers/topics.ts';
import { phiOf } from './oracle/topics.ts';

const model = randomModel(40, 6, 8);
const { words, topics, beta } = model;
const phi = phiOf(model);
const wordTotals = Array.from({ length: words }, (_, w) =>
  model.count.subarray(model.starts[w], model.starts[w + 1]).reduce((a, b) => a + b, 0),
);
const tokens = wordTotals.reduce((a, b) => a + b);
const entries = (lab: Lab) =>
  [lab.input(model.starts), lab.input(model.topic), lab.input(model.count)] as const;
const inverse = Float64Array.from(model.totals, (total) => 1 / (total + words * beta));
const occurs = (w: number, k: number) =>
  model.topic.subarray(model.starts[w], model.starts[w + 1]).includes(k);

onEveryBuild('topics_word_totals: occurrences of each word', (lab) => {
  const [starts, , count] = entries(lab);
  const out = lab.output(words * 8);
  lab.kernels.topics_word_totals(words, starts, count, out);
  same(lab.f64(out, words), wordTotals, 'totals');
  lab.check('totals');
});

for (const lambda of [1, 0.6, 0]) {
  for (const least of [1, 12]) {
    onEveryBuild(`topics_top: best words (λ = ${lambda}, at least ${least} times)`, (lab) => {
      for (const top of [1, 5, 50]) {
        lab.reset();
        const found = lab.output(new Int32Array(topics));
        const out = lab.output(topics * top * 4);
        const score = lab.output(topics * top * 8);
        lab.kernels.topics_top(
          ...([words, top, least, lambda, beta, tokens, ...entries(lab)] as const),
          ...([lab.input(inverse), lab.input(Float64Array.from(wordTotals))] as const),
          ...([found, out, score] as const),
        );
        for (let k = 0; k < topics; k++) {
          const relevance = (w: number) =>
            lambda * Math.log(phi[k]![w]!) +
            (1 - lambda) * Math.log((phi[k]![w]! * tokens) / wordTotals[w]!);
          const all = [...phi[k]!.keys()]
            .filter((w) => occurs(w, k) && wordTotals[w]! >= least)
            .sort((a, b) => relevance(b) - relevance(a) || a - b)
            .slice(0, top);
          assert.is(lab.i32(found + 4 * k, 1)[0], all.length);
          const scores = lab.f64(score + 8 * k * top, all.length);
          allClose(scores, all.map(relevance), 1e-12, `topic ${k}`);
          const got = [...lab.i32(out + 4 * k * top, all.length)];
          // Equal to the last bits: either may come first.
          allClose(got.map(relevance), all.map(relevance), 1e-12, `words of topic ${k}`);
          assert.is(new Set(got).size, all.length);
        }
        lab.check(`top ${top}`);
      }
    });
  }
}

onEveryBuild('topics_overlap: Σ d and Σ d d of the chosen topics', (lab) => {
  const chosen = [4, 0, 5];
  const slot = Int32Array.from({ length: topics }, (_, k) => chosen.indexOf(k));
  const d = (k: number, w: number) => {
    return Math.sqrt(phi[k]![w]!) - Math.sqrt(beta * inverse[k]!);
  };
  const work = lab.output(16 * 3);
  const sums = lab.output(new Float64Array(3));
  const products = lab.output(new Float64Array(9));
  lab.kernels.topics_overlap(
    ...([words, 3, beta, ...entries(lab), lab.input(slot), lab.input(inverse)] as const),
    ...([work, sums, products] as const),
  );
  const over = (of: (w: number) => number) => wordTotals.reduce((sum, _, w) => sum + of(w), 0);
  allClose(
    lab.f64(sums, 3),
    chosen.map((k) => over((w) => d(k, w))),
    1e-13,
    'sums',
  );
  const want = chosen.flatMap((j, a) =>
    chosen.map((k, b) => (a <= b ? over((w) => d(j, w) * d(k, w)) : 0)),
  );
  allClose(lab.f64(products, 9), want, 1e-13, 'products');
  lab.check('overlap');
});

/** 50 random documents of up to 12 words of a vocabulary somewhat larger than the model's. */
const prng = prngOf(12);
const bags = Array.from({ length: 50 }, () => {
  const list = [...new Set(integers(prng.below(13), words + 3, prng))].sort((a, b) => a - b);
  return list.map((w) => [w, 1 + prng.below(4)] as const);
});
const corpus = sparseOf(bags);

onEveryBuild('topics_cooccur: documents with both words of a pair', (lab) => {
  for (const top of [2, 5, 32]) {
    lab.reset();
    // Words in the lists of several topics too.
    const lists = Array.from({ length: topics }, (_, k) =>
      [...new Set(integers(top, words, prngOf(k)))].slice(0, top),
    );
    const places = lists
      .flatMap((list, k) => list.map((w, rank) => ({ w, place: 32 * k + rank })))
      .sort((a, b) => a.w - b.w);
    const starts = Array.from({ length: words + 1 }, (_, w) => {
      return places.filter((entry) => entry.w < w).length;
    });
    const counts = lab.output(new Int32Array(topics * top * top));
    lab.kernels.topics_cooccur(
      ...([bags.length, words, top, lab.input(corpus.starts), lab.input(corpus.topic)] as const),
      ...([lab.input(Int32Array.from(starts))] as const),
      ...([lab.input(Int32Array.from(places, ({ place }) => place))] as const),
      ...([lab.output(new Int32Array(topics)), lab.output(topics * 4), counts] as const),
    );
    const want = lists.flatMap((list) =>
      Array.from({ length: top * top }, (_, cell) => {
        const [a, b] = [list[Math.floor(cell / top)], list[cell % top]];
        if (Math.floor(cell / top) > cell % top || a === undefined || b === undefined) return 0;
        const has = (bag: (typeof bags)[0], word: number) => bag.some(([w]) => w === word);
        return bags.filter((bag) => has(bag, a) && has(bag, b)).length;
      }),
    );
    same(lab.i32(counts, want.length), want, `top ${top}`);
    assert.ok(want.some((n) => n > 1));
    lab.check(`top ${top}`);
  }
});

onEveryBuild('topics_tokens: each word as often as its count, −1 beyond the room', (lab) => {
  bags.forEach((bag, d) => {
    lab.reset();
    const first = corpus.starts[d]!;
    const index = lab.input(corpus.topic.subarray(first, first + bag.length));
    const count = lab.input(corpus.count.subarray(first, first + bag.length));
    const known = bag.filter(([w]) => w < words);
    const want = known.flatMap(([w, n]) => new Array<number>(n).fill(w));
    const out = lab.output(want.length * 4);
    const { topics_tokens } = lab.kernels;
    assert.is(topics_tokens(bag.length, words, want.length, index, count, out), want.length);
    same(lab.i32(out, want.length), want, `document ${d}`);
    if (want.length > 0) {
      assert.is(topics_tokens(bag.length, words, want.length - 1, index, count, out), -1);
    }
    lab.check(`document ${d}`);
  });
});

// Here the same rows are documents with counts of topics.
const theta = sparseOf(bags.map((bag) => bag.filter(([w]) => w < topics)));
const documentTokens = bags.map((bag) =>
  bag.filter(([w]) => w < topics).reduce((sum, [, n]) => sum + n, 0),
);

onEveryBuild('topics_longest: the most tokens', (lab) => {
  const [starts, count] = [lab.input(theta.starts), lab.input(theta.count)];
  assert.is(lab.kernels.topics_longest(50, starts, count), Math.max(...documentTokens));
  assert.is(lab.kernels.topics_longest(0, starts, count), 0);
  lab.check('longest');
});

onEveryBuild('topics_periods: Σ n / (N + A) and Σ 1 / (N + A) by period', (lab) => {
  const period = Int32Array.from(bags, (_, d) => (d % 4) - 1);
  const sums = lab.output(new Float64Array(3 * topics));
  const norms = lab.output(new Float64Array(3));
  lab.kernels.topics_periods(
    ...([50, topics, 2.5, lab.input(theta.starts), lab.input(theta.topic)] as const),
    ...([lab.input(theta.count), lab.input(period), sums, norms] as const),
  );
  const of = (p: number, value: (d: number) => number) =>
    bags.reduce(
      (sum, _, d) => sum + (period[d] === p ? value(d) / (documentTokens[d]! + 2.5) : 0),
      0,
    );
  const n = (d: number, k: number) => bags[d]!.find(([w]) => w === k)?.[1] ?? 0;
  const want = [0, 1, 2].flatMap((p) =>
    Array.from({ length: topics }, (_, k) => of(p, (d) => n(d, k))),
  );
  allClose(lab.f64(sums, 3 * topics), want, 1e-13, 'sums');
  allClose(
    lab.f64(norms, 3),
    [0, 1, 2].map((p) => of(p, () => 1)),
    1e-13,
    'norms',
  );
  lab.check('periods');
});

onEveryBuild('topics_typical: documents with the largest θ', (lab) => {
  const alphas = Float64Array.from({ length: topics }, (_, k) => 0.1 * (k + 1));
  for (const [top, least] of [
    [1, 1],
    [4, 3],
    [60, 1],
  ] as const) {
    lab.reset();
    const found = lab.output(new Int32Array(topics));
    const out = lab.output(topics * top * 4);
    const score = lab.output(topics * top * 8);
    lab.kernels.topics_typical(
      ...([50, top, least, 2.1, lab.input(alphas), lab.input(theta.starts)] as const),
      ...([lab.input(theta.topic), lab.input(theta.count), found, out, score] as const),
    );
    for (let k = 0; k < topics; k++) {
      const share = (d: number) =>
        ((bags[d]!.find(([w]) => w === k)?.[1] ?? 0) + alphas[k]!) / (documentTokens[d]! + 2.1);
      const want = [...bags.keys()]
        .filter((d) => documentTokens[d]! >= least && bags[d]!.some(([w]) => w === k))
        .sort((a, b) => share(b) - share(a) || a - b)
        .slice(0, top);
      assert.equal([...lab.i32(out + 4 * k * top, want.length)], want, `topic ${k}`);
      assert.is(lab.i32(found + 4 * k, 1)[0], want.length);
      allClose(lab.f64(score + 8 * k * top, want.length), want.map(share), 1e-15, `topic ${k}`);
    }
    lab.check(`top ${top}`);
  }
});

test.run();
