// Where matrix factorization keeps what it needs: shapes, and the buffers that its phases share.
//
//   row of a user   [b_u, 1, f_1 … f_rank, 0…]     row of an item   [1, b_i, f_1 … f_rank, 0…]
//   without biases  [f_1 … f_rank, 0…]             K = lanes padded to 4
//
//   grid buffer, one line of 32 bytes per block (a, b), at (a·G + b)·32:
//     { runs, runCount, ix, values, count }   byte offsets and counts, i32
import type { Ratings } from '../../data/dataset.ts';
import type { BufferSpec, Context, Setup } from '../../program/program.ts';
import { chunkBuffers } from './hosts.ts';

export type MfOptions = {
  readonly rank: number;
  readonly lambda: number;
  readonly shrinkage: number;
  readonly bias: boolean;
  readonly learningRate: number;
  /** How often a rate that diverges is halved before training gives up. */
  readonly halvings: number;
  readonly passes: number;
  /** Grid size G; 0 chooses it from the data. */
  readonly blocks: number;
  readonly test: Ratings | undefined;
};

/** Items of one part are numbered with u16. */
const partItemsMax = 65_536;
/** Slices of a block: items are decayed once in each. */
export const slices = 4;

export type MfShape = {
  readonly grid: number;
  /** Leading lanes that are not factors: 2 with biases, else 0. */
  readonly skip: number;
  readonly lanes: number;
  readonly columns: number;
  readonly rowBytes: number;
};

/**
 * G depends on the data alone, never on the workers: so does the result. 8 parts keep a block's
 * items in cache up to tens of millions of ratings; more ratings want more, and more items too.
 */
export function mfShape(data: Ratings, options: MfOptions): MfShape {
  let grid = options.blocks;
  if (grid === 0) {
    grid = 8;
    while (data.count / grid > 4e6 && grid < 64) grid *= 2;
  }
  while (data.items / grid > partItemsMax / 2) grid *= 2;
  const skip = options.bias ? 2 : 0;
  const lanes = options.rank + skip;
  const columns = (lanes + 3) & ~3;
  return { grid, skip, lanes, columns, rowBytes: columns * 4 };
}

export const gridLine = 32;

export type GridBlockPlace = {
  readonly runs: number;
  readonly runCount: number;
  readonly ix: number;
  readonly values: number;
  readonly count: number;
};

/** Reads the line of block (a, b). */
export function gridBlock(
  ctx: Pick<Context<MfOptions>, 'arena' | 'buffer'>,
  shape: MfShape,
  a: number,
  b: number,
): GridBlockPlace {
  const line = (ctx.buffer('grid') + (a * shape.grid + b) * gridLine) / 4;
  const cells = ctx.arena.i32.subarray(line, line + 5);
  const [runs = 0, runCount = 0, ix = 0, values = 0, count = 0] = cells;
  return { runs: runs >>> 0, runCount, ix: ix >>> 0, values: values >>> 0, count };
}

/** Per-id and per-rank arrays of one side (users or items), all 4 bytes an entry. */
export const sideArrays = [
  'Counts',
  'Order',
  'Rank',
  'Part',
  'Base',
  'Decay',
  'DecayBias',
] as const;

export function mfBuffers(setup: Setup<MfOptions>): readonly BufferSpec[] {
  const { data, options, workers, hosts } = setup;
  const ratings = data as Ratings;
  const testBlocks = options.test?.blocks ?? [];
  const shape = mfShape(ratings, options);
  const sides = [
    { side: 'user', size: ratings.users },
    { side: 'item', size: ratings.items },
  ];
  const perSide = sides.flatMap(({ side, size }) => [
    ...sideArrays.map((name) => ({ name: side + name, bytes: size * 4 })),
    { name: `${side}Sums`, bytes: size * 8 },
    { name: `${side}Starts`, bytes: (shape.grid + 1) * 4 },
    { name: `${side}Out`, bytes: size * options.rank * 4 },
    { name: `${side}BiasOut`, bytes: size * 4 },
  ]);
  return [
    ...perSide,
    { name: 'workerCounts', bytes: workers * (ratings.users + ratings.items) * 4 },
    { name: 'chunkSums', bytes: ratings.blocks.length * 16 },
    { name: 'chunkSteps', bytes: ratings.blocks.length * 4 },
    { name: 'code', bytes: 16 },
    { name: 'chunkEnds', bytes: ratings.blocks.length * shape.grid * 4 },
    { name: 'grid', bytes: shape.grid * shape.grid * gridLine },
    { name: 'losses', bytes: shape.grid * shape.grid * 8 },
    { name: 'penalties', bytes: shape.grid * 8 },
    { name: 'testEnds', bytes: testBlocks.length * shape.grid * 4 },
    { name: 'testSums', bytes: testBlocks.length * shape.grid * 16 },
    { name: 'results', bytes: resultsBytes },
    ...(hosts.length > 1 ? chunkBuffers('train', ratings.blocks) : []),
    ...(hosts.length > 1 ? chunkBuffers('test', testBlocks) : []),
  ];
}

export const resultsBytes = 64;
/** f64 cells of the results buffer. */
export const result = {
  ...{ mean: 0, scale: 1, objective: 2, rmse: 3, converged: 4, testRmse: 5, passes: 7 },
  /** Step of coded ratings; 0 when they are kept as f32. */
  step: 6,
} as const;

/**
 * Steps that star ratings come in. Bit i of a chunk's mask: all of it is minimum +
 * ratingSteps[i]·k.
 */
export const ratingSteps = [1, 0.5, 0.25, 0.1] as const;

/** Place of {scale, base} of coded ratings, or 0 when the grid holds plain f32. */
export function codeOf(ctx: Pick<Context<MfOptions>, 'arena' | 'buffer'>): number {
  const step = ctx.arena.f64[ctx.buffer('results') / 8 + result.step] ?? 0;
  return step === 0 ? 0 : ctx.buffer('code');
}
