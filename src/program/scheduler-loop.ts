// The scheduler's loop: schedule → send → collect → fold → pull, one clock after the other.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import { ringAt } from '../memory/layout.ts';
import { receiver, sender, type Assignment, type Report } from '../mailbox/messages.ts';
import { openRingReader, openRingWriter } from '../mailbox/ring.ts';
import { Stopped } from '../store/control.ts';
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
import type { ScheduleContext } from './program.ts';

export type SchedulerSummary = { readonly clocks: number; readonly stopped: boolean };

/** The mailboxes to and from every worker. */
function openWorkers(stage: Stage) {
  const { arena, control, plan } = stage;
  const workers = Array.from({ length: plan.workers }, (_, worker) => {
    const at = (ring: 'inbox' | 'reports') => ringAt(arena.layout, worker, ring);
    return {
      inbox: sender<Assignment>(openRingWriter(arena, at('inbox'))),
      reports: receiver<Report>(openRingReader(arena, at('reports'))),
    };
  });
  return {
    send(assignments: readonly Assignment[]): void {
      assignments.forEach((assignment, worker) => {
        const sent = workers[worker]?.inbox.offer(assignment) ?? false;
        assert(sent, 'one assignment at a time fits its mailbox');
      });
      control.wake();
    },
    /** Waits for the report of the first `count` workers, in worker order. */
    collect(count: number, clock: number): unknown[] {
      return workers.slice(0, count).map(({ reports }) => {
        let report: Report | undefined;
        control.waitUntil(() => (report = reports.take()) !== undefined);
        assert(report?.clock === clock, 'a report answers the clock that was assigned');
        return report.partial;
      });
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
  plan.tables.forEach((table, index) => views.all[index]?.point(table.at, ownLog, table.rows));
  let drawnAt = 0;
  let prng = pushPrng(seed, schedulerStream, drawnAt);
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
  };
  return {
    ctx,
    /** Folds what schedule or pull wrote. */
    foldOwn(): void {
      fold(place, tables, ownLog, { share: wholeTable, clock: clockNow() });
      ownLog.clear();
    },
    /** Folds the deltas of the first `count` workers, in worker order. */
    foldWorkers(count: number): void {
      for (let worker = 0; worker < count; worker++) {
        const log = openDeltaLog(arena, logAt(plan, worker), logs.bytes);
        fold(place, tables, log, { share: wholeTable, clock: clockNow() });
      }
    },
  };
}

/** Runs a scheduled program to its end, or until it is stopped. Blocks its thread. */
export function runScheduler(stage: Stage): SchedulerSummary {
  const { program, control, thread } = stage;
  let clock = 0;
  const { ctx, foldOwn, foldWorkers } = openScheduleContext(stage, () => clock);
  const workers = openWorkers(stage);
  try {
    for (;;) {
      control.setActivity(thread, 'scheduling');
      const works = program.schedule?.(ctx);
      foldOwn();
      if (works === undefined) break;
      if (works.length > control.workers) {
        const rule = `schedule gives one work a worker, at most ${control.workers}`;
        throw new SystemError('ERR_PROGRAM', `${rule}, got ${works.length}`);
      }
      workers.send(works.map((work: unknown) => ({ kind: 'work', clock, work })));
      control.setActivity(thread, 'waitingForWork');
      const partials = workers.collect(works.length, clock);
      control.setActivity(thread, 'scheduling');
      foldWorkers(works.length);
      program.pull?.(ctx, partials);
      foldOwn();
      clock += 1;
      control.setClock(thread, clock);
    }
    workers.send(Array.from({ length: stage.plan.workers }, () => ({ kind: 'end' as const })));
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    return { clocks: clock, stopped: true };
  }
  return { clocks: clock, stopped: false };
}
