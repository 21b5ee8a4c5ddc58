// A seed of the fuzz of scheduled programs: scheduler, workers and relays of 2 to 5 hosts over the
// simulated network, while faults happen; the same program on one host without any; and checkers.
import { compileKernels } from '../../src/memory/kernels.ts';
import { runAlone } from '../../src/sim/alone.ts';
import { memoryBytesFor, openHostArena, SimulatedHost } from '../../src/sim/simulated-host.ts';
import { BoundedMemory } from '../checkers/bounded-memory.ts';
import { Findings } from '../checkers/findings.ts';
import { Partials } from '../checkers/partials.ts';
import { Progress } from '../checkers/progress.ts';
import { checkDeadline, judgeLoss, memoryOf, runHosts, threadsMax } from './fuzz-hosts.ts';
import type { Meddling, Opening } from './fuzz-hosts.ts';
import { noData } from './hosts.ts';
import { deadlineMs } from './ps-plan.ts';
import { failureWords } from './ps-program.ts';
import { drawScheduled, type ScheduledPlan } from './scheduled-plan.ts';
import { scheduledProgram } from './scheduled-program.ts';

export type ScheduledFuzz = {
  readonly findings: readonly string[];
  readonly hash: string;
  readonly last: () => readonly string[];
  readonly events: number;
  /** Clocks that were pulled, and hosts that came to the end or to a fault. */
  readonly pulls: number;
  readonly finished: number;
  readonly faults: number;
  /** Virtual. */
  readonly endMs: number;
};

const hostsMax = 5;
const module = compileKernels('release');
let wide: WebAssembly.Memory | undefined;

/** The memory of a host with as many workers as all hosts of a plan. */
function wideMemory(): WebAssembly.Memory {
  const pages = memoryBytesFor(threadsMax * hostsMax, 8 * 2 ** 20) / 65_536;
  wide ??= new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return wide;
}

class Report extends Partials {
  readonly #findings: Findings;

  constructor(tables: ScheduledPlan['tables'], findings: Findings) {
    super(
      tables.map(({ rows, columns, type = 'f32' }) => ({ rows, columns, type })),
      findings,
    );
    this.#findings = findings;
  }

  wrong(words: string): void {
    this.#findings.add('shared', words);
  }
}

const request = ({ seed, threads }: ScheduledPlan) => ({
  ...{ program: { builtIn: 'fuzz' }, userKernels: undefined, options: {}, data: noData, seed },
  ...{ partitions: threads.length, audit: false, canary: undefined },
  policy: { consistency: 'bsp', staleness: 0 } as const,
});

type Run = Pick<SimulatedHost, 'arena' | 'plan'>;

const resultOf = ({ arena, plan }: Run) => arena.i32[(plan.buffers['result'] ?? 0) / 4] ?? 0;

function valueIn({ arena, plan }: Run, table: number, row: number, column: number): number {
  const spec = plan.tables[table];
  const words = spec?.type === 'i32' ? arena.i32 : arena.f32;
  return words[((spec?.at ?? 0) + row * (spec?.rowBytes ?? 0)) / 4 + column] ?? NaN;
}

/** What the plan's program comes to on one host, where nothing goes wrong. */
function withoutFaults(plan: ScheduledPlan) {
  const findings = new Findings();
  const report = new Report(plan.tables, findings);
  const threads = plan.threads.reduce((a, b) => a + b);
  const arena = openHostArena(wideMemory(), threads);
  const program = scheduledProgram({ ...plan, failure: undefined }, report);
  const run = runAlone({ arena, program, module, threads, request: request(plan) });
  report.finished();
  report.compare('one host', (...cell) => valueIn({ arena, plan: run.plan }, ...cell));
  const values = run.plan.tables.map(({ rows, columns }, table) =>
    Array.from({ length: rows * columns }, (_, i) =>
      valueIn({ arena, plan: run.plan }, table, Math.floor(i / columns), i % columns),
    ),
  );
  return { findings, values, result: resultOf({ arena, plan: run.plan }) };
}

