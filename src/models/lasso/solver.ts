// One λ after the other of the lasso and the elastic net, on one lane. A generator of the workers'
// phases: who runs them, all workers of all hosts or one worker alone for a fold, is not its
// business.
//
//   gradient of all ─▶ duality gap small enough? ─▶ done, and where the next λ starts
//        ▲                   │ no
//        │                   ▼
//   residuals, gradient   screening: variables that are 0 at the optimum for sure
//   of the survivors         │
//        ▲                   ▼
//        │                working set += the worst violators (src/scheduler), their second moments
//        │                   ▼
//        └───────────────  block: solved on second moments, no better than the gap needs by now
//
// Everything that is measured is f64 and from the columns; second moments are f32 and only direct.
import { assert } from '../../base/assert.ts';
import { solveBlock } from '../linear/block.ts';
import { gramNewMax } from '../linear/gram.ts';
import { cell, gramPartBytes, sumCell, type Lane } from './layout.ts';
import type { Chooser } from './choose.ts';
import type { LassoPhase } from './work.ts';

/** Phases, each answered when all workers are done. */
export type Phases<T> = Generator<LassoPhase, T, void>;

export type Solved = {
  readonly lambda: number;
  readonly objective: number;
  readonly gap: number;
  readonly nonzeros: number;
  /** Blocks that it took. */
  readonly passes: number;
  /** Σ r² of the masked rows. */
  readonly held: number;
};

/** What a lane knows between two λ. */
export type Solver = {
  readonly lane: Lane;
  readonly chooser: Chooser;
  /** Rows that count, and ‖y‖²/2n about the intercept. */
  readonly n: number;
  readonly scale: number;
  readonly labelMean: number;
  readonly varying: number;
  /** Slots in use. */
  used: number;
  /** There were more variables other than 0 than room for them. */
  partial: boolean;
  updates: number;
};

type Penalty = { readonly l1: number; readonly l2: number };

/** A block is solved to this share of the gap before it: what follows is measured anew anyway. */
const blockShare = 0.1;
/** A working set grows by this share of the support: more costs moments, less passes. Measured. */
const growth = { share: 1 / 3, least: 64 } as const;
const dampingFirst = 1e-3;

/** Means, scales, the labels' mean and the first gradient: β = 0. */
export function* startSolver(lane: Lane, chooser: Chooser, fold: number): Phases<Solver> {
  const { arena, kernels, options, shape } = lane;
  const { columns, partitions } = shape;
  const bytes = columns * 8;
  yield { kind: 'start', fold };
  const n = sumCell(lane, cell.kept);
  const mean = sumCell(lane, cell.labels) / n;
  const labelMean = options.intercept ? mean : 0;
  const clear = (at: number) => arena.u8.fill(0, at, at + bytes);
  if (options.intercept) {
    kernels.parts_mean(columns, partitions, bytes, n, lane.at('parts'), lane.at('means'));
  } else clear(lane.at('means'));
  lane.share('means', 0, bytes);
  yield { kind: 'squares' };
  const [means, t, omega] = [lane.at('means'), lane.at('scales'), lane.at('omega')];
  kernels.parts_mean(columns, partitions, bytes, n, lane.at('parts'), t);
  const varying = kernels.lasso_scales(columns, options.standardize ? 1 : 0, means, t, omega);
  clear(lane.at('u'));
  arena.i32.fill(-1, lane.at('slotOf') / 4, lane.at('slotOf') / 4 + columns);
  const solver: Solver = {
    ...{ lane, chooser, n, labelMean, varying, used: 0, partial: false, updates: 0, scale: 0 },
  };
  yield* gradient(solver, { changes: 0, shift: -labelMean, survivors: 'all' });
  return { ...solver, scale: sumCell(lane, cell.squares) / (2 * n) };
}

