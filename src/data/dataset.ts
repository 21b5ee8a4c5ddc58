// A data set in the shared memory, as blocks. A block is what one parse task produced: the rows
// that begin in one fixed-size range of a file, so blocks do not depend on the number of threads.
// Blocks lie anywhere in the arena and kernels run block by block; nothing needs the data in one
// piece.
//
// On several hosts each holds a run of the rows: `blocks` are what lies here and `first` says where
// it begins; every other field is of the whole data set and the same on all hosts.
//
//   u8    x: rows × stride bytes, row-major, zero-padded to a stride that is a multiple of 16
//   f32   x: rows × stride f32, row-major, zero-padded to a stride that is a multiple of 4
//   csr   rowStart: (rows + 1) × i32, counted from the block's first entry
//         index: nonzeros × i32, 0-based column, ascending in a row    value: nonzeros × f32

import type { Spill } from './spill/layout.ts';

export type Storage = 'u8' | 'f32' | 'csr';

/** Byte offsets into the shared memory; those that a storage does not use are 0. */
export type SampleBlock = {
  readonly rows: number;
  readonly nonzeros: number;
  /**
   * rows × i32: index into `classes`; −1 is a label that the training data did not have.
   * rows × f32 when the samples' `labels` are numbers.
   */
  readonly target: number;
  readonly x: number;
  readonly rowStart: number;
  readonly index: number;
  readonly value: number;
};

/** Samples with a label each. */
export type Samples = {
  readonly kind: 'samples';
  /** 'class' when absent; 'number' for regression: f32 targets and no classes. */
  readonly labels?: 'class' | 'number';
  readonly storage: Storage;
  /** Of the whole data set. */
  readonly rows: number;
  /** Number of the first row that lies here; 0 when alone. */
  readonly first: number;
  readonly columns: number;
  /** Elements from one dense row to the next; 0 for csr. */
  readonly stride: number;
  readonly nonzeros: number;
  /** What a stored u8 is multiplied with: 1/255 for idx pixels, else 1. */
  readonly scale: number;
  /** Column number of the file's first column: 0 or 1 (libsvm, Matrix Market). */
  readonly base: number;
  /** Label texts in class order: by value if all are numbers, else by text. */
  readonly classes: readonly string[];
  /** Names of the columns where the file has them. */
  readonly columnNames: readonly string[];
  readonly blocks: readonly SampleBlock[];
};

/** user: count × i32, item: count × i32, both 0-based; value: count × f32. */
export type RatingBlock = {
  readonly count: number;
  /** On several hosts: rank of the one that has it for sure. */
  readonly holder?: number;
  /** The places are reserved, the values lie on the holder. */
  readonly away?: true;
  readonly user: number;
  readonly item: number;
  readonly value: number;
};

/** Triples `user item rating`. */
export type Ratings = {
  readonly kind: 'ratings';
  readonly count: number;
  readonly users: number;
  readonly items: number;
  /** Ids of the file's first user and first item: what to subtract from an id to get its row. */
  readonly userBase: number;
  readonly itemBase: number;
  /** Mean and extent of the ratings. */
  readonly mean: number;
  readonly minimum: number;
  readonly maximum: number;
  /** All of them, in one order and of the same sizes on all hosts. */
  readonly blocks: readonly RatingBlock[];
};

/**
 * Documents as bags of words:
 *
 *   rowStart: (documents + 1) × i32, counted from the block's first entry
 *   index: nonzeros × i32, 0-based word, ascending in a document    count: nonzeros × i32, ≥ 1
 *   target: documents × i32, index into the corpus' `classes`; −1: no label, or one that the
 *   training data did not have
 */
export type CorpusBlock = {
  readonly documents: number;
  /** Σ count. */
  readonly tokens: number;
  readonly nonzeros: number;
  readonly rowStart: number;
  readonly index: number;
  readonly count: number;
  readonly target: number;
};

/** Documents, empty ones among them. */
export type Corpus = {
  readonly kind: 'corpus';
  /** Of the whole corpus, as are `tokens` and `nonzeros`. */
  readonly documents: number;
  /** Number of the first document that lies here; 0 when alone. */
  readonly first: number;
  /** Size V of the vocabulary: a word is 0 … V−1. */
  readonly words: number;
  /** Number of the first word in the files: 0, or 1 (UCI, Matrix Market, most libsvm). */
  readonly base: number;
  readonly tokens: number;
  readonly nonzeros: number;
  /** The words in order; empty if no file has them. */
  readonly vocabulary: readonly string[];
  /** One for each document that lies here, by document − first; empty if the files name none. */
  readonly names: readonly string[];
  /** Years, by document − first; NaN: this one has none. */
  readonly dates?: Float64Array;
  /** Label texts in class order, as in `Samples`; empty without labels. */
  readonly classes: readonly string[];
  readonly blocks: readonly CorpusBlock[];
  /** Where this host's documents lie when not in memory: `blocks` and `names` are empty. */
  readonly spill?: Spill;
};

/** What a model trains on. */
export type Dataset = Samples | Ratings | Corpus;
