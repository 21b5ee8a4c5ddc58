// lda trained in the test's own process: planted topics come back, what is printed is the formula
// at the saved counts, and the same seed makes the same model whoever computes it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { placeCorpus, plantTopics, samplers } from './helpers/lda.ts';
import { fitLda, objectiveOf, type Fitted } from './helpers/lda-fits.ts';

test('lda: prints the formula at the saved counts, and loses none', async () => {
  await withHost(2, async (host) => {
    for (const [topics, partitions, optimize, sampler] of [
      [2, 1, 0, 'auto'],
      [5, 4, 0, 'exact'],
      [6, 8, 2, 'exact'],
      [300, 8, 3, 'exact'],
      [2, 1, 0, 'mh'],
      [6, 8, 2, 'mh'],
      [300, 8, 3, 'mh'],
    ] as const) {
      const known = plantTopics(prngOf(topics), { topics: 4, documents: 120, length: 15 });
      const intervals = { 'optimize-interval': optimize, 'evaluate-interval': 2 };
      const options = { topics, sampler, ...intervals };
      const fitted = await fitLda(host, known, options, { passes: 8, partitions });
      const label = `${sampler} K=${topics} G=${partitions}`;
      const want = objectiveOf(fitted, known);
      const { objective } = fitted.outcome;
      assert.ok(
        Math.abs(objective - want) < 1e-10 * Math.abs(want),
        `${label}: ${objective} ${want}`,
      );
      const likelihoods = fitted.progress.map((values) => values['logLikelihood']);
      assert.is(fitted.progress.length, 8);
      assert.equal(
        likelihoods.map((value) => value !== undefined),
        [false, true, false, true, false, true, false, true],
      );
      assert.is(likelihoods.at(-1), objective);
      const drift = fitted.progress.map((values) => values['drift']!);
      // One part sees all changes; copies of several are off, by at most 2.
      if (partitions === 1) assert.ok(drift.every((value) => value === 0));
      else assert.ok(drift.some((value) => value > 0) && drift.every((value) => value <= 2));
    }
  });
});

for (const sampler of samplers) {
  test(`lda: planted topics come back (${sampler})`, async () => {
    await withHost(2, async (host) => {
      const topics = 8;
      const known = plantTopics(prngOf(11), { topics, documents: 400, length: 30 });
      const options = { topics, alpha: 0.5, beta: 0.2, sampler };
      // A chain may stay where one topic is two and two are one: the best of some.
      const runs: Fitted[] = [];
      for (const seed of [1, 2, 3]) {
        runs.push(
          await fitLda(host, known, options, { passes: sampler === 'mh' ? 120 : 60, seed }),
        );
      }
      const [{ arrays }] = runs.sort((a, b) => b.outcome.objective - a.outcome.objective) as [
        Fitted,
      ];
      // Of each planted topic, the share of its words' tokens that are in one found topic.
      const found = new Set<number>();
      for (let planted = 0; planted < topics; planted++) {
        const inTopic = new Array<number>(topics).fill(0);
        for (let i = 0; i < known.wordsOfTopic; i++) {
          const word = planted * known.wordsOfTopic + i;
          const [from, to] = [0, 1].map((next) => arrays.get('word_starts')![word + next]!);
          for (let j = from!; j < to!; j++) {
            inTopic[arrays.get('word_topics')![j]!]! += arrays.get('word_counts')![j]!;
          }
        }
        const most = Math.max(...inTopic);
        assert.ok(
          most > 0.9 * inTopic.reduce((all, n) => all + n, 0),
          `topic ${planted}: ${inTopic.join(' ')}`,
        );
        found.add(inTopic.indexOf(most));
      }
      assert.is(found.size, topics);
    });
  });
}

for (const sampler of samplers) {
  test(`lda: the seed fixes every bit, for 1, 2 and 3 threads (${sampler})`, async () => {
    const known = plantTopics(prngOf(5), { topics: 6, documents: 150, length: 20 });
    const hashes = new Set<string>();
    const options = { topics: 10, 'optimize-interval': 2, sampler };
    for (const threads of [1, 2, 3, 2]) {
      await withHost(threads, async (host) => {
        hashes.add((await fitLda(host, known, options, { passes: 5 })).hash);
      });
    }
    assert.is(hashes.size, 1);
    await withHost(2, async (host) => {
      hashes.add((await fitLda(host, known, options, { passes: 5, seed: 2 })).hash);
      hashes.add((await fitLda(host, known, options, { passes: 5, partitions: 3 })).hash);
    });
    assert.is(hashes.size, 3);
  });
}

test('lda: α and β that are fitted raise the likelihood, and rare topics get less', async () => {
  await withHost(2, async (host) => {
    const known = plantTopics(prngOf(7), { topics: 3, documents: 300, length: 25 });
    const options = { topics: 6, alpha: 2, beta: 0.5 };
    const fixed = await fitLda(host, known, options, { passes: 40 });
    const fitted = await fitLda(
      host,
      known,
      { ...options, 'optimize-interval': 2 },
      { passes: 40 },
    );
    assert.ok(fitted.outcome.objective > fixed.outcome.objective + 0.05);
    const { alpha, beta } = fitted.outcome.trained.facts as { alpha: number[]; beta: number };
    assert.ok(beta < 0.5, `beta ${beta}`);
    const totals = [...fitted.arrays.get('topic_totals')!];
    const [rare, common] = [Math.min(...totals), Math.max(...totals)].map((n) => totals.indexOf(n));
    assert.ok(alpha[rare!]! < alpha[common!]!, `alpha ${alpha.join(' ')}`);
  });
});

test('lda: auto proposes where documents are long and topics many, else draws exactly', async () => {
  const long = plantTopics(prngOf(3), { topics: 30, documents: 2, length: 3000 });
  const short = plantTopics(prngOf(3), { topics: 30, documents: 60, length: 60 });
  await withHost(1, async (host) => {
    for (const [known, topics, alpha, sampler] of [
      [long, 2000, 1, 'mh'],
      [long, 2000, 0.001, 'exact'],
      [long, 20, 1, 'exact'],
      [short, 2000, 1, 'exact'],
    ] as const) {
      const hashes = new Map<string, string>();
      for (const name of ['auto', ...samplers]) {
        const { hash } = await fitLda(host, known, { topics, alpha, sampler: name }, { passes: 3 });
        hashes.set(name, hash);
      }
      assert.is.not(hashes.get('exact'), hashes.get('mh'));
      assert.is(hashes.get('auto'), hashes.get(sampler), `K=${topics} α=${alpha}`);
    }
  });
});

test('lda: refuses documents without words', async () => {
  await withHost(1, async (host) => {
    try {
      await fitLda(host, { documents: [[], []], words: 3 }, { topics: 2 });
      assert.unreachable();
    } catch (thrown) {
      assert.is((thrown as { code?: string }).code, 'ERR_DATA');
    }
  });
});

test('lda: perplexity of held-out documents, and mixtures of a line each', async () => {
  await withHost(2, async (host) => {
    const sizes = { topics: 4, documents: 200, length: 25 };
    const known = plantTopics(prngOf(9), sizes);
    const held = plantTopics(prngOf(10), { ...sizes, documents: 40 });
    const test = placeCorpus(host.arena, held.documents, { words: held.words });
    const { outcome } = await fitLda(host, known, { topics: 4, alpha: 0.1 }, { passes: 50, test });
    const { perplexity } = outcome.metrics;
    // A document has words of two topics at most, nearly: 12 of the 24.
    assert.ok(perplexity! > 6 && perplexity! < 15, `perplexity ${perplexity}`);
  });
});

test.run();
