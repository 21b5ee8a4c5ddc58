// A host with a loader pool for the tests of src/data, files in a temporary folder, and blocks read
// back as plain rows.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createLoaderPool, type LoaderPool } from '../../src/data/loader-pool.ts';
import {
  loadRatings,
  type LoadedRatings,
  type RatingsOptions,
} from '../../src/data/load-ratings.ts';
import {
  loadSamples,
  type LoadedSamples,
  type SamplesOptions,
} from '../../src/data/load-samples.ts';
import { createMemory, openArena, type Arena } from '../../src/memory/arena.ts';
import { chooseVariant, compileKernels } from '../../src/memory/kernels.ts';
import { planLayout } from '../../src/memory/layout.ts';

export type TestHost = {
  readonly arena: Arena;
  readonly pool: LoaderPool;
  readonly folder: string;
  readonly close: () => Promise<void>;
};

export function startHost(threads: number, bytes = 768 * 2 ** 20): TestHost {
  const layout = planLayout(threads, bytes);
  const memory = createMemory(layout.bytes);
  const arena = openArena(memory, layout, true);
  const module = compileKernels(chooseVariant({ reproducible: true }));
  const pool = createLoaderPool({ memory, layout, module, threads });
  const folder = mkdtempSync(join(tmpdir(), 'perpetuum-data-'));
  return {
    ...{ arena, pool, folder },
    async close() {
      await pool.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The host with chunks of another size. */
export function withChunks(host: TestHost, chunkBytes: number): TestHost {
  return { ...host, pool: { ...host.pool, chunkBytes } };
}

let files = 0;

/** Writes a file and returns its path. */
export function put(host: TestHost, content: string | Uint8Array, name = `file${files++}`): string {
  const path = join(host.folder, name);
  writeFileSync(path, content);
  return path;
}

/** The same bytes as several gzip members. */
export function gzipMembers(content: string | Uint8Array, members: number): Buffer {
  const bytes = Buffer.from(content);
  const size = Math.ceil(bytes.length / members);
  const parts = Array.from({ length: members }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
  return Buffer.concat(parts.map((part) => gzipSync(part)));
}

export type Row = { readonly label: string | number | null; readonly values: readonly number[] };
/** All that a load says and holds, as plain values: equal loads are deeply equal. */
export type Plain = Omit<LoadedSamples, 'blocks'> & {
  readonly blockRows: readonly number[];
  readonly data: readonly Row[];
};

type Sample = { readonly target: number; readonly values: readonly number[] };

function denseRow({ arena }: TestHost, samples: LoadedSamples, x: number, r: number): number[] {
  const { storage, stride, columns, scale } = samples;
  const from = storage === 'u8' ? x + r * stride : x / 4 + r * stride;
  const row = [...(storage === 'u8' ? arena.u8 : arena.f32).subarray(from, from + stride)];
  if (row.slice(columns).some((padding) => padding !== 0)) throw new Error('padding is not zero');
  return row.slice(0, columns).map((value) => value * scale);
}

function sparseRow(
  { arena }: TestHost,
  block: LoadedSamples['blocks'][number],
  r: number,
): number[] {
  const [from = 0, to = 0] = arena.i32.subarray(block.rowStart / 4 + r, block.rowStart / 4 + r + 2);
  const index = arena.i32.subarray(block.index / 4 + from, block.index / 4 + to);
  const value = arena.f32.subarray(block.value / 4 + from, block.value / 4 + to);
  return [...index].flatMap((column, i) => [column, value[i] ?? NaN]);
}

/** Dense rows are their values, sparse ones `column, value, column, value, …`. */
function plainSamples(host: TestHost, loaded: LoadedSamples): Plain {
  const { blocks, ...facts } = loaded;
  const { arena } = host;
  for (const { rowStart, rows, nonzeros } of blocks) {
    const [first = 0, end = 0] = [0, rows].map((row) => arena.i32[rowStart / 4 + row]);
    const entries = rowStart === 0 ? 0 : end - first;
    if (nonzeros !== entries) throw new Error(`${entries} entries, said to be ${nonzeros}`);
  }
  const data = blocks.flatMap((block) =>
    Array.from({ length: block.rows }, (_, r): Row => {
      const sample: Sample = {
        target: (loaded.labels === 'number' ? arena.f32 : arena.i32)[block.target / 4 + r] ?? NaN,
        values:
          loaded.storage === 'csr' ? sparseRow(host, block, r) : denseRow(host, loaded, block.x, r),
      };
      const label =
        loaded.labels === 'number' ? sample.target : (loaded.classes[sample.target] ?? null);
      return { label, values: sample.values };
    }),
  );
  return { ...facts, blockRows: blocks.map(({ rows }) => rows), data };
}

/** Loads samples, reads them back and frees them. */
export async function samplesOf(
  host: TestHost,
  paths: readonly string[],
  options: SamplesOptions = {},
) {
  const mark = host.arena.mark();
  try {
    return plainSamples(host, await loadSamples(paths, options, host));
  } finally {
    host.arena.release(mark);
  }
}

export type PlainRatings = Omit<LoadedRatings, 'blocks'> & {
  readonly blockCounts: readonly number[];
  /** On several hosts, which block is where; empty on one. */
  readonly places: readonly { readonly holder: number; readonly here: boolean }[];
  readonly data: readonly (readonly [user: number, item: number, value: number])[];
};

/** Loads ratings, reads them back and frees them. */
export async function ratingsOf(
  host: TestHost,
  paths: readonly string[],
  options: RatingsOptions = {},
): Promise<PlainRatings> {
  const { arena } = host;
  const mark = arena.mark();
  try {
    const { blocks, ...facts } = await loadRatings(paths, options, host);
    const data = blocks.flatMap(({ count, user, item, value }) =>
      Array.from({ length: count }, (_, i) => {
        const triple = [arena.i32[user / 4 + i] ?? NaN, arena.i32[item / 4 + i] ?? NaN] as const;
        return [...triple, arena.f32[value / 4 + i] ?? NaN] as const;
      }),
    );
    const places = blocks.flatMap(({ holder, away }) => {
      return holder === undefined ? [] : [{ holder, here: away !== true }];
    });
    return { ...facts, blockCounts: blocks.map(({ count }) => count), places, data };
  } finally {
    arena.release(mark);
  }
}

/** The error's code and message, without the folder. */
export async function failureOf(host: TestHost, load: () => Promise<unknown>) {
  try {
    await load();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = 'code' in error ? String(error.code) : error.name;
    return { code, message: error.message.replaceAll(`${host.folder}/`, ''), stack: error.stack };
  }
  return { code: 'none', message: 'the file was accepted', stack: '' };
}
