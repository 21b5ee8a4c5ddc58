// The works of the row by row solvers, and how they are shared out over workers and hosts.
import type { Range } from '../../../base/ranges.ts';
import type { ScheduleContext } from '../../../program/program.ts';
import type { StepState } from '../../../program/steps.ts';
import { ranges } from '../../../scheduler/rotation.ts';
import { chunksOn } from '../hosts.ts';
import { ratingsOf } from '../prepare.ts';
import { rowsShape, type RowsOptions, type Side } from './layout.ts';
import type { SolveWork } from './solve.ts';

type ChunkPhase = 'count' | 'test' | 'sortTest';
type PartPhase = 'measure' | 'pack' | 'rank';
type SidePhase = 'partition' | 'build' | 'first' | 'moments';
export type RowsWork =
  | SolveWork
  | { readonly kind: ChunkPhase | PartPhase; readonly items: Range }
  | { readonly kind: SidePhase; readonly side: Side; readonly items: Range };

export type Scheduler = ScheduleContext<RowsOptions, StepState<RowsWork, void>>;
export type Walk<T> = Generator<readonly RowsWork[], T, readonly void[]>;

/** The works of each host's workers, one host's behind the other's. */
export function eachHost(
  ctx: Scheduler,
  count: (host: number) => number,
  work: (items: Range) => RowsWork,
): readonly RowsWork[] {
  return ctx.hosts.flatMap(({ first, last }, host) => {
    const none = { first: 0, last: 0 };
    const shares = last > first ? ranges(count(host), last - first) : [none];
    return shares.slice(0, last - first).map(work);
  });
}

export function onChunks(
  ctx: Scheduler,
  data: Parameters<typeof chunksOn>[0],
  work: (items: Range) => RowsWork,
): readonly RowsWork[] {
  return eachHost(ctx, (host) => chunksOn(data, host).length, work);
}

/** Parts over all workers, each on the host that has it. */
export function onParts(ctx: Scheduler, work: (parts: Range) => RowsWork): readonly RowsWork[] {
  return ranges(rowsShape(ratingsOf(ctx.data), ctx.options).grid, ctx.workers).map(work);
}
