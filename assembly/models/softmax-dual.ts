// Multinomial logistic regression by dual coordinate ascent, row by row.
//
//   primal  (1/n) Σ −ln p_{y_i}(x_i) + λ/2 ‖W‖²        W = (1/λn) Σ_i (x_i − x̄)(e_{y_i} − α_i)ᵀ
//   dual    (1/n) Σ H(α_i) − λ/2 ‖W(α)‖²               α_i a distribution over the classes, Σ α_i = Σ e_{y_i}
//
// A row's subproblem, all else fixed: α ← argmax H(α) + α·z − (q/2) ‖α − α_old‖², q = σ(‖x_i − x̄‖² + B²)/λn,
// whose solution is α = softmax(u) with u = z − q (α − α_old). Two damped Newton steps solve it: the
// Jacobian I + q (diag p − ppᵀ) is a diagonal plus rank one (Sherman-Morrison).
// (Shalev-Shwartz & Zhang 2013; multiclass: 2016; σ = number of partitions, Ma et al. 2015.)
//
// Features are centred without touching the data: z = Wᵀx − c (m_i − M) − s, m_i = x_i·x̄, M = ‖x̄‖²,
// c = Σ steps, s = Σ m_i steps. The intercept is a feature of value B whose ridge pulls towards a
// moving centre (method of multipliers), so that in the end it is not penalized.
//
// State of one partition's pass, all Kp × f32, one after the other:  bias · c · s
// Padding lanes (Kp > K) hold α = 0 and a finite score that no maximum and no sum sees.
import { STORAGE_F32, unpackDense } from '../data';
import { exp4, log4, log64 } from '../math';
import { hsum, madd } from '../simd';
import { addGradient, scores } from './softmax';

/** The largest of K lanes; padding, whatever it holds, is none of them. */
// @ts-ignore: decorator
@inline
function maxLane(bytes: usize, mask: v128, at: usize): f32 {
  const last = bytes - 16;
  let top = v128.bitselect(v128.load(at + last), f32x4.splat(-f32.MAX_VALUE), mask);
  for (let i: usize = 0; i < last; i += 16) top = f32x4.max(top, v128.load(at + i));
  const pair = f32x4.max(top, v128.shuffle<f32>(top, top, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1));
}

/** −1 in the lanes of the last vector that are classes, 0 in its padding. */
// @ts-ignore: decorator
@inline
function lastMask(K: i32): v128 {
  const used = ((K - 1) & 3) + 1;
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(used));
}

/** p ← softmax(u) with padding 0; returns ln Σ e^u. */
// @ts-ignore: decorator
@inline
function softmaxOf(bytes: usize, mask: v128, u: usize, p: usize): f32 {
  const top = maxLane(bytes, mask, u);
  const shift = f32x4.splat(top);
  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    let e = exp4(f32x4.sub(v128.load(u + i), shift));
    if (i + 16 >= bytes) e = v128.and(e, mask);
    v128.store(p + i, e);
    sums = f32x4.add(sums, e);
  }
  const sum = hsum(sums);
  const inverse = f32x4.splat(<f32>1 / sum);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(p + i, f32x4.mul(v128.load(p + i), inverse));
  }
  return top + <f32>log64(<f64>sum);
}

/** One damped Newton step on u − z + q (softmax(u) − a) = 0; p = softmax(u) before and after. */
// @ts-ignore: decorator
@inline
function newtonStep(
  bytes: usize, mask: v128, q: f32, z: usize, a: usize, u: usize, p: usize, h: usize,
): f32 {
  const qs = f32x4.splat(q), one = f32x4.splat(1);
  let s1 = f32x4.splat(0), s2 = s1;
  for (let i: usize = 0; i < bytes; i += 16) {
    const pi = v128.load(p + i);
    const D = f32x4.div(one, madd(qs, pi, one));
    const residual = madd(qs, f32x4.sub(pi, v128.load(a + i)),
      f32x4.sub(v128.load(u + i), v128.load(z + i)));
    const hi = f32x4.neg(f32x4.mul(residual, D));
    v128.store(h + i, hi);
    s1 = madd(pi, hi, s1);
    s2 = madd(pi, D, s2);
  }
  // 1 − q Σ p²D = Σ pD, as Σ p = 1: the left side is all cancellation when q is large.
  const rank1 = f32x4.splat((q * hsum(s1)) / hsum(s2));
  let low = f32x4.splat(1e30), high = f32x4.splat(-1e30);
  const tiny = f32x4.splat(1e-6);
  for (let i: usize = 0; i < bytes; i += 16) {
    const pi = v128.load(p + i);
    const D = f32x4.div(one, madd(qs, pi, one));
    const step = madd(rank1, f32x4.mul(pi, D), v128.load(h + i));
    v128.store(h + i, step);
    const live = f32x4.gt(pi, tiny);
    low = f32x4.min(low, v128.bitselect(step, low, live));
    high = f32x4.max(high, v128.bitselect(step, high, live));
  }
  const lowPair = f32x4.min(low, v128.shuffle<f32>(low, low, 2, 3, 0, 1));
  const highPair = f32x4.max(high, v128.shuffle<f32>(high, high, 2, 3, 0, 1));
  const range = max(f32x4.extract_lane(highPair, 0), f32x4.extract_lane(highPair, 1)) -
    min(f32x4.extract_lane(lowPair, 0), f32x4.extract_lane(lowPair, 1));
  const damp = f32x4.splat(range > 3 ? 3 / range : 1);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(u + i, madd(damp, v128.load(h + i), v128.load(u + i)));
  }
  return softmaxOf(bytes, mask, u, p);
}

