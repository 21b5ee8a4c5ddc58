// The worker's loop: wait → step → act. It waits for freshness, gives the program its push, and
// folds the deltas in; the program itself never waits.
//
// Two ways to fold:
//   lock-step (every table bsp)   push all ─ gate ─ every worker folds its share of the rows of ALL
//                                 logs, in partition order ─ clock.  Deterministic, no lock.
//   bounded staleness             push ─ lock ─ fold the own logs ─ unlock ─ clock.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import { ringAt } from '../memory/layout.ts';
import { receiver, sender, type Assignment, type Report } from '../mailbox/messages.ts';
import { openRingReader, openRingWriter } from '../mailbox/ring.ts';
import { audit, describeBreach, histogramBins, lagBin } from '../ps/auditor.ts';
import { mayRead } from '../ps/freshness.ts';
import { rangeOf } from '../scheduler/rotation.ts';
import { Stopped } from '../store/control.ts';
import { openDeltaLog } from '../store/delta-log.ts';
import { fold, wholeTable } from '../store/fold.ts';
import { openSnapshots } from '../store/snapshot.ts';
import { readPolicy } from '../store/table.ts';
import { makeContext, makeViews, pushPrng, runtimeScratch, type Stage } from './context.ts';
import { ledgerTable } from './plan.ts';
import type { PartitionWork, PushContext, Reads } from './program.ts';

/** What a worker has to say at the end. `lags[k]`: reads that saw the tables k clocks behind. */
export type WorkerSummary = {
  readonly clocks: number;
  readonly stopped: boolean;
  readonly lags: readonly number[];
};

/** One worker's push machinery: everything between "has work" and "deltas are written down". */
function openPusher(stage: Stage) {
  const { arena, kernels, plan, control, lock, program, thread: worker } = stage;
  const views = makeViews(stage);
  const snapshots = openSnapshots(arena, kernels, plan.tables, plan.lockStep);
  const policy = readPolicy(plan.tables, plan.policy);
  const lags = new Array<number>(histogramBins).fill(0);
  let clock = 0;
  let prng = pushPrng(plan.seed, 0, 0);
  const context = makeContext(stage, () => clock);
  const state: unknown = program.start({ ...context, worker });
  const ctx: PushContext<unknown, unknown> = {
    ...context,
    ...{ state, worker },
    get clock() {
      return clock;
    },
    get prng() {
      return prng;
    },
    table: (name: string) => views.table(name),
  };

  const snapshot = (reads: Reads): number[] =>
    plan.tables.map((table) => {
      const rows = table.access === 'rows' ? reads[table.name] : undefined;
      const missing = table.access === 'rows' && rows === undefined;
      if (missing) {
        const rule = `table "${table.name}" has access "rows"`;
        throw new SystemError('ERR_PROGRAM', `${rule}, but reads() declares none of it`);
      }
      return snapshots.take(table, rows);
    });
  const auditRead = () => {
    const ledger = views.table(ledgerTable);
    const seen = Array.from({ length: plan.workers }, (_, w) => ledger.get(w)[0] ?? 0);
    lags[lagBin(clock, Math.min(...seen))]! += 1;
    const breach = audit(policy, { worker, clock, ledger: seen });
    if (breach) throw new SystemError('ERR_STALENESS', describeBreach(breach));
  };

  return {
    policy,
    lags,
    /** Takes the snapshot, runs the program's push; its deltas are in `log` afterwards. */
    push(work: unknown, at: { clock: number; partition: number }): unknown {
      clock = at.clock;
      prng = pushPrng(plan.seed, at.partition, clock);
      const log = openDeltaLog(
        arena,
        plan.logs.at + at.partition * plan.logs.bytes,
        plan.logs.bytes,
      );
      log.clear();
      const reads = program.reads?.(ctx, work) ?? {};
      const take = () => {
        // A scheduled push starts when all before it are folded: there is no lag to measure.
        if (!plan.audit && program.schedule === undefined) {
          lags[lagBin(clock, control.minClock())]! += 1;
        }
        return snapshot(reads);
      };
      const places = plan.lockStep ? take() : lock.read(take);
      plan.tables.forEach((table, index) => {
        const declared = table.access === 'rows' ? (reads[table.name]?.count ?? 0) : table.rows;
        const readable = table.access === 'none' ? 0 : declared;
        views.all[index]?.point(places[index] ?? 0, log, readable);
      });
      if (plan.audit && program.schedule === undefined) auditRead();
      return program.push(ctx, work);
    },
    /** Enters the finished clock of this worker into the ledger, through its last log. */
    enterLedger(): void {
      if (plan.audit) views.table(ledgerTable).inc(worker, [1]);
    },
  };
}

