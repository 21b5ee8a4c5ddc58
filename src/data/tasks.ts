// The conversation with a loader thread: plain data in both directions. Offsets are byte offsets
// into the shared memory; texts lie in files and never travel.
//
//   main                                      loader thread
//   probe    path                  ------>    what the file is, where its data begins
//   parse    chunk k of a file     ------>    blocks in the arena, or the first violation in it
//   images   rows of an idx file   ------>    blocks in the arena
//   steps    kernels to call       ------>    done
//   spilled  documents in a file   ------>    counted or finished (spill/tasks.ts)
import type { ErrorCode } from '../base/errors.ts';
import type { Violation } from './parse/codes.ts';
import type { SpilledEntries, SpilledResult, SpilledTask, SpillFile } from './spill/tasks.ts';
import type { Step } from './steps.ts';

export type { Step } from './steps.ts';

export type Format = 'libsvm' | 'mtx' | 'csv' | 'ratings' | 'idx' | 'bow' | 'lda-c' | 'text';

/** Cells of a load's control words, shared with its tasks. */
export const controlCell = {
  /** 1: stop, the result is not wanted any more. */
  cancel: 0,
  /** 1: a value that does not fit u8 was seen, so dense blocks are f32 from now on. */
  wide: 1,
} as const;
/** Index into a BigInt64Array over the same words: bytes of the files that have been read. */
export const PROGRESS_CELL = 1;
export const CONTROL_BYTES = 16;

export type Source = {
  readonly path: string;
  readonly gzip: boolean;
  /** First byte of the data proper, behind headers: always the start of a line. */
  readonly dataAt: number;
  readonly chunkBytes: number;
  readonly control: SharedArrayBuffer;
};

export type ProbeTask = {
  readonly kind: 'probe';
  readonly path: string;
  readonly purpose: 'samples' | 'ratings' | 'corpus';
  readonly format?: Format;
  readonly delimiter?: string;
  readonly header?: boolean;
};

export type CsvShape = {
  readonly kind: 'csv';
  /** A byte; 32 stands for any run of blanks. */
  readonly delimiter: number;
  readonly fields: number;
  /** Column names of the header line, empty without one. */
  readonly names: readonly string[];
  readonly hasHeader: boolean;
};
export type MtxShape = {
  readonly kind: 'mtx';
  readonly layout: 'coordinate' | 'array';
  readonly pattern: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly entries: number;
  /** The size line, for messages. */
  readonly sizeLine: number;
  readonly sizeText: string;
};
/** What a line of counts begins with: nothing, a label, or the number of its pairs (lda-c). */
export type BagShape = { readonly kind: 'bags'; readonly head: 'none' | 'label' | 'terms' };
export type IdxShape = { readonly kind: 'idx'; readonly dimensions: readonly number[] };

export type Probe = {
  readonly path: string;
  readonly bytes: number;
  readonly gzip: boolean;
  readonly format: Format;
  readonly dataAt: number;
  /** 1-based number of the line that begins at dataAt. */
  readonly dataLine: number;
  readonly shape?: CsvShape | MtxShape | IdxShape | BagShape;
};

