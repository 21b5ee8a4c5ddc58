// Weights of very many variables, of which one is drawn or the largest found without looking at all
// of them. Each level has a number for every 16 of the level below, their sum or their maximum:
//
//   level 2   ┌ 31 ┐                              a draw goes down from the top,
//   level 1   ├ 12 ┬ 19 ┐                         a change goes up again: both cost
//   level 0   w0 … w15  w16 … w31                 16 · log16(count)
//
// A level is always recomputed from the one below, so nothing drifts, however many changes: a
// weight of 0 is never drawn.
import { assert } from '../base/assert.ts';

const fan = 16;

export type WeightTree = {
  /** Sum of all weights, or the largest one. */
  readonly top: number;
  get(index: number): number;
  set(index: number, weight: number): void;
  /** All of them anew: weight i is what `weightOf(i)` says. */
  fill(weightOf: (index: number) => number): void;
  /**
   * Of a tree of sums: where the running sum first exceeds `point`, a number in [0, top). Of a tree
   * of maxima: the first that has the largest weight; `point` does not count.
   */
  find(point: number): number;
};

type Combine = (values: Float64Array, first: number, last: number) => number;

const combine: Readonly<Record<'sum' | 'max', Combine>> = {
  sum(values, first, last) {
    let sum = 0;
    for (let i = first; i < last; i++) sum += values[i]!;
    return sum;
  },
  max(values, first, last) {
    let max = 0;
    for (let i = first; i < last; i++) if (values[i]! > max) max = values[i]!;
    return max;
  },
};

/** Of those of [first, last), which one to go down to; what is left of the point is in `rest`. */
function descend(values: Float64Array, range: { first: number; last: number }, point: number) {
  let rest = point;
  let found = range.first;
  for (let i = range.first; i < range.last; i++) {
    const value = values[i]!;
    if (value === 0) continue;
    // Rounding may leave the point behind the last: then it is the last that has a weight.
    found = i;
    if (rest < value) break;
    rest -= value;
  }
  return { found, rest };
}

function firstLargest(values: Float64Array, range: { first: number; last: number }): number {
  let found = range.first;
  for (let i = range.first + 1; i < range.last; i++) if (values[i]! > values[found]!) found = i;
  return found;
}

/** All weights are 0 at first. They are never negative, and their sum must be finite. */
export function createWeightTree(count: number, kind: 'sum' | 'max'): WeightTree {
  const join = combine[kind];
  const leaves = new Float64Array(count);
  const levels = [leaves];
  for (let size = count; size > 1;) {
    size = Math.ceil(size / fan);
    levels.push(new Float64Array(size));
  }
  const joinInto = (level: number, index: number) => {
    const below = levels[level - 1]!;
    const last = Math.min(below.length, (index + 1) * fan);
    levels[level]![index] = join(below, index * fan, last);
  };
  return {
    get top() {
      return levels.at(-1)?.[0] ?? 0;
    },
    get: (index) => leaves[index] ?? 0,
    set(index, weight) {
      assert(index >= 0 && index < count && weight >= 0, 'a weight of one of them');
      leaves[index] = weight;
      for (let level = 1, at = index; level < levels.length; level++) {
        at = Math.floor(at / fan);
        joinInto(level, at);
      }
    },
    fill(weightOf) {
      for (let i = 0; i < count; i++) leaves[i] = weightOf(i);
      for (let level = 1; level < levels.length; level++) {
        for (let at = 0; at < levels[level]!.length; at++) joinInto(level, at);
      }
    },
    find(point) {
      let at = 0;
      let rest = point;
      for (let level = levels.length - 2; level >= 0; level--) {
        const values = levels[level]!;
        const range = { first: at * fan, last: Math.min(values.length, (at + 1) * fan) };
        if (kind === 'max') at = firstLargest(values, range);
        else ({ found: at, rest } = descend(values, range, rest));
      }
      return at;
    },
  };
}
