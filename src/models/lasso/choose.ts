// Which variables join the working set: the schedule's choice (src/scheduler).
//
//   dynamic                 the worst violators of optimality first, and only those
//   static, random, cyclic  the schedule's next, violators or not: for comparison
import { createPrng, type Prng } from '../../base/prng.ts';
import { createSchedule, type Schedule, type ScheduleKind } from '../../scheduler/schedule.ts';
import type { Lane } from './layout.ts';

export type Ask = {
  readonly lane: Lane;
  readonly l1: number;
  /** Length of the list of survivors. */
  readonly survivors: number;
};

export type Chooser = {
  /** At most `want` of the survivors that have no slot. */
  violators(ask: Ask, want: number): Int32Array;
  /** Variables other than 0, at most `most`: those that come next, by turns. */
  support(lane: Lane, most: number): Int32Array;
};

/** Variables of one phase of a schedule over all variables. */
const phaseSize = 64;

function violatorsOf({ lane, l1, survivors }: Ask): {
  readonly variables: Int32Array;
  readonly priorities: Float64Array;
} {
  const list = lane.at('violators');
  const priorities = lane.at('priorities');
  const count = lane.kernels.lasso_violators(
    ...([survivors, lane.at('survivors'), l1, lane.at('c'), lane.at('omega')] as const),
    ...([lane.at('slotOf'), list, priorities] as const),
  );
  return {
    variables: lane.arena.i32.slice(list / 4, list / 4 + count),
    priorities: lane.arena.f64.slice(priorities / 8, priorities / 8 + count),
  };
}

/** The worst violators, from a schedule over the violators alone. */
function worst(ask: Ask, want: number, prng: Prng): Int32Array {
  const { variables, priorities } = violatorsOf(ask);
  if (variables.length <= want) return variables;
  const schedule = createSchedule({
    ...{ kind: 'dynamic', select: 'top', variables: variables.length, want },
  });
  schedule.setPriorities(priorities);
  const phase = schedule.next(prng);
  return Int32Array.from(phase?.picked ?? [], (k) => variables[k] ?? 0).sort();
}

export function createChooser(kind: ScheduleKind, columns: number, seed: number): Chooser {
  const prng = createPrng(seed, 0);
  let turn = 0;
  let schedule: Schedule | undefined;
  const next = ({ lane }: Ask, want: number): Int32Array => {
    schedule ??= createSchedule({ kind, variables: columns, want: Math.min(phaseSize, columns) });
    const { i32, f64 } = lane.arena;
    const free = (variable: number) =>
      (i32[lane.at('slotOf') / 4 + variable] ?? 0) < 0 &&
      (f64[lane.at('omega') / 8 + variable] ?? 0) > 0;
    const picked = new Set<number>();
    // A pass over all variables finds those that are free.
    for (let tried = 0; picked.size < want && tried < columns;) {
      const phase = schedule.next(prng);
      if (phase === undefined) break;
      tried += phase.picked.length;
      for (const variable of phase.picked) if (free(variable)) picked.add(variable);
      schedule.done(phase.number, new Float64Array(phase.picked.length));
    }
    return Int32Array.from([...picked].slice(0, want)).sort();
  };
  return {
    violators: (ask, want) => {
      if (want <= 0) return new Int32Array(0);
      return kind === 'dynamic' ? worst(ask, want, prng) : next(ask, want);
    },
    support(lane, most) {
      const { arena, kernels, shape } = lane;
      const list = lane.at('violators');
      const count = kernels.lasso_support(shape.columns, lane.at('u'), list);
      const all = arena.i32.slice(list / 4, list / 4 + count);
      if (count <= most) return all;
      const from = turn % count;
      turn = from + most;
      return Int32Array.from({ length: most }, (_, k) => all[(from + k) % count] ?? 0).sort();
    },
  };
}
