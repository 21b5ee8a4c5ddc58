// A direction on a block of features (proximal Newton; Yuan, Ho and Lin 2012): the quadratic model
// of the loss with the penalty as it is,
//
//   min_u  g'(u − w) + ½ (u − w)' (G + l2 I) (u − w) + l1 ‖u‖₁        G = Σ h x xᵀ on the block
//
// solved by coordinate descent and conjugate gradients (src/models/linear/block.ts). The schedule
// says which features: those that violate optimality most, and all whose weight is not 0.
import { createSchedule, type Schedule } from '../../../scheduler/schedule.ts';
import { solveBlock, type Block } from '../../linear/block.ts';
import { curvatureOf, strideOf } from './gram.ts';
import {
  blockMax,
  canCycle,
  cycles,
  shapeOf,
  summed,
  type Phases,
  type Scheduler,
} from './layout.ts';
import type { Line } from './line.ts';

/** Features of one phase of a schedule that does not go by priorities. */
const phaseSize = 64;
/** Features of the first block; a later one has up to so many besides twice the support. */
const freshMin = 512;

export function openBlocks(ctx: Scheduler): Schedule {
  const { d } = shapeOf(ctx);
  const { schedule: kind } = ctx.options;
  const want = Math.min(d, kind === 'dynamic' ? blockMax - 1 : phaseSize);
  return createSchedule({ kind, variables: d, want, select: 'top' });
}

/**
 * Features in use for which a block has room, with others that may join them, where columns can't
 * be turned over instead (cycles.ts).
 */
const usedMax = (3 * blockMax) / 4;
/**
 * Where there are more, conjugate gradients on all of them (conjugate.ts) are better if l2 is at
 * least this share of l1: it keeps them from long steps that signs cut off.
 */
const ridgeMin = 0.05;

/**
 * Near the end features that are about to violate optimality are in the block too: its duals can
 * only be feasible for those that it has.
 */
const closing = { fall: cycles.closing, near: 0.85 } as const;

/**
 * Priorities: how far −g is from the penalty's subdifferential. Features in use come before all
 * others while they fit, and of the others as many as there are in use, so that a block grows as
 * fast as it has to. False: there are too many in use.
 */
function prioritize(schedule: Schedule, { ctx, v, l1, l2, fall }: Line): boolean {
  const { kernels, arena } = ctx;
  const { d } = shapeOf(ctx);
  const [out, fresh] = [v.search, v.dual];
  const near = fall > closing.fall ? l1 : closing.near * l1;
  const count = kernels.logistic_violations(d, l1, l2, near, v.w, v.g, out, fresh);
  const most = kernels.f64_max_abs(d, out);
  const used = kernels.logistic_priorities(d, 0, 0, v.w, out);
  if (canCycle(ctx) && used > cycles.least) return false;
  if (used > usedMax && l2 >= ridgeMin * l1) return false;
  const room = Math.max(freshMin, used);
  const sorted = arena.f64.slice(fresh / 8, fresh / 8 + count).sort();
  const least = count > room ? (sorted[count - room] ?? 0) : 0;
  kernels.logistic_priorities(d, used > usedMax ? 0 : 2 * most, least, v.w, out);
  schedule.setPriorities(arena.f64.subarray(out / 8, out / 8 + d));
  return true;
}

/** The worst violators, with all features in use; undefined where those are too many. */
function worst(schedule: Schedule, line: Line): Int32Array | undefined {
  if (!prioritize(schedule, line)) return undefined;
  const phase = schedule.next(line.ctx.prng);
  if (phase === undefined) return new Int32Array(0);
  schedule.done(phase.number, new Float64Array(phase.picked.length));
  return phase.picked.slice().sort();
}

/** Static, random, cyclic: the schedule's next, violators or not, with all features in use. */
function next(schedule: Schedule, { ctx, v }: Line): Int32Array | undefined {
  const { d } = shapeOf(ctx);
  const used = ctx.kernels.lasso_support(d, v.w, v.search);
  if (used > (canCycle(ctx) ? cycles.least : usedMax)) return undefined;
  const from = v.search / 4;
  const picked = new Set(ctx.arena.i32.subarray(from, from + used));
  const most = Math.min(d, used + freshMin);
  for (let tried = 0; picked.size < most && tried < d;) {
    const phase = schedule.next(ctx.prng);
    if (phase === undefined) break;
    tried += phase.picked.length;
    for (const feature of phase.picked) if (picked.size < most) picked.add(feature);
    schedule.done(phase.number, new Float64Array(phase.picked.length));
  }
  return Int32Array.from(picked).sort();
}