export type LibsvmRules = {
  readonly kind: 'libsvm';
  readonly base: -1 | 0 | 1;
  readonly columns: number;
  readonly numeric: boolean;
};
export type CsvRules = {
  readonly kind: 'csv';
  readonly delimiter: number;
  readonly fields: number;
  readonly labelColumn: number;
  readonly keep: number;
  readonly stride: number;
  /** Targets are label numbers, f32 labels, or label numbers of texts that are decimal numbers. */
  readonly targets: 'texts' | 'numbers' | 'number-texts';
  /** Rows that the file may have: what its size line promises, or Infinity. */
  readonly promised: number;
};
export type TripleRules = {
  readonly kind: 'triples';
  /** Matrix Market: blanks only, nothing behind the value. */
  readonly strict: boolean;
  readonly fields: 2 | 3;
  readonly least: number;
  readonly userMax: number;
  readonly itemMax: number;
  /** Entries that the file may have: what its size line promises, or Infinity. */
  readonly promised: number;
  /** Values are labels: their numbers are kept. */
  readonly labels: boolean;
  /** Values are positive integers, kept as i32. */
  readonly counts?: boolean;
  /** Rows ascend, none is below this one; in any order when absent. */
  readonly ordered?: number;
};
export type BagRules = BagShape & {
  /** Words as they stand in the file. */
  readonly least: number;
  readonly wordMax: number;
};
/** A document a line, or a field of it; `table` is the address of the words. */
export type TextRules = {
  readonly kind: 'text';
  readonly table: number;
  readonly fields?: TextFields;
};
/** Numbers of the fields of a line; −1: there is none. */
export type TextFields = {
  readonly delimiter: number;
  readonly columns: number;
  readonly text: number;
  readonly label: number;
  readonly date: number;
  readonly name: number;
};
export type Rules = LibsvmRules | CsvRules | TripleRules | BagRules | TextRules;

/** Where parsed values go. */
export type Sink =
  | { readonly kind: 'blocks' }
  /** Entries of the documents [first, last), in their order, into the task's file. */
  | { readonly kind: 'documents'; readonly first: number; readonly last: number }
  /** Only counted: lines, rows, whether all fit u8. */
  | { readonly kind: 'none' }
  /** Entries per row, rows × i32. */
  | {
      readonly kind: 'count';
      readonly counts: number;
      readonly rows: number;
      readonly columns: number;
    }
  /** Entries into rows that were counted. */
  | {
      readonly kind: 'scatter';
      readonly cursor: number;
      readonly rows: number;
      readonly columns: number;
      readonly total: number;
      readonly index: number;
      readonly value: number;
    }
  /** Values column by column into a row-major matrix; `first` is the number of the first value. */
  | {
      readonly kind: 'columns';
      readonly first: number;
      readonly rows: number;
      readonly columns: number;
      readonly stride: number;
      readonly bytes: boolean;
      readonly x: number;
    }
  /** The places of one entry, as violations. */
  | { readonly kind: 'find'; readonly row: number; readonly column: number };

export type ParseTask = {
  readonly kind: 'parse';
  readonly source: Source;
  /** One chunk of a plain file, or the whole of a compressed one. */
  readonly chunk: number | 'all';
  readonly rules: Rules;
  readonly sink: Sink;
  /**
   * Blocks to keep; all when absent. By number among the task's blocks, or by bytes of the file
   * read when it came: about where it stands, for reading runs ahead.
   */
  readonly keep?: { readonly by: 'block' | 'byte'; readonly first: number; readonly last: number };
  /** Documents go into this file, not into the arena; their names and dates are left out. */
  readonly spill?: SpillFile;
};

export type ImagesTask = {
  readonly kind: 'images';
  readonly source: Source;
  readonly rowBytes: number;
  readonly stride: number;
  /** Rows to read, from `firstRow` on, in blocks of `blockRows`. */
  readonly firstRow: number;
  readonly rows: number;
  readonly blockRows: number;
  /** Rows of the file to keep; others are only read. */
  readonly keep: { readonly first: number; readonly last: number };
};

export type LabelsTask = {
  readonly kind: 'labels';
  readonly source: Source;
  readonly rows: number;
};

/** A table of words for texts, `assembly/parse/words.ts`. */
export type LexiconTask = {
  readonly kind: 'lexicon';
  readonly wordsMax: number;
  readonly threads: number;
  /** Code points of the shortest word. */
  readonly shortest: number;
  /** Left out, and kept; a word a line. With words to keep all others are unknown. */
  readonly stop: string;
  readonly keep: string;
};

/** Files that are a document each. */
export type DocumentsTask = {
  readonly kind: 'documents';
  readonly control: SharedArrayBuffer;
  readonly paths: readonly string[];
  readonly rules: TextRules;
  readonly spill?: SpillFile;
};

