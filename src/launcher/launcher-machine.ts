// The launcher's decisions over N host processes, as a pure machine: when each gets its job, when
// to stop and kill them, what to say, and the exit code. Processes and timers are launch.ts.
//
//              rank 0 listens                        done of rank 0, a cause, signal, deadline
//   starting ─────────────────▶ working ─────────────────────────────────▶ closing ──▶ ended
//      │                           │                                         ▲    all gone
//      └───────────┬───────────────┘                                         │
//                  └── ERR_PEER_LOST of a rank ──▶ failing ── causeOver, or a cause
//
// All processes start at once. Rank 0 gets its job as soon as it is ready; the others get theirs
// when rank 0 has said where it listens, so no port is ever guessed.
//
// A cause is a fault of a host's own, or a host that ended or fell silent without a word. Hosts
// that only lost another one are a symptom: their cause is given causeGrace to show itself.
import { assert } from '../base/assert.ts';
import { exitCodeOf, type Fault } from '../base/errors.ts';
import { brokenPipeCode, stopSignals, type StopSignal } from '../base/signals.ts';
import type { FromHost } from '../cli/channel.ts';
import type { JobDone, JobEvent } from '../jobs/job.ts';
import { adviceOn } from './last-words.ts';
import type { TerminalInput } from './terminal.ts';

/** How a host process ended. */
export type RankEnd = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly lastWords: readonly string[];
  /** Why there never was a process. */
  readonly fault?: Fault;
  /** Other words for what happened: `its connection was lost`. */
  readonly how?: string;
};

export type LauncherInput =
  /** The first input. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'message'; readonly rank: number; readonly message: FromHost }
  /** The process is gone, or was never there. */
  | { readonly kind: 'exit'; readonly rank: number; readonly end: RankEnd }
  | { readonly kind: 'causeOver' }
  | { readonly kind: 'graceOver' }
  | TerminalInput;

export type LauncherOutput =
  | { readonly kind: 'start'; readonly rank: number }
  /** Its job, with the port that rank 0 listens on. */
  | { readonly kind: 'sendJob'; readonly rank: number; readonly port: number }
  | { readonly kind: 'sendStop'; readonly rank: number }
  | { readonly kind: 'kill'; readonly rank: number }
  /** Ask `causeOver` after limits.causeGraceMs. */
  | { readonly kind: 'startCauseGrace' }
  /** Ask `graceOver` after limits.killGraceMs from now; replaces an earlier grace. */
  | { readonly kind: 'startGrace' }
  | { readonly kind: 'show'; readonly rank: number; readonly event: JobEvent }
  | { readonly kind: 'result'; readonly done: JobDone }
  | { readonly kind: 'failure'; readonly fault: Fault; readonly exitCode: number }
  /** The last output. Whatever is left of any process is ended with it. */
  | { readonly kind: 'exit'; readonly code: number };

export type LauncherConfig = {
  /** Names of the hosts, by rank. */
  readonly hosts: readonly string[];
  /** What rank 0 is asked to listen on; 0 is any free port. */
  readonly port: number;
  readonly deadlineMs: number | undefined;
  readonly silentTicksMax: number;
  /** The job runs a module of the user's. */
  readonly ownProgram: boolean;
};

type Rank = {
  readonly rank: number;
  /** over: its last message is here; gone: so is its end. */
  state: 'waiting' | 'starting' | 'ready' | 'working' | 'over' | 'gone';
  silentTicks: number;
  loading: boolean;
  clock: number | undefined;
};

type Verdict = { readonly code: number; readonly fault?: Fault };
type Outputs = readonly LauncherOutput[];

const verdictOf = (fault: Fault): Verdict => ({ code: exitCodeOf(fault.code), fault });

export class LauncherMachine {
  readonly #config: LauncherConfig;
  readonly #ranks: readonly Rank[];
  #phase: 'starting' | 'working' | 'failing' | 'closing' | 'ended' = 'starting';
  #verdict: Verdict | undefined;
  /** What the first host said that lost another one. */
  #symptom: Fault | undefined;
  #port: number | undefined;
  #killed = false;

