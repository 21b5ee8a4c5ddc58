// A host process as the launcher has it: forked here, or reached by ssh (remote/remote-rank.ts).
import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import type { FromHost, ToHost } from '../cli/channel.ts';
import { forkHost } from './fork-host.ts';
import { LastWords } from './last-words.ts';
import type { RankEnd } from './launcher-machine.ts';

export type RankListener = {
  message(message: FromHost): void;
  /** What it or its connection wrote beside the messages. */
  text(text: string): void;
  /** Once, the last call. */
  ended(end: RankEnd): void;
  /** Ours: a slow reader of it slows down what hosts write. */
  readonly err: NodeJS.WriteStream;
};

export type RankProcess = {
  send(message: ToHost): void;
  /** Says that we are there, every limits.aliveMs. */
  beat(): void;
  /** Ends it without asking it. `ended` follows, unless it cannot be reached. */
  kill(): void;
  /** Gives up whatever is left of it here, without waiting. */
  release(): void;
  /** Cores that it may use; known once it has said something. */
  cores(): number;
};

/** After a process's end, so long for what it wrote to arrive; a grandchild may hold the pipe. */
export const lastWordsMs = 200;

/**
 * Signals a child that is there. Of one that could not be started, Node knows the process id as 0,
 * and a signal to 0 is one to our whole process group.
 */
export function endChild(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  const running = child.exitCode === null && child.signalCode === null;
  if (child.pid !== undefined && running) child.kill(signal);
}

/** Hands a stream of a process on, no faster than our own standard error takes it. */
export function passOn(
  source: Readable,
  words: LastWords,
  listener: Pick<RankListener, 'text' | 'err'>,
): void {
  const { err } = listener;
  source.setEncoding('utf8');
  source.on('data', (text: string) => {
    words.add(text);
    listener.text(text);
    if (!err.writableNeedDrain) return;
    source.pause();
    err.once('drain', () => source.resume());
  });
  source.on('error', () => source.destroy());
}

/** A rank on this machine. */
export function forkRank(hostEntry: URL, listener: RankListener): RankProcess {
  const host = forkHost(hostEntry);
  const words = new LastWords();
  for (const stream of [host.stdout, host.stderr]) if (stream) passOn(stream, words, listener);
  host.on('message', (message) => listener.message(message as FromHost));
  let over = false;
  const end = (how: Omit<RankEnd, 'lastWords'>) => {
    if (over) return;
    over = true;
    listener.ended({ ...how, lastWords: words.lines() });
  };
  host.on('exit', (code, signal) => {
    const late = setTimeout(() => end({ code, signal }), lastWordsMs);
    host.once('close', () => {
      clearTimeout(late);
      end({ code, signal });
    });
  });
  host.on('error', (error) => {
    if (host.pid !== undefined) return;
    const message = `a host process could not be started: ${error.message}`;
    end({ code: null, signal: null, fault: { code: 'ERR_INTERNAL', message } });
  });
  return {
    send(message) {
      // A failed send means that the host is on its way out: its exit is the news, not this.
      if (host.connected) host.send(message, () => undefined);
    },
    beat: () => undefined,
    kill: () => endChild(host, 'SIGKILL'),
    release() {
      endChild(host, 'SIGKILL');
      host.stdout?.destroy();
      host.stderr?.destroy();
    },
    cores: availableParallelism,
  };
}
