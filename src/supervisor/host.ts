// The supervisor of a host process: owns the shared memory, spawns the actors, starts and stops
// runs, and turns whatever happens to an actor into one result or one error. It lives on the main
// thread, never computes and never blocks: its only loop is a timer that reads shared words.
//
//   host ── run(plan) ──▶ every actor (comlink)         one answer each, or the thread's end
//   host ◀── events ring ── actor                       progress and log lines, every tickMs
//   host ── stop word ──▶ every actor                 seen within limits.gateWaitMs, else terminate
import { proxy } from 'comlink';
import { assert } from '../base/assert.ts';
import { fromFault, toFault, type Fault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { soloWorld, type World } from '../base/world.ts';
import type { JoinOptions, JoinWatch, MailboxActor } from '../cluster/mailbox-actor.ts';
import type { MailboxSummary } from '../cluster/run.ts';
import { createMemory, openArena, type Arena } from '../memory/arena.ts';
import { compileKernels, instantiate, type KernelVariant } from '../memory/kernels.ts';
import { planLayout, ringAt } from '../memory/layout.ts';
import type { Kernels } from '../memory/signatures.ts';
import { receiver, type Event } from '../mailbox/messages.ts';
import type { LinkStatistics } from '../mailbox/network.ts';
import { openRingReader, resetRing, ringRefusals } from '../mailbox/ring.ts';
import type { Actor, Outcome, WorkerActor } from '../program/actor.ts';
import { loadUserKernels } from './user-kernels.ts';
import { adoptTables } from '../program/created/tables.ts';
import {
  planRun,
  type ClusterPlace,
  type RunPlan,
  type RunRequest,
  type Sending,
} from '../program/plan.ts';
import type { AnyProgram } from '../program/program.ts';
import type { SchedulerSummary } from '../program/scheduler-loop.ts';
import type { WorkerSummary } from '../program/data-parallel.ts';
import { checkRecorded, withTickets, type RunRecord } from '../record/run-record.ts';
import { ticketsOf } from '../record/tickets.ts';
import { openControl, type Control } from '../store/control.ts';
import { ActorHandle } from './actor-handle.ts';
import { openErrands, type Errands } from './errands.ts';
import { resultOf, type RunResult, type Summary } from './run-result.ts';
import type { Role } from './thread.ts';
import { Watchdog } from './watchdog.ts';

export type { RunResult } from './run-result.ts';

export type HostOptions = {
  readonly threads: number;
  readonly loaders: number;
  readonly variant: KernelVariant;
  readonly pushTimeoutMs?: number;
  /** Runs write down what decides their results: see `records`. */
  readonly recording?: boolean;
};

/** Called on the main thread with what actors report. `thread` is the worker's number. */
export type RunHooks = {
  onEvent?(event: Event, thread: number): void;
  readonly signal?: AbortSignal;
};

/**
 * A host as jobs and models know it: memory, kernels, and runs of programs. The one below has
 * threads; those of a simulation or a replay (src/rehearsal) have none.
 */
export type JobHost = Pick<
  Host,
  | 'arena'
  | 'kernels'
  | 'module'
  | 'threads'
  | 'loaders'
  | 'world'
  | 'wake'
  | 'run'
  | 'linkStatistics'
  | 'close'
> & {
  /** Undefined where no worker is a thread. */
  errands(): Errands | undefined;
};

const tickMs = 25;

type MailboxHandle = ActorHandle<MailboxSummary, MailboxActor>;
type WorkerHandle = ActorHandle<WorkerSummary, WorkerActor>;
type AnyHandle = WorkerHandle | ActorHandle<SchedulerSummary> | MailboxHandle;

export class Host {
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly module: WebAssembly.Module;
  readonly variant: KernelVariant;
  readonly threads: number;
  /** Threads that may read into its memory at once. */
  readonly loaders: number;
  readonly #control: Control;
  readonly #pushTimeoutMs: number;
  readonly #recording: boolean;
  readonly #records: RunRecord[] = [];
  #workers: WorkerHandle[] = [];
  #errands: Errands | undefined;
  #scheduler: ActorHandle<SchedulerSummary> | undefined;
  #mailbox: MailboxHandle | undefined;
  #world: World;
  #sending: Sending | undefined;
  #runs = 0;
  #running = false;
  #broken = false;
  /** Why its run failed, for the other hosts. */
  #fault: Fault | undefined;

  constructor(options: HostOptions) {
    const { threads, loaders, variant } = options;
    assert(threads >= 1 && threads <= limits.workersMax, 'the number of threads was checked');
    const layout = planLayout(Math.max(threads + 2, loaders));
    const memory = createMemory(layout.bytes);
    this.arena = openArena(memory, layout, true);
    this.variant = variant;
    this.threads = threads;
    this.loaders = loaders;
    this.#world = soloWorld(threads);
    this.module = compileKernels(variant);
    this.kernels = instantiate(this.module, memory);
    this.#control = openControl(this.arena, threads);
    this.#recording = options.recording === true;
    this.#pushTimeoutMs = options.pushTimeoutMs ?? limits.pushTimeoutMs;
  }

  /** Spawns the actors now: worth it while something else, like reading, takes time. */
  wake(): void {
    this.errands();
    this.#scheduler ??= this.#spawn('scheduler', this.threads);
  }

  /** What the workers do for others while there is no run: until the first, that is reading. */
  errands(): Errands {
    const { threads: length } = this;
    if (this.#workers.length === 0) {
      this.#workers = Array.from({ length }, (_, index) => this.#spawn('worker', index));
    }
    this.#errands ??= openErrands(this.#workers);
    return this.#errands;
  }

  /** The hosts of the job; this one alone until it joins others. */
  get world(): World {
    return this.#world;
  }

  /**
   * Joins the other hosts of a job: from then on runs are runs of all of them.
   * @throws ERR_PEER_LOST naming the ranks that did not come; ERR_CONFIG when this host is refused.
   */
  async join(mesh: JoinOptions, sending: Sending, watch: JoinWatch): Promise<World> {
    const mailbox: MailboxHandle = this.#spawn('mailbox', this.threads + 1);
    this.#mailbox = mailbox;
    const unwrap = <T>(outcome: Outcome<T>): T => {
      if (outcome.ok) return outcome.value;
      throw fromFault(outcome.fault);
    };
    const joined = unwrap(await mailbox.call((actor) => actor.join(mesh, proxy(watch))));
    this.#sending = sending;
    this.#world = {
      ...{ rank: mesh.rank, size: mesh.size, threads: joined.threads },
      async allGather(name, bytes) {
        return unwrap(await mailbox.call((actor) => actor.gather(name, bytes)));
      },
      async readRemote(path, from, bytes) {
        return unwrap(await mailbox.call((actor) => actor.read(path, from, bytes)));
      },
    };
    return this.#world;
  }

  /** Of a recording host: its runs so far. */
  get records(): readonly RunRecord[] {
    return this.#records;
  }

  /** Traffic of the links so far. */
  async linkStatistics(): Promise<readonly LinkStatistics[]> {
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return [];
    const answer = await mailbox.call(async (actor) => ({
      ...{ ok: true, value: await actor.statistics() },
    }));
    return answer.ok ? answer.value : [];
  }

  #spawn<S, A extends Actor<S> = Actor<S>>(role: Role, thread: number): ActorHandle<S, A> {
    const { arena, module } = this;
    const name = role === 'worker' ? `worker ${thread}` : `the ${role}`;
    const boot = { name, memory: arena.memory, layout: arena.layout, module, thread };
    return new ActorHandle<S, A>(role, boot, () => this.#control.clock(thread));
  }

  /**
   * Runs `program` over data that lies in this host's memory, to its end.
   * @throws the error of the first actor that failed; ERR_ABORTED when `signal` fired;
   *   ERR_TIMEOUT when a push did not return within the push timeout.
   */
  async run(program: AnyProgram, request: RunRequest, hooks: RunHooks = {}): Promise<RunResult> {
    assert(!this.#broken, 'a host whose run failed is closed, not used again');
    const { rank, size, threads } = this.#world;
    const mailbox = request.local === true ? undefined : this.#mailbox;
    if (mailbox !== undefined) this.#runs += 1;
    const place = mailbox &&
      this.#sending && { rank, size, threads, run: this.#runs, sending: this.#sending };
    const plan = this.#plan(program, request, place);
    this.#control.reset();
    const { layout } = this.arena;
    for (let thread = 0; thread < layout.threadCount; thread++) {
      for (const ring of ['inbox', 'reports', 'events'] as const) {
        resetRing(this.arena, ringAt(layout, thread, ring));
      }
    }
    this.wake();
    const handles: AnyHandle[] = [...this.#workers];
    // Of several hosts, rank 0 schedules.
    if (program.schedule !== undefined && (mailbox === undefined || rank === 0)) {
      assert(this.#scheduler !== undefined, 'an awake host has a scheduler');
      handles.push(this.#scheduler);
    }
    if (mailbox !== undefined) handles.push(mailbox);
    this.#running = true;
    const outcomes = await this.#supervise(handles, plan, hooks).finally(() => {
      this.#running = false;
    });
    adoptTables({ arena: this.arena, plan }, Infinity);
    if (this.#recording) this.#record(program, plan, outcomes);
    return resultOf(plan, outcomes);
  }

  #record(program: AnyProgram, plan: RunPlan, outcomes: readonly Summary[]): void {
    const { tickets: room } = plan;
    checkRecorded(plan);
    if (room === undefined) {
      this.#records.push({ kind: 'plain', scheduled: program.schedule !== undefined });
      return;
    }
    const workers: Uint8Array[] = [];
    let inputs: Uint8Array | undefined;
    for (const outcome of outcomes) {
      if ('tape' in outcome && outcome.tape) workers[outcome.tape.worker] = outcome.tape.bytes;
      if ('inputs' in outcome) ({ inputs } = outcome);
    }
    const tickets = ticketsOf(this.arena, room);
    this.#records.push({ kind: 'timed', tickets, workers, inputs });
  }

  #plan(program: AnyProgram, request: RunRequest, place: ClusterPlace | undefined): RunPlan {
    try {
      const plan = planRun(this.arena, program, request, this.threads, place);
      return this.#recording ? withTickets(this.arena, program, plan) : plan;
    } catch (error) {
      if (place !== undefined) this.#tell(toFault(error), place.run);
      throw error;
    }
  }

  /** Run `run` fails here: the other hosts are told why, so that none waits for this one. */
  #tell(fault: Fault, run: number): void {
    this.#fault ??= fault;
    void this.#mailbox?.call((actor) => actor.fail(fault, run));
  }

  /** Starts the plan on all actors and watches until every one has answered or was terminated. */
  async #supervise(
    handles: readonly AnyHandle[],
    plan: RunPlan,
    hooks: RunHooks,
  ): Promise<Summary[]> {
    const userModule = await loadUserKernels(plan.userKernels);
    let fault: Fault | undefined;
    const stop = (found: Fault) => {
      fault ??= found;
      this.#control.stop('failed');
    };
    const fail = (found: Fault) => {
      if (fault === undefined && plan.cluster !== undefined) this.#tell(found, plan.cluster.run);
      stop(found);
    };
    const pending = new Set<AnyHandle>(handles);
    const summaries: Summary[] = [];
    const settle = (handle: AnyHandle, outcome: Outcome<Summary>) => {
      pending.delete(handle);
      if (outcome.ok) summaries.push(outcome.value);
      // What the mailbox fails with, the other hosts know from it.
      else if (handle === this.#mailbox) stop(outcome.fault);
      else fail(outcome.fault);
    };
    const answers = handles.map((handle) =>
      handle.run(plan, userModule).then((outcome) => settle(handle, outcome)),
    );
    const aborted = () =>
      fail({ code: 'ERR_ABORTED', message: 'the run was stopped before its end' });
    if (hooks.signal?.aborted) aborted();
    hooks.signal?.addEventListener('abort', aborted, { once: true });
    const watch = this.#watch(handles, hooks, fail, () => void this.#terminate(pending));
    await Promise.all(answers);
    watch.end();
    hooks.signal?.removeEventListener('abort', aborted);
    if (fault) {
      this.#broken = true;
      this.#fault ??= fault;
      throw fromFault(fault);
    }
    return summaries;
  }

  async #terminate(pending: ReadonlySet<AnyHandle>): Promise<void> {
    await Promise.all([...pending].map((handle) => handle.terminate()));
  }

  /** The timer: drains event rings, feeds the watchdog, and ends who ignores a stop. */
  #watch(
    handles: readonly AnyHandle[],
    hooks: RunHooks,
    fail: (fault: Fault) => void,
    terminate: () => void,
  ): { end(): void } {
    const { arena } = this;
    const events = handles.map((handle) =>
      receiver<Event>(openRingReader(arena, ringAt(arena.layout, handle.index, 'events'))),
    );
    const watchdog = new Watchdog(this.#pushTimeoutMs);
    let stoppedAtMs: number | undefined;
    const drain = () => {
      events.forEach((ring, i) => {
        for (let n = 0; n < 256; n++) {
          const event = ring.take();
          if (event === undefined) break;
          hooks.onEvent?.(event, handles[i]?.index ?? i);
        }
      });
    };
    const tick = () => {
      const nowMs = performance.now();
      drain();
      const stuck = watchdog.step(
        handles.map((handle) => this.#control.activityOf(handle.index)),
        nowMs,
      );
      if (stuck) {
        const who = handles[stuck.thread]?.name ?? 'an actor';
        const clock = this.#control.clock(stuck.thread);
        const what = `${who} is ${stuck.now} at clock ${clock} since ${Math.round(stuck.forMs)} ms`;
        const remedy = 'a push must return within the push timeout: cut its work into more clocks';
        fail({ code: 'ERR_TIMEOUT', message: `${what}; ${remedy}` });
      }
      if (this.#control.stopped()) stoppedAtMs ??= nowMs;
      if (stoppedAtMs !== undefined && nowMs - stoppedAtMs > limits.stopGraceMs) terminate();
    };
    const timer = setInterval(tick, tickMs);
    return {
      end() {
        clearInterval(timer);
        drain();
        for (const { index, name } of handles) {
          const dropped = ringRefusals(arena, ringAt(arena.layout, index, 'events'));
          const line = `${dropped} lines were dropped: ${name} wrote faster than can be shown`;
          if (dropped > 0) hooks.onEvent?.({ kind: 'log', line }, index);
        }
      },
    };
  }

  /**
   * Ends every thread. A host is closed once, whatever happened before; when a `fault` ended its
   * job, the other hosts lose it for that reason.
   */
  async close(fault?: Fault): Promise<void> {
    if (this.#running) {
      const message = 'the host was closed in the middle of a run';
      this.#tell(fault ?? { code: 'ERR_ABORTED', message }, this.#runs);
    }
    await this.#leave(fault ?? this.#fault);
    this.#broken = true;
    this.#control.stop('asked');
    const handles: AnyHandle[] = [...this.#workers];
    if (this.#scheduler) handles.push(this.#scheduler);
    if (this.#mailbox) handles.push(this.#mailbox);
    await Promise.all(handles.map((handle) => handle.terminate()));
  }

  /** Takes leave of the other hosts: what they were sent arrives, and nobody takes us for lost. */
  async #leave(fault: Fault | undefined): Promise<void> {
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return;
    // A host that failed must not be held up by others that may be gone.
    const mostMs = fault === undefined ? limits.leaveMs : limits.leaveFailedMs;
    const late = setTimeout(() => void mailbox.terminate(), mostMs);
    await mailbox.call((actor) => actor.leave(fault));
    clearTimeout(late);
  }
}
