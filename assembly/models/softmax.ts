// Multinomial logistic regression, per sample: scores, softmax, loss and gradient.
//
//   z_k  = b_k + Σ_j x_j W_jk                         W: (d [+ 1]) × Kp f32, feature-major, Kp = K
//   p    = softmax(z),  loss = −ln p_y                padded to 4; the last row is the intercept
//   G_jk += x_j (p_k − 1[y = k])                      padding stays 0
//
// A row arrives as (column, value) pairs. Scores are accumulated in registers, four vectors (16
// classes) at a time: per pair one broadcast, and one load and multiply-add per vector.
import { exp4, exp64, log64 } from '../math';
import { high64, hsum, low64, madd } from '../simd';
import { STORAGE_F32, unpackDense } from '../data';

/**
 * z[v…v+V) ← bias + Σ x_j W_j over one group of V ≤ 4 vectors. `w` already points at vector v.
 * Pairs are taken two at a time into two sets of sums: one set would wait for its own add.
 */
// @ts-ignore: decorator
@inline
function scoreGroup(
  V: i32, n: i32, columns: usize, values: usize, w: usize, rowBytes: usize, bias: usize, z: usize,
): void {
  let a = f32x4.splat(0), b = a, c = a, e = a;
  let a2 = a, b2 = a, c2 = a, e2 = a;
  if (bias) {
    a = v128.load(bias);
    if (V > 1) b = v128.load(bias, 16);
    if (V > 2) c = v128.load(bias, 32);
    if (V > 3) e = v128.load(bias, 48);
  }
  const end = columns + (<usize>(n & ~1) << 2);
  while (columns < end) {
    let row = w + <usize>load<u32>(columns) * rowBytes;
    let x = v128.load32_splat(values);
    a = madd(x, v128.load(row), a);
    if (V > 1) b = madd(x, v128.load(row, 16), b);
    if (V > 2) c = madd(x, v128.load(row, 32), c);
    if (V > 3) e = madd(x, v128.load(row, 48), e);
    row = w + <usize>load<u32>(columns, 4) * rowBytes;
    x = v128.load32_splat(values, 4);
    a2 = madd(x, v128.load(row), a2);
    if (V > 1) b2 = madd(x, v128.load(row, 16), b2);
    if (V > 2) c2 = madd(x, v128.load(row, 32), c2);
    if (V > 3) e2 = madd(x, v128.load(row, 48), e2);
    columns += 8;
    values += 8;
  }
  if (n & 1) {
    const row = w + <usize>load<u32>(columns) * rowBytes;
    const x = v128.load32_splat(values);
    a = madd(x, v128.load(row), a);
    if (V > 1) b = madd(x, v128.load(row, 16), b);
    if (V > 2) c = madd(x, v128.load(row, 32), c);
    if (V > 3) e = madd(x, v128.load(row, 48), e);
  }
  v128.store(z, f32x4.add(a, a2));
  if (V > 1) v128.store(z, f32x4.add(b, b2), 16);
  if (V > 2) v128.store(z, f32x4.add(c, c2), 32);
  if (V > 3) v128.store(z, f32x4.add(e, e2), 48);
}

// @ts-ignore: decorator
@inline
export function scores(
  n: i32, columns: usize, values: usize, w: usize, rowBytes: usize, bias: usize, z: usize,
): void {
  let at: usize = 0;
  for (; at + 64 <= rowBytes; at += 64) {
    scoreGroup(4, n, columns, values, w + at, rowBytes, bias ? bias + at : 0, z + at);
  }
  const left = rowBytes - at;
  const place = bias ? bias + at : 0;
  if (left == 48) scoreGroup(3, n, columns, values, w + at, rowBytes, place, z + at);
  else if (left == 32) scoreGroup(2, n, columns, values, w + at, rowBytes, place, z + at);
  else if (left == 16) scoreGroup(1, n, columns, values, w + at, rowBytes, place, z + at);
}

/** G_j += x_j r over one group of V vectors. */
// @ts-ignore: decorator
@inline
function gradientGroup(
  V: i32, n: i32, columns: usize, values: usize, r: usize, g: usize, rowBytes: usize,
): void {
  const a = v128.load(r);
  let b = a, c = a, e = a;
  if (V > 1) b = v128.load(r, 16);
  if (V > 2) c = v128.load(r, 32);
  if (V > 3) e = v128.load(r, 48);
  const end = columns + (<usize>n << 2);
  while (columns < end) {
    const row = g + <usize>load<u32>(columns) * rowBytes;
    const x = v128.load32_splat(values);
    v128.store(row, madd(x, a, v128.load(row)));
    if (V > 1) v128.store(row, madd(x, b, v128.load(row, 16)), 16);
    if (V > 2) v128.store(row, madd(x, c, v128.load(row, 32)), 32);
    if (V > 3) v128.store(row, madd(x, e, v128.load(row, 48)), 48);
    columns += 4;
    values += 4;
  }
}

