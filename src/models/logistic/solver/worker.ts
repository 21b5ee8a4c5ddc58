// The workers' side of binary logistic regression: each phase over one partition of the rows. The
// formulas stand above the kernels in assembly/logistic/.
import { createPrng } from '../../../base/prng.ts';
import type { Context, PushContext } from '../../../program/program.ts';
import { drawOrder } from '../../orders.ts';
import { openRowsAt, partitionRows, storageCode, unpackBytes } from '../../rows.ts';
import { openCycles, turnCycles } from './cycles.ts';
import { triangleBytes } from './gram.ts';
import {
  cell,
  shapeOf,
  sumsLine,
  type Answer,
  type LogisticOptions,
  type Phase,
  type Work,
} from './layout.ts';

export type LogisticState = { readonly work: number };
type Push = PushContext<LogisticOptions, LogisticState>;
type Of<Kind extends Phase['kind']> = Extract<Phase, { kind: Kind }>;

/** Rows of one kernel call: about a millisecond. */
const chunkRows = 2048;
/** Rows of a group of the dual ascent, as in assembly/logistic/ascent.ts, and groups of a call. */
const groupRows = 32;
const chunkGroups = chunkRows / groupRows;

export function startLogistic(ctx: Context<LogisticOptions>): LogisticState {
  const { data } = shapeOf(ctx);
  return { work: ctx.arena.allocate(unpackBytes(data, 64 + 12 * (data.columns + 2))) };
}

type Slice = {
  readonly row: number;
  readonly count: number;
  /** Storage, count, directory, d, scale: what kernels over rows begin with. */
  readonly head: readonly [number, number, number, number, number];
  readonly directory: number;
  readonly z: number;
  readonly q: number;
  readonly h: number;
  readonly before: number;
};

/** Calls `each` with pieces of partition p's rows, in order. */
function slices(ctx: Push, p: number, each: (slice: Slice) => void): void {
  const { data } = shapeOf(ctx);
  const { first, last } = partitionRows(data.rows, ctx.partitions, p);
  const of = (name: string, row: number) => ctx.buffer(name) + row * 8;
  for (let row = first; row < last; row += chunkRows) {
    ctx.poll();
    const count = Math.min(chunkRows, last - row);
    const directory = ctx.buffer('directory') + row * 16;
    const head = [storageCode[data.storage], count, directory, data.columns, data.scale] as const;
    const [z, q, h, before] = [of('z', row), of('q', row), of('h', row), of('before', row)];
    each({ row, count, directory, head, z, q, h, before });
  }
}

const lineOf = (ctx: Push, p: number) => ctx.buffer('sums') + p * sumsLine;

/** Partition p's vector, cleared. */
function partOf(ctx: Push, p: number): number {
  const { bytes } = shapeOf(ctx);
  const at = ctx.buffer('parts') + p * bytes;
  ctx.arena.u8.fill(0, at, at + bytes);
  return at;
}

/** The row directory; all scores are 0. */
function open(ctx: Push, p: number): Answer {
  const { data } = shapeOf(ctx);
  const { kernels, arena } = ctx;
  const range = partitionRows(data.rows, ctx.partitions, p);
  openRowsAt(ctx, data, range, ctx.buffer('directory') + range.first * 16);
  const { first, last } = range;
  for (const name of ['z', 'q', 'h']) {
    arena.u8.fill(0, ctx.buffer(name) + first * 8, ctx.buffer(name) + last * 8);
  }
  const line = lineOf(ctx, p) / 8;
  arena.f64.fill(0, line, line + sumsLine / 8);
  const entries = ctx.buffer('directory') + first * 16;
  arena.f64[line + cell.positives] = kernels.directory_count(last - first, 1, entries);
  return 0;
}

function advance(ctx: Push, p: number, { c0, c1, taken, t, fresh }: Of<'advance'>): Answer {
  const { kernels, arena, state } = ctx;
  const v = fresh ? ctx.buffer('vector') : 0;
  const g = partOf(ctx, p);
  const line = lineOf(ctx, p);
  arena.f64.fill(0, line / 8, line / 8 + cell.wrong + 1);
  slices(ctx, p, ({ head, z, q, h, before }) => {
    const places = [v, z, q, h, before, g, line, state.work] as const;
    kernels.logistic_advance(...head, c0, c1, taken, t, ...places);
  });
  return 0;
}

function product(ctx: Push, p: number): Answer {
  const out = partOf(ctx, p);
  slices(ctx, p, ({ head, h }) => {
    ctx.kernels.logistic_product(...head, h, ctx.buffer('vector'), out, ctx.state.work);
  });
  return 0;
}

function diagonal(ctx: Push, p: number): Answer {
  const out = partOf(ctx, p);
  slices(ctx, p, ({ head, h }) => {
    ctx.kernels.logistic_diagonal(...head, h, out, ctx.state.work);
  });
  return 0;
}

function dual(ctx: Push, p: number, { c0, c1, s0, s1, t, along }: Of<'dual'>): Answer {
  const out = partOf(ctx, p);
  slices(ctx, p, ({ head, z, q, before }) => {
    const factors = [c0, c1, s0, s1, t, along ? before : 0] as const;
    ctx.kernels.logistic_dual(...head, ...factors, z, q, out, ctx.state.work);
  });
  return 0;
}

