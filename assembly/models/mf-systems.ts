// Small systems of one row of mf, and the loops over its ratings that fill them (mf-rows.ts). A system
// of b lanes is b rows of `stride` bytes, b f32 and then the right-hand side; of H only what is on and
// right of the diagonal counts.
import { hsum, madd, sums4 } from '../simd';

/** out[j] ← the first `bytes` bytes of rows[ids[j]] · √w_j for m ratings; rows of rowBytes bytes. */
export function gather(
  m: i32, bytes: usize, rowBytes: usize, ids: usize, weights: usize, rows: usize, out: usize,
): void {
  for (let j: usize = 0; j < <usize>m << 2; j += 4) {
    const row = rows + <usize>load<u32>(ids + j) * rowBytes;
    if (weights) {
      const w = v128.load32_splat(weights + j);
      for (let k: usize = 0; k < bytes; k += 16) v128.store(out + k, f32x4.mul(w, v128.load(row + k)));
    } else {
      for (let k: usize = 0; k < bytes; k += 16) v128.store(out + k, v128.load(row + k));
    }
    out += bytes;
  }
}

/**
 * The same for whole rows of `blocks` blocks, block after block: out[B][j] ← block B of rows[ids[j]]
 * · √w_j; and y_j ← y_j − p · what was gathered of row j.
 */
export function gatherBlocks(
  m: i32, bytes: usize, blocks: i32, ids: usize, weights: usize, rows: usize, p: usize, y: usize, out: usize,
): void {
  const lanes = bytes * <usize>blocks, step = <usize>m * bytes;
  for (let j: usize = 0; j < <usize>m << 2; j += 4) {
    let row = rows + <usize>load<u32>(ids + j) * lanes, target = out, q = p;
    const w = weights ? v128.load32_splat(weights + j) : f32x4.splat(1);
    let sum = f32x4.splat(0);
    for (let B = 0; B < blocks; B++) {
      if (weights) {
        for (let k: usize = 0; k < bytes; k += 16) {
          const x = f32x4.mul(w, v128.load(row + k));
          v128.store(target + k, x);
          sum = madd(v128.load(q + k), x, sum);
        }
      } else {
        for (let k: usize = 0; k < bytes; k += 16) {
          const x = v128.load(row + k);
          v128.store(target + k, x);
          sum = madd(v128.load(q + k), x, sum);
        }
      }
      row += bytes;
      q += bytes;
      target += step;
    }
    store<f32>(y + j, load<f32>(y + j) - hsum(sum));
    out += bytes;
  }
}

// @ts-ignore: decorator
@inline
/** d·x for rows of `bytes` bytes. */
function dot(bytes: usize, d: usize, x: usize): f32 {
  let a = f32x4.mul(v128.load(d), v128.load(x));
  for (let k: usize = 16; k < bytes; k += 16) a = madd(v128.load(d + k), v128.load(x + k), a);
  return hsum(a);
}

// @ts-ignore: decorator
@inline
/** Four of them. */
function dots4(bytes: usize, d: usize, x0: usize, x1: usize, x2: usize, x3: usize): v128 {
  let v = v128.load(d);
  let a0 = f32x4.mul(v, v128.load(x0)), a1 = f32x4.mul(v, v128.load(x1));
  let a2 = f32x4.mul(v, v128.load(x2)), a3 = f32x4.mul(v, v128.load(x3));
  for (let k: usize = 16; k < bytes; k += 16) {
    v = v128.load(d + k);
    a0 = madd(v, v128.load(x0 + k), a0);
    a1 = madd(v, v128.load(x1 + k), a1);
    a2 = madd(v, v128.load(x2 + k), a2);
    a3 = madd(v, v128.load(x3 + k), a3);
  }
  return sums4(a0, a1, a2, a3);
}

/** y_j ← y_j − d·x_j for m rows. */
export function subtractDots(m: i32, bytes: usize, x: usize, d: usize, y: usize): void {
  let j = 0;
  const x4 = bytes << 2;
  for (; j + 4 <= m; j += 4) {
    const x1 = x + bytes, x2 = x1 + bytes, x3 = x2 + bytes;
    v128.store(y, f32x4.sub(v128.load(y), dots4(bytes, d, x, x1, x2, x3)));
    x += x4;
    y += 16;
  }
  for (; j < m; j++) {
    store<f32>(y, load<f32>(y) - dot(bytes, d, x));
    x += bytes;
    y += 4;
  }
}

