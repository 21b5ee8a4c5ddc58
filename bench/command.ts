// Programs as a user runs them: any command with its wall time, and `perpetuum train`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { smoke } from './bench.ts';

const cli = fileURLToPath(new URL('./cli.js', import.meta.url));

export const repeats = smoke ? 1 : 3;

export type Done = {
  readonly objective: number;
  readonly metrics: Record<string, number>;
  readonly gap: number | null;
  readonly converged: boolean | null;
  readonly passes: number;
  readonly seconds: { load: number; train: number; total: number };
  readonly memoryBytesMax: number;
  readonly modelHash: string;
};

export type Timed = { readonly wall: number; readonly output: string; readonly failed: boolean };

export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Timed {
  const start = performance.now();
  const options = {
    encoding: 'utf8' as const,
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  };
  const done = spawnSync(command, args, options);
  const wall = (performance.now() - start) / 1000;
  return { wall, output: `${done.stdout}${done.stderr}`, failed: done.status !== 0 };
}

/** The fastest of several runs of ours: the done line, and the wall time of the whole process. */
export function ours(args: readonly string[]): Done & { wall: number } {
  const runs = Array.from({ length: repeats }, () => {
    const timed = run(process.execPath, [cli, 'train', ...args, '--json', '--quiet']);
    const line = timed.output.split('\n').find((text) => text.includes('"event":"done"'));
    if (line === undefined) throw new Error(`perpetuum train ${args.join(' ')}: ${timed.output}`);
    return { ...(JSON.parse(line) as Done), wall: timed.wall };
  });
  return runs.sort((a, b) => a.wall - b.wall)[0]!;
}
