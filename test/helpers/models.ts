// Models trained in the test's own process: problems placed in a host's memory as a loader would
// place them, and jobs over files.
import { soloWorld, type World } from '../../src/base/world.ts';
import { createHash } from 'node:crypto';
import type { Ratings, Samples, Storage } from '../../src/data/dataset.ts';
import type { JobEvent, ModelOptions, TrainDone, TrainJob } from '../../src/jobs/job.ts';
import { trainJob } from '../../src/jobs/train.ts';
import { withDefaults } from '../../src/library/estimator.ts';
import type { Arena } from '../../src/memory/arena.ts';
import type { Session, TrainOutcome, TrainRequest } from '../../src/models/model.ts';
import { findModel } from '../../src/models/registry.ts';
import type { JobHost } from '../../src/supervisor/host.ts';
import type { Triple } from '../oracle/factorization.ts';
import type { Pairs } from '../oracle/softmax.ts';

export const exampleData = (name: string) =>
  new URL(`../../examples/data/${name}`, import.meta.url).pathname;

/** Rows as numbers that f32 (or u8, before `scale`) holds exactly. */
export type PlainSamples = {
  readonly storage: Storage;
  readonly values: readonly (readonly number[])[];
  readonly targets: readonly number[];
  readonly columns: number;
  readonly classes: number;
  readonly scale: number;
};

/** The (column, value) pairs that a model sees: zeros left out. */
export function pairsOf({ values, scale }: PlainSamples): Pairs[] {
  return values.map((row) =>
    row.flatMap((x, j) => (x === 0 ? [] : [[j, Math.fround(scale * x)] as const])),
  );
}

function placeBlock(arena: Arena, samples: PlainSamples, first: number, last: number) {
  const { storage, columns } = samples;
  const values = samples.values.slice(first, last);
  const rows = values.length;
  const put = (array: Int32Array | Float32Array | Uint8Array): number => {
    const at = arena.allocate(array.byteLength + 64);
    arena.u8.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    return at;
  };
  const target = put(Int32Array.from(samples.targets.slice(first, last)));
  const block = { rows, nonzeros: 0, target, x: 0, rowStart: 0, index: 0, value: 0 };
  if (storage === 'csr') {
    const entries = values.map((row) => row.flatMap((x, j) => (x === 0 ? [] : [[j, x] as const])));
    const starts = entries.reduce((all, row) => [...all, all.at(-1) + row.length], [0]);
    return {
      ...block,
      nonzeros: starts.at(-1),
      rowStart: put(Int32Array.from(starts)),
      index: put(Int32Array.from(entries.flat(), ([j]) => j)),
      value: put(Float32Array.from(entries.flat(), ([, x]) => x)),
    };
  }
  const stride = strideOf(storage, columns);
  const flat = new (storage === 'u8' ? Uint8Array : Float32Array)(rows * stride);
  values.forEach((row, i) => flat.set(row, i * stride));
  return { ...block, x: put(flat) };
}

const strideOf = (storage: Storage, columns: number) =>
  ({ u8: (columns + 15) & ~15, f32: (columns + 3) & ~3, csr: 0 })[storage];

/** Places samples in two blocks of uneven size. */
export function placeSamples(arena: Arena, samples: PlainSamples): Samples {
  const { storage, columns, scale } = samples;
  const rows = samples.values.length;
  const cut = Math.ceil(rows / 3);
  const blocks = [placeBlock(arena, samples, 0, cut), placeBlock(arena, samples, cut, rows)];
  return {
    ...{ kind: 'samples', storage, rows, columns, stride: strideOf(storage, columns), scale },
    nonzeros: blocks.reduce((sum, block) => sum + block.nonzeros, 0),
    ...{ first: 0, base: 0, columnNames: [], blocks },
    classes: Array.from({ length: samples.classes }, (_, k) => `class${k}`),
  };
}

export function sessionOf(host: JobHost): Session {
  return {
    ...{ host, world: soloWorld(host.threads), signal: new AbortController().signal },
    onProgress: () => undefined,
    onEvent: () => undefined,
    warn: () => undefined,
  };
}

