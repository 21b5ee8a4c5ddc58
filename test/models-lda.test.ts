// lda trained in the test's own process: planted topics come back, what is printed is the formula
// at the saved counts, and the same seed makes the same model whoever computes it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Metrics, ModelOptions } from '../src/jobs/job.ts';
import { lda } from '../src/models/lda/model.ts';
import type { TrainRequest } from '../src/models/model.ts';
import type { Corpus } from '../src/data/dataset.ts';
import type { Host } from '../src/supervisor/host.ts';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { placeCorpus, plantTopics, samplers } from './helpers/lda.ts';
import { hashOf, requestOf, sessionOf } from './helpers/models.ts';
import { logGamma, type Documents } from './oracle/lda.ts';

type Known = { readonly documents: Documents; readonly words: number };

async function fit(
  host: Host,
  { documents, words }: Known,
  options: ModelOptions,
  ask: Partial<TrainRequest<Corpus>> = {},
) {
  const mark = host.arena.mark();
  const progress: Metrics[] = [];
  const session = {
    ...sessionOf(host),
    onEvent(event: { kind: string; values?: Metrics }) {
      if (event.kind === 'progress') progress.push(event.values ?? {});
    },
  };
  const data = placeCorpus(host.arena, documents, { words });
  const outcome = await lda.train(session, requestOf('lda', data, options, ask));
  const arrays = new Map(
    outcome.trained.tensors.map(({ name, shape, at }) => [
      name,
      host.arena.i32.slice(at / 4, at / 4 + shape[0]!),
    ]),
  );
  const hash = hashOf(host, outcome);
  host.arena.release(mark);
  return { outcome, arrays, hash, progress };
}
type Fitted = Awaited<ReturnType<typeof fit>>;

/** The formula of the model's header at the saved counts; they add up, whatever they are. */
function objectiveOf({ outcome, arrays }: Fitted, { documents, words }: Known): number {
  const { alpha, beta } = outcome.trained.facts as { alpha: number[]; beta: number };
  const rise = (a: number, n: number) => logGamma(a + n) - logGamma(a);
  const get = (name: string) => arrays.get(name)!;
  const alphaSum = alpha.reduce((all, value) => all + value, 0);
  const byDocument = alpha.map(() => 0);
  const byWord = alpha.map(() => 0);
  let sum = 0;
  documents.forEach((tokens, d) => {
    let left = tokens.length;
    for (let i = get('doc_starts')[d]!; i < get('doc_starts')[d + 1]!; i++) {
      const [k, n] = [get('doc_topics')[i]!, get('doc_counts')[i]!];
      left -= n;
      byDocument[k]! += n;
      sum += rise(alpha[k]!, n);
    }
    assert.is(left, 0, 'Σ_k n_dk = N_d');
    sum -= rise(alphaSum, tokens.length);
  });
  const counts = new Array<number>(words).fill(0);
  for (const word of documents.flat()) counts[word]! += 1;
  for (let w = 0; w < words; w++) {
    for (let i = get('word_starts')[w]!; i < get('word_starts')[w + 1]!; i++) {
      const [k, n] = [get('word_topics')[i]!, get('word_counts')[i]!];
      counts[w]! -= n;
      byWord[k]! += n;
      sum += rise(beta, n);
    }
  }
  assert.ok(
    counts.every((left) => left === 0),
    'Σ_k n_kw = N_w',
  );
  const totals = [...get('topic_totals')];
  assert.equal(byDocument, totals, 'Σ_d n_dk = n_k');
  assert.equal(byWord, totals, 'Σ_w n_kw = n_k');
  for (const n of totals) sum -= rise(words * beta, n);
  return sum / documents.flat().length;
}

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
      const fitted = await fit(host, known, options, { passes: 8, partitions });
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
        runs.push(await fit(host, known, options, { passes: sampler === 'mh' ? 120 : 60, seed }));
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
        hashes.add((await fit(host, known, options, { passes: 5 })).hash);
      });
    }
    assert.is(hashes.size, 1);
    await withHost(2, async (host) => {
      hashes.add((await fit(host, known, options, { passes: 5, seed: 2 })).hash);
      hashes.add((await fit(host, known, options, { passes: 5, partitions: 3 })).hash);
    });
    assert.is(hashes.size, 3);
  });
}

