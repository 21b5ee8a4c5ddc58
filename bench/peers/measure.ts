// Programs against each other on one case: for each the loosest of its tolerances that is good
// enough, found once; then all in turns at these, and the medians.
//
//   choose   tolerance 1 ─ judge ─ too bad ─► tolerance 2 ─ judge ─ … good enough: kept in `work`
//   round 1  a b c    round 2  a b c    round 3  a b c        who needs long is not run again:
//                                                             the run that chose is its figure
//
// Which rows are measured at all: kept.ts.
import { spawnSync } from 'node:child_process';
import { parameter } from '../bench.ts';
import { read, write } from './kept.ts';

/** Rounds of all programs in turns. */
export const rounds = parameter('rounds', 1, 3);
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

/** One run, judged; undefined when it took too long. */
function attempt(name: string, { judge }: Case, program: Program, tolerance: number) {
  const ran = program.run(tolerance, program.ours ? undefined : limitSeconds);
  if (ran === undefined) return undefined;
  const last = ran.coefficients.subarray(-(ran.coefficients.length / (ran.steps?.length ?? 1)));
  const nonzeros = last.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0);
  const verdict = judge(ran);
  const words = [verdict.error, verdict.excess].map((value) => value.toExponential(1)).join(', ');
  const line = `${name} ${program.name} ${tolerance}: ${words} in ${ran.cpu.toFixed(2)} s`;
  process.stderr.write(`  ${line}\n`);
  return { program: program.name, tolerance, verdict, nonzeros, seconds: secondsOf(ran) };
}

/**
 * The loosest tolerance with which a program is good enough; and, where that is another, the
 * loosest whose objective is: solvers whose own certificate is better than the judge's stop
 * there. In double steps until it is, then one back.
 */
function choose(of: Case, program: Program): readonly Row[] {
  const file = `${of.name} ${program.name}`;
  const before = program.ours ? undefined : read<readonly Row[]>(file);
  if (before !== undefined) return before;
  const tried = new Map<number, Row | undefined>();
  const at = (i: number) => {
    if (!tried.has(i)) tried.set(i, attempt(of.name, of, program, program.tolerances[i]!));
    return tried.get(i);
  };
  const first = (good: (verdict: Verdict) => boolean): Row | undefined => {
    for (let i = 0; i < program.tolerances.length; i += 2) {
      const row = at(i);
      if (row !== undefined && !good(row.verdict)) continue;
      const between = i > 0 ? at(i - 1) : undefined;
      return between !== undefined && good(between.verdict) ? between : row;
    }
    return undefined;
  };
  const early = program.ours ? undefined : first(({ excess }) => excess <= of.wanted);
  const found = first(({ error }) => error <= of.wanted);
  const closest = [...tried.values()]
    .filter((row) => row !== undefined)
    .sort((a, b) => a.verdict.error - b.verdict.error)[0];
  const none = { error: Infinity, excess: Infinity };
  const { seconds: _, ...failed } = closest ?? { tolerance: NaN, verdict: none, nonzeros: 0 };
  const rows: Row[] = [{ program: program.name, ...failed, ...found, once: true }];
  if (early !== undefined && early !== found)
    rows.unshift({ ...early, program: `${program.name}, objective only`, once: true });
  if (!program.ours) write(file, rows);
  return rows;
}

export const median = (runs: readonly Seconds[]): Seconds =>
  [...runs].sort((a, b) => a.wall - b.wall)[(runs.length - 1) >> 1]!;

export function measureCase(of: Case): Kept {
  const chosen = of.programs.flatMap((program) =>
    choose(of, program).map((row) => ({ program, row })),
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
