// Coordinate descent by phases, before the first phase: what columns and rows are like, and the
// values of λ.
import { assert } from '../../../base/assert.ts';
import { lambdasOf as valuesOf } from '../lambdas.ts';
import { certify } from './certificate.ts';
import type { Flow } from './flow.ts';
import { cell, isWeighted } from './layout.ts';
import { ask, rowsOf, sumCell, type Problem } from './scheduler.ts';
import type { PhaseWork } from './worker.ts';

/** Folds the partitions' sums for each variable into `out`. */
function foldSums({ ctx, shape }: Problem, out: string): void {
  const x = ctx.buffer('gradients');
  ctx.kernels.phase_gradient(shape.variables, ctx.partitions, 0, x, 0, 0, ctx.buffer(out));
}

/** What rows of each class weigh; `sum`: of the targets, ±1. */
function weighClasses(problem: Problem, sum: number): void {
  const { ctx } = problem;
  const { classWeights, loss } = ctx.options;
  const n = rowsOf(problem);
  const counts = [(n - sum) / 2, (n + sum) / 2] as const;
  const balanced = classWeights === 'balanced' && loss === 'logistic';
  const weights = balanced ? counts.map((count) => n / (2 * count)) : classWeights;
  if (weights === 'balanced') return;
  ctx.arena.f64.set(weights, ctx.buffer('classWeights') / 8);
  ctx.share('classWeights', 0, 16);
  if (!isWeighted(ctx.options)) return;
  problem.rowWeight = counts.reduce((all, count, k) => all + count * (weights[k] ?? 1), 0) / n;
}

/** Columns, their means and scales, and the curvature along each variable. */
export function* measureColumns(problem: Problem): Flow<PhaseWork> {
  const { ctx, means, inverses, curvatures, shape } = problem;
  const { loss, intercept, standardize } = ctx.options;
  const weighted = isWeighted(ctx.options);
  assert(!(standardize && weighted), 'no model scales columns and weighs classes');
  const n = rowsOf(problem);
  yield* ask(problem, { kind: 'start' });
  if (intercept) {
    foldSums(problem, 'means');
    means.forEach((sum, j) => (means[j] = sum / n));
    if (loss === 'square') problem.mean = sumCell(problem, cell.slopes) / n;
  }
  weighClasses(problem, sumCell(problem, cell.slopes));
  ctx.share('means', 0, shape.variables * 8);
  yield* ask(problem, { kind: 'squares', mean: problem.mean });
  foldSums(problem, 'curvatures');
  const bound = loss === 'square' ? 1 : 0.25;
  curvatures.forEach((squares, j) => {
    const scaled = standardize && squares > 0;
    if (scaled) inverses[j] = 1 / Math.sqrt(squares / n);
    curvatures[j] = bound * (scaled ? 1 : squares / n);
  });
}

/** The values of λ, the largest first: from the gradient of w = 0 where none is given. */
export function* lambdasOf(problem: Problem): Flow<PhaseWork, Float64Array> {
  const { ctx, shape } = problem;
  const { alpha, lambda } = ctx.options;
  if (lambda !== undefined) return Float64Array.of(lambda);
  yield* certify(problem);
  const at = ctx.buffer('gradient') / 8;
  const gradient = ctx.arena.f64.subarray(at, at + shape.variables);
  const most = gradient.reduce((max, g) => Math.max(max, Math.abs(g)), 0) / rowsOf(problem);
  // With no column that varies every λ has the same solution.
  return valuesOf(ctx.options, most / alpha || 1);
}
