// The harness of all benchmarks: sizes for a smoke run and a real one, interleaved timing, C
// programs as baselines, and a table in Markdown. src/toolchain/bench.mjs runs the benches and
// keeps tables.
//
//   turn 1:  round 1: a b c  round 2: a b c …   then each C program once
//   turn 2:  the same …      a time is the least of all rounds of all turns
//
// Interleaved, so that a busy moment of the machine does not hit one series alone; the least,
// because everything that disturbs a timing makes it longer.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const smoke = process.argv.includes('--smoke');

/** A size: small in a smoke run, which only shows that the benchmark still works. */
export function parameter(_name: string, smokeValue: number, realValue: number): number {
  return smoke ? smokeValue : realValue;
}

const turns = parameter('turns', 1, 4);
const rounds = parameter('rounds', 1, 12);
const sampleMs = parameter('sampleMs', 0, 2);

export type Case = {
  readonly name: string;
  /** What is compared under one name: a build, a variant, a program. */
  readonly series: string;
  /** Elements (ratings, samples, …) that one call works on. */
  readonly elements: number;
  readonly run: () => unknown;
  /** A number that depends on the result, so that no work can be left out. */
  readonly checksum: number;
};

export type Timing = { nanoseconds: number; readonly checksum: number };

/** Timings by name and series; a C program's series is `C`. */
export type Timings = Map<string, Map<string, Timing>>;

function keep(timings: Timings, name: string, series: string, timing: Timing): void {
  const row = timings.get(name) ?? new Map<string, Timing>();
  const before = row.get(series)?.nanoseconds ?? Infinity;
  const nanoseconds = Math.min(before, timing.nanoseconds);
  timings.set(name, row.set(series, { ...timing, nanoseconds }));
}

/**
 * Nanoseconds per element of that many calls, after one that finds the caches as others left them.
 */
function sample({ run, elements }: Case, calls: number): number {
  run();
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) run();
  return Number(process.hrtime.bigint() - start) / (calls * elements);
}

function callsOf(work: Case): number {
  const once = (sample(work, 1) * work.elements) / 1e6;
  return Math.max(1, Math.ceil(sampleMs / Math.max(once, 1e-4)));
}

/** Times all cases and the programs of `natives` in turns. */
export function measure(cases: readonly Case[], natives: readonly Native[] = []): Timings {
  const timings: Timings = new Map();
  // Twice: the first call of a function that was never run says nothing about the next.
  for (const work of cases) sample(work, 1);
  const calls = cases.map(callsOf);
  for (let turn = 0; turn < turns; turn++) {
    for (let round = 0; round < rounds; round++) {
      cases.forEach((work, i) => {
        const nanoseconds = sample(work, calls[i]!);
        keep(timings, work.name, work.series, { nanoseconds, checksum: work.checksum });
      });
    }
    for (const native of natives) native.run(timings);
  }
  return timings;
}

export type Native = {
  /** Why there is no program to run; undefined when there is one. */
  readonly missing: string | undefined;
  readonly run: (timings: Timings) => void;
};

const root = fileURLToPath(new URL('../../', import.meta.url));
const built = fileURLToPath(new URL('../bench/', import.meta.url));

/**
 * Compiles bench/native/<name>.c with the system's C compiler. The program prints a line
 * `name nanoseconds checksum` for each of its cases; its arguments are `args`, with `smoke` before
 * them in a smoke run.
 */
export function native(name: string, args: readonly string[] = []): Native {
  mkdirSync(built, { recursive: true });
  const [source, output] = [`${root}bench/native/${name}.c`, `${built}${name}`];
  // The width of WebAssembly's vectors: what is compared is the code, not the machine's registers.
  const width = process.arch === 'x64' ? ['-msse4.2'] : [];
  const flags = ['-O3', ...width, '-ffast-math', '-o', output, source, '-lm'];
  const compiler = spawnSync('cc', flags, { encoding: 'utf8' });
  if (compiler.error || compiler.status !== 0) {
    if (!compiler.error) process.stderr.write(compiler.stderr);
    const missing = compiler.error ? 'no C compiler' : `${name}.c does not compile here`;
    return { missing, run: () => undefined };
  }
  const run = (timings: Timings) => {
    const done = spawnSync(output, [...(smoke ? ['smoke'] : []), ...args], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${name}: ${done.stderr || done.signal}`);
    for (const line of done.stdout.trim().split('\n')) {
      const [word, nanoseconds, checksum] = line.split(' ');
      keep(timings, word!, 'C', { nanoseconds: Number(nanoseconds), checksum: Number(checksum) });
    }
  };
  return { missing: undefined, run };
}

/** Prints a table in Markdown. */
export function table(title: string, header: readonly string[], rows: readonly string[][]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = header.map((_, i) => (i === 0 ? '---' : '---:'));
  console.log([`## ${title}`, '', line(header), line(rule), ...rows.map(line), ''].join('\n'));
}

/** Three digits, without an exponent. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** Throws unless all series of a name computed the same thing, to `tolerance`. */
export function checkAgreement(timings: Timings, tolerance: number): void {
  for (const [name, row] of timings) {
    const sums = [...row].map(([series, { checksum }]) => ({ series, checksum }));
    const [first] = sums;
    for (const { series, checksum } of sums) {
      const off = Math.abs(checksum - first!.checksum);
      if (off <= tolerance * Math.abs(first!.checksum)) continue;
      const values = `${first!.series} ${first!.checksum}, ${series} ${checksum}`;
      throw new Error(`${name}: the checksums differ: ${values}`);
    }
  }
}
