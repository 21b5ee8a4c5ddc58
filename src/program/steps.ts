// A schedule written as a generator: `const partials = yield works`. What would be a state machine
// over phases reads from top to bottom; the scheduler still sees schedule and pull.
import type { ScheduleContext } from './program.ts';

export type Steps<Work, Partial> = Generator<readonly Work[], void, readonly Partial[]>;

/** State of a stepwise schedule: the generator, and the partials that answer its last yield. */
export type StepState<Work, Partial> = {
  steps: Steps<Work, Partial> | undefined;
  partials: readonly Partial[];
};

/** The `startSchedule`, `schedule` and `pull` of a program whose schedule is `steps`. */
export function stepwise<Options, Work, Partial>(
  steps: (ctx: ScheduleContext<Options, StepState<Work, Partial>>) => Steps<Work, Partial>,
) {
  return {
    startSchedule: (): StepState<Work, Partial> => ({ steps: undefined, partials: [] }),
    schedule(ctx: ScheduleContext<Options, StepState<Work, Partial>>) {
      const { state } = ctx;
      state.steps ??= steps(ctx);
      const next = state.steps.next(state.partials);
      return next.done === true ? undefined : next.value;
    },
    pull(ctx: ScheduleContext<Options, StepState<Work, Partial>>, partials: readonly Partial[]) {
      ctx.state.partials = partials;
    },
  };
}
