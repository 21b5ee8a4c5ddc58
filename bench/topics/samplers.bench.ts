// lda's two samplers: log-likelihood by time, by topics, length of documents and weight of topics.
//
// PERPETUUM_BENCH_CORPUS names a corpus (libsvm or bags of a line each) whose documents are put
// together to long ones; without it one is made: words as unequal as in text, topics with words of
// their own. Runs take about the same time: a short one says how many passes that are. Seconds are
// of training alone.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { createPrng } from '../../src/base/prng.ts';
import { parameter, smoke, table } from '../bench.ts';

const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'perpetuum-samplers-'));

type Bag = ReadonlyMap<number, number>;

/** Documents of some 34 tokens. */
function generate(): Bag[] {
  const prng = createPrng(1);
  const [words, topics] = [parameter('words', 400, 20_000), parameter('topics', 10, 200)];
  return Array.from({ length: parameter('documents', 300, 20_000) }, () => {
    const own = Array.from({ length: 1 + prng.below(3) }, () => prng.below(topics));
    const counts = new Map<number, number>();
    for (let i = 10 + prng.below(50); i > 0; i--) {
      const topic = own[prng.below(own.length)]!;
      const rank = Math.floor(words ** prng.uniform());
      const word = (rank * (prng.below(5) === 0 ? 1 : 1 + topic)) % words;
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return counts;
  });
}

function read(path: string): Bag[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  const lines = text
    .trim()
    .split('\n')
    .slice(0, parameter('documents', 300, 20_000));
  return lines.map((line) => {
    const pairs = line.split(' ').filter((item) => item.includes(':'));
    return new Map(pairs.map((pair) => pair.split(':').map(Number) as [number, number]));
  });
}

/** Documents of `together` of the bags each, as libsvm lines. */
function write(bags: readonly Bag[], together: number): { path: string; length: number } {
  const lines: string[] = [];
  let tokens = 0;
  for (let first = 0; first < bags.length; first += together) {
    const counts = new Map<number, number>();
    for (const [word, n] of bags.slice(first, first + together).flatMap((bag) => [...bag])) {
      counts.set(word, (counts.get(word) ?? 0) + n);
      tokens += n;
    }
    const bag = [...counts].sort(([a], [b]) => a - b);
    lines.push(`0 ${bag.map(([word, n]) => `${word + 1}:${n}`).join(' ')}`);
  }
  const path = join(folder, `${together}.svm`);
  writeFileSync(path, lines.join('\n') + '\n');
  return { path, length: tokens / lines.length };
}

type Point = { readonly pass: number; readonly seconds: number; readonly likelihood: number };

/** `perpetuum train lda`, with the time of each log-likelihood since training began. */
async function train(corpus: string, args: readonly string[]): Promise<Point[]> {
  const given = ['train', 'lda', corpus, ...args, '--threads', '1', '--json', '--quiet'];
  const child = spawn(process.execPath, [cli, ...given], { stdio: ['ignore', 'pipe', 'inherit'] });
  const points: Point[] = [];
  let began: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const now = performance.now() / 1000;
    const event = JSON.parse(line) as Record<string, unknown>;
    if (event['event'] === 'done') {
      const { total, load } = event['seconds'] as { total: number; load: number };
      began = now - total + load;
    }
    const { pass, logLikelihood: likelihood } = event;
    if (typeof pass === 'number' && typeof likelihood === 'number') {
      points.push({ pass, seconds: now, likelihood });
    }
  }
  const start = began;
  if (start === undefined) throw new Error(`perpetuum ${given.join(' ')} failed`);
  return points.map((point) => ({ ...point, seconds: point.seconds - start }));
}

/** As many passes as take about `seconds`, with some log-likelihoods on the way. */
async function timed(corpus: string, args: readonly string[], seconds: number): Promise<Point[]> {
  const few = await train(corpus, [...args, '--passes', '4', '--evaluate-interval', '2']);
  const [two, four] = few.map((point) => point.seconds) as [number, number];
  const passes = Math.max(4, Math.min(1000, Math.round((2 * seconds) / (four - two))));
  const interval = String(Math.max(1, Math.floor(passes / 4)));
  return train(corpus, [...args, '--passes', String(passes), '--evaluate-interval', interval]);
}

/** Topics, and the sum of α. */
const models: readonly (readonly [number, number])[] = smoke
  ? [
      [10, 10],
      [40, 40],
    ]
  : [
      [100, 10],
      [1000, 10],
      [1000, 1000],
      [10_000, 10],
      [10_000, 1000],
      [100_000, 10],
    ];

try {
  const given = process.env['PERPETUUM_BENCH_CORPUS'];
  const bags = given === undefined ? generate() : read(given);
  for (const together of smoke ? [1, 30] : [1, 30, 300]) {
    const { path, length } = write(bags, together);
    const rows: string[][] = [];
    for (const [topics, sum] of models) {
      for (const sampler of ['exact', 'mh']) {
        const priors = ['--topics', String(topics), '--alpha', String(sum / topics)];
        const args = [...priors, '--sampler', sampler];
        const points = await timed(path, args, parameter('seconds', 0.05, 2.5));
        const cells = points.slice(-4).map(({ pass, seconds, likelihood }) => {
          return `${pass}: ${likelihood.toFixed(3)} (${seconds.toFixed(1)} s)`;
        });
        rows.push([`${topics}`, `${sum}`, sampler, ...cells]);
      }
    }
    const header = [
      'topics',
      'Σα',
      'sampler',
      ...['', '', '', ''].map(() => 'pass: log-likelihood'),
    ];
    table(`documents of ${Math.round(length)} tokens, 1 thread`, header, rows);
  }
} finally {
  rmSync(folder, { recursive: true });
}
