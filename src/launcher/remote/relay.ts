// The relay: between the launcher's frames and the host process on a host that ssh reaches, and the
// one that cleans up there. It outlives the host process, whatever ends that one. See protocol.ts.
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../base/limits.ts';
import type { FromHost } from '../../cli/channel.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import type { FromRelay, RelayBoot, ToRelay } from './protocol.ts';

export type RelayEnvironment = RelayBoot & {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Ends this process. */
  readonly exit: (code: number) => void;
};

export function serveRelay({ folder, rest, input, output, exit }: RelayEnvironment): void {
  const frames = new FrameReader();
  let host: ChildProcess | undefined;
  let ended = false;
  let silentTicks = 0;
  const send = (message: FromRelay, then?: () => void) => {
    output.write(encodeFrame(message), () => then?.());
  };
  const finish = (code: number | null, signal: string | null) => {
    if (ended) return;
    ended = true;
    rmSync(folder, { recursive: true, force: true });
    // A launcher that is gone reads nothing: then the write fails, and calls back all the same.
    send({ kind: 'exit', code, signal }, () => exit(0));
  };
  const quit = () => {
    const running = host?.pid !== undefined && host.exitCode === null && host.signalCode === null;
    if (!running) return finish(null, null);
    host?.kill('SIGKILL');
    // Should even that not end it, the folder goes all the same.
    setTimeout(() => finish(null, 'SIGKILL'), limits.killGraceMs);
  };
  const start = ({ entry, cwd }: Extract<ToRelay, { kind: 'start' }>) => {
    const here = existsSync(cwd) ? cwd : homedir();
    if (here !== cwd) {
      const text = `there is no folder ${cwd} here: relative paths begin at ${here}`;
      send({ kind: 'note', text });
    }
    const child = fork(join(folder, 'build/dist', entry), [folder], {
      ...{ cwd: here, serialization: 'advanced' },
      // Our standard output has frames: what a program prints goes where messages go.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    host = child;
    child.on('message', (message) => send(message as FromHost));
    child.on('exit', finish);
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      send({ kind: 'note', text: `the host process could not be started: ${error.message}` });
      finish(1, null);
    });
  };
  const take = (message: ToRelay) => {
    silentTicks = 0;
    if (message.kind === 'start') start(message);
    else if (message.kind !== 'beat' && host?.connected) host.send(message, () => undefined);
  };
  const read = (piece: Buffer) => {
    try {
      for (const message of frames.push(piece)) take(message as ToRelay);
    } catch {
      quit();
    }
  };
  input.on('data', read);
  input.on('end', quit);
  input.on('error', quit);
  output.on('error', quit);
  setInterval(() => {
    silentTicks += 1;
    if (silentTicks * limits.aliveMs >= limits.hostSilenceMs) quit();
  }, limits.aliveMs);
  if (rest.length > 0) read(rest);
  input.resume();
}