export type StepsTask = {
  readonly kind: 'steps';
  readonly control: SharedArrayBuffer;
  readonly steps: readonly Step[];
};

/** Cuts counted rows into blocks and turns the counts into cursors. */
export type RowsTask = {
  readonly kind: 'rows';
  readonly counts: number;
  readonly rows: number;
  readonly blockRows: number;
  readonly blockEntries: number;
};

export type LoaderTask =
  | ProbeTask
  | ParseTask
  | ImagesTask
  | LabelsTask
  | StepsTask
  | RowsTask
  | LexiconTask
  | DocumentsTask
  | SpilledTask;

/**
 * The label texts of a block in the order of their numbers, and where each stands first: line (as
 * in a violation) and column in turn. One string and one array, because thousands of small objects
 * a block would hold up the thread that receives them. No label holds a line feed.
 */
export type Labels = { readonly texts: string; readonly places: Int32Array };

/** The texts one by one. */
export function labelTexts({ texts, places }: Labels): string[] {
  return places.length === 0 ? [] : texts.split('\n');
}

/** One parsed block. Ratings use target for users, index for items and value for ratings. */
export type Piece = {
  /** Else its values were not kept, and its places are 0. */
  readonly kept: boolean;
  readonly rows: number;
  readonly nonzeros: number;
  readonly target: number;
  readonly x: number;
  readonly rowStart: number;
  readonly index: number;
  readonly value: number;
  readonly storage: 'u8' | 'f32' | 'csr' | 'triples';
  readonly labels: Labels;
  readonly lowest: number;
  readonly highest: number;
  readonly lowestItem: number;
  readonly highestItem: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Of documents: names by line, and the place of rows × f32 years, 0 for none. */
  readonly names: string;
  readonly dates: number;
  /** Byte of the file where the documents lie; their places in memory are 0. */
  readonly at?: number;
  readonly entries?: SpilledEntries;
};

export type ParseResult = {
  readonly kind: 'parsed';
  readonly lines: number;
  readonly rows: number;
  readonly dropped: number;
  /** Bytes that are not UTF-8. */
  readonly broken: number;
  /** Every value is an integer in 0..255. */
  readonly bytesOnly: boolean;
  readonly pieces: readonly Piece[];
  /** What the sink `find` found. */
  readonly places: readonly Violation[];
  readonly violation?: Violation;
};
/** `seen`: 256 × 0 or 1, the labels met. */
export type LabelsResult = {
  readonly kind: 'labels';
  readonly target: number;
  readonly seen: readonly number[];
  readonly violation?: Violation;
};
export type RowsResult = {
  readonly kind: 'rows';
  readonly total: number;
  readonly blocks: readonly {
    readonly rows: number;
    readonly first: number;
    readonly nonzeros: number;
    readonly rowStart: number;
  }[];
};
export type LexiconResult = { readonly kind: 'lexicon'; readonly table: number };
/** Answers of the steps that have one: find, sort, twice, bags, select, empty and total. */
export type StepsResult = { readonly kind: 'steps'; readonly answers: readonly number[] };
/** What went wrong without a place in a text: a file that cannot be read, memory that is full. */
export type Failure = {
  readonly kind: 'failure';
  readonly code: ErrorCode;
  readonly message: string;
  readonly stack?: string;
};

export type LoaderResult =
  | { readonly kind: 'probe'; readonly probe: Probe }
  | ParseResult
  | LabelsResult
  | RowsResult
  | StepsResult
  | LexiconResult
  | SpilledResult
  | Failure;

export type ResultOf<T extends LoaderTask> = T extends ProbeTask
  ? Extract<LoaderResult, { kind: 'probe' }>
  : T extends ParseTask | ImagesTask | DocumentsTask
    ? ParseResult
    : T extends LabelsTask
      ? LabelsResult
      : T extends RowsTask
        ? RowsResult
        : T extends LexiconTask
          ? LexiconResult
          : T extends SpilledTask
            ? SpilledResult
            : StepsResult;
