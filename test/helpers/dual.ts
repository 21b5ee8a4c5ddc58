// Places the dual solver's state in the lab and takes its steps.
import * as assert from 'uvu/assert';
import type { Storage } from '../../src/data/dataset.ts';
import { floats, prngOf, same, type Lab } from './lab.ts';
import { pad, paddedOf, unpad } from './mlr.ts';
import { placeRows, type SampleRows } from './samples.ts';

export type DualProblem = {
  readonly rows: SampleRows;
  readonly classes: number;
  readonly intercept: boolean;
  /** Unpadded: columns × classes; bias, centre and shift, one after the other. */
  readonly w: Float32Array;
  readonly state: Float32Array;
  readonly mean: Float32Array;
  readonly il: number;
  readonly boost: number;
  readonly sigma: number;
};

export function dualOf(
  rows: SampleRows,
  classes: number,
  intercept: boolean,
  step: { il: number; boost: number; sigma: number },
): DualProblem {
  const prng = prngOf(classes + rows.columns);
  const w = floats(rows.columns * classes, prng);
  const state = intercept ? floats(3 * classes, prng) : new Float32Array(3 * classes);
  const mean = floats(rows.columns, prng);
  const [il, boost, sigma] = [step.il, step.boost, step.sigma].map(Math.fround) as [
    number,
    number,
    number,
  ];
  return { rows, classes, intercept, w, state, mean, il, boost, sigma };
}

export const squareOf = (mean: Float32Array) => mean.reduce((total, x) => total + x * x, 0);

/** mlr_dual_start on guard words: it must write all that the passes read. */
export function startDual(lab: Lab, problem: DualProblem, storage: Storage) {
  lab.reset();
  const { rows, classes, intercept, mean } = problem;
  const [count, d, lanes] = [rows.pixels.length, rows.columns, paddedOf(classes)];
  const { code, directory, scale } = placeRows(lab, rows, storage);
  const [dots, norms, negEntropy] = [0, 1, 2].map(() => lab.output(count * 4)) as [
    number,
    number,
    number,
  ];
  const alpha = lab.output(count * lanes * 4);
  const meanAt = intercept ? lab.input(mean) : 0;
  const M = intercept ? squareOf(mean) : 0;
  const work = lab.output(2 * (d + 16) * 4);
  const total = lab.kernels.mlr_dual_start(
    ...([code, count, directory, d, scale, lanes * 4, meanAt, M] as const),
    ...([dots, norms, alpha, negEntropy, work] as const),
  );
  lab.check(`start ${storage} K=${classes} d=${d}`);
  return { code, directory, scale, dots, norms, negEntropy, alpha, M: Math.fround(M), total };
}

export type Snapshot = {
  readonly w: Float32Array;
  /** bias, centre, shift */
  readonly state: readonly [Float32Array, Float32Array, Float32Array];
  readonly alpha: readonly Float32Array[];
  readonly negEntropy: Float32Array;
  readonly dots: Float32Array;
  readonly norms: Float32Array;
};

function unpadded(values: Float32Array, classes: number, label: string): Float32Array {
  const { values: kept, padding } = unpad(values, classes);
  same(padding, new Float32Array(padding.length), `${label}: padding stays 0`);
  return kept;
}

/** A started problem: `pass` runs steps [first, last) of order (a, c), `read` takes a snapshot. */
export function placeDual(
  lab: Lab,
  problem: DualProblem,
  storage: Storage,
  order: { a: number; c: number },
) {
  const started = startDual(lab, problem, storage);
  const { rows, classes, intercept, il, boost, sigma } = problem;
  const [count, d, lanes] = [rows.pixels.length, rows.columns, paddedOf(classes)];
  const w = lab.output(pad(problem.w, classes, 0));
  const state = lab.output(pad(problem.state, classes, 0));
  const work = lab.output(4 * lanes * 4 + 2 * (d + 16) * 4);
  const { code, directory, scale, dots, norms, negEntropy, alpha, M } = started;
  const label = `${storage} K=${classes} d=${d}`;

  function pass(first: number, last: number) {
    const sums = lab.output(Float64Array.of(0, 0));
    lab.kernels.mlr_dual_pass(
      ...([code, first, last, count, order.a, order.c, directory, d, scale] as const),
      ...([classes, lanes * 4, intercept ? 1 : 0, w, state, alpha, negEntropy] as const),
      ...([dots, norms, M, il, boost, sigma, sums, work] as const),
    );
    lab.check(label);
    const [gap, loss] = lab.f64(sums, 2) as unknown as [number, number];
    return { gap, loss };
  }

  function read(): Snapshot {
    const parts = unpadded(lab.f32(state, 3 * lanes), classes, `${label} state`);
    const duals = unpadded(lab.f32(alpha, count * lanes), classes, `${label} alpha`);
    const cut = (i: number, from: Float32Array) => from.slice(i * classes, (i + 1) * classes);
    return {
      w: unpadded(lab.f32(w, d * lanes), classes, `${label} w`),
      state: [cut(0, parts), cut(1, parts), cut(2, parts)],
      alpha: rows.pixels.map((_, i) => cut(i, duals)),
      negEntropy: lab.f32(negEntropy, count),
      dots: lab.f32(dots, count),
      norms: lab.f32(norms, count),
    };
  }
  return { pass, read, M };
}

/** Every number of a snapshot in one array, to compare bit for bit. */
export function flat(snapshot: Snapshot): number[] {
  const { w, state, alpha, negEntropy, dots, norms } = snapshot;
  const all = [w, ...state, ...alpha, negEntropy, dots, norms].flatMap((part) => [...part]);
  assert.ok(all.every(Number.isFinite), 'all finite');
  return all;
}
