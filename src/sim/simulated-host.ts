// A host of a simulated run: the real tables, workers, scheduler, program and member or relay of a
// host, over a small memory of its own, driven by virtual time on one thread.
//
//   packets, pushes that end ──▶ pump: its part, then every actor that may go on, until all wait
import { fromFault, SystemError, toFault, type Fault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { Link } from '../cluster/link.ts';
import type { MemberTuning } from '../cluster/open-member.ts';
import { faultIn, openPart, type Part } from '../cluster/part.ts';
import { openArena, type Arena } from '../memory/arena.ts';
import { instantiate } from '../memory/kernels.ts';
import { planLayout, ringAt } from '../memory/layout.ts';
import type { Event } from '../mailbox/messages.ts';
import type { NetworkListener } from '../mailbox/network.ts';
import { resetRing } from '../mailbox/ring.ts';
import type { Stage } from '../program/context.ts';
import type { WorkerSummary } from '../program/data-parallel.ts';
import type { Loop } from '../program/loops/loop.ts';
import { planRun } from '../program/plan.ts';
import type { ClusterPlace, ClusterPlan, RunPlan, RunRequest } from '../program/plan.ts';
import type { AnyProgram } from '../program/program.ts';
import { schedulerLoop, type SchedulerSummary } from '../program/scheduler-loop.ts';
import { openWorker } from '../program/worker-loop.ts';
import { openControl } from '../store/control.ts';
import { openLock } from '../store/lock.ts';
import type { Slowdown } from './faults.ts';
import { Processor } from './processor.ts';
import type { VirtualHost } from './virtual-host.ts';
import type { VirtualEvent, VirtualTime } from './virtual-time.ts';

export type SimulatedHostOptions = {
  readonly program: AnyProgram;
  readonly request: RunRequest;
  readonly place: ClusterPlace;
  readonly memory: WebAssembly.Memory;
  /** The host's memory as it stands, with data in it; when absent, a fresh one over `memory`. */
  readonly arena?: Arena;
  readonly module: WebAssembly.Module;
  /** The program's own kernels. */
  readonly userModule?: WebAssembly.Module;
  readonly time: VirtualTime;
  readonly slowdowns: readonly Slowdown[];
  /** Virtual milliseconds that the push of a partition takes on a host that is not slow. */
  pushMs(worker: number, clock: number, partition: number): number;
  readonly tuning?: MemberTuning;
  /** Something happened that may end the run. */
  changed?(): void;
  /** What workers report. */
  onEvent?(event: Event, thread: number): void;
};

/** A worker, or the scheduler. */
type Actor<Summary = WorkerSummary | SchedulerSummary> = Loop<Summary> & {
  readonly processor: Processor;
  /** Undefined while it computes, and when it is done. */
  until: (() => boolean) | undefined;
  /** Since when it waits. */
  sinceMs: number;
  waitedMs: number;
  done: boolean;
};

/** Links are idle when nothing has moved for so long. */
const idleMs = 2;

/** Opens the memory for a host of `threads` workers. */
export function openHostArena(memory: WebAssembly.Memory, threads: number): Arena {
  return openArena(memory, planLayout(threads + 2, memory.buffer.byteLength), true);
}

/** Empties the mailboxes before a run. */
export function resetRings(arena: Arena): void {
  const { layout } = arena;
  for (let thread = 0; thread < layout.threadCount; thread++) {
    for (const ring of ['inbox', 'reports', 'events'] as const) {
      resetRing(arena, ringAt(layout, thread, ring));
    }
  }
}

/** What a thread of a simulated host works with; `report` takes what it tells its supervisor. */
export function openStage(
  options: Pick<SimulatedHostOptions, 'program' | 'module' | 'userModule' | 'onEvent'>,
  host: Pick<Stage, 'arena' | 'control' | 'plan' | 'nowMs'>,
  thread: number,
): Stage {
  const { arena, control } = host;
  const { program, module, userModule, onEvent } = options;
  const { memory } = arena;
  const userKernels = (
    userModule ? new WebAssembly.Instance(userModule, { env: { memory } }).exports : {}
  ) as Stage['userKernels'];
  const offer = (event: Event) => {
    onEvent?.(event, thread);
    return true;
  };
  return {
    ...{ ...host, thread, program, userKernels, events: { offer } },
    ...{ kernels: instantiate(module, memory), lock: openLock(arena, control) },
  };
}

/** Of several hosts, rank 0 schedules. */
function schedulesHere({ schedule }: AnyProgram, rank: number): boolean {
  return schedule !== undefined && rank === 0;
}

export class SimulatedHost implements NetworkListener {
  readonly arena: Arena;
  readonly plan: RunPlan;
  readonly #options: SimulatedHostOptions;
  readonly #control: ReturnType<typeof openControl>;
  readonly #workers: readonly Actor<WorkerSummary>[];
  readonly #scheduler: Actor<SchedulerSummary> | undefined;
  readonly #actors: readonly Actor[];
  readonly #stage: Stage;
  #part: Part | undefined;
  #link: Link | undefined;
  #fault: Fault | undefined;
  #pumping = false;
  #again = false;
  #pumps = 0;
  #ended = false;
  #budget: VirtualEvent | undefined;

  constructor(options: SimulatedHostOptions) {
    const { program, request, place, memory, time, slowdowns } = options;
    const threads = place.threads[place.rank] ?? 1;
    this.#options = options;
    this.arena = options.arena ?? openHostArena(memory, threads);
    const { arena } = this;
    resetRings(arena);
    this.#control = openControl(arena, threads);
    this.#control.reset();
    // Alone it is a host as without a cluster.
    const among = place.size > 1 ? place : undefined;
    this.plan = planRun(arena, program, request, threads, among);
    const clock = time.clockOf(place.rank);
    const host = { arena, control: this.#control, nowMs: () => clock.nowMs() };
    // As on threads, each has a plan of its own: created tables are taken over clock by clock.
    const stage = (thread: number, plan = structuredClone(this.plan)): Stage =>
      openStage(options, { ...host, plan }, thread);
    this.#stage = stage(threads + 1, this.plan);
    const actor = <Summary>(loop: Loop<Summary>): Actor<Summary> => ({
      ...{ ...loop, processor: new Processor(time, slowdowns), until: () => true },
      ...{ sinceMs: time.nowMs, waitedMs: 0, done: false },
    });
    const workers = Array.from({ length: threads }, (_, thread) => openWorker(stage(thread)));
    this.#workers = workers.map(actor);
    const schedules = schedulesHere(program, place.rank);
    this.#scheduler = schedules ? actor(schedulerLoop(stage(threads))) : undefined;
    this.#actors = [...this.#workers, ...(this.#scheduler ? [this.#scheduler] : [])];
  }

  /** Starts the run over the host's place in the network. */
  start(network: VirtualHost): void {
    const { cluster } = this.plan;
    if (cluster !== undefined) this.#join(network, cluster);
    this.#pump();
  }

  #join(network: VirtualHost, cluster: ClusterPlan): void {
    const link = new Link(network, () =>
      Promise.reject(new Error('simulated hosts have no files')),
    );
    this.#link = link;
    this.#guarded(() => {
      const part = openPart(this.#stage, cluster, network, this.#options.tuning);
      this.#part = part;
      link.begin(cluster.run, {
        packet: (from, packet) =>
          this.#guarded(() => {
            const fault = faultIn(from, packet);
            if (fault !== undefined) throw fromFault(fault);
            part.packet(from, packet);
          }),
        room: (to) => this.#guarded(() => part.room(to)),
        lost: (rank, lost) => {
          if (part.finished) return;
          const message = `rank ${rank} is lost: ${lost.message}; waited for ${part.waitingFor}`;
          this.#guarded(() => {
            throw new SystemError(lost.code, message);
          });
        },
      });
    });
  }

  /** The host crashed: nothing that it began gets finished. */
  end(): void {
    this.#ended = true;
    for (const { processor } of this.#actors) processor.end();
  }

  /** All clocks are done, here and everywhere, and the tables have their last values. */
  get finished(): boolean {
    const alone = this.plan.cluster === undefined;
    const isOver = alone || this.#part?.finished === true;
    return isOver && this.#actors.every(({ done }) => done);
  }

  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** Clocks that all workers of this host have finished; of a scheduled run, that it has seen. */
  get clock(): number {
    if (this.#options.program.schedule === undefined) return this.#control.minClock();
    return this.#scheduler?.summary(false).clocks ?? this.#part?.clocks ?? 0;
  }

  get summaries(): readonly WorkerSummary[] {
    return this.#workers.map(({ summary }) => summary(false));
  }

  /** Virtual time that the workers have waited, all together. */
  get waitedMs(): number {
    return this.#workers.reduce((sum, { waitedMs }) => sum + waitedMs, 0);
  }

  /** Bytes of rows sent, by table. */
  get tableBytes(): readonly number[] {
    return this.#part?.tableBytes ?? [];
  }

  /** What its member keeps until others have it. */
  get kept(): { readonly batches: number; readonly heldParts: number } {
    return this.#part?.kept ?? { batches: 0, heldParts: 0 };
  }

  describe(): string {
    const waiting = this.#actors.map(({ done, until }) => (done ? 'done' : until ? 'wait' : 'run'));
    return `clock ${this.clock} actors ${waiting.join(' ')} ${this.#part?.toString()}`;
  }

  packet(...packet: Parameters<NetworkListener['packet']>): void {
    this.#guarded(() => this.#link?.packet(...packet));
    this.#pump();
  }

  room(to: number): void {
    this.#link?.room(to);
    this.#pump();
  }

  lost(rank: number, fault: Fault): void {
    this.#link?.lost(rank, fault);
    this.#pump();
  }

  #guarded(act: () => void): void {
    if (this.#fault !== undefined || this.#ended) return;
    try {
      act();
    } catch (thrown) {
      this.#fault = toFault(thrown);
      const { cluster } = this.plan;
      if (cluster !== undefined) this.#link?.fail(this.#fault, cluster.run);
    }
  }

  /** Lets everything go on that can; comes back when all wait for time or for others. */
  #pump(): void {
    this.#again = true;
    if (this.#pumping || this.#ended) return;
    this.#pumping = true;
    this.#pumps += 1;
    while (this.#again && this.#fault === undefined) {
      this.#again = false;
      const before = this.#control.tick.now();
      this.#guarded(() => this.#part?.step());
      for (const [index, actor] of this.#actors.entries()) {
        this.#guarded(() => {
          if (actor.until?.() === true) this.#advance(actor, index);
        });
      }
      if (this.#control.tick.now() !== before) this.#again = true;
    }
    this.#pumping = false;
    this.#setTimers();
    this.#options.changed?.();
  }

  #advance(actor: Actor, index: number): void {
    actor.until = undefined;
    const { time } = this.#options;
    actor.waitedMs += time.nowMs - actor.sinceMs;
    const { value, done } = actor.steps.next();
    if (done === true || value === undefined) {
      actor.done = true;
    } else if (value.kind === 'wait') {
      actor.until = value.until;
      actor.sinceMs = time.nowMs;
      this.#again = true; // it may be true by now
    } else if (value.kind === 'pushed') {
      const cost = this.#options.pushMs(index, value.clock, value.partition);
      actor.processor.run(cost, `push ${this.#options.place.rank}.${index}`, () => {
        actor.sinceMs = time.nowMs;
        this.#guarded(() => this.#advance(actor, index));
        this.#pump();
      });
    }
  }

  #setTimers(): void {
    if (this.finished || this.#fault !== undefined) return;
    const { time, place } = this.#options;
    const waitMs = this.#part?.waitMs;
    this.#budget?.cancel();
    this.#budget = undefined;
    if (waitMs !== undefined) {
      this.#budget = time.after(Math.max(waitMs, 0.1), 'budget', () => this.#pump());
    }
    if (!place.sending.early) return;
    const pumps = this.#pumps;
    time.backgroundAt(time.nowMs + idleMs, 'idle', () => {
      if (this.#pumps !== pumps) return;
      this.#guarded(() => this.#part?.idle());
      this.#pump();
    });
  }
}

/** Smallest memory that a simulated host of `threads` workers has, with `arenaBytes` for tables. */
export function memoryBytesFor(threads: number, arenaBytes: number): number {
  const fixed = 2 ** 20 + (threads + 2) * (limits.scratchBytes + 3 * limits.ringBytes);
  return Math.ceil((fixed + arenaBytes) / 65_536) * 65_536;
}