test('lda: α and β that are fitted raise the likelihood, and rare topics get less', async () => {
  await withHost(2, async (host) => {
    const known = plantTopics(prngOf(7), { topics: 3, documents: 300, length: 25 });
    const options = { topics: 6, alpha: 2, beta: 0.5 };
    const fixed = await fit(host, known, options, { passes: 40 });
    const fitted = await fit(host, known, { ...options, 'optimize-interval': 2 }, { passes: 40 });
    assert.ok(fitted.outcome.objective > fixed.outcome.objective + 0.05);
    const { alpha, beta } = fitted.outcome.trained.facts as { alpha: number[]; beta: number };
    assert.ok(beta < 0.5, `beta ${beta}`);
    const totals = [...fitted.arrays.get('topic_totals')!];
    const [rare, common] = [Math.min(...totals), Math.max(...totals)].map((n) => totals.indexOf(n));
    assert.ok(alpha[rare!]! < alpha[common!]!, `alpha ${alpha.join(' ')}`);
  });
});

test('lda: both programs and both samplers lose no count, and have the same likelihood', async () => {
  await withHost(2, async (host) => {
    const known = plantTopics(prngOf(13), { topics: 5, documents: 200, length: 25 });
    const options = { topics: 5, alpha: 0.5, beta: 0.2, 'evaluate-interval': 4 };
    const means: number[] = [];
    for (const [parallel, consistency, staleness, sampler] of [
      ['rotation', 'bsp', 0, 'exact'],
      ['server', 'bsp', 0, 'exact'],
      ['server', 'ssp', 2, 'exact'],
      ['server', 'essp', 1, 'exact'],
      ['rotation', 'bsp', 0, 'mh'],
      ['server', 'bsp', 0, 'mh'],
      ['server', 'ssp', 2, 'mh'],
    ] as const) {
      const policy = { consistency, staleness };
      const label = `${parallel} ${consistency} ${sampler}`;
      const found: number[] = [];
      for (const seed of [1, 2, 3]) {
        const ask = { passes: 64, seed, policy };
        const fitted = await fit(host, known, { ...options, parallel, sampler }, ask);
        const want = objectiveOf(fitted, known);
        const { objective } = fitted.outcome;
        assert.ok(Math.abs(objective - want) < 1e-10 * Math.abs(want), `${label}: ${objective}`);
        const told = fitted.progress.flatMap((values) => values['logLikelihood'] ?? []);
        assert.is(told.length, 16, label);
        assert.is(told.at(-1), objective, label);
        found.push(told.slice(-8).reduce((sum, value) => sum + value, 0) / 8);
      }
      // A chain may stay where one topic is two and two are one: the best of some.
      means.push(Math.max(...found));
    }
    // The likelihood of a chain varies by some .01 a token; these are means over 32 passes.
    const spread = Math.max(...means) - Math.min(...means);
    assert.ok(spread < 0.03, means.join(' '));
  });
});

test('lda on the parameter server: bulk-synchronous, the seed fixes every bit', async () => {
  const known = plantTopics(prngOf(5), { topics: 6, documents: 150, length: 20 });
  for (const sampler of samplers) {
    const hashes = new Set<string>();
    for (const threads of [1, 2, 3, 2]) {
      await withHost(threads, async (host) => {
        const options = { topics: 10, parallel: 'server', 'evaluate-interval': 3, sampler };
        hashes.add((await fit(host, known, options, { passes: 5 })).hash);
      });
    }
    assert.is(hashes.size, 1, sampler);
  }
});

test('lda on the parameter server: names what it does not do', async () => {
  await withHost(1, async (host) => {
    const known = plantTopics(prngOf(5), { topics: 2, documents: 5, length: 5 });
    for (const [options, words, code] of [
      [{ 'optimize-interval': 1 }, known.words, 'ERR_CONFIG'],
      [{ topics: 100_000 }, 2000, 'ERR_LIMIT'],
    ] as const) {
      try {
        await fit(host, { ...known, words }, { parallel: 'server', ...options });
        assert.unreachable();
      } catch (thrown) {
        assert.is((thrown as { code?: string }).code, code);
      }
    }
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
        const { hash } = await fit(host, known, { topics, alpha, sampler: name }, { passes: 3 });
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
      await fit(host, { documents: [[], []], words: 3 }, { topics: 2 });
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
    const { outcome } = await fit(host, known, { topics: 4, alpha: 0.1 }, { passes: 50, test });
    const { perplexity } = outcome.metrics;
    // A document has words of two topics at most, nearly: 12 of the 24.
    assert.ok(perplexity! > 6 && perplexity! < 15, `perplexity ${perplexity}`);
  });
});

test.run();
