// Programs against each other on one case: for each the loosest of its tolerances that is good
// enough, found once; then all in turns at these, and the medians.
//
//   choose   tolerance 1 ─ judge ─ too bad ─► tolerance 2 ─ judge ─ … good enough: kept in `work`
//   round 1  a b c    round 2  a b c    round 3  a b c        who needs long is not run again:
//                                                             the run that chose is its figure
//
// PERPETUUM_BENCH_ROWS chooses what is measured: parts of cases' names, with commas, or `missing`.
// All rows that were ever measured are kept in `work` and printed; so a table can be measured in
// several goes. Deleting `kept` in `work` starts anew.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parameter, smoke } from '../bench.ts';
import { work } from './data.ts';

/** Rounds of all programs in turns. */
const rounds = parameter('rounds', 1, 3);
/** A run of a peer may take this much processor time, and four times as long on a busy machine. */
const limitSeconds = 60;
/** Who takes longer is not run again. */
const longSeconds = 12;

export type Seconds = {
  /** From the start of the process to the result. */
  readonly wall: number;
  readonly load?: number | undefined;
  readonly train?: number | undefined;
  /** Of all threads, of the whole process. */
  readonly cpu: number;
};

export type Ran = Seconds & {
  readonly coefficients: Float64Array;
  /** Of a path: which of its values the coefficients are for, if not for all. */
  readonly steps?: readonly number[] | undefined;
};

export type Verdict = {
  /** What must be at most `wanted`: of a lasso the relative duality gap. */
  readonly error: number;
  /** The objective over the best that is known, on the same scale: never above the gap. */
  readonly excess: number;
};

export type Program = {
  readonly name: string;
  /** Ours: a new build is another program, so nothing of it is kept. */
  readonly ours: boolean;
  /** From loose to tight. */
  readonly tolerances: readonly number[];
  /** Undefined: it took longer than `limit` seconds. */
  readonly run: (tolerance: number, limit: number | undefined) => Ran | undefined;
};

export type Case = {
  readonly name: string;
  readonly wanted: number;
  readonly judge: (ran: Pick<Ran, 'coefficients' | 'steps'>) => Verdict;
  readonly programs: readonly Program[];
};

/** What a program needed; without seconds: it did not get there, and what it reached. */
export type Row = {
  readonly program: string;
  readonly tolerance: number;
  readonly verdict: Verdict;
  readonly nonzeros: number;
  readonly seconds?: Seconds;
  /** Measured once, when the tolerance was chosen. */
  readonly once?: boolean;
};

export type Kept = { readonly when: string; readonly rows: readonly Row[] };

const kept = join(work, 'kept');
const keptFile = (name: string) => join(kept, `${name.replaceAll(/[^\w.-]+/g, '_')}.json`);

function read<T>(name: string): T | undefined {
  const file = keptFile(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

function write(name: string, value: unknown): void {
  mkdirSync(kept, { recursive: true });
  writeFileSync(keptFile(name), JSON.stringify(value, undefined, 1));
}

/**
 * Runs a program and counts its processor time: the shell's `times`. `limit`: seconds of it, by
 * the shell's `ulimit` and coreutils' `timeout`. Undefined when they were over.
 */
export function timed(
  command: readonly string[],
  { limit, env = {} }: { limit?: number | undefined; env?: NodeJS.ProcessEnv } = {},
): { stdout: string; wall: number; cpu: number } | undefined {
  const within = limit === undefined ? [] : ['timeout', '-k', '1', String(4 * limit)];
  const bound = limit === undefined ? '' : `ulimit -t ${limit}; `;
  const script = `${bound}"$@"; s=$?; times >&2; exit $s`;
  const start = performance.now();
  const done = spawnSync('/bin/sh', ['-c', script, 'sh', ...within, ...command], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  const wall = (performance.now() - start) / 1000;
  // By timeout, SIGKILL, SIGXCPU.
  if ([124, 137, 152].includes(done.status ?? 0)) return undefined;
  if (done.status !== 0)
    throw new Error(`${command.join(' ').slice(0, 300)}: ${done.stdout}${done.stderr}`);
  // The last line: user and system time of the shell's children, as 0m1.230s.
  const last = done.stderr.trimEnd().split('\n').at(-1) ?? '';
  const cpu = [...last.matchAll(/(\d+)m([\d.]+)s/g)];
  const total = cpu.reduce((sum, [, minutes, seconds]) => sum + 60 * +minutes! + +seconds!, 0);
  return { stdout: done.stdout, wall, cpu: total };
}

const secondsOf = ({ wall, load, train, cpu }: Seconds): Seconds => ({ wall, load, train, cpu });

/**
 * The loosest tolerance with which a program is good enough; and, where that is another, the loosest
 * whose objective is: solvers whose own certificate is better than the judge's stop there.
 */
function choose(name: string, { wanted, judge }: Case, program: Program): readonly Row[] {
  const file = `${name} ${program.name}`;
  const before = program.ours ? undefined : read<readonly Row[]>(file);
  if (before !== undefined) return before;
  const verdict: Verdict = { error: Infinity, excess: Infinity };
  let row: Row = { program: program.name, tolerance: NaN, verdict, nonzeros: 0 };
  let early: Row | undefined;
  for (const tolerance of program.tolerances) {
    const ran = program.run(tolerance, program.ours ? undefined : limitSeconds);
    if (ran === undefined) break;
    const last = ran.coefficients.subarray(-(ran.coefficients.length / (ran.steps?.length ?? 1)));
    const nonzeros = last.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0);
    row = { ...row, tolerance, verdict: judge(ran), nonzeros };
    const { error, excess } = row.verdict;
    const words = [error, excess].map((value) => value.toExponential(1)).join(', ');
    process.stderr.write(`  ${file} ${tolerance}: ${words} in ${ran.cpu.toFixed(2)} s\n`);
    const good = { ...row, seconds: secondsOf(ran), once: true };
    if (excess <= wanted) early ??= { ...good, program: `${program.name}, objective only` };
    if (error > wanted) continue;
    row = good;
    break;
  }
  const rows = early === undefined || early.tolerance === row.tolerance ? [row] : [early, row];
  if (!program.ours) write(file, rows);
  return program.ours ? [row] : rows;
}

const median = (runs: readonly Seconds[]): Seconds =>
  [...runs].sort((a, b) => a.wall - b.wall)[(runs.length - 1) >> 1]!;

function measureCase(of: Case): Kept {
  const chosen = of.programs.flatMap((program) =>
    choose(of.name, of, program).map((row) => ({ program, row })),
  );
  const runs = new Map<Row, Seconds[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { program, row } of chosen) {
      if (row.seconds === undefined || row.seconds.cpu > longSeconds) continue;
      const ran = program.run(row.tolerance, undefined)!;
      runs.set(row, [...(runs.get(row) ?? []), secondsOf(ran)]);
    }
  }
  const rows = chosen.map(({ row }) => {
    const own = runs.get(row);
    return own === undefined ? row : { ...row, seconds: median(own), once: false };
  });
  return { when: new Date().toISOString().slice(0, 16), rows };
}

/** The rows of a case: measured now if it is chosen, else as they were kept. */
export function rowsOf(name: string, make: () => Case): Kept | undefined {
  const only = process.env['PERPETUUM_BENCH_ROWS'];
  const before = read<Kept>(`rows ${name}`);
  const chosen =
    only === undefined ||
    (only === 'missing' ? before === undefined : only.split(',').some((w) => name.includes(w)));
  if (!chosen) return before;
  process.stderr.write(`${name} …\n`);
  const now = measureCase(make());
  if (!smoke) write(`rows ${name}`, now);
  return now;
}
