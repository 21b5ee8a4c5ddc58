// Coordinate descent on the columns themselves, for supports whose second moments are too many: residuals
// are in the partitions' vectors v, and a step changes them at once. Units and formulas: lasso.ts.
//
//   c_j = t_j (Σ_p x_j'v + (n s − R) m_j)/n      r = v + s, R = Σ r: columns are centred, so it stays
//   u_j ← S(h u_j + c_j − λ₂ω_j² u_j, λ₁ω_j)/h    h = 1 + λ₂ω_j²
//   v ← v − t_j Δ x_j    s ← s + t_j Δ m_j
//
// Sweeps converge slowly where columns correlate; what a few of them changed is extrapolated:
// Bertrand & Massias 2021, "Anderson acceleration of coordinate descent".

const PLACES_BYTES: usize = 32;

/** Σ w x v of column j of one partition. */
// @ts-ignore: decorator
@inline
function dotColumn(place: usize, j: usize, v: usize, w: usize): f64 {
  let sum: f64 = 0;
  const x = load<usize>(place, 20);
  if (x) {
    const column = x + j * (<usize>load<i32>(place, 4) << 2);
    for (let i: usize = 0; i < <usize>load<i32>(place); i++) {
      const value = <f64>load<f32>(column + (i << 2)) * load<f64>(v + (i << 3));
      sum += w ? load<f64>(w + (i << 3)) * value : value;
    }
    return sum;
  }
  const cell = load<usize>(place, 12) + (<usize>load<u32>(load<usize>(place, 8) + (j << 2)) << 2);
  const entries = load<usize>(place, 16);
  const end = entries + (<usize>load<u32>(cell, 4) << 3);
  for (let at = entries + (<usize>load<u32>(cell) << 3); at < end; at += 8) {
    const i = <usize>load<u32>(at) << 3;
    const value = <f64>load<f32>(at, 4) * load<f64>(v + i);
    sum += w ? load<f64>(w + i) * value : value;
  }
  return sum;
}

/** v ← v + a x of column j of one partition. */
// @ts-ignore: decorator
@inline
function addColumn(place: usize, j: usize, a: f64, v: usize): void {
  const x = load<usize>(place, 20);
  if (x) {
    const column = x + j * (<usize>load<i32>(place, 4) << 2);
    for (let i: usize = 0; i < <usize>load<i32>(place); i++) {
      const at = v + (i << 3);
      store<f64>(at, load<f64>(at) + a * <f64>load<f32>(column + (i << 2)));
    }
    return;
  }
  const cell = load<usize>(place, 12) + (<usize>load<u32>(load<usize>(place, 8) + (j << 2)) << 2);
  const entries = load<usize>(place, 16);
  const end = entries + (<usize>load<u32>(cell, 4) << 3);
  for (let at = entries + (<usize>load<u32>(cell) << 3); at < end; at += 8) {
    const to = v + (<usize>load<u32>(at) << 3);
    store<f64>(to, load<f64>(to) + a * <f64>load<f32>(at, 4));
  }
}

/**
 * One sweep over the listed variables. places, vs, masks: of all partitions, in order: lines, the places
 * of v and of the rows' weights (i32 each; masks 0: ones). shift: s, f64, kept up to date. Returns by how
 * much the objective fell.
 */
export function lasso_sweep(
  count: i32, list: usize, l1: f64, l2: f64, n: f64, residualSum: f64,
  partitions: i32, places: usize, vs: usize, masks: usize,
  means: usize, t: usize, omega: usize, u: usize, shift: usize,
): f64 {
  let fallen: f64 = 0;
  let s = load<f64>(shift);
  for (let k: usize = 0; k < <usize>count; k++) {
    const number = <usize>load<u32>(list + (k << 2));
    const j = number << 3;
    const o = load<f64>(omega + j), scale = load<f64>(t + j), m = load<f64>(means + j);
    if (!(o > 0)) continue;
    let sum: f64 = 0;
    for (let p: usize = 0; p < <usize>partitions; p++) {
      const w: usize = masks ? load<usize>(masks + (p << 2)) : 0;
      sum += dotColumn(places + p * PLACES_BYTES, number, load<usize>(vs + (p << 2)), w);
    }
    const ridge = l2 * o * o, h = 1 + ridge, penalty = l1 * o;
    const before = load<f64>(u + j);
    const g = ridge * before - (scale * (sum + (n * s - residualSum) * m)) / n;
    const z = h * before - g;
    const size = max<f64>(0, abs<f64>(z) - penalty) / h;
    const after = z < 0 ? -size : size;
    const change = after - before;
    if (change == 0) continue;
    store<f64>(u + j, after);
    fallen -= change * (g + 0.5 * h * change) + penalty * (abs<f64>(after) - abs<f64>(before));
    const a = -scale * change;
    for (let p: usize = 0; p < <usize>partitions; p++) {
      addColumn(places + p * PLACES_BYTES, number, a, load<usize>(vs + (p << 2)));
    }
    s -= a * m;
  }
  store<f64>(shift, s);
  return fallen;
}

