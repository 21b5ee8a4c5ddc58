// The auditor of schedules: were two things in flight at once that must not be?
//
// It believes no scheduler. It is told what begins and what ends, and asks a rule of the program's
// own about every pair that is in flight together: correlations from the data, parts of a grid, not
// what a cache or a filter says of them.
import { SystemError } from '../base/errors.ts';

/** Why `a` and `b` may not be in flight at once, in words; undefined when they may. */
export type ConflictRule = (a: number, b: number) => string | undefined;

export type ScheduleAuditor = {
  /** @throws ERR_SCHEDULE when one of `items` conflicts with another, or with one in flight. */
  began(phase: number, items: ArrayLike<number>): void;
  ended(phase: number): void;
  /** How many pairs were asked about. */
  readonly pairs: number;
};

const remedy =
  'filter such pairs out of what your schedule dispatches, or lower its threshold or depth; ' +
  "if the schedule is Perpetuum's, this is a bug of it: please report it with the command";

export function createScheduleAuditor(rule: ConflictRule): ScheduleAuditor {
  const flights = new Map<number, readonly number[]>();
  let pairs = 0;
  const check = (one: { phase: number; item: number }, other: { phase: number; item: number }) => {
    pairs += 1;
    const why = one.item === other.item ? 'they are the same' : rule(other.item, one.item);
    if (why === undefined) return;
    const where =
      one.phase === other.phase
        ? `phase ${one.phase} has`
        : `phases ${other.phase} and ${one.phase} have`;
    const what = `${other.item} and ${one.item} in flight at once`;
    throw new SystemError('ERR_SCHEDULE', `${where} ${what}: ${why}; ${remedy}`);
  };
  return {
    get pairs() {
      return pairs;
    },
    began(phase, items) {
      const begun = Array.from(items);
      begun.forEach((item, i) => {
        for (const [number, others] of flights) {
          for (const other of others) check({ phase, item }, { phase: number, item: other });
        }
        for (let k = 0; k < i; k++) check({ phase, item }, { phase, item: begun[k]! });
      });
      flights.set(phase, begun);
    },
    ended(phase) {
      flights.delete(phase);
    },
  };
}