function entropy(ctx: Push, p: number, { c0, c1, s0, s1, t, along }: Of<'entropy'>): Answer {
  const sums = lineOf(ctx, p) + cell.dualEntropy * 8;
  ctx.arena.f64.fill(0, sums / 8, sums / 8 + 3);
  slices(ctx, p, ({ count, directory, z, q, before }) => {
    const factors = [c0, c1, s0, s1, t, along ? before : 0] as const;
    ctx.kernels.logistic_entropy(count, directory, ...factors, z, q, sums);
  });
  return 0;
}

function gram(ctx: Push, p: number, { k, step }: Of<'gram'>): Answer {
  const bytes = triangleBytes(k);
  const out = ctx.buffer('gram') + p * bytes;
  ctx.arena.u8.fill(0, out, out + bytes);
  slices(ctx, p, ({ head, h }) => {
    const [storage, count, directory, d, scale] = head;
    const map = ctx.buffer('map');
    ctx.kernels.logistic_gram(
      ...([storage, count, step, directory, d, scale, h, map, k, out, ctx.state.work] as const),
    );
  });
  return 0;
}

function norms(ctx: Push, p: number): Answer {
  let total = 0;
  slices(ctx, p, ({ count, directory, row }) => {
    total += ctx.kernels.logistic_norms(count, directory, ctx.buffer('norms') + row * 8);
    ctx.arena.f64.fill(0, ctx.buffer('alpha') / 8 + row, ctx.buffer('alpha') / 8 + row + count);
  });
  ctx.arena.f64[lineOf(ctx, p) / 8 + cell.norms] = total;
  return 0;
}

/** Part of a pass of the dual ascent, from the weights that all sent, on weights of its own. */
function round(ctx: Push, p: number, { pass, round: turn, rounds, ...of }: Of<'round'>): Answer {
  const { kernels, arena, seed, partitions } = ctx;
  const { data, bytes } = shapeOf(ctx);
  const { first, last } = partitionRows(data.rows, partitions, p);
  const w = ctx.buffer('parts') + p * bytes;
  arena.u8.copyWithin(w, ctx.buffer('vector'), ctx.buffer('vector') + bytes);
  const sums = lineOf(ctx, p) + cell.met * 8;
  if (turn === 0) arena.f64.fill(0, sums / 8, sums / 8 + 2);
  if (first === last) return 0;
  const groups = Math.ceil((last - first) / groupRows);
  const { a, c } = drawOrder(createPrng(seed, pass * partitions + p), groups);
  const end = Math.floor((groups * (turn + 1)) / rounds);
  const rowsAt = (name: string, rowBytes: number) => ctx.buffer(name) + first * rowBytes;
  const own = [last - first, rowsAt('directory', 16), data.columns, of.c0, of.c1] as const;
  const scales = [of.inverse, of.boost, of.lanes] as const;
  const places = [w, rowsAt('alpha', 8), rowsAt('norms', 8), sums] as const;
  for (let from = Math.floor((groups * turn) / rounds); from < end; from += chunkGroups) {
    ctx.poll();
    const to = Math.min(from + chunkGroups, end);
    kernels.logistic_ascent(...([from, to, groups, a, c] as const), ...own, ...scales, ...places);
  }
  return 0;
}

/** Does a phase for one partition. */
function doPhase(ctx: Push, p: number, phase: Exclude<Phase, { kind: 'cycles' }>): Answer {
  switch (phase.kind) {
    case 'open':
      return open(ctx, p);
    case 'advance':
      return advance(ctx, p, phase);
    case 'product':
      return product(ctx, p);
    case 'diagonal':
      return diagonal(ctx, p);
    case 'dual':
      return dual(ctx, p, phase);
    case 'entropy':
      return entropy(ctx, p, phase);
    case 'gram':
      return gram(ctx, p, phase);
    case 'norms':
      return norms(ctx, p);
    case 'columns':
      openCycles(ctx, p);
      return 0;
    case 'round':
      return round(ctx, p, phase);
  }
}

/** What each phase writes for the scheduler: its partitions' parts of these buffers. */
const written = {
  open: ['sums'],
  advance: ['sums', 'parts'],
  product: ['parts'],
  diagonal: ['parts'],
  dual: ['parts'],
  entropy: ['sums'],
  gram: ['gram'],
  norms: ['sums'],
  columns: [],
  round: ['sums', 'parts'],
} as const;

/** A phase over a worker's partitions, and what other hosts are to see of it. */
export function pushLogistic(ctx: Push, work: Work): Answer {
  // Of all rows at once; on one host, so that nothing has to be shared.
  if (work.kind === 'cycles') return turnCycles(ctx, work);
  let answer = 0;
  for (let p = work.first; p < work.last; p++) answer += doPhase(ctx, p, work);
  const k = work.kind === 'gram' ? work.k : 0;
  const bytes = { sums: sumsLine, parts: shapeOf(ctx).bytes, gram: triangleBytes(k) };
  for (const name of written[work.kind]) {
    ctx.share(name, work.first * bytes[name], (work.last - work.first) * bytes[name]);
  }
  return answer;
}
