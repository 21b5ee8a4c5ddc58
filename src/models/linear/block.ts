// Solves a block's subproblem (assembly/linear/block.ts) to a tolerance:
//
//   min_u  g'(u − u₀) + ½ (u − u₀)' (G + diag λ₂) (u − u₀) + Σ_j λ₁_j |u_j|
//
//   active variables (u ≠ 0, or violating) ─▶ their part of G, put together
//     sweeps of coordinate descent ⇄ conjugate gradients on the free ones, until they are optimal
//   ─▶ gradients of the whole block ─▶ new violations: again
//
// The slots' memory belongs to the caller: g and u are read and written, `work` is blockBytes.
import type { Context } from '../../program/program.ts';

type Place = Pick<Context<unknown>, 'kernels' | 'poll'>;

/** Byte offsets of a block: G f32 with rows of `stride` (a multiple of 4), the others f64. */
export type Block = {
  readonly count: number;
  readonly stride: number;
  readonly G: number;
  readonly l1: number;
  readonly l2: number;
  readonly g: number;
  readonly u: number;
  /** What a variable's violation is measured in; ones when absent. */
  readonly units?: number;
  readonly work: number;
};

export type BlockEnd = {
  /** The largest violation of optimality left, in its unit, by the gradients that G gives. */
  readonly violation: number;
  /** Coordinate updates and steps of conjugate gradients, each times the active variables. */
  readonly updates: number;
};

/** Rounds of active set, and of sweeps and steps within: bounds, not aims. */
const roundsMax = 20;
const cyclesMax = 150;
const sweepsPerCycle = 4;
const steps = { first: 8, most: 256 } as const;

const padded = (count: number) => (count + 3) & ~3;

/** Bytes of `work` of a block of up to `count` variables. */
export function blockBytes(count: number): number {
  const size = padded(count);
  return size * size * 4 + 12 * size * 8 + 64;
}

/** Places in `work`: the active part of G, its vectors, the list of active variables. */
function openWork({ work, count }: Block) {
  const size = padded(count);
  const vector = (index: number) => work + size * size * 4 + index * size * 8;
  return {
    ...{ G: work, l1: vector(0), l2: vector(1), g: vector(2), u: vector(3), before: vector(4) },
    ...{ direction: vector(5), vectors: vector(6), list: vector(10) },
    units: vector(11),
  };
}

/** Solves until no violation is above `tolerance`, or the bounds are reached. */
export function solveBlock(ctx: Place, block: Block, tolerance: number): BlockEnd {
  const { kernels } = ctx;
  const { count, stride, G, l1, l2, g, u, units = 0 } = block;
  const own = openWork(block);
  let updates = 0;
  for (let round = 0; round < roundsMax; round++) {
    const violation = kernels.block_violation(count, g, u, l1, units);
    if (violation <= tolerance) return { violation, updates };
    ctx.poll();
    const active = kernels.block_active(count, g, u, l1, own.list);
    const width = padded(active);
    kernels.block_gather(active, own.list, stride, G, width, own.G);
    for (const [from, to] of [
      [l1, own.l1],
      [l2, own.l2],
      [g, own.g],
      [u, own.u],
      [u, own.before],
      [units, own.units],
    ] as const) {
      if (from !== 0) kernels.f64_gather(active, own.list, from, to);
    }
    updates += solveActive(
      ctx,
      { ...own, ...{ count: active, stride: width }, ...(units === 0 && { units }) },
      tolerance / 2,
    );
    kernels.f64_scatter(active, own.list, own.u, u);
    kernels.f64_subtract(active, own.before, own.u);
    kernels.block_apply(count, active, own.list, stride, G, l2, own.u, g);
  }
  return { violation: kernels.block_violation(count, g, u, l1, units), updates };
}

type Active = ReturnType<typeof openWork> & { readonly count: number; readonly stride: number };

/** The same on the active variables alone. */
function solveActive(ctx: Place, active: Active, tolerance: number): number {
  const { kernels } = ctx;
  const { count, stride, G, l1, l2, g, u, units, direction, vectors } = active;
  let updates = 0;
  let limit: number = steps.first;
  for (let cycle = 0; cycle < cyclesMax; cycle++) {
    ctx.poll();
    for (let sweep = 0; sweep < sweepsPerCycle; sweep++) {
      updates += count;
      if (kernels.block_sweep(count, stride, G, l1, l2, g, u, units) <= tolerance) break;
    }
    if (kernels.block_violation(count, g, u, l1, units) <= tolerance) break;
    const matrix = [G, l1, l2, g, u, direction, vectors] as const;
    updates += count * kernels.block_newton(count, stride, limit, 1e-3, ...matrix);
    // Signs that change say that the support is not known yet: then few steps do.
    const moved = kernels.block_line(count, stride, ...matrix);
    limit = moved === 1 ? Math.min(2 * limit, steps.most) : steps.first;
    if (kernels.block_violation(count, g, u, l1, units) <= tolerance) break;
  }
  return updates;
}
