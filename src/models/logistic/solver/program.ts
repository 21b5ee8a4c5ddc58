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
import { begin, openLine, search } from './line.ts';
import { pushLogistic, startLogistic, type LogisticState } from './worker.ts';

/** How exact a direction has to be: no more than the gap at hand, or the one wanted, is worth. */
function shareFor(gap: number, tolerance: number): number {
  return Math.min(0.3, Math.max(Math.sqrt(gap), 0.5 * Math.sqrt(tolerance / gap)));
}

function* steps(ctx: Scheduler): Phases<void> {
  const { options } = ctx;
  const { n } = shapeOf(ctx);
  const line = yield* openLine(ctx);
  if (ascends(ctx)) yield* ascend(line);
  yield* begin(line);
  const blocks = line.l1 > 0 ? openBlocks(ctx) : undefined;
  let open = false;
  const direct = function* (gap: number): Phases<number> {
    const promise = blocks && (yield* blockDirection(line, blocks));
    if (promise !== undefined) return promise;
    if (!canCycle(ctx)) return yield* newtonDirection(line, shareFor(gap, options.tolerance));
    const turned = yield* cyclesDirection(line, open);
    open = true;
    return turned;
  };
  for (;;) {
    const { gap, value } = gapGuess(line);
    ctx.report({ pass: line.passes, objective: value / n, gap: gap / value });
    const atPoint = { along: false, last: false };
    if (gap <= options.tolerance * value && (yield* certify(line, atPoint))) return;
    const promising = line.t === 1 && line.fall <= 0.1 * Math.sqrt(options.tolerance);
    const aimed = line.aimed && promising;
    if (blocks !== undefined && aimed && (yield* certify(line, { ...atPoint, along: true })))
      return;
    if (line.passes >= options.passes) break;
    const slope = yield* direct(gap / value);
    if (!(slope < 0) || !(yield* search(line, slope))) break;
  }
  yield* certify(line, { along: false, last: true });
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
    assert(options.lambda1 >= 0 && options.lambda2 >= 0, 'penalties are not negative');
    assert(options.lambda1 + options.lambda2 > 0, 'there is a penalty');
    return [];
  },
  buffers: logisticBuffers,
  start: startLogistic,
  push: pushLogistic,
  ...stepwise<LogisticOptions, Work, Answer>(steps),
});
