// What a run comes to: the summaries of its actors, added up.
import type { MailboxSummary } from '../cluster/run.ts';
import type { WorkerSummary } from '../program/data-parallel.ts';
import type { RunPlan } from '../program/plan.ts';
import type { SchedulerSummary } from '../program/scheduler-loop.ts';

export type Summary = WorkerSummary | SchedulerSummary | MailboxSummary;

export type RunResult = {
  readonly plan: RunPlan;
  readonly clocks: number;
  /** Reads by the staleness that they had; empty for a scheduled program, which has no lag. */
  readonly stalenessHistogram: readonly number[];
  /** See SchedulerSummary. */
  readonly auditedPairs?: number | undefined;
  /** Bytes of rows that this host sent to others, by table. */
  readonly tableBytes: readonly number[];
};

export function resultOf(plan: RunPlan, outcomes: readonly Summary[]): RunResult {
  const lags: number[] = [];
  let [clocks, auditedPairs]: [number, number | undefined] = [0, undefined];
  let tableBytes: readonly number[] = [];
  for (const { clocks: done, ...summary } of outcomes) {
    clocks = Math.max(clocks, done);
    if ('tableBytes' in summary) ({ tableBytes } = summary);
    if ('auditedPairs' in summary) ({ auditedPairs } = summary);
    if ('lags' in summary) summary.lags.forEach((n, lag) => (lags[lag] = (lags[lag] ?? 0) + n));
  }
  while (lags.at(-1) === 0) lags.pop();
  return { plan, clocks, stalenessHistogram: lags, auditedPairs, tableBytes };
}