/** y_j ← y_j − d·rows[ids[j]] for m ratings; rows of `bytes` bytes. */
export function subtractRows(m: i32, bytes: usize, ids: usize, rows: usize, d: usize, y: usize): void {
  let j: usize = 0;
  const end = <usize>m << 2;
  for (; j + 16 <= end; j += 16) {
    const x0 = rows + <usize>load<u32>(ids + j) * bytes, x1 = rows + <usize>load<u32>(ids + j, 4) * bytes;
    const x2 = rows + <usize>load<u32>(ids + j, 8) * bytes, x3 = rows + <usize>load<u32>(ids + j, 12) * bytes;
    v128.store(y + j, f32x4.sub(v128.load(y + j), dots4(bytes, d, x0, x1, x2, x3)));
  }
  for (; j < end; j += 4) {
    const x = rows + <usize>load<u32>(ids + j) * bytes;
    store<f32>(y + j, load<f32>(y + j) - dot(bytes, d, x));
  }
}

/** Four rows of a 4 × 8 tile of H: H[i][j] += Σ x_i x_j, i from byte `i`, j from byte `j` of a row. */
function tile8(m: i32, bytes: usize, x: usize, i: usize, j: usize, H: usize, stride: usize): void {
  const h0 = H + (i >>> 2) * stride + j, h1 = h0 + stride, h2 = h1 + stride, h3 = h2 + stride;
  let a0 = v128.load(h0), b0 = v128.load(h0, 16), a1 = v128.load(h1), b1 = v128.load(h1, 16);
  let a2 = v128.load(h2), b2 = v128.load(h2, 16), a3 = v128.load(h3), b3 = v128.load(h3, 16);
  for (let n = 0; n < m; n++) {
    const u = v128.load(x + j), v = v128.load(x + j, 16);
    let s = v128.load32_splat(x + i);
    a0 = madd(s, u, a0);
    b0 = madd(s, v, b0);
    s = v128.load32_splat(x + i, 4);
    a1 = madd(s, u, a1);
    b1 = madd(s, v, b1);
    s = v128.load32_splat(x + i, 8);
    a2 = madd(s, u, a2);
    b2 = madd(s, v, b2);
    s = v128.load32_splat(x + i, 12);
    a3 = madd(s, u, a3);
    b3 = madd(s, v, b3);
    x += bytes;
  }
  v128.store(h0, a0);
  v128.store(h0, b0, 16);
  v128.store(h1, a1);
  v128.store(h1, b1, 16);
  v128.store(h2, a2);
  v128.store(h2, b2, 16);
  v128.store(h3, a3);
  v128.store(h3, b3, 16);
}

/** The same for a 4 × 4 tile. */
function tile4(m: i32, bytes: usize, x: usize, i: usize, j: usize, H: usize, stride: usize): void {
  const h0 = H + (i >>> 2) * stride + j, h1 = h0 + stride, h2 = h1 + stride, h3 = h2 + stride;
  let a0 = v128.load(h0), a1 = v128.load(h1), a2 = v128.load(h2), a3 = v128.load(h3);
  for (let n = 0; n < m; n++) {
    const u = v128.load(x + j);
    a0 = madd(v128.load32_splat(x + i), u, a0);
    a1 = madd(v128.load32_splat(x + i, 4), u, a1);
    a2 = madd(v128.load32_splat(x + i, 8), u, a2);
    a3 = madd(v128.load32_splat(x + i, 12), u, a3);
    x += bytes;
  }
  v128.store(h0, a0);
  v128.store(h1, a1);
  v128.store(h2, a2);
  v128.store(h3, a3);
}

/** Tiles of H on and right of the diagonal: H += Σ x xᵀ over m rows. */
export function addMoments(m: i32, bytes: usize, x: usize, H: usize, stride: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    let j = i;
    for (; j + 32 <= bytes; j += 32) tile8(m, bytes, x, i, j, H, stride);
    if (j < bytes) tile4(m, bytes, x, i, j, H, stride);
  }
}

