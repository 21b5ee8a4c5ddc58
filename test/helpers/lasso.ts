// Lasso problems for tests: random data of every storage, solved by the model in a test's host.
import type { Samples, Storage } from '../../src/data/dataset.ts';
import type { ModelOptions } from '../../src/jobs/job.ts';
import type { Arena } from '../../src/memory/arena.ts';
import type { LassoFacts } from '../../src/models/lasso/model.ts';
import { findModel } from '../../src/models/registry.ts';
import type { Model, TrainRequest } from '../../src/models/model.ts';
import type { Host } from '../../src/supervisor/host.ts';
import type { LassoProblem } from '../oracle/lasso.ts';
import { prngOf } from './lab.ts';
import { hashOf, placeSamples, requestOf, sessionOf, tensorOf } from './models.ts';

export type Regression = {
  readonly storage: Storage;
  /** As stored: what the model sees is `scale` times that. */
  readonly values: readonly (readonly number[])[];
  readonly y: readonly number[];
  readonly scale: number;
};

type Shape = { storage: Storage; rows: number; columns: number; seed: number; offset?: number };

/** Correlated columns, a few of which make the labels. */
export function randomRegression({ storage, rows, columns, seed, offset = 0 }: Shape): Regression {
  const prng = prngOf(seed);
  const noise = () => prng.uniform() + prng.uniform() + prng.uniform() - 1.5;
  const scale = storage === 'u8' ? Math.fround(1 / 255) : 1;
  const values = Array.from({ length: rows }, () => {
    let last = 0;
    return Array.from({ length: columns }, () => {
      last = 0.7 * last + noise();
      if (storage === 'u8') return Math.max(0, Math.min(255, Math.floor(128 + 60 * last)));
      if (storage === 'csr' && prng.uniform() < 0.7) return 0;
      return Math.fround(last + offset);
    });
  });
  const y = values.map((row) => {
    const signal = row.slice(0, 9).reduce((sum, x, j) => sum + (j % 2 === 0 ? x : -x), 0);
    return Math.fround(3 + scale * signal + noise());
  });
  return { storage, values, y, scale };
}

export function problemOf(data: Regression, rest: Omit<LassoProblem, 'x' | 'y'>): LassoProblem {
  const x = data.values.map((row) => row.map((value) => Math.fround(data.scale * value)));
  return { x, y: data.y, ...rest };
}

/** The data in a host's memory, in two blocks, as a loader leaves it. */
export function placeRegression(arena: Arena, { y, ...data }: Regression): Samples {
  const columns = data.values[0]?.length ?? 0;
  const plain = { ...data, targets: y.map(() => 0), columns, classes: 0 };
  const placed = placeSamples(arena, plain);
  let first = 0;
  for (const { rows, target } of placed.blocks) {
    arena.f32.set(y.slice(first, first + rows), target / 4);
    first += rows;
  }
  return { ...placed, labels: 'number', classes: [] };
}

export type Ask = ModelOptions & { readonly model?: 'lasso' | 'elastic-net' };

/** Trains the model; everything in the host's memory is given back. */
export async function fit(
  host: Host,
  data: Regression,
  { model = 'lasso', ...options }: Ask,
  request: Partial<TrainRequest<Samples>> = {},
) {
  const mark = host.arena.mark();
  const placed = placeRegression(host.arena, data);
  const found = findModel(model) as Model<Samples>;
  const asked = requestOf(model, placed, options, { tolerance: 1e-9, ...request });
  const warnings: string[] = [];
  const session = { ...sessionOf(host), warn: (text: string) => warnings.push(text) };
  const outcome = await found.train(session, { ...asked, audit: false });
  const facts = outcome.trained.facts as LassoFacts;
  const beta = [...tensorOf(host, outcome, 'weights')];
  const hash = hashOf(host, outcome);
  host.arena.release(mark);
  return { outcome, facts, beta, hash, warnings, intercept: facts.intercept };
}
