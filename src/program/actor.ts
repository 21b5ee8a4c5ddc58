// An actor's side of control: what the supervisor calls over comlink. One call, one run; while it
// runs the thread is busy, and is reached through the shared control words only.
import { SystemError, toFault, type Fault } from '../base/errors.ts';
import { openArena } from '../memory/arena.ts';
import { instantiate } from '../memory/kernels.ts';
import { ringAt, type Layout } from '../memory/layout.ts';
import { sender, type Event } from '../mailbox/messages.ts';
import { openRingWriter } from '../mailbox/ring.ts';
import { ticketing } from '../record/tickets.ts';
import { recordWorker } from '../record/worker-tape.ts';
import { openControl } from '../store/control.ts';
import { openLock } from '../store/lock.ts';
import type { Stage } from './context.ts';
import type { ProgramSource, RunPlan } from './plan.ts';
import type { AnyProgram } from './program.ts';
import { runScheduler, type SchedulerSummary } from './scheduler-loop.ts';
import type { WorkerSummary } from './data-parallel.ts';
import { runWorker } from './worker-loop.ts';

/** Given to an actor's thread when it is spawned. */
export type Boot = {
  /** What messages call the actor. */
  readonly name: string;
  readonly memory: WebAssembly.Memory;
  readonly layout: Layout;
  readonly module: WebAssembly.Module;
  readonly thread: number;
};

/** A result, or an error as data: structured clone would drop the error's code. */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

export type Actor<Summary> = {
  run(plan: RunPlan, userModule: WebAssembly.Module | undefined): Promise<Outcome<Summary>>;
};
/** What an idle worker does for others between runs: one-shot tasks, whose meaning they know. */
export type Helper = {
  /** Answers when the thread is up. */
  ready(): Promise<Outcome<true>>;
  errand(task: unknown): Promise<Outcome<unknown>>;
};
export type WorkerActor = Actor<WorkerSummary> & Helper;
export type SchedulerActor = Actor<SchedulerSummary>;

/** Loads the program of a plan: built in, or a module that exports `program`. */
async function loadProgram(
  source: ProgramSource,
  builtIns: ReadonlyMap<string, AnyProgram>,
): Promise<AnyProgram> {
  if ('builtIn' in source) {
    const program = builtIns.get(source.builtIn);
    if (program) return program;
    throw new SystemError('ERR_CONFIG', `no built-in program "${source.builtIn}"`);
  }
  const loaded = (await import(source.url)) as { program?: AnyProgram };
  if (loaded.program) return loaded.program;
  const rule = 'a program module exports `program` (see defineProgram)';
  throw new SystemError('ERR_CONFIG', `${source.url}: ${rule}, found none`);
}

/** Sends what user code prints through the event ring: a computing thread's stdout may be lost. */
function redirectConsole(log: (line: string) => void): void {
  const print = (...parts: unknown[]) => log(parts.map(String).join(' '));
  Object.assign(globalThis.console, { log: print, info: print, warn: print, error: print });
}

/** The actor over its thread's memory. `loop` is what the role does with a run. */
export function createActor<Summary>(
  boot: Boot,
  builtIns: ReadonlyMap<string, AnyProgram>,
  loop: (stage: Stage) => Summary | Promise<Summary>,
): Actor<Summary> {
  const { name, memory, layout, module, thread } = boot;
  const arena = openArena(memory, layout);
  const kernels = instantiate(module, memory);
  const events = sender<Event>(openRingWriter(arena, ringAt(layout, thread, 'events')));
  redirectConsole((line) => events.offer({ kind: 'log', line: line.slice(0, 4096) }));
  return {
    async run(plan, userModule) {
      const control = openControl(arena, plan.workers);
      control.setActivity(thread, 'starting');
      try {
        const program = await loadProgram(plan.program, builtIns);
        const userKernels = (
          userModule ? new WebAssembly.Instance(userModule, { env: { memory } }).exports : {}
        ) as Stage['userKernels'];
        const free = openLock(arena, control);
        const lock = plan.tickets ? ticketing(free, arena, plan.tickets, thread) : free;
        const tape = plan.tickets && recordWorker();
        const nowMs = () => performance.now();
        const place = { thread, arena, kernels, userKernels, control, lock, events, nowMs };
        return { ok: true, value: await loop({ ...place, ...(tape && { tape }), program, plan }) };
      } catch (thrown) {
        const user = !('builtIn' in plan.program);
        const fault = toFault(thrown, user ? 'ERR_PROGRAM' : 'ERR_INTERNAL');
        // The mailbox has no clock of its own.
        const clock = thread > plan.workers ? control.minClock() : control.clock(thread);
        const where = `${name} at clock ${clock}`;
        return { ok: false, fault: { ...fault, message: `${fault.message} (${where})` } };
      } finally {
        control.setActivity(thread, 'idle');
      }
    },
  };
}

export const workerActor = (
  boot: Boot,
  builtIns: ReadonlyMap<string, AnyProgram>,
  errand: (task: unknown) => Promise<unknown>,
): WorkerActor => ({
  ...createActor(boot, builtIns, runWorker),
  ready: () => Promise.resolve({ ok: true, value: true }),
  errand: (task) =>
    errand(task).then(
      (value) => ({ ok: true, value }),
      (thrown: unknown) => ({ ok: false, fault: toFault(thrown) }),
    ),
});

export const schedulerActor = (
  boot: Boot,
  builtIns: ReadonlyMap<string, AnyProgram>,
): SchedulerActor => createActor(boot, builtIns, runScheduler);
