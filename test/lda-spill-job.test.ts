// train lda --spill as a job: the same topics as in memory, and no file is left, however it ends.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import type { JobEvent } from '../src/jobs/job.ts';
import { trainOn } from './helpers/models.ts';
import { plantedDocuments } from './helpers/topics.ts';

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-spill-job-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const topics = 5;
const data = join(folder, 'train.svm');
const text = plantedDocuments(200, topics, 1)
  .map((row) => `0 ${row.map(([word, count]) => `${word + 1}:${count}`).join(' ')}\n`)
  .join('');
writeFileSync(data, text);
const spill = join(folder, 'files');
mkdirSync(spill);
const options = { topics, alpha: 0.5 };

async function refused(job: () => Promise<unknown>, code: string, words: RegExp): Promise<void> {
  try {
    await job();
  } catch (thrown) {
    const { code: found, message } = thrown as { code?: string; message: string };
    assert.is(found, code, message);
    assert.match(message, words);
    assert.equal(readdirSync(spill), [], 'nothing is left');
    return;
  }
  assert.unreachable();
}

test('train lda --spill: the objective of memory, and files while it trains alone', async () => {
  const memory = await trainOn('lda', { data, passes: 5, options });
  const seen: string[][] = [];
  const onEvent = ({ kind }: JobEvent) => {
    if (kind === 'progress') seen.push(readdirSync(spill));
  };
  const out = join(folder, 'model');
  const filed = await trainOn('lda', { data, passes: 5, options, spill, onEvent, out });
  assert.is(filed.objective, memory.objective);
  assert.equal(filed.topics?.rows, memory.topics?.rows);
  assert.ok(seen.some((names) => names.length === 1 && /^perpetuum-/.test(names[0]!)));
  assert.equal(readdirSync(spill), []);
  assert.ok(readdirSync(out).includes('model.json'));
});

test('train --spill: what cannot be is refused, before anything is read', async () => {
  const server = { ...options, parallel: 'server' };
  const train = (model: string, job: object) => trainOn(model, { data, spill, passes: 2, ...job });
  await refused(() => train('lda', { options: server }), 'ERR_CONFIG', /--parallel rotation/);
  await refused(() => train('medlda', {}), 'ERR_CONFIG', /--spill is for documents of lda/);
  await refused(() => train('mlr', {}), 'ERR_CONFIG', /mlr keeps its data in memory/);
});

test('train lda --spill: a failure afterwards leaves no file', async () => {
  const test = join(folder, 'broken.svm');
  writeFileSync(test, '0 1:2\n0 1:x\n');
  const job = { data, spill, options, passes: 2 };
  await refused(() => trainOn('lda', { ...job, test }), 'ERR_DATA', /broken\.svm:2:/);
  const stop = new AbortController();
  const onEvent = ({ kind }: JobEvent) => kind === 'progress' && stop.abort();
  const endless = { ...job, passes: 100_000, onEvent, signal: stop.signal };
  await refused(() => trainOn('lda', endless), 'ERR_ABORTED', /./);
});

test.run();
