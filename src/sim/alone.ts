// A run of one host alone, outside of time: its workers take turns, a step each, until all are
// done.
import { assert } from '../base/assert.ts';
import type { Arena } from '../memory/arena.ts';
import { adoptTables } from '../program/created/tables.ts';
import { dataParallelWorker } from '../program/data-parallel.ts';
import { planRun, type RunPlan, type RunRequest } from '../program/plan.ts';
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

/** Runs a data-parallel program to its end; `lags` are its reads by staleness. */
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
  const workers = Array.from({ length: threads }, (_, thread) => ({
    ...dataParallelWorker(openStage(options, { ...host, plan: structuredClone(plan) }, thread)),
    until: (): boolean => true,
    done: false,
  }));
  while (workers.some(({ done }) => !done)) {
    const ready = workers.filter(({ done, until }) => !done && until());
    assert(ready.length > 0, 'a worker of a host alone waits for another one of it');
    for (const worker of ready) {
      const { value, done } = worker.steps.next();
      worker.done = done === true;
      worker.until = value?.kind === 'wait' ? value.until : () => true;
    }
  }
  adoptTables({ arena, plan }, Infinity);
  const lags = workers.map(({ summary }) => summary(false).lags);
  return { plan, clocks: control.minClock(), lags };
}
