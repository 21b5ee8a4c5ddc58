// lasso and elastic-net by --updates independent: what the model reads of a run of linear-phases.
import { SystemError } from '../../base/errors.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Metrics, PathPoint } from '../../jobs/job.ts';
import type { RunResult } from '../../supervisor/host.ts';
import { solveIndependent } from '../linear/phases/independent.ts';
import type { Session, TrainRequest } from '../model.ts';
import type { LassoOptions } from './layout.ts';

/** What the model needs of a solver. */
export type Solved = {
  readonly run: RunResult;
  readonly values: readonly PathPoint[];
  readonly chosen: PathPoint;
  readonly intercept: number;
  readonly passes: number;
  /** Of every λ that was asked for. */
  readonly converged: boolean;
  /** What the tolerance is a share of. */
  readonly gapScale: number;
  /** Byte offset of the coefficients, f32. */
  readonly at: number;
  readonly metrics: Metrics;
};

export async function solveByPhases(
  session: Session,
  request: TrainRequest<Samples>,
  { alpha, lambda, lambdaRatio, path, tolerance }: LassoOptions,
): Promise<Solved> {
  if (path > 0) {
    const rule = '--updates independent solves for one λ';
    throw new SystemError('ERR_CONFIG', `${rule}: leave --path and --folds out, or use joint`);
  }
  const given = { loss: 'square', alpha, lambda, lambdaRatio, tolerance } as const;
  const solved = await solveIndependent(session, request, { ...given, relativeTo: 'start' });
  const { run, of, metrics, intercept, passes, converged, coefficients: at } = solved;
  const chosen = {
    ...{ lambda: of('lambda'), objective: of('objective'), gap: of('gap') },
    nonzeros: of('nonzeros'),
  };
  const gapScale = of('start');
  return { run, values: [chosen], chosen, intercept, passes, converged, gapScale, at, metrics };
}
