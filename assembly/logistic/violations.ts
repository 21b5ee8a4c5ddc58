// How far features are from optimal: what a schedule of them goes by.

/**
 * out_j ← the distance of −(g_j + l2 w_j) from the subdifferential of l1 |w_j|, for d features; f64. Those of
 * w_j = 0 that are not optimal go to `fresh` (f64, as far as they are). Returns how many those are.
 */
export function logistic_violations(
  d: i32, l1: f64, l2: f64, w: usize, g: usize, out: usize, fresh: usize,
): i32 {
  let found: usize = 0;
  for (let j: usize = 0; j < <usize>d << 3; j += 8) {
    const value = load<f64>(w + j);
    const slope = load<f64>(g + j) + l2 * value;
    let off = max<f64>(0, abs(slope) - l1);
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
