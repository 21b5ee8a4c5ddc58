// Second moments of rows, and the solution of systems with them: what preconditions a descent.
// All matrices are f64, n × n, row-major; only the lower triangle is read and written.
import { STORAGE_F32, unpackDense } from '../data';

/** G += weight · x xᵀ for one row of a directory; columns, values: room for d + 17 each. */
// @ts-ignore: decorator
@inline
function addRow(
  storage: i32, entry: usize, d: i32, scale: f32, intercept: i32, weight: f64,
  G: usize, columns: usize, values: usize,
): void {
  const n = <usize>(d + i32(intercept != 0));
  let m = load<i32>(entry, 8);
  if (storage <= STORAGE_F32) {
    m = unpackDense(storage, d, load<usize>(entry), scale, columns, values);
  } else {
    memory.copy(columns, load<usize>(entry), <usize>m << 2);
    memory.copy(values, load<usize>(entry, 4), <usize>m << 2);
  }
  if (intercept) {
    store<i32>(columns + (<usize>m << 2), d);
    store<f32>(values + (<usize>m << 2), 1);
    m++;
  }
  for (let a: usize = 0; a < <usize>m << 2; a += 4) {
    const row = G + ((<usize>load<u32>(columns + a) * n) << 3);
    const x = weight * <f64>load<f32>(values + a);
    for (let b: usize = 0; b <= a; b += 4) {
      const cell = row + (<usize>load<u32>(columns + b) << 3);
      store<f64>(cell, load<f64>(cell) + x * <f64>load<f32>(values + b));
    }
  }
}

/**
 * G += Σ w x xᵀ over every `step`-th of `count` rows of a directory, x extended by a last element 1 when
 * `intercept` (n = d + 1, else d); w is the mean curvature of the row's softmax, (1 − Σ_k p_k²)/K with p
 * its row of alpha: the mean over the classes of the Hessian's diagonal blocks.
 * work: 2 (d + 17) · 4 bytes. Returns the number of rows added.
 */
export function gram_add_curved(
  storage: i32, count: i32, step: i32, directory: usize, d: i32, scale: f32, intercept: i32,
  K: i32, rowBytes: i32, alpha: usize, G: usize, work: usize,
): i32 {
  const values = work + (<usize>(d + 17) << 2);
  let added = 0;
  for (let i = 0; i < count; i += step) {
    const p = alpha + <usize>i * <usize>rowBytes;
    let squares: f64 = 0;
    for (let k: usize = 0; k < <usize>K << 2; k += 4) {
      const value = <f64>load<f32>(p + k);
      squares += value * value;
    }
    const weight = max<f64>(0, 1 - squares) / K;
    addRow(storage, directory + (<usize>i << 4), d, scale, intercept, weight, G, work, values);
    added++;
  }
  return added;
}

/** A ← L with L Lᵀ = A. Returns 0, or 1 + the row whose pivot is not positive. */
export function cholesky(n: i32, A: usize): i32 {
  const bytes = <usize>n << 3;
  for (let i: usize = 0; i < bytes; i += 8) {
    const row = A + i * <usize>n;
    for (let j: usize = 0; j <= i; j += 8) {
      const other = A + j * <usize>n;
      let sum = f64x2.splat(0);
      let k: usize = 0;
      for (; k + 16 <= j; k += 16) {
        sum = f64x2.add(sum, f64x2.mul(v128.load(row + k), v128.load(other + k)));
      }
      let value = load<f64>(row + j) - f64x2.extract_lane(sum, 0) - f64x2.extract_lane(sum, 1);
      for (; k < j; k += 8) value -= load<f64>(row + k) * load<f64>(other + k);
      if (j < i) store<f64>(row + j, value / load<f64>(other + j));
      else if (value > 0) store<f64>(row + i, sqrt(value));
      else return 1 + <i32>(i >>> 3);
    }
  }
  return 0;
}

