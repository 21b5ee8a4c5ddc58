// The lasso and the elastic net on arrays.
//
//     const model = await new Lasso({ lambda: 0.1 }).fit(X, y);   // X: rows of numbers, or sparse
//     const numbers = await model.predict(X);
//     const { path } = await new ElasticNet({ l1Ratio: 0.5, folds: 10 }).fit(X, y);
import type { PathPoint } from '../jobs/job.ts';
import { elasticNet, lasso, type LassoFacts } from '../models/lasso/model.ts';
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
  placeRegression,
  type Matrix,
  type SparseMatrix,
} from './matrix.ts';

export type LassoFitOptions = FitOptions & {
  /** Weight of the penalty. */
  readonly lambda?: number;
  /** Where `lambda` is not given: λ as a share of λmax; default 0.01. */
  readonly lambdaRatio?: number;
  /** Values of λ from λmax down to pathRatio · λmax; the model is the last one's, or the folds'. */
  readonly path?: number;
  readonly pathRatio?: number;
  /** Cross-validation picks λ of the path. */
  readonly folds?: number;
  /** With folds: the largest λ within one standard error of the best. */
  readonly oneStandardError?: boolean;
  readonly intercept?: boolean;
  readonly standardize?: boolean;
  readonly schedule?: 'dynamic' | 'static' | 'random' | 'cyclic';
};

export type ElasticNetOptions = LassoFitOptions & {
  /** Share of the L1 penalty, 0 to 1; default 0.5. */
  readonly l1Ratio?: number;
};

/** A fitted model. Plain data inside. */
export class LassoModel {
  readonly summary: FitSummary;
  readonly #fitted: Fitted;
  readonly #options: FitOptions;

  constructor(summary: FitSummary, fitted: Fitted, options: FitOptions) {
    this.summary = summary;
    this.#fitted = fitted;
    this.#options = options;
  }

  get #facts(): LassoFacts {
    return this.#fitted.facts as LassoFacts;
  }

  /** One for each column of X. */
  get coefficients(): Float32Array {
    return this.#fitted.tensors[0]?.values ?? new Float32Array(0);
  }

  get intercept(): number {
    return this.#facts.intercept;
  }

  get lambda(): number {
    return this.#facts.lambda;
  }

  /** Every λ that was solved, the largest first. */
  get path(): readonly PathPoint[] {
    return this.#facts.path;
  }

  /** @throws ERR_CONFIG when X has other columns. */
  predict(X: Matrix | SparseMatrix): Promise<number[]> {
    const { features } = this.#facts;
    if (columnsOf(X) !== features) {
      throw configError(`X must have the ${features} columns of the training data`, columnsOf(X));
    }
    return withOwnHost(this.#options, async (host, session) => {
      const data = placeRegression(host.arena, X, undefined);
      const trained = putIn(host, this.#fitted);
      const { lines } = await lasso.predict(session, trained, data, { probabilities: false });
      return Array.from(lines, Number);
    });
  }
}

async function fit(
  model: typeof lasso,
  given: ElasticNetOptions,
  data: { readonly X: Matrix | SparseMatrix; readonly y: ArrayLike<number> },
): Promise<LassoModel> {
  const { lambda, lambdaRatio, path, pathRatio, folds, oneStandardError } = given;
  const { intercept, standardize, schedule, l1Ratio } = given;
  const options = withDefaults(model.options, {
    ...(l1Ratio !== undefined && { 'l1-ratio': l1Ratio }),
    ...(lambda !== undefined && { lambda }),
    ...(lambdaRatio !== undefined && { 'lambda-ratio': lambdaRatio }),
    ...(path !== undefined && { path }),
    ...(pathRatio !== undefined && { 'path-ratio': pathRatio }),
    ...(folds !== undefined && { folds }),
    ...(oneStandardError !== undefined && { 'one-standard-error': oneStandardError }),
    ...(intercept !== undefined && { intercept }),
    ...(standardize !== undefined && { standardize }),
    ...(schedule !== undefined && { schedule }),
  });
  return withOwnHost(given, async (host, session) => {
    const placed = placeRegression(host.arena, data.X, data.y);
    const outcome = await model.train(session, { ...requestFrom(given), data: placed, options });
    return new LassoModel(summaryOf(outcome), takeOut(host, outcome.trained), given);
  });
}

/** Least squares with an L1 penalty: src/models/lasso/model.ts has the objective. */
export class Lasso {
  readonly #options: LassoFitOptions;

  constructor(options: LassoFitOptions = {}) {
    this.#options = options;
  }

  /** @throws ERR_CONFIG for shapes or values that cannot be, ERR_ABORTED when the signal fires. */
  fit(X: Matrix | SparseMatrix, y: ArrayLike<number>): Promise<LassoModel> {
    return fit(lasso, this.#options, { X, y });
  }
}

/** Least squares with L1 and L2 penalties: src/models/lasso/model.ts has the objective. */
export class ElasticNet {
  readonly #options: ElasticNetOptions;

  constructor(options: ElasticNetOptions = {}) {
    this.#options = options;
  }

  /** @throws ERR_CONFIG for shapes or values that cannot be, ERR_ABORTED when the signal fires. */
  fit(X: Matrix | SparseMatrix, y: ArrayLike<number>): Promise<LassoModel> {
    return fit(elasticNet, this.#options, { X, y });
  }
}
