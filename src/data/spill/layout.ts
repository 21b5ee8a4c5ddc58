// Documents that lie in a file, because memory is not for all of them: blocks, each as it would
// lie in memory, in this machine's byte order, anywhere in the file; what is between them means
// nothing.
//
//   at       rowStart   (documents + 1) × i32, from 0        each array is padded to 16 bytes
//            index      nonzeros × i32
//            count      nonzeros × i32
//            target     documents × i32
//   at + blockBytes
import type { CorpusBlock } from '../dataset.ts';

export type SpilledBlock = Pick<CorpusBlock, 'documents' | 'tokens' | 'nonzeros'> & {
  /** Byte of the file. */
  readonly at: number;
};

/**
 * The documents of one host, in order. The file has a folder of its own; who asked for it removes
 * that.
 */
export type Spill = {
  readonly path: string;
  readonly blocks: readonly SpilledBlock[];
};

const padded = (cells: number) => (cells * 4 + 15) & ~15;

type Size = Pick<CorpusBlock, 'documents' | 'nonzeros'>;

/** Bytes of a block in the file, and in memory. */
export function blockBytes({ documents, nonzeros }: Size): number {
  return padded(documents + 1) + 2 * padded(nonzeros) + padded(documents);
}

/** The block when its bytes lie at address `at`. */
export function blockAt(block: Size & Pick<CorpusBlock, 'tokens'>, at: number): CorpusBlock {
  const { documents, nonzeros, tokens } = block;
  const index = at + padded(documents + 1);
  const count = index + padded(nonzeros);
  return {
    documents,
    nonzeros,
    tokens,
    rowStart: at,
    index,
    count,
    target: count + padded(nonzeros),
  };
}
