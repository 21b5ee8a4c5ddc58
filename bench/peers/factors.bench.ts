// Matrix factorization against LIBPMF (CCD++) and LIBMF (SGD): whole processes, to stated errors.
// All minimize Σ (r − p·q)² + λ (‖p‖² + ‖q‖²) over the ratings, λ = 0.05, without biases.
//
//   passes    how many each program needs to the stated test RMSE, from a run that prints it
//   times     runs of so many passes without a test set, in turns, until training has ended: the
//             peers then still write their models, as text, which is not counted
//
// LIBPMF names omp-pmf-train, LIBMF mf-train (a build with AVX). PERPETUUM_BENCH_DATA names the
// folder of {ml100k,synth-ml10m}.{tr,te}.txt; PERPETUUM_BENCH_ROWS what is measured (kept.ts).
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPrng } from '../../src/base/prng.ts';
import { digits, smoke, table } from '../bench.ts';
import { work } from './data.ts';
import { read, rowsOf, write } from './kept.ts';
import { median, rounds, timed, type Seconds } from './measure.ts';

const lambda = '0.05';
const threads = '2';
const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
const originals = process.env['PERPETUUM_BENCH_DATA'] ?? '';

type Files = { readonly name: string; readonly train: string; readonly test: string };
type Goal = { readonly rank: number; readonly rmse: readonly number[] };
type Solver = {
  readonly name: string;
  /** Test RMSE after each of `passes` passes. */
  readonly errors: (files: Files, rank: number, passes: number) => Promise<number[]>;
  readonly time: (files: Files, rank: number, passes: number) => Promise<Seconds>;
};

const goals: Record<string, readonly Goal[]> = {
  ml100k: [
    { rank: 16, rmse: [0.97, 0.92] },
    { rank: 64, rmse: [0.96, 0.92] },
    { rank: 128, rmse: [0.95, 0.92] },
  ],
  'synth-ml10m': [
    { rank: 16, rmse: [0.89, 0.86] },
    { rank: 64, rmse: [0.865, 0.855] },
    { rank: 128, rmse: [0.865, 0.856] },
  ],
  generated: [{ rank: 4, rmse: [2] }],
};

type Marks = {
  /** A line after which data is loaded. */
  readonly loaded: RegExp;
  /** The line with which training has ended. */
  readonly ended: (line: string) => boolean;
};

/** Lines of a program as they come; ended, and timed, at the one that ends its training. */
function untilLine(command: readonly string[], { loaded, ended }: Marks): Promise<Seconds> {
  const start = performance.now();
  // Line by line even into a pipe.
  // LIBPMF leaves a file where it runs.
  const child = spawn('stdbuf', ['-oL', ...command], {
    ...{ cwd: work, stdio: ['ignore', 'pipe', 'ignore'] },
  });
  let [load, wall, rest] = [NaN, NaN, ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const now = (performance.now() - start) / 1000;
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (Number.isNaN(load) && loaded.test(line)) load = now;
      if (!Number.isNaN(wall) || !ended(line)) continue;
      wall = now;
      child.kill('SIGKILL');
    }
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      if (Number.isNaN(wall)) reject(new Error(`${command.join(' ')}: did not end its training`));
      resolve({ wall, load, train: wall - load, cpu: NaN });
    });
  });
}

/** Numbers of one place of the lines that begin with a number. */
const column = (text: string, place: number): number[] =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => /^\d+$/.test(cells[0] ?? ''))
    .map((cells) => Number(cells[place]));

function libmf(binary: string): Solver {
  const args = (rank: number, passes: number) => [
    ...['-s', threads, '-k', String(rank), '-t', String(passes), '-l2', lambda, '-r', '0.1'],
  ];
  const model = join(work, 'libmf.model');
  return {
    name: 'LIBMF',
    errors: ({ train, test }, rank, passes) => {
      const done = timed([binary, ...args(rank, passes), '-p', test, train, model])!;
      return Promise.resolve(column(done.stdout, 2));
    },
    time({ train }, rank, passes) {
      const ended = (line: string) => line.trim().split(/\s+/)[0] === String(passes - 1);
      const command = [binary, ...args(rank, passes), train, model];
      return untilLine(command, { loaded: /^iter/, ended });
    },
  };
}

