// mf trained on triples in the test's own process, with what it says after each pass.
import * as assert from 'uvu/assert';
import type { Ratings } from '../../src/data/dataset.ts';
import type { Metrics, ModelOptions } from '../../src/jobs/job.ts';
import { mf } from '../../src/models/mf/model.ts';
import type { TrainOutcome, TrainRequest } from '../../src/models/model.ts';
import type { Host } from '../../src/supervisor/host.ts';
import type { Factors, Triple } from '../oracle/factorization.ts';
import { prngOf } from './lab.ts';
import { hashOf, placeRatings, requestOf, sessionOf, tensorOf } from './models.ts';

type Shape = { readonly users: number; readonly items: number; readonly share: number };

/** Ratings of three planted factors around 3.5, skewed; one in six is kept for the test. */
export function plant({ users, items, share }: Shape, seed: number) {
  const prng = prngOf(seed);
  const factors = (count: number) =>
    Array.from({ length: count }, () => [0, 1, 2].map(() => 2 * prng.uniform() - 1));
  const [p, q] = [factors(users), factors(items)];
  const train: Triple[] = [];
  const held: Triple[] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items; i++) {
      if (prng.uniform() >= share * (u % 5 === 0 ? 2 : 0.75)) continue;
      const score = p[u]!.reduce((sum, value, k) => sum + value * q[i]![k]!, 0);
      const rating = Math.fround(3.5 + 2 * score + 0.3 * prng.uniform());
      (prng.uniform() < 1 / 6 ? held : train).push([u, i, rating]);
    }
  }
  return { train, held, known: { users, items } };
}

export type Rows = Factors &
  Readonly<Record<'users' | 'items' | 'userBias' | 'itemBias', Float32Array>>;
export type Fitted = {
  readonly outcome: TrainOutcome;
  readonly factors: Rows;
  readonly hash: string;
  /** The objective after each pass. */
  readonly objectives: readonly number[];
};

export async function fit(
  host: Host,
  ratings: { train: readonly Triple[]; held?: readonly Triple[]; known?: Known },
  options: ModelOptions,
  ask: Partial<TrainRequest<Ratings>> = {},
): Promise<Fitted> {
  const mark = host.arena.mark();
  const objectives: number[] = [];
  const session = {
    ...sessionOf(host),
    onEvent(event: { kind: string; values?: Metrics }) {
      if (event.kind === 'progress') objectives.push(event.values?.['objective'] ?? NaN);
    },
  };
  const data = placeRatings(host.arena, ratings.train, ratings.known);
  const test = ratings.held && placeRatings(host.arena, ratings.held, data);
  const outcome = await mf.train(session, requestOf('mf', data, options, { test, ...ask }));
  const [users, items, userBias, itemBias] = ['users', 'items', 'userBias', 'itemBias'].map(
    (name) => tensorOf(host, outcome, name),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const { mean, rank } = outcome.trained.facts as { mean: number; rank: number };
  const hash = hashOf(host, outcome);
  host.arena.release(mark);
  const factors = { mean, rank, users, items, userBias, itemBias };
  return { outcome, factors, hash, objectives };
}
type Known = { readonly users: number; readonly items: number };

export function close(got: number | undefined, want: number, relative: number, label: string) {
  const off = Math.abs(got! - want);
  assert.ok(off <= relative * Math.abs(want), `${label}: got ${got}, want ${want}`);
}

export function neverUp(objectives: readonly number[], label: string): void {
  for (const [pass, now] of objectives.entries()) {
    const before = objectives[pass - 1] ?? Infinity;
    assert.ok(now <= before * (1 + 1e-6), `${label}: pass ${pass + 1}: ${before} to ${now}`);
  }
}
