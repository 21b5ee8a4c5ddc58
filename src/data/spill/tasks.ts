// Documents on their way into a file (layout.ts says how they lie there): parse tasks write what
// they parsed as it is, and when the words are known, every block is read back, finished and
// written again.
//
//   main                                          loader thread
//   parse     chunk, file               ------>   raw blocks, each where there is room
//   spilled   a raw block, its words    ------>   documents counted, or the finished block
//
// A raw block takes its place by an atomic add, so the file's order depends on time; the list of
// blocks does not. A finished block has the raw one's place, or a new one where it does not fit.
//
// Entries `document word count` in the order of documents are runs, documents × i32, words × i32,
// counts × i32, each padded to 16 bytes. The first document of a chunk is a run of its own: where
// it began in the chunk before, it belongs to that one's block.
//
//   chunk k     head │ rest                          block   [head] rest, and the heads behind
//   chunk k+1   head │ rest                                  that are of its last document
import type { WordRules } from '../raw-rows.ts';
import type { SpilledBlock } from './layout.ts';

export type SpillFile = {
  readonly path: string;
  /** One i64: bytes that are taken. */
  readonly end: SharedArrayBuffer;
};

/** Documents [from, to) of a raw block at byte `at`. */
export type SpilledRows = {
  readonly kind: 'rows';
  readonly at: number;
  readonly documents: number;
  readonly nonzeros: number;
  readonly from: number;
  readonly to: number;
  /** Class of label i; null when it is i for all. */
  readonly labels: Int32Array | null;
};

/** Entries in the file; `entries` of them. */
export type SpilledRun = { readonly at: number; readonly entries: number };

/** Bytes from one array of a run to the next; it has three. */
export const runStride = (entries: number) => ((entries + 3) >> 2) << 4;

/** Entries of a chunk: documents as in the file, and how many entries the last one has here. */
export type SpilledEntries = {
  readonly first: number;
  readonly last: number;
  readonly tail: number;
  readonly head: SpilledRun;
  readonly rest: SpilledRun;
};

/** Documents [first, last) of entries; `room`: bytes at `at` that nobody else reads. */
export type SpilledDocuments = {
  readonly kind: 'documents';
  readonly first: number;
  readonly last: number;
  readonly runs: readonly SpilledRun[];
  readonly at: number;
  readonly room: number;
};

export type SpilledTask = {
  readonly kind: 'spilled';
  readonly control: SharedArrayBuffer;
  readonly file: SpillFile;
  readonly raw: SpilledRows | SpilledDocuments;
  /** Counts the documents of each word in the table at that address, or finishes them. */
  readonly work:
    | { readonly op: 'count'; readonly table: number }
    | { readonly op: 'finish'; readonly rules: WordRules };
};

/** `before`: tokens in the raw block; `empty`: documents without a word. */
export type FinishedBlock = SpilledBlock & { readonly before: number; readonly empty: number };

/** No blocks when documents were counted. */
export type SpilledResult = { readonly kind: 'spilled'; readonly blocks: readonly FinishedBlock[] };