/** LIBPMF's folder: 1-based ratings, and a file that says how many. */
function libpmfFolder({ name, train, test }: Files, withTest: boolean): string {
  const folder = join(work, `libpmf-${name}${withTest ? '' : '-alone'}`);
  if (existsSync(join(folder, 'meta'))) return folder;
  mkdirSync(folder, { recursive: true });
  const most = [0, 0];
  const parts = (withTest ? [train, test] : [train]).map((file, part) => {
    const lines = readFileSync(file, 'latin1').trimEnd().split('\n');
    const to = join(folder, `part${part}`);
    writeFileSync(to, '');
    for (let at = 0; at < lines.length; at += 100_000) {
      const shifted = lines.slice(at, at + 100_000).map((line) => {
        const [user, item, rating] = line.trim().split(/\s+/);
        const cells = [Number(user) + 1, Number(item) + 1];
        cells.forEach((value, k) => (most[k] = Math.max(most[k]!, value)));
        return `${cells.join(' ')} ${rating}\n`;
      });
      writeFileSync(to, shifted.join(''), { flag: 'a' });
    }
    return `${lines.length} part${part}\n`;
  });
  writeFileSync(join(folder, 'meta'), `${most.join(' ')}\n${parts.join('')}`);
  return folder;
}

function libpmf(binary: string): Solver {
  const call = (rank: number, passes: number) => [
    ...[binary, '-k', String(rank), '-n', threads, '-l', lambda, '-t', String(passes), '-T', '3'],
  ];
  return {
    name: 'LIBPMF',
    errors(files, rank, passes) {
      const folder = libpmfFolder(files, true);
      const done = timed([...call(rank, passes), '-p', '1', '-q', '1', folder, 'model'])!;
      const found = new Map<number, number>(); // one line a factor: the last of a pass is it
      for (const [, pass, rmse] of done.stdout.matchAll(/^iter (\d+) .*rmse ([\d.]+)/gm))
        found.set(Number(pass), Number(rmse));
      return Promise.resolve([...found.values()]);
    },
    time(files, rank, passes) {
      const command = [...call(rank, passes), libpmfFolder(files, false), 'model'];
      const ended = (line: string) => line.startsWith('Wall-time');
      return untilLine(command, { loaded: /^starts!/, ended });
    },
  };
}

function ours(solver: 'ccd' | 'als'): Solver {
  const train = (files: Files, rank: number, passes: number) => [
    ...[process.execPath, cli, 'train', 'mf', files.train, '--solver', solver],
    ...['--rank', String(rank), '--no-bias', '--lambda', lambda, '--passes', String(passes)],
    ...['--tolerance', '0', '--threads', threads, '--json'],
  ];
  const events = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    name: `perpetuum ${solver}`,
    errors(files, rank, passes) {
      const done = timed([...train(files, rank, passes), '--test', files.test])!;
      const clocks = events(done.stdout).filter(({ event }) => event !== 'done');
      const found = clocks.map(({ rmse }) => rmse).filter((rmse) => typeof rmse === 'number');
      return Promise.resolve(found);
    },
    time(files, rank, passes) {
      const { stdout, wall, cpu } = timed([...train(files, rank, passes), '--quiet'])!;
      const last = events(stdout).find(({ event }) => event === 'done');
      const seconds = last?.['seconds'] as { load: number; train: number };
      return Promise.resolve({ wall, cpu, load: seconds.load, train: seconds.train });
    },
  };
}

