// A program: schedule, push, pull (Xing et al. 2015, section 3). Plain data plus functions; the
// built-in models and a user's own program use this interface and nothing behind it.
//
//   A(t) = F( A(t−1), Σ_p Δ_p( A(t−1), S_p(A(t−1)), D_p ) )
//
//   data-parallel: push alone              model-parallel: all three
//
//   worker p                               scheduler                        worker p
//     wait: rows fresh enough                schedule ── work for p ──────▶   wait: tables fresh
//     push ── inc ──▶ delta log              …                                push
//     fold, clock + 1                        pull ◀──── partial of p ──────   fold, clock + 1
//
// `push` never waits: the runtime waits before it and folds its deltas in after it. So one program
// runs unchanged wherever there is a runtime for it, and user code can't deadlock.
import type { Prng } from '../base/prng.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Arena } from '../memory/arena.ts';
import type { Kernels } from '../memory/signatures.ts';
import type { Progress, ScheduleEvent } from '../mailbox/messages.ts';
import type { Range } from '../base/ranges.ts';
import type { TableSpec } from '../store/table.ts';
import type { TableView } from '../store/views.ts';

/** What every thread of a run knows before it starts. */
export type Setup<Options> = {
  readonly options: Options;
  readonly data: Dataset;
  readonly workers: number;
  /** Workers of each host, [first, last): they are numbered through all hosts. One when alone. */
  readonly hosts: readonly Range[];
  /**
   * The data is cut into this many partitions, whatever the number of workers; deltas are folded
   * in partition order in lock-step runs, so their result does not depend on the number of workers.
   */
  readonly partitions: number;
  readonly seed: number;
};

/** Memory that all threads of a host share, for what is neither a table nor data. */
export type BufferSpec = {
  readonly name: string;
  readonly bytes: number;
  /** Where it lies already: data that hosts share by this name. Default: allocated, not cleared. */
  readonly at?: number;
};

/** What all of a program's functions may use. */
export type Context<Options> = Setup<Options> & {
  readonly arena: Arena;
  readonly kernels: Kernels;
  /** Exports of the user's own kernel module, over the same memory; empty without one. */
  readonly userKernels: Readonly<Record<string, (...args: number[]) => number>>;
  /**
   * Private memory of this thread: [at, at + bytes). Kept between pushes, nobody else writes it.
   */
  readonly scratch: { readonly at: number; readonly bytes: number };
  /** Byte offset of a buffer that `buffers` declared. */
  buffer(name: string): number;
  /**
   * To be called between the kernels of a push that lasts longer than a few milliseconds: a stop
   * request ends the push here, and the supervisor sees that it is no endless loop.
   */
  poll(): void;
  /** Tells the supervisor (and so the progress line) named numbers. Dropped if it is behind. */
  report(values: Progress): void;
};

/** What a thread of a scheduled program may do with what it has written. */
export type Sharing = {
  /**
   * Says that `bytes` bytes from byte `from` on of a buffer, or of a dense table written in place,
   * are to be seen elsewhere. What is shared is as it is when the function returns.
   *
   *   from schedule, pull   by all hosts, before the next work
   *   from push             by the scheduler's host, before pull; with `to`, a worker: by that
   *                         worker's host instead, before the schedule that follows
   *
   * What `inc` writes needs no sharing. On one host this costs nothing and does nothing.
   */
  share(name: string, from: number, bytes: number, to?: number): void;
};

export type PushContext<Options, State> = Context<Options> &
  Sharing & {
    readonly state: State;
    readonly worker: number;
    readonly clock: number;
    /** Random numbers that depend on seed, partition and clock alone. */
    readonly prng: Prng;
    table(name: string): TableView;
    /**
     * Makes a table that is there from the next clock on, as if `tables` had declared it. Every
     * worker calls it at the same clock with the same table, with several in the same order; a
     * second call at that clock does nothing. For data-parallel programs.
     *
     *     if (ctx.clock === 10) ctx.createTable({ name: 'second', rows: 100, columns: 8 });
     *
     * @throws ERR_PROGRAM when workers do different things, ERR_LIMIT beyond `limits.tablesMax`.
     */
    createTable(spec: TableSpec): void;
  };

/** A phase as the runtime is told of it: a `Phase` of a schedule is one. */
export type BegunPhase = {
  readonly number: number;
  /** What is in flight from now on: variables, or blocks by number. */
  readonly picked: ArrayLike<number>;
  readonly priorities?: ArrayLike<number>;
  readonly rejected?: ScheduleEvent['rejected'];
  readonly turnedDown?: number;
};

