// The rows of a table that a payload has set: ranges, numbers, and parts of wide rows.

export type Range = { readonly first: number; readonly count: number };
/** `count` columns of a row. */
export type Part = { readonly row: number; readonly column: number; readonly count: number };

export type WrittenRows = ReturnType<typeof openWrittenRows>;

/** The first place in ascending `rows` whose number is not below `row`. */
export function lowerBound(rows: Int32Array, row: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] ?? 0) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function openWrittenRows() {
  const ranges: Range[] = [];
  const parts: Part[] = [];
  let rows = new Int32Array(0);
  return {
    ranges: ranges as readonly Range[],
    parts: parts as readonly Part[],
    /** Ascending. */
    rows: () => rows,
    addRange(range: Range): void {
      const before = ranges.at(-1);
      ranges.push(range);
      if (before === undefined || before.first <= range.first) return;
      ranges.sort((a, b) => a.first - b.first);
    },
    addRows(more: Int32Array): void {
      const all = new Int32Array(rows.length + more.length);
      all.set(rows);
      all.set(more, rows.length);
      rows = all.sort();
    },
    addPart: (part: Part): number => parts.push(part),
    /** Whether the whole row was set. */
    has(row: number): boolean {
      if (rows[lowerBound(rows, row)] === row) return true;
      let [low, high] = [0, ranges.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        const range = ranges[middle];
        if (range !== undefined && range.first + range.count <= row) low = middle + 1;
        else high = middle;
      }
      const range = ranges[low];
      return range !== undefined && range.first <= row && row < range.first + range.count;
    },
  };
}
