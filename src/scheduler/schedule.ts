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
import { filterCandidates, unknownOf, type Rejection } from './dispatch.ts';
import { balancedBounds, createOrderPicker, createRandomPicker, type Picker } from './picker.ts';
import { createPriorityPicker } from './priority.ts';

export type ScheduleKind = 'dynamic' | 'static' | 'random' | 'cyclic';

export type Phase = {
  readonly number: number;
  /** Variables to update at once; never empty. */
  readonly picked: Int32Array;
  /** What each was picked by; 0 where priorities do not count. */
  readonly priorities: Float64Array;
  /** The first of those that were turned down; `turnedDown` counts all. */
  readonly rejected: readonly Rejection[];
  readonly turnedDown: number;
};

export type Schedule = {
  /**
   * Whose mutual correlations `next` will want: their moments are to be noted before it. Empty when
   * it needs none, or all are known.
   */
  candidates(prng: Prng): Int32Array;
  /**
   * Undefined: nothing may start before something in flight has ended. With nothing in flight: no
   * variable has a priority, there is nothing to do.
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
  /** Candidates of a phase. Default: twice as many as wanted where they are filtered. */
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

type Flight = { readonly picker: number; readonly picked: Int32Array };

/** What has begun and not ended. */
function createFlights(depth: number) {
  const flights = new Map<number, Flight>();
  const inFlight = new Set<number>();
  return {
    inFlight: inFlight as ReadonlySet<number>,
    get full() {
      return flights.size > depth;
    },
    begin(number: number, flight: Flight) {
      flights.set(number, flight);
      for (const variable of flight.picked) inFlight.add(variable);
    },
    end(number: number, changes: number): Flight {
      const flight = flights.get(number);
      if (flight === undefined) {
        throw new SystemError('ERR_PROGRAM', `schedule: phase ${number} is not in flight`);
      }
      if (flight.picked.length !== changes) {
        const rule = `schedule: phase ${number} has ${flight.picked.length} variables`;
        throw new SystemError('ERR_PROGRAM', `${rule}, got ${changes} changes`);
      }
      flights.delete(number);
      for (const variable of flight.picked) inFlight.delete(variable);
      return flight;
    },
  };
}

function checkOptions(options: ScheduleOptions, poolSize: number): void {
  const { variables, want, depth = 0, schedulers = 1, correlations } = options;
  const wrong = (what: string, got: number) => {
    throw new SystemError('ERR_CONFIG', `schedule: ${what}, got ${got}`);
  };
  if (!(variables >= 1)) wrong('there is at least 1 variable', variables);
  if (!(want >= 1)) wrong('a phase has at least 1 variable', want);
  if (!(depth >= 0)) wrong('depth is at least 0', depth);
  if (!(schedulers >= 1 && schedulers <= variables)) {
    wrong(`schedulers are 1 to the number of variables, ${variables}`, schedulers);
  }
  const room = Math.min(variables, poolSize + (depth + 1) * want);
  if (correlations !== undefined && correlations.slots < room) {
    wrong(
      `correlations have a slot for each candidate and each in flight, ${room}`,
      correlations.slots,
    );
  }
}

/** Candidates of one picker that wait for the next phase. */
type Pool = { readonly picker: number; readonly candidates: Int32Array };

export function createSchedule(options: ScheduleOptions): Schedule {
  const { kind, variables, want, correlations, depth = 0, schedulers = 1 } = options;
  const { pool: poolSize = correlations === undefined ? want : 2 * want } = options;
  checkOptions(options, poolSize);
  const ranges = Array.from({ length: schedulers }, (_, s) => rangeOf(variables, schedulers, s));
  const pickers = ranges.map((range) => createPicker(options, range));
  const flights = createFlights(depth);
  let turn = 0;
  let number = 0;
  let pool: Pool | undefined;

  /** Candidates of the picker whose turn it is, or of the next one that has some. */
  const draw = (prng: Prng): Pool | undefined => {
    for (let tried = 0; tried < schedulers; tried++) {
      const picker = turn;
      turn = (turn + 1) % schedulers;
      const candidates = pickers[picker]!.take(prng, poolSize, flights.inFlight);
      if (candidates.length > 0) return { picker, candidates };
    }
    return undefined;
  };

  return {
    candidates(prng) {
      if (correlations === undefined || flights.full) return new Int32Array(0);
      pool ??= draw(prng);
      if (pool === undefined) return new Int32Array(0);
      return unknownOf(correlations, pool.candidates, flights.inFlight);
    },
    next(prng) {
      if (flights.full) return undefined;
      const own = pool ?? draw(prng);
      pool = undefined;
      if (own === undefined) return undefined;
      const { picker, candidates } = own;
      const most = kind === 'static' ? candidates.length : want;
      const { inFlight } = flights;
      const { kept, left, ...turned } = filterCandidates(candidates, most, {
        ...{ correlations, inFlight },
      });
      const from = pickers[picker]!;
      from.back(left);
      if (kept.length === 0) return undefined;
      const priorities = Float64Array.from(kept, (variable) => from.priority(variable));
      const phase = { number, picked: kept, priorities, ...turned };
      flights.begin(number, { picker, picked: kept });
      number += 1;
      return phase;
    },
    done(phase, changes) {
      const { picker, picked } = flights.end(phase, changes.length);
      pickers[picker]!.learn(picked, changes);
    },
    setPriorities(values) {
      assert(values.length === variables, 'there is a priority for each variable');
      // Drawn by the priorities that were.
      if (pool !== undefined) pickers[pool.picker]!.back(pool.candidates);
      pool = undefined;
      ranges.forEach(({ first, last }, s) => {
        pickers[s]!.setPriorities(values.subarray(first, last));
      });
    },
  };
}
