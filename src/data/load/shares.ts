// What of a data set lies on this host: the rows of its workers' partitions. Blocks are parsed
// whole; those at the ends of the share are cut by arithmetic, for their fields are offsets.
import { fromFault, SystemError } from '../../base/errors.ts';
import { partitionsOf } from '../../base/world.ts';
import type { Arena } from '../../memory/arena.ts';
import type { SampleBlock, Samples } from '../dataset.ts';
import type { Parsed, PlacedPiece } from './files.ts';
import type { Session } from './session.ts';
import { isBroken } from './shared-tasks.ts';

export type Range = { readonly first: number; readonly last: number };

/** The rows of all `rows` that this host holds. */
export function rowsHere({ world, partitions }: Session, rows: number): Range {
  const { first, last } = partitionsOf(world, partitions, world.rank);
  const at = (partition: number) => Math.floor((rows * partition) / partitions);
  return { first: at(first), last: at(last) };
}

/** The pieces that hold rows of this host and were parsed elsewhere. */
function missing(pieces: readonly PlacedPiece[], range: Range): PlacedPiece[] {
  let first = 0;
  return pieces.filter(({ rows, here }) => {
    first += rows;
    return !here && first > range.first && first - rows < range.last;
  });
}

/** Parses what holds rows of this host and was another host's to parse. */
export async function fetchRows(session: Session, parsed: Parsed): Promise<Parsed> {
  const lacking = missing(parsed.pieces, rowsHere(session, parsed.rows));
  const wanted = new Map<number, { first: number; last: number }>();
  for (const { task, nth } of lacking) {
    const { first } = wanted.get(task) ?? { first: nth };
    wanted.set(task, { first, last: nth + 1 });
  }
  const numbers = [...wanted.keys()];
  const tasks = [...wanted].map(([number, range]) => {
    return { ...parsed.tasks[number]!, keep: { by: 'block' as const, ...range } };
  });
  const answers = await session.askAll(tasks, isBroken);
  const fresh = new Map(answers.map((answer, i) => [numbers[i], answer]));
  const pieces = parsed.pieces.map((piece): PlacedPiece => {
    const answer = fresh.get(piece.task);
    if (answer === undefined || piece.here) return piece;
    if (answer.kind === 'failure') throw fromFault(answer);
    const found = answer.pieces[piece.nth];
    if (found?.rows !== piece.rows || found.nonzeros !== piece.nonzeros) {
      throw new SystemError('ERR_DATA', `${piece.path}: the file changed while it was read`);
    }
    return found.kept ? { ...piece, ...found, here: true } : piece;
  });
  return { ...parsed, pieces };
}

type OwnRules<B> = {
  /** Of the whole data set. */
  readonly rows: number;
  readonly rowsOf: (block: B) => number;
  readonly cut: (block: B, from: number, to: number) => B;
};

type Cut = { readonly from: number; readonly to: number; readonly strideBytes: number };

function cut(arena: Arena, block: SampleBlock, { from, to, strideBytes }: Cut): SampleBlock {
  const { target, x, rowStart } = block;
  const sparse = rowStart !== 0;
  const entry = (row: number) => arena.i32[rowStart / 4 + row] ?? 0;
  return {
    ...block,
    rows: to - from,
    nonzeros: sparse ? entry(to) - entry(from) : 0,
    target: target + from * 4,
    x: x === 0 ? 0 : x + from * strideBytes,
    rowStart: sparse ? rowStart + from * 4 : 0,
  };
}

/**
 * This host's part of blocks of `rows` rows each, and the number of its first row; `cut` makes a
 * block of the rows [from, to) of one.
 */
export function ownBlocks<B>(
  session: Session,
  blocks: readonly B[],
  { rows, rowsOf, cut }: OwnRules<B>,
): { readonly first: number; readonly blocks: readonly B[] } {
  const { first, last } = rowsHere(session, rows);
  let before = 0;
  const own = blocks.flatMap((block) => {
    const size = rowsOf(block);
    const from = Math.max(first - before, 0);
    const to = Math.min(last - before, size);
    before += size;
    if (from >= to) return [];
    return [from === 0 && to === size ? block : cut(block, from, to)];
  });
  return { first, blocks: own };
}

/** This host's part of all blocks, and the number of its first row. */
export function ownRows(
  session: Session,
  blocks: readonly SampleBlock[],
  { rows, stride, storage }: Pick<Samples, 'rows' | 'stride' | 'storage'>,
): Pick<Samples, 'first' | 'blocks'> {
  const strideBytes = stride * (storage === 'u8' ? 1 : 4);
  return ownBlocks(session, blocks, {
    rows,
    rowsOf: (block) => block.rows,
    cut: (block, from, to) => cut(session.arena, block, { from, to, strideBytes }),
  });
}