/**
 * Listed variables that are not 0 or whose |c| is above λ₁ ω: numbers to `out`; returns how many. list 0:
 * all of them.
 */
export function lasso_active(
  count: i32, list: usize, l1: f64, c: usize, u: usize, omega: usize, out: usize,
): i32 {
  let found: usize = 0;
  for (let k: usize = 0; k < <usize>count; k++) {
    const number = list ? <usize>load<u32>(list + (k << 2)) : k;
    const j = number << 3;
    const o = load<f64>(omega + j);
    if (load<f64>(u + j) == 0 && !(o > 0 && abs<f64>(load<f64>(c + j)) > l1 * o)) continue;
    store<i32>(out + (found << 2), <i32>number);
    found++;
  }
  return <i32>found;
}

/** Differences of this many pairs of points are combined. */
const PAIRS: usize = 5;

/** z ← M⁻¹ 1 for M of order PAIRS, its lower triangle, with a touch of its trace; 0: M has no inverse. */
function solveOnes(M: usize, trace: f64, z: usize): i32 {
  for (let a: usize = 0; a < PAIRS; a++) {
    for (let b: usize = 0; b <= a; b++) {
      const at = M + ((a * PAIRS + b) << 3);
      let sum = load<f64>(at) + (a == b ? 1e-12 * trace : 0);
      for (let k: usize = 0; k < b; k++) {
        sum -= load<f64>(M + ((a * PAIRS + k) << 3)) * load<f64>(M + ((b * PAIRS + k) << 3));
      }
      if (a == b && !(sum > 0)) return 0;
      store<f64>(at, a == b ? sqrt<f64>(sum) : sum / load<f64>(M + ((b * PAIRS + b) << 3)));
    }
  }
  for (let a: usize = 0; a < PAIRS; a++) {
    let sum: f64 = 1;
    for (let k: usize = 0; k < a; k++) {
      sum -= load<f64>(M + ((a * PAIRS + k) << 3)) * load<f64>(z + (k << 3));
    }
    store<f64>(z + (a << 3), sum / load<f64>(M + ((a * PAIRS + a) << 3)));
  }
  for (let done: usize = 1; done <= PAIRS; done++) {
    const a = PAIRS - done;
    let sum = load<f64>(z + (a << 3));
    for (let k = a + 1; k < PAIRS; k++) {
      sum -= load<f64>(M + ((k * PAIRS + a) << 3)) * load<f64>(z + (k << 3));
    }
    store<f64>(z + (a << 3), sum / load<f64>(M + ((a * PAIRS + a) << 3)));
  }
  return 1;
}

/**
 * Extrapolates PAIRS + 1 points of `count` f64, the newest last: out = Σ_k c_k x_(k+1), Σ c = 1, with least
 * |Σ c_k (x_(k+1) − x_k)|. What is 0 in the newest point, or would change its sign, is 0. work: PAIRS ·
 * (PAIRS + 1) f64. Returns 1, or 0 where there is no such combination.
 */
export function points_extrapolate(count: i32, points: usize, out: usize, work: usize): i32 {
  const bytes = <usize>count << 3;
  const z = work + ((PAIRS * PAIRS) << 3);
  let trace: f64 = 0;
  for (let a: usize = 0; a < PAIRS; a++) {
    for (let b: usize = 0; b <= a; b++) {
      const x = points + a * bytes, y = points + b * bytes;
      let sum: f64 = 0;
      for (let j: usize = 0; j < bytes; j += 8) {
        const d = load<f64>(x + bytes + j) - load<f64>(x + j);
        sum += d * (load<f64>(y + bytes + j) - load<f64>(y + j));
      }
      store<f64>(work + ((a * PAIRS + b) << 3), sum);
      if (a == b) trace += sum;
    }
  }
  if (!solveOnes(work, trace, z)) return 0;
  let total: f64 = 0;
  for (let k: usize = 0; k < PAIRS; k++) total += load<f64>(z + (k << 3));
  if (!(total > 0)) return 0;
  const newest = points + PAIRS * bytes;
  for (let j: usize = 0; j < bytes; j += 8) {
    let sum: f64 = 0;
    for (let k: usize = 0; k < PAIRS; k++) {
      sum += (load<f64>(z + (k << 3)) / total) * load<f64>(points + (k + 1) * bytes + j);
    }
    store<f64>(out + j, sum * load<f64>(newest + j) > 0 ? sum : 0);
  }
  return 1;
}
