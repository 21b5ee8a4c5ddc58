// Coordinate descent on the quadratic model of the loss with its penalty, on the columns of sparse data:
//
//   min_Δ  g'Δ + ½ Δ' (Σ h x xᵀ + l2 I) Δ + l1 ‖w + Δ‖₁ + l2 w'Δ
//
// one feature after the other, the products t = X·Δ kept (Yuan, Ho and Lin 2012, newGLMNET). What it costs is
// two visits of each entry, however many features there are.
//
// A partition's place is 16 bytes: place, starts, entries (assembly/linear/columns.ts) and its rows' records,
// {t, h} of f64 each.

/**
 * One turn over `count` features of `list`. Those that are 0 and shall stay so leave the list: the others are
 * moved to its front. w, g, diagonal (Σ h x²) and step (Δ): f64 by feature. Adds the violations of optimality that it
 * met to the f64 at `sum`; returns how many features are left.
 */
export function logistic_cycle(
  count: i32, list: usize, partitions: i32, places: usize, l1: f64, l2: f64, w: usize, g: usize, diagonal: usize,
  step: usize, sum: usize,
): i32 {
  let kept: usize = 0;
  let off: f64 = 0;
  for (let k: usize = 0; k < <usize>count << 2; k += 4) {
    const j = <usize>load<u32>(list + k);
    const at = j << 3;
    const start = load<f64>(w + at), moved = load<f64>(step + at), value = start + moved;
    let slope = load<f64>(g + at) + l2 * value;
    for (let p: usize = 0; p < <usize>partitions << 4; p += 16) {
      const cell = load<usize>(places + p, 4) + (<usize>load<u32>(load<usize>(places + p) + (j << 2)) << 2);
      const entries = load<usize>(places + p, 8), records = load<usize>(places + p, 12);
      const end = entries + (<usize>load<u32>(cell, 4) << 3);
      let a: f64 = 0, b: f64 = 0;
      let entry = entries + (<usize>load<u32>(cell) << 3);
      for (; entry + 16 <= end; entry += 16) {
        const one = records + (<usize>load<u32>(entry) << 4), two = records + (<usize>load<u32>(entry, 8) << 4);
        a += <f64>load<f32>(entry, 4) * load<f64>(one) * load<f64>(one, 8);
        b += <f64>load<f32>(entry, 12) * load<f64>(two) * load<f64>(two, 8);
      }
      if (entry < end) {
        const one = records + (<usize>load<u32>(entry) << 4);
        a += <f64>load<f32>(entry, 4) * load<f64>(one) * load<f64>(one, 8);
      }
      slope += a + b;
    }
    if (value == 0 && abs(slope) <= l1) continue;
    off += value > 0 ? abs(slope + l1) : value < 0 ? abs(slope - l1) : abs(slope) - l1;
    store<i32>(list + kept, <i32>j);
    kept += 4;
    // A column without curvature would go to infinity: its rows know better after the step.
    const curvature = load<f64>(diagonal + at) + l2 + 1e-12;
    const aim = curvature * value - slope;
    const size = max<f64>(0, abs(aim) - l1) / curvature;
    const change = (aim < 0 ? -size : size) - value;
    if (change == 0) continue;
    store<f64>(step + at, moved + change);
    for (let p: usize = 0; p < <usize>partitions << 4; p += 16) {
      const cell = load<usize>(places + p, 4) + (<usize>load<u32>(load<usize>(places + p) + (j << 2)) << 2);
      const entries = load<usize>(places + p, 8), records = load<usize>(places + p, 12);
      const end = entries + (<usize>load<u32>(cell, 4) << 3);
      for (let entry = entries + (<usize>load<u32>(cell) << 3); entry < end; entry += 8) {
        const record = records + (<usize>load<u32>(entry) << 4);
        store<f64>(record, load<f64>(record) + change * <f64>load<f32>(entry, 4));
      }
    }
  }
  store<f64>(sum, load<f64>(sum) + off);
  return <i32>(kept >>> 2);
}

/** records_i ← {0, h_i} for n rows. */
export function logistic_records(n: i32, h: usize, records: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    store<f64>(records + (i << 4), 0);
    store<f64>(records + (i << 4), load<f64>(h + (i << 3)), 8);
  }
}

/** Σ h t of n rows: what the intercept's slope has become. */
export function logistic_drift(n: i32, records: usize): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize>n << 4; i += 16) {
    sum += load<f64>(records + i) * load<f64>(records + i, 8);
  }
  return sum;
}

/** t_i += change, of n rows. */
export function logistic_shift(n: i32, change: f64, records: usize): void {
  for (let i: usize = 0; i < <usize>n << 4; i += 16) {
    store<f64>(records + i, load<f64>(records + i) + change);
  }
}
