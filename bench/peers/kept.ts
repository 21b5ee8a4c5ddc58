// What was measured is kept in `work`, so that a table can be measured in several goes: all rows
// that are there are printed. PERPETUUM_BENCH_ROWS chooses what is measured now: parts of rows'
// names, with commas, or `missing`; by default everything. Deleting the folder `kept` starts anew.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { work } from './data.ts';

const folder = join(work, 'kept');
const fileOf = (name: string) => join(folder, `${name.replaceAll(/[^\w.-]+/g, '_')}.json`);

export function read<T>(name: string): T | undefined {
  const file = fileOf(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

export function write(name: string, value: unknown): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(name), JSON.stringify(value, undefined, 1));
}

/** The rows of that name: measured now if they are chosen, else as they were kept. */
export async function rowsOf<T>(name: string, make: () => T | Promise<T>): Promise<T | undefined> {
  const only = process.env['PERPETUUM_BENCH_ROWS'];
  const before = read<T>(`rows ${name}`);
  const chosen =
    only === undefined ||
    (only === 'missing' ? before === undefined : only.split(',').some((w) => name.includes(w)));
  if (!chosen) return before;
  process.stderr.write(`${name} …\n`);
  const now = await make();
  write(`rows ${name}`, now);
  return now;
}
