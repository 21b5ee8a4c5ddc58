// The lasso and the elastic net, certified: schedule and push.
//
//   min_β,b  1/(2n) ‖y − Xβ − b‖² + λ (α ‖β‖₁ + (1−α)/2 ‖β‖²)                 (b is not penalized)
//
//   one λ     solved from β = 0                                     solver.ts
//   a path    each λ from the solution of the one before            path.ts
//   folds     a path for each on a worker of its own; on several hosts, whose rows no worker has
//             all of, one after the other on all workers             folds.ts
//
// Partitions are a fixed number, never the number of workers; sums are taken in partition order:
// the result is the same bits for any number of workers.
import type { Samples } from '../../data/dataset.ts';
import { defineProgram, type PushContext, type ScheduleContext } from '../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../program/steps.ts';
import { solveFolds } from './folds.ts';
import { lassoBuffers, shapeOf, type Lane, type LassoOptions } from './layout.ts';
import { solveAll, type Job } from './path.ts';
import { perform, shareOut, type LassoPhase, type Own } from './work.ts';

/** What a worker is sent: a phase of the solve, or folds to solve alone. */
export type LassoWork =
  | (LassoPhase & Own & { readonly masked: boolean })
  | { readonly kind: 'folds'; readonly folds: readonly number[] };

type Push = PushContext<LassoOptions, undefined>;
type Schedule = ScheduleContext<LassoOptions, StepState<LassoWork, void>>;

/** The lane of the whole data: the program's buffers. */
function openLane(ctx: Push | Schedule, masked: boolean): Lane {
  const { arena, kernels, scratch, options, seed } = ctx;
  return {
    ...{ arena, kernels, scratch, options, seed, masked, shape: shapeOf(ctx) },
    data: ctx.data as Samples,
    at: (name) => ctx.buffer(name),
    poll: () => ctx.poll(),
    share: (name, from, bytes) => ctx.share(name, from, bytes),
  };
}

/** Runs phases on all workers. */
function* onWorkers<T>(
  ctx: Schedule,
  masked: boolean,
  phases: Generator<LassoPhase, T, void>,
): Generator<readonly LassoWork[], T, readonly void[]> {
  const shares = shareOut(ctx);
  for (;;) {
    const step = phases.next();
    if (step.done === true) return step.value;
    const phase = step.value;
    yield shares.map((own) => ({ ...phase, ...own, masked }));
  }
}

function* steps(ctx: Schedule): Steps<LassoWork, void> {
  const job: Job<LassoWork> = {
    lane: openLane(ctx, false),
    masked: openLane(ctx, true),
    run: (phases, masked) => onWorkers(ctx, masked, phases),
    foldErrors: ctx.buffer('foldErrors'),
    results: ctx.buffer('results'),
    out: ctx.buffer('out'),
    share: (name, from, bytes) => ctx.share(name, from, bytes),
    report: (values) => ctx.report(values),
    // A worker has all rows where there is one host.
    spreadFolds:
      ctx.hosts.length > 1
        ? undefined
        : (folds) => {
            const workers = Math.min(ctx.workers, folds);
            return Array.from({ length: workers }, (_, worker) => {
              const own = Array.from({ length: folds }, (_, fold) => fold);
              return { kind: 'folds', folds: own.filter((fold) => fold % workers === worker) };
            });
          },
  };
  yield* solveAll(job);
}

export const lassoSolve = defineProgram<
  LassoOptions,
  LassoWork,
  undefined,
  StepState<LassoWork, void>,
  void
>({
  name: 'lasso-solve',
  tables: () => [],
  buffers: lassoBuffers,
  start: () => undefined,
  push(ctx, work) {
    if (work.kind === 'folds') {
      const lane = openLane(ctx, true);
      const places = { errors: ctx.buffer('foldErrors'), results: ctx.buffer('results') };
      solveFolds(lane, work.folds, places);
      return;
    }
    perform(openLane(ctx, work.masked), work, work);
  },
  ...stepwise<LassoOptions, LassoWork, void>(steps),
});
