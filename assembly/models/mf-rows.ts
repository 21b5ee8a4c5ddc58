// Least squares of the rows of one side, the other side's rows standing still: alternating least
// squares, coordinate descent (CCD++) and what lies between (block descent, as iALS++, Rendle et al.
// 2021). A row's lanes are cut into blocks of b. For row p with ratings (x_j, v_j), x_j the other
// side's row times √w_j where ratings have weights, y_j = v_j − p·x_j, and block B:
//
//   (Σ_j x_jB x_jBᵀ + G_BB + Λ) δ = Σ_j y_j x_jB − (G p)_B − Λ p_B     p_B += ω δ    y_j −= ω δ·x_jB
//
// G: implicit feedback's base, the sum over all rows of the other side; else none. A zero pivot
// leaves its lane as it is: any solution of a singular system is a minimum. ω in (0, 2) never raises
// the objective.
//
//   table   [blocks][n rows][b lanes], or, whole rows together, [n rows][blocks][b lanes]; padding is 0
//   plan    i32  0 b   4 blocks   8 n own rows   12 m other rows   16 fixed lane   20 free lane (−1: none)
//           i32 24 flags: 1 nonNegative, 2 penalty per rating, 4 whole rows   28 room for ratings
//           f32 32 λ   36 ω
//           at  40 own   44 other   48 own deltas [n][b]   52 other's deltas [m][b]   56 G   60 work
//   part    i32  0 first row   at 4 starts   8 ends   12 ids   16 values   20 √w or 0   24 residuals or 0
//
// starts, ends: per row of the part, places in ids, values, …
import { high64, hsum, hsum64, low64, madd } from '../simd';
import { dot64 } from './mf';
import {
  addMoment, addMoments, eliminate, gather, gatherBlocks, project, subtractDots, subtractRows,
} from './mf-systems';

/** Ratings of one gather. */
const CHUNK: i32 = 256;

/** Σ of squares of count f32, in f64. */
// @ts-ignore: decorator
@inline
function squares64(count: i32, y: usize): f64 {
  let s = f64x2.splat(0);
  let j = 0;
  for (; j + 4 <= count; j += 4) {
    const v = v128.load(y);
    const a = low64(v), b = high64(v);
    s = f64x2.add(s, f64x2.add(f64x2.mul(a, a), f64x2.mul(b, b)));
    y += 16;
  }
  let sum = hsum64(s);
  for (; j < count; j++) {
    const v = <f64>load<f32>(y);
    sum += v * v;
    y += 4;
  }
  return sum;
}

/**
 * A rating's share in the objective that is not in Σ (p·q)²: (1+w)(1−s)² − s², from √w and √w·s; 0 for
 * one without weight.
 */
// @ts-ignore: decorator
@inline
function confident(root: f64, scaled: f64): f64 {
  if (root == 0) return 0;
  const w = root * root;
  return 1 + w - (2 * (1 + w) * scaled) / root + scaled * scaled;
}

/**
 * What does not come from ratings, into the system of block B: the base of implicit feedback, the
 * penalty, the lane that stays as it is.
 */
function complete(b: i32, blocks: i32, B: i32, plan: usize, ridge: f32): void {
  const fixed = load<i32>(plan, 16), free = load<i32>(plan, 20), base = load<usize>(plan, 56);
  const bytes = <usize>b << 2, lanes = bytes * <usize>blocks, stride = bytes + 16;
  const p = load<usize>(plan, 60), H = p + lanes, g = H + <usize>b * stride;
  for (let i: usize = 0; i < bytes; i += 4) {
    const target = H + (i >>> 2) * stride;
    let gradient = load<f32>(g + i);
    const at = <usize>B * bytes + i;
    if (base) {
      const line = base + (at >>> 2) * lanes;
      let product = f32x4.splat(0);
      for (let k: usize = 0; k < lanes; k += 16) {
        product = madd(v128.load(line + k), v128.load(p + k), product);
      }
      gradient -= hsum(product);
      const square = line + <usize>B * bytes;
      for (let k: usize = 0; k < bytes; k += 16) {
        v128.store(target + k, f32x4.add(v128.load(target + k), v128.load(square + k)));
      }
    }
    if (<i32>(at >>> 2) != free) {
      gradient -= ridge * load<f32>(p + at);
      store<f32>(target + i, load<f32>(target + i) + ridge);
    }
    store<f32>(target + bytes, gradient);
  }
  if (B > 0 || fixed < 0) return;
  for (let i: usize = 0; i < bytes; i += 4) {
    store<f32>(H + (i >>> 2) * stride + (<usize>fixed << 2), 0);
    store<f32>(H + <usize>fixed * stride + i, 0);
  }
  store<f32>(H + <usize>fixed * stride + bytes, 0);
}

