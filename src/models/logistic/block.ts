// A direction on a block of features (a proximal Newton method; Yuan, Ho and Lin 2012): the quadratic
// model of the loss with the penalty as it is,
//
//   min_u  g'(u − w) + ½ (u − w)' (G + l2 I) (u − w) + l1 ‖u‖₁        G = Σ h x xᵀ on the block
//
// solved by coordinate descent and conjugate gradients (src/models/linear/block.ts). The schedule says
// which features: by default those that violate optimality most, and all whose weight is not 0.
import { createSchedule, type Schedule } from '../../scheduler/schedule.ts';
import { solveBlock } from '../linear/block.ts';
import { curvatureOf, strideOf } from './gram.ts';
import { blockMax, shapeOf, type Phases, type Scheduler } from './layout.ts';
import type { Line } from './line.ts';

export type Blocks = {
  readonly schedule: Schedule;
  /** Room for priorities. */
  readonly violations: Float64Array;
};

/** Features of the first block; a later one has up to so many besides twice the support. */
const freshMin = 256;

export function openBlocks(ctx: Scheduler): Blocks {
  const { d } = shapeOf(ctx);
  const want = Math.min(d, blockMax - 1);
  const schedule = createSchedule({ kind: 'dynamic', variables: d, want, select: 'top' });
  return { schedule, violations: new Float64Array(d) };
}

/**
 * Priorities: how far −g is from the penalty's subdifferential; features in use come before all others.
 * Of the others as many as there are in use, so that a block grows as fast as it has to.
 */
function prioritize({ violations }: Blocks, { ctx, v, l1, l2 }: Line): void {
  const { d } = shapeOf(ctx);
  const { f64 } = ctx.arena;
  const [w0, g0] = [v.w / 8, v.g / 8];
  const fresh: number[] = [];
  let used = 0;
  let most = 0;
  for (let j = 0; j < d; j++) {
    const w = f64[w0 + j] ?? 0;
    const g = (f64[g0 + j] ?? 0) + l2 * w;
    const off = w === 0 ? Math.max(0, Math.abs(g) - l1) : Math.abs(g + Math.sign(w) * l1);
    violations[j] = off;
    most = Math.max(most, off);
    if (w !== 0) used += 1;
    else if (off > 0) fresh.push(off);
  }
  const room = Math.max(freshMin, used);
  const sorted = fresh.length > room ? Float64Array.from(fresh).sort() : undefined;
  const least = sorted?.[fresh.length - room] ?? 0;
  for (let j = 0; j < d; j++) {
    const off = violations[j] ?? 0;
    if (f64[w0 + j] !== 0) violations[j] = off + 2 * most;
    else if (off < least) violations[j] = 0;
  }
}

/** Places of a block's vectors. */
function openBlock(ctx: Scheduler, count: number) {
  const stride = strideOf(count);
  const at = (index: number) => ctx.buffer('block') + index * stride * 8;
  const places = { l1: at(0), l2: at(1), g: at(2), u: at(3), work: at(4) };
  return { count, stride, G: ctx.buffer('square'), ...places };
}

/** How much of a block's violation its subproblem may leave. */
const leave = 0.02;

/** v.direction ← the step of a block; returns what it promises: below 0, or 0 when there is none. */
export function* blockDirection(line: Line, blocks: Blocks): Phases<number> {
  const { ctx, v, l1, l2 } = line;
  const { arena, kernels, options } = ctx;
  const { d, bytes } = shapeOf(ctx);
  prioritize(blocks, line);
  blocks.schedule.setPriorities(blocks.violations);
  const phase = blocks.schedule.next(ctx.prng);
  const list = Array.from(phase?.picked ?? []).sort((a, b) => a - b);
  if (options.intercept) list.push(d);
  arena.u8.fill(0, v.direction, v.direction + bytes);
  if (list.length === 0) return 0;
  yield* curvatureOf(ctx, list, 1);
  const block = openBlock(ctx, list.length);
  const { f64, f32 } = arena;
  const cell = (vector: number, index: number) => f64[vector / 8 + index] ?? 0;
  list.forEach((j, slot) => {
    const own = j < d ? l2 : 0;
    const diagonal = f32[block.G / 4 + slot * (block.stride + 1)] ?? 0;
    f64[block.l1 / 8 + slot] = j < d ? l1 : 0;
    // What f32 does not know of G could make it indefinite.
    f64[block.l2 / 8 + slot] = own + 1e-6 * diagonal;
    f64[block.u / 8 + slot] = cell(v.w, j);
    f64[block.g / 8 + slot] = cell(v.g, j) + own * cell(v.w, j);
  });
  const violation = kernels.block_violation(block.count, block.g, block.u, block.l1);
  solveBlock(ctx, block, leave * violation);
  let slope = 0;
  const changes = new Float64Array(phase?.picked.length ?? 0);
  list.forEach((j, slot) => {
    const from = cell(v.w, j);
    const to = Math.fround(cell(block.u, slot));
    const step = to - from;
    f64[v.direction / 8 + j] = step;
    slope += step * (cell(v.g, j) + (j < d ? l2 * from : 0));
    if (j < d) slope += l1 * (Math.abs(to) - Math.abs(from));
    if (slot < changes.length) changes[slot] = Math.abs(step);
  });
  if (phase !== undefined) blocks.schedule.done(phase.number, changes);
  return slope;
}
