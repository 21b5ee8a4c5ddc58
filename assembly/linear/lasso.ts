// The vectors of the lasso's solver, all f64. Variables are in units in which every column has mean 0
// (with an intercept) and variance 1: column j is (x_j − m_j) t_j, its coefficient u_j = β_j / t_j, its
// penalty λ₁ ω_j |u_j| + λ₂/2 (ω_j u_j)². ω is t without standardization and 1 with it; a column that is
// constant has t = ω = 0 and is left out.
//
//   P = ‖r‖²/2n + λ₁ Σ ω|u| + λ₂/2 Σ (ωu)²        g_j = −x̃_j'r/n + λ₂ ω_j² u_j
//   D = s y'r/n − s²/2 (‖r‖²/n + λ₂ Σ (ωu)²)      s = min(1, λ₁ / max_j |g_j|/ω_j)
//   or, with λ₂ > 0,  y'r/n − ‖r‖²/2n − Σ max(0, |x̃_j'r|/nω_j − λ₁)²/2λ₂
//
// P − D bounds what is left to gain. Screening: Ndiaye et al. 2017, "Gap safe screening rules".

import { STORAGE_F32, unpackDense } from '../data';

/** Labels of a directory's rows, f32, to f64. */
export function targets_widen(count: i32, directory: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    store<f64>(out + (i << 3), <f64>load<f32>(directory + (i << 4), 12));
  }
}

/** mask_i ← 0 for rows of fold `fold` of `folds`, else 1: one row of each `folds` in a row, by seed. */
export function folds_mask(count: i32, first: i32, fold: i32, folds: i32, seed: i32, mask: usize): f64 {
  let kept: f64 = 0;
  for (let i = 0; i < count; i++) {
    const row = <u32>(first + i);
    let hash = (row / <u32>folds) * 0x9e3779b1 + <u32>seed * 0x85ebca6b;
    hash ^= hash >> 15;
    hash *= 0x2c1b3c6d;
    hash ^= hash >> 12;
    hash *= 0x297a2d39;
    hash ^= hash >> 15;
    // Low bits: modulo a number of folds that is far below 2^32.
    const own = <i32>((row % <u32>folds + hash % <u32>folds) % <u32>folds);
    const value: f64 = own == fold ? 0 : 1;
    store<f64>(mask + (<usize>i << 3), value);
    kept += value;
  }
  return kept;
}

/**
 * v ← v + shift; z ← mask · v, mask 0: z is v. sums ← Σ z, Σ z², Σ z y, Σ v² of rows that are masked,
 * Σ mask y, Σ mask y².
 */
export function residual_finish(
  rows: i32, shift: f64, mask: usize, y: usize, v: usize, z: usize, sums: usize,
): void {
  let s: f64 = 0, ss: f64 = 0, sy: f64 = 0, held: f64 = 0, ySum: f64 = 0, yy: f64 = 0;
  for (let i: usize = 0; i < <usize>rows << 3; i += 8) {
    const value = load<f64>(v + i) + shift;
    store<f64>(v + i, value);
    const label = load<f64>(y + i);
    let used = value;
    if (mask) {
      const w = load<f64>(mask + i);
      used = w * value;
      store<f64>(z + i, used);
      held += (1 - w) * value * value;
      ySum += w * label;
      yy += w * label * label;
    } else {
      ySum += label;
      yy += label * label;
    }
    s += used;
    ss += used * used;
    sy += used * label;
  }
  store<f64>(sums, s);
  store<f64>(sums, ss, 8);
  store<f64>(sums, sy, 16);
  store<f64>(sums, held, 24);
  store<f64>(sums, ySum, 32);
  store<f64>(sums, yy, 40);
}

/** out[j] = Σ_p part_p[j] / n over `parts` parts of partBytes bytes, in their order. */
export function parts_mean(
  columns: i32, parts: i32, partBytes: i32, n: f64, part: usize, out: usize,
): void {
  for (let j: usize = 0; j < <usize>columns << 3; j += 8) {
    let sum: f64 = 0;
    let at = part + j;
    for (let p = 0; p < parts; p++, at += partBytes) sum += load<f64>(at);
    store<f64>(out + j, sum / n);
  }
}

/**
 * t, ω from variances (in place of t) and means: a column whose variance is no more than rounding of its
 * mean is constant. Returns how many columns are not.
 */
