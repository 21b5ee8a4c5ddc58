// A schedule: which variables are updated next, all of them at once, and by how many phases that
// may happen before the first one's changes are known. A pure machine: a program calls it from its
// `schedule` and `pull`, and may bring an object of its own with the same four functions.
//
//   candidates ──▶ the program computes their moments ──▶ correlations.note
//   next       ──▶ a phase, in flight from now on
//   done       ◀── what became of it: |Δ| of its variables
//
//   kind      which come first                                   conflicts
//   dynamic   those that changed most (priority.ts)              filtered
//   random    any, with the same chance                          filtered
//   cyclic    the next in order                                  filtered
//   static    the next of fixed blocks that cost about the same  filtered
//
// Variables are filtered where correlations are given; those turned down come again soon.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import type { Prng } from '../base/prng.ts';
import { rangeOf, type Range } from '../base/ranges.ts';
import type { Correlations } from './correlations.ts';
import { createDispatcher, type DispatchOptions, type Phase, type Source } from './dispatch.ts';
import { balancedBounds, createOrderPicker, createRandomPicker, type Picker } from './picker.ts';
import { createPriorityPicker } from './priority.ts';

export type ScheduleKind = 'dynamic' | 'static' | 'random' | 'cyclic';

export type { Phase };

export type Schedule = {
  /**
   * Whose mutual correlations `next` will want: their moments are to be noted before it. Empty when
   * it needs none, or all are known.
   */
  candidates(prng: Prng): Int32Array;
  /**
   * Undefined: nothing may start before something in flight has ended, or before the moments of
   * another range's candidates are noted: then `candidates` is not empty, and `next` is worth
   * another call. With nothing in flight: no variable has a priority, there is nothing to do.
   */
  next(prng: Prng): Phase | undefined;
  /** Ends a phase's flight: `changes[i]` is |Δ| of its variable i. */
  done(phase: number, changes: Float64Array): void;
  /** Priorities of all variables, from a program that knows better: violations of optimality. */
  setPriorities(values: Float64Array): void;
};

export type ScheduleOptions = {
  readonly kind: ScheduleKind;
  readonly variables: number;
  /** Variables of a phase. */
  readonly want: number;
  /** Dynamic: by chance, or the largest priorities. Default: sample. */
  readonly select?: 'sample' | 'top';
  /** Dynamic: priorities are squares of changes. Default: no. */
  readonly squared?: boolean;
  /** Dynamic: η as a share of the mean priority. Default: 0.01, like the original. */
  readonly floor?: number;
  /** Undefined: nothing is filtered. */
  readonly correlations?: Correlations | undefined;
  /** Static: what a variable costs, its nonzeros say. Default: all the same. */
  readonly costs?: ((variable: number) => number) | undefined;
  /** Phases in flight besides the newest. Default: 0. */
  readonly depth?: number;
  /** Candidates of a phase. Default with a filter: as many as were needed, at most 2 want. */
  readonly pool?: number;
  /** Ranges of the variables with a picker of its own each, in turns. Default: 1. */
  readonly schedulers?: number;
};

/** The picker of a range of the variables. */
export function createPicker(
  options: Pick<ScheduleOptions, 'kind' | 'want' | 'select' | 'squared' | 'floor' | 'costs'>,
  range: Range,
): Picker {
  const { kind, want, costs = () => 1 } = options;
  switch (kind) {
    case 'dynamic': {
      const { select = 'sample', squared = false, floor = 0.01 } = options;
      return createPriorityPicker(range, { select, squared, floor });
    }
    case 'random':
      return createRandomPicker(range);
    case 'cyclic':
      return createOrderPicker(range);
    case 'static':
      return createOrderPicker(range, { bounds: balancedBounds(range, want, costs) });
  }
}

export function checkOptions(options: ScheduleOptions): void {
  const { variables, want, depth = 0, schedulers = 1, correlations, pool = 2 * want } = options;
  const wrong = (what: string, got: number) => {
    throw new SystemError('ERR_CONFIG', `schedule: ${what}, got ${got}`);
  };
  if (!(variables >= 1)) wrong('there is at least 1 variable', variables);
  if (!(want >= 1)) wrong('a phase has at least 1 variable', want);
  if (!(depth >= 0)) wrong('depth is at least 0', depth);
  if (!(schedulers >= 1 && schedulers <= variables)) {
    wrong(`schedulers are 1 to the number of variables, ${variables}`, schedulers);
  }
  const room = Math.min(variables, pool + (depth + 1) * want);
  if (correlations !== undefined && correlations.slots < room) {
    wrong(
      `correlations have a slot for each candidate and each in flight, ${room}`,
      correlations.slots,
    );
  }
}

export function dispatchOptions(options: ScheduleOptions): DispatchOptions {
  const { kind, want, depth = 0, correlations, pool, schedulers: ranges = 1 } = options;
  // A block is as large as it is.
  const most = kind === 'static' ? Infinity : want;
  return { want, most, depth, correlations, pool, ranges };
}

export function createSchedule(options: ScheduleOptions): Schedule {
  checkOptions(options);
  const { variables, schedulers = 1 } = options;
  const ranges = Array.from({ length: schedulers }, (_, s) => rangeOf(variables, schedulers, s));
  const pickers = ranges.map((range) => createPicker(options, range));
  let turn = 0;
  const source: Source = {
    /** Of the picker whose turn it is, or of the next one that has some. */
    draw(prng, count, inFlight) {
      for (let tried = 0; tried < schedulers; tried++) {
        const picker = turn;
        turn = (turn + 1) % schedulers;
        const candidates = pickers[picker]!.take(prng, count, inFlight);
        if (candidates.length > 0) return { picker, candidates };
      }
      return undefined;
    },
    back: (picker, left) => pickers[picker]!.back(left),
    learn: (picker, picked, changes) => pickers[picker]!.learn(picked, changes),
    priority: (picker, variable) => pickers[picker]!.priority(variable),
  };
  const dispatcher = createDispatcher(source, dispatchOptions(options));
  return {
    candidates: dispatcher.candidates,
    next: dispatcher.next,
    done: dispatcher.done,
    setPriorities(values) {
      assert(values.length === variables, 'there is a priority for each variable');
      dispatcher.dropPool();
      ranges.forEach(({ first, last }, s) => {
        pickers[s]!.setPriorities(values.subarray(first, last));
      });
    },
  };
}
