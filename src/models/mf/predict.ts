// Predicts ratings with a saved model's factors, and measures the error against the ratings given.
// One clock, data-parallel over the blocks of the data, no tables.
import { defineProgram, type PartitionWork } from '../../program/program.ts';
import { ranges } from '../../scheduler/rotation.ts';
import { ratingsOf } from './prepare.ts';

/**
 * Byte offsets of padded rows and of the id → row maps; see mf_predict in assembly/models/mf.ts.
 */
export type MfPredictOptions = {
  readonly users: number;
  readonly items: number;
  readonly userRows: number;
  readonly itemRows: number;
  readonly rowBytes: number;
  readonly bias: boolean;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
};

/** Bytes of one partition's sums {Σ e², Σ |e|}; a line of their own. */
export const sumsBytes = 64;
/** Ratings of one kernel call: about a millisecond. */
const chunkRatings = 32_768;

export const mfPredict = defineProgram<MfPredictOptions, PartitionWork, undefined>({
  name: 'mf-predict',
  tables: () => [],
  clocks: () => 1,
  buffers: ({ data, partitions }) => [
    { name: 'predictions', bytes: ratingsOf(data).count * 4 },
    { name: 'sums', bytes: partitions * sumsBytes },
  ],
  start: () => undefined,
  push(ctx, { partition }) {
    const { kernels, arena, options } = ctx;
    const { blocks } = ratingsOf(ctx.data);
    const own = ranges(blocks.length, ctx.partitions)[partition] ?? { first: 0, last: 0 };
    const before = blocks.slice(0, own.first).reduce((sum, block) => sum + block.count, 0);
    let out = ctx.buffer('predictions') + before * 4;
    const sums = ctx.buffer('sums') + partition * sumsBytes;
    arena.f64.fill(0, sums / 8, sums / 8 + 2);
    for (const block of blocks.slice(own.first, own.last)) {
      for (let first = 0; first < block.count; first += chunkRatings) {
        ctx.poll();
        const count = Math.min(chunkRatings, block.count - first);
        const skip = first * 4;
        kernels.mf_predict(
          ...([count, options.rowBytes, options.bias ? 1 : 0, options.mean, 1] as const),
          ...([options.low, options.high] as const),
          ...([block.user + skip, block.item + skip, block.value + skip] as const),
          ...([options.userRows, options.itemRows, options.users, options.items] as const),
          ...([out, sums] as const),
        );
        out += count * 4;
      }
    }
  },
});