  constructor(config: LauncherConfig) {
    assert(config.hosts.length > 0, 'a run has hosts');
    this.#config = config;
    this.#ranks = config.hosts.map((_, rank) => ({
      ...{ rank, state: 'waiting', silentTicks: 0, loading: false, clock: undefined },
    }));
  }

  step(input: LauncherInput): Outputs {
    if (this.#phase === 'ended') return [];
    switch (input.kind) {
      case 'begin':
        return this.#ranks.map((one) => {
          one.state = 'starting';
          return { kind: 'start', rank: one.rank };
        });
      case 'message':
        return this.#onMessage(this.#at(input.rank), input.message);
      case 'exit':
        return this.#onExit(this.#at(input.rank), input.end);
      case 'signal':
        // The second Ctrl-C: whoever presses twice does not want to wait.
        return this.#phase === 'closing' ? this.#killAll() : this.#stop(this.#bySignal(input.name));
      case 'deadline':
        return this.#stop(this.#byDeadline());
      case 'outputClosed':
        return this.#stop({ code: brokenPipeCode });
      case 'causeOver':
        return this.#phase === 'failing' ? this.#stop(undefined) : [];
      case 'graceOver':
        if (this.#phase !== 'closing') return [];
        return this.#killed ? this.#end() : this.#killAll();
      case 'tick':
        return this.#onTick();
    }
  }

  /** One line for tests and traces. */
  toString(): string {
    const states = this.#ranks.map(({ state }) => state).join(' ');
    return `${this.#phase} code=${this.#verdict?.code ?? '?'} [${states}]`;
  }

  #at(rank: number): Rank {
    const one = this.#ranks[rank];
    assert(one !== undefined, 'inputs name ranks of the run');
    return one;
  }

  #onMessage(one: Rank, message: FromHost): Outputs {
    one.silentTicks = 0;
    if (one.state === 'over' || one.state === 'gone') return [];
    switch (message.kind) {
      case 'alive':
        return [];
      case 'ready':
        if (one.state !== 'starting') return [];
        one.state = 'ready';
        return this.#deal();
      case 'event':
        return this.#onEvent(one, message.event);
      case 'done':
        one.state = 'over';
        return one.rank === 0 ? this.#onResult(message.done) : [];
      case 'fault':
        one.state = 'over';
        return this.#onFault(one, message.fault);
    }
  }

  /** Gives their jobs to all that can have them now. */
  #deal(): Outputs {
    if (this.#phase !== 'starting' && this.#phase !== 'working') return [];
    const outputs: LauncherOutput[] = [];
    for (const one of this.#ranks) {
      const port = one.rank === 0 ? this.#config.port : this.#port;
      if (one.state !== 'ready' || port === undefined) continue;
      one.state = 'working';
      outputs.push({ kind: 'sendJob', rank: one.rank, port });
    }
    return outputs;
  }

  #onEvent(one: Rank, event: JobEvent): Outputs {
    const { rank } = one;
    switch (event.kind) {
      case 'listening':
        if (rank !== 0 || this.#port !== undefined) return [];
        this.#port = event.port;
        if (this.#phase === 'starting') this.#phase = 'working';
        return this.#deal();
      case 'warning':
      case 'log':
        // Of a stopping run, too: it may say why.
        return [{ kind: 'show', rank, event }];
      case 'progress':
        one.clock = event.clock;
        break;
      case 'load':
        one.loading = event.bytesDone < event.bytesTotal;
        break;
      case 'facts':
      case 'schedule':
      case 'output':
        break;
    }
    // All do the same: one says it for all.
    return rank === 0 && this.#phase !== 'closing' ? [{ kind: 'show', rank, event }] : [];
  }

  /** Rank 0 has the result. Its work is complete, even if a stop was under way. */
  #onResult(done: JobDone): Outputs {
    this.#verdict = { code: 0 };
    this.#phase = 'closing';
    // The others are about to end by themselves; those without a job would wait for one.
    const idle = this.#ranks.filter(({ state }) => state === 'starting' || state === 'ready');
    const stops = idle.map(({ rank }): LauncherOutput => ({ kind: 'sendStop', rank }));
    return [{ kind: 'result', done }, ...stops, { kind: 'startGrace' }];
  }

  #onFault(one: Rank, said: Fault): Outputs {
    if (this.#verdict !== undefined) return [];
    const fault = { ...said, message: `${said.message}\nreported by ${this.#name(one)}` };
    if (fault.code !== 'ERR_PEER_LOST') return this.#stopFor(verdictOf(fault));
    if (this.#symptom !== undefined) return [];
    this.#symptom = fault;
    this.#phase = 'failing';
    return [{ kind: 'startCauseGrace' }];
  }

  #onExit(one: Rank, end: RankEnd): Outputs {
    if (one.state === 'gone') return [];
    const expected = one.state === 'over' || this.#verdict !== undefined;
    const verdict = expected ? undefined : this.#unexpected(one, end);
    one.state = 'gone';
    const outputs = verdict === undefined ? [] : this.#stopFor(verdict);
    const all = this.#ranks.every(({ state }) => state === 'gone');
    return all ? [...outputs, ...this.#end()] : outputs;
  }

  #onTick(): Outputs {
    for (const one of this.#ranks) one.silentTicks += 1;
    if (this.#phase === 'closing') return [];
    const { silentTicksMax } = this.#config;
    const silent = this.#ranks.find(
      ({ state, silentTicks }) =>
        state !== 'over' && state !== 'gone' && silentTicks >= silentTicksMax,
    );
    if (silent === undefined) return [];
    const what = `${this.#name(silent)} has not answered for ${silentTicksMax} s`;
    const message = `${what}, ${where(silent)}; it was killed\nis its machine up and reachable?`;
    const verdict = verdictOf({ code: 'ERR_PEER_LOST', message });
    return [{ kind: 'kill', rank: silent.rank }, ...this.#stopFor(verdict)];
  }

  /** What was asked from outside; a run that is failing already ends by its own failure. */
  #stop(verdict: Verdict | undefined): Outputs {
    if (this.#phase === 'closing') return [];
    const own = this.#symptom === undefined ? verdict : verdictOf(this.#symptom);
    assert(own !== undefined, 'who stops a run says why');
    return this.#stopFor(own);
  }

  #stopFor(verdict: Verdict): Outputs {
    if (this.#phase === 'closing') return [];
    this.#verdict = verdict;
    this.#phase = 'closing';
    const running = this.#ranks.filter(({ state }) => state !== 'over' && state !== 'gone');
    const stops = running.map(({ rank }): LauncherOutput => ({ kind: 'sendStop', rank }));
    return [...stops, { kind: 'startGrace' }];
  }

  #killAll(): Outputs {
    this.#killed = true;
    const left = this.#ranks.filter(({ state }) => state !== 'gone');
    const kills = left.map(({ rank }): LauncherOutput => ({ kind: 'kill', rank }));
    return [...kills, { kind: 'startGrace' }];
  }

  #end(): Outputs {
    // Without a verdict all were gone before the symptom had its grace.
    this.#verdict ??= this.#symptom && verdictOf(this.#symptom);
    assert(this.#verdict !== undefined, 'a run ends with a verdict');
    this.#phase = 'ended';
    const { code, fault } = this.#verdict;
    const exit: LauncherOutput = { kind: 'exit', code };
    return fault ? [{ kind: 'failure', fault, exitCode: code }, exit] : [exit];
  }

  #name({ rank }: Rank): string {
    return `rank ${rank} (${this.#config.hosts[rank]})`;
  }

  #bySignal(name: StopSignal): Verdict {
    const message = `stopped by ${name} ${where(this.#at(0))}; the model was not saved`;
    return { code: 128 + stopSignals[name], fault: { code: 'ERR_ABORTED', message } };
  }

  #byDeadline(): Verdict {
    const seconds = (this.#config.deadlineMs ?? 0) / 1000;
    const what = `--deadline ${seconds} s passed ${where(this.#at(0))}; the model was not saved`;
    return verdictOf({
      code: 'ERR_DEADLINE',
      message: `${what}\nallow more seconds or fewer --passes`,
    });
  }

  /** The verdict on a host that went without a word. */
  #unexpected(one: Rank, end: RankEnd): Verdict {
    const { code, signal, lastWords, fault } = end;
    if (fault !== undefined) return verdictOf(fault);
    // Ctrl-C reaches the whole process group; a host that has just begun does not ignore it yet.
    if (signal !== null && signal in stopSignals) return this.#bySignal(signal as StopSignal);
    const by = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    const how = end.how ?? `its host process ${by}`;
    const words = lastWords.length > 0 ? `; it last wrote: ${lastWords.join(' | ')}` : '';
    const { ownProgram } = this.#config;
    const what = `${this.#name(one)} is lost: ${how} ${where(one)}${words}`;
    const advice = end.how === undefined ? adviceOn(end, ownProgram) : 'is its network up?';
    const message = `${what}\n${advice}`;
    const byProgram = ownProgram && signal === null && end.how === undefined;
    return verdictOf({ code: byProgram ? 'ERR_PROGRAM' : 'ERR_PEER_LOST', message });
  }
}

/** How far a host was. */
function where({ state, clock, loading }: Rank): string {
  if (clock !== undefined) return `while training, at clock ${clock}`;
  if (state === 'waiting' || state === 'starting') return 'while starting';
  if (state === 'ready') return 'while waiting for rank 0';
  return loading ? 'while loading' : 'before its first clock';
}
