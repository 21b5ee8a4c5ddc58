// A small symmetric positive definite system, K up to a few hundred: Cholesky in f64. Solved once a
// certificate on the scheduler, so it is plain TypeScript and not a kernel.

/**
 * x with A x = b. A: n × n row-major, symmetric; pivots that vanish are treated as free (x = 0).
 */
export function solveSymmetric(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const l = Float64Array.from(a);
  const at = (i: number, j: number) => l[i * n + j] ?? 0;
  for (let j = 0; j < n; j++) {
    let pivot = at(j, j);
    for (let k = 0; k < j; k++) pivot -= at(j, k) ** 2;
    const scale = pivot > 1e-12 * Math.abs(a[j * n + j] ?? 0) ? 1 / Math.sqrt(pivot) : 0;
    for (let i = j; i < n; i++) {
      let value = at(i, j);
      for (let k = 0; k < j; k++) value -= at(i, k) * at(j, k);
      l[i * n + j] = value * scale;
    }
  }
  const x = Float64Array.from(b);
  const divide = (value: number, pivot: number) => (pivot === 0 ? 0 : value / pivot);
  for (let i = 0; i < n; i++) {
    let value = x[i] ?? 0;
    for (let k = 0; k < i; k++) value -= at(i, k) * (x[k] ?? 0);
    x[i] = divide(value, at(i, i));
  }
  for (let i = n - 1; i >= 0; i--) {
    let value = x[i] ?? 0;
    for (let k = i + 1; k < n; k++) value -= at(k, i) * (x[k] ?? 0);
    x[i] = divide(value, at(i, i));
  }
  return x;
}
