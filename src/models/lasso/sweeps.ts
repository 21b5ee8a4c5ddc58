// Supports that are too large for second moments: coordinate descent on the columns themselves
// (assembly/linear/sweep.ts), in place of a block. It is done by the scheduler, which has all rows,
// so there is one host; a gradient by all workers says what it has come to.
//
//   variables that are not 0 or violate ─▶ their columns, packed ─▶ sweeps
//     ─▶ a point from the last six: changes of β
//
// The sweeps change u and the residuals at once; the extrapolation is left to the workers, and is
// undone where the objective says that it was none.
import { cell, pointPairs, pointsMost, rowOffset, sumCell, type Lane } from './layout.ts';

/** Memory for packed columns, which is there when it is wanted. */
export type Packed = { at: number; room: number };

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

export type SweepTask = {
  readonly l1: number;
  readonly l2: number;
  /** Rows that count. */
  readonly n: number;
  readonly survivors: number | 'all';
  readonly packed: Packed;
};

/** Sweeps between two gradients. */
const sweepsMost = 40;

/** Variables that are not 0 or violate, to `list`. */
function listActive(lane: Lane, { l1, survivors }: SweepTask, list: number): number {
  const all = survivors === 'all';
  return lane.kernels.lasso_active(
    ...([all ? lane.shape.columns : survivors, all ? 0 : lane.at('survivors'), l1] as const),
    ...([lane.at('c'), lane.at('u'), lane.at('omega'), list] as const),
  );
}

function pack(lane: Lane, packed: Packed, count: number, list: number): void {
  const { arena, kernels, shape } = lane;
  const [firsts, starts] = [lane.at('firsts'), lane.at('sweepStarts')];
  for (let p = 0; p < shape.partitions; p++) arena.i32[firsts / 4 + p] = rowOffset(lane, p) / 8;
  const columns = [count, list, shape.partitions, lane.at('places')] as const;
  const entries = kernels.sweep_entries(...columns);
  if (entries > packed.room) {
    packed.room = entries + (entries >> 1);
    packed.at = arena.allocate(packed.room * 8);
  }
  kernels.sweep_pack(...columns, firsts, starts, packed.at);
}

export function sweepColumns(lane: Lane, task: SweepTask): Swept {
  const { arena, kernels } = lane;
  const { l1, l2, n, packed } = task;
  const [list, u, shift] = [lane.at('violators'), lane.at('u'), lane.at('scan')];
  const count = listActive(lane, task, list);
  pack(lane, packed, count, list);
  arena.f64[shift / 8] = 0;
  const columns = [count, list, lane.at('sweepStarts'), packed.at] as const;
  const rows = [lane.at('v'), lane.masked ? lane.at('mask') : 0] as const;
  const vectors = [lane.at('means'), lane.at('scales'), lane.at('omega'), u, shift] as const;
  const sum = sumCell(lane, cell.residual);
  const kept = count <= pointsMost;
  const point = (k: number) => lane.at('points') + k * count * 8;
  let fallen = 0;
  for (let sweep = 0; sweep < sweepsMost; sweep++) {
    lane.poll();
    const k = sweep - (sweepsMost - pointPairs);
    if (k === 0 && kept) kernels.f64_gather(count, list, u, point(0));
    fallen += kernels.lasso_sweep(...columns, l1, l2, n, sum, ...rows, ...vectors);
    if (k >= 0 && kept) kernels.f64_gather(count, list, u, point(k + 1));
  }
  const next = lane.at('priorities');
  const known = kept && kernels.points_extrapolate(count, point(0), next, lane.at('mix')) === 1;
  const moved = arena.f64[shift / 8] ?? 0;
  const updates = sweepsMost * count;
  return { count: known ? count : 0, list, next, shift: moved, fallen, updates };
}
