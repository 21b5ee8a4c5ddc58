// What mlr has to know of the rows of all hosts before it trains, gathered by the supervisors.
import { together } from '../../base/together.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Session } from '../model.ts';
import { countColumns, openRows, rowsHere, storageCode, unpackBytes } from '../rows.ts';

/** Rows whose lengths say how long a step may be. */
const lookedAt = 1000;
/** Rows that are counted before the event loop turns: a few milliseconds. */
const turnRows = 1 << 15;

/** Σ ‖x_i‖² of those of the first `last` rows that lie here. */
function squaresHere(session: Session, data: Samples, last: number): number {
  const { kernels, arena } = session.host;
  const end = Math.min(last, data.first + rowsHere(data));
  if (end <= data.first) return 0;
  const rows = openRows(session.host, data, { first: data.first, last: end });
  const work = arena.allocate(unpackBytes(data, 0));
  return kernels.rows_sum_squares(
    ...([storageCode[data.storage], rows.count, rows.at, data.columns, data.scale, work] as const),
  );
}

/** A step that suits the data: features of larger norm curve the loss more. */
export async function defaultLearningRate(session: Session, data: Samples): Promise<number> {
  const sample = Math.min(data.rows, lookedAt);
  const shares = await together(session.world, 'learning rate', (talk) =>
    talk.exchange(squaresHere(session, data, sample)),
  );
  const squares = shares.reduce((sum, share) => sum + share, 0);
  return 40 / Math.max(squares / sample, 1e-12);
}

async function countHere(session: Session, data: Samples): Promise<number> {
  const { arena } = session.host;
  const counts = arena.allocate(data.columns * 4);
  arena.u8.fill(0, counts, counts + data.columns * 4);
  const last = data.first + rowsHere(data);
  for (let row = data.first; row < last; row += turnRows) {
    const range = { first: row, last: Math.min(row + turnRows, last) };
    countColumns(session.host, data, range, counts);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return counts;
}

/**
 * Rows of all hosts that have feature j: columns × i32 in the host's memory. 0 when the rows all
 * lie here or are dense: then workers need no counts from elsewhere.
 */
export async function columnCounts(session: Session, data: Samples): Promise<number> {
  const { world, host } = session;
  if (world.size === 1 || data.storage !== 'csr') return 0;
  return together(world, 'column counts', async (talk) => {
    const at = await countHere(session, data);
    const shares = await talk.gather(host.arena.u8.slice(at, at + data.columns * 4));
    const counts = host.arena.i32.subarray(at / 4, at / 4 + data.columns);
    counts.fill(0);
    for (const share of shares) {
      const theirs = new Int32Array(share.slice().buffer); // a copy is aligned
      for (let j = 0; j < counts.length; j++) counts[j] = (counts[j] ?? 0) + (theirs[j] ?? 0);
    }
    return at;
  });
}
