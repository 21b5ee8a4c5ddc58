// Whole programs against what a user would pick instead, to the same objective, in one run.
//
//   mlr   MNIST, λ = 1e-4, to 1e-4 of the optimum      scikit-learn's L-BFGS (python3-sklearn)
//   mlr   a9a as binary logistic regression            liblinear -s 7 and -s 0 (liblinear-tools)
//   mf    10 million ratings, rank 32                  LIBMF, if LIBMF names its mf-train
//
// Data that may not be shipped is named by PERPETUUM_BENCH_DATA: a folder with MNIST's four idx
// files and synth-ml10m.{tr,te}.txt. What is missing is said and left out.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { smoke, table } from './bench.ts';
import { ours, repeats, run } from './command.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const data = process.env['PERPETUUM_BENCH_DATA'] ?? '';
const a9a = `${root}examples/data/a9a.gz`;
const scratch = mkdtempSync(join(tmpdir(), 'perpetuum-bench-'));

const seconds = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : value.toFixed(2);
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
const has = (command: string) => spawnSync('which', [command]).status === 0;

function mnist(): void {
  const files = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'].map((f) =>
    join(data, f),
  );
  if (!files.every((file) => existsSync(file)))
    return console.log('MNIST: not in the folder, left out\n');
  const optimum = 0.259248296;
  const rows: string[][] = [];
  const add = (threads: number, extra: readonly string[], note: string) => {
    const done = ours([
      'mlr',
      ...files,
      '--lambda',
      '1e-4',
      '--threads',
      String(threads),
      ...extra,
    ]);
    const excess = (done.objective / optimum - 1).toExponential(1);
    rows.push([
      `perpetuum ${note}`,
      String(threads),
      ...[done.wall, done.seconds.train].map(seconds),
      `${done.objective.toFixed(6)} (${excess})`,
      megabytes(done.memoryBytesMax),
    ]);
    return done.wall;
  };
  add(1, ['--partitions', '1'], 'one partition');
  const one = add(1, [], '');
  const two = add(2, [], '');
  const script = `${root}bench/peers/scripts/softmax_lbfgs.py`;
  const target = String(optimum * (1 + 1e-4));
  for (const threads of ['1', '2']) {
    const args = [script, ...files, '1e-4', target, '120'];
    const timed = run('/usr/bin/python3', args, {
      OPENBLAS_NUM_THREADS: threads,
      OMP_NUM_THREADS: threads,
    });
    if (timed.failed) {
      console.log(
        `scikit-learn is not installed (Debian: python3-sklearn): ${timed.output.slice(-200)}\n`,
      );
      break;
    }
    const peer = JSON.parse(timed.output) as { fit: number | null; objective: number };
    const excess = (peer.objective / optimum - 1).toExponential(1);
    const name = `scikit-learn L-BFGS, ratio to ours ${(timed.wall / two).toFixed(1)}`;
    rows.push([
      name,
      threads,
      seconds(timed.wall),
      seconds(peer.fit),
      `${peer.objective.toFixed(6)} (${excess})`,
      '',
    ]);
  }
  const head = [
    'mlr, MNIST, λ = 1e-4',
    'threads',
    'whole process, s',
    'training, s',
    'objective (excess)',
    'memory',
  ];
  table(`MNIST to 1e-4 of the optimum; 2 threads are ${(one / two).toFixed(2)} × 1`, head, rows);
}

/** ½‖w‖² + Σ ln(1 + exp(−y w·x)) of a liblinear model on a libsvm file. */
function objectiveOf(model: string, text: string): number {
  const lines = readFileSync(model, 'utf8').split('\n');
  const first = Number(lines.find((line) => line.startsWith('label'))?.split(' ')[1]);
  const w = lines.slice(lines.indexOf('w') + 1).map(Number);
  let sum = w.reduce((squares, value) => squares + value * value, 0) / 2;
  for (const line of readFileSync(text, 'utf8').trim().split('\n')) {
    const [label, ...pairs] = line.trim().split(' ');
    let score = 0;
    for (const pair of pairs) {
      const [column, value] = pair.split(':').map(Number);
      score += (w[(column ?? 1) - 1] ?? 0) * (value ?? 0);
    }
    sum += Math.log1p(Math.exp(Number(label) === first ? -score : score));
  }
  return sum;
}

