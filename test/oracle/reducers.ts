// Reducers in plain arithmetic, rounded to f32 where the kernels round.
import type { Reducer } from '../../src/store/reduce.ts';

const f32 = Math.fround;

/** One parameter: its value, and what AdaptiveRevision keeps of it. */
export type Cell = { value: number; sum: number; old: number; z: number; most: number };
export const newCell = (): Cell => ({ value: 0, sum: 0, old: 0, z: 0, most: 0 });

/** Takes one delta into a row; `fresh`: it is the row's first of its clock. */
export function takeIn(
  how: Reducer | undefined,
  row: Cell[],
  delta: ArrayLike<number>,
  fresh: boolean,
): void {
  if (Array.from(delta).every((value) => value === 0)) return;
  row.forEach((cell, column) => {
    const d = delta[column]!;
    const sum = f32(cell.value + d);
    if (how === undefined) cell.value = sum;
    else if (how === 'nonnegative' || 'kernel' in how) cell.value = Math.max(0, sum);
    else if ('softThreshold' in how) {
      const size = Math.max(0, f32(Math.abs(sum) - f32(how.softThreshold)));
      cell.value = sum < 0 ? -size : size;
    } else {
      if (fresh) cell.old = cell.sum;
      if (d === 0) return;
      const alpha = f32(how.adaRevision.initialStep);
      const rateOf = (z: number) => f32(alpha / f32(Math.sqrt(f32(1 + z))));
      const b = f32(cell.sum - cell.old);
      const revised = f32(f32(cell.z + f32(d * d)) + f32(f32(2 * d) * b));
      const [was, after] = [rateOf(cell.most), Math.max(cell.most, revised)];
      const rate = rateOf(after);
      const stepped = f32(cell.value + f32(rate * d));
      cell.value = f32(stepped - f32(f32(was - rate) * b));
      cell.sum = f32(cell.sum + d);
      cell.z = revised;
      cell.most = after;
    }
  });
}
