// Scores of rows by a linear model, x_i'w + b in f64, and the squared errors of rows with labels.
// One clock, data-parallel, no tables; every host scores its own rows.
//
//   { weights: columns × f32, intercept } ─▶ scores: rows × f64      sums: Σ (y − s)², Σ y, Σ y²
import type { Samples } from '../../data/dataset.ts';
import { defineProgram, type PartitionWork } from '../../program/program.ts';
import { openRows, partitionRows, storageCode, unpackBytes } from '../rows.ts';

export type LinearScoreOptions = {
  /** Byte offset of the weights in the shared memory. */
  readonly weights: number;
  readonly intercept: number;
};

/** Bytes of one partition's sums. */
export const scoreLine = 64;
/** Rows of one kernel call. */
const chunkRows = 512;

export const linearScore = defineProgram<LinearScoreOptions, PartitionWork, { work: number }>({
  name: 'linear-score',
  tables: () => [],
  clocks: () => 1,
  buffers: ({ data, partitions }) => [
    { name: 'scores', bytes: (data as Samples).rows * 8 },
    { name: 'sums', bytes: partitions * scoreLine },
  ],
  start: (ctx) => ({ work: ctx.arena.allocate(unpackBytes(ctx.data as Samples, 0)) }),
  push(ctx, { partition }) {
    const { arena, kernels, options, state } = ctx;
    const data = ctx.data as Samples;
    const range = partitionRows(data.rows, ctx.partitions, partition);
    const rows = openRows(ctx, data, range);
    const sums = ctx.buffer('sums') + partition * scoreLine;
    arena.u8.fill(0, sums, sums + scoreLine);
    for (let done = 0; done < rows.count; done += chunkRows) {
      ctx.poll();
      kernels.linear_scores(
        ...([storageCode[data.storage], Math.min(chunkRows, rows.count - done)] as const),
        ...([rows.at + done * 16, data.columns, data.scale, options.weights] as const),
        ...([options.intercept, ctx.buffer('scores') + (range.first + done) * 8] as const),
        ...([sums, state.work] as const),
      );
    }
  },
});
