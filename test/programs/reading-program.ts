// Test program: every push adds 1 to some rows and reads others, different ones at every clock, and
// holds what it reads against the pushes that it must see and those that there are.
import { createPrng } from '../../src/base/prng.ts';
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

export type ReadingOptions = {
  readonly clocks: number;
  readonly staleness: number;
  /** Clocks that the rows are asked for ahead; 0: not at all. */
  readonly ahead: number;
  readonly rows: number;
  readonly columns: number;
  readonly cacheRows?: number;
  readonly readRows?: number;
  readonly incRows?: number;
};

const drawn = new Map<string, number[]>();
const draw = (stream: number, clock: number, count: number, rows: number): number[] => {
  const key = `${stream} ${clock} ${count} ${rows}`;
  const known = drawn.get(key);
  if (known !== undefined) return known;
  const prng = createPrng(stream, clock);
  const fresh = Array.from({ length: count }, () => prng.below(rows));
  drawn.set(key, fresh);
  return fresh;
};

/** Rows that a push adds 1 to; a row may be named twice. */
export const incsAt = (partition: number, clock: number, { rows, incRows = 3 }: ReadingOptions) =>
  draw(2 * partition, clock, incRows, rows);

/** Rows that a push reads. */
export const readsAt = (partition: number, clock: number, { rows, readRows = 4 }: ReadingOptions) =>
  draw(2 * partition + 1, clock, readRows, rows);

export const program = defineProgram<ReadingOptions, PartitionWork, { at: number; ahead: number }>({
  name: 'reading',
  tables: ({ options: { rows, columns, cacheRows } }) => [
    {
      ...{ name: 'counts', rows, columns, type: 'i32', access: 'rows' },
      ...(cacheRows === undefined ? {} : { cacheRows }),
    },
  ],
  clocks: ({ options }) => options.clocks,
  start: ({ arena }) => ({ at: arena.allocate(1024), ahead: arena.allocate(1024) }),
  reads(ctx, { partition, clock }) {
    const rows = readsAt(partition, clock, ctx.options);
    ctx.arena.i32.set(rows, ctx.state.at / 4);
    return { counts: { at: ctx.state.at, count: rows.length } };
  },
  prefetch(ctx, { partition, clock }) {
    const { ahead, clocks } = ctx.options;
    if (ahead === 0 || clock + ahead >= clocks) return {};
    const rows = readsAt(partition, clock + ahead, ctx.options);
    ctx.arena.i32.set(rows, ctx.state.ahead / 4);
    return { counts: { at: ctx.state.ahead, count: rows.length } };
  },
  push(ctx, { partition, clock }) {
    const { options, partitions } = ctx;
    const counts = ctx.table('counts');
    const wanted = readsAt(partition, clock, options);
    let index = 0;
    for (const [row, values] of counts.each()) {
      if (row !== wanted[index++]) throw new Error(`row ${row} where another was declared`);
      let [least, most] = [0, 0];
      for (let at = 0; at < options.clocks; at++) {
        for (let p = 0; p < partitions; p++) {
          const times = incsAt(p, at, options).filter((named) => named === row).length;
          // Its own pushes of clocks before it are always there.
          if (at < clock - options.staleness || (p === partition && at < clock)) least += times;
          if (at <= clock + options.staleness) most += times;
        }
      }
      const [count = -1] = values;
      const all = values.every((value) => value === count);
      if (!all || count < least || count > most) {
        const found = `row ${row} at clock ${clock}: ${values.join(' ')}`;
        throw new Error(`${found}, not ${least} to ${most}`);
      }
    }
    const ones = new Array<number>(options.columns).fill(1);
    for (const row of incsAt(partition, clock, options)) counts.inc(row, ones);
  },
});
