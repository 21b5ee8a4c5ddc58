// Correlations of pairs of variables that were computed once, for the dependency filter: which
// pairs are known, and those of them that are strong. Weak ones, nearly all, cost a bit each.
//
//   slot   0   1   2  …            known   a bit for each pair of slots
//   of     x7  x0  x31 …           strong  by slot: the slots it is strongly correlated with
//
// Variables share a fixed number of slots; the one that was not asked for longest gives its slot
// up, and all that is known of it. So memory does not depend on the number of variables.
//
// Only what is new costs: of a list, moments are asked for between its new variables and all of it,
//
//            new      known            and a variable is new once, or again when two that are known
//   new    │ moments  moments │       have not met yet.
//   known  │    ·     known   │
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';

export type Correlations = {
  /** Below it a pair may be updated at the same time. */
  readonly threshold: number;
  /**
   * Moments of the variables of `list`, row by row: gram[i·n + j] = Σ x_i x_j. Its first rows are
   * enough, `newOf(list)` of them. Of centred columns they make Pearson's correlation, else the
   * cosine. A column of zeros is correlated with none.
   */
  note(list: Int32Array, gram: ArrayLike<number>): void;
  /** 0 when it is weaker than the threshold; undefined when the pair is not known. */
  between(j: number, k: number): number | undefined;
  /**
   * Those of `list` of which a pair is not known, of pairs with one of the last `count` in it; the
   * new ones first. What is known of `list` is kept for longer than what is known of others.
   */
  unknown(list: readonly number[], count: number): Int32Array;
  /** How many of the first of `list` are new: each pair that is not known has one of them. */
  newOf(list: Int32Array): number;
  /** Forgets all: the weights of the moments have changed. */
  clear(): void;
  readonly slots: number;
  /** How many pairs of those that are known are strong. */
  readonly strong: number;
};

/** Its bits are 2 MiB. */
const slotsDefault = 4096;

/** Which variable has which slot; a full directory takes the slot that was unused for longest. */
function createDirectory(slots: number, forget: (slot: number) => void) {
  const slotOf = new Map<number, number>();
  const variables = new Int32Array(slots);
  // A ring through all slots, the longest unused first; the last cell is its head. (The order of a
  // Map would do, but its first entry is looked for among all that were deleted.)
  const [before, after] = [new Int32Array(slots + 1), new Int32Array(slots + 1)];
  const join = (a: number, b: number) => {
    after[a] = b;
    before[b] = a;
  };
  const clear = () => {
    slotOf.clear();
    join(slots, slots);
  };
  clear();
  const toEnd = (slot: number) => {
    join(before[slots]!, slot);
    join(slot, slots);
  };
  const use = (variable: number): number | undefined => {
    const slot = slotOf.get(variable);
    if (slot === undefined) return undefined;
    join(before[slot]!, after[slot]!);
    toEnd(slot);
    return slot;
  };
  return {
    clear,
    get: (variable: number) => slotOf.get(variable),
    /** Its slot, if it has one, as the one used last. */
    use,
    claim(variable: number): number {
      const own = use(variable);
      if (own !== undefined) return own;
      let slot = slotOf.size;
      if (slot === slots) {
        slot = after[slots]!;
        slotOf.delete(variables[slot]!);
        forget(slot);
        join(before[slot]!, after[slot]!);
      }
      slotOf.set(variable, slot);
      variables[slot] = variable;
      toEnd(slot);
      return slot;
    },
  };
}