const solvers: readonly Solver[] = [
  ...[ours('ccd'), ours('als')],
  ...(['LIBPMF', 'LIBMF'] as const).flatMap((name) => {
    const binary = smoke ? undefined : process.env[name];
    if (binary !== undefined) return [name === 'LIBPMF' ? libpmf(binary) : libmf(binary)];
    if (!smoke) console.log(`LEFT OUT: ${name} does not name its program\n`);
    return [];
  }),
];

/** Enough to reach what a program can reach. */
function passesMax(program: string, { name }: Files): number {
  if (smoke) return 2;
  if (program === 'LIBMF') return 25;
  return name === 'ml100k' ? 12 : 6;
}

/** The peers' are kept: a new build of ours is another program. */
async function errorsOf(solver: Solver, files: Files, rank: number): Promise<readonly number[]> {
  const name = `errors ${files.name} ${rank} ${solver.name}`;
  const before = solver.name.startsWith('perpetuum') ? undefined : read<number[]>(name);
  if (before !== undefined) return before;
  const found = await solver.errors(files, rank, passesMax(solver.name, files));
  const words = found.map((error) => error.toFixed(4)).join(' ');
  process.stderr.write(`  ${name}: ${words}\n`);
  write(name, found);
  return found;
}

async function measure(files: Files, { rank, rmse: stated }: Goal): Promise<string[][]> {
  const lines: { solver: Solver; rmse: number; passes: number; reached: number }[] = [];
  for (const solver of solvers) {
    const errors = await errorsOf(solver, files, rank);
    for (const rmse of stated) {
      const at = errors.findIndex((error) => error <= rmse);
      lines.push({
        solver,
        rmse,
        passes: at + 1,
        reached: at < 0 ? Math.min(...errors) : errors[at]!,
      });
    }
  }
  const runs = new Map<(typeof lines)[number], Seconds[]>();
  for (let turn = 0; turn < rounds; turn++) {
    for (const line of lines.filter(({ passes }) => passes > 0)) {
      const before = runs.get(line) ?? [];
      if ((before[0]?.wall ?? 0) > 20) continue; // long: once
      runs.set(line, [...before, await line.solver.time(files, rank, line.passes)]);
    }
  }
  const sorted = [...lines].sort((a, b) => b.rmse - a.rmse);
  return sorted.map((line) => {
    const { solver, rmse, passes, reached } = line;
    const own = runs.get(line);
    const head = [`≤ ${rmse}`, solver.name];
    if (own === undefined) return [...head, 'not reached', '–', '–', '–', reached.toFixed(4)];
    const { wall, load, train } = median(own);
    const times = [wall, load ?? NaN, train ?? NaN].map(digits);
    return [...head, ...times, String(passes), reached.toFixed(4)];
  });
}

function generate(): Files {
  const { below, uniform } = createPrng(6);
  const [train, test] = ['tr', 'te'].map((part) => {
    const line = () => `${below(60)} ${below(30)} ${1 + Math.floor(5 * uniform())}\n`;
    const file = join(work, `generated.${part}.txt`);
    writeFileSync(file, Array.from({ length: part === 'tr' ? 900 : 100 }, line).join(''));
    return file;
  });
  return { name: 'generated', train: train!, test: test! };
}

function filesOf(name: string): Files | undefined {
  if (name === 'generated') return generate();
  const [train, test] = ['tr', 'te'].map((part) => join(originals, `${name}.${part}.txt`));
  if (existsSync(train!)) return { name, train: train!, test: test! };
  console.log(`LEFT OUT: ${name}: ${train} is not there\n`);
  return undefined;
}

for (const name of smoke ? ['generated'] : ['ml100k', 'synth-ml10m']) {
  const files = filesOf(name);
  for (const goal of files === undefined ? [] : goals[name]!) {
    const title = `factors ${name} rank ${goal.rank}`;
    const kept = await rowsOf(title, () => measure(files!, goal));
    const header = ['test RMSE', 'program', 'whole process, s', 'load, s', 'training, s'];
    if (kept !== undefined)
      table(`${name}, rank ${goal.rank}, 2 threads`, [...header, 'passes', 'reached'], kept);
  }
}
