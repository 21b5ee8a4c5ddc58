// A direction where very many features are in use: coordinate descent on the quadratic model, on
// the data's columns (assembly/logistic/cycle.ts), instead of the second moments of a block, which
// have the square of its size.
//
//   all features ─▶ turns over those that move, in a new order each ─▶ settled?
//        ▲                                                                 │ near the end
//        └─────── once more over all: has another begun to violate? ◀──────┘
//
// One worker does it, and it needs all rows: on several hosts blocks take turns instead.
import { createPrng } from '../../../base/prng.ts';
import type { Samples } from '../../../data/dataset.ts';
import type { PushContext } from '../../../program/program.ts';
import { openColumns } from '../../linear/columns.ts';
import { onEveryPartition } from '../../phases.ts';
import { partitionRows } from '../../rows.ts';
import { promiseOf } from './conjugate.ts';
import {
  cycles,
  shapeOf,
  summed,
  vectorsOf,
  type Answer,
  type Cycles,
  type LogisticOptions,
  type Phase,
  type Phases,
} from './layout.ts';
import type { Line } from './line.ts';

type Push = PushContext<LogisticOptions, unknown>;

/** Entries of one kernel call: some milliseconds. */
const chunkEntries = 1 << 20;
/** Bytes of a partition's place, and of a row's record. */
const [placeBytes, recordBytes] = [16, 16] as const;
/** Turns of one step, at most. */
const turnsMax = 400;

/** v.direction ← the step; returns what it promises. `open`: the columns are there. */
export function* cyclesDirection(line: Line, open: boolean): Phases<number> {
  const { ctx, v, l1, l2, fall } = line;
  const { partitions, arena } = ctx;
  const { bytes } = shapeOf(ctx);
  if (!open) yield* onEveryPartition<Phase, Answer>(ctx, { kind: 'columns' });
  yield* summed(ctx, { kind: 'diagonal' }, v.diagonal);
  arena.u8.fill(0, v.direction, v.direction + bytes);
  // No more exact than the model is: what is left of the loss's curvature is as the step's square.
  const share = Math.max(1e-4, Math.min(0.3, Math.sqrt(fall)));
  const whole = fall <= cycles.closing;
  const phase = { kind: 'cycles', l1, l2, share, whole, turn: line.passes } as const;
  const [turns = 0] = yield [{ ...phase, first: 0, last: partitions }];
  line.passes += turns;
  line.aimed = whole;
  return promiseOf(line);
}

/** A partition's columns, and where they are. */
export function openCycles(ctx: Push, p: number): void {
  const { data, n } = shapeOf(ctx);
  const range = partitionRows(n, ctx.partitions, p);
  const { place, starts, entries } = openColumns(ctx, data, range).places;
  const records = ctx.buffer('records') + range.first * recordBytes;
  ctx.arena.i32.set([place, starts, entries, records], (ctx.buffer('places') + p * placeBytes) / 4);
}

/** Fisher and Yates. */
function shuffle(list: Int32Array, below: (bound: number) => number): void {
  for (let last = list.length - 1; last > 0; last--) {
    const other = below(last + 1);
    const moved = list[last] ?? 0;
    list[last] = list[other] ?? 0;
    list[other] = moved;
  }
}

/** Turns until the violations have shrunk to a share; returns how many. */
export function turnCycles(ctx: Push, { l1, l2, share, whole, turn }: Cycles): number {
  const { arena, kernels, seed } = ctx;
  const { n, d } = shapeOf(ctx);
  const { below } = createPrng(seed, turn);
  const list = arena.i32.subarray(ctx.buffer('list') / 4, ctx.buffer('list') / 4 + d);
  const everything = () => {
    for (let j = 0; j < d; j++) list[j] = j;
    return d;
  };
  kernels.logistic_records(n, ctx.buffer('h'), ctx.buffer('records'));
  let count = everything();
  let first = 0;
  for (let turns = 1; turns <= turnsMax; turns++) {
    const all = count === d;
    shuffle(list.subarray(0, count), below);
    const { kept, off } = oneTurn(ctx, count, { l1, l2 });
    if (ctx.options.intercept) moveIntercept(ctx);
    if (turns === 1) first = off;
    const settled = off <= share * first;
    if (settled && (all || !whole)) return turns;
    count = settled ? everything() : kept;
  }
  return turnsMax;
}

/** In pieces; those that each leaves are joined at the front of the list. */
function oneTurn(ctx: Push, count: number, { l1, l2 }: Pick<Cycles, 'l1' | 'l2'>) {
  const { arena, kernels, partitions } = ctx;
  const { w, g, diagonal, direction } = vectorsOf(ctx);
  const { nonzeros } = ctx.data as Samples;
  const list = ctx.buffer('list');
  const places = ctx.buffer('places');
  const sum = places + partitions * placeBytes;
  arena.f64[sum / 8] = 0;
  const pieces = Math.max(1, Math.ceil(nonzeros / chunkEntries));
  const step = Math.max(1, Math.ceil(count / pieces));
  let kept = 0;
  for (let from = 0; from < count; from += step) {
    ctx.poll();
    const at = list + from * 4;
    const left = kernels.logistic_cycle(
      ...([Math.min(step, count - from), at, partitions, places, l1, l2, w, g] as const),
      ...([diagonal, direction, sum] as const),
    );
    arena.u8.copyWithin(list + kept * 4, at, at + left * 4);
    kept += left;
  }
  return { kept, off: arena.f64[sum / 8] ?? 0 };
}

/** The intercept's Newton step in the model. */
function moveIntercept(ctx: Push): void {
  const { kernels, arena } = ctx;
  const { n, d } = shapeOf(ctx);
  const { g, diagonal, direction } = vectorsOf(ctx);
  const records = ctx.buffer('records');
  const curvature = arena.f64[diagonal / 8 + d] ?? 0;
  const slope = (arena.f64[g / 8 + d] ?? 0) + kernels.logistic_drift(n, records);
  if (!(curvature > 0)) return;
  arena.f64[direction / 8 + d] = (arena.f64[direction / 8 + d] ?? 0) - slope / curvature;
  kernels.logistic_shift(n, -slope / curvature, records);
}