/** liblinear's objective ½‖w‖² + C Σ loss, over C n: ours with λ = 2/(C n), for w = w₁ − w₀. */
function binary(): void {
  const text = join(scratch, 'a9a.txt');
  writeFileSync(text, gunzipSync(readFileSync(a9a)));
  const lambda = 2 / 32561;
  const rows: string[][] = [];
  for (const tolerance of ['1e-4', '1e-6']) {
    const args = [
      'mlr',
      text,
      '--lambda',
      String(lambda),
      '--no-intercept',
      '--tolerance',
      tolerance,
    ];
    const done = ours([...args, '--threads', '2']);
    const inPeersUnits = (done.objective * 32561).toFixed(3);
    rows.push([
      `perpetuum, tolerance ${tolerance}`,
      seconds(done.wall),
      seconds(done.seconds.train),
      inPeersUnits,
    ]);
  }
  for (const [solver, epsilon] of [
    ['7', '0.1'],
    ['7', '0.001'],
    ['0', '0.01'],
  ] as const) {
    if (!has('liblinear-train')) {
      console.log('liblinear is not installed (Debian: liblinear-tools)\n');
      break;
    }
    const model = join(scratch, 'model');
    const args = ['-s', solver, '-c', '1', '-e', epsilon, text, model];
    const timed = Array.from({ length: repeats }, () => run('liblinear-train', args));
    const best = timed.sort((a, b) => a.wall - b.wall)[0]!;
    rows.push([
      `liblinear -s ${solver} -e ${epsilon}`,
      seconds(best.wall),
      '',
      objectiveOf(model, text).toFixed(3),
    ]);
  }
  const head = ['a9a, C = 1, no intercept', 'whole process, s', 'training, s', '½‖w‖² + C Σ loss'];
  table('Binary logistic regression', head, rows);
}

function ratings(): void {
  const [train, test] = ['tr', 'te'].map((part) => join(data, `synth-ml10m.${part}.txt`)) as [
    string,
    string,
  ];
  if (!existsSync(train)) return console.log('synth-ml10m: not in the folder, left out\n');
  const rows: string[][] = [];
  const walls: number[] = [];
  for (const [threads, passes] of [
    ['1', '5'],
    ['2', '5'],
    ['2', '8'],
  ] as const) {
    const args = [
      'mf',
      train,
      '--test',
      test,
      '--rank',
      '32',
      '--threads',
      threads,
      '--passes',
      passes,
    ];
    const done = ours(args);
    walls.push(done.seconds.train);
    const times = [done.wall, done.seconds.load, done.seconds.train].map(seconds);
    rows.push([
      `perpetuum, ${passes} passes`,
      threads,
      ...times,
      done.metrics['rmse']!.toFixed(4),
      megabytes(done.memoryBytesMax),
    ]);
  }
  const libmf = process.env['LIBMF'];
  for (const lambda of libmf === undefined ? [] : ['0.05', '0.02']) {
    const base = ['-s', '2', '-k', '32', '-l2', lambda, '-r', '0.1', '-p', test];
    const files = [train, join(scratch, 'm')];
    const lines = run(libmf!, [...base, '-t', '25', ...files])
      .output.split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => /^\d+$/.test(cells[0] ?? ''));
    const reached = lines.findIndex((cells) => Number(cells[2]) <= 0.855);
    const needed = reached < 0 ? 25 : reached + 1;
    const { wall } = run(libmf!, [...base, '-t', String(needed), ...files]);
    const rmse = lines[needed - 1]?.[2] ?? '?';
    rows.push([`LIBMF -l2 ${lambda}, ${needed} passes`, '2', seconds(wall), '', '', rmse, '']);
  }
  const head = [
    'mf, 9 M ratings, rank 32',
    'threads',
    'whole process, s',
    'load, s',
    'training, s',
    'test RMSE',
    'memory',
  ];
  table(`Ratings; 2 threads are ${(walls[0]! / walls[1]!).toFixed(2)} × 1`, head, rows);
}

try {
  binary();
  if (!smoke) {
    mnist();
    ratings();
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
