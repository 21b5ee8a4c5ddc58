// Multinomial logistic regression on arrays.
//
//     const model = await new Mlr({ lambda: 1e-4 }).fit(X, y);   // X: rows of numbers, y: labels
//     const labels = await model.predict(X);
import { mlr } from '../models/mlr/model.ts';
import { fitClasses, type ClassModel, type Label, type Matrix } from './classes.ts';
import type { FitOptions } from './estimator.ts';

export type MlrOptions = FitOptions & {
  /** Weight of λ/2 ‖W‖²; default 1e-4. */
  readonly lambda?: number;
  readonly solver?: 'batch' | 'sgd';
  readonly intercept?: boolean;
  readonly learningRate?: number;
  readonly batchSize?: number;
};

/** Multinomial logistic regression: see the header of src/models/mlr/model.ts for the objective. */
export class Mlr {
  readonly #options: MlrOptions;

  constructor(options: MlrOptions = {}) {
    this.#options = options;
  }

  /**
   * Fits weights to n rows and their n labels.
   * @throws ERR_CONFIG for shapes or values that cannot be, ERR_ABORTED when the signal fires.
   */
  async fit(X: Matrix, y: readonly Label[]): Promise<ClassModel> {
    const { lambda, solver, intercept, learningRate, batchSize } = this.#options;
    return fitClasses(
      { model: mlr, options: this.#options },
      { X, y },
      {
        ...(lambda !== undefined && { lambda }),
        ...(solver !== undefined && { solver }),
        ...(intercept !== undefined && { intercept }),
        ...(learningRate !== undefined && { 'learning-rate': learningRate }),
        ...(batchSize !== undefined && { 'batch-size': batchSize }),
      },
    );
  }
}