/**
 * Solves blocks [from, to) of rows [first, last) of a part, in turn. applied ≥ 0: `residuals` lack what
 * the other side's deltas of that block changed (no weights); they are brought up to date and kept. −1: they
 * come from the values, and are kept where there is a place for them. Adds {Σ of the errors' squares,
 * or of `confident`; Σ ‖p‖², times the ratings where the penalty is per rating} to the two f64 at sums.
 */
export function mf_rows(
  first: i32, last: i32, from: i32, to: i32, applied: i32, plan: usize, part: usize, sums: usize,
): void {
  const b = load<i32>(plan), blocks = load<i32>(plan, 4);
  const n = <usize>load<i32>(plan, 8), m = <usize>load<i32>(plan, 12);
  const whole = load<i32>(plan, 24) & 4;
  const fixed = load<i32>(plan, 16), free = load<i32>(plan, 20);
  const nonNegative = load<i32>(plan, 24) & 1, perRating = load<i32>(plan, 24) & 2;
  // A row whose gathered ratings fit into the room is gathered once.
  const room = <usize>load<i32>(plan, 28);
  const lambda = load<f32>(plan, 32), omega = load<f32>(plan, 36);
  const own = load<usize>(plan, 40), other = load<usize>(plan, 44);
  const ownDeltas = load<usize>(plan, 48), otherDeltas = load<usize>(plan, 52);
  const bytes = <usize>b << 2, lanes = bytes * <usize>blocks;
  const stride = bytes + 16;
  // From a row to the next, and from a block of a row to its next, in own and in other.
  const rowBytes = whole ? lanes : bytes;
  const ownStep = whole ? bytes : n * bytes, otherStep = whole ? bytes : m * bytes;
  // work: p, H, g, d, diagonal, gathered rows, residuals
  const p = load<usize>(plan, 60), H = p + lanes, g = H + <usize>b * stride, d = g + bytes;
  const diagonal = d + bytes, X = diagonal + bytes;
  const Y = X + room;
  const weightsAt = load<usize>(part, 20), residualsAt = load<usize>(part, 24);
  let errors: f64 = 0, penalties: f64 = 0;
  for (let row = first; row < last; row++) {
    const start = <usize>load<i32>(load<usize>(part, 4) + (<usize>row << 2));
    const count = load<i32>(load<usize>(part, 8) + (<usize>row << 2)) - <i32>start;
    if (count == 0) continue;
    const place = own + <usize>(load<i32>(part) + row) * rowBytes;
    for (let B: usize = 0; B < <usize>blocks; B++) memory.copy(p + B * bytes, place + B * ownStep, bytes);
    const ids = load<usize>(part, 12) + (start << 2);
    const values = load<usize>(part, 16) + (start << 2);
    const weights = weightsAt ? weightsAt + (start << 2) : 0;
    const y = residualsAt ? residualsAt + (start << 2) : Y;
    const low = applied < 0 ? 0 : from;
    const cached = <usize>count * bytes * <usize>(applied < 0 ? blocks : to - from) <= room;
    if (applied < 0) memory.copy(y, values, <usize>count << 2);
    if (applied < 0 && whole && cached) gatherBlocks(count, bytes, blocks, ids, weights, other, p, y, X);
    else if (applied < 0) {
      for (let B = 0; B < blocks; B++) {
        const rows = other + <usize>B * otherStep;
        for (let c = 0; c < count; c += CHUNK) {
          const size = min(CHUNK, count - c), skip = <usize>c << 2;
          const x = cached ? X + (<usize>B * <usize>count + <usize>c) * bytes : X;
          gather(size, bytes, rowBytes, ids + skip, weights ? weights + skip : 0, rows, x);
          subtractDots(size, bytes, x, p + <usize>B * bytes, y + skip);
        }
      }
    } else subtractRows(count, bytes, ids, otherDeltas, p + <usize>applied * bytes, y);
    const ridge = perRating ? lambda * <f32>count : lambda;
    for (let B = from; B < to; B++) {
      const rows = other + <usize>B * otherStep, pB = p + <usize>B * bytes;
      memory.fill(H, 0, <usize>b * stride + bytes);
      for (let c = 0; c < count; c += CHUNK) {
        const size = min(CHUNK, count - c), skip = <usize>c << 2;
        const x = cached ? X + (<usize>(B - low) * <usize>count + <usize>c) * bytes : X;
        if (!cached || applied >= 0) gather(size, bytes, rowBytes, ids + skip, weights ? weights + skip : 0, rows, x);
        addMoments(size, bytes, x, H, stride);
        addMoment(size, bytes, x, y + skip, g);
      }
      complete(b, blocks, B, plan, ridge);
      if (nonNegative) project(b, H, stride, pB, d, B == 0 ? free : -1);
      else eliminate(b, H, stride, d, diagonal);
      for (let i: usize = 0; i < bytes; i += 16) {
        const step = f32x4.mul(v128.load(d + i), f32x4.splat(omega));
        v128.store(d + i, step);
        v128.store(pB + i, f32x4.add(v128.load(pB + i), step));
      }
      for (let c = 0; c < count; c += CHUNK) {
        const size = min(CHUNK, count - c), skip = <usize>c << 2;
        const x = cached ? X + (<usize>(B - low) * <usize>count + <usize>c) * bytes : X;
        if (!cached) gather(size, bytes, rowBytes, ids + skip, weights ? weights + skip : 0, rows, x);
        subtractDots(size, bytes, x, d, y + skip);
      }
      memory.copy(place + <usize>B * ownStep, pB, bytes);
      if (ownDeltas) memory.copy(ownDeltas + <usize>(load<i32>(part) + row) * bytes, d, bytes);
    }
    if (weights) {
      for (let j: usize = 0; j < <usize>count << 2; j += 4) {
        errors += confident(<f64>load<f32>(weights + j), <f64>load<f32>(values + j) - <f64>load<f32>(y + j));
      }
    } else errors += squares64(count, y);
    let norm = squares64(<i32>(lanes >>> 2), p);
    for (let lane = 0; lane < 2 && fixed >= 0; lane++) {
      const value = <f64>load<f32>(p + (<usize>lane << 2));
      norm -= value * value;
    }
    penalties += norm * (perRating ? <f64>count : 1);
  }
  store<f64>(sums, load<f64>(sums) + errors);
  store<f64>(sums, load<f64>(sums, 8) + penalties, 8);
}

