// Test program: every push adds 1 to its worker's row in two i32 tables (and to a column of two
// rows of each), so every reader can count whose clocks it sees, and whether they are whole.
// Throws, with the numbers, as soon as a read shows part of a clock or breaks its bound.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

export type TwinOptions = {
  readonly clocks: number;
  /** Milliseconds of work of worker w at clock c: delays[(7·w + c) mod length]. */
  readonly delays: readonly number[];
  /** The bound that reads must keep, counted here from what they see. */
  readonly bound: number | undefined;
  readonly leftStaleness?: number;
  readonly rightStaleness?: number;
};

const columns = 9;

/** The value that all columns of all rows share, or a complaint. */
function whole(rows: readonly ArrayLike<number>[], what: string): number {
  const [first = 0] = Array.from(rows[0] ?? []);
  for (const row of rows) {
    for (let column = 0; column < columns; column++) {
      if (row[column] === first) continue;
      throw new Error(`${what}: part of a clock, ${row[column]} and ${first}`);
    }
  }
  return first;
}

export const program = defineProgram<TwinOptions, PartitionWork, null>({
  name: 'twin',
  tables: ({ workers, options }) => {
    const { leftStaleness, rightStaleness } = options;
    const common = { rows: 2 * workers, columns, type: 'i32' as const };
    return [
      { ...common, name: 'left', ...(leftStaleness !== undefined && { staleness: leftStaleness }) },
      {
        ...common,
        ...{ name: 'right', access: 'rows' },
        ...(rightStaleness !== undefined && { staleness: rightStaleness }),
      },
    ];
  },
  clocks: ({ options }) => options.clocks,
  start: () => null,
  reads({ arena, scratch, workers }) {
    for (let row = 0; row < 2 * workers; row++) arena.i32[scratch.at / 4 + row] = row;
    return { right: { at: scratch.at, count: 2 * workers } };
  },
  push(ctx, { partition, clock }) {
    const { workers, worker, partitions, options } = ctx;
    const [left, right] = [ctx.table('left'), ctx.table('right')];
    const own = partitions / workers;
    for (let writer = 0; writer < workers; writer++) {
      const rows = [left, right].flatMap((table) => [
        table.get(2 * writer),
        table.get(2 * writer + 1),
      ]);
      const what = `worker ${worker} at clock ${clock} reads worker ${writer}`;
      const seen = whole(rows, what) / own;
      if (!Number.isInteger(seen)) throw new Error(`${what}: part of a clock, ${seen} of them`);
      if (writer === worker && seen !== clock) throw new Error(`${what}: own clocks, ${seen}`);
      if (options.bound !== undefined && seen < clock - options.bound) {
        throw new Error(`${what}: ${seen} clocks, the bound promises ${clock - options.bound}`);
      }
    }
    const until =
      performance.now() + (options.delays[(7 * worker + clock) % options.delays.length] ?? 0) / own;
    const ones = new Int32Array(columns).fill(1);
    left.inc(2 * worker, ones);
    right.inc(2 * worker + 1, ones);
    while (performance.now() < until);
    right.inc(2 * worker, ones);
    left.inc(2 * worker + 1, ones);
    void partition;
  },
});
