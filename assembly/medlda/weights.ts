// Supervised topics: the classes' weights η_t and the augmenting variables λ, given the topics z
// (Zhu et al. 2014, sections 4.1 and 4.2). ζ_dt = ℓ − y η_t·z̄_d.
//
//   λ_dt⁻¹ ~ inverse Gaussian(1 / (c |ζ_dt|), 1)
//   η_t ~ N(Σ b, Σ),   Σ⁻¹ = I + c² Σ_d z̄_d z̄_dᵀ / λ_dt,   b = c Σ_d y (λ_dt + c ℓ) / λ_dt · z̄_d
import { cholesky_solve_vector } from '../linalg/gram';
import { normal, uniform } from '../random';
import {
  CLASSES, COST, COUNTS, ETA, K, LAMBDA, MARGIN, ROW_BYTES, STARTS, TARGETS,
} from './plan';
import { dotCounts } from './sample';

/** λ below this is drawn as this: its reciprocal must leave f32 some digits. */
// @ts-ignore: decorator
@inline
const LEAST: f64 = 1e-6;

/**
 * λ with λ⁻¹ inverse Gaussian of mean 1/m and shape 1, by Michael, Schucany and Haas (1976). Theirs is
 * a root x of a quadratic, or m⁻²/x; written for 1/x nothing cancels, and m = 0 (χ² of λ) is no
 * exception.
 */
// @ts-ignore: decorator
@inline
function drawLambda(m: f64, random: usize): f64 {
  const n = normal(random), v = n * n;
  const root = m + 0.5 * (v + sqrt(v * v + 4 * v * m));
  return uniform(random) * (root + m) <= root ? root : m * m / root;
}

/**
 * Draws λ of documents [first, last). Adds Σ max(0, ζ) to the f64 at sums, and to the one behind it
 * the documents that have a class; returns of how many of these the class has the greatest η_t·z̄.
 */
export function medlda_lambda(first: i32, last: i32, plan: usize, sums: usize, random: usize): i32 {
  const classes = load<i32>(plan, CLASSES), bytes = <usize>load<i32>(plan, ROW_BYTES);
  const starts = load<usize>(plan, STARTS), targets = load<usize>(plan, TARGETS);
  const c = load<f64>(plan, COST), margin = load<f64>(plan, MARGIN);
  let hinge: f64 = 0, known = 0, right = 0;
  for (let d = first; d < last; d++) {
    const target = load<i32>(targets + (<usize>d << 2));
    const n = load<i32>(starts + (<usize>d << 2), 4) - load<i32>(starts + (<usize>d << 2));
    if (target < 0) continue;
    const counts = load<usize>(plan, COUNTS) + <usize>d * bytes;
    const lambda = load<usize>(plan, LAMBDA) + (<usize>(d * classes) << 2);
    let eta = load<usize>(plan, ETA), best = 0, most: f32 = 0;
    for (let t = 0; t < classes; t++, eta += bytes) {
      const score = dotCounts(bytes, eta, counts) / <f32>max(n, 1);
      if (t == 0 || score > most) {
        most = score;
        best = t;
      }
      const zeta = margin - <f64>(t == target ? score : -score);
      hinge += max<f64>(0, zeta);
      const value = drawLambda(c * abs(zeta), random);
      store<f32>(lambda + (<usize>t << 2), <f32>max(LEAST, value));
    }
    known++;
    right += i32(best == target);
  }
  store<f64>(sums, load<f64>(sums) + hinge);
  store<f64>(sums, load<f64>(sums, 8) + <f64>known, 8);
  return right;
}

/**
 * Adds documents [first, last) to Σ⁻¹ (K × K f64, the lower triangle) and b (K × f64) of class t; the
 * first document opens both. work: K × 16 bytes.
 */
