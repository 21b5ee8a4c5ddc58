// A worker of a scheduled program, step by step: it waits for work, pushes, and reports.
import { assert } from '../../base/assert.ts';
import { ringAt } from '../../memory/layout.ts';
import { receiver, sender, type Assignment, type Said } from '../../mailbox/messages.ts';
import { openRingReader, openRingWriter } from '../../mailbox/ring.ts';
import type { Stage } from '../context.ts';
import type { WorkerSummary } from '../data-parallel.ts';
import { openPusher } from '../pusher.ts';
import type { Loop, Step } from '../loops/loop.ts';

export function scheduledWorker(stage: Stage): Loop<WorkerSummary> {
  const { arena, control, thread: worker, nowMs } = stage;
  const at = (ring: 'inbox' | 'reports') => ringAt(arena.layout, worker, ring);
  const inbox = receiver<Assignment>(openRingReader(arena, at('inbox')));
  const reports = sender<Said>(openRingWriter(arena, at('reports')));
  const pusher = openPusher(stage);
  const globalWorker = (stage.plan.cluster?.firstWorker ?? 0) + worker;
  let clocks = 0;

  const wait = (until: () => boolean): Step => ({ kind: 'wait', why: 'waitingForWork', until });
  /** The mailbox makes room; without other hosts nothing is shared. */
  const say = (said: Said) => wait(() => reports.offer(said));
  function* steps(): Generator<Step, void> {
    for (;;) {
      let assignment: Assignment | undefined;
      yield wait(() => (assignment = inbox.take()) !== undefined);
      assert(assignment !== undefined, 'waited for an assignment');
      if (assignment.kind === 'end') return;
      control.setActivity(worker, 'pushing');
      const { clock, work } = assignment;
      control.setClock(worker, clock);
      pusher.prepare(work, { clock, partition: globalWorker });
      const sinceMs = nowMs();
      const partial = pusher.push(work);
      yield { kind: 'pushed', clock, partition: globalWorker };
      const pushMs = nowMs() - sinceMs;
      for (const shared of pusher.shared()) yield say(shared);
      yield say({ kind: 'report', clock, partial, pushMs });
      control.wake();
      clocks = clock + 1;
    }
  }
  return { steps: steps(), summary: (stopped) => ({ clocks, stopped, lags: [] }) };
}
