// linear-phases without threads: schedule, push and pull are called here, in an order that a seed
// draws where the runtime leaves it open. So every phase is seen, and a report may be as late as
// the pipeline lets it be.
import type { BegunPhase, Context } from '../../src/program/program.ts';
import type { Samples } from '../../src/data/dataset.ts';
import { linearPhases } from '../../src/models/linear/phases/program.ts';
import type { PhaseWork } from '../../src/models/linear/phases/worker.ts';
import type { Host } from '../../src/supervisor/host.ts';
import type { Design } from '../oracle/coordinate.ts';
import { phasesRequest, placeDesign, solvedOf, type Ask, type Solved } from './designs.ts';
import { withHost } from './hosts.ts';
import { prngOf } from './lab.ts';

export type Driven = Solved & {
  /** In order: what was dispatched, and what was in flight besides. */
  readonly dispatched: readonly { readonly picked: readonly number[]; readonly flying: number[] }[];
  /** Most works that a worker was behind the scheduler. */
  readonly latest: number;
};

type Flight = { readonly works: readonly PhaseWork[]; done: number };

/** A host whose memory is driven. */
export function driving(body: (host: Host) => void): Promise<void> {
  return withHost(1, (host) => Promise.resolve(body(host)));
}

/** A setup over the host's memory, whose threads have nothing to do with it. */
function contextOf(host: Host, data: Samples, design: Design, ask: Ask & { workers: number }) {
  const { options, partitions, seed } = phasesRequest(data, design, ask);
  const setup = {
    ...{ options: options as never, data, partitions, seed, workers: ask.workers },
    hosts: [{ first: 0, last: ask.workers }],
  };
  const buffers: Record<string, number> = {};
  for (const { name, bytes } of linearPhases.buffers?.(setup) ?? []) {
    buffers[name] = host.arena.allocate(bytes);
  }
  const context: Context<never> = {
    ...setup,
    ...{ arena: host.arena, kernels: host.kernels, userKernels: {} },
    scratch: { at: host.arena.allocate(4096), bytes: 4096 },
    buffer: (name) => buffers[name]!,
    poll: () => undefined,
    report: () => undefined,
  };
  return { setup, context, plan: { ...setup, buffers } };
}

/** `late`: a seed for who does what when; undefined: as soon as possible. */
export function drive(
  host: Host,
  design: Design,
  {
    workers = 2,
    late,
    ...ask
  }: Ask & { readonly workers?: number; readonly late?: number | undefined } = {},
): Driven {
  const mark = host.arena.mark();
  const data = placeDesign(host.arena, design, ask.storage);
  const { setup, context, plan } = contextOf(host, data, design, { ...ask, workers });
  const prng = prngOf(late ?? 1);
  const flying = new Map<number, readonly number[]>();
  const dispatched: Driven['dispatched'][number][] = [];
  const shared = { share: () => undefined, table: () => undefined as never, clock: 0, prng };
  const scheduling = {
    ...{ ...context, ...shared, state: linearPhases.startSchedule!(context), pushMs: () => 0 },
    began({ number, picked }: BegunPhase) {
      const own = Array.from(picked);
      dispatched.push({ picked: own, flying: [...flying.values()].flat() });
      flying.set(number, own);
    },
    ended: (phase: number) => void flying.delete(phase),
  };
  const states = Array.from({ length: workers }, (_, worker) =>
    linearPhases.start({ ...context, worker }),
  );
  const behind = states.map((): { flight: Flight; work: PhaseWork }[] => []);
  const flights: Flight[] = [];
  const depth = linearPhases.pipeline?.(setup) ?? 0;
  let latest = 0;
  let wants = true;
  const schedule = () => {
    const works = linearPhases.schedule!(scheduling);
    wants = works !== undefined;
    if (works === undefined) return;
    const flight = { works, done: 0 };
    flights.push(flight);
    works.forEach((work, worker) => behind[worker]!.push({ flight, work }));
    latest = Math.max(latest, ...behind.map(({ length }) => length));
  };
  const push = (worker: number) => {
    const { flight, work } = behind[worker]!.shift()!;
    const own = {
      ...context,
      ...shared,
      worker,
      state: states[worker]!,
      createTable: () => undefined,
    };
    linearPhases.push(own, work);
    flight.done += 1;
  };
  for (;;) {
    const oldest = flights[0];
    const acts: (() => void)[] = [];
    if (wants && flights.length <= depth) acts.push(schedule);
    else if (oldest === undefined) break;
    else if (oldest.done === oldest.works.length) {
      acts.push(() => {
        flights.shift();
        linearPhases.pull!(scheduling, []);
        wants = true;
      });
    }
    behind.forEach(({ length }, worker) => length > 0 && acts.push(() => push(worker)));
    // With `late` workers are asked last, mostly.
    const pick = late === undefined ? acts.length - 1 : prng.below(acts.length);
    acts[prng.uniform() < 0.5 && late !== undefined ? 0 : pick]!();
  }
  const solved = solvedOf(host, { plan: plan as never });
  host.arena.release(mark);
  return { ...solved, dispatched, latest };
}