export function medlda_system(
  t: i32, first: i32, last: i32, plan: usize, P: usize, b: usize, work: usize,
): void {
  const k = load<i32>(plan, K), bytes = <usize>load<i32>(plan, ROW_BYTES), row = <usize>k << 3;
  const classes = load<i32>(plan, CLASSES), starts = load<usize>(plan, STARTS);
  const targets = load<usize>(plan, TARGETS), lambdas = load<usize>(plan, LAMBDA);
  const c = load<f64>(plan, COST), margin = c * load<f64>(plan, MARGIN);
  const values = work, places = work + row;
  if (first == 0) {
    memory.fill(P, 0, row * <usize>k);
    memory.fill(b, 0, row);
    for (let i: usize = 0; i < row; i += 8) store<f64>(P + i * <usize>k + i, 1);
  }
  for (let d = first; d < last; d++) {
    const target = load<i32>(targets + (<usize>d << 2));
    const n = load<i32>(starts + (<usize>d << 2), 4) - load<i32>(starts + (<usize>d << 2));
    if (target < 0 || n == 0) continue;
    const lambda = <f64>load<f32>(lambdas + (<usize>(d * classes + t) << 2));
    const share = c / <f64>n, linear = (lambda + margin) / lambda * (t == target ? share : -share);
    const weight = share * share / lambda, counts = load<usize>(plan, COUNTS) + <usize>d * bytes;
    let found: usize = 0;
    for (let i: usize = 0; i < <usize>k; i++) {
      const many = load<i32>(counts + (i << 2));
      if (many == 0) continue;
      store<f64>(values + found, <f64>many);
      store<usize>(places + found, i << 3);
      found += 8;
    }
    for (let i: usize = 0; i < found; i += 8) {
      const at = load<usize>(places + i), value = load<f64>(values + i);
      store<f64>(b + at, load<f64>(b + at) + linear * value);
      const line = P + at * <usize>k, scaled = weight * value;
      for (let j: usize = 0; j <= i; j += 8) {
        const cell = line + load<usize>(places + j);
        store<f64>(cell, load<f64>(cell) + scaled * load<f64>(values + j));
      }
    }
  }
}

/**
 * η_t ← a draw from N((L Lᵀ)⁻¹ b, (L Lᵀ)⁻¹): the solution for b + L ε, ε standard normal. Where `sum`
 * is not 0 the mean is added to it (K × f64). b is written over. work: K × 16 bytes.
 */
export function medlda_weights(
  t: i32, plan: usize, L: usize, b: usize, sum: usize, work: usize, random: usize,
): void {
  const k = load<i32>(plan, K), row = <usize>k << 3;
  const noise = work, mean = work + row;
  if (sum) {
    memory.copy(mean, b, row);
    cholesky_solve_vector(k, L, mean);
    for (let i: usize = 0; i < row; i += 8) store<f64>(sum + i, load<f64>(sum + i) + load<f64>(mean + i));
  }
  for (let i: usize = 0; i < row; i += 8) {
    store<f64>(noise + i, normal(random));
    let value = load<f64>(b + i);
    const line = L + i * <usize>k;
    for (let j: usize = 0; j <= i; j += 8) value += load<f64>(line + j) * load<f64>(noise + j);
    store<f64>(b + i, value);
  }
  cholesky_solve_vector(k, L, b);
  const eta = load<usize>(plan, ETA) + <usize>t * <usize>load<i32>(plan, ROW_BYTES);
  for (let i: usize = 0; i < <usize>k; i++) store<f32>(eta + (i << 2), <f32>load<f64>(b + (i << 3)));
}

/** η ← sum / samples, from K × f64 a class; and packed, T × K f32, to weights. Returns Σ η². */
export function medlda_mean(samples: f64, sums: usize, weights: usize, plan: usize): f64 {
  const k = <usize>load<i32>(plan, K), bytes = <usize>load<i32>(plan, ROW_BYTES);
  let eta = load<usize>(plan, ETA), squares: f64 = 0;
  for (let t = load<i32>(plan, CLASSES); t > 0; t--, eta += bytes) {
    for (let i: usize = 0; i < k; i++, sums += 8, weights += 4) {
      const value = <f32>(load<f64>(sums) / samples);
      store<f32>(eta + (i << 2), value);
      store<f32>(weights, value);
      squares += <f64>value * <f64>value;
    }
  }
  return squares;
}