/** Residuals change, and c of the survivors follows. */
function* gradient(
  solver: Solver,
  asked: { changes: number; shift: number; survivors: number | 'all' },
): Phases<void> {
  const { lane, n } = solver;
  const { partitions, columns } = lane.shape;
  yield { kind: 'gradient', ...asked };
  const listed = asked.survivors === 'all' ? columns : asked.survivors;
  const list = asked.survivors === 'all' ? 0 : lane.at('survivors');
  lane.kernels.lasso_fold(
    ...([listed, list] as const),
    ...([partitions, columns * 8, sumCell(lane, cell.residual), n, lane.at('parts')] as const),
    ...([lane.at('means'), lane.at('scales'), lane.at('c')] as const),
  );
}

type Certificate = {
  readonly objective: number;
  readonly gap: number;
  readonly nonzeros: number;
  /** The largest |g|/ω, and λ₁ over it, at most 1. */
  readonly most: number;
  readonly s: number;
  /** Σ ω|u| */
  readonly ones: number;
};

/** The gap at the last gradient, over the listed variables. */
function certify(solver: Solver, { l1, l2 }: Penalty, survivors: number | 'all'): Certificate {
  const { lane, n } = solver;
  const count = survivors === 'all' ? lane.shape.columns : survivors;
  const list = survivors === 'all' ? 0 : lane.at('survivors');
  const scan = lane.at('scan');
  const vectors = [lane.at('c'), lane.at('u'), lane.at('omega')] as const;
  lane.kernels.lasso_scan(count, list, l1, l2, ...vectors, scan);
  const [most = 0, ones = 0, squares = 0, over = 0, nonzeros = 0] = lane.arena.f64.subarray(
    scan / 8,
    scan / 8 + 5,
  );
  // Residuals add up to 0 with an intercept, so labels may be about anything; without rounding.
  const off = sumCell(lane, cell.residual);
  const centred = lane.options.intercept;
  const rr = sumCell(lane, cell.squares) - (centred ? (off * off) / n : 0);
  const ry = sumCell(lane, cell.withLabels) - (centred ? off * solver.labelMean : 0);
  const objective = rr / (2 * n) + l1 * ones + (l2 / 2) * squares;
  const s = most > l1 ? l1 / most : 1;
  let dual = (s * ry) / n - (s * s * (rr / n + l2 * squares)) / 2;
  if (l2 > 0) dual = Math.max(dual, ry / n - rr / (2 * n) - over / (2 * l2));
  return { objective, gap: Math.max(0, objective - dual), nonzeros, most, s, ones };
}

/** The largest |c|/ω: what λ₁ must not be below for all variables to be 0. At β = 0. */
export function largestSlope(solver: Solver): number {
  const { lane } = solver;
  const vectors = [lane.at('c'), lane.at('u'), lane.at('omega')] as const;
  lane.kernels.lasso_scan(lane.shape.columns, 0, 0, 0, ...vectors, lane.at('scan'));
  return lane.arena.f64[lane.at('scan') / 8] ?? 0;
}

/** Variables that may be other than 0 at the optimum: gap-safe, so the others are 0 for sure. */
function screen(
  { lane }: Solver,
  { l1, l2 }: Penalty,
  found: { s: number; gap: number; from: number | 'all' },
): number {
  const { from, s, gap } = found;
  const list = lane.at('survivors');
  return lane.kernels.lasso_screen(
    ...([from === 'all' ? lane.shape.columns : from, from === 'all' ? 0 : list] as const),
    ...([l1, l2, s, Math.sqrt(2 * gap)] as const),
    ...([lane.at('c'), lane.at('u'), lane.at('omega'), list] as const),
  );
}

