// Binary logistic regression on arrays.
//
//     const model = await new Logistic({ lambda: 1e-3, l1Ratio: 1 }).fit(X, y);
//     const labels = await model.predict(X);
import { logistic } from '../models/logistic/model.ts';
import { fitClasses, type ClassModel, type Label, type Matrix } from './classes.ts';
import type { FitOptions } from './estimator.ts';

export type LogisticFitOptions = FitOptions & {
  /** Weight of λ (α ‖w‖₁ + (1 − α)/2 ‖w‖²); default 1e-4. */
  readonly lambda?: number;
  /** α: 0, the default, is L2 alone, 1 is L1 alone. */
  readonly l1Ratio?: number;
  readonly intercept?: boolean;
  readonly classWeight?: 'none' | 'balanced';
  /** What a row of the second class weighs; one of the first weighs 1. */
  readonly positiveWeight?: number;
};

/** Binary logistic regression: see the header of src/models/logistic/model.ts for the objective. */
export class Logistic {
  readonly #options: LogisticFitOptions;

  constructor(options: LogisticFitOptions = {}) {
    this.#options = options;
  }

  /**
   * Fits weights to n rows and their n labels, of two kinds; the second in order (by value if both
   * are numbers, else by text) is the positive one.
   * @throws ERR_CONFIG for shapes or values that cannot be, ERR_DATA for other than two labels,
   * ERR_ABORTED when the signal fires.
   */
  async fit(X: Matrix, y: readonly Label[]): Promise<ClassModel> {
    const { lambda, l1Ratio, intercept, classWeight, positiveWeight } = this.#options;
    return fitClasses(
      { model: logistic, options: this.#options },
      { X, y },
      {
        ...(lambda !== undefined && { lambda }),
        ...(l1Ratio !== undefined && { 'l1-ratio': l1Ratio }),
        ...(intercept !== undefined && { intercept }),
        ...(classWeight !== undefined && { 'class-weight': classWeight }),
        ...(positiveWeight !== undefined && { 'positive-weight': positiveWeight }),
      },
    );
  }
}
