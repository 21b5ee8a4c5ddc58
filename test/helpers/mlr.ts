// Places a multinomial logistic regression problem in the lab and runs its kernels.
import type { Storage } from '../../src/data/dataset.ts';
import type { Problem } from '../oracle/softmax.ts';
import { floats, prngOf, type Lab } from './lab.ts';
import { pairsOf, placeRows, type SampleRows } from './samples.ts';

export const paddedOf = (classes: number) => (classes + 3) & ~3;

export function problemOf(
  rows: SampleRows,
  classes: number,
  intercept: boolean,
  seed: number,
): Problem {
  const { columns, targets } = rows;
  const weights = floats((columns + (intercept ? 1 : 0)) * classes, prngOf(seed));
  const pairs = rows.pixels.map((_, i) => pairsOf(rows, i));
  return { rows: pairs, targets, columns, classes, intercept, weights };
}

/** rows × classes → rows × Kp with `padding` in between. */
export function pad(values: ArrayLike<number>, classes: number, padding: number): Float32Array {
  const rows = values.length / classes;
  const padded = paddedOf(classes);
  const out = new Float32Array(rows * padded).fill(padding);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < classes; k++) out[row * padded + k] = values[row * classes + k]!;
  }
  return out;
}

export function unpad(values: Float32Array, classes: number) {
  const padded = paddedOf(classes);
  const part = (wanted: boolean) => values.filter((_, at) => at % padded < classes === wanted);
  return { values: part(true), padding: part(false) };
}

/** mlr_gradient on top of `before`; weights' padding is NaN, so that a use of it shows. */
export function runGradient(
  lab: Lab,
  rows: SampleRows,
  problem: Problem,
  storage: Storage,
  before: ArrayLike<number>,
) {
  lab.reset();
  const { columns, classes, intercept, weights } = problem;
  const { code, directory, scale } = placeRows(lab, rows, storage);
  const rowBytes = paddedOf(classes) * 4;
  const start = pad(before, classes, 0);
  const g = lab.output(start);
  const w = lab.input(pad(weights, classes, NaN));
  const work = lab.output(2 * (columns + 16) * 4 + rowBytes);
  const loss = lab.kernels.mlr_gradient(
    ...([code, rows.pixels.length, directory, columns, scale, classes, rowBytes] as const),
    ...([intercept ? 1 : 0, w, g, work] as const),
  );
  lab.check(`${storage} K=${classes} d=${columns}`);
  return { loss, ...unpad(lab.f32(g, start.length), classes) };
}

/** mlr_evaluate; probabilities only when asked for. */
export function runEvaluate(
  lab: Lab,
  rows: SampleRows,
  problem: Problem,
  storage: Storage,
  options: { probabilities: boolean; sums: readonly [number, number, number] },
) {
  lab.reset();
  const { columns, classes, intercept, weights } = problem;
  const { code, directory, scale } = placeRows(lab, rows, storage);
  const count = rows.pixels.length;
  const rowBytes = paddedOf(classes) * 4;
  const w = lab.input(pad(weights, classes, NaN));
  const chosen = lab.output(count * 4);
  const probabilities = options.probabilities ? lab.output(count * classes * 4) : 0;
  const sums = lab.output(Float64Array.from(options.sums));
  const work = lab.output(2 * (columns + 16) * 4 + 2 * rowBytes);
  lab.kernels.mlr_evaluate(
    ...([code, count, directory, columns, scale, classes, rowBytes] as const),
    ...([intercept ? 1 : 0, w, chosen, probabilities, sums, work] as const),
  );
  lab.check(`${storage} K=${classes} d=${columns}`);
  return {
    classes: lab.i32(chosen, count),
    probabilities: probabilities === 0 ? [] : lab.f32(probabilities, count * classes),
    sums: lab.f64(sums, 3),
  };
}
