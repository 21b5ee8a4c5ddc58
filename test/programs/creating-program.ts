// Test program: creates tables while it runs, all sorts of them, and counts pushes there; or does
// so in ways that are refused.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

export type CreatingOptions = {
  readonly clocks: number;
  readonly staleness: number;
  readonly wrong?: 'spec' | 'missing' | 'late' | 'again' | 'declared' | 'many' | 'early' | 'stale';
};

/** Clocks at which tables are created. */
export const born = { late: 3, words: 3, chosen: 6 } as const;

function misbehave(ctx: Parameters<typeof program.push>[0], clock: number): void {
  const spec = { name: 'wrong', rows: 4, columns: 1 } as const;
  const last = ctx.worker === ctx.workers - 1;
  switch (ctx.options.wrong) {
    case 'spec':
      if (clock === 2) ctx.createTable({ ...spec, columns: last ? 2 : 1 });
      break;
    case 'missing':
      if (clock === 2 && !last) ctx.createTable(spec);
      break;
    case 'late':
      if (clock === (last ? 3 : 2)) ctx.createTable(spec);
      break;
    case 'again':
      if (clock === 2 || clock === 4) ctx.createTable(spec);
      break;
    case 'declared':
      if (clock === 2) ctx.createTable({ ...spec, name: 'first' });
      break;
    case 'many':
      for (let i = 0; i < 40; i++) ctx.createTable({ ...spec, name: `many ${i}` });
      break;
    case 'early':
      if (clock === 2) ctx.createTable(spec);
      if (clock === 2) ctx.table('wrong').get(0);
      break;
    case 'stale':
      if (clock === 2) ctx.createTable({ ...spec, staleness: 2 });
      break;
    case undefined:
  }
}

export const program = defineProgram<CreatingOptions, PartitionWork, number>({
  name: 'creating',
  tables: ({ partitions }) => [{ name: 'first', rows: partitions, columns: 2, type: 'i32' }],
  clocks: ({ options }) => options.clocks,
  start: ({ arena }) => arena.allocate(16),
  reads({ clock, state, arena }) {
    if (clock <= born.chosen) return {};
    arena.i32[state / 4] = clock % 50;
    return { chosen: { at: state, count: 1 } };
  },
  push(ctx, { partition, clock }) {
    const { partitions, options } = ctx;
    if (options.wrong !== undefined) {
      misbehave(ctx, clock);
      return;
    }
    ctx.table('first').inc(partition, [1, 1]);
    if (clock === born.late) {
      ctx.createTable({ name: 'late', rows: partitions, columns: 3, type: 'i32' });
      ctx.createTable({ name: 'words', rows: 5, columns: 99, layout: 'sorted', type: 'i32' });
    }
    if (clock === born.chosen) {
      const shape = { rows: 50, columns: 2, type: 'i32', access: 'rows' } as const;
      ctx.createTable({ name: 'chosen', ...shape });
    }
    if (clock > born.late) {
      const late = ctx.table('late');
      for (let p = 0; p < partitions; p++) {
        const [count = -1] = late.get(p);
        const mine = p === partition ? clock - born.late - 1 : 0;
        const least = Math.max(mine, clock - options.staleness - born.late - 1);
        if (count < least) throw new Error(`clock ${clock}: ${count} of partition ${p}, ${least}`);
      }
      late.inc(partition, [1, clock, -1]);
      ctx.table('words').incSparse(clock % 5, [partition], [2]);
    }
    if (clock > born.chosen) ctx.table('chosen').inc((clock + 1) % 50, [1, partition]);
  },
});
