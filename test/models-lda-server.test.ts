// lda on the parameter server: what is printed is the formula at the saved counts, none is lost
// whatever the staleness, and in lock-step any threads and hosts find the same bits.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Policy } from '../src/ps/freshness.ts';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { plantTopics, samplers } from './helpers/lda.ts';
import { fitLda, fitLdaOnHosts, objectiveOf, type Fitted, type Known } from './helpers/lda-fits.ts';
import { policies } from './helpers/simulate.ts';

const small = plantTopics(prngOf(5), { topics: 6, documents: 150, length: 20 });
/** Words that hosts and clocks do not divide evenly, and rows of several kilobytes. */
const wide: Known = { ...small, words: 2001 };
const wideTopics = 1200;

/** That it says what it saves, after passes with these numbers. */
function assertFormula(fitted: Fitted, known: Known, told: readonly number[], label: string): void {
  const want = objectiveOf(fitted, known);
  const { objective } = fitted.outcome;
  assert.ok(Math.abs(objective - want) < 1e-10 * Math.abs(want), `${label}: ${objective} ${want}`);
  if (fitted.progress.length === 0) return;
  const said = fitted.progress.map(({ pass, logLikelihood }) => ({ pass, logLikelihood }));
  assert.equal(
    said.map(({ pass }) => pass),
    told,
    label,
  );
  assert.is(said.at(-1)?.logLikelihood, objective, label);
}

