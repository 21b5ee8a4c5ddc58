// The programs that solve linear models, called as a user would: ours, and those peers that are
// installed. Debian has python3-sklearn with python3-pandas, r-cran-glmnet and liblinear-tools;
// CELER names the folder of a built celer (`setup.py build_ext --inplace` with Debian's Python).
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { smoke } from '../bench.ts';
import { work, type DataSet } from './data.ts';
import { timed, type Program, type Ran } from './measure.ts';

const here = fileURLToPath(new URL('../../bench/peers/scripts/', import.meta.url));
const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
const python = '/usr/bin/python3';
const celer = process.env['CELER'];
const env = {
  OMP_NUM_THREADS: '2',
  OPENBLAS_NUM_THREADS: '2',
  ...(celer === undefined ? {} : { PYTHONPATH: celer }),
};

/** 10⁻ᵃ, 3·10⁻ᵃ⁻¹, … 10⁻ᵇ */
export function between(a: number, b: number): readonly number[] {
  const steps = Array.from({ length: 2 * (b - a) + 1 }, (_, i) => a + i / 2);
  return steps.map((power) => Number((10 ** -power).toPrecision(1)));
}

const said = new Set<string>();

/** Whether a peer is there; says once what is left out. */
function there(peer: string, command: readonly string[], hint: string): boolean {
  if (smoke) return false;
  const done = spawnSync(command[0]!, command.slice(1), { env: { ...process.env, ...env } });
  if (done.status === 0) return true;
  if (!said.has(peer)) console.log(`LEFT OUT: ${peer} is not installed (${hint})\n`);
  said.add(peer);
  return false;
}

const scratch = join(work, 'coefficients');

/** float64 numbers of a file that is then deleted. */
function take(file: string): Float64Array {
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  rmSync(file);
  return new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

type Times = { readonly load: number; readonly train: number; readonly wall: number };

/** What a script of ours around a peer printed. */
function scripted(
  done: { stdout: string; cpu: number } | undefined,
  started: number,
): Ran | undefined {
  if (done === undefined) return undefined;
  const line = done.stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`no result after ${started}: ${done.stdout}`);
  return { ...(JSON.parse(line) as Times), cpu: done.cpu, coefficients: take(scratch) };
}

type Work = { readonly data: DataSet; readonly lambdas: readonly number[] };

/** A solver of linear.py. */
export function pythonPeer(
  name: string,
  solver: string,
  { data, lambdas, tolerances }: Work & { tolerances: readonly number[] },
): Program[] {
  const isCeler = solver.startsWith('celer');
  const imports = isCeler ? 'import celer, pandas' : 'import sklearn, pandas';
  const hint = isCeler ? 'CELER names its folder' : 'Debian: python3-sklearn, python3-pandas';
  if (!there(isCeler ? 'celer' : 'scikit-learn', [python, '-c', imports], hint)) return [];
  const { text, format } = data;
  const run = (tolerance: number, limit: number | undefined) => {
    const started = Date.now() / 1000;
    const job = { solver, text, format, lambdas, tolerance, started, out: scratch };
    const command = [python, `${here}linear.py`, JSON.stringify(job)];
    return scripted(timed(command, { limit, env }), started);
  };
  return [{ name, ours: false, tolerances, run }];
}

export function glmnetPeer({ data, lambdas }: Work): Program[] {
  const probe = ['Rscript', '-e', 'library(glmnet)'];
  if (!there('glmnet', probe, 'Debian: r-cran-glmnet')) return [];
  const run = (tolerance: number, limit: number | undefined) => {
    const started = Date.now() / 1000;
    const numbers = [lambdas.join(','), String(tolerance), String(started)];
    const command = ['Rscript', `${here}glmnet.R`, data.binary, ...numbers, scratch];
    return scripted(timed(command, { limit, env }), started);
  };
  return [{ name: 'glmnet', ours: false, tolerances: between(5, 18), run }];
}

/** The weights of a liblinear model, for the label +1. */
function liblinearWeights(model: string): Float64Array {
  const lines = readFileSync(model, 'utf8').trimEnd().split('\n');
  const first = Number(lines.find((line) => line.startsWith('label'))!.split(' ')[1]);
  return Float64Array.from(lines.slice(lines.indexOf('w') + 1), (line) => first * Number(line));
}

