// Launches as child processes, over hosts that say their process ids
// (test/programs/launch-host.ts).
import { spawn, type ChildProcess } from 'node:child_process';
import { built, type Ended } from './command.ts';

const limitMs = 30_000;

export type Launch = {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when standard error contains `text`; rejects when it ends without. */
  seen(text: string): Promise<void>;
  /** Host processes, and on hosts behind ssh their relays. */
  pids(): readonly number[];
};

/**
 * Starts a command line, of words or to be split at blanks; it is killed when it does not end
 * within the limit. `detached`: in a process group of its own, as a terminal's job.
 */
export function startLaunch(
  line: string | readonly string[],
  environment: NodeJS.ProcessEnv = {},
  script = built('launch-cli.js'),
  detached = false,
): Launch {
  const child = spawn(
    process.execPath,
    [script, ...(typeof line === 'string' ? line.split(' ') : line)],
    {
      ...{ env: { ...process.env, ...environment }, detached, stdio: ['ignore', 'pipe', 'pipe'] },
    },
  );
  let [out, err, over] = ['', '', false];
  const waiting = new Set<() => void>();
  const look = () => waiting.forEach((one) => one());
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => {
    err += text.toString();
    look();
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      over = true;
      look();
      resolve({ code, out, err });
    });
  });
  const seen = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const one = () => {
        if (!err.includes(text) && !over) return;
        waiting.delete(one);
        if (err.includes(text)) resolve();
        else reject(new Error(`ended without "${text}": ${err.slice(0, 2000)}`));
      };
      waiting.add(one);
      one();
    });
  const pids = () =>
    [...err.matchAll(/pid \d (\d+) (\d+)$/gm)].flatMap(([, host, parent]) =>
      // A local host's parent is the launcher itself.
      [Number(host), Number(parent)].filter((pid) => pid !== child.pid),
    );
  return { child, ended, seen, pids };
}