// @ts-ignore: decorator
@inline
function dot(bytes: usize, x: usize, y: usize): f32 {
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) sum = madd(v128.load(x + i), v128.load(y + i), sum);
  return hsum(sum);
}

/** Σ p ln p (0 ln 0 = 0). */
// @ts-ignore: decorator
@inline
function negativeEntropy(bytes: usize, p: usize): f32 {
  let sum = f32x4.splat(0);
  const least = f32x4.splat(1e-30);
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = v128.load(p + i);
    sum = madd(v, log4(f32x4.max(v, least)), sum);
  }
  return hsum(sum);
}

/**
 * A pass over steps [first, last) of the affine order i = (a·j + c) mod n, coprime a and n: a new
 * order for every (a, c), without an array.
 * w: local weights, d × rowBytes. state: bias, c, s (3 rows). alpha: n rows. negEntropy: Σ α ln α per
 * row, f32. dots, norms: m_i and ‖x_i − x̄‖², f32. il = 1/(λn). boost: B². sigma: partitions.
 * intercept 0: no bias and no centring (dots are 0). work: 4 rows + 2 (d + 16) · 4 bytes.
 * Adds {Σ KL(α_i ‖ softmax z_i), Σ −ln p_y} as met to the two f64 at `sums`: the duality gap and the
 * loss, row by row.
 */
export function mlr_dual_pass(
  storage: i32, first: i32, last: i32, n: i32, a: i32, c: i32, directory: usize, d: i32, scale: f32,
  K: i32, rowBytes: i32, intercept: i32, w: usize, state: usize, alpha: usize, negEntropy: usize,
  dots: usize, norms: usize, M: f32, il: f32, boost: f32, sigma: f32, sums: usize, work: usize,
): void {
  const bytes = <usize>rowBytes;
  const mask = lastMask(K);
  const z = work, u = z + bytes, p = u + bytes, h = p + bytes, pairs = h + bytes;
  const centre = state + bytes, shift = centre + bytes;
  let gap: f64 = 0, loss: f64 = 0;
  for (let j = first; j < last; j++) {
    const i = <usize>((<u64>a * <u64>j + <u64>c) % <u64>n);
    const entry = directory + (i << 4);
    let columns = load<usize>(entry), values = load<usize>(entry, 4);
    let count = load<i32>(entry, 8);
    if (storage <= STORAGE_F32) {
      const x = columns;
      columns = pairs;
      values = pairs + (<usize>(d + 16) << 2);
      count = unpackDense(storage, d, x, scale, columns, values);
    }
    const m = load<f32>(dots + (i << 2));
    const ai = alpha + i * bytes;
    scores(count, columns, values, w, bytes, intercept ? state : 0, z);
    if (intercept) {
      const off = f32x4.splat(M - m);
      for (let at: usize = 0; at < bytes; at += 16) {
        const moved = madd(off, v128.load(centre + at), v128.load(z + at));
        v128.store(z + at, f32x4.sub(moved, v128.load(shift + at)));
      }
    }
    for (let at = <usize>K << 2; at < bytes; at += 4) store<f32>(z + at, -100);
    const lse = softmaxOf(bytes, mask, z, p);
    const oldEntropy = load<f32>(negEntropy + (i << 2));
    gap += <f64>(oldEntropy - dot(bytes, ai, z) + lse);
    loss += <f64>(lse - load<f32>(z + (<usize>load<i32>(entry, 12) << 2)));

    const q = (load<f32>(norms + (i << 2)) + boost) * il * sigma;
    if (q > 1) {
      const half = f32x4.splat(0.5), least = f32x4.splat(1e-12);
      for (let at: usize = 0; at < bytes; at += 16) {
        const mid = madd(half, f32x4.add(v128.load(p + at), v128.load(ai + at)), least);
        v128.store(p + at, at + 16 < bytes ? mid : v128.and(mid, mask));
        v128.store(u + at, log4(mid));
      }
    } else {
      memory.copy(u, z, bytes);
    }
    newtonStep(bytes, mask, q, z, ai, u, p, h);
    const logSum = newtonStep(bytes, mask, q, z, ai, u, p, h);
    let entropy = dot(bytes, p, u) - logSum;

    // The subproblem must not get worse; halving towards the old point always ends there.
    for (let attempt = 0; attempt < 30; attempt++) {
      let gain = f32x4.splat(0);
      const halfQ = f32x4.splat(<f32>0.5 * q);
      for (let at: usize = 0; at < bytes; at += 16) {
        const step = f32x4.sub(v128.load(p + at), v128.load(ai + at));
        gain = madd(step, f32x4.sub(v128.load(z + at), f32x4.mul(halfQ, step)), gain);
      }
      if (hsum(gain) - entropy + oldEntropy >= <f32>-1e-6) break;
      for (let at: usize = 0; at < bytes; at += 16) {
        const mid = f32x4.add(v128.load(p + at), v128.load(ai + at));
        v128.store(p + at, f32x4.mul(f32x4.splat(0.5), mid));
      }
      entropy = negativeEntropy(bytes, p);
    }
    store<f32>(negEntropy + (i << 2), entropy);
    const rate = f32x4.splat(-il * sigma);
    const boosted = f32x4.splat(boost), ms = f32x4.splat(m);
    for (let at: usize = 0; at < bytes; at += 16) {
      const pi = v128.load(p + at);
      const hi = f32x4.mul(rate, f32x4.sub(pi, v128.load(ai + at)));
      v128.store(ai + at, pi);
      v128.store(h + at, hi);
      if (intercept) {
        v128.store(state + at, madd(boosted, hi, v128.load(state + at)));
        v128.store(centre + at, f32x4.add(hi, v128.load(centre + at)));
        v128.store(shift + at, madd(ms, hi, v128.load(shift + at)));
      }
    }
    addGradient(count, columns, values, h, w, bytes);
  }
  store<f64>(sums, load<f64>(sums) + gap);
  store<f64>(sums, load<f64>(sums, 8) + loss, 8);
}