export function lasso_scales(
  columns: i32, standardize: i32, means: usize, t: usize, omega: usize,
): i32 {
  let varying = 0;
  for (let j: usize = 0; j < <usize>columns << 3; j += 8) {
    const m = load<f64>(means + j), variance = load<f64>(t + j);
    const scale: f64 = variance > 1e-24 * m * m ? 1 / sqrt<f64>(variance) : 0;
    store<f64>(t + j, scale);
    store<f64>(omega + j, scale > 0 && standardize ? 1 : scale);
    if (scale > 0) varying++;
  }
  return varying;
}

// @ts-ignore: decorator
@inline
function variableOf(list: usize, k: usize): usize {
  return list ? <usize>load<u32>(list + (k << 2)) : k;
}

/**
 * c_j = x̃_j'r/n of the listed variables (all, with list 0) from the partitions' x_j'r: t (Σ − m Σr)/n.
 */
export function lasso_fold(
  count: i32, list: usize, parts: i32, partBytes: i32, residualSum: f64, n: f64,
  part: usize, means: usize, t: usize, c: usize,
): void {
  for (let k: usize = 0; k < <usize>count; k++) {
    const j = variableOf(list, k) << 3;
    let sum: f64 = 0;
    let at = part + (k << 3);
    for (let p = 0; p < parts; p++, at += partBytes) sum += load<f64>(at);
    store<f64>(c + j, (load<f64>(t + j) * (sum - load<f64>(means + j) * residualSum)) / n);
  }
}

/**
 * out ← max |c − λ₂ ω² u|/ω, Σ ω|u|, Σ (ωu)², Σ max(0, |c|/ω − λ₁)², number of u ≠ 0; of the listed
 * variables with ω > 0.
 */
export function lasso_scan(
  count: i32, list: usize, l1: f64, l2: f64, c: usize, u: usize, omega: usize, out: usize,
): void {
  let most: f64 = 0, ones: f64 = 0, squares: f64 = 0, over: f64 = 0, found: f64 = 0;
  for (let k: usize = 0; k < <usize>count; k++) {
    const j = variableOf(list, k) << 3;
    const o = load<f64>(omega + j);
    if (!(o > 0)) continue;
    const value = o * load<f64>(u + j), slope = load<f64>(c + j) / o;
    most = max<f64>(most, abs<f64>(slope - l2 * value));
    const excess = max<f64>(0, abs<f64>(slope) - l1);
    over += excess * excess;
    if (value == 0) continue;
    ones += abs<f64>(value);
    squares += value * value;
    found += 1;
  }
  store<f64>(out, most);
  store<f64>(out, ones, 8);
  store<f64>(out, squares, 16);
  store<f64>(out, over, 24);
  store<f64>(out, found, 32);
}

/**
 * Those of the listed variables that can be other than 0 at the optimum, to `out` (may be `list`):
 * u ≠ 0, or s |g_j| + √(1 + λ₂ω²) · radius ≥ λ₁ ω. Returns how many.
 */
export function lasso_screen(
  count: i32, list: usize, l1: f64, l2: f64, s: f64, radius: f64,
  c: usize, u: usize, omega: usize, out: usize,
): i32 {
  let kept: usize = 0;
  for (let k: usize = 0; k < <usize>count; k++) {
    const variable = variableOf(list, k);
    const j = variable << 3;
    const o = load<f64>(omega + j);
    if (!(o > 0)) continue;
    const ridge = l2 * o * o;
    if (load<f64>(u + j) == 0) {
      const wide = ridge > 0 ? sqrt<f64>(1 + ridge) * radius : radius;
      const reach = s * abs<f64>(load<f64>(c + j)) + wide;
      if (reach < l1 * o) continue;
    }
    store<i32>(out + (kept << 2), <i32>variable);
    kept++;
  }
  return <i32>kept;
}

/**
 * Listed variables without a slot whose |c| is above λ₁ ω: numbers to `out`, |c| − λ₁ ω to `priorities`.
 * Returns how many.
 */
export function lasso_violators(
  count: i32, list: usize, l1: f64,
  c: usize, omega: usize, slotOf: usize, out: usize, priorities: usize,
): i32 {
  let found: usize = 0;
  for (let k: usize = 0; k < <usize>count; k++) {
    const j = variableOf(list, k);
    const o = load<f64>(omega + (j << 3));
    const over = abs<f64>(load<f64>(c + (j << 3))) - l1 * o;
    if (!(o > 0) || !(over > 0) || load<i32>(slotOf + (j << 2)) >= 0) continue;
    store<i32>(out + (found << 2), <i32>j);
    store<f64>(priorities + (found << 3), over);
    found++;
  }
  return <i32>found;
}

