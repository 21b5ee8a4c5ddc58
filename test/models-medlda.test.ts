// medlda trained in the test's own process: classes are told apart, what is printed is the formula
// at what is saved, and the same seed makes the same model whoever computes it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Corpus } from '../src/data/dataset.ts';
import type { Metrics, ModelOptions } from '../src/jobs/job.ts';
import { medlda } from '../src/models/medlda/model.ts';
import type { TrainRequest } from '../src/models/model.ts';
import type { Host } from '../src/supervisor/host.ts';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { placeClasses, plantClasses } from './helpers/medlda.ts';
import { hashOf, requestOf, sessionOf, tensorOf } from './helpers/models.ts';
import { logGamma } from './oracle/lda.ts';

type Known = ReturnType<typeof plantClasses>;
const classes = 3;
const sizes = { classes, documents: 150, length: 12 };
const rise = (a: number, n: number) => logGamma(a + n) - logGamma(a);

async function fit(
  host: Host,
  known: Known,
  options: ModelOptions,
  ask: Partial<TrainRequest<Corpus>> = {},
) {
  const progress: Metrics[] = [];
  const session = {
    ...sessionOf(host),
    onEvent(event: { kind: string; values?: Metrics }) {
      if (event.kind === 'progress') progress.push(event.values ?? {});
    },
  };
  const data = placeClasses(host.arena, known, classes);
  const outcome = await medlda.train(session, requestOf('medlda', data, options, ask));
  const weights = tensorOf(host, outcome, 'class_weights');
  const arrays = new Map(
    outcome.trained.tensors.map(({ name, shape, at }) => [
      name,
      host.arena.i32.slice(at / 4, at / 4 + shape[0]!),
    ]),
  );
  return { outcome, weights, arrays, hash: hashOf(host, outcome), progress, session };
}
type Fitted = Awaited<ReturnType<typeof fit>>;

