// Topics at the end of jobs: the table and the page of a training, perplexity of held-out documents
// by either estimator, coherence in an evaluation.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { evaluateJob } from '../src/jobs/score.ts';
import type { JobDone, JobEvent, TopicsJob } from '../src/jobs/job.ts';
import { resultJson, resultText } from '../src/cli/result.ts';
import { topicsJob } from '../src/jobs/topics.ts';
import { loadModel } from '../src/models/model-directory.ts';
import { withHost } from './helpers/hosts.ts';
import { trainOn } from './helpers/models.ts';
import { plantedDocuments } from './helpers/topics.ts';

const topics = 6;
const folder = mkdtempSync(join(tmpdir(), 'perpetuum-topics-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Planted documents as libsvm counts: label 0, words from 1. */
function fileOf(name: string, documents: number, seed: number): string {
  const rows = plantedDocuments(documents, topics, seed);
  const line = (row: (typeof rows)[0]) => ['0', ...row.map(([w, n]) => `${w + 1}:${n}`)].join(' ');
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${line(row)}\n`).join(''));
  return path;
}

const data = fileOf('train.svm', 300, 1);
const held = fileOf('test.svm', 60, 2);
const options = { topics, alpha: 0.1 };

test('train lda: a table of topics, a page, and perplexity of both kinds', async () => {
  const page = join(folder, 'new', 'topics.html');
  const out = join(folder, 'model');
  const train = (particles: number) =>
    trainOn('lda', {
      ...{ data, test: held, passes: 200, out },
      options: { ...options, particles, ...(particles > 0 && { page }) },
    });
  const completed = await train(0);
  assert.not(existsSync(page));
  const done = await train(5);
  assert.is(done.topics?.page, page);
  assert.is(done.topics?.rows.length, topics);
  // A planted topic's words are five neighbours. Sampling may leave two topics in one.
  const planted = done.topics!.rows.filter(({ words }) => {
    const [one, other] = words.map((word) => Math.floor((Number(word.slice(5)) - 1) / 5));
    return one === other;
  });
  assert.ok(planted.length >= topics - 2, done.topics!.rows.map(({ words }) => words[1]).join());
  assert.match(readFileSync(page, 'utf8'), /^<!doctype html>[\s\S]*"documentCount":300,/);
  // Any of 30 words: 30. Given two topics of entropy 2 bits and a little noise: about 9.
  const both = [completed.metrics['perplexity']!, done.metrics['perplexity']!];
  for (const perplexity of both) assert.ok(perplexity > 7 && perplexity < 15, `${perplexity}`);
  // Left to right also scores the tokens that completion gets to see.
  assert.ok(both[1]! > both[0]!, both.join(' '));
  const hooks = { signal: new AbortController().signal, onEvent: () => undefined };
  const input = { format: undefined, label: 'last', delimiter: undefined, header: undefined };
  const scored = await evaluateJob(
    { command: 'evaluate', modelDirectory: out, data: [held], threads: 1, input },
    hooks,
  );
  const { metrics } = scored as { metrics: Record<string, number> };
  assert.is(metrics['perplexity'], both[1], 'evaluate says what --test said');
  assert.ok(metrics['coherence']! > -1 && metrics['coherence']! < 1);
});

test('topics: scores are those of the saved counts', async () => {
  const out = join(folder, 'shown');
  await trainOn('lda', { data, passes: 60, out, options: { ...options, particles: 0 } });
  const hooks = { signal: new AbortController().signal, onEvent: () => undefined };
  const input = { format: undefined, label: 'last', delimiter: undefined, header: undefined };
  const base = { command: 'topics', modelDirectory: out, threads: 1, input } as const;
  const ask = { by: 'relevance', show: 4, words: 6, topic: undefined } as const;
  const show = async (more: Partial<TopicsJob>) => {
    const done = await topicsJob({ ...base, data: [], ask, page: undefined, ...more }, hooks);
    assert.is(done.command, 'topics');
    return (done as Extract<JobDone, { command: 'topics' }>).listing;
  };
  const { rows, details } = await show({});
  assert.equal(
    rows.map(({ topic }) => topic),
    details.map(({ topic }) => topic),
  );
  assert.is(details.length, 4);
  const counts = await withHost(1, async ({ arena }) => {
    const { trained } = await loadModel(out, arena);
    return new Map(
      trained.tensors.map(({ name, shape, at }) => [
        name,
        [...arena.i32.subarray(at / 4, at / 4 + shape[0]!)],
      ]),
    );
  });
  const [starts, topicOf, count, totals] = ['starts', 'topics', 'counts']
    .map((name) => counts.get(`word_${name}`)!)
    .concat([counts.get('topic_totals')!]) as [number[], number[], number[], number[]];
  const tokens = totals.reduce((sum, n) => sum + n, 0);
  const V = starts.length - 1;
  for (const { topic, share, words, near } of details) {
    assert.is(share, totals[topic]! / tokens);
    assert.is(words.length, 6);
    for (const { word, weight, lift, relevance } of words) {
      const w = Number(word.slice(5)) - 1;
      const own = Array.from({ length: starts[w + 1]! - starts[w]! }, (_, i) => starts[w]! + i);
      const n = own.reduce((sum, i) => sum + (topicOf[i] === topic ? count[i]! : 0), 0);
      const all = own.reduce((sum, i) => sum + count[i]!, 0);
      const phi = (n + 0.01) / (totals[topic]! + V * 0.01);
      const near1 = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9 * Math.abs(b));
      near1(weight, phi);
      near1(lift, phi / (all / tokens));
      near1(relevance, 0.6 * Math.log(phi) + 0.4 * Math.log(lift));
    }
    const scores = words.map(({ relevance }) => relevance);
    assert.equal(
      scores,
      [...scores].sort((a, b) => b - a),
    );
    assert.is(near.length, 5);
    assert.not(near.some((other) => other.topic === topic));
    for (let i = 1; i < 5; i++) assert.ok(near[i]!.distance >= near[i - 1]!.distance);
  }
  // By weight and by lift: other words first, in the order of that score.
  for (const by of ['weight', 'lift'] as const) {
    for (const { words } of (await show({ ask: { ...ask, by } })).details) {
      const scores = words.map((word) => word[by]);
      assert.equal(
        scores,
        [...scores].sort((a, b) => b - a),
        by,
      );
    }
  }
  const page = join(folder, 'again.html');
  const one = await show({ ask: { ...ask, topic: 2 }, page: { file: page, title: 'Again' } });
  assert.equal([one.rows.length, one.details.length, one.details[0]?.topic], [0, 1, 2]);
  assert.match(readFileSync(page, 'utf8'), /<title>Again/);
  assert.match(one.details[0]!.documents[0]!.document, /^document \d+$/);
  for (const [more, said] of [
    [{ ask: { ...ask, topic: topics } }, /--topic is a number from 0 to 5, got 6/],
    [{ data: [held] }, /the 300 documents that the model was trained on, got 60/],
  ] as const) {
    try {
      await show(more);
      assert.unreachable();
    } catch (thrown) {
      assert.match((thrown as Error).message, said);
    }
  }
});

test('topics: names and dates of the documents, as text and as JSON', async () => {
  const named = join(folder, 'named.csv');
  const rows = plantedDocuments(80, topics, 3).map((row, d) => {
    const text = row.flatMap(([w, n]) => new Array<string>(n).fill(`word${w}`)).join(' ');
    return `"${text}",speech ${d},${1900 + d}`;
  });
  writeFileSync(named, ['text,name,year', ...rows, ''].join('\n'));
  const out = join(folder, 'named');
  await trainOn('lda', { data: named, passes: 30, out, options });
  const hooks = { signal: new AbortController().signal, onEvent: () => undefined };
  const input = { format: undefined, label: 'last', delimiter: undefined, header: undefined };
  const ask = { by: 'weight', show: 3, words: 4, topic: undefined } as const;
  const base = { command: 'topics', modelDirectory: out, threads: 1, input } as const;
  const job = { ...base, data: [named], ask, page: undefined };
  const done = await topicsJob(job, hooks);
  const lines = resultText(done, job).split('\n');
  assert.match(lines[0]!, /^ +share +1900 +words$/, lines.join('|'));
  assert.is(lines.length, 5);
  assert.match(lines[1]!, /^ +\d +\d+\.\d % +[▁-█ ]{8} +word\d+ word\d+ word\d+ word\d+$/);
  const [first, , , last] = resultJson(done) as [
    { overTime: number[]; documents: { document: string; share: number }[] },
    ...unknown[],
  ];
  assert.is(first.overTime.length, 8);
  assert.is(first.documents.length, 5);
  // The documents that have most of it are those whose text says so.
  for (const { document } of first.documents) assert.match(document, /^speech \d+$/);
  assert.equal(last, { event: 'done', model: 'lda', years: [1900, 1970] });
  const alone = { ...job, ask: { ...ask, topic: 1 } };
  const text = resultText(await topicsJob(alone, hooks), alone);
  assert.match(text, /^topic 1, \d+\.?\d* % of all tokens\n +word +weight +lift +relevance\n/);
  assert.match(text, /\nnearest topics \(distance\): \d \(0\.\d+\), /);
  assert.match(text, /\nmost typical documents .*\n +\d+\.?\d* % {2}speech \d+\n/);
});

test('train lda: a page that cannot be written is a warning, and the model is there', async () => {
  const events: JobEvent[] = [];
  const out = join(folder, 'second');
  const done = await trainOn('lda', {
    ...{ data, passes: 2, out, options: { ...options, particles: 0, page: folder } },
    onEvent: (event) => events.push(event),
  });
  assert.is(done.topics?.page, undefined);
  assert.ok(existsSync(join(out, 'model.json')));
  const warnings = events.filter((event) => event.kind === 'warning').map(({ text }) => text);
  assert.ok(warnings.some((text) => text.startsWith(`--page ${folder} cannot be written`)));
});

test.run();