test('lda on the parameter server: loses no count, and the likelihood of rotation, both samplers', async () => {
  await withHost(2, async (host) => {
    const known = plantTopics(prngOf(13), { topics: 5, documents: 200, length: 25 });
    const options = { topics: 5, alpha: 0.5, beta: 0.2, 'evaluate-interval': 4 };
    const means: number[] = [];
    for (const [parallel, text, sampler] of [
      ['rotation', 'bsp', 'exact'],
      ['server', 'bsp', 'exact'],
      ['server', 'ssp:2', 'exact'],
      ['server', 'essp:1', 'exact'],
      ['rotation', 'bsp', 'mh'],
      ['server', 'bsp', 'mh'],
      ['server', 'ssp:2', 'mh'],
    ] as const) {
      const [policy] = policies(text) as [Policy];
      const found: number[] = [];
      for (const seed of [1, 2, 3]) {
        const fitted = await fitLda(
          host,
          known,
          { ...options, parallel, sampler },
          { passes: 64, seed, policy },
        );
        const passes = Array.from({ length: 16 }, (_, i) => 4 * (i + 1));
        if (parallel === 'server') assertFormula(fitted, known, passes, `${text}, seed ${seed}`);
        const told = fitted.progress.flatMap((values) => values['logLikelihood'] ?? []);
        assert.is(told.length, 16, text);
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
  for (const sampler of samplers) {
    const hashes = new Set<string>();
    for (const threads of [1, 2, 3, 2]) {
      await withHost(threads, async (host) => {
        const options = { topics: 10, parallel: 'server', 'evaluate-interval': 3, sampler };
        hashes.add((await fitLda(host, small, options, { passes: 5 })).hash);
      });
    }
    assert.is(hashes.size, 1, sampler);
  }
});

test('lda on the parameter server: in lock-step several hosts find the same bits as one', async () => {
  const options = { parallel: 'server', 'evaluate-interval': 3, 'optimize-interval': 2 };
  const ask = { partitions: 8, passes: 5, audit: false };
  for (const [known, topics, casts] of [
    [
      small,
      9,
      [
        [1, 1],
        [1, 2, 1],
        [2, 1],
      ],
    ],
    [wide, wideTopics, [[1, 2]]],
  ] as const) {
    const [alone] = await fitLdaOnHosts([2], known, { ...options, topics }, ask);
    assertFormula(alone!, known, [3, 5], 'alone');
    const { alpha } = alone!.outcome.trained.facts as { alpha: number[] };
    assert.ok(new Set(alpha).size > 1, 'α was fitted');
    for (const threads of casts) {
      const label = `hosts of ${threads.join(', ')} threads`;
      const fitted = await fitLdaOnHosts(threads, known, { ...options, topics }, ask);
      for (const { outcome, hash } of fitted) {
        assert.is(outcome.objective, alone!.outcome.objective, label);
        assert.is(hash, alone!.hash, label);
        assert.equal(outcome.trained.facts, alone!.outcome.trained.facts, label);
      }
      const said = fitted.flatMap(({ progress }) => progress);
      assert.equal(said, alone!.progress, `${label}: one of them tells`);
    }
  }
});

test('lda on the parameter server: no staleness loses a count on several hosts', async () => {
  const options = { parallel: 'server', 'evaluate-interval': 2, 'optimize-interval': 3 };
  for (const [text, threads, known, topics] of [
    ['ssp:0', [1, 1], small, 9],
    ['ssp:1', [2, 1], small, 9],
    ['ssp:3', [1, 1, 1], wide, wideTopics],
    ['essp:2', [1, 2], wide, wideTopics],
    ['async', [1, 1, 1], small, 9],
    ['auto', [2, 2], small, 9],
  ] as const) {
    const [policy] = policies(text) as [Policy];
    const label = `${text} on ${threads.join(', ')}`;
    const fitted = await fitLdaOnHosts(
      threads,
      known,
      { ...options, topics },
      { passes: 7, policy },
    );
    for (const one of fitted) {
      assertFormula(one, known, [2, 4, 6, 7], label);
      assert.is(one.hash, fitted[0]!.hash, `${label}: all have the counts`);
      assert.equal(one.outcome.trained.facts, fitted[0]!.outcome.trained.facts, label);
    }
  }
});

/** ψ(a + n) − ψ(a). */
const slope = (a: number, n: number) =>
  Array.from({ length: n }, (_, i) => 1 / (a + i)).reduce((sum, part) => sum + part, 0);
const slopes = (a: number, counts: Iterable<number>) =>
  [...counts].reduce((sum, n) => sum + slope(a, n), 0);

test('lda on the parameter server: α and β take a step of the fixed point over all hosts', async () => {
  const [topics, beta] = [4, 0.5];
  const options = { topics, alpha: 2, beta, parallel: 'server', 'evaluate-interval': 5 };
  const known = plantTopics(prngOf(7), { topics: 3, documents: 60, length: 25 });
  const ask = { partitions: 6, audit: false };
  // The counts after three passes, and what another such run makes of them.
  const [before] = await fitLdaOnHosts([1, 2], known, options, { ...ask, passes: 3 });
  const fit = { ...options, 'optimize-interval': 3 };
  const [after] = await fitLdaOnHosts([1, 2], known, fit, { ...ask, passes: 4 });
  const get = (name: string) => before!.arrays.get(name)!;
  const lengths = known.documents.map((tokens) => tokens.length);
  const all = slopes(2 * topics, lengths);
  const alpha = Array.from({ length: topics }, (_, k) => {
    const counts = [...get('doc_counts')].filter((_, i) => get('doc_topics')[i] === k);
    return (2 * slopes(2, counts)) / all;
  });
  const ofTotals = slopes(known.words * beta, get('topic_totals'));
  const want = (beta * slopes(beta, get('word_counts'))) / (known.words * ofTotals);
  const found = after!.outcome.trained.facts as { alpha: number[]; beta: number };
  alpha.forEach((value, k) => {
    assert.ok(
      Math.abs(found.alpha[k]! / value - 1) < 1e-9,
      `α of ${k}: ${found.alpha[k]} ${value}`,
    );
  });
  assert.ok(Math.abs(found.beta / want - 1) < 1e-9, `β: ${found.beta} ${want}`);
});

test('lda on the parameter server: names what it does not do', async () => {
  await withHost(1, async (host) => {
    const known = plantTopics(prngOf(5), { topics: 2, documents: 5, length: 5 });
    try {
      await fitLda(host, { ...known, words: 2000 }, { parallel: 'server', topics: 100_000 });
      assert.unreachable();
    } catch (thrown) {
      assert.is((thrown as { code?: string }).code, 'ERR_LIMIT');
    }
  });
});

test.run();
