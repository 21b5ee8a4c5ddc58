// The real command line (build/test/cli.js) and other scripts as child processes.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of build/test, where the tests lie. */
export const built = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));
/** The package's folder. */
export const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

const limitMs = 60_000;

export type Ended = {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
};

export type Started = {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when standard output contains `text`, or the process has ended. */
  seen(text: string): Promise<void>;
};

/**
 * Starts a script with Node; killed when it does not end within the limit. `within` stands before
 * the command, as `ip netns exec NAME`.
 */
export function startScript(
  script: string,
  args: readonly string[],
  cwd = packageFolder,
  within: readonly string[] = [],
): Started {
  const [command = '', ...words] = [...within, process.execPath, script, ...args];
  const child = spawn(command, words, {
    ...{ cwd, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let [out, err, over] = ['', '', false];
  const waiting = new Set<() => void>();
  const look = () => waiting.forEach((one) => one());
  child.stdout?.on('data', (text: Buffer) => {
    out += text.toString();
    look();
  });
  child.stderr?.on('data', (text: Buffer) => (err += text.toString()));
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
    new Promise<void>((resolve) => {
      const one = () => {
        if (!over && !out.includes(text)) return;
        waiting.delete(one);
        resolve();
      };
      waiting.add(one);
      one();
    });
  return { child, ended, seen };
}

export const start = (args: readonly string[], cwd?: string) =>
  startScript(built('cli.js'), args, cwd);

export const perpetuum = (args: readonly string[], cwd?: string) => start(args, cwd).ended;

/** The last line of --json. */
export function lastEvent({ out }: Ended): Record<string, unknown> {
  return JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

/** Process ids of a process's children; empty where the system has no /proc. */
export function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** Resolves to whether the process is gone, waiting for it a little. */
export async function isGone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 5000; waited += 20) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** A folder of its own, gone afterwards. */
export async function withFolder<T>(body: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'perpetuum-test-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
