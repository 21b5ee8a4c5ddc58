// assembly/lda: both samplers against the posterior by enumeration, and counts that never get lost.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onEveryBuild, prngOf, type Lab } from './helpers/lab.ts';
import { openChain, plantTopics, samplers, type Chain } from './helpers/lda.ts';
import { posterior, type Documents, type Priors } from './oracle/lda.ts';
import { chiSquared } from './oracle/chi-squared.ts';

/** n_dk of a document at `at` as the sampler has them, and the place of the next one. */
function readDocument(lab: Lab, chain: Chain, at: number): [Map<number, number>, number] {
  const [head = 0, length = 0] = lab.i32(at, 2);
  const { topics, bits } = chain;
  const padded = (n: number) => (n + 3) & ~3;
  const [n, mh] = length < 0 ? [~length, true] : [length, false];
  const room = mh ? Math.min(padded(n + 1), padded(topics)) : padded(Math.min(n, topics));
  const first = at + (mh ? 16 + 4 * padded(n) : 8);
  const entries = [...lab.i32(first, room)];
  const listed = entries.filter((entry) => entry !== topics);
  if (!mh) assert.equal(entries.slice(0, head), listed, 'entries are in front');
  const pairs = listed.map((entry) => [entry & ((1 << bits) - 1), entry >>> bits] as const);
  assert.is(new Set(pairs.map(([k]) => k)).size, pairs.length, 'a topic has one entry');
  return [new Map(pairs), first + room * 4];
}

/** n_dk, n_kw and n_k out of the topics of the tokens are what the tables say. */
function checkCounts(lab: Lab, chain: Chain, documents: Documents, { words, alpha }: Priors) {
  const z = chain.topicsNow();
  const totals = alpha.map(() => 0);
  let d = 0;
  for (const part of chain.parts) {
    let at = part.documents;
    for (const tokens of part.own) {
      const mine = new Map<number, number>();
      for (const k of z[d]!) mine.set(k, (mine.get(k) ?? 0) + 1);
      for (const k of z[d]!) totals[k]! += 1;
      const [found, next] = readDocument(lab, chain, at);
      assert.is(z[d]!.length, tokens.length);
      assert.equal(sorted(found), sorted(mine), `document ${d}: n_dk`);
      [d, at] = [d + 1, next];
    }
    assert.is(at, part.documents + part.bytes);
  }
  assert.equal([...lab.i32(chain.totals, chain.topics)], totals, 'n_k');
  for (let w = 0; w < words; w++) {
    const mine = new Map<number, number>();
    documents.forEach((tokens, d) => {
      tokens.forEach((word, i) => {
        if (word === w) mine.set(z[d]![i]!, (mine.get(z[d]![i]!) ?? 0) + 1);
      });
    });
    const row = lab.i32(chain.rows, words)[w]!;
    const listed = lab.i32(chain.lengths, words)[w]!;
    const pairs = lab.i32(chain.entries + row * 8, listed * 2);
    const found = Array.from({ length: listed }, (_, j) => [pairs[2 * j], pairs[2 * j + 1]]);
    assert.equal(new Map(found as [number, number][]), mine, `word ${w}: n_kw`);
  }
}

const sorted = (counts: ReadonlyMap<number, number>) => [...counts].sort(([a], [b]) => a - b);

const cases: readonly { documents: Documents; priors: Priors; parts: number }[] = [
  {
    documents: [[0, 0, 1], [2, 1], [2]],
    priors: { words: 3, alpha: [0.4, 0.4], beta: 0.3 },
    parts: 1,
  },
  {
    documents: [
      [0, 1, 1],
      [1, 2],
    ],
    priors: { words: 4, alpha: [0.9, 0.2, 0.5], beta: 0.15 },
    parts: 2,
  },
  // More topics than entries: tables of one bucket, and words that other parts have, too.
  {
    documents: [[0, 1], [0], [0, 0]],
    priors: { words: 2, alpha: [0.9, 0.2, 0.5, 0.4, 0.7], beta: 0.2 },
    parts: 3,
  },
];

