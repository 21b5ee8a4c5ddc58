// What is done with trained topics, on real hosts: held-out scores, mixtures, coherence, distances,
// the map, time.
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { coherence, coherenceOf, npmiOf } from '../src/models/topics/coherence.ts';
import { periodsOf, timelineOf } from '../src/models/topics/report/periods.ts';
import { placeTopics } from '../src/models/topics/placed.ts';
import { heldOut, mixtures, predictTopics, type Reading } from '../src/models/topics/run.ts';
import { hellinger, planeOf } from '../src/models/topics/similarity.ts';
import { rankedOf, topWords, typicalDocuments } from '../src/models/topics/words.ts';
import type { WordTopics } from '../src/models/topics/model.ts';
import { withHost } from './helpers/hosts.ts';
import { allClose, close } from './helpers/lab.ts';
import { sessionOf } from './helpers/models.ts';
import {
  modelOf,
  placeCorpus,
  plantedDocuments,
  plantedModel,
  randomModel,
  sparseOf,
} from './helpers/topics.ts';
import { enumerate, hellingerOf, meanOf, phiOf } from './oracle/topics.ts';

type Rows = readonly (readonly (readonly [number, number])[])[];

/** Reads `rows` under `model` on a host with so many threads. */
function reading<T>(
  model: WordTopics,
  rows: Rows,
  body: (reading: Reading) => Promise<T>,
  { threads = 2, seed = 1 } = {},
): Promise<T> {
  return withHost(threads, async (host) => {
    const placed = placeTopics(host, model);
    const data = placeCorpus(host.arena, rows, model.words);
    return body({ session: sessionOf(host), placed, data, seed });
  });
}

const tiny = modelOf(
  [
    [9, 0, 1],
    [0, 4, 0],
    [2, 0, 7],
    [1, 6, 0],
  ],
  [0.5, 0.2, 0.9],
  0.1,
);

test('held out: completion is the exact predictive of the second half, in the mean', async () => {
  // Copies of one document: which of its tokens are seen is random, so the mean over all splits.
  const tokens = [0, 0, 2, 3, 3];
  const rows = new Array<Rows[0]>(2500).fill([
    [0, 2],
    [2, 1],
    [3, 2],
  ]);
  const got = await reading(tiny, rows, (read) =>
    heldOut(read, { sweeps: { burn: 20, samples: 600 } }),
  );
  const phi = phiOf(tiny);
  const splits: number[] = [];
  for (let a = 0; a < 5; a++) {
    for (let b = a + 1; b < 5; b++) {
      const { theta } = enumerate(tiny, [tokens[a]!, tokens[b]!]);
      const rest = tokens.filter((_, i) => i !== a && i !== b);
      const p = (w: number) => theta.reduce((sum, share, k) => sum + share * phi[k]![w]!, 0);
      splits.push(rest.reduce((sum, w) => sum + Math.log(p(w)), 0));
    }
  }
  const { mean } = meanOf(splits);
  const spread = Math.sqrt(meanOf(splits.map((value) => (value - mean) ** 2)).mean / rows.length);
  assert.is(got.tokens, 3 * rows.length);
  close(got.logLikelihood / rows.length, mean, 4.5 * spread + 0.002, 'Σ ln p a document');
  close(got.perplexity, Math.exp(-got.logLikelihood / got.tokens), 1e-12, 'perplexity');
});

test('held out: left to right finds the probability of whole documents', async () => {
  const documents = [[0], [1, 1, 2], [3, 0, 2, 2, 1]];
  const rows = documents.map((list) =>
    [...new Set(list)].sort().map((w) => [w, list.filter((v) => v === w).length] as const),
  );
  const got = await reading(tiny, [...rows, []], (read) => heldOut(read, { particles: 20_000 }));
  const want = documents.map((list) => Math.log(enumerate(tiny, list).probability));
  assert.is(got.tokens, 9);
  close(
    got.logLikelihood,
    want.reduce((a, b) => a + b),
    0.05,
    'Σ ln p',
  );
});

test('held out: the same bits for any number of threads, others for another seed', async () => {
  const rows = plantedDocuments(60, 6);
  const model = plantedModel(6);
  const score = (threads: number, seed: number, particles: number) =>
    reading(model, rows, (read) => heldOut(read, { particles }), { threads, seed });
  for (const particles of [0, 4]) {
    const one = await score(1, 1, particles);
    assert.is((await score(3, 1, particles)).logLikelihood, one.logLikelihood);
    assert.is.not((await score(1, 2, particles)).logLikelihood, one.logLikelihood);
    // Two of six topics of five words each: far from one of 30 words.
    assert.ok(one.perplexity > 4 && one.perplexity < 16, `perplexity ${one.perplexity}`);
  }
});

