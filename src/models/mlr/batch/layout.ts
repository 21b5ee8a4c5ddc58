// Shapes and shared buffers of the batch solver of mlr.
import type { Samples } from '../../../data/dataset.ts';
import type { BufferSpec, Context, Setup } from '../../../program/program.ts';
import { mlrShape, type MlrShape } from '../shape.ts';

export type MlrBatchOptions = {
  readonly lambda: number;
  readonly intercept: boolean;
  /** Ends when gap ≤ tolerance · objective. */
  readonly tolerance: number;
  readonly passes: number;
  readonly method: 'auto' | 'ascent' | 'descent';
  /** Copies of the weights that a dual ascent works on at one time. */
  readonly lanes: number;
};

/** f64 cells of one partition's line of `sums`. */
export const cell = {
  /** As a pass met them. */
  ...{ gap: 0, loss: 1, norms: 2 },
  /** As the certificate measured them. */
  ...{ scoreLoss: 3, scoreRows: 4, scoreWrong: 5, scoreGap: 6 },
} as const;
export const sumsLine = 64;
/** f64 cells of `results`. */
export const resultsBytes = 64;
export const result = { objective: 0, gap: 1, passes: 2, wrong: 3 } as const;

/** Pairs of the limited-memory history of a descent. */
export const historyPairs = 10;
/** Largest d [+ 1] whose second moments are kept whole, to precondition a descent. */
export const gramRowsMax = 1024;

/** Largest number of classes: the certificate solves a K × K system. */
export const batchClassesMax = 512;

export function batchShape({ data, options }: Setup<MlrBatchOptions>): MlrShape {
  return mlrShape(data as Samples, options.intercept);
}

export function batchBuffers(setup: Setup<MlrBatchOptions>): readonly BufferSpec[] {
  const { rows: n } = setup.data as Samples;
  const { features, rows, classes: K, rowBytes } = batchShape(setup);
  const moments = rows <= gramRowsMax ? rows * rows : 0;
  const { partitions } = setup;
  return [
    { name: 'directory', bytes: n * 16 },
    { name: 'alpha', bytes: n * rowBytes },
    { name: 'negEntropy', bytes: n * 4 },
    { name: 'dots', bytes: n * 4 },
    { name: 'norms', bytes: n * 4 },
    { name: 'mean', bytes: features * 4 },
    { name: 'columnSums', bytes: partitions * features * 8 },
    { name: 'balance', bytes: partitions * (K + K * K) * 8 },
    { name: 'correction', bytes: rowBytes },
    { name: 'sums', bytes: partitions * sumsLine },
    { name: 'out', bytes: (features + 1) * rowBytes },
    { name: 'outBias', bytes: 2 * rowBytes },
    { name: 'results', bytes: resultsBytes },
    // Of a descent only: pages that a dual ascent never touches.
    { name: 'rebuilt', bytes: (features + 1) * rowBytes },
    { name: 'descent', bytes: (4 + 2 * historyPairs) * rows * rowBytes },
    { name: 'gradients', bytes: partitions * rows * rowBytes },
    { name: 'gram', bytes: partitions * moments * 8 },
    { name: 'solve', bytes: moments > 0 ? 2 * rows * rowBytes : 0 },
    { name: 'factors', bytes: rows * 4 },
  ];
}

/**
 * Adds up cell `index` over the partitions, in order, and the partitions' lines stay as they are.
 */
export function sumCell(
  ctx: Pick<Context<unknown>, 'arena' | 'buffer' | 'partitions'>,
  index: number,
): number {
  let sum = 0;
  for (let p = 0; p < ctx.partitions; p++) {
    sum += ctx.arena.f64[(ctx.buffer('sums') + p * sumsLine) / 8 + index] ?? 0;
  }
  return sum;
}