for (const sampler of samplers) {
  onEveryBuild(`${sampler}: long chains have the posterior of all assignments`, (lab) => {
    for (const [number, { documents, priors, parts }] of cases.entries()) {
      lab.reset();
      const chain = openChain(lab, documents, priors, { sampler, parts });
      const want = posterior(documents, priors);
      const found = new Float64Array(want.length);
      // Proposals are not all accepted: draws are as far apart as makes them nearly independent.
      const thinning = sampler === 'mh' ? 24 : 6;
      const draws = lab.variant === 'debug' ? 4_000 : 40_000;
      for (let pass = 0; pass < draws * thinning; pass++) {
        assert.ok(chain.sample(number + 1) >= 0, 'no count is lost');
        if (pass % thinning !== 0) continue;
        const z = chain.topicsNow().flat();
        found[z.reduceRight((code, k) => code * chain.topics + k, 0)]! += 1;
      }
      lab.check(`case ${number}`);
      const { statistic, bound, cells } = chiSquared(found, want, draws);
      assert.ok(statistic < bound, `case ${number}: ${statistic} of ${cells} cells`);
    }
  });

  onEveryBuild(`${sampler}: a token among those of another part has its conditional`, (lab) => {
    const documents = [[0], [...new Array<number>(40).fill(0), 1, 1, 1]];
    const alpha = [3, 9, 5, 2];
    const priors = { words: 2, alpha, beta: 2 };
    const chain = openChain(lab, documents, priors, { sampler, parts: 2 });
    for (let pass = 0; pass < 5; pass++) chain.sample(1);
    const others = chain.topicsNow()[1]!;
    const count = (topics: readonly number[], k: number) => topics.filter((z) => z === k).length;
    const weights = alpha.map((a, k) => {
      return (a * (count(others.slice(0, 40), k) + 2)) / (count(others, k) + 4);
    });
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const draws = lab.variant === 'debug' ? 4_000 : 40_000;
    const found = alpha.map(() => 0);
    for (let draw = 0; draw < draws; draw++) {
      for (let i = 0; i < 4; i++) chain.sample(2, 0, 2, [chain.parts[0]!]);
      found[chain.topicsNow()[0]![0]!]! += 1;
    }
    assert.equal(chain.topicsNow()[1], others, 'the other part stays');
    const statistic = weights.reduce((sum, weight, k) => {
      const want = (draws * weight) / all;
      return sum + (found[k]! - want) ** 2 / want;
    }, 0);
    assert.ok(statistic < 4 + 4.5 * Math.sqrt(8), `${statistic}: ${found.join(' ')}`);
  });

  onEveryBuild(`${sampler}: counts are those of the tokens, for few and for many topics`, (lab) => {
    for (const [topics, weight, parts] of [
      ...[2, 3, 31, 32, 33, 100, 1500].map((k) => [k, 1, 1] as const),
      // Every token its own topic, nearly: full tables, and entries far from home.
      ...([
        [101, 30, 2],
        [1500, 30, 3],
      ] as const),
    ]) {
      lab.reset();
      const prng = prngOf(topics);
      const { documents, words } = plantTopics(prng, { topics: 4, documents: 9, length: 24 });
      const alpha = Array.from({ length: topics }, () => weight * (0.05 + prng.uniform()));
      const priors = { words, alpha, beta: 0.1 };
      const chain = openChain(lab, documents, priors, { sampler, parts });
      for (const { end, bytes } of chain.parts) assert.is(end, bytes, 'documents fill their room');
      assert.is(chain.sample(1), chain.size, 'the first pass gives every token a topic');
      checkCounts(lab, chain, documents, priors);
      for (let pass = 0; pass < 5; pass++) {
        for (const [first, last] of [
          [0, 5],
          [5, words],
        ]) {
          assert.ok(chain.sample(2, first, last) >= 0);
        }
      }
      checkCounts(lab, chain, documents, priors);
      lab.check(`K=${topics}`);
    }
  });
}

onEveryBuild('mh: a word with more tokens than a visit', (lab) => {
  const documents = Array.from({ length: 40 }, () => new Array<number>(500).fill(0));
  const priors = { words: 1, alpha: [0.2, 0.3, 0.4], beta: 0.5 };
  const chain = openChain(lab, documents, priors, { sampler: 'mh' });
  for (let pass = 0; pass < 4; pass++) assert.ok(chain.sample(3) > 0);
  checkCounts(lab, chain, documents, priors);
  lab.check('visits');
});

test.run();