export type ScheduleContext<Options, State> = Context<Options> &
  Sharing & {
    readonly state: State;
    /** Of the work that is being scheduled, or of the partials that are being pulled. */
    readonly clock: number;
    readonly prng: Prng;
    /** Tables in place: no one else writes them. `inc` folds at once. */
    table(name: string): TableView;
    /**
     * Says what `schedule` is about to dispatch: an event for who looks on, and with --audit the
     * program's `conflict` is asked about every pair in flight.
     * @throws ERR_SCHEDULE when two conflict.
     */
    began(phase: BegunPhase): void;
    /** Says in `pull` that a phase has ended. */
    ended(phase: number): void;
    /**
     * How long the push of a worker took whose partial is being pulled. For sharing work out by
     * measured cost: use it only where the result does not depend on who does what.
     */
    pushMs(worker: number): number;
  };

/**
 * The rows that a push will read, of each table with access `rows`: count numbers (i32) at `at`.
 */
export type Reads = Readonly<Record<string, { readonly at: number; readonly count: number }>>;

/** Work of a data-parallel push: one partition of the data at one clock. */
export type PartitionWork = { readonly partition: number; readonly clock: number };

export type Program<Options, Work, State, ScheduleState = unknown, Partial = unknown> = {
  readonly name: string;
  tables(setup: Setup<Options>): readonly TableSpec[];
  buffers?(setup: Setup<Options>): readonly BufferSpec[];
  /** Bytes of deltas that one push may write; default: every dense table once, and 1 MiB. */
  deltaBytes?(setup: Setup<Options>): number;
  /** Private state of one worker, made before its first push. */
  start(ctx: Context<Options> & { readonly worker: number }): State;
  /** Declares what the next push reads of tables with access `rows`. Runs before the waiting. */
  reads?(ctx: PushContext<Options, State>, work: Work): Reads;
  /**
   * Names rows of tables with access `rows` that a later push will read: where other hosts own them
   * they are on their way while this one computes. A hint: nothing waits for it, and what comes
   * when `limits.prefetchesMax` are under way is dropped. Runs after `reads`; the numbers are
   * copied at once.
   */
  prefetch?(ctx: PushContext<Options, State>, work: Work): Reads;
  push(ctx: PushContext<Options, State>, work: Work): Partial;
  /**
   * True: the pushes of `clock` see every update of all clocks before, whatever the staleness. It
   * waits for the slowest worker, so rarely is best: before an objective is computed, say. For
   * data-parallel programs; all workers must be told the same.
   */
  barrier?(clock: number, setup: Setup<Options>): boolean;
  /** How many clocks a data-parallel run lasts (programs without `schedule`). */
  clocks?(setup: Setup<Options>): number;
  /** State of the scheduler, made before the first schedule. */
  startSchedule?(ctx: Context<Options>): ScheduleState;
  /**
   * What to update next: work w for worker w, of all hosts' workers. Undefined: nothing for now;
   * when nothing is in flight any more, that is the end.
   */
  schedule?(ctx: ScheduleContext<Options, ScheduleState>): readonly Work[] | undefined;
  /** Folds the partial results in, in worker order, before the next schedule. */
  pull?(ctx: ScheduleContext<Options, ScheduleState>, partials: readonly Partial[]): void;
  /**
   * How many works may be in flight before the one that is pulled next; default 0: each is pulled
   * before the next is scheduled. They are pulled in order. A push may then read tables that are up
   * to that many clocks old, as a copy that no fold disturbs (rows of one clock may come to another
   * host one after the other); buffers and tables written in place have no copies, so a program
   * with a pipeline gives each clock in flight a place of its own.
   */
  pipeline?(setup: Setup<Options>): number;
  /**
   * Why two of those that `ctx.began` names may not be in flight at once, in words; undefined when
   * they may. For --audit: from the data, not from what the schedule believes.
   */
  conflict?(ctx: ScheduleContext<Options, ScheduleState>, a: number, b: number): string | undefined;
};

/** A program whose types do not matter: what the runtime holds. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- contravariant in all five
export type AnyProgram = Program<any, any, any, any, any>;

/** Types a program; at run time it is the program itself. */
export function defineProgram<O, W, S, R = unknown, P = unknown>(
  program: Program<O, W, S, R, P>,
): Program<O, W, S, R, P> {
  return program;
}

/** What a user's program module exports. */
export type ProgramModule = {
  readonly program: AnyProgram;
  /** Default samples. */
  readonly input?: Dataset['kind'];
  /** The program's own kernel module (.wasm), relative to the module. */
  readonly kernels?: string;
};
