// The guardian: owns the terminal, the deadline and the exit code of a job that another process
// does. It decides nothing here: every happening is an input of the machine (guardian-machine.ts),
// every output of the machine is carried out below.
//
//   terminal, timers ──▶ guardian ──▶ machine
//                           │ ▲
//             job, stop     ▼ │   events, done | fault         (channel.ts)
//                        host process
//
// The host stays in our process group, so Ctrl-Z and a closed terminal reach it as they reach us.
import type { ChildProcess } from 'node:child_process';
import { limits } from '../base/limits.ts';
import { isProgramPath } from '../base/program-path.ts';
import type { Job } from '../jobs/job.ts';
import { LastWords } from '../launcher/last-words.ts';
import { lastWordsMs, passOn } from '../launcher/rank-process.ts';
import { listenToTerminal } from '../launcher/terminal.ts';
import type { FromHost, ToHost } from './channel.ts';
import { GuardianMachine } from './guardian-machine.ts';
import type { GuardianInput, GuardianOutput } from './guardian-machine.ts';
import type { Renderer } from './render.ts';

export type GuardianOptions = {
  readonly job: Job;
  readonly deadlineMs: number | undefined;
  readonly renderer: Renderer;
  /** Starts the host process, or gives one that was started ahead and is well. */
  readonly startHost: () => ChildProcess;
  /** Ours: `out` closes under us when its reader ends, `err` slows the host's own output down. */
  readonly streams: { readonly out: NodeJS.WriteStream; readonly err: NodeJS.WriteStream };
};

const activities: Readonly<Record<Job['command'], string>> = {
  train: 'training',
  predict: 'predicting',
  evaluate: 'evaluating',
  topics: 'reading topics',
  simulate: 'simulating',
  replay: 'replaying',
};

/** Reports the host's end once: when its output has arrived too, or a moment later. */
function onEnd(host: ChildProcess, words: LastWords, feed: (input: GuardianInput) => void): void {
  host.on('exit', (code, signal) => {
    const report = () => feed({ kind: 'hostExit', code, signal, lastWords: words.lines() });
    const late = setTimeout(report, lastWordsMs);
    host.once('close', () => {
      clearTimeout(late);
      report();
    });
  });
  host.on('error', (error) => {
    // Without a process id it never started; otherwise a message was lost, and exit will follow.
    if (host.pid === undefined) feed({ kind: 'spawnFailed', message: error.message });
  });
}

/** Of several hosts that all have the result, and how far it is, one prints it. */
function isSpokesman(job: Job): boolean {
  return job.command !== 'train' || job.cluster === undefined || job.cluster.rank === 0;
}

/** Does the job in a host process, to its end. Resolves to the exit code; no process is left. */
export function guard(options: GuardianOptions): Promise<number> {
  const { job, renderer } = options;
  const machine = new GuardianMachine({
    deadlineMs: options.deadlineMs,
    silentTicksMax: limits.hostSilenceMs / limits.aliveMs,
    activity: activities[job.command],
    ownProgram: job.command === 'train' && isProgramPath(job.model),
  });
  return new Promise((resolve) => {
    const host = options.startHost();
    const words = new LastWords();
    let grace: NodeJS.Timeout | undefined;
    const send = (message: ToHost) => {
      // A failed send means that the host is on its way out: its exit is the news, not this.
      if (host.connected) host.send(message, () => undefined);
    };
    const act = (output: GuardianOutput): void => {
      switch (output.kind) {
        case 'sendJob':
          return send({ kind: 'job', job });
        case 'sendStop':
          return send({ kind: 'stop' });
        case 'kill':
          host.kill('SIGKILL');
          return;
        case 'startGrace':
          clearTimeout(grace);
          grace = setTimeout(() => feed({ kind: 'graceOver' }), limits.killGraceMs);
          return;
        case 'show': {
          const { event } = output;
          const common = event.kind === 'progress' || event.kind === 'load';
          return common && !isSpokesman(job) ? undefined : renderer.show(event);
        }
        case 'result':
          return isSpokesman(job) ? renderer.result(output.done, job) : undefined;
        case 'failure':
          return renderer.failure(output.fault, output.exitCode);
        case 'exit':
          unlisten();
          clearTimeout(grace);
          // A grandchild of a user's program may still hold the pipes: we do not wait for it.
          host.stdout?.destroy();
          host.stderr?.destroy();
          return resolve(output.code);
      }
    };
    const feed = (input: GuardianInput) => machine.step(input).forEach(act);
    const { deadlineMs, streams } = options;
    const unlisten = listenToTerminal({ deadlineMs, out: streams.out }, (input) => {
      if (input.kind === 'tick') renderer.tick();
      feed(input);
    });
    const text = (said: string) => renderer.foreign(said);
    host.on('message', (message) => feed({ kind: 'message', message: message as FromHost }));
    for (const stream of [host.stdout, host.stderr])
      if (stream) passOn(stream, words, { text, err: streams.err });
    onEnd(host, words, feed);
  });
}
