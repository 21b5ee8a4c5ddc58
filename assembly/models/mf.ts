// Matrix factorization by SGD, block by block (assembly/models/mf-grid.ts makes the blocks).
//
//   row of user u   p_u = [b_u, 1, f…]      row of item i   q_i = [1, b_i, f…]      K f32, K % 4 = 0
//   so p_u·q_i = b_u + b_i + Σ f f: the biases cost no code of their own. Without biases all lanes
//   are factors. A lane that must stay 1 is masked out of every update.
//
// A batch is up to 4 ratings of one user: one load and store of p for all of them, and the four
// horizontal sums cost one transpose. All of a batch see the same old p and q (a mini-batch of 4
// over the user); measured to cost no accuracy and to be 1.7 times as fast as one by one.
import { hsum64, high64, low64, madd, sums4 } from '../simd';

/**
 * Four normalized values. Plain: f32. Coded (code ≠ 0): bytes k that stand for scale·k + base, the two
 * f32 at `code`; ratings on a scale of at most 256 steps take a quarter of the memory that way.
 */
// @ts-ignore: decorator
@inline
function values4(code: usize, values: usize): v128 {
  if (!code) return v128.load(values);
  const bytes = v128.load32_zero(values);
  const k = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
  return f32x4.add(f32x4.mul(k, v128.load32_splat(code)), v128.load32_splat(code, 4));
}

/** One value, as above. */
// @ts-ignore: decorator
@inline
export function value1(code: usize, values: usize): f32 {
  if (!code) return load<f32>(values);
  return <f32>load<u8>(values) * load<f32>(code) + load<f32>(code, 4);
}

/** Lanes of vector 0 that are learned: all, or all but the constant 1 (lane 1 of p, lane 0 of q). */
// @ts-ignore: decorator
@inline
function learnedOfUser(bias: i32): v128 {
  return bias ? i32x4(-1, 0, -1, -1) : i32x4(-1, -1, -1, -1);
}

// @ts-ignore: decorator
@inline
function learnedOfItem(bias: i32): v128 {
  return bias ? i32x4(0, -1, -1, -1) : i32x4(-1, -1, -1, -1);
}

/**
 * One step on m ≤ 4 ratings of one user; returns their errors, lanes ≥ m are 0.
 *
 *   e_j = v_j − p·q_j     p ← p (1 − decay) + Σ_j ηu e_j q_j     q_j ← q_j + η base_j e_j p_old
 *
 * keep: 1 − decay per lane of vector 0 (the bias is decayed less), keepRest of the others.
 */
// @ts-ignore: decorator
@inline
function batch(
  m: i32, bytes: usize, p: usize, items: usize, ix: usize, v4: v128, bases: usize,
  eta: f32, etaUser: f32, keep: v128, keepRest: v128, userLanes: v128, itemLanes: v128,
): v128 {
  const i0 = <usize>load<u16>(ix), i1 = m > 1 ? <usize>load<u16>(ix, 2) : i0;
  const i2 = m > 2 ? <usize>load<u16>(ix, 4) : i0, i3 = m > 3 ? <usize>load<u16>(ix, 6) : i0;
  const q0 = items + i0 * bytes, q1 = items + i1 * bytes;
  const q2 = items + i2 * bytes, q3 = items + i3 * bytes;
  let x = v128.load(p);
  let a = f32x4.mul(x, v128.load(q0)), b = a, c = a, d = a;
  if (m > 1) b = f32x4.mul(x, v128.load(q1));
  if (m > 2) c = f32x4.mul(x, v128.load(q2));
  if (m > 3) d = f32x4.mul(x, v128.load(q3));
  for (let at: usize = 16; at < bytes; at += 16) {
    x = v128.load(p + at);
    a = madd(x, v128.load(q0 + at), a);
    if (m > 1) b = madd(x, v128.load(q1 + at), b);
    if (m > 2) c = madd(x, v128.load(q2 + at), c);
    if (m > 3) d = madd(x, v128.load(q3 + at), d);
  }
  let e = f32x4.sub(v4, sums4(a, b, c, d));
  if (m == 1) e = v128.and(e, i32x4(-1, 0, 0, 0));
  if (m == 2) e = v128.and(e, i32x4(-1, -1, 0, 0));
  if (m == 3) e = v128.and(e, i32x4(-1, -1, -1, 0));
  const u = f32x4.mul(e, f32x4.splat(etaUser));
  const v = f32x4.mul(e, f32x4.splat(eta));
  const u0 = v128.shuffle<f32>(u, u, 0, 0, 0, 0), u1 = v128.shuffle<f32>(u, u, 1, 1, 1, 1);
  const u2 = v128.shuffle<f32>(u, u, 2, 2, 2, 2), u3 = v128.shuffle<f32>(u, u, 3, 3, 3, 3);
  const v0 = f32x4.mul(v128.shuffle<f32>(v, v, 0, 0, 0, 0), v128.load32_splat(bases + (i0 << 2)));
  const v1 = f32x4.mul(v128.shuffle<f32>(v, v, 1, 1, 1, 1), v128.load32_splat(bases + (i1 << 2)));
  const v2 = f32x4.mul(v128.shuffle<f32>(v, v, 2, 2, 2, 2), v128.load32_splat(bases + (i2 << 2)));
  const v3 = f32x4.mul(v128.shuffle<f32>(v, v, 3, 3, 3, 3), v128.load32_splat(bases + (i3 << 2)));

  // Vector 0 has the masked lanes.
  x = v128.load(p);
  const learned = v128.and(x, itemLanes);
  let y = v128.load(q0);
  let s = f32x4.mul(u0, y);
  v128.store(q0, madd(v0, learned, y));
  if (m > 1) { y = v128.load(q1); s = madd(u1, y, s); v128.store(q1, madd(v1, learned, y)); }
  if (m > 2) { y = v128.load(q2); s = madd(u2, y, s); v128.store(q2, madd(v2, learned, y)); }
  if (m > 3) { y = v128.load(q3); s = madd(u3, y, s); v128.store(q3, madd(v3, learned, y)); }
  v128.store(p, v128.bitselect(madd(x, keep, s), x, userLanes));
  for (let at: usize = 16; at < bytes; at += 16) {
    x = v128.load(p + at);
    y = v128.load(q0 + at);
    s = f32x4.mul(u0, y);
    v128.store(q0 + at, madd(v0, x, y));
    if (m > 1) { y = v128.load(q1 + at); s = madd(u1, y, s); v128.store(q1 + at, madd(v1, x, y)); }
    if (m > 2) { y = v128.load(q2 + at); s = madd(u2, y, s); v128.store(q2 + at, madd(v2, x, y)); }
    if (m > 3) { y = v128.load(q3 + at); s = madd(u3, y, s); v128.store(q3 + at, madd(v3, x, y)); }
    v128.store(p + at, madd(x, keepRest, s));
  }
  return e;
}

