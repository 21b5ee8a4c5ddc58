// "Did you mean": the known word nearest to a mistyped one.

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const replace = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? at(i - 2, j - 2) + 1 : Infinity;
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replace, swap));
    }
  }
  return at(a.length, b.length);
}

/** The nearest of `words`, or undefined when none is near enough to be what was meant. */
export function nearest(wrong: string, words: readonly string[]): string | undefined {
  const lower = wrong.toLowerCase();
  const begun = words.find((word) => lower.length >= 3 && word.startsWith(lower));
  if (begun !== undefined) return begun;
  const tolerated = Math.max(1, Math.floor(wrong.length / 3));
  let best: string | undefined;
  let least = tolerated + 1;
  for (const word of words) {
    const edits = distance(lower, word.toLowerCase());
    if (edits < least) [best, least] = [word, edits];
  }
  return best;
}

/** `: did you mean X?`, or nothing. */
export function didYouMean(wrong: string, words: readonly string[], prefix = ''): string {
  const word = nearest(wrong, words);
  return word === undefined ? '' : `: did you mean ${prefix}${word}?`;
}
