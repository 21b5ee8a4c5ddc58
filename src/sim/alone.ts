// A run of one host alone, outside of time: its workers, and the scheduler if there is one, take
// turns, a step each, until all are done.
import { assert } from '../base/assert.ts';
import type { Arena } from '../memory/arena.ts';
import { adoptTables } from '../program/created/tables.ts';
import { planRun, type RunPlan, type RunRequest } from '../program/plan.ts';
import { schedulerLoop } from '../program/scheduler-loop.ts';
import { openWorker } from '../program/worker-loop.ts';
import { openControl } from '../store/control.ts';
import { openStage, resetRings, type SimulatedHostOptions } from './simulated-host.ts';

export type AloneOptions = Pick<
  SimulatedHostOptions,
  'program' | 'module' | 'userModule' | 'onEvent'
> & {
  readonly arena: Arena;
  readonly request: RunRequest;
  readonly threads: number;
};

/** Runs a program to its end; `lags` are its reads by staleness. */
export function runAlone(options: AloneOptions): {
  readonly plan: RunPlan;
  readonly clocks: number;
  readonly lags: readonly (readonly number[])[];
} {
  const { arena, program, request, threads } = options;
  const control = openControl(arena, threads);
  control.reset();
  resetRings(arena);
  const plan = planRun(arena, program, request, threads);
  const host = { arena, control, nowMs: () => 0 };
  const stage = (thread: number) =>
    openStage(options, { ...host, plan: structuredClone(plan) }, thread);
  const workers = Array.from({ length: threads }, (_, thread) => openWorker(stage(thread)));
  const scheduler = program.schedule === undefined ? undefined : schedulerLoop(stage(threads));
  const loops = scheduler === undefined ? workers : [...workers, scheduler];
  const actors = loops.map(({ steps }) => ({ steps, until: (): boolean => true, done: false }));
  while (actors.some(({ done }) => !done)) {
    const ready = actors.filter(({ done, until }) => !done && until());
    assert(ready.length > 0, 'an actor of a host alone waits for another one of it');
    for (const actor of ready) {
      const { value, done } = actor.steps.next();
      actor.done = done === true;
      actor.until = value?.kind === 'wait' ? value.until : () => true;
    }
  }
  adoptTables({ arena, plan }, Infinity);
  const lags = workers.map(({ summary }) => summary(false).lags);
  return { plan, clocks: scheduler?.summary(false).clocks ?? control.minClock(), lags };
}
