// Samples for kernel tests: the same rows of pixels as u8, f32 and csr storage.
import type { Storage } from '../../src/data/dataset.ts';
import { storageCode } from '../../src/models/rows.ts';
import { prngOf, type Lab } from './lab.ts';

export const storages: readonly Storage[] = ['u8', 'f32', 'csr'];

export type SampleRows = {
  readonly pixels: readonly Uint8Array[];
  readonly targets: Int32Array;
  readonly columns: number;
  /** What a pixel is multiplied with, an f32. */
  readonly scale: number;
};

/** Rows of which about half the pixels are 0; the first is empty, the second full. */
export function randomRows(shape: {
  count: number;
  columns: number;
  classes: number;
  seed: number;
}): SampleRows {
  const { count, columns, classes, seed } = shape;
  const prng = prngOf(seed);
  const pixel = (i: number) => {
    if (i === 0 || (i > 1 && prng.uniform() < 0.5)) return 0;
    return 1 + prng.below(255);
  };
  const pixels = Array.from({ length: count }, (_, i) =>
    Uint8Array.from({ length: columns }, () => pixel(i)),
  );
  const targets = Int32Array.from({ length: count }, () => prng.below(classes));
  return { pixels, targets, columns, scale: Math.fround(1 / 255) };
}

/** A row's nonzero (column, scale · value) pairs, as kernels see them. */
export function pairsOf(rows: SampleRows, i: number): (readonly [number, number])[] {
  return [...rows.pixels[i]!].flatMap((value, j) =>
    value === 0 ? [] : [[j, Math.fround(rows.scale * value)] as const],
  );
}

export type Placed = {
  readonly code: number;
  readonly directory: number;
  readonly scale: number;
};

/** Puts the rows and their directory into the lab. Dense rows have only their zero padding. */
export function placeRows(lab: Lab, rows: SampleRows, storage: Storage): Placed {
  const { pixels, targets, columns } = rows;
  const targetsAt = lab.input(targets);
  const directory = lab.output(pixels.length * 16);
  const code = storageCode[storage];
  if (storage === 'csr') {
    const entries = pixels.map((_, i) => pairsOf(rows, i));
    const starts = entries.reduce((all, row) => [...all, all.at(-1) + row.length], [0]);
    const index = lab.input(Int32Array.from(entries.flat(), ([j]) => j));
    const value = lab.input(Float32Array.from(entries.flat(), ([, x]) => x));
    const rowStart = lab.input(Int32Array.from(starts));
    lab.kernels.directory_csr(pixels.length, rowStart, index, value, targetsAt, directory);
    return { code, directory, scale: rows.scale };
  }
  const grain = storage === 'u8' ? 16 : 4;
  const stride = Math.ceil(columns / grain) * grain;
  const padded = pixels.flatMap((row) => [...row, ...Array<number>(stride - columns).fill(0)]);
  const x = lab.input(storage === 'u8' ? Uint8Array.from(padded) : Float32Array.from(padded));
  const strideBytes = storage === 'u8' ? stride : 4 * stride;
  lab.kernels.directory_dense(pixels.length, strideBytes, x, targetsAt, directory);
  return { code, directory, scale: rows.scale };
}
