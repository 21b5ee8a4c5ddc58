// The launcher: starts one host process per rank, here or by ssh, and owns terminal, deadline and
// exit code like the guardian of a single one. It decides nothing: every happening is an input of
// the machine (launcher-machine.ts), every output of the machine is carried out below.
//
//   terminal, timers ──▶ launch ──▶ machine
//                         │ ▲
//           job, stop     ▼ │    events, done | fault       (cli/channel.ts)
//                   host process × N
//                     forked, or over ssh (remote/protocol.ts)
import { randomBytes } from 'node:crypto';
import { limits } from '../base/limits.ts';
import { bindAddress } from '../base/place.ts';
import type { Renderer } from '../cli/render.ts';
import type { TrainJob } from '../jobs/job.ts';
import { LauncherMachine } from './launcher-machine.ts';
import type { LauncherInput, LauncherOutput } from './launcher-machine.ts';
import { threadsOf, type LaunchPlan, type RankPlan } from './plan.ts';
import { forkRank, type RankListener, type RankProcess } from './rank-process.ts';
import { entryName, packCode } from './remote/bootstrap.ts';
import { startRemoteRank } from './remote/remote-rank.ts';
import { freshSecret } from './secret.ts';
import { listenToTerminal } from './terminal.ts';

export type LaunchOptions = {
  readonly plan: LaunchPlan;
  readonly job: TrainJob;
  /** The job runs a module of the user's. */
  readonly ownProgram: boolean;
  readonly deadlineMs: number | undefined;
  readonly renderer: Renderer;
  readonly hostEntry: URL;
  readonly streams: { readonly out: NodeJS.WriteStream; readonly err: NodeJS.WriteStream };
  /** The ssh command in words. */
  readonly ssh: readonly string[];
  /** Undefined: a fresh one. */
  readonly secret: Uint8Array | undefined;
  readonly insecure: boolean;
};

type Feed = (input: LauncherInput) => void;

/** Puts a prefix before every line of a text that comes in pieces. */
class Prefixer {
  readonly #prefix: string;
  #rest = '';

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  push(text: string): string {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    // A line without end must not fill our memory.
    if (this.#rest.length > limits.messageBytesMax) lines.push(this.flush());
    return lines.map((line) => `${this.#prefix}${line}\n`).join('');
  }

  /** What is left of a last line. */
  flush(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }
}

/** The job of one rank. */
function jobOf(
  rank: RankPlan,
  cores: number,
  port: number,
  run: LaunchOptions & { readonly secret: Uint8Array; readonly runId: string },
): TrainJob {
  const { plan, job, secret, insecure, runId } = run;
  const threads = threadsOf(rank, cores);
  const size = plan.ranks.length;
  if (size === 1) return { ...job, threads };
  const rankZero = { host: plan.rankZeroHost, port };
  const bind = bindAddress(rankZero.host, rank.host);
  const cluster = {
    ...{ rank: rank.rank, size, host: rank.host, rankZero, bind },
    ...{ secret, insecure, runId, joinTimeoutMs: limits.joinTimeoutMs },
  };
  return { ...job, threads, cluster };
}

/** Starts processes by their plans; the package is read once, if a remote one needs it. */
function starter({ plan, hostEntry, ssh }: LaunchOptions) {
  const remote = plan.ranks.some((rank) => rank.ssh !== undefined);
  const code = remote ? packCode(hostEntry) : Buffer.alloc(0);
  const entry = entryName(hostEntry);
  const cwd = process.cwd();
  return (rank: RankPlan, listener: RankListener): RankProcess => {
    if (rank.ssh === undefined) return forkRank(hostEntry, listener);
    return startRemoteRank({ ssh, host: rank.ssh, code, entry, cwd }, listener);
  };
}

/**
 * Runs the job on all ranks, to its end. Resolves to the exit code; no process is left.
 * @throws ERR_CONFIG when the package for other hosts cannot be read; nothing was started then.
 */
export function launch(options: LaunchOptions): Promise<number> {
  const { plan, renderer, streams, ownProgram } = options;
  const start = starter(options);
  const machine = new LauncherMachine({
    ...{ hosts: plan.ranks.map(({ host }) => host), port: plan.port, ownProgram },
    ...{ deadlineMs: options.deadlineMs, silentTicksMax: limits.hostSilenceMs / limits.aliveMs },
  });
  const secret = options.secret ?? freshSecret();
  const run = { ...options, secret, runId: randomBytes(8).toString('hex') };
  const processes: RankProcess[] = [];
  const prefixes = plan.ranks.map(({ rank, host }) => `[${rank} ${host}] `);

  return new Promise((resolve) => {
    let grace: NodeJS.Timeout | undefined;
    let causeGrace: NodeJS.Timeout | undefined;

    const begin = (rank: number) => {
      const prefix = prefixes[rank] ?? '';
      const lines = new Prefixer(prefix);
      const plannedAs = plan.ranks[rank];
      if (plannedAs === undefined) return;
      processes[rank] = start(plannedAs, {
        err: streams.err,
        message: (message) => feed({ kind: 'message', rank, message }),
        text: (text) => renderer.foreign(lines.push(text)),
        ended(end) {
          const rest = lines.flush();
          if (rest !== '') renderer.foreign(`${prefix}${rest}\n`);
          feed({ kind: 'exit', rank, end });
        },
      });
    };
    const sendJob = (rank: number, port: number) => {
      const plannedAs = plan.ranks[rank];
      const host = processes[rank];
      if (plannedAs === undefined || host === undefined) return;
      host.send({ kind: 'job', job: jobOf(plannedAs, host.cores(), port, run) });
    };
    const act = (output: LauncherOutput): void => {
      switch (output.kind) {
        case 'start':
          return begin(output.rank);
        case 'sendJob':
          return sendJob(output.rank, output.port);
        case 'sendStop':
          return processes[output.rank]?.send({ kind: 'stop' });
        case 'kill':
          return processes[output.rank]?.kill();
        case 'startCauseGrace':
          causeGrace = setTimeout(() => feed({ kind: 'causeOver' }), limits.causeGraceMs);
          return;
        case 'startGrace':
          clearTimeout(grace);
          grace = setTimeout(() => feed({ kind: 'graceOver' }), limits.killGraceMs);
          return;
        case 'show':
          return renderer.show(output.event, prefixOf(output));
        case 'result':
          return renderer.result(output.done, options.job);
        case 'failure':
          return renderer.failure(output.fault, output.exitCode);
        case 'exit':
          unlisten();
          clearTimeout(grace);
          clearTimeout(causeGrace);
          for (const one of processes) one.release();
          return resolve(output.code);
      }
    };
    const prefixOf = ({ rank, event }: Extract<LauncherOutput, { kind: 'show' }>) =>
      event.kind === 'warning' || event.kind === 'log' ? (prefixes[rank] ?? '') : '';
    const feed: Feed = (input) => machine.step(input).forEach(act);
    const terminal = { deadlineMs: options.deadlineMs, out: streams.out };
    const unlisten = listenToTerminal(terminal, (input) => {
      if (input.kind === 'tick') {
        processes.forEach((one) => one.beat());
        renderer.tick();
      }
      feed(input);
    });
    feed({ kind: 'begin' });
  });
}