/** q ← q / (1 + η x_i), the decay of an item's ratings of this slice at once. */
// @ts-ignore: decorator
@inline
function decayItems(
  count: i32, bytes: usize, items: usize, decay: usize, decayBias: usize, eta: f32, bias: i32,
): void {
  const lanes = learnedOfItem(bias);
  for (let i = 0; i < count; i++) {
    const rest = <f32>1 / (<f32>1 + eta * load<f32>(decay + (<usize>i << 2)));
    const first = <f32>1 / (<f32>1 + eta * load<f32>(decayBias + (<usize>i << 2)));
    const factor = f32x4.splat(rest);
    let head = factor;
    if (bias) head = f32x4.replace_lane(factor, 1, first);
    const y = v128.load(items);
    v128.store(items, v128.bitselect(f32x4.mul(y, head), y, lanes));
    for (let at: usize = 16; at < bytes; at += 16) {
      v128.store(items + at, f32x4.mul(v128.load(items + at), factor));
    }
    items += bytes;
  }
}

/**
 * SGD over one block: `runCount` runs {user: u32, length: u32} at `runs`, their ratings' items (u16,
 * relative to the block's first item) at ix and normalized values at values (f32, or coded: see
 * values4), in run order.
 * users: all users' rows; items: the rows of the block's itemCount items. yUser: per user, decay a
 * rating (λ + c/n); yBias: c/n. base, decay, decayBias: per item of the block. The block is cut in
 * `slices`; items are decayed before each. Returns Σ e², errors as met.
 * Up to 12 bytes after the last value are read (not used): it must not be the memory's last.
 */
