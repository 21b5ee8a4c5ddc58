// Blocks of documents between parsing and the corpus: in memory, or in a file. What is done with
// them is the same; in memory it is steps on addresses, in a file a task for each block.
import { assert } from '../../base/assert.ts';
import { fromFault, SystemError } from '../../base/errors.ts';
import type { Corpus, CorpusBlock } from '../dataset.ts';
import {
  bagsStep,
  cutRows,
  documentsStep,
  emptyStep,
  labelStep,
  totalStep,
  type RawRows,
  type WordRules,
} from '../raw-rows.ts';
import type { FinishedBlock, SpilledRows, SpilledTask, SpillFile } from '../spill/tasks.ts';
import { mergeClasses } from '../load/classes.ts';
import type { Parsed } from '../load/files.ts';
import type { Session } from '../load/session.ts';
import { ownBlocks } from '../load/shares.ts';
import { unknownLabels } from '../load/text-samples.ts';

/** A block as it was parsed; its places are 0 when it lies in the file, or on another host. */
export type RawBlock = RawRows & {
  /** A name a document; none when empty. */
  readonly names: readonly string[];
  /** documents × f32 years; 0 for none. */
  readonly dates: number;
  /** Class of label i; null when it is i for all. */
  readonly labels: Int32Array | null;
  readonly spilled?: SpilledTask['raw'];
};

/** Tokens that can be counted in an i32. */
const TOKENS_MAX = 2 ** 31 - 1;
/** Documents that have a word are counted in an i32. */
const DOCUMENTS_MAX = 2 ** 31 - 1;

/** The parsed blocks, and the classes of their labels. */
export async function labelledBlocks(
  session: Session,
  parsed: Parsed,
  { known, named }: { readonly known: readonly string[] | undefined; readonly named: boolean },
) {
  const { classes, maps, unknown } = await mergeClasses(parsed.pieces, known);
  const inFile = session.spill !== undefined;
  const blocks = parsed.pieces.map(({ rows: documents, nonzeros, at, ...piece }, i): RawBlock => {
    const { target, rowStart, index, value: count, dates } = piece;
    const labels = maps[i] ?? null;
    const names = named && !inFile ? piece.names.split('\n') : [];
    const block = { documents, nonzeros, target, rowStart, index, count, dates, names, labels };
    return { ...block, ...(at !== undefined && { spilled: wholeBlock(block, at) }) };
  });
  return { blocks, classes, warnings: unknownLabels(unknown) };
}

/** All documents of a block at byte `at` of the file. */
export function wholeBlock(
  { documents, nonzeros, labels }: Pick<RawBlock, 'documents' | 'nonzeros' | 'labels'>,
  at: number,
): SpilledRows {
  return { kind: 'rows', at, documents, nonzeros, from: 0, to: documents, labels };
}

/** Documents without a place: those of other hosts. */
export function nowhere(documents: number): RawBlock {
  const places = { target: 0, rowStart: 0, index: 0, count: 0, dates: 0, labels: null };
  return { documents, nonzeros: 0, names: [], ...places };
}

function cut(session: Session, block: RawBlock, from: number, to: number): RawBlock {
  const { spilled } = block;
  if (spilled !== undefined) {
    assert(spilled.kind === 'rows', 'entries are those of this host');
    return { ...block, documents: to - from, spilled: { ...spilled, from, to } };
  }
  return {
    ...block,
    ...cutRows(session.arena.i32, block, from, to),
    names: block.names.slice(from, to),
    dates: block.dates === 0 ? 0 : block.dates + from * 4,
  };
}

/** The documents of this host, and the number of the first. */
export function ownDocuments(
  session: Session,
  corpus: { readonly documents: number; readonly path: string; blocks: readonly RawBlock[] },
) {
  const { documents, path, blocks } = corpus;
  if (documents > DOCUMENTS_MAX) {
    const rule = `a corpus has at most ${DOCUMENTS_MAX} documents; train on a part of them`;
    throw new SystemError('ERR_LIMIT', `${path}: ${rule}; found ${documents}`);
  }
  return ownBlocks(session, blocks, {
    rows: documents,
    rowsOf: (block) => block.documents,
    cut: (block, from, to) => cut(session, block, from, to),
  });
}