/** x ← (L Lᵀ)⁻¹ x for n f64 values. */
export function cholesky_solve_vector(n: i32, L: usize, x: usize): void {
  const bytes = <usize>n << 3;
  for (let i: usize = 0; i < bytes; i += 8) {
    const row = L + i * <usize>n;
    let a: f64 = 0, b: f64 = 0;
    let j: usize = 0;
    for (; j + 16 <= i; j += 16) {
      a += load<f64>(row + j) * load<f64>(x + j);
      b += load<f64>(row + j, 8) * load<f64>(x + j, 8);
    }
    if (j < i) a += load<f64>(row + j) * load<f64>(x + j);
    store<f64>(x + i, (load<f64>(x + i) - a - b) / load<f64>(row + i));
  }
  for (let i = bytes; i > 0; ) {
    i -= 8;
    const row = L + i * <usize>n;
    const value = load<f64>(x + i) / load<f64>(row + i);
    store<f64>(x + i, value);
    for (let j: usize = 0; j < i; j += 8) store<f64>(x + j, load<f64>(x + j) - value * load<f64>(row + j));
  }
}

/** X ← (L Lᵀ)⁻¹ X for n rows of rowBytes bytes of f32. work: n · 2 · rowBytes bytes. */
export function cholesky_solve(n: i32, L: usize, rowBytes: i32, X: usize, work: usize): void {
  const bytes = <usize>rowBytes << 1;
  for (let i: usize = 0; i < <usize>n; i++) {
    for (let k: usize = 0; k < <usize>rowBytes; k += 4) {
      store<f64>(work + i * bytes + (k << 1), <f64>load<f32>(X + i * <usize>rowBytes + k));
    }
  }
  // forward: L y = x
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = L + ((i * <usize>n) << 3);
    const y = work + i * bytes;
    for (let j: usize = 0; j < i; j++) subtract(bytes, load<f64>(row + (j << 3)), work + j * bytes, y);
    divide(bytes, load<f64>(row + (i << 3)), y);
  }
  // backward: Lᵀ x = y
  for (let i = <usize>n; i-- > 0; ) {
    const y = work + i * bytes;
    divide(bytes, load<f64>(L + ((i * <usize>n + i) << 3)), y);
    for (let j: usize = 0; j < i; j++) {
      subtract(bytes, load<f64>(L + ((i * <usize>n + j) << 3)), y, work + j * bytes);
    }
  }
  for (let i: usize = 0; i < <usize>n; i++) {
    for (let k: usize = 0; k < <usize>rowBytes; k += 4) {
      store<f32>(X + i * <usize>rowBytes + k, <f32>load<f64>(work + i * bytes + (k << 1)));
    }
  }
}

/** y ← y − a·x over bytes / 8 values, a multiple of 2. */
// @ts-ignore: decorator
@inline
function subtract(bytes: usize, a: f64, x: usize, y: usize): void {
  const av = f64x2.splat(a);
  for (let k: usize = 0; k < bytes; k += 16) {
    v128.store(y + k, f64x2.sub(v128.load(y + k), f64x2.mul(av, v128.load(x + k))));
  }
}

// @ts-ignore: decorator
@inline
function divide(bytes: usize, a: f64, y: usize): void {
  const av = f64x2.splat(a);
  for (let k: usize = 0; k < bytes; k += 16) v128.store(y + k, f64x2.div(v128.load(y + k), av));
}

/** sums[column] += (scale·x)² (f64) over `count` rows. */
export function rows_sum_squares_columns(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, sums: usize, work: usize,
): void {
  for (let i = 0; i < count; i++) {
    let columns = load<usize>(directory), values = load<usize>(directory, 4);
    let n = load<i32>(directory, 8);
    if (storage <= STORAGE_F32) {
      columns = work;
      values = work + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, load<usize>(directory), scale, columns, values);
    }
    directory += 16;
    for (let j: usize = 0; j < <usize>n << 2; j += 4) {
      const cell = sums + (<usize>load<u32>(columns + j) << 3);
      const x = <f64>load<f32>(values + j);
      store<f64>(cell, load<f64>(cell) + x * x);
    }
  }
}

/** Row j of X, rowBytes bytes of f32, times factors[j] (f32), for n rows. */
export function rows_scale(n: i32, rowBytes: i32, factors: usize, X: usize): void {
  for (let j = 0; j < n; j++) {
    const factor = v128.load32_splat(factors + (<usize>j << 2));
    for (let k = 0; k < rowBytes; k += 16) {
      v128.store(X, f32x4.mul(factor, v128.load(X)));
      X += 16;
    }
  }
}
