// A corpus in memory, put into a file as a loader that spills would.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Corpus, CorpusBlock } from '../../src/data/dataset.ts';
import { blockAt, blockBytes, type SpilledBlock } from '../../src/data/spill/layout.ts';
import type { Arena } from '../../src/memory/arena.ts';

/** The arrays of a block, and how many numbers each has. */
function arraysOf({ documents, nonzeros, rowStart, index, count, target }: CorpusBlock) {
  return [
    [rowStart, documents + 1],
    [index, nonzeros],
    [count, nonzeros],
    [target, documents],
  ] as const;
}

/** The corpus with its documents in a file of `folder`, and nothing of them in memory. */
export function spillCorpus(arena: Arena, corpus: Corpus, folder: string): Corpus {
  const path = join(folder, 'documents');
  const pieces: Uint8Array[] = [];
  let end = 0;
  const blocks = corpus.blocks.map((block): SpilledBlock => {
    const bytes = new Uint8Array(blockBytes(block));
    const places = arraysOf(blockAt(block, 0));
    for (const [i, [from, cells]] of arraysOf(block).entries()) {
      bytes.set(arena.u8.subarray(from, from + cells * 4), places[i]![0]);
      // Who still reads memory reads nonsense.
      arena.i32.fill(-7, from / 4, from / 4 + cells);
    }
    pieces.push(bytes);
    const { documents, tokens, nonzeros } = block;
    end += bytes.length;
    return { documents, tokens, nonzeros, at: end - bytes.length };
  });
  writeFileSync(path, Buffer.concat(pieces));
  return { ...corpus, names: [], blocks: [], spill: { path, blocks } };
}

/** Runs `body` with a folder that is removed afterwards. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'perpetuum-spill-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
