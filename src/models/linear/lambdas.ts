// The values of λ that a linear model with an L1 penalty is solved for.
import type { OptionSpec } from '../../jobs/job.ts';

/** λ values of a path, at most: their facts are results. */
const pathMax = 1000;

export type Lambdas = {
  readonly lambda: number | undefined;
  /** λ as a share of λmax, where `lambda` is not given. */
  readonly lambdaRatio: number;
  /** Values of λ from λmax down; 0: only the one asked for. */
  readonly path: number;
  readonly pathRatio: number;
};

export const pathOptions: readonly OptionSpec[] = [
  {
    ...{ name: 'path', type: 'integer', minimum: 0, maximum: pathMax, default: 0 },
    help: 'values of λ from λmax down, each from the solution of the one before; 0: one λ',
  },
  {
    ...{ name: 'path-ratio', type: 'number', minimum: 0, exclusive: true, maximum: 1 },
    ...{ default: 0.01, help: 'last λ of a path as a share of λmax' },
  },
];

/** The values, largest first. most: λmax, the least λ at which all coefficients are 0. */
export function lambdasOf(asked: Lambdas, most: number): Float64Array {
  const { lambda, lambdaRatio, path, pathRatio } = asked;
  if (path === 0) return Float64Array.of(lambda ?? most * lambdaRatio);
  const last = Math.max(1, path - 1);
  return Float64Array.from({ length: path }, (_, i) => most * pathRatio ** (i / last));
}