export function createCorrelations(options: {
  readonly threshold: number;
  readonly slots?: number;
}): Correlations {
  const { threshold, slots = slotsDefault } = options;
  assert(threshold > 0 && slots > 1, 'a threshold above 0, and room for pairs');
  const words = Math.ceil(slots / 32);
  const known = new Uint32Array(slots * words);
  const strong = Array.from({ length: slots }, () => new Map<number, number>());
  /** Roots of Σ x², by slot. */
  const norms = new Float64Array(slots);
  let pairs = 0;

  const bit = (a: number, b: number) =>
    ((known[a * words + (b >>> 5)] ?? 0) & (1 << (b & 31))) !== 0;
  // Who forgets clears its own row: a pair is known when both rows say so.
  const isKnown = (a: number, b: number) => bit(a, b) && bit(b, a);
  const directory = createDirectory(slots, (slot) => {
    known.fill(0, slot * words, (slot + 1) * words);
    for (const other of strong[slot]!.keys()) strong[other]!.delete(slot);
    pairs -= strong[slot]!.size;
    strong[slot]!.clear();
  });
  const enter = (a: number, b: number, correlation: number) => {
    known[a * words + (b >>> 5)]! |= 1 << (b & 31);
    known[b * words + (a >>> 5)]! |= 1 << (a & 31);
    const isStrong = Math.abs(correlation) >= threshold;
    // Nearly all pairs end here.
    if (!isStrong && strong[a]!.size === 0) return;
    if (isStrong !== strong[a]!.has(b)) pairs += isStrong ? 1 : -1;
    if (isStrong) {
      strong[a]!.set(b, correlation);
      strong[b]!.set(a, correlation);
    } else {
      strong[a]!.delete(b);
      strong[b]!.delete(a);
    }
  };

  return {
    threshold,
    slots,
    get strong() {
      return pairs;
    },
    note(list, gram) {
      const n = list.length;
      if (n === 0) return;
      if (n > slots) {
        const rule = `correlations: at most ${slots} variables at a time, got ${n}`;
        throw new SystemError('ERR_LIMIT', `${rule}: create them with more slots`);
      }
      const rows = gram.length / n;
      // What has a slot keeps it.
      const old = Array.from(list, (variable) => directory.use(variable));
      const slotted = old.every((slot, i) => slot !== undefined || i < rows);
      assert(slotted, 'a variable without a slot has a row of moments');
      const places = Array.from(list, directory.claim);
      for (let i = 0; i < rows; i++) norms[places[i]!] = Math.sqrt(gram[i * n + i]!);
      for (let i = 0; i < rows; i++) {
        for (let j = i + 1; j < n; j++) {
          const scale = norms[places[i]!]! * norms[places[j]!]!;
          enter(places[i]!, places[j]!, scale > 0 ? gram[i * n + j]! / scale : 0);
        }
      }
    },
    between(j, k) {
      const a = directory.get(j);
      const b = directory.get(k);
      if (a === undefined || b === undefined || !isKnown(a, b)) return undefined;
      return strong[a]!.get(b) ?? 0;
    },
    unknown(list, count) {
      const places = list.map((variable) => directory.use(variable) ?? -1);
      const isNew = places.map((slot) => slot < 0);
      const missing = new Uint8Array(list.length);
      for (let i = list.length - count; i < list.length; i++) {
        const slot = places[i]!;
        for (let k = 0; k < i; k++) {
          const other = places[k]!;
          if (slot >= 0 && other >= 0 && isKnown(slot, other)) continue;
          missing[i] = missing[k] = 1;
          if (!isNew[k]) isNew[i] = true;
        }
      }
      const ask = (fresh: boolean) => list.filter((_, i) => missing[i] === 1 && isNew[i] === fresh);
      return Int32Array.from([...ask(true), ...ask(false)]);
    },
    newOf(list) {
      const places = Array.from(list, (variable) => directory.get(variable) ?? -1);
      for (let i = places.length - 1; i >= 0; i--) {
        const slot = places[i]!;
        if (slot < 0) return i + 1;
        for (let k = i + 1; k < places.length; k++) {
          if (!isKnown(slot, places[k]!)) return i + 1;
        }
      }
      return 0;
    },
    clear() {
      known.fill(0);
      for (const partners of strong) partners.clear();
      directory.clear();
      pairs = 0;
    },
  };
}