test('held out: words that the model does not have are not scored', async () => {
  const rows: Rows = [
    [
      [0, 2],
      [4, 7],
    ],
    [[9, 1]],
  ];
  const got = await reading(tiny, rows, (read) => heldOut(read));
  assert.is(got.tokens, 1);
});

test('mixtures: a planted document’s topics, sorted, at least 1 %, on any threads', async () => {
  const model = plantedModel(8);
  const bag = (k: number, n: number) => [0, 1, 2].map((rank) => [5 * k + rank, n] as const);
  const rows: Rows = [[...bag(2, 2), ...bag(5, 6)], [], bag(7, 1)];
  const of = (threads: number) =>
    reading(
      model,
      rows,
      async (read) => {
        const mixture = await mixtures(read);
        return rows.map((_, d) => mixture(d));
      },
      { threads },
    );
  const [both, none, short] = await of(1);
  assert.equal(
    both!.slice(0, 2).map(({ topic }) => topic),
    [5, 2],
  );
  close(both![0]!.share, 18.1 / 24.8, 0.03, 'θ of topic 5');
  allClose(
    none!.map(({ share }) => share),
    new Array<number>(8).fill(1 / 8),
    1e-7,
    'the prior',
  );
  assert.is(short![0]!.topic, 7);
  assert.ok(both!.every(({ share }) => share >= 0.01));
  assert.equal(await of(3), [both, none, short]);
});

test('predict: sparse lines, or every topic under a header', async () => {
  const rows: Rows = [[[0, 30]], []];
  const model = plantedModel(3);
  const lines = (dense: boolean) =>
    reading(model, rows, async (read) => [...(await predictTopics(read, dense)).lines]);
  const sparse = await lines(false);
  assert.is(sparse.length, 2);
  assert.match(sparse[0]!, /^0:0\.9\d*( [12]:0\.0\d+)*$/);
  assert.is(sparse[1], '0:0.3333 1:0.3333 2:0.3333');
  const dense = await lines(true);
  assert.is(dense[0], 'topic0\ttopic1\ttopic2');
  assert.is(dense[2], '0.333333\t0.333333\t0.333333');
  const sum = dense[1]!.split('\t').reduce((total, share) => total + Number(share), 0);
  close(sum, 1, 1e-5, 'shares of a document');
});

test('NPMI: never together −1, independent 0, always together 1', () => {
  assert.is(npmiOf(0, 5, 5, 100), -1);
  close(npmiOf(25, 50, 50, 100), 0, 1e-15, 'independent');
  close(npmiOf(10, 10, 10, 100), 1, 1e-15, 'together');
  assert.is(npmiOf(100, 100, 100, 100), 1);
});

test('coherence: a pair with a word that is nowhere says nothing', () => {
  const counts = (_: number, i: number, j: number) => (i === 2 || j === 2 ? 0 : i === j ? 4 : 3);
  const { npmi, umass, meanNpmi } = coherenceOf(Int32Array.of(3, 1), 10, counts);
  close(npmi[0]!, Math.log(30 / 16) / -Math.log(0.3), 1e-15, 'NPMI');
  close(umass[0]!, Math.log(4 / 4), 1e-15, 'UMass');
  assert.ok(isNaN(npmi[1]!), 'one word makes no pair');
  assert.is(meanNpmi, npmi[0]);
});

test('coherence: from the documents, on any threads; planted topics above mixed ones', async () => {
  const rows = plantedDocuments(200, 6);
  const model = plantedModel(6);
  const of = (of: WordTopics, threads: number) =>
    reading(of, rows, (read) => coherence(read, 4), { threads });
  const planted = await of(model, 1);
  const has = (w: number) => (row: Rows[0]) => row.some(([word]) => word === w);
  const documents = (...list: number[]) =>
    rows.filter((row) => list.every((w) => has(w)(row))).length;
  const pairs = [0, 1, 2, 3].flatMap((j) => [0, 1, 2, 3].slice(0, j).map((i) => [15 + i, 15 + j]));
  const want = pairs.map(([i, j]) =>
    npmiOf(documents(i!, j!), documents(i!), documents(j!), rows.length),
  );
  close(planted.npmi[3]!, meanOf(want).mean, 1e-12, 'NPMI of topic 3');
  const conditional = pairs.map(([i, j]) => Math.log((documents(i!, j!) + 1) / documents(i!)));
  close(planted.umass[3]!, meanOf(conditional).mean, 1e-12, 'UMass of topic 3');
  assert.equal(await of(model, 3), planted);
  // Word w of topic (w mod 6): one word of each planted topic.
  const mixed = modelOf(
    Array.from({ length: 30 }, (_, w) =>
      Array.from({ length: 6 }, (_, k) => (w % 6 === k ? 9 : 0)),
    ),
    model.alpha as number[],
    0.01,
  );
  assert.ok(planted.meanNpmi > (await of(mixed, 2)).meanNpmi + 0.2);
});

