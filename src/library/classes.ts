// Models of classes on arrays: what fitting and scoring them has in common.
import type { Samples } from '../data/dataset.ts';
import type { ModelOptions } from '../jobs/job.ts';
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
import {
  columnsOf,
  configError,
  placeClasses,
  rowsOf,
  type Matrix,
  type SparseMatrix,
} from './matrix.ts';

export type Label = string | number;
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
  async predict(X: Matrix | SparseMatrix): Promise<Label[]> {
    const labels = new Map(this.classes.map((label) => [String(label), label]));
    const lines = await this.#score(X, false);
    return lines.map((line) => labels.get(line) ?? line);
  }

  /** Class probabilities of every row, in the order of `classes`. */
  async predictProbabilities(X: Matrix | SparseMatrix): Promise<number[][]> {
    const [, ...lines] = await this.#score(X, true);
    return lines.map((line) => line.split('\t').slice(1).map(Number));
  }

  #score(X: Matrix | SparseMatrix, probabilities: boolean): Promise<string[]> {
    const features = this.#fitted.facts['features'] as number;
    if (rowsOf(X) > 0 && columnsOf(X) !== features) {
      throw configError(`X must have the ${features} columns of the training data`, columnsOf(X));
    }
    return withOwnHost(this.#options, async (host, session) => {
      const labels = { targets: new Int32Array(rowsOf(X)), classes: this.classes.map(String) };
      const data = placeClasses(host.arena, X, labels);
      const trained = putIn(host, this.#fitted);
      const { lines } = await this.#model.predict(session, trained, data, { probabilities });
      return [...lines];
    });
  }
}

/** Fits a model's weights to n rows and their n labels. */
export async function fitClasses(
  how: { readonly model: Model<Samples>; readonly options: FitOptions },
  { X, y }: { readonly X: Matrix | SparseMatrix; readonly y: readonly Label[] },
  given: ModelOptions,
): Promise<ClassModel> {
  if (rowsOf(X) !== y.length) throw configError(`y must have ${rowsOf(X)} labels`, y.length);
  const { model, options: fit } = how;
  const classes = classesOf(y);
  const number = new Map(classes.map((label, index) => [label, index]));
  const options = withDefaults(model.options, given);
  return withOwnHost(fit, async (host, session) => {
    const targets = Int32Array.from(y, (label) => number.get(label) ?? -1);
    const data = placeClasses(host.arena, X, { targets, classes: classes.map(String) });
    const outcome = await model.train(session, { ...requestFrom(fit), data, options });
    const fitted = takeOut(host, outcome.trained);
    return new ClassModel(classes, { summary: summaryOf(outcome), fitted }, how);
  });
}
