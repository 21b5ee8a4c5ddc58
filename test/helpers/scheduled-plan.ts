// What a seed of the fuzz of scheduled programs is: hosts, tables, pipeline, sizes, faults, drawn.
import { createPrng, type Prng } from '../../src/base/prng.ts';
import type { Sending } from '../../src/program/plan.ts';
import type { TableSpec } from '../../src/store/table.ts';
import { drawSending, drawSettings, drawTrouble, one, type FuzzPlan } from './ps-plan.ts';

export type ScheduledPlan = Pick<
  FuzzPlan,
  'seed' | 'threads' | 'clocks' | 'tables' | 'settings' | 'faults' | 'pushMs' | 'burstBytes'
> & {
  /** Phases in flight before the one that is pulled next. */
  readonly pipeline: number;
  readonly sending: Sending;
  /** The push of this worker fails, at this clock or at the next one that it has work at. */
  readonly failure: { readonly worker: number; readonly clock: number } | undefined;
};

function drawTables(prng: Prng): readonly TableSpec[] {
  return Array.from({ length: 1 + prng.below(3) }, (_, i): TableSpec => {
    const access = one(prng, ['snapshot', 'snapshot', 'rows', 'none']);
    const type = one(prng, ['i32', 'f32']);
    return { name: `t${i}`, rows: 1 + prng.below(12), columns: 1 + prng.below(6), access, type };
  });
}

export function drawScheduled(seed: number): ScheduledPlan {
  const prng = createPrng(seed, 8);
  const size = 2 + prng.below(4);
  const threads = Array.from({ length: size }, () => 1 + prng.below(3));
  const workers = threads.reduce((a, b) => a + b);
  const clocks = 3 + prng.below(10);
  const base = 0.05 * 200 ** prng.uniform();
  const slowest = prng.below(3) === 0 ? 1 + 4 * prng.uniform() : 1;
  const pushMs = threads.map((_, rank) => base * (rank === size - 1 ? slowest : 1));
  const failure = { worker: prng.below(workers), clock: prng.below(clocks) };
  return {
    ...{ seed, threads, clocks, pushMs, tables: drawTables(prng) },
    pipeline: one(prng, [0, 0, 0, 1, 2, 5]),
    sending: { ...drawSending(prng), early: false },
    burstBytes: one(prng, [200, 2000, 50_000]),
    failure: prng.below(12) === 0 ? failure : undefined,
    settings: drawSettings(prng),
    faults: drawTrouble(prng, size, 1.5 * clocks * base * slowest + 100),
  };
}
