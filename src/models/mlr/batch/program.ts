// mlr's batch solver: deterministic, with a certificate. Schedule and push.
//
//   min_W,b (1/n) Σ_i −ln softmax(Wᵀx_i + b)_{y_i} + λ/2 ‖W‖²                (b is not penalized)
//   gap = objective − dual ≥ objective − optimum
//
//   dual ascent (ascent.ts)              where data is wide and its rows' q = ‖x − x̄‖²/λn is small
//   preconditioned L-BFGS (descent.ts)   else
//
// Partitions are a fixed number, never the number of workers; sums are taken in partition order:
// the result is the same bits for any number of workers. Needs λ > 0. Several hosts descend: a
// round of the ascent goes through rows of all partitions, and a host has only its own.
import { SystemError } from '../../../base/errors.ts';
import { assert } from '../../../base/assert.ts';
import type { Samples } from '../../../data/dataset.ts';
import { defineProgram } from '../../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../../program/steps.ts';
import { ascend } from './ascent.ts';
import {
  batchBuffers,
  batchClassesMax,
  batchShape,
  cell,
  gramRowsMax,
  sumCell,
  type MlrBatchOptions,
} from './layout.ts';
import { everyPartition, type MlrBatchWork, type Scheduler } from './work.ts';
import {
  addColumnSquares,
  addGram,
  dualRound,
  dualize,
  measureBalance,
  measureGradient,
  rebuild,
  score,
  sharePhase,
  startBatch,
  startDuals,
  sumColumns,
  type BatchState,
} from './worker.ts';
import { certifyWeights } from './certificate.ts';
import { descend } from './descent.ts';

/**
 * Where dual ascent is the faster of the two, measured in bench/: rows that are not too long for
 * their number (mean q), and too many features for their second moments to come cheap.
 */
const ascent = { meanQMax: 20, wideMeanQMax: 100, featuresMin: 512 } as const;

/** x̄ from the partitions' column sums; returns ‖x̄‖². Without an intercept nothing is centred. */
function planMean(ctx: Scheduler): number {
  const { arena, options, partitions } = ctx;
  const { features } = batchShape(ctx);
  const { rows: n } = ctx.data as Samples;
  const mean = arena.f32.subarray(ctx.buffer('mean') / 4, ctx.buffer('mean') / 4 + features);
  const sums = ctx.buffer('columnSums') / 8;
  let squares = 0;
  for (let j = 0; j < features; j++) {
    let sum = 0;
    for (let p = 0; p < partitions; p++) sum += arena.f64[sums + p * features + j] ?? 0;
    const value = options.intercept ? Math.fround(sum / n) : 0;
    mean[j] = value;
    squares += value * value;
  }
  ctx.share('mean', 0, features * 4);
  return squares;
}

/** Which of the two solves this faster. */
function ascends(ctx: Scheduler, meanNorm: number): boolean {
  const { options } = ctx;
  if (options.method !== 'auto') return options.method === 'ascent';
  const { features } = batchShape(ctx);
  const meanQ = meanNorm / (options.lambda * (ctx.data as Samples).rows);
  // Wide data has only a diagonal to descend with: it ascends on longer rows too.
  const most = features > gramRowsMax ? ascent.wideMeanQMax : ascent.meanQMax;
  return features >= ascent.featuresMin && meanQ <= most;
}

function* steps(ctx: Scheduler): Steps<MlrBatchWork, void> {
  const { rows: n } = ctx.data as Samples;
  yield* everyPartition(ctx, { kind: 'sumColumns' });
  const M = planMean(ctx);
  yield* everyPartition(ctx, { kind: 'start', M });
  const meanNorm = sumCell(ctx, cell.norms) / n;
  if (ascends(ctx, meanNorm)) yield* ascend(ctx, M, meanNorm);
  else yield* descend(ctx, (evaluations) => certifyWeights(ctx, evaluations));
}

export const mlrBatch = defineProgram<
  MlrBatchOptions,
  MlrBatchWork,
  BatchState,
  StepState<MlrBatchWork, void>,
  void
>({
  name: 'mlr-batch',
  tables(setup) {
    const { features, classes } = batchShape(setup);
    assert(setup.options.lambda > 0, 'the batch solver was given a positive lambda');
    if (classes > batchClassesMax) {
      const rule = `--solver batch takes at most ${batchClassesMax} classes`;
      throw new SystemError('ERR_CONFIG', `${rule}, the data has ${classes}: use --solver sgd`);
    }
    // The pushes of a descent only add to them: then they need not travel.
    const access = setup.options.method === 'descent' ? 'none' : 'snapshot';
    return [
      { name: 'weights', rows: features, columns: classes, staleness: 0, access },
      // bias, c, s: see assembly/models/softmax-dual.ts
      { name: 'state', rows: 3, columns: classes, staleness: 0, access },
    ];
  },
  buffers: batchBuffers,
  deltaBytes(setup) {
    const { features, rowBytes } = batchShape(setup);
    const own = Math.ceil(setup.partitions / Math.min(setup.workers, setup.partitions));
    return own * ((features + 3) * rowBytes + 256);
  },
  start: startBatch,
  push(ctx, work) {
    for (let p = work.first; p < work.last; p++) {
      switch (work.kind) {
        case 'sumColumns':
          sumColumns(ctx, p);
          break;
        case 'start':
          startDuals(ctx, p, work.M);
          break;
        case 'round':
          dualRound(ctx, p, work);
          break;
        case 'balance':
          measureBalance(ctx, p);
          break;
        case 'rebuild':
          rebuild(ctx, p);
          break;
        case 'score':
          score(ctx, p);
          break;
        case 'gradient':
          measureGradient(ctx, p);
          break;
        case 'gram':
          addGram(ctx, p);
          break;
        case 'columnSquares':
          addColumnSquares(ctx, p);
          break;
        case 'dualize':
          dualize(ctx, p);
          break;
      }
    }
    sharePhase(ctx, work);
  },
  ...stepwise<MlrBatchOptions, MlrBatchWork, void>(steps),
});
