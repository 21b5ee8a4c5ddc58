// What a schedule does, seen from outside: events of its phases for who looks on, and the auditor
// of a run with --audit. A program says what begins and ends; nothing here decides anything.
import { limits } from '../../base/limits.ts';
import { createScheduleAuditor } from '../../scheduler/auditor.ts';
import type { Stage } from '../context.ts';
import type { BegunPhase, ScheduleContext } from '../program.ts';

export type Watch = Pick<ScheduleContext<unknown, unknown>, 'began' | 'ended'> & {
  /** Pairs that the auditor asked about; undefined when the run is not audited. */
  readonly auditedPairs: number | undefined;
};

const numbers = (values: ArrayLike<number> | undefined) =>
  Array.from(values ?? []).slice(0, limits.schedulePickedShown);

/** `context` is asked for when a rule is: it does not exist yet when this is opened. */
export function openWatch(
  { events, nowMs, plan, program }: Stage,
  context: () => ScheduleContext<unknown, unknown>,
): Watch {
  const rule = program.conflict;
  const auditor =
    plan.audit && rule !== undefined
      ? createScheduleAuditor((a, b) => rule(context(), a, b))
      : undefined;
  let shownMs = -Infinity;
  let skipped = 0;
  const show = ({ number, picked, priorities, rejected = [], turnedDown }: BegunPhase) => {
    const now = nowMs();
    if (now - shownMs < limits.scheduleEventMs) {
      skipped += 1;
      return;
    }
    const said = events.offer({
      ...{ kind: 'schedule', clock: context().clock, phase: number, size: picked.length },
      ...{ picked: numbers(picked), priorities: numbers(priorities), skipped },
      rejected: rejected.slice(0, limits.scheduleRejectedShown),
      turnedDown: turnedDown ?? rejected.length,
    });
    skipped = said ? 0 : skipped + 1;
    shownMs = now;
  };
  return {
    get auditedPairs() {
      return auditor?.pairs;
    },
    began(phase) {
      auditor?.began(phase.number, phase.picked);
      show(phase);
    },
    ended(phase) {
      auditor?.ended(phase);
    },
  };
}