/** A train request with a model's defaults. */
export function requestOf<Data>(
  model: string,
  data: Data,
  options: ModelOptions,
  request: Partial<TrainRequest<Data>> = {},
): TrainRequest<Data> {
  return {
    ...{ data, test: undefined, options: withDefaults(findModel(model)?.options ?? [], options) },
    ...{ policy: { consistency: 'bsp', staleness: 0 }, partitions: undefined, passes: undefined },
    ...{ tolerance: undefined, seed: 1, audit: true, ...request },
  };
}

/** A tensor of the outcome, copied out of the host. */
export function tensorOf(host: JobHost, { trained }: TrainOutcome, name: string): Float32Array {
  const found = trained.tensors.find((tensor) => tensor.name === name);
  if (found === undefined) return new Float32Array(0);
  const count = found.shape.reduce((product, size) => product * size, 1);
  return host.arena.f32.slice(found.at / 4, found.at / 4 + count);
}

/** A hash of all tensors' bytes. */
export function hashOf(host: JobHost, outcome: TrainOutcome): string {
  const hash = createHash('sha256');
  for (const { name } of outcome.trained.tensors) hash.update(tensorOf(host, outcome, name));
  return hash.digest('hex');
}

type FileJob = Partial<Omit<TrainJob, 'data' | 'test' | 'input'>> & {
  readonly data: string;
  readonly test?: string;
  readonly format?: TrainJob['input']['format'];
  readonly signal?: AbortSignal;
  onEvent?(event: JobEvent): void;
};

/** The train job of the command line, in this process. */
export function trainOn(model: string, job: FileJob, world?: World): Promise<TrainDone> {
  const { data, test, format, signal, onEvent, options = {}, ...rest } = job;
  return trainJob(
    {
      ...{ command: 'train', model, data: [data], test: test === undefined ? [] : [test] },
      ...{ out: undefined, threads: 2, consistency: 'bsp', staleness: 0, partitions: undefined },
      ...{ passes: undefined, tolerance: undefined, seed: 1, audit: true, pushTimeoutMs: 20_000 },
      input: { format, label: 'last', delimiter: undefined, header: undefined },
      options: withDefaults(findModel(model)?.options ?? [], options),
      ...rest,
    },
    {
      signal: signal ?? new AbortController().signal,
      onEvent: (event) => onEvent?.(event),
    },
    world,
  );
}

/** Places ratings in two blocks. Training renumbers them: place them again for the next. */
export function placeRatings(
  arena: Arena,
  triples: readonly Triple[],
  known?: { readonly users: number; readonly items: number },
): Ratings {
  const most = (side: 0 | 1) => triples.reduce((high, triple) => Math.max(high, triple[side]), 0);
  const { users, items } = known ?? { users: most(0) + 1, items: most(1) + 1 };
  const cut = Math.ceil(triples.length / 3);
  const blocks = [triples.slice(0, cut), triples.slice(cut)].map((part) => {
    const put = (array: Int32Array | Float32Array, cells: Int32Array | Float32Array): number => {
      const at = arena.allocate(array.byteLength + 16);
      cells.set(array, at / 4);
      return at;
    };
    return {
      count: part.length,
      user: put(
        Int32Array.from(part, ([user]) => user),
        arena.i32,
      ),
      item: put(
        Int32Array.from(part, ([, item]) => item),
        arena.i32,
      ),
      value: put(
        Float32Array.from(part, ([, , rating]) => rating),
        arena.f32,
      ),
    };
  });
  const ratings = triples.map(([, , rating]) => rating);
  return {
    ...{ kind: 'ratings', count: triples.length, users, items, userBase: 0, itemBase: 0, blocks },
    mean: ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length,
    minimum: ratings.reduce((low, rating) => Math.min(low, rating), Infinity),
    maximum: ratings.reduce((high, rating) => Math.max(high, rating), -Infinity),
  };
}
