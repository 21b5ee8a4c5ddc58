// Matrix factorization of ratings on arrays.
//
//     const model = await new Mf({ rank: 16 }).fit({ users, items, ratings });
//     const scores = await model.predict({ users: [0], items: [42] });
import { SystemError } from '../base/errors.ts';
import type { Ratings } from '../data/dataset.ts';
import type { Arena } from '../memory/arena.ts';
import { mf } from '../models/mf/model.ts';
import type { RowsOptions } from '../models/mf/rows/layout.ts';
import {
  putIn,
  requestFrom,
  summaryOf,
  takeOut,
  withDefaults,
  withOwnHost,
  type FitOptions,
  type FitSummary,
  type Fitted,
} from './estimator.ts';

/** Parallel arrays: rating k is users[k], items[k], ratings[k]; ids are integers from 0. */
export type Triples = {
  readonly users: ArrayLike<number>;
  readonly items: ArrayLike<number>;
  readonly ratings: ArrayLike<number>;
};

export type MfFitOptions = FitOptions & {
  readonly rank?: number;
  readonly lambda?: number;
  readonly bias?: boolean;
  readonly learningRate?: number;
  readonly shrinkage?: number;
  readonly solver?: 'sgd' | 'als' | 'ccd';
  readonly nonNegative?: boolean;
  readonly implicit?: boolean;
  readonly confidence?: number;
  readonly subspace?: number;
  readonly schedule?: RowsOptions['schedule'];
};

const blockRatings = 65_536;

function check(triples: Triples): void {
  const { users, items, ratings } = triples;
  const count = ratings.length;
  if (count > 0 && users.length === count && items.length === count) return;
  const rule = 'users, items and ratings must be of one length, at least 1';
  const found = `${users.length}, ${items.length}, ${count}`;
  throw new SystemError('ERR_CONFIG', `${rule}, got ${found}`);
}

/** Puts triples into the arena; ids at or above the given counts become −1 (unknown). */
function place(arena: Arena, triples: Triples, known?: { users: number; items: number }): Ratings {
  check(triples);
  const count = triples.ratings.length;
  const most = { users: 0, items: 0 };
  const id = (side: 'users' | 'items', k: number): number => {
    const value = triples[side][k] ?? -1;
    if (!Number.isInteger(value) || value < 0 || value > 2 ** 31 - 2) {
      const rule = `${side}[${k}] must be an integer >= 0`;
      throw new SystemError('ERR_CONFIG', `${rule}, got ${value}`);
    }
    if (known) return value < known[side] ? value : -1;
    most[side] = Math.max(most[side], value + 1);
    return value;
  };
  const blocks = [];
  let [sum, minimum, maximum] = [0, Infinity, -Infinity];
  for (let first = 0; first < count; first += blockRatings) {
    const size = Math.min(blockRatings, count - first);
    const at = { user: arena.allocate(size * 4), item: arena.allocate(size * 4) };
    const value = arena.allocate(size * 4);
    for (let k = 0; k < size; k++) {
      arena.i32[at.user / 4 + k] = id('users', first + k);
      arena.i32[at.item / 4 + k] = id('items', first + k);
      const rating = triples.ratings[first + k] ?? NaN;
      if (!Number.isFinite(rating)) {
        const rule = `ratings[${first + k}] must be a finite number`;
        throw new SystemError('ERR_CONFIG', `${rule}, got ${rating}`);
      }
      arena.f32[value / 4 + k] = rating;
      sum += rating;
      minimum = Math.min(minimum, rating);
      maximum = Math.max(maximum, rating);
    }
    blocks.push({ count: size, ...at, value });
  }
  const { users, items } = known ?? most;
  const facts = { users, items, userBase: 0, itemBase: 0, mean: sum / count, minimum, maximum };
  return { kind: 'ratings', count, ...facts, blocks };
}

/** A fitted factorization. Plain data inside. */
export class MfModel {
  readonly summary: FitSummary;
  readonly #fitted: Fitted;
  readonly #options: MfFitOptions;

  constructor(summary: FitSummary, fitted: Fitted, options: MfFitOptions) {
    this.summary = summary;
    this.#fitted = fitted;
    this.#options = options;
  }

  /** `users` (users × rank), `items` (items × rank), `userBias`, `itemBias`: row-major f32. */
  tensor(name: 'users' | 'items' | 'userBias' | 'itemBias'): Float32Array | undefined {
    return this.#fitted.tensors.find((tensor) => tensor.name === name)?.values;
  }

  /**
   * Predicted ratings, clipped to the range of the training ratings. Unknown ids fall back on
   * means.
   */
  predict(pairs: Omit<Triples, 'ratings'>): Promise<number[]> {
    return withOwnHost(this.#options, async (host, session) => {
      const facts = this.#fitted.facts as { users: number; items: number };
      const ratings = new Float32Array(pairs.users.length);
      const data = place(host.arena, { ...pairs, ratings }, facts);
      const trained = putIn(host, this.#fitted);
      const { lines } = await mf.predict(session, trained, data, { probabilities: false });
      return Array.from(lines, Number);
    });
  }
}

/** Matrix factorization: see the header of src/models/mf/model.ts for the objective. */
export class Mf {
  readonly #options: MfFitOptions;

  constructor(options: MfFitOptions = {}) {
    this.#options = options;
  }

  /**
   * @throws ERR_CONFIG for ids or ratings that cannot be, ERR_NOT_FINITE when training diverges.
   */
  fit(triples: Triples): Promise<MfModel> {
    const { rank, lambda, bias, learningRate, shrinkage, solver } = this.#options;
    const { nonNegative, implicit, confidence, subspace, schedule } = this.#options;
    const options = withDefaults(mf.options, {
      ...(solver !== undefined && { solver }),
      ...(nonNegative !== undefined && { 'non-negative': nonNegative }),
      ...(implicit !== undefined && { implicit }),
      ...(confidence !== undefined && { confidence }),
      ...(subspace !== undefined && { subspace }),
      ...(schedule !== undefined && { schedule }),
      ...(rank !== undefined && { rank }),
      ...(lambda !== undefined && { lambda }),
      ...(bias !== undefined && { bias }),
      ...(learningRate !== undefined && { 'learning-rate': learningRate }),
      ...(shrinkage !== undefined && { shrinkage }),
    });
    return withOwnHost(this.#options, async (host, session) => {
      const data = place(host.arena, triples);
      const outcome = await mf.train(session, { ...requestFrom(this.#options), data, options });
      return new MfModel(summaryOf(outcome), takeOut(host, outcome.trained), this.#options);
    });
  }
}