/**
 * Σ x xᵀ over rows [first, last) of a table of `blocks` blocks of b lanes, n rows: the whole of a
 * lanes × lanes matrix. work: 256 rows of lanes.
 */
export function mf_moments(
  first: i32, last: i32, n: i32, b: i32, blocks: i32, table: usize, G: usize, work: usize,
): void {
  const bytes = <usize>b << 2, lanes = bytes * <usize>blocks;
  memory.fill(G, 0, (lanes >>> 2) * lanes);
  for (; first < last; first += CHUNK) {
    const size = min(CHUNK, last - first);
    for (let j = 0; j < size; j++) {
      for (let B: usize = 0; B < <usize>blocks; B++) {
        const row = table + (B * <usize>n + <usize>(first + j)) * bytes;
        memory.copy(work + <usize>j * lanes + B * bytes, row, bytes);
      }
    }
    addMoments(size, lanes, work, G, lanes);
  }
  for (let i: usize = 0; i < lanes; i += 4) {
    for (let j: usize = 0; j < i; j += 4) {
      store<f32>(G + (i >>> 2) * lanes + j, load<f32>(G + (j >>> 2) * lanes + i));
    }
  }
}

/** Row id of out, `rank` lanes of rowBytes bytes from lane `skip` on, ← row id of a table in blocks. */
export function mf_unpack(
  first: i32, last: i32, n: i32, b: i32, skip: i32, rank: i32, rowBytes: i32, table: usize, out: usize,
): void {
  for (let row = first; row < last; row++) {
    const target = out + <usize>row * <usize>rowBytes;
    for (let lane = 0; lane < rank; lane++) {
      const at = skip + lane;
      const from = (<usize>(at / b) * <usize>n + <usize>row) * <usize>b + <usize>(at % b);
      store<f32>(target + (<usize>lane << 2), load<f32>(table + (from << 2)));
    }
  }
}

