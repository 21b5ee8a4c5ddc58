// A worker of a data-parallel program, step by step (loops/loop.ts).
//
// Two ways to fold:
//   lock-step (every table bsp)   push all ─ gate ─ every worker folds its share of the rows of ALL
//                                 logs, in partition order ─ clock.  Deterministic, no lock.
//   bounded staleness             push ─ lock ─ fold the own logs ─ unlock ─ clock.
//
// With other hosts, lock-step logs are folded by the mailboxes of the rows' owners, in the same
// order; under bounded staleness a fold also adds up what the owners of other rows are to be sent.
import type { Range } from '../base/ranges.ts';
import { openDeltaLog } from '../store/delta-log.ts';
import { fold, foldRows } from '../store/fold.ts';
import type { TablePlan } from '../store/table.ts';
import { accumulate } from '../store/wire/deltas.ts';
import { foldSlots } from '../store/wire/slots.ts';
import { adoptTables } from './created/tables.ts';
import { cachesOf, foldPlaceOf, perTable, setupOf, type Stage } from './context.ts';
import type { Loop, Step } from './loops/loop.ts';
import { logAt, ownRows, partitionsOf } from './plan.ts';
import type { PartitionWork } from './program.ts';
import { openPusher } from './pusher.ts';

/** What a worker has to say at the end. `lags[k]`: reads that saw the tables k clocks behind. */
export type WorkerSummary = {
  readonly clocks: number;
  readonly stopped: boolean;
  readonly lags: readonly number[];
  /** Of a recorded run. */
  readonly tape?: WorkerRecord;
};

export type WorkerRecord = { readonly worker: number; readonly bytes: Uint8Array };

/** How a finished clock is folded in; what is yielded is waited for. */
function openFolder(stage: Stage): (clock: number) => Generator<Step, void> {
  const { plan, control, thread: worker, arena, lock } = stage;
  const { cluster } = plan;
  const own = partitionsOf(plan, worker);
  const place = foldPlaceOf(stage);
  const logs = (range: Range) =>
    Array.from({ length: range.last - range.first }, (_, i) =>
      openDeltaLog(arena, logAt(plan, range.first + i), plan.logs.bytes),
    );
  const replicas = perTable(plan, ({ id }) => cluster?.replicas[id]);
  const deltasOf = () => replicas().flatMap((replica) => (replica ? [replica.deltas] : []));
  const touchedOf = () => replicas().flatMap((replica) => (replica ? [replica.touched] : []));
  const caches = cachesOf(stage);
  const foldable = ({ rows, cache }: TablePlan) => [cache?.own ?? { first: 0, last: rows }];
  const rowsOf = ({ id, rows }: TablePlan) => {
    const mine = ownRows(cluster, rows);
    if (caches()[id] !== undefined) return [];
    return [
      { first: 0, last: mine.first },
      { first: mine.last, last: rows },
    ];
  };
  const gather = (clock: number) => {
    for (const log of logs(own)) {
      foldRows(place, plan.tables, log, { rowsOf: foldable, clock });
      if (!cluster) continue;
      if (caches().some(Boolean)) foldSlots(place, plan.tables, caches(), log, clock);
      accumulate(place, deltasOf(), log, { touched: touchedOf(), rowsOf, clock });
    }
  };
  const foldShare = (clock: number) => {
    const share = { index: worker, of: plan.workers };
    for (const log of logs({ first: 0, last: plan.partitions })) {
      fold(place, plan.tables, log, { share, clock });
    }
  };
  /** The mailboxes take the logs, and show when all hosts' are in the tables. */
  const isFolded = (clock: number) => {
    const behind = (table: TablePlan) => control.tableClock(table.id) <= clock;
    return control.shardClock() > clock && !plan.tables.some(behind);
  };
  return function* (clock) {
    if (!plan.lockStep) {
      control.setActivity(worker, 'folding');
      lock.write(() => gather(clock));
    } else {
      control.setPushed(worker, clock + 1);
      const until = cluster ? () => isFolded(clock) : () => control.minPushed() > clock;
      yield { kind: 'wait', why: 'waitingForClocks', until };
      control.setActivity(worker, 'folding');
      if (!cluster) foldShare(clock);
    }
    control.setClock(worker, clock + 1);
  };
}

const sampledWords = 61;

/** A number that a few words of each of the logs went into: 28 bits. */
function sampleLogs({ arena, plan }: Stage, own: Range): number {
  let sum = 0;
  for (let p = own.first; p < own.last; p++) {
    const from = logAt(plan, p) / 4;
    const words = (arena.i32[from] ?? 0) / 4;
    const stride = Math.max(1, Math.floor(words / sampledWords));
    for (let i = 0; i < words; i += stride) {
      sum = Math.imul(sum ^ (arena.i32[from + i] ?? 0), 0x01000193);
    }
  }
  return (sum ^ (sum >>> 15)) & 0xfff_ffff;
}

/** All clocks of a worker; its summary is complete when the generator ends or is stopped. */
export function dataParallelWorker(stage: Stage): Loop<WorkerSummary> {
  const { plan, control, program, thread: worker, nowMs } = stage;
  const clocks = program.clocks?.(setupOf(plan)) ?? 0;
  const pusher = openPusher(stage);
  const endClock = openFolder(stage);
  const own = partitionsOf(plan, worker);
  const { gate } = pusher;
  const { tape } = stage;
  let clock = 0;

  function* steps(): Generator<Step, void> {
    for (; clock < clocks; clock++) {
      adoptTables(stage, clock);
      let waitedMs = 0;
      const from = nowMs();
      const wait = function* (until: () => boolean): Generator<Step, void> {
        if (until()) return;
        const since = nowMs();
        yield { kind: 'wait', why: 'waitingForClocks', until };
        waitedMs += nowMs() - since;
      };
      if (!tape?.plays) yield* wait(() => gate.isOpen(clock));
      for (let partition = own.first; partition < own.last; partition++) {
        control.setActivity(worker, 'pushing');
        const work: PartitionWork = { partition, clock };
        pusher.prepare(work, work);
        if (tape?.plays) yield { kind: 'ready' };
        else yield* wait(() => gate.isAnswered());
        control.setActivity(worker, 'pushing');
        pusher.push(work);
        yield { kind: 'pushed', clock, partition };
      }
      pusher.created.check(clock);
      pusher.enterLedger();
      gate.finished(clock, { waitedMs, busyMs: nowMs() - from - waitedMs });
      tape?.check(clock, sampleLogs(stage, own));
      if (tape?.plays) yield { kind: 'ready' };
      yield* endClock(clock);
    }
  }
  return {
    steps: steps(),
    summary: (stopped) => ({
      ...{ clocks: clock, stopped, lags: pusher.lags },
      ...(tape && { tape: { worker, bytes: tape.bytes() } }),
    }),
  };
}