/** Places of a block's vectors. */
function openBlock(ctx: Scheduler, count: number): Block {
  const stride = strideOf(count);
  const at = (index: number) => ctx.buffer('block') + index * stride * 8;
  const places = { l1: at(0), l2: at(1), g: at(2), u: at(3), work: at(4) };
  return { count, stride, G: ctx.buffer('square'), ...places };
}

/** Rows for each feature of a block that a sample has to have. */
const rowsPerFeature = 8;

/** A block of more variables is solved less exactly: its matrix does not fit a cache. */
const wideBlock = 2048;
/** Sweeps of coordinate descent that a step far from the end is worth. */
const sweepsMax = 40;

/**
 * Solves the block's subproblem: roughly while steps still change the objective by much, then so
 * well that its duals certify (certificate.ts).
 */
function solve({ ctx, l1, fall }: Line, block: Block): void {
  const { kernels, options } = ctx;
  const { count, stride, G, g, u } = block;
  const violation = kernels.block_violation(count, g, u, block.l1, 0);
  if (fall > closing.fall) {
    for (let sweep = 0; sweep < sweepsMax; sweep++) {
      ctx.poll();
      const most = kernels.block_sweep(count, stride, G, block.l1, block.l2, g, u, 0);
      if (most <= 0.02 * violation) return;
    }
    return;
  }
  // f32 second moments know gradients to some 1e-6 of what is to be removed of them.
  const least = (count > wideBlock ? 1e-3 : 2e-5) * violation;
  solveBlock(ctx, block, Math.max(least, Math.min(0.05 * violation, 0.6 * options.tolerance * l1)));
}

/**
 * Far from the end a share of the rows says enough of the curvature: every `step`-th, if that still
 * leaves several rows for a feature.
 */
function sampleOf({ ctx, fall }: Line, features: number): number {
  const { n } = shapeOf(ctx);
  for (const [step, least] of [
    [4, 0.1],
    [2, 0.01],
  ] as const) {
    if (fall > least && n >= step * rowsPerFeature * features) return step;
  }
  return 1;
}

/**
 * v.direction ← the step of a block; returns what it promises: below 0, or 0 when there is none.
 * Undefined: a block is not the way, so many are in use.
 */
export function* blockDirection(line: Line, schedule: Schedule): Phases<number | undefined> {
  const { d } = shapeOf(line.ctx);
  // A schedule that does not look at violations may offer none: the next ones may have some.
  const tries = line.ctx.options.schedule === 'dynamic' ? 1 : Math.ceil((4 * d) / freshMin);
  for (let tried = 1; ; tried++) {
    const promise = yield* oneBlock(line, schedule);
    if (promise !== 0 || tried >= tries) return promise;
    line.passes += 1;
  }
}

function* oneBlock(line: Line, schedule: Schedule): Phases<number | undefined> {
  const { ctx, v, l1, l2 } = line;
  const { arena, options } = ctx;
  const { d, bytes } = shapeOf(ctx);
  const picked = (options.schedule === 'dynamic' ? worst : next)(schedule, line);
  if (picked === undefined) return undefined;
  const list = Array.from(picked);
  arena.u8.fill(0, v.direction, v.direction + bytes);
  if (list.length === 0 && !options.intercept) return 0;
  const step = sampleOf(line, list.length);
  if (step > 1) yield* summed(ctx, { kind: 'diagonal' }, v.diagonal);
  if (options.intercept) list.push(d);
  yield* curvatureOf(ctx, list, step);
  const block = openBlock(ctx, list.length);
  const { f64, f32 } = arena;
  const cell = (vector: number, index: number) => f64[vector / 8 + index] ?? 0;
  list.forEach((j, slot) => {
    const own = j < d ? l2 : 0;
    const diagonal = f32[block.G / 4 + slot * (block.stride + 1)] ?? 0;
    f64[block.l1 / 8 + slot] = j < d ? l1 : 0;
    // What f32 does not know of G could make it indefinite; rows that were left out make it flat.
    const missed = step > 1 ? Math.max(0, cell(v.diagonal, j) - diagonal) : 0;
    f64[block.l2 / 8 + slot] = own + 1e-6 * diagonal + missed;
    f64[block.u / 8 + slot] = cell(v.w, j);
    f64[block.g / 8 + slot] = cell(v.g, j) + own * cell(v.w, j);
  });
  line.aimed = line.fall <= closing.fall || list.length >= d;
  solve(line, block);
  let slope = 0;
  list.forEach((j, slot) => {
    const from = cell(v.w, j);
    const to = cell(block.u, slot);
    const step = to - from;
    f64[v.direction / 8 + j] = step;
    slope += step * (cell(v.g, j) + (j < d ? l2 * from : 0));
    if (j < d) slope += l1 * (Math.abs(to) - Math.abs(from));
  });
  return slope;
}
