// Test program: every worker counts its pushes in a row of its own, slowly for some; at a barrier a
// push must find all pushes of all clocks before, otherwise it may lag.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

export type BarrierOptions = { readonly clocks: number; readonly every: number };

const lagged = { reads: 0 };
/** Reads between barriers that did not see all; of this thread. */
export const laggedReads = () => lagged.reads;

export const program = defineProgram<BarrierOptions, PartitionWork, null>({
  name: 'barrier',
  tables: ({ partitions }) => [{ name: 'pushes', rows: partitions, columns: 1, type: 'i32' }],
  clocks: ({ options }) => options.clocks,
  barrier: (clock, { options }) => clock % options.every === options.every - 1,
  start: () => null,
  push(ctx, { partition, clock }) {
    const until = performance.now() + (partition % 3) * 0.3;
    const pushes = ctx.table('pushes');
    const seen = Array.from({ length: ctx.partitions }, (_, p) => pushes.get(p)[0] ?? 0);
    const least = Math.min(...seen);
    const { every } = ctx.options;
    if (clock % every === every - 1 && least < clock) {
      throw new Error(`clock ${clock} is a barrier and saw ${seen.join(' ')}`);
    }
    if (least < clock) lagged.reads += 1;
    pushes.inc(partition, [1]);
    while (performance.now() < until);
  },
});