/** The formula of the model's header at what is saved; the counts add up, whatever they are. */
function formulaOf({ outcome, arrays, weights }: Fitted, known: Known, [cost, margin]: number[]) {
  const { alpha, beta } = outcome.trained.facts as { alpha: number[]; beta: number };
  const get = (name: string) => arrays.get(name)!;
  const { documents, words, targets } = known;
  const topics = alpha.length;
  const byDocument = alpha.map(() => 0);
  const byWord = alpha.map(() => 0);
  let [sum, right] = [0, 0];
  documents.forEach((tokens, d) => {
    const scores = new Array<number>(classes).fill(0);
    let left = tokens.length;
    for (let i = get('doc_starts')[d]!; i < get('doc_starts')[d + 1]!; i++) {
      const [k, n] = [get('doc_topics')[i]!, get('doc_counts')[i]!];
      left -= n;
      byDocument[k]! += n;
      sum += rise(alpha[k]!, n);
      scores.forEach((_, t) => (scores[t]! += (weights[t * topics + k]! * n) / tokens.length));
    }
    assert.is(left, 0, 'Σ_k n_dk = N_d');
    sum -= rise(alpha[0]! * topics, tokens.length);
    if (targets[d]! < 0) return;
    scores.forEach((score, t) => {
      sum -= 2 * cost! * Math.max(0, margin! - (t === targets[d] ? score : -score));
    });
    right += Number(scores.indexOf(Math.max(...scores)) === targets[d]);
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
  const { samples } = outcome.trained.facts as { samples: number };
  for (let w = 0; w < words; w++) {
    const [from, to] = [0, 1].map((next) => get('mean_starts')[w + next]);
    const all = get('mean_counts').slice(from, to);
    const want = samples * documents.flat().filter((word) => word === w).length;
    assert.is(
      all.reduce((total, n) => total + n, 0),
      want,
      'Σ_k of the summed n_kw',
    );
  }
  const means = byWord.map((_, k) =>
    get('mean_counts').reduce((all, n, i) => (get('mean_topics')[i] === k ? all + n : all), 0),
  );
  assert.equal(means, [...get('mean_totals')], 'Σ_w of the summed n_kw');
  const totals = [...get('topic_totals')];
  assert.equal(byDocument, totals, 'Σ_d n_dk = n_k');
  assert.equal(byWord, totals, 'Σ_w n_kw = n_k');
  for (const n of totals) sum -= rise(words * beta, n);
  for (const weight of weights) sum -= weight ** 2 / 2;
  return { objective: sum / documents.flat().length, accuracy: right / targets.length };
}

test('medlda: prints the formula at what is saved, and loses no count', async () => {
  await withHost(2, async (host) => {
    for (const [topics, partitions, cost, margin] of [
      [2, 1, 1.6, 64],
      [9, 8, 0.5, 3],
      [40, 3, 2, 10],
    ] as const) {
      const known = plantClasses(prngOf(topics), sizes);
      const options = { topics, cost, margin, samples: 2 };
      const fitted = await fit(host, known, options, { passes: 6, partitions });
      const want = formulaOf(fitted, known, [cost, margin]);
      const { objective, metrics } = fitted.outcome;
      const label = `K=${topics}: ${objective} ${want.objective}`;
      assert.ok(Math.abs(objective - want.objective) < 1e-5 * Math.abs(want.objective), label);
      assert.is(metrics['trainAccuracy'], want.accuracy);
      assert.is(fitted.progress.length, 6);
      const drift = fitted.progress.map((values) => values['drift']!);
      if (partitions === 1) assert.ok(drift.every((value) => value === 0));
      else assert.ok(drift.every((value) => value > 0 && value <= 2));
    }
  });
});

test('medlda: tells planted classes apart in documents that it has not seen', async () => {
  await withHost(2, async (host) => {
    const known = plantClasses(prngOf(21), { ...sizes, documents: 400 });
    const held = plantClasses(prngOf(22), sizes);
    const test = placeClasses(host.arena, held, classes);
    const fitted = await fit(host, known, { topics: 6, alpha: 0.5 }, { test });
    const { metrics, trained } = fitted.outcome;
    // A document has some three words of its class' topic, and 1 of 20 has none.
    assert.ok(metrics['trainAccuracy']! > 0.9, `train ${metrics['trainAccuracy']}`);
    assert.ok(metrics['accuracy']! > 0.85, `test ${metrics['accuracy']}`);
    const scored = await medlda.evaluate(fitted.session, trained, test);
    assert.is(scored['accuracy'], metrics['accuracy']);
    assert.ok(scored['perplexity']! < held.words);
    const ask = { probabilities: false };
    const lines = [...(await medlda.predict(fitted.session, trained, test, ask)).lines];
    const right = lines.filter((line, d) => line === `class${held.targets[d]}`).length;
    assert.is(right / held.targets.length, metrics['accuracy']);
    try {
      await medlda.predict(fitted.session, trained, test, { probabilities: true });
      assert.unreachable();
    } catch (thrown) {
      assert.is((thrown as { code?: string }).code, 'ERR_CONFIG');
    }
  });
});

test('medlda: documents without a label are read too', async () => {
  await withHost(2, async (host) => {
    const planted = plantClasses(prngOf(23), { ...sizes, documents: 400 });
    const targets = planted.targets.map((target, d) => (d % 3 === 0 ? -1 : target));
    const test = placeClasses(host.arena, plantClasses(prngOf(24), sizes), classes);
    const fitted = await fit(host, { ...planted, targets }, { topics: 6, alpha: 0.5 }, { test });
    assert.ok(fitted.outcome.metrics['accuracy']! > 0.8);
    formulaOf(fitted, { ...planted, targets }, [1.6, 64]);
  });
});

test('medlda: the seed fixes every bit, for 1, 2 and 3 threads', async () => {
  const known = plantClasses(prngOf(25), sizes);
  const hashes = new Set<string>();
  for (const threads of [1, 2, 3, 2]) {
    await withHost(threads, async (host) => {
      hashes.add((await fit(host, known, { topics: 5 }, { passes: 5 })).hash);
    });
  }
  assert.is(hashes.size, 1);
  await withHost(2, async (host) => {
    hashes.add((await fit(host, known, { topics: 5 }, { passes: 5, seed: 2 })).hash);
    hashes.add((await fit(host, known, { topics: 5 }, { passes: 5, partitions: 3 })).hash);
  });
  assert.is(hashes.size, 3);
});

test('medlda: refuses no words, and less than two classes', async () => {
  await withHost(1, async (host) => {
    const known = plantClasses(prngOf(26), sizes);
    const data = placeClasses(host.arena, known, classes);
    const session = sessionOf(host);
    for (const [corpus, text] of [
      [{ ...data, classes: [] }, /no labels/],
      [{ ...data, classes: ['a'] }, /one class/],
      [{ ...data, tokens: 0 }, /words/],
    ] as const) {
      try {
        await medlda.train(session, requestOf('medlda', corpus, {}));
        assert.unreachable();
      } catch (thrown) {
        assert.is((thrown as { code?: string }).code, 'ERR_DATA');
        assert.match(String(thrown), text);
      }
    }
  });
});

test.run();
