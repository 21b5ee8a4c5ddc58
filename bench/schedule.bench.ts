// What scheduling is worth: lasso by phases of independent updates (linear-phases), objective
// against updates, for each schedule, phase size U and dependency filter on or off.
//
//   claims   dynamic: ≥ 3 × fewer updates than random to the same gap, on correlated columns
//            U-fold fewer phases while columns of a phase hardly correlate (Lee et al. 2014)
//            unscheduled, U > P = J/ρ(XᵀX) + 1 can diverge (Bradley et al. 2011: up to P at once by
//            chance do not; columns of length 1), where the filtered schedule converges
//
// A run is certified twice a pass, which also refreshes a dynamic schedule's priorities, by a
// gradient that is not counted as updates. The table says after how many updates and phases a
// certificate was below a share of the objective of w = 0 first; `–` where none was in all passes.
// The claims below each table are read off these numbers. PERPETUUM_BENCH_DATA names a folder with
// size.train.svm.gz (Debian package descriptions); without it only synthetic data is used. The
// plot's data, every certificate of every run, is written to bench/results/schedule.csv.
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
type Certified = { readonly updates: number; readonly phases: number; readonly gap: number };
/** `trace`: gaps as shares of the objective of w = 0. */
type Solved = Ask & {
  readonly trace: readonly Certified[];
  readonly diverged: boolean;
  readonly objective: number;
};
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

/** Gaps that runs are compared at; they end at the last. */
const gaps = [1e-2, 1e-3, 1e-4] as const;

async function solve(host: Host, problem: Problem, ask: Ask): Promise<Solved> {
  const mark = host.arena.mark();
  const { plan } = await host.run(linearPhases, {
    ...{ program: { builtIn: linearPhases.name }, userKernels: undefined, canary: undefined },
    ...{ data: problem.data, options: optionsOf(problem, ask), partitions: 4, seed: 1 },
    ...{ audit: false, policy: { consistency: 'bsp', staleness: 0 } },
  });
  const { f64 } = host.arena;
  const of = (name: keyof typeof result) => f64[plan.buffers['results']! / 8 + result[name]]!;
  const { kind, U, threshold } = ask;
  const trace = Array.from({ length: of('rows') }, (_, row): Certified => {
    const at = plan.buffers['trace']! / 8 + row * traceCells;
    const [updates = 0, phases = 0, objective = 0, gap = 0] = f64.slice(at, at + traceCells);
    lines.push([problem.name, kind, U, threshold, updates, phases, objective, gap]);
    return { updates, phases, gap: gap / of('start') };
  });
  const solved = { ...ask, trace, diverged: of('diverged') === 1, objective: of('objective') };
  host.arena.release(mark);
  return solved;
}

/** The first certificate with a gap of at most that. */
const at = ({ trace }: Solved, gap: number) => trace.find((own) => own.gap <= gap);
const endOf = (solved: Solved) =>
  at(solved, gaps[2]) ? 'converged' : solved.diverged ? 'diverged' : 'not yet';
const filterOf = ({ threshold }: Ask) => (threshold < 1 ? `< ${threshold}` : 'off');

const header = [
  ...['schedule', 'U', '\\|corr\\|', 'updates to 1e-2', 'to 1e-3', 'to 1e-4', 'phases to 1e-3'],
  ...['end', 'last gap', 'objective'],
];

function row(solved: Solved): string[] {
  const number = (value: number | undefined) => (value === undefined ? '–' : String(value));
  return [
    ...[solved.kind, String(solved.U), filterOf(solved)],
    ...gaps.map((gap) => number(at(solved, gap)?.updates)),
    ...[number(at(solved, gaps[1])?.phases), endOf(solved)],
    ...[(solved.trace.at(-1)?.gap ?? NaN).toExponential(1), solved.objective.toPrecision(7)],
  ];
}

/** How many times more `other` needs than `own`; at least that where it has not come so far. */
function times(own: Solved, other: Solved, of: 'updates' | 'phases', gap: number) {
  const [mine, theirs] = [at(own, gap)?.[of], at(other, gap)?.[of]];
  if (mine === undefined) return undefined;
  const most = theirs ?? other.trace.at(-1)?.[of] ?? 0;
  return {
    value: most / mine,
    said: `${theirs === undefined ? '> ' : ''}${(most / mine).toFixed(1)}`,
  };
}

