// Who proposes what to update next: the half of a schedule that knows all variables. What becomes
// of a proposal is decided by the other half (dispatch.ts), which knows the few that were proposed.
//
//   picker ── take ──▶ candidates, best first ──▶ filter ──▶ phase ──▶ workers
//      ▲  ◀── back ── those that the phase left out                      │
//      └───── learn ── how much each variable changed ◀──────────────────┘
//
// A picker has the variables of one range, so that several of them share very wide models out.
import type { Prng } from '../base/prng.ts';
import type { Range } from '../base/ranges.ts';

export type Picker = {
  /** Up to `count` distinct variables that are not in flight, best first. */
  take(prng: Prng, count: number, inFlight: ReadonlySet<number>): Int32Array;
  /** Variables that were taken and not updated: they are to come again. */
  back(variables: Iterable<number>): void;
  /** Variables that were updated, and by how much. */
  learn(variables: Int32Array, changes: Float64Array): void;
  /** Priorities of all variables of the range, from a program that knows better. */
  setPriorities(values: Float64Array): void;
  /** What a variable was picked by; 0 where priorities do not count. */
  priority(variable: number): number;
};

const noPriority = { learn: () => undefined, setPriorities: () => undefined, priority: () => 0 };

/**
 * Cyclic: the next `count` in order, from the last to the first; what came back goes before them.
 * With `bounds`, static: the next block, whatever the count; what came back goes before it, alone.
 * `passes`: how often around.
 */
export function createOrderPicker(
  range: Range,
  { bounds, passes = Infinity }: { bounds?: Int32Array; passes?: number } = {},
): Picker & { readonly exhausted: boolean } {
  const size = range.last - range.first;
  const returned: number[] = [];
  let cursor = 0;
  let block = 0;
  let left = size === 0 ? 0 : passes;
  const next = () => {
    const variable = range.first + cursor;
    cursor += 1;
    if (cursor === size) {
      cursor = 0;
      left -= 1;
    }
    return variable;
  };
  const nextBlock = (cuts: Int32Array) => {
    const length = (cuts[block + 1] ?? size) - (cuts[block] ?? 0);
    block = (block + 1) % (cuts.length - 1);
    return length;
  };
  return {
    ...noPriority,
    get exhausted() {
      return left === 0 && returned.length === 0;
    },
    take(_, count, inFlight) {
      const taken = new Set<number>();
      // What is in flight is being updated: its next turn is the next time around.
      const add = (variable: number) => {
        if (!inFlight.has(variable)) taken.add(variable);
      };
      const most = bounds === undefined ? Math.min(count, size) : size;
      returned.splice(0, most).forEach(add);
      let fresh = most - taken.size;
      if (bounds !== undefined) fresh = taken.size > 0 ? 0 : nextBlock(bounds);
      for (let i = 0; i < fresh && left > 0; i++) add(next());
      return Int32Array.from(taken);
    },
    back(variables) {
      returned.unshift(...variables);
    },
  };
}

/** Uniform: every set of `count` variables has the same chance. */
export function createRandomPicker(range: Range): Picker {
  const size = range.last - range.first;
  return {
    ...noPriority,
    back: () => undefined,
    take(prng, count, inFlight) {
      let busy = 0;
      for (const variable of inFlight) {
        if (range.first <= variable && variable < range.last) busy += 1;
      }
      const taken = new Set<number>();
      const most = Math.min(count, size - busy);
      while (taken.size < most) {
        const variable = range.first + prng.below(size);
        if (!inFlight.has(variable)) taken.add(variable);
      }
      return Int32Array.from(taken);
    },
  };
}

/**
 * Cuts variables in order into blocks that cost about the same, of about `want` variables and at
 * most twice as many: without its last variable, none costs its share. Returns where blocks begin,
 * and the end.
 */
export function balancedBounds(
  range: Range,
  want: number,
  cost: (variable: number) => number,
): Int32Array {
  const size = range.last - range.first;
  let total = 0;
  for (let i = 0; i < size; i++) total += cost(range.first + i);
  const share = total / Math.ceil(size / want);
  const bounds = [0];
  let first = 0;
  let spent = 0;
  for (let i = 0; i < size; i++) {
    const full = total > 0 ? spent >= share : i - first >= want;
    if (i > first && (full || i - first >= 2 * want)) {
      bounds.push(i);
      first = i;
      spent = 0;
    }
    spent += cost(range.first + i);
  }
  return Int32Array.from([...bounds, size]);
}
