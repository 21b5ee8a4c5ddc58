// Entries `row column value` in any order into rows, by counting sort: count the entries of each
// row, then put each in its place. Two passes over the file keep memory at the size of the result.
import type { Probe, Sink } from '../tasks.ts';
import { parseFiles, type FilePlan } from './files.ts';
import type { Session } from './session.ts';

/** Rows of a block have about as many entries as a chunk of text. */
const BLOCK_ROWS = 1 << 17;

export type CoordinateBlock = {
  readonly rows: number;
  readonly nonzeros: number;
  readonly rowStart: number;
  readonly index: number;
  readonly value: number;
};

/** Rows 1 … `rows` of the plan's file; columns beyond `columns` are left out and counted. */
export async function placeCoordinates(
  session: Session,
  plan: FilePlan & { readonly probe: Probe },
  { rows, columns }: { readonly rows: number; readonly columns: number },
) {
  const { arena, pool } = session;
  const counts = arena.allocate(rows * 4);
  await session.steps([{ op: 'zero', bytes: rows * 4, at: counts }]);
  const counted: Sink = { kind: 'count', counts, rows, columns };
  const { dropped } = await parseFiles(session, [{ ...plan, sink: () => counted }]);
  const blockEntries = Math.max(1024, pool.chunkBytes >> 3);
  const cut = { counts, rows, blockRows: BLOCK_ROWS, blockEntries };
  const { total, blocks: cuts } = await session.ask({ kind: 'rows', ...cut });
  const index = arena.allocate(total * 4);
  const value = arena.allocate(total * 4);
  const size = { rows, columns, total };
  const scattered: Sink = { kind: 'scatter', cursor: counts, ...size, index, value };
  await parseFiles(session, [{ ...plan, sink: () => scattered }]);
  const blocks = cuts.map(({ rows, first, nonzeros, rowStart }): CoordinateBlock => {
    const at = first * 4;
    return { rows, nonzeros, rowStart, index: index + at, value: value + at };
  });
  return { blocks, nonzeros: total, dropped };
}
