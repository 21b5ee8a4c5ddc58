// `perpetuum train` as a user starts it by hand: one process on each host of a network.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { built, lastEvent, packageFolder, startScript, type Ended } from './command.ts';
import type { NetHost } from './namespaces.ts';
import { pidsIn } from './namespaces.ts';
import type { Started } from './command.ts';

export const digits = join(packageFolder, 'examples/data/digits.csv.gz');

/** A run that takes its time, and says how far it is. */
export const endless = `mlr ${digits} --solver sgd --consistency bsp --passes 1000000 --threads 1`;

export const port = 29_511;

/** A secret of the tests, in a file. */
export function secretIn(folder: string, letter = 's'): string {
  const path = join(folder, `secret-${letter}`);
  writeFileSync(path, letter.repeat(32), { mode: 0o600 });
  return path;
}

/** How a host finds the others: rank 0 is the first of `hosts`. */
export const joining = (hosts: readonly NetHost[], rank: number, more: string) =>
  [
    ...[`--host-rank ${rank} --world-size ${hosts.length}`],
    ...[`--master ${hosts[0]!.address}:${port}`, more],
  ].join(' ');

export function startRank(
  { within }: NetHost,
  line: string,
  script = built('cli.js'),
  cwd = packageFolder,
): Started {
  return startScript(script, `train ${line}`.split(' '), cwd, within);
}

/** `line` with `more` (--secret FILE, or --insecure) on all hosts. */
export const startRanks = (hosts: readonly NetHost[], line: string, more: string) =>
  hosts.map((host, rank) => startRank(host, `${line} ${joining(hosts, rank, more)} --json`));

export type Result = {
  readonly objective: number;
  readonly modelHash: string;
  readonly seconds: { readonly total: number };
  readonly links: readonly { readonly reconnects: number; readonly bytesSent: number }[];
};

/** The result that rank 0 says; all others end well and say nothing. */
export async function resultOf(ranks: readonly Started[]): Promise<Result> {
  const ends = await Promise.all(ranks.map(({ ended }) => ended));
  const said = ends.map(({ err }, rank) => `rank ${rank}: ${err}`).join('');
  assert.equal(
    ends.map(({ code }) => code),
    ends.map(() => 0),
    said,
  );
  assert.ok(
    ends.slice(1).every(({ out }) => out === ''),
    'rank 0 alone speaks',
  );
  return lastEvent(ends[0]!) as unknown as Result;
}

/** How a host's process ended, and how long after `sinceMs`. */
export async function endAfter(
  { ended }: Started,
  sinceMs: number,
): Promise<Ended & { s: number }> {
  const end = await ended;
  return { ...end, s: (performance.now() - sinceMs) / 1000 };
}

/** Nothing runs on the hosts any more, soon. */
export async function nothingLeft(hosts: readonly NetHost[], ms = 5000): Promise<void> {
  const left = () => hosts.flatMap(({ name }) => pidsIn(name));
  for (let waited = 0; waited < ms && left().length > 0; waited += 50) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(left(), [], 'processes that are left');
}
