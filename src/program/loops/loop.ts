// An actor's loop, step by step: it yields what it waits for and when it has computed. A thread
// blocks on it (runLoop); a simulator lets virtual time pass (src/sim).
import { Stopped, type Activity } from '../../store/control.ts';
import type { Stage } from '../context.ts';

export type Step =
  /** In a replay: what comes next is inside the table lock. */
  | { readonly kind: 'ready' }
  /** `until` may take what it waits for: when it has said yes, the loop goes on. */
  | { readonly kind: 'wait'; readonly why: Activity; readonly until: () => boolean }
  /**
   * A push has been computed, of one partition or of one worker in a scheduled run; nobody else has
   * its deltas yet.
   */
  | { readonly kind: 'pushed'; readonly clock: number; readonly partition: number };

export type Loop<Summary> = {
  readonly steps: Generator<Step, void>;
  summary(stopped: boolean): Summary;
};

/** Runs a loop to its end, or until the run is stopped. Blocks its thread. */
export function runLoop<Summary>({ control, thread }: Stage, loop: Loop<Summary>): Summary {
  try {
    for (const step of loop.steps) {
      if (control.stopped()) throw new Stopped();
      if (step.kind !== 'wait') continue;
      control.setActivity(thread, step.why);
      control.waitUntil(step.until);
    }
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    return loop.summary(true);
  }
  return loop.summary(false);
}
