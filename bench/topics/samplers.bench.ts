// lda's two samplers: log-likelihood by time, by topics, length of documents and weight of topics.
//
// PERPETUUM_BENCH_CORPUS names a corpus (libsvm or bags of a line each) whose documents are put
// together to long ones; without it one is made: words as unequal as in text, topics with words of
// their own. Seconds are processor time of the whole process, one worker: other load matters less.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createPrng } from '../../src/base/prng.ts';
import { train } from '../../src/index.ts';
import { parameter, smoke, table } from '../bench.ts';

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

const secondsOf = () => process.cpuUsage().user / 1e6;

/** Log-likelihoods by processor time after the first pass, which is the same for both samplers. */
async function curve(
  data: string,
  { topics, sum, sampler }: { topics: number; sum: number; sampler: string },
): Promise<Point[]> {
  const points: Point[] = [];
  const [enough, interval] = [parameter('seconds', 0.05, 3), parameter('interval', 1, 2)];
  const stop = new AbortController();
  let began: number | undefined;
  const job = train({
    ...{ model: 'lda', data, threads: 1, passes: 10_000, signal: stop.signal },
    options: { topics, alpha: sum / topics, sampler, 'evaluate-interval': interval },
    onEvent(event) {
      if (event.kind !== 'progress' || stop.signal.aborted) return;
      const { pass, logLikelihood } = event.values;
      if (pass === undefined) return;
      began ??= secondsOf();
      if (logLikelihood === undefined) return;
      const seconds = secondsOf() - began;
      points.push({ pass, seconds, likelihood: logLikelihood });
      if (seconds >= enough && points.length >= 4) stop.abort();
    },
  });
  await job.catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return points;
}

/** Four of them, at even steps of time. */
function quarters(points: readonly Point[]): readonly Point[] {
  const { seconds } = points.at(-1)!;
  return [1, 2, 3, 4].map((q) => points.find((point) => point.seconds >= (seconds * q) / 4)!);
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
        const points = await curve(path, { topics, sum, sampler });
        const cells = quarters(points).map(({ pass, seconds, likelihood }) => {
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
    table(`documents of ${Math.round(length)} tokens, processor seconds, 1 worker`, header, rows);
  }
} finally {
  rmSync(folder, { recursive: true });
}
