// What scheduling is worth: lasso by phases of independent updates (linear-phases), objective
// against updates, for each schedule, phase size U and dependency filter on or off.
//
//   claims   dynamic: ≥ 3 × fewer updates than random to the same gap, on correlated columns
//            U-fold fewer phases while columns of a phase hardly correlate (Lee et al. 2014)
//            unscheduled, U > J/ρ(XᵀX) + 1 diverges or stalls (Bradley et al. 2011)
//
// PERPETUUM_BENCH_DATA names a folder with size.train.svm.gz (Debian package descriptions); without
// it only synthetic data is used. The plot's data is written to bench/results/schedule.csv.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPrng } from '../src/base/prng.ts';
import type { Samples } from '../src/data/dataset.ts';
import { readSamples, withLoaders } from '../src/jobs/input.ts';
import { result, traceCells, type PhasesOptions } from '../src/models/linear/phases/layout.ts';
import { linearPhases } from '../src/models/linear/phases/program.ts';
import type { ScheduleKind } from '../src/scheduler/schedule.ts';
import { Host } from '../src/supervisor/host.ts';
import { parameter, smoke, table } from './bench.ts';

type Ask = { readonly kind: ScheduleKind; readonly U: number; readonly threshold: number };
type Line = readonly (string | number)[];
type Problem = {
  readonly name: string;
  readonly data: Samples;
  readonly lambdaRatio: number;
  readonly passes: number;
};

/** The dependency threshold that the original has. */
const filter = 0.1;

const lines: Line[] = [
  ...[['data', 'schedule', 'U', 'threshold', 'updates', 'phases', 'objective', 'gap']],
];

/** Blocks of columns that correlate by rho; a few of them make the target. */
function synthesize(host: Host, rho: number): Samples {
  const rows = parameter('rows', 60, 1000);
  const columns = parameter('columns', 64, 2000);
  const block = parameter('block', 8, 20);
  const prng = createPrng(5);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - prng.uniform())) * Math.cos(2 * Math.PI * prng.uniform());
  const truth = Float64Array.from({ length: columns }, (_, j) => (j % 90 === 7 ? 2 * normal() : 0));
  const x = host.arena.allocate(rows * columns * 4);
  const target = host.arena.allocate(rows * 4 + 16);
  for (let i = 0; i < rows; i++) {
    let [common, score] = [0, normal()];
    for (let j = 0; j < columns; j++) {
      if (j % block === 0) common = normal();
      const value = Math.sqrt(rho) * common + Math.sqrt(1 - rho) * normal();
      host.arena.f32[x / 4 + i * columns + j] = value;
      score += value * truth[j]!;
    }
    host.arena.f32[target / 4 + i] = score;
  }
  const place = { rows, nonzeros: 0, target, x, rowStart: 0, index: 0, value: 0 };
  return {
    ...{ kind: 'samples', labels: 'number', storage: 'f32', rows, first: 0, columns },
    ...{ stride: columns, nonzeros: 0, scale: 1, base: 0, classes: [], columnNames: [] },
    blocks: [place],
  };
}

function optionsOf({ lambdaRatio, passes }: Problem, { kind, U, threshold }: Ask): PhasesOptions {
  const schedule = { kind, phaseSize: U, threshold, squared: false, floor: 0.01, schedulers: 1 };
  return {
    ...{ loss: 'square', alpha: 1, lambda: undefined, lambdaRatio, intercept: false },
    ...{ path: 0, pathRatio: 1, classWeights: [1, 1] },
    ...{ standardize: false, schedule: { ...schedule, refresh: true }, pipeline: 0 },
    ...{ tolerance: 1e-4, relativeTo: 'start', passes },
    ...{ certifyEvery: 0.5, damping: false, audit: false },
  };
}

const claims: Readonly<Record<string, string>> = {
  dynamic: 'dynamic: ≥ 3 × fewer updates than random',
  random: 'filtered: fewer phases with larger U',
  unfiltered: 'unscheduled: diverges beyond J/ρ + 1',
};

