// What the command line runs in: the real things of main.ts, or those that a test puts in.
import type { ChildProcess } from 'node:child_process';
import type { ModelInfo } from './arguments/parse.ts';
import type { Screen } from './render.ts';
import type { Streams } from './streams.ts';

export type Environment = {
  readonly models: readonly ModelInfo[];
  /** The file that a host process runs. */
  readonly hostEntry: URL;
  /** Starts a host process, or gives one that was started ahead and is well. */
  readonly startHost: () => ChildProcess;
  readonly streams: Streams;
  readonly variables: NodeJS.ProcessEnv;
};

/** What the streams can do. https://no-color.org: any value but the empty one. */
export function screenOf({ streams, variables }: Environment, noColor: boolean): Screen {
  const { out, err } = streams;
  const terminal = err.isTTY && variables['TERM'] !== 'dumb';
  return {
    out: (text) => void out.write(text),
    err: (text) => void err.write(text),
    terminal,
    color: terminal && !noColor && !variables['NO_COLOR'],
    columns: () => (err.columns > 0 ? err.columns : 80),
    nowMs: () => performance.now(),
  };
}
