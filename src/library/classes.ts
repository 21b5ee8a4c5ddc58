// Models of classes on arrays: what fitting and scoring them has in common.
import { SystemError } from '../base/errors.ts';
import type { Samples } from '../data/dataset.ts';
import type { ModelOptions } from '../jobs/job.ts';
import type { Arena } from '../memory/arena.ts';
import type { Model } from '../models/model.ts';
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

export type Label = string | number;
/** n rows of d numbers. */
export type Matrix = readonly ArrayLike<number>[];

function configError(rule: string, found: unknown): SystemError {
  return new SystemError('ERR_CONFIG', `${rule}, got ${String(found)}`);
}

/** Puts X and class numbers into the arena, as one dense block. */
function place(arena: Arena, X: Matrix, targets: Int32Array, classes: readonly string[]): Samples {
  const rows = X.length;
  const columns = X[0]?.length ?? 0;
  if (rows === 0 || columns === 0)
    throw configError('X must have rows and columns', `${rows} rows`);
  const stride = (columns + 3) & ~3;
  const x = arena.allocate(rows * stride * 4);
  arena.f32.fill(0, x / 4, x / 4 + rows * stride);
  X.forEach((row, i) => {
    if (row.length !== columns) {
      throw configError(`row ${i} of X must have ${columns} numbers`, row.length);
    }
    const at = x / 4 + i * stride;
    arena.f32.set(row, at);
    const bad = arena.f32.subarray(at, at + columns).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw configError(`X[${i}][${bad}] must be a finite number`, row[bad]);
  });
  const target = arena.allocate(rows * 4);
  arena.i32.set(targets, target / 4);
  const block = { rows, nonzeros: 0, target, x, rowStart: 0, index: 0, value: 0 };
  return {
    ...{ kind: 'samples', storage: 'f32', rows, columns, stride, nonzeros: 0, scale: 1, base: 0 },
    ...{ first: 0, classes, columnNames: [], blocks: [block] },
  };
}

/** Class order as in files: by value if all labels are numbers, else by text. */
function classesOf(y: readonly Label[]): Label[] {
  const distinct = [...new Set(y)];
  const numeric = distinct.every((label) => typeof label === 'number');
  if (numeric) return distinct.sort((a, b) => Number(a) - Number(b));
  return distinct.sort((a, b) => (String(a) < String(b) ? -1 : 1));
}

/** A fitted model. Plain data inside: keep it as long as you like. */
export class ClassModel {
  readonly classes: readonly Label[];
  readonly summary: FitSummary;
  readonly #fitted: Fitted;
  readonly #model: Model<Samples>;
  readonly #options: FitOptions;

  constructor(
    classes: readonly Label[],
    outcome: { readonly summary: FitSummary; readonly fitted: Fitted },
    how: { readonly model: Model<Samples>; readonly options: FitOptions },
  ) {
    this.classes = classes;
    this.summary = outcome.summary;
    this.#fitted = outcome.fitted;
    this.#model = how.model;
    this.#options = how.options;
  }

  /** Weights: of mlr d × K, row-major; of logistic d. */
  get weights(): Float32Array {
    return this.#tensor('weights');
  }

  /** Intercepts, of mlr K, of logistic 1; empty without one. */
  get intercept(): Float32Array {
    return this.#tensor('intercept');
  }

  #tensor(name: string): Float32Array {
    const found = this.#fitted.tensors.find((tensor) => tensor.name === name);
    return found?.values ?? new Float32Array(0);
  }

  /** The most likely label of every row. @throws ERR_CONFIG when X has other columns. */
  async predict(X: Matrix): Promise<Label[]> {
    const labels = new Map(this.classes.map((label) => [String(label), label]));
    const lines = await this.#score(X, false);
    return lines.map((line) => labels.get(line) ?? line);
  }

  /** Class probabilities of every row, in the order of `classes`. */
  async predictProbabilities(X: Matrix): Promise<number[][]> {
    const [, ...lines] = await this.#score(X, true);
    return lines.map((line) => line.split('\t').slice(1).map(Number));
  }

  #score(X: Matrix, probabilities: boolean): Promise<string[]> {
    const features = this.#fitted.facts['features'] as number;
    if (X.length > 0 && X[0]?.length !== features) {
      throw configError(`X must have the ${features} columns of the training data`, X[0]?.length);
    }
    return withOwnHost(this.#options, async (host, session) => {
      const data = place(host.arena, X, new Int32Array(X.length), this.classes.map(String));
      const trained = putIn(host, this.#fitted);
      const { lines } = await this.#model.predict(session, trained, data, { probabilities });
      return [...lines];
    });
  }
}

/** Fits a model's weights to n rows and their n labels. */
export async function fitClasses(
  how: { readonly model: Model<Samples>; readonly options: FitOptions },
  { X, y }: { readonly X: Matrix; readonly y: readonly Label[] },
  given: ModelOptions,
): Promise<ClassModel> {
  if (X.length !== y.length) throw configError(`y must have ${X.length} labels`, y.length);
  const { model, options: fit } = how;
  const classes = classesOf(y);
  const number = new Map(classes.map((label, index) => [label, index]));
  const options = withDefaults(model.options, given);
  return withOwnHost(fit, async (host, session) => {
    const targets = Int32Array.from(y, (label) => number.get(label) ?? -1);
    const data = place(host.arena, X, targets, classes.map(String));
    const outcome = await model.train(session, { ...requestFrom(fit), data, options });
    const fitted = takeOut(host, outcome.trained);
    return new ClassModel(classes, { summary: summaryOf(outcome), fitted }, how);
  });
}
