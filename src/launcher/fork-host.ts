// Forks host processes. It imports nothing of ours: the command line forks first of all, and loads
// the rest of itself while the host starts.
import { fork, type ChildProcess } from 'node:child_process';

/**
 * Forks a host process on this machine. It stays in our process group, so Ctrl-Z and a closed
 * terminal reach it as they reach us.
 */
export function forkHost(hostEntry: URL): ChildProcess {
  return fork(hostEntry, [], {
    serialization: 'advanced',
    // Standard output belongs to results: what a program prints goes where messages go.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** A host process that starts before anyone knows its job, or whether there is one. */
export type HostAhead = {
  /** That process, if it is well; otherwise another one. */
  readonly take: () => ChildProcess;
  /** Ends the process if nobody has taken it. */
  readonly drop: () => void;
};

export function forkAhead(fork: () => ChildProcess): HostAhead {
  let waiting: ChildProcess | undefined = fork();
  // One that cannot be started is not taken, and the next one says why.
  waiting.on('error', () => undefined);
  return {
    take() {
      const host = waiting;
      waiting = undefined;
      const well = host?.pid !== undefined && host.connected && host.exitCode === null;
      return well && host.signalCode === null ? host : fork();
    },
    drop() {
      if (waiting?.pid !== undefined) waiting.kill('SIGKILL');
      waiting = undefined;
    },
  };
}
