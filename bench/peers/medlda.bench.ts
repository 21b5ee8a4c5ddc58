// medlda against light_medlda (Zheng et al., the sampler that Petuum's comes from) and MedLDA-MT
// (dual coordinate descent, one thread): seconds of training and the classes of test documents.
//
// PERPETUUM_BENCH_LABELLED and PERPETUUM_BENCH_LABELLED_TEST name documents as libsvm lines,
// compressed by gzip or not; LIGHT_MEDLDA names `med`, MEDLDA_MT `medlda`.
// How many sweeps are enough is each program's own affair: accuracy is beside the time.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { digits, parameter, smoke, table } from '../bench.ts';
import { generateDocuments } from '../corpora/generate.ts';
import { work } from './data.ts';
import { rowsOf } from './kept.ts';
import { timed } from './measure.ts';

const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
const folder = join(work, 'medlda');
mkdirSync(folder, { recursive: true });
const base = join(folder, 'documents');
const [train, test] = [`${base}.train`, `${base}.test`];
const topics = String(parameter('topics', 10, 40));

type Result = { readonly train: number; readonly accuracy: number };
type Ran = Result & { readonly wall: number };
type Program = {
  readonly name: string;
  readonly threads: number;
  readonly sweeps: number;
  readonly command: readonly string[];
  readonly result: (output: string) => Result;
};

function perpetuum(threads: number, sweeps: number): Program {
  const sizes = ['--topics', topics, '--passes', String(sweeps), '--threads', String(threads)];
  const files = [train, '--test', test, '--format', 'libsvm'];
  return {
    ...{ name: 'perpetuum', threads, sweeps },
    command: [process.execPath, cli, 'train', 'medlda', ...files, ...sizes, '--json', '--quiet'],
    result(output) {
      const line = output.split('\n').find((text) => text.includes('"event":"done"')) ?? '{}';
      type Done = { seconds: { train: number }; metrics: { accuracy: number } };
      const { seconds, metrics } = JSON.parse(line) as Done;
      return { train: seconds.train, accuracy: metrics.accuracy };
    },
  };
}

/** Priors and cost are its defaults, and ours. */
function light(binary: string, sweeps: number): Program {
  const files = ['--train_file', train, '--test_file', test, '--save_path', join(folder, 'light')];
  const sizes = ['--num_topic', topics, '--num_iter', String(sweeps)];
  const number = (output: string, pattern: RegExp) => Number(pattern.exec(output)?.[1]);
  return {
    ...{ name: 'light_medlda', threads: 1, sweeps },
    // Its log is what it says.
    command: ['/bin/sh', '-c', '"$@" 2>&1', 'sh', binary, ...files, ...sizes],
    result: (output) => ({
      train: number(output, /Training Time: ([\d.]+)/),
      accuracy: number(output, /Test Accuracy \(top 1\): ([\d.]+)/),
    }),
  };
}

/** Cost, margin and approximations as its authors set them for 20 Newsgroups. */
function multi(binary: string, sweeps: number): Program {
  const sizes = ['--K', topics, '--alpha_sum', '10', '--num_iters', String(sweeps)];
  const cost = ['--C', '0.1', '--ell', '3', '--epsilon', '0.02', '--max_svm_iters', '3'];
  const fast = ['--fast_sampling', '--fast_precompute', '--test_every', String(sweeps - 1)];
  return {
    ...{ name: 'MedLDA-MT', threads: 1, sweeps },
    command: [binary, '--data', base, ...sizes, ...cost, ...fast],
    result(output) {
      const all = (name: string) =>
        [...output.matchAll(new RegExp(`"${name}": ([\\d.e-]+)`, 'g'))].map(([, n]) => Number(n));
      const times = ['svmTime', 'classTime', 'ldaTime'].flatMap(all);
      const accuracy = all('testing_accuracy').at(-1) ?? NaN;
      return { train: times.reduce((a, b) => a + b, 0), accuracy };
    },
  };
}

function programs(): readonly Program[] {
  const few = parameter('passes', 4, 40);
  const own = [perpetuum(2, few), perpetuum(1, few)];
  if (smoke) return own;
  const peers = (['LIGHT_MEDLDA', 'MEDLDA_MT'] as const).flatMap((name) => {
    const binary = process.env[name];
    if (binary === undefined) {
      console.log(`LEFT OUT: ${name} does not name its program\n`);
      return [];
    }
    return name === 'LIGHT_MEDLDA'
      ? [light(binary, 20), light(binary, 50)]
      : [multi(binary, 20), multi(binary, 60)];
  });
  return [perpetuum(2, 20), ...own, ...peers];
}

function place(): void {
  // Not everybody can do with documents without words.
  const text = (file: string) => {
    const bytes = readFileSync(file);
    const lines = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1').split('\n');
    return lines.filter((line) => line.includes(':')).join('\n') + '\n';
  };
  const few = parameter('documents', 300, 10_000);
  const generated = (seed: number) => {
    const file = join(folder, `generated-${seed}.svm`);
    return generateDocuments(file, { seed, documents: few });
  };
  writeFileSync(train, text(process.env['PERPETUUM_BENCH_LABELLED'] ?? generated(2)));
  writeFileSync(test, text(process.env['PERPETUUM_BENCH_LABELLED_TEST'] ?? generated(3)));
}

place();
const rows: string[][] = [];
for (const { name, threads, sweeps, command, result } of programs()) {
  const ran = await rowsOf(`medlda ${name} threads ${threads} sweeps ${sweeps}`, (): Ran => {
    const { stdout, wall } = timed(command)!;
    return { ...result(stdout), wall };
  });
  if (ran === undefined) continue;
  const times = [ran.train, ran.wall].map(digits);
  rows.push([name, String(threads), String(sweeps), ...times, ran.accuracy.toFixed(4)]);
}
const header = ['program', 'threads', 'sweeps', 'training, s', 'whole process, s', 'test accuracy'];
table(`classes of test documents, ${topics} topics`, header, rows);
console.log(
  [
    'Load is whole process less training, with the classes of the test documents. light_medlda has',
    'our priors and cost, MedLDA-MT those that its authors set for 20 Newsgroups. A line is one run.',
    '',
  ].join('\n'),
);
