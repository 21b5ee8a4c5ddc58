// mlr by mini-batch SGD under bounded staleness: the paper's data-parallel program, push alone.
//
//   min_W (1/n) Σ_i −ln softmax(Wᵀx_i + b)_{y_i} + λ/2 ‖W‖²
//
//   push, partition p, clock c:   B_p the partition's next rows (shuffled once a pass)
//     W ← get(rows of the features in B_p)
//     inc −η_c ( (1/B) Σ_{i ∈ B_p} x_i (softmax(Wᵀx_i) − e_{y_i})ᵀ + λ_j W_j )
//
// Partitions share the batch, so the step does not grow with their number. Sparse rows read and
// write only the features of their batch; feature j is then decayed by λ_j = λ / P(j in a batch),
// which is λ in expectation (Recht et al. 2011, eq. 2). η_c falls linearly from η to 0.
import { assert } from '../../base/assert.ts';
import type { Samples } from '../../data/dataset.ts';
import { defineProgram, type PartitionWork, type PushContext } from '../../program/program.ts';
import {
  countColumns,
  openRows,
  partitionRows,
  storageCode,
  unpackBytes,
  type Rows,
} from '../rows.ts';
import { mlrShape, type MlrShape } from './shape.ts';

export type MlrSgdOptions = {
  readonly lambda: number;
  readonly intercept: boolean;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly passes: number;
  /**
   * Rows of the data set that have feature j: features × i32 at this byte offset, where the rows
   * lie on several hosts; 0 where each worker can count them.
   */
  readonly columnCounts: number;
};

type Partition = { readonly rows: Rows; loss: number; shuffled: number };

type State = {
  readonly data: Samples;
  readonly shape: MlrShape;
  readonly clocksPerPass: number;
  readonly partitions: Map<number, Partition>;
  /** Kernel workspace, batch directory, and for sparse data the batch's feature list. */
  readonly work: number;
  /** λ_j of every row of the weights, f32. */
  readonly decays: number;
  readonly sparse: { marks: number; list: number; positions: number; directory: number };
  /** The batch that `reads` prepared and `push` consumes. */
  batch: Rows;
  features: number;
};

const tableName = 'weights';

function samplesOf(data: unknown): Samples {
  const samples = data as Samples;
  assert(samples.kind === 'samples', 'mlr trains on samples');
  return samples;
}

function clocksPerPass(rows: number, batchSize: number): number {
  return Math.max(1, Math.round(rows / batchSize));
}

/** base^n by repeated squaring: `**` may differ in its last bits from engine to engine. */
function power(base: number, n: number): number {
  let result = 1;
  for (let square = base, left = n; left > 0; left >>= 1, square *= square) {
    if (left & 1) result *= square;
  }
  return result;
}

/** λ_j of every feature: λ over the chance that a batch touches it. */
function featureDecays(
  ctx: Pick<PushContext<MlrSgdOptions, State>, 'arena' | 'kernels' | 'options'>,
  data: Samples,
  shape: MlrShape,
): number {
  const { lambda, batchSize } = ctx.options;
  const at = ctx.arena.allocate(shape.rows * 4);
  const decays = ctx.arena.f32.subarray(at / 4, at / 4 + shape.rows);
  decays.fill(lambda, 0, shape.features).fill(0, shape.features);
  if (data.storage !== 'csr') return at;
  let counts = ctx.options.columnCounts;
  if (counts === 0) {
    counts = ctx.arena.allocate(shape.features * 4);
    ctx.arena.u8.fill(0, counts, counts + shape.features * 4);
    countColumns(ctx, data, { first: 0, last: data.rows }, counts);
  }
  for (let j = 0; j < shape.features; j++) {
    const share = (ctx.arena.i32[counts / 4 + j] ?? 0) / data.rows;
    const touched = 1 - power(1 - share, Math.min(batchSize, data.rows));
    decays[j] = touched > 0 ? Math.min(lambda / touched, 1e3) : 0;
  }
  return at;
}

/** The rows of partition `p` that clock `clock` visits; shuffles at the start of a pass. */
function nextBatch(ctx: PushContext<MlrSgdOptions, State>, partition: number): Rows {
  const { state, kernels, clock } = ctx;
  const { clocksPerPass } = state;
  let own = state.partitions.get(partition);
  if (own === undefined) {
    const range = partitionRows(state.data.rows, ctx.partitions, partition);
    own = { rows: openRows(ctx, state.data, range), loss: 0, shuffled: -1 };
    state.partitions.set(partition, own);
  }
  const pass = Math.floor(clock / clocksPerPass);
  if (own.shuffled !== pass) {
    kernels.directory_shuffle(own.rows.count, ctx.prng.uint32() | 1, own.rows.at);
    own.shuffled = pass;
  }
  const step = clock % clocksPerPass;
  const at = (index: number) => Math.floor((own.rows.count * index) / clocksPerPass);
  const first = at(step);
  return { at: own.rows.at + 16 * first, count: at(step + 1) - first };
}