/** delta ← (delta − w) / sigma: the step of a local pass, out of the local copy. */
export function mlr_dual_delta(n: i32, sigma: f32, w: usize, delta: usize): void {
  const inverse = f32x4.splat(<f32>1 / sigma);
  for (let i: usize = 0; i < <usize>n << 2; i += 16) {
    const step = f32x4.sub(v128.load(delta + i), v128.load(w + i));
    v128.store(delta + i, f32x4.mul(inverse, step));
  }
}

/** sums[column] += scale·x (f64) over `count` rows. */
export function rows_sum_columns(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, sums: usize, work: usize,
): void {
  for (let i = 0; i < count; i++) {
    let columns = load<usize>(directory), values = load<usize>(directory, 4);
    let n = load<i32>(directory, 8);
    directory += 16;
    if (storage <= STORAGE_F32) {
      const x = columns;
      columns = work;
      values = work + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, x, scale, columns, values);
    }
    for (let j: usize = 0; j < <usize>n << 2; j += 4) {
      const cell = sums + (<usize>load<u32>(columns + j) << 3);
      store<f64>(cell, load<f64>(cell) + <f64>load<f32>(values + j));
    }
  }
}

/**
 * Per row: dots ← x·mean, norms ← ‖x − mean‖², alpha ← e_y, negEntropy ← 0. mean: d × f32, 0 for no
 * centring. Returns Σ norms.
 */
export function mlr_dual_start(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, rowBytes: i32,
  mean: usize, M: f64, dots: usize, norms: usize, alpha: usize, negEntropy: usize, work: usize,
): f64 {
  let total: f64 = 0;
  for (let i = 0; i < count; i++) {
    let columns = load<usize>(directory), values = load<usize>(directory, 4);
    let n = load<i32>(directory, 8);
    const y = load<i32>(directory, 12);
    directory += 16;
    if (storage <= STORAGE_F32) {
      const x = columns;
      columns = work;
      values = work + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, x, scale, columns, values);
    }
    let m: f64 = 0, squares: f64 = 0;
    for (let j: usize = 0; j < <usize>n << 2; j += 4) {
      const x = <f64>load<f32>(values + j);
      if (mean) m += x * <f64>load<f32>(mean + (<usize>load<u32>(columns + j) << 2));
      squares += x * x;
    }
    const norm = max<f64>(0, squares - 2 * m + M);
    total += norm;
    store<f32>(dots + (<usize>i << 2), <f32>m);
    store<f32>(norms + (<usize>i << 2), <f32>norm);
    store<f32>(negEntropy + (<usize>i << 2), 0);
    memory.fill(alpha, 0, rowBytes);
    store<f32>(alpha + (<usize>y << 2), 1);
    alpha += rowBytes;
  }
  return total;
}
