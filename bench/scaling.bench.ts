// The cost of a nonzero from 10⁵ of them to 10⁸: loading, and passes over the columns
// (bench/programs/passes.ts), on 1 thread and on 2. A pass visits each nonzero twice: X'v, then
// X a. Rows of 50 in 500 columns, in partitions as lasso cuts them.
//
// The largest needs 1 GB in PERPETUUM_BENCH_WORK (by default the temporary folder), where the data
// stays, and 2 GB of memory; PERPETUUM_BENCH_NONZEROS lowers the largest.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPrng } from '../src/base/prng.ts';
import { columnPartitions } from '../src/models/linear/columns.ts';
import { digits, parameter, smoke, table } from './bench.ts';
import { run } from './command.ts';

const here = (file: string) => fileURLToPath(new URL(`./${file}`, import.meta.url));
const rowNonzeros = 50;
const columns = 500;
const most = Number(process.env['PERPETUUM_BENCH_NONZEROS'] ?? 1e8);
const sizes = smoke ? [1e3, 1e4] : [1e5, 1e6, 1e7, 1e8].filter((nonzeros) => nonzeros <= most);
/** Nonzeros that a run visits, about. */
const visits = parameter('visits', 1e5, 4e8);
const rounds = parameter('rounds', 1, 3);

/** Up to a million nonzeros, then the same rows again: their values do not matter. */
function write(folder: string, nonzeros: number): string {
  const file = join(folder, `scaling-${nonzeros}.svm`);
  if (existsSync(file)) return file;
  const { below } = createPrng(8);
  const width = columns / rowNonzeros;
  const once = Math.min(nonzeros, 1e6);
  const rows = Array.from({ length: once / rowNonzeros }, (_, i) => {
    const cell = (k: number) => `${k * width + below(width) + 1}:0.${1000 + below(9000)}`;
    const cells = Array.from({ length: rowNonzeros }, (__, k) => cell(k));
    return `${i % 2} ${cells.join(' ')}\n`;
  }).join('');
  writeFileSync(`${file}.part`, '');
  for (let done = 0; done < nonzeros; done += once)
    writeFileSync(`${file}.part`, rows, { flag: 'a' });
  renameSync(`${file}.part`, file);
  return file;
}

type Cost = { readonly load: number; readonly spent: number; readonly wall: number };

/** Nanoseconds: of loading a nonzero, of visiting one by all threads together, and by the clock. */
function cost(file: string, nonzeros: number, threads: number): Cost {
  const passes = Math.max(3, Math.round(visits / nonzeros));
  const args = ['train', here('passes.js'), file, '--set', `repeats=${passes}`];
  const options = ['--threads', String(threads), '--partitions', partitionsOf(nonzeros)];
  const policy = ['--consistency', 'bsp', '--json', '--quiet'];
  const done = run(process.execPath, [here('cli.js'), ...args, ...options, ...policy]);
  const line = done.output.split('\n').find((text) => text.includes('"event":"done"'));
  if (line === undefined) throw new Error(done.output);
  type Line = { metrics: Record<string, number>; seconds: { load: number } };
  const { metrics, seconds } = JSON.parse(line) as Line;
  const spent = Array.from({ length: threads }, (_, i) => metrics[`spent${i}Ms`] ?? NaN);
  const perVisit = 1e6 / (2 * nonzeros);
  return {
    load: (seconds.load * 1e9) / nonzeros,
    spent: spent.reduce((sum, ms) => sum + ms, 0) * perVisit,
    wall: (metrics['medianMs'] ?? NaN) * perVisit,
  };
}

/** As lasso cuts such data; a share for each thread. */
function partitionsOf(nonzeros: number): string {
  const rows = nonzeros / rowNonzeros;
  return String(Math.max(2, columnPartitions({ storage: 'csr', rows, columns, nonzeros })));
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[(values.length - 1) >> 1]!;

const named = process.env['PERPETUUM_BENCH_WORK'];
const folder = smoke || named === undefined ? mkdtempSync(join(tmpdir(), 'perpetuum-')) : named;
mkdirSync(folder, { recursive: true });
try {
  const costs = sizes.map((nonzeros) => {
    const file = write(folder, nonzeros);
    const runs = Array.from({ length: rounds }, () =>
      [1, 2].map((threads) => cost(file, nonzeros, threads)),
    );
    const of = (threads: number, key: keyof Cost) =>
      median(runs.map((pair) => pair[threads - 1]![key]));
    return { nonzeros, of };
  });
  const least = Math.min(...costs.map(({ of }) => of(1, 'spent')));
  const rows = costs.map(({ nonzeros, of }) => [
    ...[nonzeros.toExponential(0).replace('e+', 'e'), digits(of(1, 'load')), digits(of(2, 'load'))],
    ...[digits(of(1, 'spent')), (of(1, 'spent') / least).toFixed(2)],
    ...[digits(of(2, 'spent')), (of(1, 'wall') / of(2, 'wall')).toFixed(2)],
  ]);
  const header = ['nonzeros', 'load', 'load, 2 threads', 'visit', '/ least visit'];
  const more = ['visit, 2 threads', '2 threads are × 1'];
  table('Nanoseconds a nonzero', [...header, ...more], rows);
} finally {
  if (folder !== named) rmSync(folder, { recursive: true, force: true });
}
