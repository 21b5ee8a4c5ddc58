// The worker's loop on a thread: wait → step → act. It waits for freshness, gives the program its
// push, and folds the deltas in; the program itself never waits.
import { assert } from '../base/assert.ts';
import { ringAt } from '../memory/layout.ts';
import { receiver, sender, type Assignment, type Said } from '../mailbox/messages.ts';
import { openRingReader, openRingWriter } from '../mailbox/ring.ts';
import { Stopped } from '../store/control.ts';
import type { Stage } from './context.ts';
import { dataParallelWorker, type WorkerSummary } from './data-parallel.ts';
import { openPusher } from './pusher.ts';

function runDataParallel(stage: Stage): WorkerSummary {
  const { control, thread } = stage;
  const worker = dataParallelWorker(stage);
  try {
    for (const step of worker.steps) {
      if (control.stopped()) throw new Stopped();
      if (step.kind !== 'wait') continue;
      control.setActivity(thread, step.why);
      control.waitUntil(step.until);
    }
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    return worker.summary(true);
  }
  return worker.summary(false);
}

function runScheduled(stage: Stage): WorkerSummary {
  const { arena, control, thread: worker, nowMs } = stage;
  const at = (ring: 'inbox' | 'reports') => ringAt(arena.layout, worker, ring);
  const inbox = receiver<Assignment>(openRingReader(arena, at('inbox')));
  const reports = sender<Said>(openRingWriter(arena, at('reports')));
  const pusher = openPusher(stage);
  const globalWorker = (stage.plan.cluster?.firstWorker ?? 0) + worker;
  let clocks = 0;
  try {
    for (;;) {
      let assignment: Assignment | undefined;
      control.setActivity(worker, 'waitingForWork');
      control.waitUntil(() => (assignment = inbox.take()) !== undefined);
      assert(assignment !== undefined, 'waited for an assignment');
      if (assignment.kind === 'end') return { clocks, stopped: false, lags: [] };
      control.setActivity(worker, 'pushing');
      const { clock, work } = assignment;
      control.setClock(worker, clock);
      pusher.prepare(work, { clock, partition: globalWorker });
      const sinceMs = nowMs();
      const partial = pusher.push(work);
      const pushMs = nowMs() - sinceMs;
      // The mailbox makes room; without other hosts nothing is shared.
      for (const shared of pusher.shared()) control.waitUntil(() => reports.offer(shared));
      const report = { kind: 'report', clock, partial, pushMs } as const;
      control.waitUntil(() => reports.offer(report));
      control.wake();
      clocks = clock + 1;
    }
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    return { clocks, stopped: true, lags: [] };
  }
}

/** Takes part in a run until it ends or is stopped. Blocks its thread. */
export function runWorker(stage: Stage): WorkerSummary {
  return stage.program.schedule === undefined ? runDataParallel(stage) : runScheduled(stage);
}
