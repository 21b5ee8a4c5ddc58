// Parallel coordinate descent on a schedule (STRADS's lasso and logistic regression), the program
// behind --updates independent.
//
//   min_w,b (1/n) Σ_i f(x_i·w + b) + λ (α ‖w‖₁ + (1 − α)/2 ‖w‖²)               (b is not penalized)
//
//   schedule   a phase: variables that are worth an update, and whose columns hardly correlate
//   push       takes in Δ of the phases that ended since; z_p[j] = Σ x_ij f'(z_i) over own rows
//   pull       adds these up in partition order; each variable is updated on its own (solve.ts)
//
// Updates of one phase do not see each other, nor those of the phases in flight before it: without
// the schedule's filter that diverges on correlated columns (Bradley et al. 2011).
import { assert } from '../../../base/assert.ts';
import { defineProgram } from '../../../program/program.ts';
import { pairOf } from './audit.ts';
import { flowing } from './flow.ts';
import { phasesBuffers, type PhasesOptions } from './layout.ts';
import type { PhasesSchedule } from './scheduler.ts';
import { solvePhases } from './path.ts';
import { pushPhase, type PhasesState, type PhaseWork } from './worker.ts';

export const linearPhases = defineProgram<
  PhasesOptions,
  PhaseWork,
  PhasesState,
  PhasesSchedule,
  void
>({
  name: 'linear-phases',
  tables({ options: { alpha, lambda } }) {
    const isPenalized = lambda === undefined ? alpha > 0 : lambda > 0;
    assert(isPenalized, 'without a penalty there is nothing to certify');
    return [];
  },
  buffers: phasesBuffers,
  deltaBytes: () => 0,
  start: () => ({ parts: new Map() }),
  push: pushPhase,
  pipeline: ({ options }) => options.pipeline,
  conflict(ctx, j, k) {
    const { threshold } = ctx.options.schedule;
    if (threshold >= 1) return undefined;
    const correlation = ctx.state.audited?.get(pairOf(j, k));
    if (correlation === undefined) return 'nobody has measured how their columns correlate';
    // Sums of the filter are in another order.
    if (Math.abs(correlation) < threshold + 1e-9) return undefined;
    return `their columns correlate by ${correlation.toFixed(3)}, the limit is ${threshold}`;
  },
  ...flowing<PhasesOptions, PhaseWork, PhasesSchedule>(solvePhases),
});
