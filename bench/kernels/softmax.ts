// Loss and gradient of mlr: images of digits dense and sparse, and text-like rows of 100 entries
// over a weight matrix that fits the cache and one that does not.
import { parameter, type Case } from '../bench.ts';
import { i32, kernels, place, room, sequence, series } from './memory.ts';

type Bits = ReturnType<typeof sequence>;

/** d rows of K weights, padded to a multiple of 4. */
function weights({ uniform }: Bits, d: number, K: number): Float32Array {
  const padded = (K + 3) & ~3;
  const w = new Float32Array(d * padded);
  for (let j = 0; j < d; j++) {
    for (let k = 0; k < K; k++) w[j * padded + k] = Math.fround(0.1) * Math.fround(uniform());
  }
  return w;
}

type Sparse = { columns: number[]; values: number[]; target: number };

function csrDirectory(rows: readonly Sparse[]): number {
  const at = room(rows.length * 16);
  rows.forEach(({ columns, values, target }, i) => {
    const entry = [place(Int32Array.from(columns)), place(Float32Array.from(values))];
    i32.set([...entry, columns.length, target], at / 4 + 4 * i);
  });
  return at;
}

type Shape = { name: string; storage: number; rows: number; d: number; K: number; unit: number };

function gradientCases(shape: Shape, directory: number, w: Float32Array): Case[] {
  const { name, storage, rows, d, K, unit } = shape;
  const rowBytes = ((K + 3) & ~3) * 4;
  const [wAt, g] = [place(w), room(d * rowBytes)];
  const work = room(2 * (d + 16) * 4 + rowBytes);
  return series.map((build) => {
    const { mlr_gradient } = kernels.get(build)!;
    const scale = storage === 0 ? Math.fround(1 / 255) : 1;
    const run = () =>
      mlr_gradient(storage, rows, directory, d, scale, K, rowBytes, 0, wAt, g, work);
    return { name, series: build, elements: rows * unit, run, checksum: run() };
  });
}

/** 784 pixels of which a fifth is not 0, 10 classes; per sample. */
export function imageCases(): Case[] {
  const rows = parameter('images', 4, 256);
  const source = sequence(3);
  const { bits } = source;
  const dense = room(rows * 16);
  const sparse = Array.from({ length: rows }, (_, i): Sparse => {
    const pixels = new Uint8Array(784);
    const columns: number[] = [];
    const values: number[] = [];
    for (let j = 0; j < 784; j++) {
      pixels[j] = bits() % 5 === 0 ? 1 + (bits() % 255) : 0;
      if (pixels[j] === 0) continue;
      columns.push(j);
      values.push(Math.fround(1 / 255) * pixels[j]!);
    }
    const target = bits() % 10;
    i32.set([place(pixels), 0, 0, target], dense / 4 + 4 * i);
    return { columns, values, target };
  });
  const w = weights(source, 784, 10);
  const shape = { rows, d: 784, K: 10, unit: 1 };
  return [
    ...gradientCases({ ...shape, name: 'softmax-u8', storage: 0 }, dense, w),
    ...gradientCases({ ...shape, name: 'softmax-csr', storage: 2 }, csrDirectory(sparse), w),
  ];
}

/** 100 entries a row, 4 classes (one vector an entry); per entry, scores and gradient together. */
export function sparseCases(): Case[] {
  const make = (name: string, rows: number, d: number) => {
    const source = sequence(4);
    const { bits, uniform } = source;
    const samples = Array.from({ length: rows }, (): Sparse => {
      const columns: number[] = [];
      const values: number[] = [];
      for (let j = 0; j < 100; j++) {
        columns.push(Math.floor((j * d) / 100) + (bits() % Math.floor(d / 100)));
        values.push(uniform());
      }
      return { columns, values, target: bits() % 4 };
    });
    const shape = { name, storage: 2, rows, d, K: 4, unit: 100 };
    return gradientCases(shape, csrDirectory(samples), weights(source, d, 4));
  };
  return [
    ...make('sparse-cache', parameter('sparseRows', 4, 256), 4000),
    ...make('sparse-memory', parameter('sparseRows', 4, 4096), parameter('columns', 8000, 1000000)),
  ];
}
