// A sampler as a process: its lines with the time at which they came, and the memory it took.
//
//   process start ──── load ────┬──── sampling ────┬────┬────┬─── … end, or ended by us when
//                           `loaded`           points, one for each log-likelihood    time is over
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export type Point = {
  readonly sweep: number;
  /** Of sampling. */
  readonly seconds: number;
  readonly likelihood: number;
};

/** What a line says; a point without seconds was reached when the line came. */
export type Said =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'point'; readonly point: Omit<Point, 'seconds'> & { seconds?: number } }
  /** Sampling has ended; it began so many seconds before. */
  | { readonly kind: 'done'; readonly since: number }
  | undefined;

export type Sampler = {
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly says: (line: string) => Said;
};

export type Sampled = {
  readonly points: readonly Point[];
  /** From the process's start to the first sweep. */
  readonly load: number;
  readonly wall: number;
  /** The most that the process, or a child of it, had in memory; where Linux says so. */
  readonly bytes: number;
  /** It came to its end. */
  readonly ended: boolean;
};

const pollMs = 50;

/** Peak resident memory of a process and of its children, whichever has most. */
function peakBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const own = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return Math.max(own, ...children.map((child) => peakBytes(Number(child))));
  } catch {
    return 0; // it has just ended
  }
}

/** Runs a sampler until it ends, or has sampled for `seconds`. */
export async function sample(
  { command, env = {}, says }: Sampler,
  { seconds, cwd }: { readonly seconds: number; readonly cwd: string },
): Promise<Sampled> {
  const start = performance.now();
  const since = () => (performance.now() - start) / 1000;
  const child = spawn(command[0]!, command.slice(1), {
    ...{ cwd, env: { ...process.env, ...env }, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const raw: { sweep: number; likelihood: number; at: number; seconds: number | undefined }[] = [];
  let [began, bytes, killed, last] = [NaN, 0, false, ''];
  const poll = setInterval(() => {
    bytes = Math.max(bytes, peakBytes(child.pid!));
    // Whoever does not say when loading ended gets the same time from the start.
    if (since() - (Number.isNaN(began) ? 0 : began) < seconds || killed) return;
    killed = true;
    process.kill(-child.pid!, 'SIGKILL');
  }, pollMs);
  const hear = (line: string) => {
    last = line.trim() === '' ? last : line;
    const said = says(line);
    const now = since();
    if (said?.kind === 'loaded') began = now;
    if (said?.kind === 'done') began = now - said.since;
    if (said?.kind === 'point') raw.push({ at: now, seconds: undefined, ...said.point });
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', hear);
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  clearInterval(poll);
  if (!killed && code !== 0) throw new Error(`${command.join(' ').slice(0, 300)}: ${last}`);
  const points = raw.map(({ sweep, likelihood, ...time }) => {
    return { sweep, likelihood, seconds: time.seconds ?? time.at - began };
  });
  return { points, load: began, wall: since(), bytes, ended: !killed };
}

/** Seconds of sampling to a log-likelihood, on the line between the two points around it. */
export function secondsTo(points: readonly Point[], likelihood: number): number | undefined {
  const at = points.findIndex((point) => point.likelihood >= likelihood);
  const [before, after] = [points[at - 1], points[at]];
  if (after === undefined) return undefined;
  if (before === undefined) return after.seconds;
  const share = (likelihood - before.likelihood) / (after.likelihood - before.likelihood);
  return before.seconds + share * (after.seconds - before.seconds);
}
