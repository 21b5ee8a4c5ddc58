// A run of coordinate descent by phases: one λ, or a path of them, each from the solution before.
import type { Flow } from './flow.ts';
import { pathCell, pathCells, result, traceCells, traceRowsMax } from './layout.ts';
import { lambdasOf, measureColumns } from './measure.ts';
import { openProblem, type Scheduler } from './scheduler.ts';
import { openSolve, solveAt, type Solve } from './solve.ts';
import type { PhaseWork } from './worker.ts';

/** What became of λ number `index`. */
function note({ problem, ...solve }: Solve, index: number, lambda: number): void {
  const { ctx } = problem;
  const values: Record<keyof typeof pathCell, number> = {
    ...{ lambda, objective: solve.best, gap: solve.best - solve.dual, nonzeros: solve.nonzeros },
  };
  const row = ctx.buffer('path') / 8 + index * pathCells;
  for (const [name, cell] of Object.entries(pathCell)) {
    ctx.arena.f64[row + cell] = values[name as keyof typeof pathCell];
  }
}

/** Of the last λ: the model that is returned. */
function finish({ problem, counts, correlations, ...solve }: Solve, lambdas: number): void {
  const { ctx, shape } = problem;
  const results = ctx.buffer('results') / 8;
  const values: Record<keyof typeof result, number> = {
    ...counts,
    ...{ objective: solve.best, gap: solve.best - solve.dual, diverged: Number(solve.diverged) },
    ...{ correlated: correlations?.strong ?? 0, start: solve.start },
    ...{ caution: problem.caution, lambda: problem.l1 + problem.l2, nonzeros: solve.nonzeros },
    values: lambdas,
    rows: Math.min(counts.certificates, traceRowsMax),
  };
  for (const [name, index] of Object.entries(result)) {
    ctx.arena.f64[results + index] = values[name as keyof typeof result];
  }
  ctx.share('out', 0, (shape.variables + 1) * 8);
  ctx.share('coefficients', 0, (shape.variables + 1) * 4);
  ctx.share('results', 0, Object.keys(result).length * 8);
  ctx.share('path', 0, lambdas * pathCells * 8);
  ctx.share('trace', 0, values.rows * traceCells * 8);
}

export function* solvePhases(ctx: Scheduler): Flow<PhaseWork> {
  const problem = openProblem(ctx);
  yield* measureColumns(problem);
  const lambdas = yield* lambdasOf(problem);
  const solve = openSolve(problem);
  let solved = 0;
  for (const lambda of lambdas) {
    yield* solveAt(solve, lambda);
    note(solve, solved, lambda);
    solved += 1;
    if (solve.diverged) break;
    const { best: objective, nonzeros } = solve;
    const gap = objective - solve.dual;
    if (lambdas.length > 1) {
      ctx.report({ value: solved, values: lambdas.length, lambda, objective, gap, nonzeros });
    }
  }
  finish(solve, solved);
}