async function askFile(
  session: Session,
  file: SpillFile,
  { blocks, work }: { readonly blocks: readonly RawBlock[]; readonly work: SpilledTask['work'] },
): Promise<FinishedBlock[]> {
  const { control } = session;
  const tasks = blocks.flatMap(({ spilled: raw }): SpilledTask[] => {
    return raw === undefined ? [] : [{ kind: 'spilled', control, file, raw, work }];
  });
  const results = await session.askAll(tasks, () => false);
  return results.flatMap((result) => {
    if (result.kind === 'failure') throw fromFault(result);
    return result.blocks;
  });
}

/** Counts for each word of the table at address `table` the documents that have it. */
export async function countDocuments(
  session: Session,
  blocks: readonly RawBlock[],
  table: number,
): Promise<void> {
  const { spill, arena } = session;
  if (spill !== undefined) {
    await askFile(session, spill, { blocks, work: { op: 'count', table } });
    return;
  }
  await session.steps(blocks.map((block) => documentsStep(arena.i32, block, table)));
}

/** `before`: tokens before unknown words were left out; `empty`: documents without a word. */
export type Counts = {
  readonly before: number;
  readonly tokens: number;
  readonly nonzeros: number;
  readonly empty: number;
};

type Finished = Pick<Corpus, 'blocks' | 'spill'> & { readonly counts: Counts };
type Rules = WordRules & { readonly path: string };

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

async function finishInMemory(
  session: Session,
  blocks: readonly RawBlock[],
  { path, ...rules }: Rules,
): Promise<Finished> {
  const { i32 } = session.arena;
  await session.steps(
    blocks.flatMap((block) => (block.labels === null ? [] : [labelStep(block, block.labels)])),
  );
  const before = sum(await session.steps(blocks.map((block) => totalStep(i32, block))));
  if (before > TOKENS_MAX) {
    const rule = `a host holds at most ${TOKENS_MAX} tokens; use more hosts or fewer documents`;
    throw new SystemError('ERR_LIMIT', `${path}: ${rule}; found ${before}`);
  }
  const entries = await session.steps(blocks.map((block) => bagsStep(block, rules)));
  const done = blocks.map(({ documents, rowStart, index, count, target }, i) => {
    return { documents, rowStart, index, count, target, nonzeros: entries[i] ?? 0 };
  });
  const tokens = await session.steps(done.map((block) => totalStep(i32, block)));
  const empties = await session.steps(done.map(emptyStep));
  return {
    blocks: done.map((block, i): CorpusBlock => ({ ...block, tokens: tokens[i] ?? 0 })),
    counts: { before, tokens: sum(tokens), nonzeros: sum(entries), empty: sum(empties) },
  };
}

async function finishInFile(
  session: Session,
  blocks: readonly RawBlock[],
  { path, file, ...rules }: Rules & { readonly file: SpillFile },
): Promise<Finished> {
  const done = await askFile(session, file, { blocks, work: { op: 'finish', rules } });
  for (const { before } of done) {
    if (before <= TOKENS_MAX) continue;
    const rule = `a MiB of text has at most ${TOKENS_MAX} tokens`;
    throw new SystemError('ERR_LIMIT', `${path}: ${rule}; found ${before}`);
  }
  const total = (of: (block: FinishedBlock) => number) => sum(done.map(of));
  const spilled = done.map(({ before: _, empty: __, ...block }) => block);
  return {
    blocks: [],
    spill: { path: file.path, blocks: spilled },
    counts: {
      before: total((block) => block.before),
      tokens: total((block) => block.tokens),
      nonzeros: total((block) => block.nonzeros),
      empty: total((block) => block.empty),
    },
  };
}

/** This host's documents in their final form, words by `rules`. */
export function finishBlocks(
  session: Session,
  blocks: readonly RawBlock[],
  rules: Rules,
): Promise<Finished> {
  const { spill: file } = session;
  return file === undefined
    ? finishInMemory(session, blocks, rules)
    : finishInFile(session, blocks, { ...rules, file });
}