// @ts-ignore: decorator
@inline
export function addGradient(
  n: i32, columns: usize, values: usize, r: usize, g: usize, rowBytes: usize,
): void {
  let at: usize = 0;
  for (; at + 64 <= rowBytes; at += 64) {
    gradientGroup(4, n, columns, values, r + at, g + at, rowBytes);
  }
  const left = rowBytes - at;
  if (left == 48) gradientGroup(3, n, columns, values, r + at, g + at, rowBytes);
  else if (left == 32) gradientGroup(2, n, columns, values, r + at, g + at, rowBytes);
  else if (left == 16) gradientGroup(1, n, columns, values, r + at, g + at, rowBytes);
}

/** z ← softmax(z) over K of Kp lanes, padding ← 0; returns ln Σ e^z − z[y] (y ≥ 0). */
// @ts-ignore: decorator
@inline
function softmax(K: i32, rowBytes: usize, z: usize, y: i32): f64 {
  let top = load<f32>(z);
  for (let k = 1; k < K; k++) top = max(top, load<f32>(z + (<usize>k << 2)));
  const target = load<f32>(z + (<usize>y << 2)) - top;
  const shift = f32x4.splat(top);
  let sums = f32x4.splat(0);
  const end = z + rowBytes;
  // The padding (at most 3 lanes of the last vector) must not count: a score of −∞.
  for (let k = <usize>K << 2; k < rowBytes; k += 4) store<f32>(z + k, -f32.MAX_VALUE);
  for (let at = z; at < end; at += 16) {
    const e = exp4(f32x4.sub(v128.load(at), shift));
    v128.store(at, e);
    sums = f32x4.add(sums, e);
  }
  const sum = hsum(sums);
  const inverse = f32x4.splat(<f32>1 / sum);
  for (let at = z; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), inverse));
  for (let k = <usize>K << 2; k < rowBytes; k += 4) store<f32>(z + k, 0);
  return log64(<f64>sum) - <f64>target;
}

/**
 * Σ loss over `count` rows of a directory; G += its gradient (not divided by n).
 * w, g: (d [+ 1]) × rowBytes; bias ≠ 0: the last of them is the intercept, at row d.
 * work: 2 · (d + 16) · 4 + rowBytes bytes. A target of −1 counts as class 0 nowhere: it is skipped.
 */
export function mlr_gradient(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32,
  K: i32, rowBytes: i32, intercept: i32, w: usize, g: usize, work: usize,
): f64 {
  const z = work;
  const pairs = work + rowBytes;
  const intercepts = <usize>d * <usize>rowBytes;
  let loss: f64 = 0;
  for (let i = 0; i < count; i++) {
    const y = load<i32>(directory, 12);
    let n = load<i32>(directory, 8);
    let columns = load<usize>(directory);
    let values = load<usize>(directory, 4);
    directory += 16;
    if (y < 0) continue;
    if (storage <= STORAGE_F32) {
      const x = columns;
      columns = pairs;
      values = pairs + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, x, scale, columns, values);
    }
    scores(n, columns, values, w, rowBytes, intercept ? w + intercepts : 0, z);
    loss += softmax(K, rowBytes, z, y);
    const place = z + (<usize>y << 2);
    store<f32>(place, load<f32>(place) - 1);
    addGradient(n, columns, values, z, g, rowBytes);
    if (intercept) {
      const row = g + intercepts;
      for (let at: usize = 0; at < <usize>rowBytes; at += 16) {
        v128.store(row + at, f32x4.add(v128.load(row + at), v128.load(z + at)));
      }
    }
  }
  return loss;
}

/** Scores of one row in f64 at z (Kp × f64). */
// @ts-ignore: decorator
@inline
function scores64(
  n: i32, columns: usize, values: usize, w: usize, rowBytes: usize, bias: usize, z: usize,
): void {
  for (let at: usize = 0; at < rowBytes; at += 16) {
    let low = f64x2.splat(0), high = low;
    if (bias) {
      const b = v128.load(bias + at);
      low = low64(b);
      high = high64(b);
    }
    for (let j: usize = 0; j < <usize>n << 2; j += 4) {
      const x = f64x2.splat(<f64>load<f32>(values + j));
      const row = v128.load(w + <usize>load<u32>(columns + j) * rowBytes + at);
      low = f64x2.add(low, f64x2.mul(x, low64(row)));
      high = f64x2.add(high, f64x2.mul(x, high64(row)));
    }
    v128.store(z + 2 * at, low);
    v128.store(z + 2 * at, high, 16);
  }
}

