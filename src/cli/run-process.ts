// The command line with the real models, over the process's own streams, to the process's exit.
import type { ChildProcess } from 'node:child_process';
import type { HostAhead } from '../launcher/fork-host.ts';
import { models } from '../models/registry.ts';
import { runCommandLine } from './command-line.ts';
import { endProcess, quietStreams } from './streams.ts';

export type ProcessOptions = {
  readonly argv: readonly string[];
  readonly hostEntry: URL;
  readonly startHost: () => ChildProcess;
  /** A host process that is starting already. */
  readonly ahead: HostAhead | undefined;
  readonly variables: NodeJS.ProcessEnv;
};

export async function runProcess(options: ProcessOptions): Promise<void> {
  const { argv, ahead, ...given } = options;
  const streams = quietStreams();
  const startHost = ahead?.take ?? given.startHost;
  const code = await runCommandLine(argv, { ...given, models, startHost, streams });
  ahead?.drop();
  endProcess(code, streams);
}
