// Scores samples with given weights: the objective in float64, the errors, and every sample's class
// and, if wanted, probabilities. One clock, data-parallel, no tables.
import { assert } from '../../base/assert.ts';
import type { Samples } from '../../data/dataset.ts';
import { defineProgram, type PartitionWork } from '../../program/program.ts';
import { openRows, partitionRows, storageCode, unpackBytes } from '../rows.ts';
import { mlrShape } from './shape.ts';

export type MlrEvaluateOptions = {
  /** Byte offset of the weight matrix in the shared memory. */
  readonly weights: number;
  readonly intercept: boolean;
  /** Class names of the model: the data's targets index into them. */
  readonly classes: readonly string[];
  readonly probabilities: boolean;
};

/** Bytes of one partition's sums: Σ loss, rows with a loss, rows wrong; a line of their own. */
export const sumsBytes = 64;
/** Rows of one kernel call: a few milliseconds, so that a stop is seen in time. */
const chunkRows = 256;

export const mlrEvaluate = defineProgram<MlrEvaluateOptions, PartitionWork, { work: number }>({
  name: 'mlr-evaluate',
  tables: () => [],
  clocks: () => 1,
  buffers({ data, options, partitions }) {
    const { rows } = data as Samples;
    const k = options.probabilities ? options.classes.length : 0;
    return [
      { name: 'classes', bytes: rows * 4 },
      { name: 'probabilities', bytes: rows * k * 4 },
      { name: 'sums', bytes: partitions * sumsBytes },
    ];
  },
  start(ctx) {
    const data = ctx.data as Samples;
    const { rowBytes } = mlrShape({ ...data, classes: ctx.options.classes }, true);
    return { work: ctx.arena.allocate(unpackBytes(data, 2 * rowBytes)) };
  },
  push(ctx, { partition }) {
    const { options, kernels, arena, state } = ctx;
    const data = ctx.data as Samples;
    assert(data.kind === 'samples', 'mlr scores samples');
    const shape = mlrShape({ ...data, classes: options.classes }, options.intercept);
    const range = partitionRows(data.rows, ctx.partitions, partition);
    const rows = openRows(ctx, data, range);
    const sums = ctx.buffer('sums') + partition * sumsBytes;
    arena.f64.fill(0, sums / 8, sums / 8 + 3);
    for (let done = 0; done < rows.count; done += chunkRows) {
      ctx.poll();
      const count = Math.min(chunkRows, rows.count - done);
      const row = range.first + done;
      const at = ctx.buffer('probabilities') + row * shape.classes * 4;
      kernels.mlr_evaluate(
        ...([storageCode[data.storage], count, rows.at + done * 16] as const),
        ...([shape.features, data.scale, shape.classes, shape.rowBytes] as const),
        ...([shape.intercept ? 1 : 0, options.weights, ctx.buffer('classes') + row * 4] as const),
        ...([options.probabilities ? at : 0, sums, state.work] as const),
      );
    }
  },
});
