// The scheduler's loop: schedule → send → collect → fold → pull, one clock after the other. On
// several hosts it runs on rank 0 alone, and speaks to all workers through the mailbox.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import { ringAt } from '../memory/layout.ts';
import {
  receiver,
  sender,
  type Assignment,
  type Order,
  type Report,
  type Reported,
  type Shared,
} from '../mailbox/messages.ts';
import { openRingReader, openRingWriter } from '../mailbox/ring.ts';
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
import { runLoop, type Loop, type Step } from './loops/loop.ts';
import { logAt } from './plan.ts';
import { openSharing } from './sharing.ts';
import type { ScheduleContext } from './program.ts';

export type SchedulerSummary = { readonly clocks: number; readonly stopped: boolean };

/** How the scheduler speaks to workers; what is yielded is waited for. */
type Workers = {
  /** Hands work w to worker w, when all hosts have what was shared. */
  send(works: readonly unknown[], clock: number, shared: readonly Shared[]): Generator<Step, void>;
  /** Waits for the reports of the first `count` workers; in worker order. */
  collect(count: number, clock: number): Generator<Step, unknown[]>;
  end(clocks: number, shared: readonly Shared[]): Generator<Step, void>;
};

const wait = (until: () => boolean): Step => ({ kind: 'wait', why: 'waitingForWork', until });

/** The mailboxes to and from every worker of this host. */
function openLocalWorkers(stage: Stage): Workers {
  const { arena, control, plan } = stage;
  const workers = Array.from({ length: plan.workers }, (_, worker) => {
    const at = (ring: 'inbox' | 'reports') => ringAt(arena.layout, worker, ring);
    return {
      inbox: sender<Assignment>(openRingWriter(arena, at('inbox'))),
      reports: receiver<Report>(openRingReader(arena, at('reports'))),
    };
  });
  const send = (worker: number, assignment: Assignment) => {
    const sent = workers[worker]?.inbox.offer(assignment) ?? false;
    assert(sent, 'one assignment at a time fits its mailbox');
  };
  return {
    *send(works, clock) {
      works.forEach((work, worker) => send(worker, { kind: 'work', clock, work }));
      control.wake();
    },
    *end() {
      workers.forEach((_, worker) => send(worker, { kind: 'end' }));
      control.wake();
    },
    *collect(count, clock) {
      const partials: unknown[] = [];
      for (const { reports } of workers.slice(0, count)) {
        let report: Report | undefined;
        yield wait(() => (report = reports.take()) !== undefined);
        assert(report?.clock === clock, 'a report answers the clock that was assigned');
        partials.push(report.partial);
      }
      return partials;
    },
  };
}

/** The workers of all hosts, through the mailbox of this one. */
function openAllWorkers(stage: Stage): Workers {
  const { arena, control, thread } = stage;
  const at = (ring: 'inbox' | 'reports') => ringAt(arena.layout, thread, ring);
  const orders = sender<Order>(openRingWriter(arena, at('reports')));
  const reports = receiver<Reported>(openRingReader(arena, at('inbox')));
  const offer = (order: Order) => wait(() => orders.offer(order));
  return {
    *send(works, clock, shared) {
      yield* shared.map(offer);
      yield* works.map((work, worker) => offer({ kind: 'work', worker, clock, work }));
      control.wake();
    },
    *end(clocks, shared) {
      yield* shared.map(offer);
      yield offer({ kind: 'end', clocks });
      control.wake();
    },
    *collect(count, clock) {
      const partials = new Map<number, unknown>();
      const take = () => {
        for (let report = reports.take(); report !== undefined; report = reports.take()) {
          assert(report.clock === clock, 'a report answers the clock that was assigned');
          partials.set(report.worker, report.partial);
        }
        return partials.size === count;
      };
      yield wait(take);
      return Array.from({ length: count }, (_, worker) => partials.get(worker));
    },
  };
}

/** The scheduler's table access: in place, and folded at once, for no push runs meanwhile. */
function openScheduleContext(stage: Stage, clockNow: () => number) {
  const { arena, plan, program } = stage;
  const { logs, tables, seed } = plan;
  const views = makeViews(stage);
  const place = foldPlaceOf(stage);
  const ownLog = openDeltaLog(arena, arena.allocate(logs.bytes), logs.bytes);
  ownLog.clear();
  plan.tables.forEach((table, index) => views.all()[index]?.point(table.at, ownLog, table.rows));
  let drawnAt = 0;
  let prng = pushPrng(seed, schedulerStream, drawnAt);
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
      if (drawnAt !== clockNow()) {
        drawnAt = clockNow();
        prng = pushPrng(seed, schedulerStream, drawnAt);
      }
      return prng;
    },
    table: (name: string) => views.table(name),
    share: sharing.share,
  };
  return {
    ctx,
    /** What all hosts are to have before the next work. */
    shared: () => sharing.take(),
    /** Folds what schedule or pull wrote. */
    foldOwn(): void {
      fold(place, tables, ownLog, { share: wholeTable, clock: clockNow() });
      sharing.shareFolded(arena, ownLog);
      ownLog.clear();
    },
    /** Folds the deltas of the first `count` workers, in worker order. */
    foldWorkers(count: number): void {
      for (let worker = 0; worker < count; worker++) {
        const log = openDeltaLog(arena, logAt(plan, worker), logs.bytes);
        fold(place, tables, log, { share: wholeTable, clock: clockNow() });
        sharing.shareFolded(arena, log);
      }
    },
  };
}

/** The scheduler of a program, step by step. */
export function schedulerLoop(stage: Stage): Loop<SchedulerSummary> {
  const { program, control, thread } = stage;
  let clock = 0;
  const { ctx, shared, foldOwn, foldWorkers } = openScheduleContext(stage, () => clock);
  const workers = stage.plan.cluster ? openAllWorkers(stage) : openLocalWorkers(stage);
  function* steps(): Generator<Step, void> {
    for (;;) {
      control.setActivity(thread, 'scheduling');
      const works = program.schedule?.(ctx);
      foldOwn();
      if (works === undefined) break;
      if (works.length > ctx.workers) {
        const rule = `schedule gives one work a worker, at most ${ctx.workers}`;
        throw new SystemError('ERR_PROGRAM', `${rule}, got ${works.length}`);
      }
      yield* workers.send(works, clock, shared());
      const partials = yield* workers.collect(works.length, clock);
      control.setActivity(thread, 'scheduling');
      foldWorkers(works.length);
      program.pull?.(ctx, partials);
      foldOwn();
      clock += 1;
      control.setClock(thread, clock);
    }
    yield* workers.end(clock, shared());
  }
  return { steps: steps(), summary: (stopped) => ({ clocks: clock, stopped }) };
}

/** Runs a scheduled program to its end, or until it is stopped. Blocks its thread. */
export function runScheduler(stage: Stage): SchedulerSummary {
  return runLoop(stage, schedulerLoop(stage));
}
