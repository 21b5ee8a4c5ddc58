// A record on disk, a folder for each host: record.json says what was run and how it ended, and
// record.bin has the tapes, one behind the other.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SystemError } from '../base/errors.ts';
import type { RunRecord } from './run-record.ts';

/** Version of record.json's form. */
const formatVersion = 1;

/** Where a tape stands in record.bin. */
type Piece = readonly [from: number, to: number];
type RunPlace =
  | { readonly kind: 'plain'; readonly scheduled: boolean }
  | {
      readonly kind: 'timed';
      readonly tickets: Piece;
      readonly workers: readonly Piece[];
      readonly inputs: Piece | null;
    };

/** What a host says of its run. `Job` is the job as it was given. */
export type RecordCard<Job> = {
  readonly version: string;
  readonly variant: string;
  readonly rank: number;
  /** Worker threads of all hosts. */
  readonly threads: readonly number[];
  readonly job: Job;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly modelHash: string;
};

type Saved<Job> = RecordCard<Job> & {
  readonly format: number;
  readonly runs: readonly RunPlace[];
  readonly sha256: string;
};

export type HostRecord<Job> = RecordCard<Job> & { readonly runs: readonly RunRecord[] };

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function refuse(path: string, why: string, cause?: unknown): SystemError {
  const next = 'perpetuum train --record DIR writes a record';
  return new SystemError('ERR_DATA', `${path}: ${why}\n${next}`, { cause });
}

export function sizesOf(paths: readonly string[]): Promise<RecordCard<never>['files']> {
  return Promise.all(paths.map(async (path) => ({ path, bytes: (await stat(path)).size })));
}

/** Writes the record of host `card.rank` under `directory`. @throws ERR_CONFIG */
export async function saveRecord<Job>(
  directory: string,
  card: RecordCard<Job>,
  runs: readonly RunRecord[],
): Promise<void> {
  const pieces: Uint8Array[] = [];
  let at = 0;
  const place = (bytes: Uint8Array): Piece => {
    pieces.push(bytes);
    const from = at;
    at += bytes.length;
    return [from, at];
  };
  const places = runs.map((run): RunPlace =>
    run.kind === 'plain'
      ? run
      : {
          ...{ kind: 'timed', tickets: place(run.tickets), workers: run.workers.map(place) },
          inputs: run.inputs ? place(run.inputs) : null,
        },
  );
  const bytes = Buffer.concat(pieces);
  const saved: Saved<Job> = {
    ...{ format: formatVersion, ...card, runs: places, sha256: sha256(bytes) },
  };
  const folder = join(directory, `host-${card.rank}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'record.bin'), bytes);
    await writeFile(join(folder, 'record.json'), `${JSON.stringify(saved, null, 2)}\n`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SystemError('ERR_CONFIG', `--record ${directory} cannot be written: ${why}`, {
      cause,
    });
  }
}

async function loadHost<Job>(folder: string): Promise<HostRecord<Job>> {
  const path = join(folder, 'record.json');
  const parsed = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Partial<Saved<Job>>,
    (cause: unknown) => {
      throw refuse(path, 'cannot be read: it is missing, or no record', cause);
    },
  );
  if (parsed.format !== formatVersion) {
    throw refuse(path, `must have format ${formatVersion}, got ${String(parsed.format)}`);
  }
  const saved = parsed as Saved<Job>;
  const bytes = await readFile(join(folder, 'record.bin'));
  if (sha256(bytes) !== saved.sha256) {
    throw refuse(join(folder, 'record.bin'), 'is not what was recorded: its check sum differs');
  }
  const piece = ([from, to]: Piece) => new Uint8Array(bytes.subarray(from, to));
  const runs = saved.runs.map((run): RunRecord =>
    run.kind === 'plain'
      ? run
      : {
          ...{ kind: 'timed', tickets: piece(run.tickets), workers: run.workers.map(piece) },
          inputs: run.inputs ? piece(run.inputs) : undefined,
        },
  );
  return { ...saved, runs };
}

/** The records of all hosts of a run, by rank. @throws ERR_DATA when one is missing or changed. */
export async function loadRecords<Job>(directory: string): Promise<readonly HostRecord<Job>[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw refuse(directory, 'cannot be read', cause);
  });
  const count = names.filter((name) => /^host-\d+$/.test(name)).length;
  if (count === 0) throw refuse(directory, 'has no folder host-0');
  const hosts = await Promise.all(
    Array.from({ length: count }, (_, rank) => loadHost<Job>(join(directory, `host-${rank}`))),
  );
  const [first] = hosts;
  for (const [rank, host] of hosts.entries()) {
    const same = host.modelHash === first?.modelHash && host.threads.length === count;
    if (same && host.rank === rank) continue;
    const rule = `needs the records of all ${host.threads.length} hosts of one run`;
    throw refuse(directory, `${rule}, and host-${rank} is of another one, or some are missing`);
  }
  return hosts;
}
