// How far features are from optimal: what a schedule of them goes by.

/**
 * out_j ← the distance of −(g_j + l2 w_j) from the subdifferential of l1 |w_j|, for d features; f64. For w_j = 0
 * it is taken from `near` ≤ l1, so that those count that may soon violate it; they go to `fresh` too, f64.
 * Returns how many those are.
 */
export function logistic_violations(
  d: i32, l1: f64, l2: f64, near: f64, w: usize, g: usize, out: usize, fresh: usize,
): i32 {
  let found: usize = 0;
  for (let j: usize = 0; j < <usize>d << 3; j += 8) {
    const value = load<f64>(w + j);
    const slope = load<f64>(g + j) + l2 * value;
    let off = max<f64>(0, abs(slope) - near);
    if (value != 0) {
      off = abs(value > 0 ? slope + l1 : slope - l1);
    } else if (off > 0) {
      store<f64>(fresh + found, off);
      found += 8;
    }
    store<f64>(out + j, off);
  }
  return <i32>(found >>> 3);
}

/**
 * out_j ← what the schedule goes by: violations of features in use (w_j ≠ 0) plus `ahead`, those of others as
 * they are from `least` on, and 0 below. Returns how many are in use.
 */
export function logistic_priorities(d: i32, ahead: f64, least: f64, w: usize, out: usize): i32 {
  let used = 0;
  for (let j: usize = 0; j < <usize>d << 3; j += 8) {
    const off = load<f64>(out + j);
    if (load<f64>(w + j) != 0) {
      used++;
      store<f64>(out + j, off + ahead);
    } else if (off < least) {
      store<f64>(out + j, 0);
    }
  }
  return used;
}

/**
 * residual_j ← −(g_j + l2 w_j ± l1) of the features that are free to move, with the sign of w_j, or for w_j = 0
 * the one that it would take; 0 for those that are not.
 */
export function logistic_free(d: i32, l1: f64, l2: f64, w: usize, g: usize, residual: usize): void {
  for (let j: usize = 0; j < <usize>d << 3; j += 8) {
    const value = load<f64>(w + j);
    const slope = load<f64>(g + j) + l2 * value;
    let rest: f64 = 0;
    if (value != 0) rest = value > 0 ? -slope - l1 : -slope + l1;
    else if (abs(slope) > l1) rest = slope > 0 ? -slope + l1 : -slope - l1;
    store<f64>(residual + j, rest);
  }
}

/** x_i ← 0 where mask_i is 0. */
export function f64_mask(n: i32, mask: usize, x: usize): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) if (load<f64>(mask + i) == 0) store<f64>(x + i, 0);
}

/** Cuts a step of the free features off at 0, where its signs (of w_j, or of `free`) would change. */
export function logistic_project(d: i32, free: usize, w: usize, step: usize): void {
  for (let j: usize = 0; j < <usize>d << 3; j += 8) {
    const value = load<f64>(w + j);
    const sign = value == 0 ? load<f64>(free + j) : value;
    if ((value + load<f64>(step + j)) * sign < 0) store<f64>(step + j, -value);
  }
}

/** step_j ← S(w_j − s_j/m_j, l1/m_j) − w_j, s_j = g_j + l2 w_j: the best step where the curvature is m_j alone. */
export function logistic_shrink(
  d: i32, l1: f64, l2: f64, w: usize, g: usize, m: usize, step: usize,
): void {
  for (let j: usize = 0; j < <usize>d << 3; j += 8) {
    const value = load<f64>(w + j), curvature = load<f64>(m + j);
    const aim = curvature * value - load<f64>(g + j) - l2 * value;
    const size = max<f64>(0, abs(aim) - l1) / curvature;
    store<f64>(step + j, curvature > 0 ? (aim < 0 ? -size : size) - value : 0);
  }
}
