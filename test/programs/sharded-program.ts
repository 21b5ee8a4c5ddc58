// Test program whose schedule is planned by its workers: shards of the variables pick, as part of a
// push, what later pushes update. Every update halves a variable. Variables of one group of ten
// must not be updated at the same time, and the largest come first.
import { defineProgram } from '../../src/program/program.ts';
import { rangeOf } from '../../src/base/ranges.ts';
import { createCorrelations } from '../../src/scheduler/correlations.ts';
import type { Phase, ScheduleOptions } from '../../src/scheduler/schedule.ts';
import {
  createCoordinator,
  createShard,
  type Coordinator,
  type PlanOrder,
  type Proposal,
  type Shard,
} from '../../src/scheduler/shards.ts';

export type ShardedOptions = {
  readonly variables: number;
  readonly schedulers: number;
  readonly depth: number;
  readonly phases: number;
  /** The filter is left out: the auditor must say so. */
  readonly blind?: boolean;
};

type Work = { readonly orders: readonly PlanOrder[]; readonly update: readonly number[] };
type Partial = { readonly proposals: readonly Proposal[]; readonly changes: readonly number[] };
type Flight = Phase | undefined;
type State = {
  readonly coordinator: Coordinator;
  readonly flights: Map<number, Flight>;
  readonly correlations: ReturnType<typeof createCorrelations>;
  readonly picked: number[];
  begun: number;
};

const correlation = (j: number, k: number) => (j === k ? 1 : j % 10 === k % 10 ? 0.5 : 0.05);

const scheduleOf = ({ variables, schedulers, depth }: ShardedOptions): ScheduleOptions => ({
  ...{ kind: 'dynamic', select: 'top', want: 3, variables, schedulers, depth },
});

/** Where a variable starts: all different. */
export const firstValue = (variable: number) => 1 + ((variable * 37) % 101);

export const program = defineProgram<ShardedOptions, Work, Map<number, Shard>, State, Partial>({
  name: 'sharded',
  tables: ({ options }) => [{ name: 'values', rows: options.variables, columns: 1 }],
  pipeline: ({ options }) => options.depth,
  start({ options, worker, workers }) {
    const own = rangeOf(options.schedulers, workers, worker);
    const shards = new Map<number, Shard>();
    for (let s = own.first; s < own.last; s++) {
      const shard = createShard(scheduleOf(options), s);
      const { first, last } = shard.range;
      shard.setPriorities(
        Float64Array.from({ length: last - first }, (_, i) => firstValue(first + i)),
      );
      shards.set(s, shard);
    }
    return shards;
  },
  startSchedule({ options }) {
    const correlations = createCorrelations({ threshold: options.blind === true ? 0.9 : 0.1 });
    const coordinator = createCoordinator({ ...scheduleOf(options), correlations });
    return { coordinator, correlations, flights: new Map(), picked: [], begun: 0 };
  },
  schedule(ctx) {
    const { state, options, workers, clock, prng } = ctx;
    const { coordinator, correlations, flights, picked } = state;
    let phase: Flight;
    if (state.begun < options.phases) {
      const list = coordinator.candidates(prng);
      correlations.note(
        list,
        Array.from(list, (j) => Array.from(list, (k) => correlation(j, k))).flat(),
      );
      phase = coordinator.next(prng);
    }
    if (phase !== undefined) {
      ctx.began(phase);
      picked.push(...phase.picked);
      state.begun += 1;
    }
    const done = state.begun === options.phases;
    const orders = done ? [] : coordinator.orders(prng);
    if (phase === undefined && orders.length === 0) {
      if (flights.size === 0) ctx.report({ picked: picked.length, hash: hashOf(picked) });
      return undefined;
    }
    flights.set(clock, phase);
    return Array.from({ length: workers }, (_, worker) => {
      const own = rangeOf(options.schedulers, workers, worker);
      const update = Array.from(phase?.picked ?? []).filter((_, i) => i % workers === worker);
      return {
        orders: orders.filter(({ shard }) => own.first <= shard && shard < own.last),
        update,
      };
    });
  },
  push(ctx, { orders, update }) {
    const changes = update.map((variable) => {
      const change = (firstValue(variable) + (ctx.table('values').get(variable)[0] ?? 0)) / 2;
      ctx.table('values').inc(variable, [-change]);
      return change;
    });
    return { proposals: orders.map((order) => ctx.state.get(order.shard)!.plan(order)), changes };
  },
  pull(ctx, partials) {
    const { coordinator, flights } = ctx.state;
    coordinator.propose(partials.flatMap(({ proposals }) => proposals));
    const phase = flights.get(ctx.clock);
    flights.delete(ctx.clock);
    if (phase === undefined) return;
    const { length } = partials;
    const changes = phase.picked.map((_, i) => i);
    coordinator.done(
      phase.number,
      Float64Array.from(
        changes,
        (i) => partials[i % length]?.changes[Math.floor(i / length)] ?? NaN,
      ),
    );
    ctx.ended(phase.number);
  },
  conflict: (_, a, b) => {
    const found = correlation(a, b);
    return found < 0.1 ? undefined : `their correlation is ${found}, the threshold 0.1`;
  },
});

function hashOf(numbers: readonly number[]): number {
  return numbers.reduce((hash, number) => (Math.imul(hash, 31) + number) >>> 0, 7);
}
