// One worker's push machinery: everything between "has work" and "deltas are written down".
import { SystemError } from '../base/errors.ts';
import type { Shared } from '../mailbox/messages.ts';
import { audit, describeBreach, histogramBins, lagBin } from '../ps/auditor.ts';
import { policyAt } from '../ps/freshness.ts';
import { openDeltaLog, type DeltaLog } from '../store/delta-log.ts';
import { openSnapshots } from '../store/snapshot.ts';
import { readPolicy } from '../store/table.ts';
import { makeContext, makeViews, pushPrng, type Stage } from './context.ts';
import { openCreatedTables, type CreatedTables } from './created/tables.ts';
import { openGate, type Gate } from './freshness-gate.ts';
import { ledgerTable, logAt } from './plan.ts';
import type { PushContext, Reads } from './program.ts';
import { openSharing } from './sharing.ts';

export type Pusher = {
  /** Reads by how many clocks they lagged. */
  readonly lags: readonly number[];
  readonly gate: Gate;
  readonly created: CreatedTables;
  prepare(work: unknown, at: { clock: number; partition: number }): void;
  push(work: unknown): unknown;
  enterLedger(): void;
  /** What the last push of a scheduled program shared with other hosts, and its deltas. */
  shared(): readonly Shared[];
};

/** Opens it: makes the program's private state of this worker. */
export function openPusher(stage: Stage): Pusher {
  const { arena, kernels, plan, lock, program, thread: worker } = stage;
  const views = makeViews(stage);
  const snapshots = openSnapshots(arena, kernels, plan.lockStep);
  const created = openCreatedTables(stage);
  const gate = openGate(stage);
  const globalWorker = (plan.cluster?.firstWorker ?? 0) + worker;
  const workers = plan.cluster?.workers ?? plan.workers;
  const lags = new Array<number>(histogramBins).fill(0);
  let clock = 0;
  let prng = pushPrng(plan.seed, 0, 0);
  let reads: Reads = {};
  let log: DeltaLog | undefined;
  const sharing = openSharing(plan);
  const context = makeContext(stage, () => clock);
  const state: unknown = program.start({ ...context, worker: globalWorker });
  const ctx: PushContext<unknown, unknown> = {
    ...context,
    ...{ state, worker: globalWorker },
    get clock() {
      return clock;
    },
    get prng() {
      return prng;
    },
    table: (name: string) => views.table(name),
    createTable: (spec) => created.create(spec, clock),
    share: sharing.share,
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
    const seen = Array.from({ length: workers }, (_, w) => ledger.get(w)[0] ?? 0);
    lags[lagBin(clock, Math.min(...seen))]! += 1;
    const breach = audit(policyAt(readPolicy(plan.tables, plan.policy), gate.isBarrier(clock)), {
      worker: globalWorker,
      clock,
      ledger: seen,
    });
    if (breach) throw new SystemError('ERR_STALENESS', describeBreach(breach));
  };

  return {
    lags,
    gate,
    created,
    shared() {
      const at = logAt(plan, globalWorker, clock);
      const used = plan.cluster === undefined ? 0 : (arena.i32[at / 4] ?? 0);
      return sharing.take({ worker: globalWorker, clock, used });
    },
    /** Asks for what `work` reads; push it when `gate.isAnswered()`. */
    prepare(work: unknown, at: { clock: number; partition: number }): void {
      clock = at.clock;
      prng = pushPrng(plan.seed, at.partition, clock);
      log = openDeltaLog(arena, logAt(plan, at.partition, clock), plan.logs.bytes);
      log.clear();
      reads = program.reads?.(ctx, work) ?? {};
      gate.ask(clock, reads);
      const ahead = program.prefetch?.(ctx, work);
      if (ahead !== undefined) gate.prefetch(clock + 1, ahead);
    },
    /**
     * Takes the snapshot, runs the program's push; its deltas are in the partition's log
     * afterwards.
     */
    push(work: unknown): unknown {
      const take = () => {
        // A scheduled push starts when all before it are folded: there is no lag to measure.
        if (!plan.audit && program.schedule === undefined) {
          lags[lagBin(clock, gate.seen())]! += 1;
        }
        return snapshot(reads);
      };
      const places = plan.lockStep ? take() : lock.read(take);
      gate.release();
      plan.tables.forEach((table, index) => {
        const rows = table.access === 'rows' ? reads[table.name] : undefined;
        const readable = table.access === 'none' ? 0 : (rows?.count ?? table.rows);
        if (log) views.all()[index]?.point(places[index] ?? 0, log, readable, rows?.at);
      });
      if (plan.audit && program.schedule === undefined) auditRead();
      return program.push(ctx, work);
    },
    /** Enters the finished clock of this worker into the ledger, through its last log. */
    enterLedger(): void {
      if (plan.audit) views.table(ledgerTable).inc(globalWorker, [1]);
    },
  };
}