function openHosts(plan: ScheduledPlan, report: Report, around: Opening) {
  const { threads, faults, sending, burstBytes, pushMs } = plan;
  return threads.map(
    (_, rank) =>
      new SimulatedHost({
        ...{ program: scheduledProgram(plan, report), module, request: request(plan) },
        ...{ memory: memoryOf(rank), tuning: { burstBytes }, time: around.time },
        slowdowns: faults.slowdowns.filter((slowdown) => slowdown.rank === rank),
        place: { rank, size: threads.length, run: 1, threads, sending },
        pushMs: (worker, clock, partition) =>
          (pushMs[rank] ?? 1) * (0.2 + ((worker * 7 + clock * 13 + partition * 5) % 16) / 10),
        changed: () => around.changed(rank),
      }),
  );
}

const awaited = [
  /the schedule of clock \d+ from rank 0/,
  /the report of worker \d+ on rank \d+ at clock \d+/,
  /rank \d+ to take what worker \d+ shared at clock \d+/,
];
const waited = new RegExp(`(?:${awaited.map(({ source }) => source).join('|')})`);

/** The tables and the result of a host that has finished are those of a run without faults. */
function checkEnd(
  plan: ScheduledPlan,
  { host, rank }: { readonly host: SimulatedHost; readonly rank: number },
  right: ReturnType<typeof withoutFaults>,
  findings: Findings,
): void {
  const add = (words: string) => findings.add('result', `host ${rank} ends with ${words}`);
  if (resultOf(host) !== right.result) add(`${resultOf(host)}, not with ${right.result}`);
  plan.tables.forEach(({ columns, access }, table) => {
    // Tables that no push reads are on the scheduler's host alone.
    if (access === 'none' && rank > 0) return;
    const values = right.values[table] ?? [];
    const wrong = values.findIndex(
      (value, i) => valueIn(host, table, Math.floor(i / columns), i % columns) !== value,
    );
    if (wrong >= 0) add(`other values in table ${table} from cell ${wrong} on`);
  });
}

export function fuzzScheduled(seed: number, options: Meddling = {}): ScheduledFuzz {
  return runScheduledPlan(drawScheduled(seed), options);
}

/** Runs a plan and checks all of it. */
export function runScheduledPlan(plan: ScheduledPlan, options: Meddling = {}): ScheduledFuzz {
  const right = withoutFaults(plan);
  const { findings } = right;
  const report = new Report(plan.tables, findings);
  const memory = new BoundedMemory((plan.settings.softBytes ?? 0) + 300_000, findings);
  const ran = runHosts(plan, options, {
    open: (around) => ({
      ...{ findings, progress: new Progress(Infinity, findings) },
      hosts: openHosts(plan, report, around),
    }),
    sampled(rank, _, place) {
      plan.threads.forEach((_, to) => {
        if (to !== rank) memory.sampled(rank, to, place.heldBytes(to).sending);
      });
    },
  });
  for (const { host, rank } of ran.alive) {
    if (host.finished) checkEnd(plan, { host, rank }, right, findings);
    const { fault } = host;
    if (fault === undefined) continue;
    if (plan.failure !== undefined && fault.message.includes(failureWords)) continue;
    const wrong = judgeLoss(plan, { rank, fault, dead: ran.dead, waited });
    if (wrong !== undefined) findings.add('faults', wrong);
  }
  const partitions = 3 * plan.threads.reduce((a, b) => a + b);
  checkDeadline(ran, deadlineMs({ ...plan, partitions }, ran.mostSent));
  const ended = ran.alive.filter(({ host }) => host.finished);
  if (ended.some(({ rank }) => rank === 0)) report.finished();
  return {
    ...{ findings: findings.lines, hash: ran.trace.hash, events: ran.events, endMs: ran.endMs },
    ...{ pulls: report.pulls, finished: ended.length, faults: ran.alive.length - ended.length },
    last: () => ran.last(plan),
  };
}
