// Correlations of pairs of variables that were computed once, for the dependency filter: which
// pairs are known, and those of them that are strong. Weak ones, nearly all, cost a bit each.
//
//   slot   0   1   2  …            known   a bit for each pair of slots
//   of     x7  x0  x31 …           strong  by slot: the slots it is strongly correlated with
//
// Variables share a fixed number of slots; the one that was not asked for longest gives its slot
// up, and all that is known of it. So memory does not depend on the number of variables.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';

export type Correlations = {
  /** Below it a pair may be updated at the same time. */
  readonly threshold: number;
  /**
   * Moments of all pairs of `list`, row by row: gram[i·n + j] = Σ x_i x_j. Of centred columns they
   * make Pearson's correlation, else the cosine. A column of zeros is correlated with none.
   */
  note(list: Int32Array, gram: ArrayLike<number>): void;
  /** 0 when it is weaker than the threshold; undefined when the pair is not known. */
  between(j: number, k: number): number | undefined;
  /**
   * Those of `list` of which a pair is not known, of pairs with one of the last `count` in it. What
   * is known of `list` is kept for longer than what is known of others.
   */
  unknown(list: readonly number[], count: number): Int32Array;
  /** Forgets all: the weights of the moments have changed. */
  clear(): void;
  readonly slots: number;
  /** How many pairs of those that are known are strong. */
  readonly strong: number;
};

/** Its bits are 2 MiB. */
const slotsDefault = 4096;

export function createCorrelations(options: {
  readonly threshold: number;
  readonly slots?: number;
}): Correlations {
  const { threshold, slots = slotsDefault } = options;
  assert(threshold > 0 && slots > 1, 'a threshold above 0, and room for pairs');
  const words = Math.ceil(slots / 32);
  const known = new Uint32Array(slots * words);
  const strong = Array.from({ length: slots }, () => new Map<number, number>());
  /** By variable, the longest unused first: a Map keeps the order of insertion. */
  const slotOf = new Map<number, number>();
  let pairs = 0;

  const isKnown = (a: number, b: number) =>
    ((known[a * words + (b >>> 5)] ?? 0) & (1 << (b & 31))) !== 0;
  const use = (variable: number, slot: number) => {
    slotOf.delete(variable);
    slotOf.set(variable, slot);
    return slot;
  };
  const forget = (variable: number, slot: number) => {
    slotOf.delete(variable);
    known.fill(0, slot * words, (slot + 1) * words);
    const bit = ~(1 << (slot & 31));
    for (let a = slot >>> 5; a < known.length; a += words) known[a] = (known[a] ?? 0) & bit;
    for (const other of strong[slot]!.keys()) strong[other]!.delete(slot);
    pairs -= strong[slot]!.size;
    strong[slot]!.clear();
  };
  const claim = (variable: number) => {
    const own = slotOf.get(variable);
    if (own !== undefined) return use(variable, own);
    if (slotOf.size < slots) return use(variable, slotOf.size);
    const [oldest = -1, slot = 0] = slotOf.entries().next().value ?? [];
    forget(oldest, slot);
    return use(variable, slot);
  };
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
      if (n > slots) {
        const rule = `correlations: at most ${slots} variables at a time, got ${n}`;
        throw new SystemError('ERR_LIMIT', `${rule}: create them with more slots`);
      }
      const places = Array.from(list, claim);
      for (let i = 0; i < n; i++) {
        const own = gram[i * n + i]!;
        for (let j = 0; j < i; j++) {
          const scale = Math.sqrt(own) * Math.sqrt(gram[j * n + j]!);
          const correlation = scale > 0 ? gram[i * n + j]! / scale : 0;
          enter(places[i]!, places[j]!, correlation);
        }
      }
    },
    between(j, k) {
      const a = slotOf.get(j);
      const b = slotOf.get(k);
      if (a === undefined || b === undefined || !isKnown(a, b)) return undefined;
      return strong[a]!.get(b) ?? 0;
    },
    unknown(list, count) {
      const places = list.map((variable) => {
        const slot = slotOf.get(variable);
        return slot === undefined ? -1 : use(variable, slot);
      });
      const missing = new Uint8Array(list.length);
      for (let i = list.length - count; i < list.length; i++) {
        const slot = places[i]!;
        for (let k = 0; k < i; k++) {
          const other = places[k]!;
          if (slot < 0 || other < 0 || !isKnown(slot, other)) missing[i] = missing[k] = 1;
        }
      }
      return Int32Array.from(list.filter((_, i) => missing[i] === 1));
    },
    clear() {
      known.fill(0);
      for (const partners of strong) partners.clear();
      slotOf.clear();
      pairs = 0;
    },
  };
}
