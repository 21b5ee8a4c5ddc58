// Corpora for tests: loaded from files and read back as plain documents, or made in an arena.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadCorpus, type CorpusOptions, type LoadedCorpus } from '../../src/data/load-corpus.ts';
import type { Corpus, CorpusBlock } from '../../src/data/dataset.ts';
import type { Host } from '../../src/data/load/session.ts';
import { blockAt, blockBytes, type Spill } from '../../src/data/spill/layout.ts';
import type { Arena } from '../../src/memory/arena.ts';
import type { TestHost } from './loading.ts';

/** `word, count, word, count, …`, words ascending. */
export type Document = readonly number[];

export type PlainCorpus = Omit<LoadedCorpus, 'blocks' | 'dates' | 'spill'> & {
  /** Years; null where a document has none. */
  readonly dates?: readonly (number | null)[];
  readonly blockRows: readonly number[];
  readonly data: readonly { readonly label: string | null; readonly bag: Document }[];
};

type Cells = Pick<Arena, 'i32'>;

/** The documents of a corpus, block after block. */
export function documentsOf(arena: Cells, corpus: Pick<Corpus, 'blocks' | 'classes'>) {
  const { i32 } = arena;
  return corpus.blocks.flatMap((block) =>
    Array.from({ length: block.documents }, (_, d) => {
      const at = block.rowStart / 4 + d;
      const [from = 0, to = 0] = i32.subarray(at, at + 2);
      const bag = Array.from({ length: to - from }, (_, i) => [
        i32[block.index / 4 + from + i] ?? NaN,
        i32[block.count / 4 + from + i] ?? NaN,
      ]).flat();
      return { label: corpus.classes[i32[block.target / 4 + d] ?? -1] ?? null, bag };
    }),
  );
}

function checkBlock({ i32 }: Cells, block: CorpusBlock): void {
  const { documents, nonzeros, tokens, rowStart, count } = block;
  const starts = [...i32.subarray(rowStart / 4, rowStart / 4 + documents + 1)];
  const counts = i32.subarray(count / 4, count / 4 + nonzeros);
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (starts[0] !== 0 || starts.at(-1) !== nonzeros) throw new Error(`starts ${starts.join()}`);
  if (total !== tokens) throw new Error(`${total} tokens, said to be ${tokens}`);
}

/** The documents of a corpus in a file, read back with no help of a loader. */
function spilledOf({ path, blocks }: Spill, { classes }: Pick<Corpus, 'classes'>) {
  const bytes = readFileSync(path);
  const taken = blocks.map((block) => [block.at, block.at + blockBytes(block)] as const);
  taken.sort(([a], [b]) => a - b);
  taken.forEach(([from], i) => {
    if (from % 16 !== 0 || from < (taken[i - 1]?.[1] ?? 0)) throw new Error('blocks overlap');
  });
  return blocks.flatMap((spilled) => {
    const size = blockBytes(spilled);
    const cells = { i32: new Int32Array(size / 4) };
    bytes.copy(new Uint8Array(cells.i32.buffer), 0, spilled.at, spilled.at + size);
    const block = blockAt(spilled, 0);
    checkBlock(cells, block);
    return documentsOf(cells, { blocks: [block], classes });
  });
}

/** Loads a corpus into a file, reads it back and removes it. The arena has what it had. */
export async function spilledCorpusOf(
  host: TestHost & Pick<Host, 'world'>,
  paths: readonly string[],
  options: CorpusOptions = {},
): Promise<PlainCorpus> {
  const { arena } = host;
  const mark = arena.mark();
  const directory = mkdtempSync(join(host.folder, 'spill-'));
  try {
    const loaded = await loadCorpus(paths, { ...options, spill: { directory } }, host);
    const { blocks, dates, spill, ...facts } = loaded;
    if (spill === undefined || blocks.length > 0 || dates !== undefined) throw new Error('memory');
    const blockRows = spill.blocks.map(({ documents }) => documents);
    return { ...facts, blockRows, data: spilledOf(spill, loaded) };
  } finally {
    rmSync(directory, { recursive: true });
    arena.release(mark);
  }
}

const LEFT_OUT = /of documents that are read into a file are left out$/;

/** What both ways to keep documents have in common. */
export function comparable({
  blockRows: _,
  names: __,
  dates: ___,
  warnings,
  ...rest
}: PlainCorpus) {
  return { ...rest, warnings: warnings.filter((line) => !LEFT_OUT.test(line)) };
}

/** Loads a corpus, reads it back and frees it. */
export async function corpusOf(
  host: TestHost & Pick<Host, 'world'>,
  paths: readonly string[],
  options: CorpusOptions = {},
): Promise<PlainCorpus> {
  const { arena } = host;
  const mark = arena.mark();
  try {
    const loaded = await loadCorpus(paths, options, host);
    const { blocks, dates, ...facts } = loaded;
    for (const block of blocks) checkBlock(arena, block);
    const blockRows = blocks.map(({ documents }) => documents);
    const years = dates && { dates: [...dates].map((date) => (isNaN(date) ? null : date)) };
    return { ...facts, ...years, blockRows, data: documentsOf(arena, loaded) };
  } finally {
    arena.release(mark);
  }
}

export type MadeOptions = {
  readonly words?: number;
  readonly vocabulary?: readonly string[];
  readonly classes?: readonly string[];
  /** Class of each document; none when absent. */
  readonly targets?: readonly number[];
  readonly dates?: readonly number[];
  readonly names?: readonly string[];
  /** Documents of a block; all in one when absent. */
  readonly blockRows?: number;
};

function put(arena: Arena, values: readonly number[]): number {
  const at = arena.allocate(values.length * 4);
  arena.i32.set(values, at / 4);
  return at;
}

/**
 * A corpus in an arena, from documents as lists of words: [0, 3, 3] has word 0 once and word 3
 * twice.
 */
export function makeCorpus(
  arena: Arena,
  documents: readonly (readonly number[])[],
  options: MadeOptions = {},
): Corpus {
  const { vocabulary = [], classes = [], names = [], targets, dates } = options;
  const { blockRows = Math.max(documents.length, 1) } = options;
  const bags = documents.map((words) => {
    const counts = new Map<number, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => a - b);
  });
  const blocks: CorpusBlock[] = [];
  for (let first = 0; first < bags.length; first += blockRows) {
    const mine = bags.slice(first, first + blockRows);
    const entries = mine.flat();
    let sum = 0;
    blocks.push({
      documents: mine.length,
      tokens: entries.reduce((total, [, n]) => total + n, 0),
      nonzeros: entries.length,
      rowStart: put(arena, [0, ...mine.map((bag) => (sum += bag.length))]),
      index: put(
        arena,
        entries.map(([word]) => word),
      ),
      count: put(
        arena,
        entries.map(([, n]) => n),
      ),
      target: put(
        arena,
        mine.map((_, d) => targets?.[first + d] ?? -1),
      ),
    });
  }
  const most = documents.flat().reduce((high, word) => Math.max(high, word), -1);
  const total = (of: (block: CorpusBlock) => number) =>
    blocks.reduce((sum, block) => sum + of(block), 0);
  return {
    ...{ kind: 'corpus', documents: documents.length, first: 0, base: 0, blocks },
    words: options.words ?? (vocabulary.length || most + 1),
    ...{ tokens: total(({ tokens }) => tokens), nonzeros: total(({ nonzeros }) => nonzeros) },
    ...{ vocabulary, names, classes, ...(dates && { dates: Float64Array.from(dates) }) },
  };
}
