// Topics at the end of jobs: the table and the page of a training, perplexity of held-out documents
// by either estimator, coherence in an evaluation.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { evaluateJob } from '../src/jobs/score.ts';
import type { JobEvent } from '../src/jobs/job.ts';
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
