// The launcher's end of the connection to a host that ssh reaches: see protocol.ts.
import { spawn } from 'node:child_process';
import type { Fault } from '../../base/errors.ts';
import { LastWords } from '../last-words.ts';
import type { RankEnd } from '../launcher-machine.ts';
import { endChild, lastWordsMs, passOn } from '../rank-process.ts';
import type { RankListener, RankProcess } from '../rank-process.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { helloMark, type FromRelay, type Hello, type ToRelay } from './protocol.ts';
import { nodeFault, noSshFault, sshCommand, sshFault } from './ssh.ts';

export type RemoteOptions = {
  readonly ssh: readonly string[];
  /** As ssh takes it. */
  readonly host: string;
  /** From bootstrap.ts: the same for all hosts. */
  readonly code: Buffer;
  /** The host's file in it. */
  readonly entry: string;
  readonly cwd: string;
};

/** So much a login shell may print before we take it for something else. */
const bannerBytesMax = 64 * 1024;

/** Waits for the line that begins a conversation; all before it is some shell's. */
class Greeting {
  #text = Buffer.alloc(0);

  /** The greeting, and what came behind its line. @throws when there is too much of other things */
  push(piece: Buffer): { hello: Hello; rest: Buffer } | undefined {
    this.#text = Buffer.concat([this.#text, piece]);
    const mark = this.#text.indexOf(`\n${helloMark}`);
    const end = mark < 0 ? -1 : this.#text.indexOf('\n', mark + 1);
    if (end >= 0) {
      const line = this.#text.subarray(mark + 1 + helloMark.length, end).toString();
      return { hello: JSON.parse(line) as Hello, rest: this.#text.subarray(end + 1) };
    }
    if (this.#text.length > bannerBytesMax) throw new Error('no greeting');
    return undefined;
  }
}

export function startRemoteRank(options: RemoteOptions, listener: RankListener): RankProcess {
  const { host, entry, cwd } = options;
  const [command = '', ...words] = sshCommand(options.ssh, host);
  // A session of its own: Ctrl-C in the terminal must not end ssh before the host has stopped.
  const ssh = spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const lastWords = new LastWords();
  const greeting = new Greeting();
  const frames = new FrameReader();
  let hello: Hello | undefined;
  let refusal: Fault | undefined;
  let exited: Extract<FromRelay, { kind: 'exit' }> | undefined;
  let over = false;

  const signal = (name: 'SIGTERM' | 'SIGKILL') => endChild(ssh, name);
  const write = (message: ToRelay) => {
    if (ssh.stdin.writable) ssh.stdin.write(encodeFrame(message));
  };
  const endOf = (code: number | null): Omit<RankEnd, 'lastWords'> => {
    if (refusal !== undefined) return { code, signal: null, fault: refusal };
    if (exited !== undefined) return { code: exited.code, signal: exited.signal };
    if (hello === undefined) {
      return { code, signal: null, fault: sshFault(host, code, lastWords.lines()) };
    }
    return { code, signal: null, how: `its connection ended (ssh exited with code ${code})` };
  };
  const end = (code: number | null) => {
    if (over) return;
    over = true;
    ssh.stdin.end();
    listener.ended({ ...endOf(code), lastWords: lastWords.lines() });
  };
  const refuse = (fault: Fault) => {
    refusal ??= fault;
    ssh.stdin.end();
    signal('SIGTERM');
  };
  const take = (message: FromRelay) => {
    if (message.kind === 'note') listener.text(`${message.text}\n`);
    else if (message.kind !== 'exit') listener.message(message);
    else {
      exited = message;
      // What was written last may come by the other stream.
      setTimeout(() => end(null), lastWordsMs);
    }
  };
  const greet = (found: { hello: Hello; rest: Buffer }) => {
    hello = found.hello;
    const old = nodeFault(host, hello.node);
    if (old !== undefined) return refuse(old);
    listener.message({ kind: 'alive' });
    ssh.stdin.write(options.code);
    write({ kind: 'start', entry, cwd });
    read(found.rest);
  };
  const read = (piece: Buffer): void => {
    try {
      if (hello !== undefined) return frames.push(piece).forEach((one) => take(one as FromRelay));
      const found = greeting.push(piece);
      if (found) greet(found);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      const next = 'does its login shell print something? it must be silent without a terminal';
      refuse({ code: 'ERR_PEER_LOST', message: `${host}: no answer of ours: ${why}\n${next}` });
    }
  };

  // It is on its way out then: its exit is the news.
  ssh.stdin.on('error', () => undefined);
  ssh.stdout.on('error', () => undefined);
  ssh.stdout.on('data', read);
  passOn(ssh.stderr, lastWords, listener);
  ssh.on('error', (error) => {
    if (ssh.pid !== undefined) return;
    refusal = noSshFault(command, error.message);
    end(null);
  });
  ssh.on('exit', (code) => {
    const late = setTimeout(() => end(code), lastWordsMs);
    ssh.once('close', () => {
      clearTimeout(late);
      end(code);
    });
  });
  return {
    send(message) {
      if (hello !== undefined) return write(message);
      // Nothing is there yet that could stop in order.
      ssh.stdin.end();
      signal('SIGTERM');
    },
    beat: () => hello !== undefined && write({ kind: 'beat' }),
    kill() {
      // For the relay this is our end: it kills the host process and removes what it wrote.
      ssh.stdin.end();
      if (hello === undefined) signal('SIGTERM');
    },
    release() {
      signal('SIGKILL');
      for (const stream of [ssh.stdin, ssh.stdout, ssh.stderr]) stream.destroy();
    },
    cores: () => hello?.cores ?? 1,
  };
}