function runDataParallel(stage: Stage): WorkerSummary {
  const { plan, control, program, thread: worker, arena, kernels, lock } = stage;
  const clocks = program.clocks?.(plan) ?? 0;
  const pusher = openPusher(stage);
  const own = rangeOf(plan.partitions, plan.workers, worker);
  const place = { arena, kernels, ...runtimeScratch(stage) };
  const foldLogs = (from: number, to: number, clock: number, share = wholeTable) => {
    for (let p = from; p < to; p++) {
      const log = openDeltaLog(arena, plan.logs.at + p * plan.logs.bytes, plan.logs.bytes);
      fold(place, plan.tables, log, { share, clock });
    }
  };
  const endClock = (clock: number) => {
    if (plan.lockStep) {
      control.setPushed(worker, clock + 1);
      control.setActivity(worker, 'waitingForClocks');
      control.waitUntil(() => control.minPushed() > clock);
      control.setActivity(worker, 'folding');
      foldLogs(0, plan.partitions, clock, { index: worker, of: plan.workers });
    } else {
      control.setActivity(worker, 'folding');
      lock.write(() => foldLogs(own.first, own.last, clock));
    }
    control.setClock(worker, clock + 1);
  };

  let clock = 0;
  try {
    for (; clock < clocks; clock++) {
      control.setActivity(worker, 'waitingForClocks');
      const gateClock = plan.canary === 'early-read' ? clock - 1 : clock;
      control.waitUntil(() => mayRead(pusher.policy, gateClock, control.minClock()));
      for (let partition = own.first; partition < own.last; partition++) {
        if (control.stopped()) throw new Stopped();
        control.setActivity(worker, 'pushing');
        pusher.push({ partition, clock } satisfies PartitionWork, { clock, partition });
      }
      pusher.enterLedger();
      endClock(clock);
    }
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    return { clocks: clock, stopped: true, lags: pusher.lags };
  }
  return { clocks, stopped: false, lags: pusher.lags };
}

function runScheduled(stage: Stage): WorkerSummary {
  const { arena, control, thread: worker } = stage;
  const at = (ring: 'inbox' | 'reports') => ringAt(arena.layout, worker, ring);
  const inbox = receiver<Assignment>(openRingReader(arena, at('inbox')));
  const reports = sender<Report>(openRingWriter(arena, at('reports')));
  const pusher = openPusher(stage);
  let clocks = 0;
  try {
    for (;;) {
      let assignment: Assignment | undefined;
      control.setActivity(worker, 'waitingForWork');
      control.waitUntil(() => (assignment = inbox.take()) !== undefined);
      assert(assignment !== undefined, 'waited for an assignment');
      if (assignment.kind === 'end') return { clocks, stopped: false, lags: pusher.lags };
      control.setActivity(worker, 'pushing');
      const { clock, work } = assignment;
      control.setClock(worker, clock);
      const partial = pusher.push(work, { clock, partition: worker });
      assert(reports.offer({ clock, partial }), 'one report at a time fits its mailbox');
      control.wake();
      clocks = clock + 1;
    }
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    return { clocks, stopped: true, lags: pusher.lags };
  }
}

/** Takes part in a run until it ends or is stopped. Blocks its thread. */
export function runWorker(stage: Stage): WorkerSummary {
  return stage.program.schedule === undefined ? runDataParallel(stage) : runScheduled(stage);
}