/**
 * At rows of rowBytes bytes that stand still, in f64, over rows [first, last) of a part: adds Σ of the
 * errors' squares (or of `confident`), and Σ ‖p‖² over lanes from `skip` on (times the ratings where
 * perRating) to the two f64 at sums. other = 0: no errors.
 */
export function mf_rows_error(
  first: i32, last: i32, rowBytes: i32, skip: i32, perRating: i32, part: usize, own: usize, other: usize,
  sums: usize,
): void {
  let errors: f64 = 0, penalties: f64 = 0;
  for (let row = first; row < last; row++) {
    const start = <usize>load<i32>(load<usize>(part, 4) + (<usize>row << 2)) << 2;
    const end = <usize>load<i32>(load<usize>(part, 8) + (<usize>row << 2)) << 2;
    const p = own + <usize>(load<i32>(part) + row) * <usize>rowBytes;
    for (let j = start; j < end && other != 0; j += 4) {
      const q = other + <usize>load<u32>(load<usize>(part, 12) + j) * <usize>rowBytes;
      const score = dot64(rowBytes, p, q);
      if (load<usize>(part, 20)) {
        const root = <f64>load<f32>(load<usize>(part, 20) + j);
        errors += confident(root, root * score);
      } else {
        const error = <f64>load<f32>(load<usize>(part, 16) + j) - score;
        errors += error * error;
      }
    }
    let norm: f64 = 0;
    for (let k = <usize>skip << 2; k < <usize>rowBytes; k += 4) {
      norm += <f64>load<f32>(p + k) * <f64>load<f32>(p + k);
    }
    penalties += norm * (perRating ? <f64>((end - start) >>> 2) : 1);
  }
  store<f64>(sums, load<f64>(sums) + errors);
  store<f64>(sums, load<f64>(sums, 8) + penalties, 8);
}

/**
 * The best `most` of n rows at `rows` by their dot product with p, best first, among equals the first;
 * none of the `known` ids. marks: n bytes of 0, and 0 again in the end. found: the ids, and behind the
 * place of `most` of them their scores. Returns how many.
 */
export function mf_top(
  n: i32, rowBytes: i32, most: i32, known: i32, ids: usize, marks: usize, p: usize, rows: usize, found: usize,
): i32 {
  for (let j: usize = 0; j < <usize>known << 2; j += 4) store<u8>(marks + <usize>load<u32>(ids + j), 1);
  const scores = found + (<usize>most << 2);
  let count = 0;
  for (let i = 0; i < n; i++) {
    if (load<u8>(marks + <usize>i)) continue;
    const row = rows + <usize>i * <usize>rowBytes;
    let sum = f32x4.splat(0);
    for (let k: usize = 0; k < <usize>rowBytes; k += 16) {
      sum = madd(v128.load(p + k), v128.load(row + k), sum);
    }
    const score = hsum(sum);
    if (count == most && !(score > load<f32>(scores + (<usize>(most - 1) << 2)))) continue;
    let at = count < most ? count++ : most - 1;
    for (; at > 0 && score > load<f32>(scores + (<usize>(at - 1) << 2)); at--) {
      store<i32>(found + (<usize>at << 2), load<i32>(found + (<usize>(at - 1) << 2)));
      store<f32>(scores + (<usize>at << 2), load<f32>(scores + (<usize>(at - 1) << 2)));
    }
    store<i32>(found + (<usize>at << 2), i);
    store<f32>(scores + (<usize>at << 2), score);
  }
  for (let j: usize = 0; j < <usize>known << 2; j += 4) store<u8>(marks + <usize>load<u32>(ids + j), 0);
  return count;
}