/** liblinear -s N at C = 1; its training is what it needs beyond one that stops at once. */
export function liblinearPeer(solver: number, { data }: { data: DataSet }): Program[] {
  if (!there('liblinear', ['which', 'liblinear-train'], 'Debian: liblinear-tools')) return [];
  const model = join(work, 'liblinear.model');
  const call = (epsilon: number, limit?: number) => {
    const options = ['-s', String(solver), '-c', '1', '-e', String(epsilon), '-q'];
    return timed(['liblinear-train', ...options, data.text, model], { limit });
  };
  let load: number | undefined;
  const run = (tolerance: number, limit: number | undefined) => {
    load ??= call(1e12)!.wall;
    const done = call(tolerance, limit);
    if (done === undefined) return undefined;
    const { wall, cpu } = done;
    const coefficients = liblinearWeights(model);
    return { wall, cpu, load, train: Math.max(0, wall - load), coefficients };
  };
  return [{ name: `liblinear -s ${solver}`, ours: false, tolerances: between(0, 6), run }];
}

/** The float32 tensor of a saved model that is not its intercept. */
function savedWeights(folder: string): Float64Array {
  const bytes = readFileSync(join(folder, 'weights.safetensors'));
  const length = Number(bytes.readBigUInt64LE(0));
  type Tensor = { readonly shape: number[]; readonly data_offsets: [number, number] };
  const head = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Tensor>;
  const name = ['path', 'weights', 'coefficients'].find((word) => head[word] !== undefined);
  if (name === undefined) throw new Error(`no weights: ${Object.keys(head).join(', ')}`);
  const [from, to] = head[name]!.data_offsets.map((at) => at + 8 + length) as [number, number];
  const { buffer } = Uint8Array.from(bytes.subarray(from, to));
  return Float64Array.from(new Float32Array(buffer));
}

type Done = {
  readonly seconds: { readonly load: number; readonly train: number };
  readonly converged: boolean | null;
};

type OurWork = {
  readonly data: DataSet;
  readonly tolerances: readonly number[];
  /** Of a path: what ends at an earlier step of it. */
  readonly prefixes?: readonly { readonly step: number; readonly args: readonly string[] }[];
};

/** `perpetuum train`; the model is saved only to be judged, not when it is timed. */
export function ourProgram(threads: number, args: readonly string[], of: OurWork): Program {
  const { data, tolerances, prefixes } = of;
  const out = join(work, 'model');
  const known = new Map<number, Float64Array>();
  const input = data.format === 'csv' ? ['--format', 'csv', '--no-header'] : [];
  const call = (tolerance: number, [model, ...options]: readonly string[]) => {
    const settings = ['--tolerance', String(tolerance), '--threads', String(threads)];
    const command = ['train', model!, data.text, ...input, ...options, ...settings];
    const done = timed([process.execPath, cli, ...command, '--json', '--quiet'])!;
    const line = done.stdout.split('\n').find((text) => text.includes('"event":"done"'));
    return { ...(JSON.parse(line ?? '{}') as Done), wall: done.wall, cpu: done.cpu };
  };
  const saved = (tolerance: number, line: readonly string[]) => {
    rmSync(out, { recursive: true, force: true });
    call(tolerance, [...line, '--out', out]);
    return savedWeights(out);
  };
  const coefficientsAt = (tolerance: number) => {
    const all = (prefixes ?? [{ args }]).map((prefix) => saved(tolerance, prefix.args));
    const joined = new Float64Array(all.length * all[0]!.length);
    all.forEach((weights, k) => joined.set(weights, k * weights.length));
    return joined;
  };
  const run = (tolerance: number) => {
    const coefficients = known.get(tolerance) ?? coefficientsAt(tolerance);
    known.set(tolerance, coefficients);
    const { seconds, wall, cpu } = call(tolerance, args);
    const steps = prefixes?.map(({ step }) => step);
    return { wall, cpu, load: seconds.load, train: seconds.train, coefficients, steps };
  };
  const plural = threads === 1 ? 'thread' : 'threads';
  return { name: `perpetuum, ${threads} ${plural}`, ours: true, tolerances, run };
}
