// The whole job: the λ values, cross-validation, the path, and the results of it.
import { SystemError } from '../../base/errors.ts';
import type { Progress } from '../../mailbox/messages.ts';
import { lambdaPath } from '../linear/lambdas.ts';
import { createChooser } from './choose.ts';
import { chooseLambda, foldPath, scoreFolds } from './folds.ts';
import { fact, factCells, result, resultCells, type Lane } from './layout.ts';
import { largestSlope, solveAt, startSolver, type Phases, type Solver } from './solver.ts';
import type { LassoPhase } from './work.ts';

/** What the job needs of who runs it. `W`: what workers are sent. */
export type Job<W> = {
  readonly lane: Lane;
  /** The same memory for a fold's solve. */
  readonly masked: Lane;
  readonly foldErrors: number;
  readonly results: number;
  readonly out: number;
  run<T>(phases: Phases<T>, masked: boolean): Generator<readonly W[], T, readonly void[]>;
  share(name: 'results' | 'out', from: number, bytes: number): void;
  report(values: Progress): void;
  /** Folds over workers that solve them alone; undefined: no worker has all rows. */
  readonly spreadFolds: ((folds: number) => readonly W[]) | undefined;
};
type Works<W, T> = Generator<readonly W[], T, readonly void[]>;

/** The values of λ, largest first. */
function lambdasOf(solver: Solver): Float64Array {
  const { alpha, lambda, lambdaRatio, path, pathRatio } = solver.lane.options;
  if (path === 0 && lambda !== undefined) return Float64Array.of(lambda);
  // With no column that varies every λ has the same solution.
  const most = largestSlope(solver) / alpha || 1;
  if (path === 0) return Float64Array.of(most * lambdaRatio);
  return lambdaPath(most, { path, pathRatio });
}

function* open(): Generator<LassoPhase, void, void> {
  yield { kind: 'open' };
}

export function* solveAll<W>(job: Job<W>): Works<W, void> {
  const { lane, results } = job;
  const { options, shape, seed, arena } = lane;
  const { f64 } = arena;
  yield* job.run(open(), false);
  const chooser = createChooser(options.schedule, shape.columns, seed);
  let solver = yield* job.run(startSolver(lane, chooser, -1), false);
  checkFinite(solver);
  const lambdas = lambdasOf(solver);
  const cells = results / 8;
  f64.fill(0, cells, cells + resultCells + lambdas.length * factCells);
  f64[cells + result.count] = lambdas.length;
  f64[cells + result.scale] = solver.scale;
  f64[cells + result.columns] = solver.varying;
  const facts = (index: number) => cells + resultCells + index * factCells;
  lambdas.forEach((lambda, index) => (f64[facts(index) + fact.lambda] = lambda));
  let chosen = lambdas.length - 1;
  if (options.folds > 0) {
    yield* crossValidate(job);
    chosen = chooseLambda(lane, results);
    // Folds on all workers used the same vectors.
    if (job.spreadFolds === undefined) {
      solver = yield* job.run(startSolver(lane, chooser, -1), false);
    }
  }
  let passes = 0;
  for (const [index, lambda] of lambdas.entries()) {
    const solved = yield* job.run(solveAt(solver, lambda, options.tolerance * solver.scale), false);
    const { objective, gap, nonzeros } = solved;
    if (!Number.isFinite(objective)) throw diverged(objective);
    passes += solved.passes;
    const at = facts(index);
    f64[at + fact.objective] = objective;
    f64[at + fact.gap] = gap;
    f64[at + fact.nonzeros] = nonzeros;
    job.report({ value: index + 1, values: lambdas.length, lambda, objective, gap, nonzeros });
    if (index === chosen) writeOut(job, solver);
  }
  f64[cells + result.chosen] = chosen;
  f64[cells + result.passes] = passes;
  f64[cells + result.updates] = solver.updates;
  job.share('results', 0, (resultCells + lambdas.length * factCells) * 8);
}

/** Every fold's path: a fold on a worker, or one after the other on all. */
function* crossValidate<W>(job: Job<W>): Works<W, void> {
  const { lane, masked, foldErrors: errors, results } = job;
  const { folds } = lane.options;
  if (job.spreadFolds !== undefined) yield job.spreadFolds(folds);
  else {
    for (let fold = 0; fold < folds; fold++) {
      yield* job.run(foldPath(masked, fold, { errors, results }), true);
    }
  }
  scoreFolds(lane, { errors, results });
}

/** β in f32 and the intercept that belongs to it. */
function writeOut<W>(job: Job<W>, { lane, labelMean }: Solver): void {
  const { columns } = lane.shape;
  const { f32, f64 } = lane.arena;
  const moved = lane.kernels.lasso_export(
    ...([columns, lane.at('u'), lane.at('means'), lane.at('scales'), job.out] as const),
  );
  const bad = lane.kernels.f32_finite(columns, job.out);
  if (bad >= 0) throw diverged(f32[job.out / 4 + bad] ?? NaN);
  f64[job.results / 8 + result.intercept] = lane.options.intercept ? labelMean - moved : 0;
  job.share('out', 0, columns * 4);
}

function checkFinite(solver: Solver): void {
  if (Number.isFinite(solver.scale)) return;
  throw new SystemError(
    'ERR_NOT_FINITE',
    `the labels' squares add up to ${solver.scale}: labels must be finite numbers`,
  );
}

function diverged(found: number): SystemError {
  const rule = `the solution must be finite, got ${found}`;
  return new SystemError('ERR_NOT_FINITE', `${rule}: scale the columns, or use a larger --lambda`);
}
