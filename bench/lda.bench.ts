// lda: log-likelihood by time, tokens a second by the number of topics, both programs. medlda: time
// and accuracy by threads and topics. Memory by the size of the corpus.
//
// PERPETUUM_BENCH_CORPUS names a corpus (any format that `perpetuum train lda` reads), with labels
// PERPETUUM_BENCH_LABELLED and PERPETUUM_BENCH_LABELLED_TEST; without them some are made: words as
// unequal as in text, topics with words of their own. Seconds are of training alone, without
// reading the file. PERPETUUM_BENCH_ROWS chooses what is measured (peers/kept.ts).
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parameter, smoke, table } from './bench.ts';
import { ours, type Done } from './command.ts';
import { readBags } from './corpora/bags.ts';
import { generateDocuments } from './corpora/generate.ts';
import { rowsOf } from './peers/kept.ts';
import { memoryTables } from './peers/topics/memory.ts';
import { peers, perpetuum } from './peers/topics/programs.ts';

const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'perpetuum-lda-'));
const generated = (name: string, of?: Parameters<typeof generateDocuments>[1]) =>
  generateDocuments(join(folder, name), of);

type Point = { readonly pass: number; readonly seconds: number; readonly likelihood: number };
type Run = Done & { readonly points: readonly Point[]; readonly tokens: number };

/** `perpetuum train lda`, with the time of each log-likelihood since training began. */
async function train(corpus: string, args: readonly string[]): Promise<Run> {
  const out = join(folder, 'model');
  const given = ['train', 'lda', corpus, ...args, '--evaluate-interval', '5', '--out', out];
  const child = spawn(process.execPath, [cli, ...given, '--json', '--quiet'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const points: Point[] = [];
  let done: Done | undefined;
  let doneAt = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const now = performance.now() / 1000;
    const event = JSON.parse(line) as Done & Record<string, unknown>;
    if (event['event'] === 'done') [done, doneAt] = [event, now];
    const { pass, logLikelihood: likelihood } = event as Record<string, unknown>;
    if (typeof pass !== 'number' || typeof likelihood !== 'number') continue;
    points.push({ pass, seconds: now, likelihood });
  }
  if (done === undefined) throw new Error(`perpetuum ${given.join(' ')} failed`);
  const card = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8')) as {
    readonly facts: { readonly tokens: number };
  };
  const { total, load } = done.seconds;
  const began = doneAt - total + load;
  const since = points.map((point) => ({ ...point, seconds: point.seconds - began }));
  return { ...done, points: since, tokens: card.facts.tokens };
}

const passes = parameter('passes', 6, 100);
const wanted = process.env['PERPETUUM_BENCH_CORPUS'];

async function byTime(corpus: string): Promise<void> {
  const priors = ['--topics', String(parameter('topics', 10, 100)), '--alpha', '0.1'];
  const rows: string[][] = [];
  for (const [name, ...args] of [
    ['rotation, 1 thread', '--threads', '1'],
    ['rotation, 2 threads', '--threads', '2'],
    ['server, 2 threads', '--threads', '2', '--parallel', 'server'],
  ]) {
    const all = [...priors, '--passes', String(passes), ...args];
    const some = await rowsOf(`lda by time ${name}`, async () => {
      const run = await train(corpus, all);
      const step = Math.max(1, Math.floor(run.points.length / 10));
      const points = run.points.filter((_, i) => i % step === step - 1);
      return points.map(({ pass, seconds, likelihood }) => {
        const speed = (run.tokens * pass) / seconds / 1e6;
        return [String(pass), seconds.toFixed(2), speed.toFixed(1), likelihood.toFixed(4)];
      });
    });
    rows.push(...(some ?? []).map((cells) => [name!, ...cells]));
  }
  const header = ['program', 'pass', 's', 'M tokens/s', 'log-likelihood per token'];
  table(`log-likelihood by time, ${priors[1]!} topics, α = 0.1, β = 0.01`, header, rows);
}

async function byTopics(corpus: string): Promise<void> {
  const rows: string[][] = [];
  for (const topics of smoke ? [10, 40] : [10, 100, 1000, 10_000]) {
    const few = String(parameter('passes', 6, 30));
    const args = ['--topics', String(topics), '--threads', '1', '--passes', few];
    const row = await rowsOf(`lda by topics ${topics}`, async () => {
      const run = await train(corpus, args);
      const speed = (run.tokens * run.passes) / run.seconds.train / 1e6;
      const memory = (run.memoryBytesMax / 2 ** 20).toFixed(0);
      return [String(topics), speed.toFixed(1), run.objective.toFixed(4), memory];
    });
    if (row !== undefined) rows.push(row);
  }
  const header = ['topics', 'M tokens/s', 'log-likelihood per token', 'memory, MiB'];
  table('tokens a second by topics, Σα = 10, 1 thread', header, rows);
}

/** medlda: training and the classes of the test documents. */
async function supervised(): Promise<void> {
  const few = { documents: parameter('documents', 300, 10_000) };
  const train =
    process.env['PERPETUUM_BENCH_LABELLED'] ?? generated('train.svm', { seed: 2, ...few });
  const test =
    process.env['PERPETUUM_BENCH_LABELLED_TEST'] ?? generated('test.svm', { seed: 3, ...few });
  const rows: string[][] = [];
  for (const [topics, threads] of [
    [40, 2],
    [40, 1],
    [parameter('topics', 20, 80), 2],
  ]) {
    const row = await rowsOf(`lda classes ${topics} ${threads}`, () => {
      const sizes = ['--topics', String(topics), '--threads', String(threads)];
      const args = [...sizes, '--passes', String(parameter('passes', 4, 40))];
      const { seconds, metrics } = ours(['medlda', train, '--test', test, ...args]);
      const accuracies = ['trainAccuracy', 'accuracy'].map((name) => metrics[name]!.toFixed(4));
      return [String(topics), String(threads), seconds.train.toFixed(2), ...accuracies];
    });
    if (row !== undefined) rows.push(row);
  }
  const header = ['topics', 'threads', 's', 'train accuracy', 'test accuracy'];
  table('medlda: training, and the classes of the test documents', header, rows);
}

try {
  const corpus = wanted ?? generated('corpus.svm');
  await byTime(corpus);
  await byTopics(corpus);
  await supervised();
  const spilling = perpetuum('perpetuum in files', '--spill', folder);
  const programs = [perpetuum('perpetuum'), spilling, ...peers()];
  await memoryTables(programs, { bags: readBags(corpus), folder, threads: 2 });
} finally {
  rmSync(folder, { recursive: true });
}
