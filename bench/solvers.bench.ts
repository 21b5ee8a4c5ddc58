// Our solvers against each other, whole programs: what the defaults were chosen by.
//
//   mlr   dual ascent on 1, 2, 4 partitions and the default, against descent, to the same gap
//   mf    default settings, and each setting changed alone
//
// PERPETUUM_BENCH_DATA names a folder with MNIST's idx files and synth-ml10m.{tr,te}.txt; without
// them MNIST is left out and the ratings are generated.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parameter, smoke, table } from './bench.ts';
import { ours } from './command.ts';
import { sequence } from './kernels/memory.ts';

const examples = fileURLToPath(new URL('../../examples/data/', import.meta.url));
const data = process.env['PERPETUUM_BENCH_DATA'] ?? '';
const threads = ['--threads', '2'];

const methods: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['descent', ['--method', 'descent']],
  ['ascent', ['--method', 'ascent']],
  ['ascent, 1 partition', ['--method', 'ascent', '--partitions', '1']],
  ['ascent, 2 partitions', ['--method', 'ascent', '--partitions', '2']],
  ['ascent, 4 partitions', ['--method', 'ascent', '--partitions', '4']],
];

function compareMethods(): void {
  const images = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'];
  const mnist = images.map((file) => join(data, file));
  const sets: (readonly [string, readonly string[]])[] = [
    ['digits', [`${examples}digits.csv.gz`]],
    ['a9a', [`${examples}a9a.gz`]],
    ['MNIST, λ = 1e-4', [...mnist, '--lambda', '1e-4']],
  ];
  const smokeArgs = smoke ? ['--passes', '5'] : [];
  for (const [name, args] of smoke ? sets.slice(0, 1) : sets) {
    if (args.includes(mnist[0]!) && !mnist.every((file) => existsSync(file))) {
      console.log('MNIST: not in the folder, left out\n');
      continue;
    }
    const rows = methods.map(([method, methodArgs]) => {
      const done = ours(['mlr', ...args, ...methodArgs, ...threads, ...smokeArgs]);
      const gap = done.gap === null ? '–' : done.gap.toExponential(1);
      return [
        ...[method, String(done.passes), done.seconds.train.toFixed(2), gap],
        ...[done.converged === true ? 'yes' : 'no', done.objective.toPrecision(7)],
      ];
    });
    const header = ['mlr', 'passes', 'training, s', 'gap', 'converged', 'objective'];
    table(`${name}: ascent against descent, 2 threads`, header, rows);
  }
}

type Pair = readonly [train: string, test: string];

/** A rank of 4, biases and noise of 0.5; users and items as unequal as people and films are. */
function generate(folder: string): Pair {
  const users = parameter('users', 200, 10_000);
  const items = parameter('items', 50, 1000);
  const count = parameter('ratings', 4000, 800_000);
  const { uniform, floats } = sequence(9);
  const [p, q] = [floats(users * 4), floats(items * 4)];
  const [a, b] = [floats(users), floats(items)];
  const skewed = (n: number) => Math.min(n - 1, Math.floor(n * (uniform() + 0.5) ** 2));
  const lines = Array.from({ length: count }, () => {
    const [u, i] = [skewed(users), skewed(items)];
    let rating = 3.5 + a[u]! + b[i]! + (uniform() + uniform() + uniform());
    for (let k = 0; k < 4; k++) rating += 3 * p[4 * u + k]! * q[4 * i + k]!;
    return `${u} ${i} ${Math.min(5, Math.max(1, Math.round(2 * rating) / 2))}\n`;
  });
  const pair = ['tr', 'te'].map((part) => join(folder, `generated.${part}.txt`));
  const cut = Math.floor(0.9 * count);
  writeFileSync(pair[0]!, lines.slice(0, cut).join(''));
  writeFileSync(pair[1]!, lines.slice(cut).join(''));
  return [pair[0]!, pair[1]!];
}

const changes: readonly (readonly string[])[] = [
  ...[[], ['--passes', '5'], ['--passes', '8'], ['--shrinkage', '0'], ['--no-bias']],
  ...[
    ['--learning-rate', '0.06'],
    ['--learning-rate', '0.18'],
  ],
];

/** Passes, errors and time of a setting; of one that diverges, that it does. */
function settingRow(args: readonly string[]): string[] {
  try {
    const done = ours(args);
    const { rmse, trainRmse } = done.metrics;
    const errors = [rmse, trainRmse].map((error) => (error ?? NaN).toFixed(4));
    return [String(done.passes), ...errors, done.seconds.train.toFixed(2)];
  } catch (error) {
    if (!String(error).includes('ERR_NOT_FINITE')) throw error;
    return ['–', 'diverges', 'diverges', '–'];
  }
}

function compareSettings(folder: string): void {
  const synthetic = ['tr', 'te'].map((part) => join(data, `synth-ml10m.${part}.txt`));
  const named = !smoke && synthetic.every((file) => existsSync(file));
  const [train, test] = named ? [synthetic[0]!, synthetic[1]!] : generate(folder);
  const rows = changes.map((change) => {
    const setting = change.length === 0 ? 'default' : change.join(' ');
    return [setting, ...settingRow(['mf', train, '--test', test, ...change, ...threads])];
  });
  const header = ['mf', 'passes', 'test RMSE', 'training RMSE', 'training, s'];
  const title = named ? 'synth-ml10m' : 'Generated ratings';
  table(`${title}: each setting changed alone, rank 32, 2 threads`, header, rows);
}

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-bench-'));
try {
  compareMethods();
  compareSettings(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