export function mf_block(
  runCount: i32, rowBytes: i32, slices: i32, bias: i32, itemCount: i32, eta: f32,
  runs: usize, ix: usize, values: usize, users: usize, items: usize,
  yUser: usize, yBias: usize, base: usize, decay: usize, decayBias: usize, code: usize,
): f64 {
  const bytes = <usize>rowBytes;
  const valueBytes: usize = code ? 1 : 4;
  const userLanes = learnedOfUser(bias), itemLanes = learnedOfItem(bias);
  let loss = f64x2.splat(0);
  let run = 0;
  for (let slice = 1; slice <= slices; slice++) {
    decayItems(itemCount, bytes, items, decay, decayBias, eta, bias);
    const end = <i32>((<i64>runCount * slice) / slices);
    for (; run < end; run++) {
      const user = <usize>load<u32>(runs);
      let left = load<i32>(runs, 4);
      runs += 8;
      const p = users + user * bytes;
      const y = eta * load<f32>(yUser + (user << 2));
      const yb = eta * load<f32>(yBias + (user << 2));
      let squares = f32x4.splat(0);
      const rest4 = f32x4.splat(1 - 4 * y);
      let keep4 = rest4;
      if (bias) keep4 = f32x4.replace_lane(rest4, 0, 1 - 4 * yb);
      for (; left >= 4; left -= 4) {
        const e = batch(4, bytes, p, items, ix, values4(code, values), base, eta, eta, keep4, rest4, userLanes, itemLanes);
        squares = madd(e, e, squares);
        ix += 8;
        values += valueBytes << 2;
      }
      if (left > 0) {
        const rest = f32x4.splat(1 - <f32>left * y);
        let keep = rest;
        if (bias) keep = f32x4.replace_lane(rest, 0, 1 - <f32>left * yb);
        const v4 = values4(code, values);
        let e = squares;
        if (left == 3) e = batch(3, bytes, p, items, ix, v4, base, eta, eta, keep, rest, userLanes, itemLanes);
        else if (left == 2) e = batch(2, bytes, p, items, ix, v4, base, eta, eta, keep, rest, userLanes, itemLanes);
        else e = batch(1, bytes, p, items, ix, v4, base, eta, eta, keep, rest, userLanes, itemLanes);
        squares = madd(e, e, squares);
        ix += <usize>left << 1;
        values += <usize>left * valueBytes;
      }
      loss = f64x2.add(loss, f64x2.add(low64(squares), high64(squares)));
    }
  }
  return hsum64(loss);
}

/** p·q of K = bytes / 4 lanes, multiplied and summed in f64. */
// @ts-ignore: decorator
@inline
export function dot64(bytes: usize, p: usize, q: usize): f64 {
  let low = f64x2.splat(0), high = low;
  for (let at: usize = 0; at < bytes; at += 16) {
    const x = v128.load(p + at), y = v128.load(q + at);
    low = f64x2.add(low, f64x2.mul(low64(x), low64(y)));
    high = f64x2.add(high, f64x2.mul(high64(x), high64(y)));
  }
  return hsum64(f64x2.add(low, high));
}

/**
 * Training error of one block in f64, at parameters that stand still: returns Σ (v − p·q)².
 * The same layout as mf_block.
 */
export function mf_block_error(
  runCount: i32, rowBytes: i32, runs: usize, ix: usize, values: usize, users: usize, items: usize,
  code: usize,
): f64 {
  const bytes = <usize>rowBytes;
  const valueBytes: usize = code ? 1 : 4;
  let sum: f64 = 0;
  for (let run = 0; run < runCount; run++) {
    const p = users + <usize>load<u32>(runs) * bytes;
    const length = load<i32>(runs, 4);
    runs += 8;
    for (let j = 0; j < length; j++) {
      const error = <f64>value1(code, values) - dot64(bytes, p, items + <usize>load<u16>(ix) * bytes);
      sum += error * error;
      ix += 2;
      values += valueBytes;
    }
  }
  return sum;
}

/**
 * Predicts `count` ratings: out[j] ← mean + scale · p·q (f32, skipped when out is 0), and adds
 * {Σ (value − prediction)², Σ |value − prediction|} to the two f64 at `sums` (skipped when 0).
 * userRow, itemRow: where in the tables a user's and an item's row stands; an id of −1 (unknown)
 * contributes its constant lanes only: the prediction falls back on what is known.
 * Predictions are clipped to [low, high].
 */
export function mf_predict(
  count: i32, rowBytes: i32, bias: i32, mean: f64, scale: f64, low: f64, high: f64,
  user: usize, item: usize, value: usize, userRow: usize, itemRow: usize,
  users: usize, items: usize, out: usize, sums: usize,
): void {
  const bytes = <usize>rowBytes;
  let squares: f64 = 0, absolutes: f64 = 0;
  for (let j = 0; j < count; j++) {
    const u = load<i32>(user + (<usize>j << 2)), i = load<i32>(item + (<usize>j << 2));
    let score: f64 = 0;
    const p = users + <usize>(u >= 0 ? load<u32>(userRow + (<usize>u << 2)) : <u32>0) * bytes;
    const q = items + <usize>(i >= 0 ? load<u32>(itemRow + (<usize>i << 2)) : <u32>0) * bytes;
    if (u >= 0 && i >= 0) score = dot64(bytes, p, q);
    else if (bias && u >= 0) score = <f64>load<f32>(p);
    else if (bias && i >= 0) score = <f64>load<f32>(q, 4);
    const prediction = min(max(mean + scale * score, low), high);
    if (out) store<f32>(out + (<usize>j << 2), <f32>prediction);
    if (sums) {
      const error = <f64>load<f32>(value + (<usize>j << 2)) - prediction;
      squares += error * error;
      absolutes += abs(error);
    }
  }
  if (sums) {
    store<f64>(sums, load<f64>(sums) + squares);
    store<f64>(sums, load<f64>(sums, 8) + absolutes, 8);
  }
}
