// Rounding errors as theory has them (Higham, Accuracy and Stability of Numerical Algorithms,
// chapters 2 and 3): the bounds of the kernel tests are computed from these, never chosen.

/** Unit roundoff of f32 and f64, to nearest. */
export const U32 = 2 ** -24;
export const U64 = 2 ** -53;

/** γ_n = n u / (1 − n u): n roundings change a result by at most this factor. */
export function gamma(n: number, u = U32): number {
  return (n * u) / (1 - n * u);
}

/** Σ values, compensated (Neumaier): the error does not grow with n, so this may judge f64 sums. */
export function sum(values: Iterable<number>): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

/** A value with a bound on how far an f32 computation of it may be off. */
export type Bounded = { readonly value: number; readonly error: number };

export const exact = (value: number): Bounded => ({ value, error: 0 });

/** The rounding of one f32 operation whose inputs were already off by `error`. */
function rounded(value: number, error: number): Bounded {
  return { value, error: error + U32 * (Math.abs(value) + error) };
}

export function add(a: Bounded, b: Bounded): Bounded {
  return rounded(a.value + b.value, a.error + b.error);
}

export function subtract(a: Bounded, b: Bounded): Bounded {
  return rounded(a.value - b.value, a.error + b.error);
}

export function multiply(a: Bounded, b: Bounded): Bounded {
  const error = Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error;
  return rounded(a.value * b.value, error);
}

export function divide(a: Bounded, b: Bounded): Bounded {
  const value = a.value / b.value;
  return rounded(value, (a.error + Math.abs(value) * b.error) / (Math.abs(b.value) - b.error));
}

/** Σ a_i b_i in f32 in any order, fused or not: n roundings of each term at most. */
export function dot(a: readonly Bounded[], b: readonly Bounded[]): Bounded {
  let value = 0;
  let error = 0;
  let size = 0;
  a.forEach((x, i) => {
    const y = b[i]!;
    const inherited = Math.abs(x.value) * y.error + Math.abs(y.value) * x.error + x.error * y.error;
    value += x.value * y.value;
    error += inherited;
    size += Math.abs(x.value * y.value) + inherited;
  });
  return { value, error: error + gamma(a.length) * size };
}
