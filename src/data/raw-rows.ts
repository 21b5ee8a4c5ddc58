// Documents as they were parsed, and the steps that bring them into their final form. In memory the
// main thread hands them out; documents in a file are read into a thread's scratch for them.
import type { CorpusBlock } from './dataset.ts';
import type { Step } from './steps.ts';

/** Where documents lie: words as in the file, in any order, some of them twice. */
export type RawRows = Omit<CorpusBlock, 'tokens'>;

/** How raw words become words: by `map`, an address (0: none), and less `base`. */
export type WordRules = { readonly base: number; readonly words: number; readonly map: number };

type Cells = Readonly<ArrayLike<number>>;

const entry = (i32: Cells, { rowStart }: RawRows, row: number) => i32[rowStart / 4 + row] ?? 0;

/** Documents [from, to) of a block. */
export function cutRows(i32: Cells, rows: RawRows, from: number, to: number): RawRows {
  return {
    ...rows,
    documents: to - from,
    nonzeros: entry(i32, rows, to) - entry(i32, rows, from),
    rowStart: rows.rowStart + from * 4,
    target: rows.target + from * 4,
  };
}

/** Numbers of labels become classes. */
export function labelStep({ documents: n, target }: RawRows, map: Int32Array): Step {
  return { op: 'remap', n, map, from: target, to: target };
}

/** Counts for each word of the table the documents that have it. */
export function documentsStep(i32: Cells, rows: RawRows, table: number): Step {
  const at = rows.index + entry(i32, rows, 0) * 4;
  return { op: 'documents', n: rows.nonzeros, table, at };
}

/** Counts tokens. */
export function totalStep(i32: Cells, rows: RawRows): Step {
  return { op: 'total', n: rows.nonzeros, at: rows.count + entry(i32, rows, 0) * 4 };
}

export function bagsStep({ documents, rowStart, index, count }: RawRows, rules: WordRules): Step {
  return { op: 'bags', rows: documents, ...rules, rowStart, index, count };
}

/** Counts documents without a word. */
export function emptyStep({ documents: rows, rowStart }: RawRows): Step {
  return { op: 'empty', rows, rowStart };
}
