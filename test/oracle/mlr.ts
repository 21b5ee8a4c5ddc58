// The objective of mlr in float64, and its minimum: damped Newton on problems small enough for it.
//
//   f(W, b) = (1/n) Σ_i −ln softmax(Wᵀx_i + b)_{y_i} + λ/2 ‖W‖²        b is not penalized
import { scores, softmax, type Pairs, type Problem } from './softmax.ts';

export type MlrProblem = Omit<Problem, 'weights'> & { readonly lambda: number };

/** f at `weights`: (columns [+ 1]) × classes, the intercepts last. */
export function objective(problem: MlrProblem, weights: ArrayLike<number>): number {
  const { rows, targets, columns, classes, lambda } = problem;
  let loss = 0;
  rows.forEach((row, i) => {
    const { z } = scores({ ...problem, weights }, row);
    loss += softmax(z).logSum - z[targets[i]!]!;
  });
  let squares = 0;
  for (let at = 0; at < columns * classes; at++) squares += weights[at]! ** 2;
  return loss / rows.length + (lambda / 2) * squares;
}

type Curve = { readonly gradient: Float64Array; readonly hessian: Float64Array };

/** ∇f and ∇²f; the second is size × size, row-major. */
function curve(problem: MlrProblem, weights: Float64Array): Curve {
  const { rows, targets, columns, classes: K, intercept, lambda } = problem;
  const size = weights.length;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  rows.forEach((row, i) => {
    const { p } = softmax(scores({ ...problem, weights }, row).z);
    const all: Pairs = intercept ? [...row, [columns, 1]] : row;
    for (const [j, x] of all) {
      for (let k = 0; k < K; k++) {
        gradient[j * K + k]! += (x * (p[k]! - (k === targets[i] ? 1 : 0))) / rows.length;
        for (const [h, v] of all) {
          for (let m = 0; m < K; m++) {
            const curvature = p[k]! * ((k === m ? 1 : 0) - p[m]!);
            hessian[(j * K + k) * size + h * K + m]! += (x * v * curvature) / rows.length;
          }
        }
      }
    }
  });
  for (let at = 0; at < columns * K; at++) {
    gradient[at]! += lambda * weights[at]!;
    hessian[at * size + at]! += lambda;
  }
  return { gradient, hessian };
}

/** x with A x = b by Gaussian elimination with pivoting; A and b are used up. */
export function eliminate(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) {
      if (Math.abs(a[i * n + column]!) > Math.abs(a[pivot * n + column]!)) pivot = i;
    }
    for (let j = 0; pivot !== column && j < n; j++) {
      const [x, y] = [a[column * n + j]!, a[pivot * n + j]!];
      a[column * n + j] = y;
      a[pivot * n + j] = x;
    }
    [b[column], b[pivot]] = [b[pivot]!, b[column]!];
    for (let i = column + 1; i < n; i++) {
      const share = a[i * n + column]! / a[column * n + column]!;
      if (share === 0) continue;
      for (let j = column; j < n; j++) a[i * n + j]! -= share * a[column * n + j]!;
      b[i]! -= share * b[column]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) b[i]! -= a[i * n + j]! * b[j]!;
    b[i]! /= a[i * n + i]!;
  }
  return b;
}

/**
 * The minimum of f: Newton steps, halved until f falls as far as it should. Adding one number to
 * all intercepts changes nothing, so that direction gets a curvature of its own.
 */
export function optimum(problem: MlrProblem): { value: number; weights: Float64Array } {
  const { columns, classes: K, intercept } = problem;
  let weights = new Float64Array((columns + (intercept ? 1 : 0)) * K);
  const size = weights.length;
  let value = objective(problem, weights);
  for (let step = 0; step < 200; step++) {
    const { gradient, hessian } = curve(problem, weights);
    for (let k = columns * K; k < size; k++) {
      for (let m = columns * K; m < size; m++) hessian[k * size + m]! += 1 / K;
      hessian[k * size + k]! += 1e-12;
    }
    const direction = eliminate(hessian, gradient.slice());
    const slope = direction.reduce((sum, d, at) => sum + d * gradient[at]!, 0);
    if (slope <= 1e-13 * value) return { value, weights };
    for (let length = 1; ; length /= 2) {
      if (length < 1e-9) throw new Error(`the oracle found no step at slope ${slope}`);
      const next = weights.map((w, at) => w - length * direction[at]!);
      const reached = objective(problem, next);
      if (!(reached <= value - 0.25 * length * slope)) continue;
      [weights, value] = [next, reached];
      break;
    }
  }
  throw new Error('the oracle did not end');
}
