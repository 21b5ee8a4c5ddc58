// Test program: every kind of inc and every way to read, on integers, so that sums are exact in any
// order. `incsOf` is what a push adds, for the test's own sum; a push checks the shape of reads.
import { createPrng } from '../../src/base/prng.ts';
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';
import type { TableView } from '../../src/store/views.ts';

export type KindsOptions = { readonly clocks: number; readonly access?: 'rows' };

export const shape = { rows: 23, columns: 70, words: 17, topics: 40 } as const;

export type KindsInc = { readonly table: 'dense' | 'topics'; readonly row: number } & {
  readonly columns: readonly number[];
  readonly values: readonly number[];
  readonly how: 'row' | 'columns' | 'span' | 'sparse';
};

/** What the push of a partition at a clock adds. */
export function incsOf(partition: number, clock: number): readonly KindsInc[] {
  const prng = createPrng(partition, clock);
  const value = () => prng.below(9) - 4;
  const incs: KindsInc[] = [];
  for (let i = 0; i < 4; i++) {
    const row = prng.below(shape.rows);
    const first = prng.below(shape.columns);
    const length = prng.below(shape.columns - first + 1);
    const run = Array.from({ length }, (_, j) => first + j);
    const some = Array.from({ length: prng.below(6) }, () => prng.below(shape.columns));
    const all = Array.from({ length: shape.columns }, (_, j) => j);
    const [how, columns] = (
      [
        ['row', all],
        ['columns', some],
        ['span', run],
      ] as const
    )[prng.below(3)]!;
    incs.push({ table: 'dense', row, how, columns, values: columns.map(value) });
    const topics = Array.from({ length: prng.below(5) }, () => prng.below(shape.topics));
    const word = prng.below(shape.words);
    const values = topics.map(value);
    incs.push({ table: 'topics', row: word, how: 'sparse', columns: topics, values });
    // What goes up comes down two clocks later: entries at 0 must vanish.
    incs.push({ table: 'topics', row: word, how: 'sparse', columns: [clock % 7], values: [3] });
    incs.push({ table: 'topics', row: word, how: 'sparse', columns: [clock % 7], values: [-3] });
  }
  return incs;
}

function checkSorted(topics: TableView, listed: readonly number[]): void {
  let index = 0;
  for (const [row, { columns, values }] of topics.eachSparse()) {
    if (row !== listed[index]) throw new Error(`row ${row} where ${listed[index]} was declared`);
    const again = topics.getSparse(index);
    if (String(again.columns) !== String(columns)) throw new Error('each and get differ');
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) throw new Error(`a zero in row ${row}`);
      const [before = Infinity, column = -1] = [values[i - 1], columns[i - 1]];
      const inOrder = before > values[i]! || (before === values[i]! && column < columns[i]!);
      if (!inOrder) throw new Error(`row ${row}: ${String(values)} of ${String(columns)}`);
    }
    index += 1;
  }
  if (index !== listed.length) throw new Error(`${index} rows, ${listed.length} declared`);
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

export const program = defineProgram<KindsOptions, PartitionWork, { at: number; list: number[] }>({
  name: 'kinds',
  tables: ({ options: { access = 'snapshot' as const } }) => [
    { name: 'dense', rows: shape.rows, columns: shape.columns, access },
    {
      ...{ name: 'topics', rows: shape.words, columns: shape.topics, access },
      ...{ layout: 'sorted', type: 'i32' },
    },
  ],
  clocks: ({ options }) => options.clocks,
  start: ({ arena }) => ({ at: arena.allocate(256), list: [] }),
  reads({ options, state, arena, prng }) {
    if (options.access === undefined) return {};
    state.list = range(5).map(() => prng.below(shape.words));
    arena.i32.set(state.list, state.at / 4);
    return { dense: { at: state.at, count: 5 }, topics: { at: state.at, count: 5 } };
  },
  push(ctx, { partition, clock }) {
    const [dense, topics] = [ctx.table('dense'), ctx.table('topics')];
    const declared = ctx.options.access === 'rows';
    checkSorted(topics, declared ? ctx.state.list : range(shape.words));
    const numbers = [...dense.each()].map(([row]) => row);
    const wanted = declared ? ctx.state.list : range(shape.rows);
    if (String(numbers) !== String(wanted)) throw new Error(`each gave rows ${String(numbers)}`);
    for (const { table, row, columns, values, how } of incsOf(partition, clock)) {
      if (table === 'topics') topics.incSparse(row, columns, values);
      else if (how === 'row') dense.inc(row, values);
      else if (how === 'columns') dense.incColumns(row, columns, values);
      else dense.incSpan(row, columns[0] ?? shape.columns, values);
    }
  },
});