/** Gives variables slots, and computes their second moments. */
function* append(solver: Solver, picked: Int32Array): Phases<void> {
  const { lane, n } = solver;
  const { i32, f64 } = lane.arena;
  const { slots } = lane.shape;
  for (let done = 0; done < picked.length; done += gramNewMax) {
    const list = picked.subarray(done, done + gramNewMax);
    const base = solver.used;
    const count = list.length;
    assert(base + count <= slots, 'there is a slot for each');
    list.forEach((variable, k) => {
      const slot = base + k;
      i32[lane.at('slotList') / 4 + slot] = variable;
      i32[lane.at('slotOf') / 4 + variable] = slot;
      f64[lane.at('slotMeans') / 8 + slot] = f64[lane.at('means') / 8 + variable] ?? 0;
      const scale = f64[lane.at('scales') / 8 + variable] ?? 0;
      f64[lane.at('slotScales') / 8 + slot] = scale / Math.sqrt(n);
    });
    lane.share('slotList', base * 4, count * 4);
    lane.share('slotMeans', base * 8, count * 8);
    lane.share('slotScales', base * 8, count * 8);
    yield { kind: 'compact', base, count };
    yield { kind: 'gram', base, count };
    lane.kernels.gram_place(
      ...([lane.shape.hosts, gramPartBytes(lane.shape), base, count, slots] as const),
      ...([lane.at('gramParts'), lane.at('gram')] as const),
    );
    solver.used += count;
  }
}

/** Forgets all slots: when they are full, a block of the most urgent variables begins anew. */
function clearSlots(solver: Solver): void {
  const { lane } = solver;
  const { i32 } = lane.arena;
  const list = i32.subarray(lane.at('slotList') / 4, lane.at('slotList') / 4 + solver.used);
  for (const variable of list) i32[lane.at('slotOf') / 4 + variable] = -1;
  solver.used = 0;
}

/** Violators join the working set. */
function* grow(
  solver: Solver,
  { l1 }: Penalty,
  from: { survivors: number; nonzeros: number },
): Phases<void> {
  const { lane, chooser } = solver;
  const { survivors, nonzeros } = from;
  const want = Math.max(growth.least, Math.ceil(growth.share * nonzeros));
  const ask = { lane, l1, survivors };
  let picked = chooser.violators(ask, want);
  const full = solver.used + picked.length > lane.shape.slots;
  if (full || (solver.partial && picked.length === 0)) {
    clearSlots(solver);
    const kept = chooser.support(lane, Math.ceil(lane.shape.slots / 2));
    solver.partial = kept.length < nonzeros;
    yield* append(solver, kept);
    picked = chooser.violators(ask, Math.min(want, lane.shape.slots - solver.used));
  }
  yield* append(solver, picked);
}

type Aim = { readonly gap: number; readonly ones: number; readonly most: number };

/**
 * What violation, in units of ω, leaves a gap no larger than wanted: v costs about v Σ ω|u| of the
 * dual, or v²/2λ₂ for each variable by the L2 penalty's conjugate. While next to nothing is other
 * than 0 that says nothing: then it must fall below what it was.
 */
function blockTolerance({ used }: Solver, { l1, l2 }: Penalty, { gap, ones, most }: Aim): number {
  const byRidge = Math.sqrt((2 * l2 * gap) / Math.max(1, used));
  if (l1 === 0) return byRidge;
  const fallen = 0.2 * Math.max(0, most - l1);
  if (ones === 0) return Math.max(fallen, byRidge);
  return Math.max(byRidge, Math.min(gap / ones, Math.max(fallen, (0.1 * gap) / ones)));
}