async function solve(host: Host, problem: Problem, ask: Ask): Promise<string[]> {
  const mark = host.arena.mark();
  const options = optionsOf(problem, ask);
  const started = performance.now();
  const { plan } = await host.run(linearPhases, {
    ...{ program: { builtIn: linearPhases.name }, userKernels: undefined, canary: undefined },
    ...{ data: problem.data, options, partitions: 4, seed: 1, audit: false },
    policy: { consistency: 'bsp', staleness: 0 },
  });
  const seconds = (performance.now() - started) / 1000;
  const { f64 } = host.arena;
  const of = (name: keyof typeof result) => f64[plan.buffers['results']! / 8 + result[name]]!;
  const { kind, U, threshold } = ask;
  for (let row = 0; row < of('rows'); row++) {
    const at = plan.buffers['trace']! / 8 + row * traceCells;
    lines.push([problem.name, kind, U, threshold, ...f64.slice(at, at + traceCells)]);
  }
  const relative = of('gap') / of('start');
  const end = of('diverged') === 1 ? 'diverged' : relative <= 1e-4 ? 'converged' : 'not yet';
  const limit = threshold < 1 ? `< ${threshold}` : 'off';
  const claim = claims[threshold === 1 ? 'unfiltered' : kind] ?? '';
  host.arena.release(mark);
  return [
    ...[kind, String(U), limit, String(of('updates')), String(of('phases')), end],
    ...[relative.toExponential(1), of('objective').toPrecision(7), seconds.toFixed(2), claim],
  ];
}

const header = [
  ...['schedule', 'U', '\\|corr\\|', 'updates', 'phases', 'end', 'gap', 'objective', 's', 'claim'],
];

async function compare(host: Host, problem: Problem, asks: readonly Ask[]): Promise<void> {
  const rows: string[][] = [];
  for (const ask of asks) rows.push(await solve(host, problem, ask));
  const { name, lambdaRatio } = problem;
  table(`${name}, λ = ${lambdaRatio} λmax, to a relative gap of 1e-4, 2 threads`, header, rows);
}

function grid(kinds: readonly ScheduleKind[], sizes: readonly number[]): readonly Ask[] {
  return kinds.flatMap((kind) =>
    sizes.flatMap((U) => [filter, 1].map((threshold) => ({ kind, U, threshold }))),
  );
}

async function readDebian(host: Host, path: string): Promise<Samples> {
  const hooks = { signal: new AbortController().signal, onEvent: () => undefined };
  const asked = { label: 'first', format: 'libsvm', delimiter: undefined, header: undefined };
  const input = asked as never;
  return withLoaders(host, (pool) =>
    readSamples({ host, pool, hooks, input, labels: 'number' } as never, [path]),
  );
}

const host = new Host({ threads: 2, loaders: 2, variant: 'release' });
try {
  const chance = ['dynamic', 'random'] as const;
  const order = ['cyclic', 'static'] as const;
  for (const rho of smoke ? [0.8] : [0.2, 0.9]) {
    const mark = host.arena.mark();
    const passes = parameter('passes', 3, 40);
    const data = synthesize(host, rho);
    const problem = { name: `blocks ${rho}`, data, lambdaRatio: 0.05, passes };
    const asks = smoke ? grid(chance, [8]) : [...grid(chance, [1, 16, 64]), ...grid(order, [16])];
    await compare(host, problem, asks);
    host.arena.release(mark);
  }
  const debian = join(process.env['PERPETUUM_BENCH_DATA'] ?? '', 'size.train.svm.gz');
  if (!smoke && existsSync(debian)) {
    const data = await readDebian(host, debian);
    const problem = { name: 'Debian sizes', data, lambdaRatio: 0.05, passes: 2 };
    await compare(host, problem, grid(chance, [64]));
  }
} finally {
  await host.close();
}
if (!smoke) {
  const folder = fileURLToPath(new URL('../../bench/results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'schedule.csv'), lines.map((own) => `${own.join(',')}\n`).join(''));
}