/**
 * Scores `count` rows in f64: writes each row's best class (i32) at `classes` and, if not 0, its
 * probabilities (K × f32) at `probabilities`; adds {Σ loss, rows with a loss, rows wrong} to the
 * three f64 at `sums`. A target of −1 has no loss, but its row is wrong: no class is right.
 * work: 2 · (d + 16) · 4 + 2 · rowBytes bytes.
 */
export function mlr_evaluate(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32,
  K: i32, rowBytes: i32, intercept: i32, w: usize,
  classes: usize, probabilities: usize, sums: usize, work: usize,
): void {
  const z = work;
  const pairs = work + 2 * rowBytes;
  for (let i = 0; i < count; i++) {
    const y = load<i32>(directory, 12);
    let n = load<i32>(directory, 8);
    let columns = load<usize>(directory);
    let values = load<usize>(directory, 4);
    directory += 16;
    if (storage <= STORAGE_F32) {
      const x = columns;
      columns = pairs;
      values = pairs + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, x, scale, columns, values);
    }
    const bias = intercept ? w + <usize>d * <usize>rowBytes : 0;
    scores64(n, columns, values, w, rowBytes, bias, z);
    let best = 0;
    let top = load<f64>(z);
    for (let k = 1; k < K; k++) {
      const score = load<f64>(z + (<usize>k << 3));
      if (score > top) {
        top = score;
        best = k;
      }
    }
    let sum: f64 = 0;
    for (let k = 0; k < K; k++) sum += exp64(load<f64>(z + (<usize>k << 3)) - top);
    store<i32>(classes + (<usize>i << 2), best);
    if (probabilities) {
      for (let k = 0; k < K; k++) {
        const p = exp64(load<f64>(z + (<usize>k << 3)) - top) / sum;
        store<f32>(probabilities + (<usize>(i * K + k) << 2), <f32>p);
      }
    }
    if (y >= 0) {
      store<f64>(sums, load<f64>(sums, 8) + 1, 8);
      const loss = log64(sum) + top - load<f64>(z + (<usize>y << 3));
      store<f64>(sums, load<f64>(sums) + loss);
    }
    if (y != best) store<f64>(sums, load<f64>(sums, 16) + 1, 16);
  }
}

/**
 * The mini-batch step on `rows` rows: delta_j ← −rate · delta_j − share · decay_j · w_j, where delta
 * holds the summed gradient. Row j is feature list[j], or j itself when list is 0; decay: f32 per
 * feature.
 */
export function mlr_sgd_step(
  rows: i32, rowBytes: i32, rate: f32, share: f32, list: usize, decay: usize, w: usize, delta: usize,
): void {
  const r = f32x4.splat(-rate);
  for (let j = 0; j < rows; j++) {
    const feature = list ? load<i32>(list + (<usize>j << 2)) : j;
    const keep = f32x4.splat(-share * load<f32>(decay + (<usize>feature << 2)));
    for (let at = 0; at < rowBytes; at += 16) {
      v128.store(delta, madd(r, v128.load(delta), f32x4.mul(keep, v128.load(w))));
      delta += 16;
      w += 16;
    }
  }
}

/**
 * Declares what a mini-batch of sparse rows reads: its distinct columns (and the intercept's row d)
 * into `list`, in order of appearance, and a directory at `out` of the same rows whose columns are
 * positions in that list (at `positions`). marks: d × i32, all −1 before and after. Returns the
 * number of distinct columns.
 */
export function batch_columns(
  count: i32, directory: usize, marks: usize, list: usize, positions: usize, out: usize,
): i32 {
  let distinct = 0;
  for (let i = 0; i < count; i++) {
    const n = load<i32>(directory, 8);
    const columns = load<usize>(directory);
    v128.store(out, v128.load(directory));
    store<usize>(out, positions);
    for (let j = 0; j < n; j++) {
      const column = load<i32>(columns + (<usize>j << 2));
      const mark = marks + (<usize>column << 2);
      let position = load<i32>(mark);
      if (position < 0) {
        position = distinct++;
        store<i32>(mark, position);
        store<i32>(list + (<usize>position << 2), column);
      }
      store<i32>(positions, position);
      positions += 4;
    }
    directory += 16;
    out += 16;
  }
  for (let i = 0; i < distinct; i++) {
    store<i32>(marks + (<usize>load<i32>(list + (<usize>i << 2)) << 2), -1);
  }
  return distinct;
}
