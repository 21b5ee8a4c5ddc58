// How far topics are from each other, and a map of them.
//
//   Hellinger   H(j, k) = √(1 − Σ_w √(φ_jw φ_kw)),  a metric in [0, 1]
//
// Exact, though φ is dense: with b_k = √(β / (n_k + Vβ)) and d_kw = √φ_kw − b_k, which is 0 but
// where word w occurs in topic k,
//
//   Σ_w √(φ_jw φ_kw) = V b_j b_k + b_j Σ_w d_kw + b_k Σ_w d_jw + Σ_w d_jw d_kw
//
// The map is classical scaling (Torgerson 1952): the two leading eigenvectors, times √λ, of
// B = −½ J H² J, J = I − 11ᵀ/n, by power iteration from a fixed start; signs are such that the
// coordinate of largest magnitude is positive.
import { createPrng } from '../../base/prng.ts';
import { borrowed, zeros, type Memory, type PlacedTopics } from './placed.ts';

/** n × n, symmetric, 0 on the diagonal, in the order of `chosen`. */
export type Distances = { readonly n: number; readonly values: Float64Array };

/** Hellinger distances between chosen topics; the cost is n² and Σ_w (topics of w)². */
export function hellinger(
  memory: Memory,
  placed: PlacedTopics,
  chosen: readonly number[],
): Distances {
  const { model, starts, topic, count, inverse } = placed;
  const { words, beta } = model;
  const n = chosen.length;
  return borrowed(memory, () => {
    const { arena } = memory;
    const slot = arena.allocate(model.topics * 4 + 16);
    arena.i32.fill(-1, slot / 4, slot / 4 + model.topics);
    chosen.forEach((k, s) => (arena.i32[slot / 4 + k] = s));
    const [work, sums, products] = [
      zeros(memory, n * 16),
      zeros(memory, n * 8),
      zeros(memory, n * n * 8),
    ];
    memory.kernels.topics_overlap(
      ...([words, n, beta, starts, topic, count, slot, inverse, work, sums, products] as const),
    );
    const base = chosen.map((k) => Math.sqrt(beta * arena.f64[inverse / 8 + k]!));
    const sum = (s: number) => arena.f64[sums / 8 + s]!;
    const values = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const [a = 0, b = 0] = [base[i], base[j]];
        const overlap = words * a * b + a * sum(j) + b * sum(i);
        const affinity = overlap + arena.f64[products / 8 + i * n + j]!;
        values[i * n + j] = values[j * n + i] = Math.sqrt(Math.max(0, 1 - affinity));
      }
    }
    return { n, values };
  });
}

export type Point = { readonly x: number; readonly y: number };

const iterations = 200;

/** −½ J D² J. */
function centred({ n, values }: Distances): Float64Array {
  const squares = values.map((d) => d * d);
  const rows = Array.from({ length: n }, (_, i) => {
    return squares.subarray(i * n, (i + 1) * n).reduce((sum, square) => sum + square, 0) / n;
  });
  const all = rows.reduce((sum, row) => sum + row, 0) / n;
  return squares.map((square, cell) => {
    const [row, column] = [rows[Math.floor(cell / n)]!, rows[cell % n]!];
    return -0.5 * (square - row - column + all);
  });
}

const dot = (a: Float64Array, b: Float64Array) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The eigenvector of the largest positive eigenvalue, times its root; zeros if there is none. */
function leading(matrix: Float64Array, n: number, seed: number): Float64Array {
  const prng = createPrng(seed);
  let v = Float64Array.from({ length: n }, () => prng.uniform() - 0.5);
  // B may have negative eigenvalues: a shift by its norm keeps the largest one in front.
  const shift = Math.sqrt(dot(matrix, matrix));
  let eigenvalue = 0;
  for (let step = 0; step < iterations; step++) {
    const size = Math.sqrt(dot(v, v));
    if (size === 0) return v;
    v = v.map((value) => value / size);
    const next = v.map((_, i) => dot(matrix.subarray(i * n, (i + 1) * n), v));
    eigenvalue = dot(v, next);
    v = next.map((value, i) => value + shift * v[i]!);
  }
  const size = Math.sqrt(dot(v, v)) || 1;
  const scale = Math.sqrt(Math.max(0, eigenvalue));
  const largest = v.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return v.map((value) => (value / size) * scale * (largest < 0 ? -1 : 1));
}

/** Places topics in the plane so that distances there are near those given. */
export function planeOf(distances: Distances): readonly Point[] {
  const { n } = distances;
  const matrix = centred(distances);
  const x = leading(matrix, n, 1);
  const rest = matrix.map((value, cell) => value - x[Math.floor(cell / n)]! * x[cell % n]!);
  const y = leading(rest, n, 2);
  return Array.from(x, (value, i) => ({ x: value, y: y[i]! }));
}
