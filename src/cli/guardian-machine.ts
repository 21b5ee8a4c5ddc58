// The guardian's decisions, as a pure machine: when to stop and kill the host, what to say, and the
// exit code. Processes, timers and the terminal are guardian.ts.
//
//                     ready             done | fault
//     starting ─────────▶ working ───────────────────▶ closing ── hostExit ──▶ ended
//        │                   │                            ▲
//        └───────────────────┴── signal, deadline, … ─────┘      closing: a verdict is known
//
// Once there is a verdict, only a `done` that was already under way changes it: its work is
// complete. `exit` is answered to hostExit alone, so no host outlives the guardian; the one
// exception is a host that even SIGKILL does not end within the grace (a process stuck in the
// kernel).
import { assert } from '../base/assert.ts';
import { exitCodeOf, type Fault } from '../base/errors.ts';
import { brokenPipeCode, stopSignals, type StopSignal } from '../base/signals.ts';
import type { JobDone, JobEvent } from '../jobs/job.ts';
import { adviceOn } from '../launcher/last-words.ts';
import type { TerminalInput } from '../launcher/terminal.ts';
import type { FromHost } from './channel.ts';
import { bytesText, valuesText } from './format.ts';

export type GuardianInput =
  | { readonly kind: 'message'; readonly message: FromHost }
  /** The host process is gone; `lastWords` are the last lines of its stderr. */
  | {
      readonly kind: 'hostExit';
      readonly code: number | null;
      readonly signal: string | null;
      readonly lastWords: readonly string[];
    }
  | { readonly kind: 'spawnFailed'; readonly message: string }
  | { readonly kind: 'graceOver' }
  | TerminalInput;

export type GuardianOutput =
  | { readonly kind: 'sendJob' }
  | { readonly kind: 'sendStop' }
  /** SIGKILL to the host. */
  | { readonly kind: 'kill' }
  /** Ask `graceOver` after limits.killGraceMs from now; replaces an earlier grace. */
  | { readonly kind: 'startGrace' }
  | { readonly kind: 'show'; readonly event: JobEvent }
  | { readonly kind: 'result'; readonly done: JobDone }
  | { readonly kind: 'failure'; readonly fault: Fault; readonly exitCode: number }
  | { readonly kind: 'exit'; readonly code: number };

export type GuardianConfig = {
  readonly deadlineMs: number | undefined;
  readonly silentTicksMax: number;
  /** What the job is doing, in words: training, predicting, evaluating. */
  readonly activity: string;
  /** The job runs a module of the user's: its faults are that program's. */
  readonly ownProgram: boolean;
};

type Verdict = { readonly code: number; readonly fault?: Fault };

type Progress = Extract<JobEvent, { kind: 'progress' }>;
type Loading = Extract<JobEvent, { kind: 'load' }>;

export class GuardianMachine {
  readonly #config: GuardianConfig;
  #phase: 'starting' | 'working' | 'closing' | 'ended' = 'starting';
  #verdict: Verdict | undefined;
  #killed = false;
  #silentTicks = 0;
  #progress: Progress | undefined;
  #loading: Loading | undefined;

  constructor(config: GuardianConfig) {
    this.#config = config;
  }

