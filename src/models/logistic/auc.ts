// The area under the ROC curve: the share of pairs of a positive and a negative row that scores put
// in the right order; ties count half.

/** Of the scores of both classes' rows, which are sorted in place; undefined when one has none. */
export function areaUnderCurve(
  positives: Float64Array,
  negatives: Float64Array,
): number | undefined {
  if (positives.length === 0 || negatives.length === 0) return undefined;
  positives.sort();
  negatives.sort();
  let below = 0;
  let upTo = 0;
  let ordered = 0;
  for (const score of positives) {
    while (below < negatives.length && (negatives[below] ?? 0) < score) below += 1;
    upTo = Math.max(upTo, below);
    while (upTo < negatives.length && (negatives[upTo] ?? 0) <= score) upTo += 1;
    ordered += (below + upTo) / 2;
  }
  return ordered / (positives.length * negatives.length);
}
