// The scheduler's loop: schedule → send → collect → fold → pull, one clock after the other. On
// several hosts it runs on rank 0 alone, and speaks to all workers through the mailbox.
//
//   pipeline 0    schedule 0 · pull 0 · schedule 1 · pull 1 …
//   pipeline 2    schedule 0 · schedule 1 · schedule 2 · pull 0 · schedule 3 · pull 1 …
//
// With a pipeline pushes run while the scheduler folds: folds then take the writer's side of the
// lock, and pushes read copies.
import { SystemError } from '../base/errors.ts';
import type { Prng } from '../base/prng.ts';
import { Stopped, type Activity } from '../store/control.ts';
import { openDeltaLog } from '../store/delta-log.ts';
import { fold, wholeTable } from '../store/fold.ts';
import {
  makeContext,
  makeViews,
  pushPrng,
  foldPlaceOf,
  schedulerStream,
  type Stage,
} from './context.ts';
import { logAt } from './plan.ts';
import { openAllWorkers, openLocalWorkers, type Heard } from './scheduled/mailboxes.ts';
import { openWatch } from './scheduled/watch.ts';
import { openSharing } from './sharing.ts';
import type { ScheduleContext } from './program.ts';

export type SchedulerSummary = {
  readonly clocks: number;
  readonly stopped: boolean;
  /** Of an audited run: pairs in flight at once that the program's rule was asked about. */
  readonly auditedPairs: number | undefined;
};

/** Of the clocks in flight: what schedule has drawn goes on in pull. */
function openRandomness(seed: number) {
  const streams = new Map<number, Prng>();
  return {
    of(clock: number): Prng {
      const known = streams.get(clock);
      if (known !== undefined) return known;
      const made = pushPrng(seed, schedulerStream, clock);
      streams.set(clock, made);
      return made;
    },
    end: (clock: number) => void streams.delete(clock),
  };
}

/** The scheduler's table access: in place, and folded at once, for nobody else writes. */
function openScheduleContext(stage: Stage, clockNow: () => number) {
  const { arena, plan, program, lock } = stage;
  const { logs, tables, seed } = plan;
  const views = makeViews(stage);
  const place = foldPlaceOf(stage);
  const ownLog = openDeltaLog(arena, arena.allocate(logs.bytes), logs.bytes);
  ownLog.clear();
  plan.tables.forEach((table, index) => views.all()[index]?.point(table.at, ownLog, table.rows));
  const randomness = openRandomness(seed);
  const watch = openWatch(stage, () => ctx);
  let heard: readonly Heard[] = [];
  const exclusively: (act: () => void) => void =
    plan.pipeline === 0 ? (act) => act() : (act) => lock.write(act);
  const sharing = openSharing(plan, 'scheduler');
  const context = makeContext(stage, clockNow);
  const state: unknown = program.startSchedule?.(context);
  const ctx: ScheduleContext<unknown, unknown> = {
    ...context,
    state,
    get clock() {
      return clockNow();
    },
    get prng() {
      return randomness.of(clockNow());
    },
    table: (name: string) => views.table(name),
    share: sharing.share,
    began: (phase) => watch.began(phase),
    ended: (phase) => watch.ended(phase),
    pushMs: (worker) => heard[worker]?.pushMs ?? 0,
  };
  return {
    ctx,
    watch,
    /** What all hosts are to have before the next work. */
    shared: () => sharing.take(),
    /** Folds what schedule or pull wrote. */
    foldOwn(): void {
      exclusively(() => fold(place, tables, ownLog, { share: wholeTable, clock: clockNow() }));
      sharing.shareFolded(arena, ownLog);
      ownLog.clear();
    },
    /** Folds the deltas of those who reported, in worker order, and pulls. */
    pull(reports: readonly Heard[]): void {
      const clock = clockNow();
      heard = reports;
      exclusively(() => {
        for (let worker = 0; worker < reports.length; worker++) {
          const log = openDeltaLog(arena, logAt(plan, worker, clock), logs.bytes);
          fold(place, tables, log, { share: wholeTable, clock });
          sharing.shareFolded(arena, log);
        }
      });
      program.pull?.(
        ctx,
        reports.map(({ partial }) => partial),
      );
      randomness.end(clock);
    },
  };
}

/** What the scheduler waits for: nothing of it blocks its thread. */
export type SchedulerStep = { readonly why: Activity; readonly until: () => boolean };

/** A scheduled program's scheduler, to its end; what is yielded is waited for. */
export function scheduler(stage: Stage): {
  readonly steps: Generator<SchedulerStep, void>;
  summary(stopped: boolean): SchedulerSummary;
} {
  const { program, control, thread, plan } = stage;
  /** Of what is scheduled or pulled at the moment. */
  let clock = 0;
  let pulled = 0;
  const { ctx, watch, shared, foldOwn, pull } = openScheduleContext(stage, () => clock);
  const workers = plan.cluster ? openAllWorkers(stage) : openLocalWorkers(stage);
  /** Works in flight by their number of workers, the oldest first: of clocks from `pulled` on. */
  const flights: number[] = [];

  const schedule = (): boolean => {
    clock = pulled + flights.length;
    const works = program.schedule?.(ctx);
    foldOwn();
    if (works === undefined) return false;
    if (works.length > ctx.workers) {
      const rule = `schedule gives one work a worker, at most ${ctx.workers}`;
      throw new SystemError('ERR_PROGRAM', `${rule}, got ${works.length}`);
    }
    workers.send(works, clock, shared());
    flights.push(works.length);
    return true;
  };
  function* pullOldest(count: number): Generator<SchedulerStep, void> {
    let reports: readonly Heard[] | undefined;
    const until = () => (reports = workers.heard(count, pulled)) !== undefined;
    yield { why: 'waitingForWork', until };
    control.setActivity(thread, 'scheduling');
    clock = pulled;
    pull(reports ?? []);
    foldOwn();
    flights.shift();
    pulled += 1;
    control.setClock(thread, pulled);
  }
  function* run(): Generator<SchedulerStep, void> {
    for (;;) {
      control.setActivity(thread, 'scheduling');
      const begun = schedule();
      const [oldest] = flights;
      if (oldest === undefined) break;
      // What is not scheduled now may be when something has been pulled.
      if (begun && flights.length <= plan.pipeline) continue;
      yield* pullOldest(oldest);
    }
    workers.end(pulled, shared());
    yield { why: 'waitingForWork', until: () => workers.isSaid() };
  }
  const summary = (stopped: boolean) => {
    return { clocks: pulled, stopped, auditedPairs: watch.auditedPairs };
  };
  return { steps: run(), summary };
}

/** Runs a scheduled program to its end, or until it is stopped. Blocks its thread. */
export function runScheduler(stage: Stage): SchedulerSummary {
  const { control, thread } = stage;
  const { steps, summary } = scheduler(stage);
  try {
    for (const { why, until } of steps) {
      control.setActivity(thread, why);
      control.waitUntil(until);
    }
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    return summary(true);
  }
  return summary(false);
}
