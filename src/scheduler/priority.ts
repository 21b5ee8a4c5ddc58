// Priorities (STRADS, dynamic): variables are picked with a chance that grows with how much their
// last update changed them.
//
//   P(j) = (w_j + η) / Σ_k (w_k + η)        w_j = |Δ_j|, or Δ_j²        Xing et al. 2015; Lee 2014
//   η = floor · Σw / #{w > 0}               a share of the mean, so it shrinks with the changes
//
// η lets those come again that stood still. It is drawn as a choice between two draws, so weights
// need no floor written into them. Without priorities all variables are visited once, in order, to
// find some; a program that knows better sets them (violations of optimality, say).
//
// With `top` the largest weights are taken, without chance, in their order: a working set.
import { SystemError } from '../base/errors.ts';
import type { Prng } from '../base/prng.ts';
import type { Range } from '../base/ranges.ts';
import { createOrderPicker, type Picker } from './picker.ts';
import { createWeightTree } from './weight-tree.ts';

export type PriorityOptions = {
  readonly select: 'sample' | 'top';
  readonly squared: boolean;
  readonly floor: number;
};

/** Sums of that many of them are finite. */
const weightMax = 1e290;

/** Uniform in [0, 1) with 53 bits: 32 are too few to reach each of 10^8 variables evenly. */
function fineUniform(prng: Prng): number {
  return (prng.uint32() * 2 ** 21 + (prng.uint32() >>> 11)) / 2 ** 53;
}

export function createPriorityPicker(range: Range, options: PriorityOptions): Picker {
  const { select, squared, floor } = options;
  const size = range.last - range.first;
  const tree = createWeightTree(size, select === 'top' ? 'max' : 'sum');
  let sweep: ReturnType<typeof createOrderPicker> | undefined = createOrderPicker(range, {
    passes: 1,
  });
  let ofSweep: ReadonlySet<number> = new Set();
  let positive = 0;

  const weightOf = (change: number, index: number) => {
    if (Number.isFinite(change)) {
      const weight = Math.abs(change);
      return Math.min(weightMax, squared ? weight * weight : weight);
    }
    const what = `variable ${range.first + index} changed by ${change}: training diverged`;
    const remedy = 'use a smaller --phase-size or a smaller --dependency-threshold';
    throw new SystemError('ERR_NOT_FINITE', `${what}; ${remedy}`);
  };
  const set = (index: number, weight: number) => {
    positive += (weight > 0 ? 1 : 0) - (tree.get(index) > 0 ? 1 : 0);
    tree.set(index, weight);
  };

  /** One that is not out: by weight, or by η alone. */
  const draw = (prng: Prng, out: ReadonlyMap<number, number>, eta: number): number | undefined => {
    const all = tree.top + eta * (size - out.size);
    if (!(all > 0)) return undefined;
    const point = fineUniform(prng) * all;
    if (point < tree.top) return tree.find(point);
    // Rounding alone leads here when there is no η.
    if (eta === 0) return tree.find(tree.top);
    for (;;) {
      const index = prng.below(size);
      if (!out.has(index)) return index;
    }
  };

  return {
    take(prng, count, inFlight) {
      if (sweep?.exhausted === true) sweep = undefined;
      const swept = sweep?.take(prng, count, inFlight) ?? new Int32Array(0);
      ofSweep = new Set(swept);
      /** Weights of those that are not to be picked now, until the end of this function. */
      const out = new Map<number, number>();
      const eta = select === 'top' ? 0 : positive === 0 ? 1 : (floor * tree.top) / positive;
      const putOut = (index: number) => {
        out.set(index, tree.get(index));
        if (tree.get(index) > 0) tree.set(index, 0);
      };
      for (const variable of inFlight) {
        if (range.first <= variable && variable < range.last) putOut(variable - range.first);
      }
      for (const variable of swept) putOut(variable - range.first);
      const picked: number[] = [];
      while (swept.length + picked.length < count && out.size < size) {
        const index = draw(prng, out, eta);
        if (index === undefined) break;
        putOut(index);
        picked.push(index);
      }
      for (const [index, weight] of out) if (weight > 0) tree.set(index, weight);
      // Stable: what has the same weight stays in the order it was drawn in.
      picked.sort((a, b) => tree.get(b) - tree.get(a));
      return Int32Array.from([...swept, ...picked.map((index) => range.first + index)]);
    },
    back(variables) {
      // Priorities stand as they were; what the sweep proposed comes again with it.
      sweep?.back([...variables].filter((variable) => ofSweep.has(variable)));
    },
    learn(variables, changes) {
      variables.forEach((variable, i) => {
        const index = variable - range.first;
        set(index, weightOf(changes[i] ?? 0, index));
      });
    },
    setPriorities(values) {
      sweep = undefined;
      positive = 0;
      tree.fill((index) => {
        const weight = weightOf(values[index] ?? 0, index);
        if (weight > 0) positive += 1;
        return weight;
      });
    },
    priority: (variable) => tree.get(variable - range.first),
  };
}