/** g += Σ y_j x_j over m rows. */
export function addMoment(m: i32, bytes: usize, x: usize, y: usize, g: usize): void {
  let k: usize = 0;
  for (; k + 32 <= bytes; k += 32) {
    let a = v128.load(g + k), b = v128.load(g + k, 16);
    let row = x + k;
    for (let j: usize = 0; j < <usize>m << 2; j += 4) {
      const v = v128.load32_splat(y + j);
      a = madd(v, v128.load(row), a);
      b = madd(v, v128.load(row, 16), b);
      row += bytes;
    }
    v128.store(g + k, a);
    v128.store(g + k, b, 16);
  }
  if (k == bytes) return;
  let a = v128.load(g + k);
  let row = x + k;
  for (let j: usize = 0; j < <usize>m << 2; j += 4) {
    a = madd(v128.load32_splat(y + j), v128.load(row), a);
    row += bytes;
  }
  v128.store(g + k, a);
}

/**
 * d ← H⁻¹ g for b lanes: H's upper triangle is overwritten, g stands behind each row's lanes (column
 * b). Where elimination leaves less than a rounding error of a diagonal, its lane gets 0.
 */
export function eliminate(b: i32, H: usize, stride: usize, d: usize, diagonal: usize): void {
  const bytes = <usize>b << 2;
  for (let k: usize = 0; k < bytes; k += 4) {
    store<f32>(diagonal + k, load<f32>(H + (k >>> 2) * stride + k));
  }
  for (let k: usize = 0; k < bytes; k += 4) {
    const row = H + (k >>> 2) * stride;
    const pivot = load<f32>(row + k);
    if (!(pivot > <f32>2e-6 * load<f32>(diagonal + k))) {
      store<f32>(row + k, 0);
      continue;
    }
    const inverse = <f32>1 / pivot;
    for (let i = k + 4; i < bytes; i += 4) {
      const factor = load<f32>(row + i) * inverse;
      const f = f32x4.splat(-factor);
      const target = H + (i >>> 2) * stride;
      for (let j = i & ~15; j < bytes; j += 16) {
        v128.store(target + j, madd(f, v128.load(row + j), v128.load(target + j)));
      }
      store<f32>(target + bytes, load<f32>(target + bytes) - factor * load<f32>(row + bytes));
    }
  }
  for (let k: usize = 0; k < bytes; k += 16) v128.store(d + k, f32x4.splat(0));
  for (let k = bytes; k > 0; ) {
    k -= 4;
    const row = H + (k >>> 2) * stride;
    const pivot = load<f32>(row + k);
    if (pivot == 0) continue;
    let value = load<f32>(row + bytes);
    for (let j = k + 4; j < bytes; j += 4) value -= load<f32>(row + j) * load<f32>(d + j);
    store<f32>(d + k, value / pivot);
  }
}

/** d: what lowers ½ dᵀHd − g·d most with p + d ≥ 0, by some sweeps over the lanes; g is overwritten. */
export function project(b: i32, H: usize, stride: usize, p: usize, d: usize, free: i32): void {
  const bytes = <usize>b << 2;
  for (let i: usize = 0; i < bytes; i += 4) {
    store<f32>(d + i, 0);
    for (let j: usize = 0; j < i; j += 4) {
      store<f32>(H + (i >>> 2) * stride + j, load<f32>(H + (j >>> 2) * stride + i));
    }
  }
  for (let sweep = 0; sweep < 8; sweep++) {
    for (let i: usize = 0; i < bytes; i += 4) {
      const row = H + (i >>> 2) * stride;
      const curvature = load<f32>(row + i);
      if (!(curvature > 0)) continue;
      let step = load<f32>(row + bytes) / curvature;
      const now = load<f32>(p + i) + load<f32>(d + i);
      if (<i32>(i >>> 2) != free) step = max<f32>(step, -now);
      if (step == 0) continue;
      store<f32>(d + i, load<f32>(d + i) + step);
      for (let j: usize = 0; j < bytes; j += 4) {
        const g = H + (j >>> 2) * stride + bytes;
        store<f32>(g, load<f32>(g) - step * load<f32>(row + j));
      }
    }
  }
}
