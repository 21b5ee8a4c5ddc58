// Shapes, options and memory of the lasso's solver. A *lane* is the memory of one solve: of the
// whole data, shared by all hosts, or a fold's, private to the worker that solves it.
import { assert } from '../../base/assert.ts';
import type { Samples } from '../../data/dataset.ts';
import type { BufferSpec, Context, Setup } from '../../program/program.ts';
import { blockBytes } from '../linear/block.ts';
import type { Columns } from '../linear/columns.ts';
import { gramNewMax, placesBytes, type Slots } from '../linear/gram.ts';
import { partitionRows } from '../rows.ts';
import type { ScheduleKind } from '../../scheduler/schedule.ts';

export type LassoOptions = {
  /** Share of the L1 penalty: 1 is the lasso, 0 ridge regression. */
  readonly alpha: number;
  readonly lambda: number | undefined;
  /** λ as a share of λmax, where `lambda` is not given. */
  readonly lambdaRatio: number;
  /** Values of λ from λmax down; 0: only the one asked for. */
  readonly path: number;
  readonly pathRatio: number;
  /** Folds of cross-validation; 0: none. */
  readonly folds: number;
  readonly oneStandardError: boolean;
  readonly intercept: boolean;
  readonly standardize: boolean;
  /** Ends when gap ≤ tolerance · ‖y‖²/2n. */
  readonly tolerance: number;
  /** Most blocks of one λ. */
  readonly passes: number;
  readonly schedule: ScheduleKind;
  /** Most variables of a working set: their second moments are kept whole. */
  readonly slots: number;
};

/** Bytes of one partition's sums. */
export const sumsLine = 64;
/** f64 cells of a line of sums. */
export const cell = {
  ...{ residual: 0, squares: 1, withLabels: 2, held: 3 },
  ...{ labels: 4, labelSquares: 5, kept: 6 },
} as const;
/** λ values of a path, at most: their facts are results. */
export const pathMax = 1000;
/** f64 cells of one λ's facts. */
export const factCells = 8;
export const fact = { lambda: 0, objective: 1, gap: 2, nonzeros: 3, error: 4, spread: 5 } as const;
/** f64 cells of `results`: before the facts of each λ. */
export const result = {
  ...{ intercept: 0, chosen: 1, count: 2, passes: 3, scale: 4, updates: 5, columns: 6 },
  /** The largest gap of a fold's solution, as a share of what was wanted. */
  foldGap: 7,
} as const;
export const resultCells = 8;
/** Bytes of what one fold says of one λ. */
export const foldLine = 24;

export type Shape = {
  readonly rows: number;
  readonly columns: number;
  readonly partitions: number;
  readonly hosts: number;
  readonly slots: number;
};

export function shapeOf(setup: Setup<LassoOptions>): Shape {
  const { rows, columns } = setup.data as Samples;
  const slots = (Math.min(columns, setup.options.slots) + 3) & ~3;
  return { rows, columns, partitions: setup.partitions, hosts: setup.hosts.length, slots };
}

/** A lane's vectors, by name: bytes. Those of the columns and the data come with `program.ts`. */
export function laneSizes(shape: Shape) {
  const { rows, columns, partitions, hosts, slots } = shape;
  const perRow = (rows + 4 * partitions) * 8;
  const perColumn = columns * 8;
  const perSlot = slots * 8;
  return {
    ...{ places: partitions * placesBytes, masks: partitions * 4, mask: perRow, v: perRow },
    ...{ z: perRow, sums: partitions * sumsLine, parts: partitions * perColumn },
    ...{ means: perColumn, scales: perColumn, omega: perColumn, c: perColumn, u: perColumn },
    ...{ slotOf: columns * 4, survivors: columns * 4, violators: columns * 4 },
    ...{ priorities: perColumn, changed: columns * 4, changes: perColumn, scan: 64 },
    ...{ slotList: slots * 4, slotMeans: perSlot, slotScales: perSlot },
    ...{
      slotL1: perSlot,
      slotUnits: perSlot,
      slotL2: perSlot,
      slotG: perSlot + 64,
      slotU: perSlot + 64,
    },
    gramParts: hosts * gramPartBytes(shape),
    ...{ gram: slots * slots * 4, block: blockBytes(slots) },
  };
}
export type LaneName = keyof ReturnType<typeof laneSizes>;

export function gramPartBytes({ slots }: Shape): number {
  return slots * Math.min(slots, gramNewMax) * 4;
}

/** What a solve works with: the machine's tools, and where its vectors are. */
export type Lane = Pick<Context<LassoOptions>, 'arena' | 'kernels' | 'scratch' | 'options'> & {
  readonly shape: Shape;
  readonly data: Samples;
  /** Of cross-validation: rows have weights 0 or 1. */
  readonly masked: boolean;
  readonly seed: number;
  at(name: LaneName | 'y'): number;
  poll(): void;
  share(name: LaneName, from: number, bytes: number): void;
};

/** Bytes from the start of a vector over rows to partition p's part of it. */
export function rowOffset({ shape }: Pick<Lane, 'shape'>, partition: number): number {
  const { first } = partitionRows(shape.rows, shape.partitions, partition);
  return (first + 4 * partition) * 8;
}

export function lassoBuffers(setup: Setup<LassoOptions>): readonly BufferSpec[] {
  const sizes = Object.entries(laneSizes(shapeOf(setup)));
  const { rows, columns } = setup.data as Samples;
  const { folds, path } = setup.options;
  const lambdas = Math.max(1, path);
  return [
    ...sizes.map(([name, bytes]) => ({ name, bytes: Math.max(16, bytes) })),
    { name: 'y', bytes: (rows + 4 * setup.partitions) * 8 },
    { name: 'foldErrors', bytes: Math.max(16, folds * lambdas * foldLine) },
    { name: 'results', bytes: (resultCells + lambdas * factCells) * 8 },
    { name: 'out', bytes: (columns + 4) * 4 },
  ];
}

/** The columns of a partition, by its line in the table of places. */
export function columnsAt(lane: Lane, partition: number): Columns {
  const { i32 } = lane.arena;
  const line = lane.at('places') / 4 + (partition * placesBytes) / 4;
  const [rows = 0, length = 0, starts = 0, index = 0, value = 0, x = 0] = i32.subarray(
    line,
    line + 6,
  );
  const { columns } = lane.shape;
  const dense = x !== 0;
  const nonzeros = dense ? rows * columns : (i32[unsigned(starts) / 4 + columns] ?? 0);
  const places = {
    ...{ starts: unsigned(starts), index: unsigned(index) },
    ...{ value: unsigned(value), x: unsigned(x) },
  };
  assert(rows <= length, 'the partition was opened');
  return { rows, columns, nonzeros, dense, length, places };
}

/** Byte offsets above 2 GiB are negative as i32. */
const unsigned = (offset: number) => offset >>> 0;

export function slotsOf(lane: Lane): Slots {
  return {
    list: lane.at('slotList'),
    centres: lane.at('slotMeans'),
    scales: lane.at('slotScales'),
  };
}

/** Σ over the partitions of a cell of their sums, in order. */
export function sumCell(lane: Lane, index: number): number {
  let sum = 0;
  for (let p = 0; p < lane.shape.partitions; p++) {
    sum += lane.arena.f64[(lane.at('sums') + p * sumsLine) / 8 + index] ?? 0;
  }
  return sum;
}
