// A schedule written as a generator, for programs with several works in flight: it yields works to
// send, or how many of them it wants to see pulled before it goes on.
import type { ScheduleContext } from '../../../program/program.ts';

/** `pulled`: go on when that many of the works sent so far have been pulled. */
export type FlowStep<Work> = readonly Work[] | { readonly pulled: number };
export type Flow<Work, T = void> = Generator<FlowStep<Work>, T, void>;

export type FlowState<Work> = {
  flow: Flow<Work> | undefined;
  pulled: number;
  /** What it waits for. */
  wanted: number;
};

/** The `startSchedule`, `schedule` and `pull` of a program whose schedule is `flow`. */
export function flowing<Options, Work, State extends FlowState<Work>>(
  flow: (ctx: ScheduleContext<Options, State>) => Flow<Work>,
) {
  type Ctx = ScheduleContext<Options, State>;
  return {
    startSchedule: () => ({ flow: undefined, pulled: 0, wanted: 0 }) as State,
    schedule(ctx: Ctx): readonly Work[] | undefined {
      const { state } = ctx;
      state.flow ??= flow(ctx);
      while (state.pulled >= state.wanted) {
        const { done, value } = state.flow.next();
        if (done === true) return undefined;
        if (!('pulled' in value)) return value;
        state.wanted = value.pulled;
      }
      return undefined;
    },
    pull(ctx: Ctx): void {
      ctx.state.pulled += 1;
    },
  };
}
