// A run as the mailbox actor takes part in it: an event loop that feeds its part, the member of a
// data-parallel run or the relay of a scheduled one, what workers, links and time do. It never
// computes longer than one packet takes.
//
//   tick futex (workers) ─┐
//   packets (sockets)    ─┼──▶ part ──▶ outbox ──▶ links
//   timer (budget, idle) ─┘
import { fromFault, toFault, type Fault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Network } from '../mailbox/network.ts';
import type { Stage } from '../program/context.ts';
import { Link } from './link.ts';
import { faultIn, openPart } from './part.ts';

/** What the mailbox of a host has to say at the end of a run. */
export type MailboxSummary = {
  readonly clocks: number;
  readonly stopped: boolean;
  /** Bytes of rows that were sent, by table. */
  readonly tableBytes: readonly number[];
  /** Of a recorded run: what reached the member. */
  readonly inputs?: Uint8Array;
  /** Why the run ended, when that came from another host. */
  readonly fault?: Fault;
};

/** Links are idle when nothing has moved for so long. */
const idleMs = 2;

type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
) => { readonly async: boolean; readonly value: Promise<string> | string };
// In Node since 16; TypeScript's library has it in a later edition than the one we target.
const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };

/** Takes part in the run of `stage` until all hosts have finished it, or it is stopped. */
export async function runMailbox(
  stage: Stage,
  network: Network,
  link: Link,
): Promise<MailboxSummary> {
  const { plan, control, arena, thread } = stage;
  const { cluster } = plan;
  if (cluster === undefined) return { clocks: 0, stopped: false, tableBytes: [] };
  // It waits for threads and links; that it computes for long is no sign of an endless loop.
  control.setActivity(thread, 'waitingForClocks');
  const part = openPart(stage, cluster, network);
  /** Why the run ends here, and whether the others know that. */
  let end: { readonly fault: Fault; readonly from: 'here' | 'peer' | 'link' } | undefined;
  const guarded = (act: () => void) => {
    if (end !== undefined) return;
    try {
      act();
    } catch (thrown) {
      end = { fault: toFault(thrown), from: 'here' };
    }
    if (end !== undefined || part.finished) control.wake();
  };
  guarded(() => {
    link.begin(cluster.run, {
      packet: (from, packet) =>
        guarded(() => {
          const fault = faultIn(from, packet);
          if (fault === undefined) part.packet(from, packet);
          else end = { fault, from: 'peer' };
        }),
      room: (to) => guarded(() => part.room(to)),
      lost(_, lost) {
        if (part.finished) return;
        const message = `${lost.message}; waited for ${part.waitingFor}`;
        guarded(() => (end = { fault: { code: lost.code, message }, from: 'link' }));
      },
    });
  });
  try {
    let quietMs = 0;
    for (;;) {
      const seen = control.tick.now();
      guarded(() => part.step());
      const { clocks, tableBytes } = part;
      if (end?.from === 'here') throw fromFault(end.fault);
      if (end?.from === 'link') link.fail(end.fault, cluster.run);
      if (end !== undefined) return { clocks, stopped: true, tableBytes, fault: end.fault };
      if (control.stopped()) return { clocks, stopped: true, tableBytes };
      if (part.finished) {
        const inputs = part.inputs?.();
        return { clocks, stopped: false, tableBytes, ...(inputs && { inputs }) };
      }
      const sleepMs = cluster.sending.early ? idleMs : limits.gateWaitMs;
      const until = Math.min(sleepMs, Math.max(1, part.waitMs ?? sleepMs));
      const wake = waitAsync(arena.i32, control.tick.cell, seen, until);
      const why = wake.async ? await wake.value : 'ok';
      quietMs = why === 'timed-out' ? quietMs + until : 0;
      if (cluster.sending.early && quietMs >= idleMs) guarded(() => part.idle());
    }
  } catch (thrown) {
    link.fail(toFault(thrown), cluster.run);
    throw thrown;
  } finally {
    link.end();
  }
}
