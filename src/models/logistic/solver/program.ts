// Binary logistic regression with L1, L2 or both: Newton's method with a certificate.
//
//   each step: loss, gradient and curvature at w (one pass) ── a direction ── a search along it
//   the direction, with L1:  a block that the schedule picks, on its second moments (block.ts)
//   with too many in use:    coordinate descent on the columns themselves (cycles.ts)
//   without:                 conjugate gradients on products with the curvature (conjugate.ts)
//   L2 on wide, sparse data: first an ascent of the dual, which leaves little to do (ascent.ts)
//
// Everything that touches rows is a partial sum over a partition, folded in partition order; the
// scheduler does the arithmetic on features. So the result has the same bits for any number of
// workers, and hosts exchange vectors over features alone.
import { assert } from '../../../base/assert.ts';
import { defineProgram } from '../../../program/program.ts';
import { stepwise, type StepState } from '../../../program/steps.ts';
import { lambdasOf } from '../../linear/lambdas.ts';
import {
  ascends,
  canCycle,
  logisticBuffers,
  shapeOf,
  type Answer,
  type LogisticOptions,
  type Phases,
  type Scheduler,
  type Work,
} from './layout.ts';
import { ascend } from './ascent.ts';
import { blockDirection, openBlocks } from './block.ts';
import { certify, gapGuess } from './certificate.ts';
import { newtonDirection } from './conjugate.ts';
import { cyclesDirection } from './cycles.ts';
import { begin, openLine, search, type Line } from './line.ts';
import { pushLogistic, startLogistic, type LogisticState } from './worker.ts';

/** How exact a direction has to be: no more than the gap at hand, or the one wanted, is worth. */
function shareFor(gap: number, tolerance: number): number {
  return Math.min(0.3, Math.max(Math.sqrt(gap), 0.5 * Math.sqrt(tolerance / gap)));
}

/** λ from here on. */
function setLambda(line: Line, lambda: number, index: number): void {
  const { alpha } = line.ctx.options;
  const { n } = shapeOf(line.ctx);
  Object.assign(line, { lambda, index, l1: n * lambda * alpha, l2: n * lambda * (1 - alpha) });
}

type Directions = (line: Line, gap: number) => Phases<number>;

/** Directions for a line whose λ may change. */
function openDirections(ctx: Scheduler): Directions {
  const { alpha, tolerance } = ctx.options;
  const blocks = alpha > 0 ? openBlocks(ctx) : undefined;
  let open = false;
  return function* (line, gap) {
    const promise = blocks && (yield* blockDirection(line, blocks));
    if (promise !== undefined) return promise;
    if (!canCycle(ctx)) return yield* newtonDirection(line, shareFor(gap, tolerance));
    const turned = yield* cyclesDirection(line, open);
    open = true;
    return turned;
  };
}

/** Solves for the line's λ from where it is, and writes down what it has found. */
function* solveHere(line: Line, direct: Directions): Phases<void> {
  const { ctx } = line;
  const { options } = ctx;
  const { n } = shapeOf(ctx);
  const atPoint = { along: false, last: false };
  const most = line.passes + options.passes;
  for (;;) {
    const { gap, value } = gapGuess(line);
    ctx.report({ pass: line.passes, objective: value / n, gap: gap / value });
    if (gap <= options.tolerance * value && (yield* certify(line, atPoint))) return;
    const promising = line.t === 1 && line.fall <= 0.1 * Math.sqrt(options.tolerance);
    const aimed = line.aimed && promising;
    if (aimed && (yield* certify(line, { ...atPoint, along: true }))) return;
    if (line.passes >= most) break;
    const slope = yield* direct(line, gap / value);
    if (!(slope < 0) || !(yield* search(line, slope))) break;
  }
  yield* certify(line, { along: false, last: true });
}

/** The next λ begins near its end: neither samples of the rows nor rough blocks are enough. */
const warmFall = 0.01;

function* steps(ctx: Scheduler): Phases<void> {
  const { options, kernels } = ctx;
  const { n, d } = shapeOf(ctx);
  const line = yield* openLine(ctx);
  if (ascends(ctx)) {
    setLambda(line, options.lambda ?? NaN, 0);
    yield* ascend(line);
  }
  yield* begin(line);
  // At w = 0; with no feature that says anything every λ has the same solution.
  const most = kernels.f64_max_abs(d, line.v.g) / (n * options.alpha);
  const direct = openDirections(ctx);
  for (const [index, lambda] of lambdasOf(
    options,
    Number.isFinite(most) ? most || 1 : 1,
  ).entries()) {
    setLambda(line, lambda, index);
    yield* solveHere(line, direct);
    Object.assign(line, { fall: warmFall, aimed: false });
  }
}

export const logisticSolve = defineProgram<
  LogisticOptions,
  Work,
  LogisticState,
  StepState<Work, Answer>,
  Answer
>({
  name: 'logistic',
  tables({ options }) {
    const { alpha, lambda } = options;
    assert(alpha >= 0 && alpha <= 1, 'penalties are not negative');
    assert(lambda === undefined ? alpha > 0 : lambda > 0, 'there is a penalty');
    return [];
  },
  buffers: logisticBuffers,
  start: startLogistic,
  push: pushLogistic,
  ...stepwise<LogisticOptions, Work, Answer>(steps),
});