/** Numbers of all u ≠ 0 to `out`; returns how many. */
export function lasso_support(columns: i32, u: usize, out: usize): i32 {
  let found: usize = 0;
  for (let j: usize = 0; j < <usize>columns; j++) {
    if (load<f64>(u + (j << 3)) == 0) continue;
    store<i32>(out + (found << 2), <i32>j);
    found++;
  }
  return <i32>found;
}

/**
 * The slots' vectors for a block: u, g = λ₂ω²u − c, λ₁ω, λ₂ω² + damping, ω.
 */
export function lasso_block(
  count: i32, list: usize, l1: f64, l2: f64, damping: f64,
  c: usize, u: usize, omega: usize,
  outL1: usize, outL2: usize, outG: usize, outU: usize, outUnits: usize,
): void {
  for (let k: usize = 0; k < <usize>count; k++) {
    const j = <usize>load<u32>(list + (k << 2)) << 3;
    const at = k << 3;
    const o = load<f64>(omega + j), value = load<f64>(u + j);
    const ridge = l2 * o * o;
    store<f64>(outUnits + at, o);
    store<f64>(outL1 + at, l1 * o);
    store<f64>(outL2 + at, ridge + damping);
    store<f64>(outU + at, value);
    store<f64>(outG + at, ridge * value - load<f64>(c + j));
  }
}

/**
 * Takes a block's u over: columns that changed and −t Δu to the lists, at most `count`; returns how many.
 * sums ← Σ m t Δu, by which the residuals shift back.
 */
export function lasso_changes(
  count: i32, list: usize, next: usize, u: usize, means: usize, t: usize,
  outList: usize, outValues: usize, sums: usize,
): i32 {
  let found: usize = 0;
  let shift: f64 = 0;
  for (let k: usize = 0; k < <usize>count; k++) {
    const variable = load<i32>(list + (k << 2));
    const j = <usize>variable << 3;
    const value = load<f64>(next + (k << 3));
    const change = value - load<f64>(u + j);
    if (change == 0) continue;
    store<f64>(u + j, value);
    const beta = change * load<f64>(t + j);
    shift += beta * load<f64>(means + j);
    store<i32>(outList + (found << 2), variable);
    store<f64>(outValues + (found << 3), -beta);
    found++;
  }
  store<f64>(sums, shift);
  return <i32>found;
}

/** β = t u in f32; returns Σ m β in f64. */
export function lasso_export(columns: i32, u: usize, means: usize, t: usize, out: usize): f64 {
  let sum: f64 = 0;
  for (let j: usize = 0; j < <usize>columns; j++) {
    const at = j << 3;
    const beta = <f32>(load<f64>(t + at) * load<f64>(u + at));
    store<f32>(out + (j << 2), beta);
    sum += load<f64>(means + at) * <f64>beta;
  }
  return sum;
}

/**
 * scores_i = x_i'w + intercept (f64) of `count` rows, w f32; sums += Σ (y − score)², Σ y, Σ y² with y the
 * directory's labels as f32. work: 2 (d + 16) · 4 bytes.
 */
export function linear_scores(
  storage: i32, count: i32, directory: usize, d: i32, scale: f32, w: usize, intercept: f64,
  scores: usize, sums: usize, work: usize,
): void {
  let errors: f64 = 0, labels: f64 = 0, squares: f64 = 0;
  for (let i = 0; i < count; i++) {
    let columns = load<usize>(directory), values = load<usize>(directory, 4);
    let n = load<i32>(directory, 8);
    if (storage <= STORAGE_F32) {
      columns = work;
      values = work + (<usize>(d + 16) << 2);
      n = unpackDense(storage, d, load<usize>(directory), scale, columns, values);
    }
    let score = intercept;
    for (let k: usize = 0; k < <usize>n << 2; k += 4) {
      const weight = load<f32>(w + (<usize>load<u32>(columns + k) << 2));
      score += <f64>weight * <f64>load<f32>(values + k);
    }
    const y = <f64>load<f32>(directory, 12);
    store<f64>(scores + (<usize>i << 3), score);
    errors += (y - score) * (y - score);
    labels += y;
    squares += y * y;
    directory += 16;
  }
  store<f64>(sums, load<f64>(sums) + errors);
  store<f64>(sums, load<f64>(sums, 8) + labels, 8);
  store<f64>(sums, load<f64>(sums, 16) + squares, 16);
}