  step(input: GuardianInput): readonly GuardianOutput[] {
    if (this.#phase === 'ended') return [];
    switch (input.kind) {
      case 'message':
        this.#silentTicks = 0;
        return this.#onMessage(input.message);
      case 'hostExit':
        this.#verdict ??= this.#unexpectedExit(input);
        return this.#end();
      case 'spawnFailed':
        this.#verdict ??= internal(`the host process could not be started: ${input.message}`);
        return this.#end();
      case 'signal':
        return this.#onSignal(input.name);
      case 'deadline':
        return this.#stop(this.#deadlineVerdict());
      case 'outputClosed':
        // As if SIGPIPE had ended us, which is what happens to every other program before `head`.
        return this.#stop({ code: brokenPipeCode });
      case 'graceOver':
        if (this.#phase !== 'closing') return [];
        return this.#killed ? this.#end() : this.#kill();
      case 'tick':
        return this.#onTick();
    }
  }

  /** One line for tests and traces. */
  toString(): string {
    const code = this.#verdict === undefined ? '?' : this.#verdict.code;
    return `${this.#phase} code=${code}${this.#killed ? ' killed' : ''}`;
  }

  #onMessage(message: FromHost): readonly GuardianOutput[] {
    switch (message.kind) {
      case 'alive':
        return [];
      case 'ready':
        if (this.#phase !== 'starting') return [];
        this.#phase = 'working';
        return [{ kind: 'sendJob' }];
      case 'event':
        return this.#onEvent(message.event);
      case 'done':
        this.#verdict = { code: 0 };
        return [{ kind: 'result', done: message.done }, ...this.#close()];
      case 'fault': {
        const { fault } = message;
        this.#verdict ??= { code: exitCodeOf(fault.code), fault };
        return this.#close();
      }
    }
  }

  #onEvent(event: JobEvent): readonly GuardianOutput[] {
    if (event.kind === 'progress') this.#progress = event;
    if (event.kind === 'load') this.#loading = event;
    // What a stopping job still says is of no use, but a warning or a log line may say why.
    const said = event.kind === 'warning' || event.kind === 'log';
    if (this.#phase === 'closing' && !said) return [];
    return [{ kind: 'show', event }];
  }

  #onSignal(name: StopSignal): readonly GuardianOutput[] {
    // The second Ctrl-C: whoever presses twice does not want to wait.
    if (this.#phase === 'closing') return this.#kill();
    return this.#stop(this.#signalVerdict(name));
  }

  #onTick(): readonly GuardianOutput[] {
    this.#silentTicks += 1;
    if (this.#phase === 'closing' || this.#silentTicks < this.#config.silentTicksMax) return [];
    const what = `the host process has not answered for ${this.#silentTicks} s ${this.#where()}`;
    const fault: Fault = { code: 'ERR_TIMEOUT', message: `${what}; it was killed` };
    this.#verdict = { code: exitCodeOf(fault.code), fault };
    return this.#kill();
  }

  /** Asks the host to stop, with the verdict that this run then has. */
  #stop(verdict: Verdict): readonly GuardianOutput[] {
    if (this.#phase === 'closing') return [];
    this.#verdict = verdict;
    return [{ kind: 'sendStop' }, ...this.#close()];
  }

  #close(): readonly GuardianOutput[] {
    this.#phase = 'closing';
    return [{ kind: 'startGrace' }];
  }

  #kill(): readonly GuardianOutput[] {
    this.#phase = 'closing';
    this.#killed = true;
    return [{ kind: 'kill' }, { kind: 'startGrace' }];
  }

  #end(): readonly GuardianOutput[] {
    assert(this.#verdict !== undefined, 'a run ends with a verdict');
    this.#phase = 'ended';
    const { code, fault } = this.#verdict;
    const exit: GuardianOutput = { kind: 'exit', code };
    return fault ? [{ kind: 'failure', fault, exitCode: code }, exit] : [exit];
  }

  #signalVerdict(name: StopSignal): Verdict {
    const message = `stopped by ${name} ${this.#where()}${this.#unsaved()}`;
    return { code: 128 + stopSignals[name], fault: { code: 'ERR_ABORTED', message } };
  }

  #deadlineVerdict(): Verdict {
    const seconds = (this.#config.deadlineMs ?? 0) / 1000;
    const what = `--deadline ${seconds} s passed ${this.#where()}${this.#unsaved()}`;
    const next = this.#progress
      ? 'allow more seconds or fewer --passes'
      : 'allow more seconds, or use more --threads';
    const fault: Fault = { code: 'ERR_DEADLINE', message: `${what}\n${next}` };
    return { code: exitCodeOf(fault.code), fault };
  }

  /** How far the job was. */
  #where(): string {
    const { activity } = this.#config;
    if (this.#phase === 'starting') return 'while starting';
    if (this.#progress) {
      const { clock, values } = this.#progress;
      const numbers = valuesText(values);
      return `while ${activity}, at clock ${clock}${numbers === '' ? '' : ` (${numbers})`}`;
    }
    if (this.#loading && this.#loading.bytesDone < this.#loading.bytesTotal) {
      const { bytesDone, bytesTotal } = this.#loading;
      return `while loading, ${bytesText(bytesDone)} of ${bytesText(bytesTotal)} read`;
    }
    return this.#loading ? `while ${activity}, before its first clock` : 'while loading';
  }

  #unsaved(): string {
    return this.#config.activity === 'training' ? '; the model was not saved' : '';
  }

  /** The verdict on a host that went without a word. */
  #unexpectedExit(exit: Extract<GuardianInput, { kind: 'hostExit' }>): Verdict {
    const { code, signal, lastWords } = exit;
    // Ctrl-C reaches the whole process group; a host that has just begun does not ignore it yet.
    if (signal !== null && signal in stopSignals) return this.#signalVerdict(signal as StopSignal);
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    const { ownProgram } = this.#config;
    const words = lastWords.length > 0 ? `; it last wrote: ${lastWords.join(' | ')}` : '';
    const next = adviceOn(exit, ownProgram);
    const message = `the host process ${how} ${this.#where()}${words}\n${next}`;
    return internal(message, ownProgram && signal !== 'SIGKILL' ? 'ERR_PROGRAM' : 'ERR_INTERNAL');
  }
}

function internal(message: string, code: Fault['code'] = 'ERR_INTERNAL'): Verdict {
  return { code: exitCodeOf(code), fault: { code, message } };
}
