// Binary logistic regression over rows: loss, gradient, curvature and products with them, in f64.
//
//   F(v) = Σ_i c_i ln(1 + exp(−y_i z_i)),  z_i = x_i·v + v_d        y_i = −1 for class 0, +1 for class 1
//   gradient   Σ u_i x_i,      u_i = −c_i y_i a_i,  a_i = σ(−y_i z_i)     c_i: the weight of its class
//   curvature  Σ h_i x_i x_iᵀ, h_i = c_i a_i (1 − a_i)
//
// Vectors over features are d + 1 f64, the last for the intercept. Scores move along a line: z + t·q,
// q = X·v; so a line search reads no data.
import { exp64, log1p64, log64 } from '../math';
import { addRow, columnsOf, dotRow, pairsOf, valuesOf } from './row';

/**
 * Moves `count` rows: z ← z + taken·q; then, with v (0: the old q stays), q ← X·v. At z + t·q: the gradient
 * is added to g, h gets the curvature, and to the f64 at `sums` are added
 * {Σ c loss, Σ c H(a), Σ c a of class 1, Σ c a of class 0, rows wrong}, H the entropy; loss = H − a·m.
 * z, q, h: count × f64. work: 2 (d + 16) · 4 bytes.
 */
export function logistic_advance(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, c0: f64, c1: f64,
  taken: f64, t: f64, v: usize, z: usize, q: usize, h: usize, g: usize, sums: usize, work: usize,
): void {
  const last = <usize>d << 3;
  const offset = v ? load<f64>(v + last) : 0;
  let loss: f64 = 0, entropy: f64 = 0, mass1: f64 = 0, mass0: f64 = 0, wrong: f64 = 0, slopes: f64 = 0;
  for (let i = 0; i < count; i++) {
    const n = pairsOf(storage, directory, d, scale, work);
    const columns = columnsOf(storage, directory, work), values = valuesOf(storage, directory, d, work);
    const positive = load<i32>(directory, 12) > 0;
    directory += 16;
    let step = load<f64>(q), at = load<f64>(z);
    at += taken * step;
    store<f64>(z, at);
    if (v) {
      step = dotRow(n, columns, values, d, scale, v) + offset;
      store<f64>(q, step);
    }
    at += t * step;
    const m = positive ? at : -at, c = positive ? c1 : c0;
    const e = exp64(-abs(m)), inverse = 1 / (1 + e);
    const a = m > 0 ? e * inverse : inverse;
    const own = log1p64(e) + max<f64>(-m, 0);
    loss += c * own;
    // At the infinities of m·a the product is 0.
    entropy += c * (own + (a > 0 ? a * m : 0));
    const mass = c * a;
    if (positive) mass1 += mass;
    else mass0 += mass;
    wrong += f64(positive ? at <= 0 : at > 0);
    store<f64>(h, c * e * inverse * inverse);
    const u = positive ? -mass : mass;
    slopes += u;
    addRow(n, columns, values, d, scale, u, g);
    z += 8;
    q += 8;
    h += 8;
  }
  store<f64>(g + last, load<f64>(g + last) + slopes);
  store<f64>(sums, load<f64>(sums) + loss);
  store<f64>(sums, load<f64>(sums, 8) + entropy, 8);
  store<f64>(sums, load<f64>(sums, 16) + mass1, 16);
  store<f64>(sums, load<f64>(sums, 24) + mass0, 24);
  store<f64>(sums, load<f64>(sums, 32) + wrong, 32);
}

/** out += Σ h_i x_i (x_i·v): the product of v with the curvature. work as above. */
export function logistic_product(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, h: usize, v: usize, out: usize, work: usize,
): void {
  const last = <usize>d << 3;
  const offset = load<f64>(v + last);
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) {
    const n = pairsOf(storage, directory, d, scale, work);
    const columns = columnsOf(storage, directory, work), values = valuesOf(storage, directory, d, work);
    const a = load<f64>(h) * (dotRow(n, columns, values, d, scale, v) + offset);
    addRow(n, columns, values, d, scale, a, out);
    sum += a;
    directory += 16;
    h += 8;
  }
  store<f64>(out + last, load<f64>(out + last) + sum);
}

/** out_j += Σ h_i x_ij²: the diagonal of the curvature. */
export function logistic_diagonal(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, h: usize, out: usize, work: usize,
): void {
  const last = <usize>d << 3;
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) {
    const n = pairsOf(storage, directory, d, scale, work);
    let columns = columnsOf(storage, directory, work), values = valuesOf(storage, directory, d, work);
    const weight = load<f64>(h);
    sum += weight;
    if (n < 0) {
      for (let j = 0; j < d; j++) {
        const x = <f64>scale * <f64>load<f32>(columns + (<usize>j << 2));
        const cell = out + (<usize>j << 3);
        store<f64>(cell, load<f64>(cell) + weight * x * x);
      }
    } else {
      const end = columns + (<usize>n << 2);
      while (columns < end) {
        const cell = out + (<usize>load<u32>(columns) << 3);
        const x = <f64>load<f32>(values);
        store<f64>(cell, load<f64>(cell) + weight * x * x);
        columns += 4;
        values += 4;
      }
    }
    directory += 16;
    h += 8;
  }
  store<f64>(out + last, load<f64>(out + last) + sum);
}

/** v += Σ c y s a x: duals at z + t·q, those of class 1 times s1, of class 0 times s0. */
export function logistic_dual(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, c0: f64, c1: f64,
  s0: f64, s1: f64, t: f64, z: usize, q: usize, v: usize, work: usize,
): void {
  for (let i = 0; i < count; i++) {
    const n = pairsOf(storage, directory, d, scale, work);
    const columns = columnsOf(storage, directory, work), values = valuesOf(storage, directory, d, work);
    const positive = load<i32>(directory, 12) > 0;
    const at = load<f64>(z) + t * load<f64>(q);
    const m = positive ? at : -at;
    const e = exp64(-abs(m));
    const a = (m > 0 ? e : 1) / (1 + e);
    addRow(n, columns, values, d, scale, positive ? c1 * s1 * a : -c0 * s0 * a, v);
    directory += 16;
    z += 8;
    q += 8;
  }
}

/** Σ c H(s a), H(a) = −a ln a − (1 − a) ln(1 − a), of the duals as above. */
export function logistic_entropy(
  count: i32, directory: usize, c0: f64, c1: f64, s0: f64, s1: f64, t: f64, z: usize, q: usize,
): f64 {
  let sum: f64 = 0;
  const log0 = log64(max<f64>(s0, 1e-300)), log1 = log64(max<f64>(s1, 1e-300));
  for (let i = 0; i < count; i++) {
    const positive = load<i32>(directory, 12) > 0;
    const at = load<f64>(z) + t * load<f64>(q);
    const m = positive ? at : -at;
    const e = exp64(-abs(m));
    const inverse = 1 / (1 + e);
    const s = positive ? s1 : s0;
    const a = s * (m > 0 ? e * inverse : inverse);
    // 1 − s a = (1 − a) + a (1 − s), both not negative
    const rest = (m > 0 ? inverse : e * inverse) + (1 - s) * (m > 0 ? e * inverse : inverse);
    const lnA = (positive ? log1 : log0) - log1p64(e) - max<f64>(m, 0);
    let h: f64 = a > 0 ? -a * lnA : 0;
    if (rest > 1e-300) h -= rest * log64(rest);
    sum += (positive ? c1 : c0) * h;
    directory += 16;
    z += 8;
    q += 8;
  }
  return sum;
}