/** Solves the block of all slots; the changes of β are ready for the workers. Returns how many. */
function block(
  solver: Solver,
  { l1, l2 }: Penalty,
  aim: Aim & { readonly damping: number },
): { readonly changes: number; readonly shift: number } {
  const { lane, used } = solver;
  const { kernels, shape } = lane;
  const list = lane.at('slotList');
  const [slotL1, slotL2] = [lane.at('slotL1'), lane.at('slotL2')];
  const [g, u, units] = [lane.at('slotG'), lane.at('slotU'), lane.at('slotUnits')];
  kernels.lasso_block(
    ...([used, list, l1, l2, aim.damping, lane.at('c'), lane.at('u'), lane.at('omega')] as const),
    ...([slotL1, slotL2, g, u, units] as const),
  );
  // Coefficients that are next to nothing make almost any violation look cheap: but it must fall.
  const worst = kernels.block_violation(used, g, u, slotL1, units);
  const tolerance = Math.min(blockTolerance(solver, { l1, l2 }, aim), worst / 2);
  const own = { count: used, stride: shape.slots, G: lane.at('gram'), work: lane.at('block') };
  const end = solveBlock(lane, { ...own, l1: slotL1, l2: slotL2, g, u, units }, tolerance);
  solver.updates += end.updates;
  return takeChanges(solver, u);
}

function takeChanges({ lane, used }: Solver, next: number): { changes: number; shift: number } {
  const changes = lane.kernels.lasso_changes(
    ...([used, lane.at('slotList'), next, lane.at('u'), lane.at('means')] as const),
    ...([lane.at('scales'), lane.at('changed'), lane.at('changes'), lane.at('scan')] as const),
  );
  lane.share('changed', 0, changes * 4);
  lane.share('changes', 0, changes * 8);
  return { changes, shift: lane.arena.f64[lane.at('scan') / 8] ?? 0 };
}

/** Undoes the last block, where f32 second moments of almost equal columns have misled it. */
function revert(solver: Solver, changes: number): number {
  const { lane } = solver;
  const { i32, f64 } = lane.arena;
  let shift = 0;
  for (let k = 0; k < changes; k++) {
    const variable = i32[lane.at('changed') / 4 + k] ?? 0;
    const at = lane.at('changes') / 8 + k;
    const beta = f64[at] ?? 0;
    f64[at] = -beta;
    f64[lane.at('u') / 8 + variable]! += beta / (f64[lane.at('scales') / 8 + variable] ?? 1);
    shift += beta * (f64[lane.at('means') / 8 + variable] ?? 0);
  }
  lane.share('changes', 0, changes * 8);
  return shift;
}

/** One λ, from where the last one ended. The gradient of all is known before and after. */
export function* solveAt(solver: Solver, lambda: number, target: number): Phases<Solved> {
  const { lane } = solver;
  const { alpha, passes: passesMax } = lane.options;
  const penalty = { l1: lambda * alpha, l2: lambda * (1 - alpha) };
  let survivors: number | 'all' = 'all';
  let damping = 0;
  let passes = 0;
  let found = certify(solver, penalty, survivors);
  for (;;) {
    if (found.gap <= target || passes >= passesMax) {
      if (survivors === 'all') break;
      yield* gradient(solver, { changes: 0, shift: 0, survivors: 'all' });
      survivors = 'all';
      found = certify(solver, penalty, survivors);
      if (passes >= passesMax) break;
      continue;
    }
    passes += 1;
    const kept: number = screen(solver, penalty, { ...found, from: survivors });
    survivors = kept;
    lane.share('survivors', 0, kept * 4);
    yield* grow(solver, penalty, { survivors: kept, nonzeros: found.nonzeros });
    const gap = Math.max(0.3 * target, blockShare * found.gap);
    const step = block(solver, penalty, { ...found, gap, damping });
    yield* gradient(solver, { ...step, survivors });
    const after = certify(solver, penalty, survivors);
    if (after.objective <= found.objective * (1 + 1e-14) + 1e-14 * solver.scale) {
      found = after;
      damping *= 0.1;
      continue;
    }
    damping = Math.max(dampingFirst, 10 * damping);
    yield* gradient(solver, {
      ...{ changes: step.changes, shift: revert(solver, step.changes), survivors },
    });
    found = certify(solver, penalty, survivors);
  }
  const { objective, gap, nonzeros } = found;
  return { lambda, objective, gap, nonzeros, passes, held: sumCell(lane, cell.held) };
}
