// Penalized regression in plain float64: objective, duality gap and optimum, and what is said of a
// design: correlations, and the spectral radius that limits parallel updates.
//
//   P = (1/n) Σ f(z_i) + l1 ‖w‖₁ + l2 ‖w‖²/2       w in units of scaled columns when standardized
export type Design = {
  /** By column, as f32 holds it. */
  readonly columns: readonly Float64Array[];
  readonly y: Float64Array;
  readonly loss: 'square' | 'logistic';
  readonly l1: number;
  readonly l2: number;
  readonly intercept: boolean;
  readonly standardize: boolean;
};

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const total = (a: Float64Array) => a.reduce((sum, x) => sum + x, 0);

/** Deviation of each column, about its mean or about 0; 1 where there is no deviation. */
export function scalesOf({ columns, intercept, standardize, y }: Design): number[] {
  return columns.map((x) => {
    const mean = intercept ? total(x) / y.length : 0;
    const square = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length;
    return standardize && square > 0 ? Math.sqrt(square) : 1;
  });
}

function scores({ columns, y }: Design, v: ArrayLike<number>, b: number): Float64Array {
  const z = new Float64Array(y.length).fill(b);
  columns.forEach((x, j) => {
    if (v[j] !== 0) x.forEach((value, i) => (z[i]! += value * v[j]!));
  });
  return z;
}

const lossAt = (loss: Design['loss'], z: number, y: number) =>
  loss === 'square' ? (z - y) ** 2 / 2 : Math.max(0, -y * z) + Math.log1p(Math.exp(-Math.abs(z)));
const slopeAt = (loss: Design['loss'], z: number, y: number) =>
  loss === 'square' ? z - y : -y / (1 + Math.exp(y * z));

/** At unscaled coefficients v and intercept b. */
export function objective(design: Design, v: ArrayLike<number>, b: number): number {
  const { y, loss, l1, l2 } = design;
  const z = scores(design, v, b);
  const fit = z.reduce((sum, own, i) => sum + lossAt(loss, own, y[i]!), 0) / y.length;
  const scales = scalesOf(design);
  return scales.reduce((sum, scale, j) => {
    const w = v[j]! * scale;
    return sum + l1 * Math.abs(w) + (l2 / 2) * w * w;
  }, fit);
}

/** Objective less the best of two dual points, both made feasible: a bound of what is left. */
export function gapAt(design: Design, v: ArrayLike<number>, b: number): number {
  const { columns, y, loss, l1, l2, intercept } = design;
  const n = y.length;
  const theta = scores(design, v, b).map((z, i) => -slopeAt(loss, z, y[i]!));
  if (intercept) {
    if (loss === 'square') {
      const mean = total(theta) / n;
      theta.forEach((own, i) => (theta[i] = own - mean));
    } else {
      const mass = (sign: number) => total(theta.map((own, i) => (y[i] === sign ? sign * own : 0)));
      const [up, down] = [mass(1), mass(-1)];
      const least = Math.min(up, down);
      theta.forEach((own, i) => (theta[i] = own * (least / (y[i] === 1 ? up : down))));
    }
  }
  const scales = scalesOf(design);
  const pulls = columns.map((x, j) => Math.abs(dot(x, theta)) / scales[j]! / n);
  const most = Math.max(...pulls);
  const entropy = (a: number) => (a > 0 ? -a * Math.log(a) : 0);
  const dual = (s: number) => {
    const fit = theta.reduce((sum, own, i) => {
      const a = s * own;
      if (loss === 'square') return sum + a * y[i]! - (a * a) / 2;
      return sum + entropy(Math.abs(a)) + entropy(1 - Math.abs(a));
    }, 0);
    if (l2 === 0) return fit / n;
    const over = pulls.reduce((sum, pull) => sum + Math.max(0, s * pull - l1) ** 2, 0);
    return fit / n - over / (2 * l2);
  };
  const feasible = most > l1 ? l1 / most : 1;
  const best = l2 === 0 ? dual(feasible) : Math.max(dual(1), dual(feasible));
  return objective(design, v, b) - best;
}

/** Cyclic coordinate descent, one variable at a time, until the gap is below `tolerance`. */
export function optimum(
  design: Design,
  tolerance: number,
): { readonly v: Float64Array; readonly b: number; readonly value: number } {
  const { columns, y, loss, l1, l2, intercept } = design;
  const n = y.length;
  const bound = loss === 'square' ? 1 : 0.25;
  const scales = scalesOf(design);
  const means = columns.map((x) => (intercept ? total(x) / n : 0));
  const v = new Float64Array(columns.length);
  const z = new Float64Array(n);
  let b = 0;
  const shift = (by: number) => {
    b += by;
    z.forEach((own, i) => (z[i] = own + by));
  };
  for (let sweep = 1; sweep <= 200_000; sweep++) {
    columns.forEach((x, j) => {
      const centre = means[j]!;
      let [slope, square] = [0, 0];
      for (let i = 0; i < n; i++) {
        const own = (x[i]! - centre) / scales[j]!;
        slope += own * slopeAt(loss, z[i]!, y[i]!);
        square += own * own;
      }
      const h = (bound * square) / n;
      if (!(h > 0)) return;
      const w = v[j]! * scales[j]!;
      const at = h * w - slope / n;
      const to = (Math.sign(at) * Math.max(0, Math.abs(at) - l1)) / (h + l2);
      const change = (to - w) / scales[j]!;
      v[j]! += change;
      for (let i = 0; i < n; i++) z[i]! += change * (x[i]! - centre);
      b -= change * centre;
    });
    if (intercept) {
      const slope = z.reduce((sum, own, i) => sum + slopeAt(loss, own, y[i]!), 0) / n;
      shift(-slope / bound);
    }
    if (sweep % 10 === 0 && gapAt(design, v, b) <= tolerance) break;
  }
  return { v, b, value: objective(design, v, b) };
}

/** Correlations of all pairs: Pearson's with an intercept, else the cosine. */
export function correlationsOf({ columns, intercept, y }: Design): number[][] {
  const unit = columns.map((x) => {
    const mean = intercept ? total(x) / y.length : 0;
    const centred = x.map((value) => value - mean);
    const norm = Math.sqrt(dot(centred, centred));
    return norm > 0 ? centred.map((value) => value / norm) : centred;
  });
  return unit.map((a) => unit.map((b) => dot(a, b)));
}

/** Largest eigenvalue of a symmetric matrix that is not negative, by the power method. */
export function spectralRadius(matrix: readonly (readonly number[])[]): number {
  let x = matrix.map((_, i) => 1 + ((i * 7) % 13) / 13);
  let value = 0;
  for (let step = 0; step < 500; step++) {
    const next = matrix.map((row) => row.reduce((sum, a, j) => sum + a * x[j]!, 0));
    value = Math.sqrt(next.reduce((sum, own) => sum + own * own, 0));
    x = next.map((own) => own / value);
  }
  return value;
}