test('Hellinger: exact though φ is dense', async () => {
  const model = randomModel(40, 7, 3);
  const phi = phiOf(model);
  const chosen = [6, 0, 3, 2];
  const { values } = await withHost(1, (host) =>
    Promise.resolve(hellinger(host, placeTopics(host, model), chosen)),
  );
  const want = chosen.flatMap((j) =>
    chosen.map((k) => (j === k ? 0 : hellingerOf(phi[j]!, phi[k]!))),
  );
  allClose(values, want, 1e-12, 'distances');
});

test('the map: points of a plane come back with their distances', () => {
  const points = [
    [0, 0],
    [4, 0],
    [4, 1],
    [-2, 2.5],
    [1, 1],
  ] as const;
  const distance = (a: readonly number[], b: readonly number[]) =>
    Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);
  const values = Float64Array.from(points.flatMap((a) => points.map((b) => distance(a, b))));
  const plane = planeOf({ n: 5, values }).map(({ x, y }) => [x, y]);
  allClose(
    plane.flatMap((a) => plane.map((b) => distance(a, b))),
    values,
    1e-6,
    'distances',
  );
  assert.equal(planeOf({ n: 1, values: new Float64Array(1) }), [{ x: 0, y: 0 }]);
  const two = planeOf({ n: 2, values: Float64Array.of(0, 1, 1, 0) });
  close(Math.abs(two[0]!.x - two[1]!.x), 1, 1e-9, 'two points');
});

test('periods: the shortest usual length that makes at most 60', () => {
  const years = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i);
  assert.is(periodsOf([NaN, NaN]), undefined);
  assert.equal(periodsOf([2001, NaN, 2003]), {
    first: 2001,
    years: 1,
    count: 3,
    documents: [1, 0, 1],
  });
  assert.is(periodsOf(years(1790, 2019))?.years, 5);
  const decades = periodsOf(years(1793, 2019), 10);
  assert.equal([decades?.first, decades?.count], [1790, 23]);
  assert.equal(decades?.documents.slice(0, 2), [7, 10]);
});

test('timeline: mean θ of each period', async () => {
  const rows = plantedDocuments(40, 5).map((row) => row.filter(([w]) => w < 5));
  const dates = rows.map((_, d) => (d % 7 === 0 ? NaN : 1900 + (d % 3) * 10));
  const documents = sparseOf(rows);
  const periods = periodsOf(dates, 10)!;
  const model = randomModel(20, 5, 2);
  const line = await withHost(1, (host) =>
    Promise.resolve(timelineOf(host, placeTopics(host, model), { documents, dates, periods })),
  );
  const norm = Array.from(model.alpha).reduce((a, b) => a + b);
  for (let p = 0; p < 3; p++) {
    const own = rows.filter((_, d) => dates[d] === 1900 + 10 * p);
    for (let k = 0; k < 5; k++) {
      const theta = own.map((row) => {
        const tokens = row.reduce((sum, [, n]) => sum + n, 0);
        return ((row.find(([topic]) => topic === k)?.[1] ?? 0) + model.alpha[k]!) / (tokens + norm);
      });
      close(line.share(k, p), meanOf(theta).mean, 1e-12, `topic ${k}, period ${p}`);
    }
  }
});

test('top words: the planted ones, with nothing left in the arena', async () => {
  const model = plantedModel(6);
  await withHost(1, (host) => {
    const placed = placeTopics(host, model);
    const mark = host.arena.mark();
    const words = topWords(host, placed, { top: 3 });
    assert.equal(rankedOf(words, 4), [20, 21, 22]);
    const documents = sparseOf([
      [[1, 9]],
      [[1, 2]],
      [
        [0, 5],
        [1, 5],
      ],
    ]);
    const typical = typicalDocuments(host, placed, { documents, top: 2, least: 3 });
    assert.equal(rankedOf(typical, 1), [0, 2]);
    assert.equal(rankedOf(typical, 3), []);
    assert.is(host.arena.mark(), mark);
    return Promise.resolve();
  });
});

test.run();