export const mlrSgd = defineProgram<MlrSgdOptions, PartitionWork, State>({
  name: 'mlr-sgd',

  tables({ data, options }) {
    const samples = samplesOf(data);
    const shape = mlrShape(samples, options.intercept);
    const access = samples.storage === 'csr' ? 'rows' : 'snapshot';
    return [{ name: tableName, rows: shape.rows, columns: shape.classes, access }];
  },

  clocks: ({ data, options }) =>
    options.passes * clocksPerPass(samplesOf(data).rows, options.batchSize),

  start(ctx) {
    const data = samplesOf(ctx.data);
    const shape = mlrShape(data, ctx.options.intercept);
    const { arena } = ctx;
    const work = arena.allocate(unpackBytes(data, shape.rowBytes));
    const batchRows = Math.ceil((2 * ctx.options.batchSize) / ctx.partitions) + 16;
    const longest = data.storage === 'csr' ? shape.features : 0;
    const marks = arena.allocate(longest * 4 + 16);
    arena.i32.fill(-1, marks / 4, marks / 4 + longest);
    // Room for the entries of the fullest batch there can be would be too much: bounded by rows of
    // full length, or all entries of the data, whichever is less. Pages are lazy.
    const entries = Math.min(data.nonzeros, batchRows * longest) * 4 + 16;
    const list = arena.allocate((shape.rows + 1) * 4 + 16);
    const positions = arena.allocate(entries);
    const directory = arena.allocate(batchRows * 16);
    return {
      ...{ data, shape, work, partitions: new Map<number, Partition>() },
      clocksPerPass: clocksPerPass(data.rows, ctx.options.batchSize),
      decays: featureDecays(ctx, data, shape),
      sparse: { marks, list, positions, directory },
      batch: { at: 0, count: 0 },
      features: shape.features,
    };
  },

  reads(ctx, { partition }) {
    const { state, kernels, arena } = ctx;
    state.batch = nextBatch(ctx, partition);
    if (state.data.storage !== 'csr') return {};
    const { marks, list, positions, directory } = state.sparse;
    const { at, count } = state.batch;
    state.features = kernels.batch_columns(count, at, marks, list, positions, directory);
    state.batch = { at: directory, count };
    if (state.shape.intercept) arena.i32[list / 4 + state.features] = state.shape.features;
    const rows = state.features + (state.shape.intercept ? 1 : 0);
    return { [tableName]: { at: list, count: rows } };
  },

  push(ctx, { partition, clock }) {
    const { state, kernels, options } = ctx;
    const { shape, data, batch, features, decays, work } = state;
    const weights = ctx.table(tableName);
    const rows = features + (shape.intercept ? 1 : 0);
    const sparse = data.storage === 'csr';
    const delta = sparse ? weights.incRows(state.sparse.list, rows) : weights.incRange(0, rows);
    const intercept = shape.intercept ? 1 : 0;
    // G += Σ x_i (p_i − e_{y_i})ᵀ
    const loss = kernels.mlr_gradient(
      ...([storageCode[data.storage], batch.count, batch.at, features, data.scale] as const),
      ...([shape.classes, shape.rowBytes, intercept, weights.at, delta, work] as const),
    );
    const pass = Math.floor(clock / state.clocksPerPass);
    const clocks = options.passes * state.clocksPerPass;
    const rate = options.learningRate * (1 - clock / clocks);
    // Δ ← −η (G / B + λ W), the decay shared out over the partitions of the batch
    const perBatch = rate / options.batchSize;
    const share = rate / ctx.partitions;
    const list = sparse ? state.sparse.list : 0;
    kernels.mlr_sgd_step(
      ...([rows, shape.rowBytes, perBatch, share, list, decays, weights.at, delta] as const),
    );
    const own = state.partitions.get(partition);
    if (own === undefined) return;
    own.loss += loss;
    if ((clock + 1) % state.clocksPerPass === 0) {
      ctx.report({ pass: pass + 1, loss: own.loss, rows: own.rows.count });
      own.loss = 0;
    }
  },
});
