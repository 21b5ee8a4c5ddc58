// Not part of the kernel module: the steps from a plain loop to f32_dot, one change each, so that
// `npm run bench` shows what each of them gives; and exp4 over an array, to time it by itself.
import { exp4 } from '../math';
import { hsum, madd } from '../simd';

/** Step 0: one loop, one scalar sum. Each add waits for the one before. */
export function dot_scalar(n: i32, x: usize, y: usize): f32 {
  let sum: f32 = 0;
  for (let i = 0; i < n; i++) {
    sum += load<f32>(x + (<usize>i << 2)) * load<f32>(y + (<usize>i << 2));
  }
  return sum;
}

/** Step 1: four scalar sums, so that four adds are under way. n a multiple of 4. */
export function dot_scalar_4(n: i32, x: usize, y: usize): f32 {
  let a: f32 = 0, b: f32 = 0, c: f32 = 0, d: f32 = 0;
  const end = x + (<usize>n << 2);
  while (x < end) {
    a += load<f32>(x) * load<f32>(y);
    b += load<f32>(x, 4) * load<f32>(y, 4);
    c += load<f32>(x, 8) * load<f32>(y, 8);
    d += load<f32>(x, 12) * load<f32>(y, 12);
    x += 16;
    y += 16;
  }
  return a + b + (c + d);
}

/** Step 2: the same four sums as lanes of one vector. n a multiple of 4. */
export function dot_simd(n: i32, x: usize, y: usize): f32 {
  let sum = f32x4.splat(0);
  const end = x + (<usize>n << 2);
  while (x < end) {
    sum = madd(v128.load(x), v128.load(y), sum);
    x += 16;
    y += 16;
  }
  return hsum(sum);
}

/** Step 3: two vectors of sums. n a multiple of 8. Step 4, with four, is f32_dot. */
export function dot_simd_2(n: i32, x: usize, y: usize): f32 {
  let a = f32x4.splat(0), b = a;
  const end = x + (<usize>n << 2);
  while (x < end) {
    a = madd(v128.load(x), v128.load(y), a);
    b = madd(v128.load(x, 16), v128.load(y, 16), b);
    x += 32;
    y += 32;
  }
  return hsum(f32x4.add(a, b));
}

/** y ← e^x, n a multiple of 4. */
export function exp_all(n: i32, x: usize, y: usize): void {
  const end = x + (<usize>n << 2);
  while (x < end) {
    v128.store(y, exp4(v128.load(x)));
    x += 16;
    y += 16;
  }
}
