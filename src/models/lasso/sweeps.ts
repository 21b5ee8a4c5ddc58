// Supports that are too large for second moments: coordinate descent on the columns themselves
// (assembly/linear/sweep.ts), in place of a block. It is done by the scheduler, which has all rows,
// so there is one host; a gradient by all workers says what it has come to.
//
//   variables that are not 0 or violate ─▶ sweeps ─▶ a point from the last six: changes of β
//
// The sweeps change u and the residuals at once; the extrapolation is left to the workers, and is
// undone where the objective says that it was none.
import { cell, pointPairs, pointsMost, rowOffset, sumCell, type Lane } from './layout.ts';

export type Swept = {
  /** Variables to extrapolate, their next values, by the place in the list. */
  readonly count: number;
  readonly list: number;
  readonly next: number;
  /** What the residuals are yet to be shifted by. */
  readonly shift: number;
  /** By how much the objective fell. */
  readonly fallen: number;
  readonly updates: number;
};

/** Sweeps between two gradients. */
const sweepsMost = 10;

export function sweepColumns(
  lane: Lane,
  penalty: { readonly l1: number; readonly l2: number; readonly n: number },
  survivors: number | 'all',
): Swept {
  const { arena, kernels, shape } = lane;
  const { l1, l2, n } = penalty;
  const [list, u, shift] = [lane.at('violators'), lane.at('u'), lane.at('scan')];
  const all = survivors === 'all';
  const count = kernels.lasso_active(
    ...([all ? shape.columns : survivors, all ? 0 : lane.at('survivors'), l1] as const),
    ...([lane.at('c'), u, lane.at('omega'), list] as const),
  );
  for (let p = 0; p < shape.partitions; p++) {
    arena.i32[lane.at('vPlaces') / 4 + p] = lane.at('v') + rowOffset(lane, p);
  }
  arena.f64[shift / 8] = 0;
  const rows = [n, sumCell(lane, cell.residual), shape.partitions, lane.at('places')] as const;
  const vectors = [lane.at('means'), lane.at('scales'), lane.at('omega'), u, shift] as const;
  const masks = lane.masked ? lane.at('masks') : 0;
  const kept = count <= pointsMost;
  const point = (k: number) => lane.at('points') + k * count * 8;
  let fallen = 0;
  for (let sweep = 0; sweep < sweepsMost; sweep++) {
    lane.poll();
    const k = sweep - (sweepsMost - pointPairs);
    if (k === 0 && kept) kernels.f64_gather(count, list, u, point(0));
    const vs = lane.at('vPlaces');
    fallen += kernels.lasso_sweep(count, list, l1, l2, ...rows, vs, masks, ...vectors);
    if (k >= 0 && kept) kernels.f64_gather(count, list, u, point(k + 1));
  }
  const next = lane.at('priorities');
  const known = kept && kernels.points_extrapolate(count, point(0), next, lane.at('mix')) === 1;
  const moved = arena.f64[shift / 8] ?? 0;
  const updates = sweepsMost * count;
  return { count: known ? count : 0, list, next, shift: moved, fallen, updates };
}
