// The host's side of the channel: runs the one job that the guardian sends and says how it ended.
// actors/host.ts is the process around it; tests put other jobs in.
import { rmSync } from 'node:fs';
import { AssertionError } from '../base/assert.ts';
import { SystemError, toFault, type ErrorCode } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { isProgramPath } from '../base/program-path.ts';
import type { Job, JobDone, JobEvent, JobHooks } from '../jobs/job.ts';
import type { FromHost, ToHost } from './channel.ts';

export type HostEnvironment = {
  /** The process, as far as it is a channel to the guardian. */
  readonly channel: Pick<NodeJS.Process, 'on' | 'send' | 'connected'>;
  /** Ends the process and every thread in it, at once. */
  readonly exit: (code: number) => void;
  readonly runJob: (job: Job, hooks: JobHooks) => Promise<JobDone>;
  /** Where our code was unpacked to, behind ssh: removed when the relay is gone, who else would. */
  readonly folder: string | undefined;
};

/** Progress of loading is told this often; more would only fill the channel. */
const loadEveryMs = 50;
/** Predictions travel in pieces of about this size, not line by line. */
const outputCharacters = 64 * 1024;

/** Forwards a job's events: thins out `load`, gathers `output`, keeps the order. */
class EventSender {
  readonly #send: (message: FromHost) => void;
  #loadAtMs = -Infinity;
  #output: string[] = [];
  #characters = 0;

  constructor(send: (message: FromHost) => void) {
    this.#send = send;
  }

  offer(event: JobEvent, nowMs: number): void {
    if (event.kind === 'output') {
      this.#output.push(event.text);
      this.#characters += event.text.length;
      if (this.#characters >= outputCharacters) this.flush();
      return;
    }
    this.flush();
    if (event.kind === 'load' && event.bytesDone < event.bytesTotal) {
      if (nowMs - this.#loadAtMs < loadEveryMs) return;
      this.#loadAtMs = nowMs;
    }
    this.#send({ kind: 'event', event });
  }

  flush(): void {
    if (this.#output.length === 0) return;
    this.#send({ kind: 'event', event: { kind: 'output', text: this.#output.join('') } });
    this.#output = [];
    this.#characters = 0;
  }
}

/** A broken invariant is our bug, whoever's program runs. */
function isOurs(thrown: unknown): boolean {
  return thrown instanceof AssertionError && thrown.message.startsWith('invariant broken');
}

/** Serves the guardian until the job has ended one way or another. */
export function serveGuardian({ channel, exit, runJob, folder }: HostEnvironment): void {
  const abort = new AbortController();
  let ownCode: ErrorCode = 'ERR_INTERNAL';
  let ending = false;
  const send = (message: FromHost, then?: () => void) => {
    // A channel that closes under a message is the guardian's end: 'disconnect' deals with it.
    if (channel.connected) channel.send?.(message, () => then?.());
    else then?.();
  };
  const events = new EventSender(send);
  const end = (message: FromHost, code: number) => {
    if (ending) return;
    ending = true;
    events.flush();
    send(message, () => exit(code));
  };
  const fail = (thrown: unknown) => {
    const fault = toFault(thrown, isOurs(thrown) ? 'ERR_INTERNAL' : ownCode);
    end({ kind: 'fault', fault }, 1);
  };
  const run = async (job: Job) => {
    const own = job.command === 'train' && isProgramPath(job.model);
    // What a program of the user's throws, wherever it throws it, is that program's fault.
    if (own) ownCode = 'ERR_PROGRAM';
    const onEvent = (event: JobEvent) => {
      if (!ending) events.offer(event, performance.now());
    };
    try {
      end({ kind: 'done', done: await runJob(job, { onEvent, signal: abort.signal }) }, 0);
    } catch (thrown) {
      fail(thrown);
    }
  };
  let started = false;
  const stop = () => {
    abort.abort();
    const never = new SystemError('ERR_ABORTED', 'the job was stopped before it began');
    if (!started) fail(never);
    // The job has its time to end its threads; then the process ends, and they with it.
    else setTimeout(() => exit(1), limits.hostExitMs);
  };
  channel.on('message', (message: ToHost) => {
    if (message.kind === 'stop') stop();
    else if (!started && !abort.signal.aborted) {
      started = true;
      void run(message.job);
    }
  });
  // The guardian is gone, whatever ended it: nobody would ever stop this process.
  const lost = () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    exit(1);
  };
  channel.on('disconnect', lost);
  // It may have gone while this process was starting.
  if (!channel.connected) return lost();
  channel.on('uncaughtException', fail);
  channel.on('unhandledRejection', fail);
  setInterval(() => send({ kind: 'alive' }), limits.aliveMs).unref();
  send({ kind: 'ready' });
}