/** The claims of the papers, each as this problem's runs have it. */
function claimsOf(solved: readonly Solved[], safe: number): string[][] {
  const out: string[][] = [];
  const find = (kind: ScheduleKind, U: number, threshold: number) =>
    solved.find((own) => own.kind === kind && own.U === U && own.threshold === threshold);
  for (const own of solved) {
    const { kind, U, threshold } = own;
    const chance = find('random', U, threshold);
    if (kind === 'dynamic' && chance && threshold < 1) {
      for (const gap of gaps) {
        const more = times(own, chance, 'updates', gap);
        const what = `random needs more updates than dynamic, U = ${U}, gap ${gap.toExponential()}`;
        // A run that ended before it had that gap leaves the claim open.
        const short = more?.said.startsWith('>') === true ? 'open' : 'no';
        if (more) out.push([what, `${more.said} ×`, '≥ 3 ×', more.value >= 3 ? 'yes' : short]);
      }
    }
    const alone = find(kind, 1, threshold);
    if (alone && U > 1 && threshold < 1) {
      const fewer = times(own, alone, 'phases', gaps[1]);
      const what = `${kind}: phases of U = 1 against U = ${U}, filtered, gap 1e-3`;
      // The filter may leave fewer than U.
      const { updates = 0, phases = 1 } = own.trace.at(-1) ?? {};
      const size = updates / phases;
      const verdict = fewer && fewer.value >= size / 2 ? 'about' : 'no';
      if (fewer) out.push([what, `${fewer.said} ×`, `${size.toFixed(1)} at once`, verdict]);
    }
    const scheduled = find(kind, U, filter);
    if (threshold === 1 && U > 1 && scheduled) {
      const found = `${endOf(own)}; filtered: ${endOf(scheduled)}`;
      const promised = kind === 'random' && U <= safe;
      const expected = promised ? 'does not diverge' : 'no promise';
      const verdict = promised ? (own.diverged ? 'no' : 'yes') : '';
      out.push([`${kind}: U = ${U} without the filter`, found, expected, verdict]);
    }
  }
  return out;
}

/** P of Bradley et al.: J/ρ(XᵀX) + 1, columns of length 1; ρ by power iteration. */
function safePhase(host: Host, { blocks, columns, storage, stride }: Samples): number {
  const { f32, i32 } = host.arena;
  const each = (visit: (row: number, column: number, value: number) => void) => {
    let first = 0;
    for (const block of blocks) {
      for (let i = 0; i < block.rows; i++) {
        const starts = block.rowStart / 4 + i;
        const sparse = storage === 'csr';
        // Counted from the block's first entry.
        const from = sparse ? i32[starts]! - i32[block.rowStart / 4]! : i * stride;
        const count = sparse ? i32[starts + 1]! - i32[starts]! : columns;
        for (let k = 0; k < count; k++) {
          const column = sparse ? i32[block.index / 4 + from + k]! : k;
          visit(first + i, column, f32[(sparse ? block.value : block.x) / 4 + from + k]!);
        }
      }
      first += block.rows;
    }
    return first;
  };
  const norms = new Float64Array(columns);
  const rows = each((_, j, value) => (norms[j]! += value * value));
  norms.forEach((own, j) => (norms[j] = own > 0 ? 1 / Math.sqrt(own) : 0));
  let x = Float64Array.from({ length: columns }, (_, j) => 1 + ((j * 7) % 13) / 13);
  let radius = 0;
  for (let step = 0; step < 40; step++) {
    const scores = new Float64Array(rows);
    each((i, j, value) => (scores[i]! += value * norms[j]! * x[j]!));
    const next = new Float64Array(columns);
    each((i, j, value) => (next[j]! += value * norms[j]! * scores[i]!));
    radius = Math.sqrt(next.reduce((sum, own) => sum + own * own, 0));
    x = next.map((own) => own / radius);
  }
  return columns / radius + 1;
}

async function compare(host: Host, problem: Problem, asks: readonly Ask[]): Promise<void> {
  const solved: Solved[] = [];
  for (const ask of asks) solved.push(await solve(host, problem, ask));
  const { name, lambdaRatio, passes } = problem;
  table(`${name}, λ = ${lambdaRatio} λmax, at most ${passes} passes`, header, solved.map(row));
  const safe = safePhase(host, problem.data);
  const title = `${name}: claims, J/ρ(XᵀX) + 1 = ${safe.toFixed(0)}`;
  table(title, ['what', 'measured', 'expected', 'holds'], claimsOf(solved, safe));
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
    const passes = parameter('passes', 3, 60);
    const data = synthesize(host, rho);
    const problem = { name: `blocks ${rho}`, data, lambdaRatio: 0.05, passes };
    const asks = smoke
      ? grid(chance, [1, 8])
      : [...grid(chance, [1, 16, 64, 256]), ...grid(order, [16])];
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
