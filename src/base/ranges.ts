// How things in a row are shared out: contiguous ranges, as even as they come. Rows over
// partitions, partitions over workers, rows of a table over hosts: one rule, so that all agree.
import { assert } from './assert.ts';

/** From `first` up to, and without, `last`. */
export type Range = { readonly first: number; readonly last: number };

/** The range of 0 … count that part `part` of `parts` has. */
export function rangeOf(count: number, parts: number, part: number): Range {
  const at = (p: number) => Math.floor((count * p) / parts);
  return { first: at(part), last: at(part + 1) };
}

/** The part that has `item`: the inverse of rangeOf. */
export function partOf(count: number, parts: number, item: number): number {
  assert(item >= 0 && item < count, 'the item is one of them');
  let part = Math.min(parts - 1, Math.floor((item * parts) / count));
  while (rangeOf(count, parts, part).last <= item) part += 1;
  while (rangeOf(count, parts, part).first > item) part -= 1;
  return part;
}
