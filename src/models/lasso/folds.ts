// Cross-validation: a fold's rows have weight 0 while its path is solved; their squared errors are
// its score. The columns are those of the whole data; a fold has vectors of its own.
import { createChooser } from './choose.ts';
import {
  columnsAt,
  fact,
  factCells,
  foldLine,
  laneSizes,
  result,
  resultCells,
  type Lane,
  type LaneName,
} from './layout.ts';
import { placesBytes, writePlaces } from '../linear/gram.ts';
import { solveAt, startSolver, type Phases } from './solver.ts';
import { perform, wholeOwn } from './work.ts';

export type FoldPlaces = {
  /** folds × λ values × foldLine: Σ squared errors, rows, gap over the one wanted; f64. */
  readonly errors: number;
  /** Where the λ values stand, and how many. */
  readonly results: number;
};

/** A fold's path, on a lane with masks; writes its errors down. */
export function* foldPath(lane: Lane, fold: number, places: FoldPlaces): Phases<void> {
  const { f64 } = lane.arena;
  const { options, shape, seed } = lane;
  const chooser = createChooser(options.schedule, shape.columns, seed);
  const solver = yield* startSolver(lane, chooser, fold);
  const facts = places.results / 8 + resultCells;
  const count = f64[places.results / 8 + result.count] ?? 0;
  for (let index = 0; index < count; index++) {
    const lambda = f64[facts + index * factCells + fact.lambda] ?? 0;
    const target = options.tolerance * solver.scale;
    const { held, gap } = yield* solveAt(solver, lambda, target);
    const line = [held, shape.rows - solver.n, gap / Math.max(target, Number.MIN_VALUE)];
    f64.set(line, (places.errors + (fold * count + index) * foldLine) / 8);
  }
}

/** Private memory of a fold's solve; the labels and the columns are everyone's. */
function privateLane(lane: Lane): Lane {
  const { arena, shape } = lane;
  const alone = { ...shape, hosts: 1 };
  const at = new Map<string, number>();
  for (const [name, bytes] of Object.entries(laneSizes(alone))) {
    at.set(name, arena.allocate(Math.max(16, bytes)));
  }
  const own = {
    ...lane,
    shape: alone,
    at: (name: LaneName | 'y') => (name === 'y' ? lane.at('y') : (at.get(name) ?? 0)),
    share: () => undefined,
  };
  for (let p = 0; p < shape.partitions; p++) {
    writePlaces(arena, columnsAt(lane, p), own.at('places') + p * placesBytes);
  }
  return own;
}

/** Solves folds alone, in a push, one after the other in the same memory. */
export function solveFolds(lane: Lane, folds: readonly number[], places: FoldPlaces): void {
  const own = privateLane(lane);
  const whole = wholeOwn(own.shape.partitions);
  for (const fold of folds) {
    for (const phase of foldPath(own, fold, places)) {
      lane.poll();
      perform(own, phase, whole);
    }
  }
}

/** Mean squared error over the folds, and its standard error, of every λ; into the facts. */
export function scoreFolds(lane: Lane, places: FoldPlaces): void {
  const { f64 } = lane.arena;
  const { folds } = lane.options;
  const count = f64[places.results / 8 + result.count] ?? 0;
  let apart = 0;
  for (let index = 0; index < count; index++) {
    const errors = Array.from({ length: folds }, (_, fold) => {
      const at = (places.errors + (fold * count + index) * foldLine) / 8;
      apart = Math.max(apart, f64[at + 2] ?? 0);
      return (f64[at] ?? 0) / Math.max(1, f64[at + 1] ?? 0);
    });
    const mean = errors.reduce((sum, error) => sum + error, 0) / folds;
    const variance = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / (folds - 1);
    const at = places.results / 8 + resultCells + index * factCells;
    f64[at + fact.error] = mean;
    f64[at + fact.spread] = Math.sqrt(variance / folds);
  }
  f64[places.results / 8 + result.foldGap] = apart;
}

/** Which λ: of least error, or the largest within one standard error of it. */
export function chooseLambda(lane: Lane, results: number): number {
  const { f64 } = lane.arena;
  const count = f64[results / 8 + result.count] ?? 0;
  const at = (index: number) => results / 8 + resultCells + index * factCells;
  let best = 0;
  for (let index = 1; index < count; index++) {
    if ((f64[at(index) + fact.error] ?? 0) < (f64[at(best) + fact.error] ?? 0)) best = index;
  }
  if (!lane.options.oneStandardError) return best;
  const most = (f64[at(best) + fact.error] ?? 0) + (f64[at(best) + fact.spread] ?? 0);
  for (let index = 0; index < best; index++) {
    if ((f64[at(index) + fact.error] ?? 0) <= most) return index;
  }
  return best;
}
