// The workers' side of coordinate descent by phases: each step over one partition of the rows. The
// kernels' formulas stand in assembly/linear/phases.ts.
import { assert } from '../../../base/assert.ts';
import type { Samples } from '../../../data/dataset.ts';
import type { PushContext } from '../../../program/program.ts';
import { openRows, partitionRows } from '../../rows.ts';
import { measurePairs, type Audit } from './audit.ts';
import { addColumns, columnEntries, dots, moments, openColumns, type Columns } from '../columns.ts';
import {
  auditLine,
  cell,
  cellCount,
  isWeighted,
  phasesShape,
  slotOf,
  type PhasesOptions,
} from './layout.ts';

/** One partition: its columns, and vectors over its rows. */
type Part = {
  readonly columns: Columns;
  /** Sparse rows by directory, and a slot (i32) for each variable, 0 between two uses. */
  readonly rows: { readonly at: number; readonly slots: number };
  /** Targets: numbers less their mean, or ±1. */
  readonly y: number;
  /** Scores without their offset; square loss: less the targets. */
  readonly z: number;
  /** What rows weigh; 0: all 1. */
  readonly weights: number;
  /** Slopes of the loss: for the square loss that is z. */
  readonly g: number;
  /** All zeros between two uses. */
  readonly column: number;
};

export type PhasesState = { readonly parts: Map<number, Part> };
type PhasesContext = PushContext<PhasesOptions, PhasesState>;

/** Phases from … to − 1: their changes are to be taken in. */
type Taken = { readonly from: number; readonly to: number };
/** Of `count` candidates the first `fresh` are new: their products with all are wanted. */
type Moments = { readonly count: number; readonly fresh: number };
/** Where scores are meant: offset t, slopes times s0 or s1 by class. */
type At = { readonly t: number; readonly s0: number; readonly s1: number };

export type PhaseStep =
  | { readonly kind: 'start' }
  | { readonly kind: 'squares'; readonly mean: number }
  | { readonly kind: 'reset' }
  | ({ readonly kind: 'moments' } & Moments)
  | ({ readonly kind: 'audit' } & Audit)
  | ({ readonly kind: 'phase'; readonly phase: number; readonly t: number } & Taken)
  | ({ readonly kind: 'measure' } & At & Taken)
  | ({ readonly kind: 'gradient' } & At)
  | { readonly kind: 'entropy'; readonly s: number };
export type PhaseWork = PhaseStep & { readonly first: number; readonly last: number };

const cellsOf = (ctx: PhasesContext, p: number) => ctx.buffer('cells') + p * cellCount * 8;
const gradientOf = (ctx: PhasesContext, p: number) =>
  ctx.buffer('gradients') + p * phasesShape(ctx).variables * 8;

function clear(ctx: PhasesContext, at: number, count: number): number {
  ctx.arena.f64.fill(0, at / 8, at / 8 + count);
  return at;
}

function partOf(ctx: PhasesContext, p: number): Part {
  const part = ctx.state.parts.get(p);
  assert(part !== undefined, 'a partition stays with the worker that opened it');
  return part;
}

/** Of this worker's sparse partitions: they are not used at the same time. */
function slotsOf(ctx: PhasesContext, { dense, columns }: Columns): number {
  if (dense || phasesShape(ctx).candidates === 0) return 0;
  const [known] = ctx.state.parts.values();
  if (known !== undefined) return known.rows.slots;
  const at = ctx.arena.allocate(columns * 4);
  ctx.arena.i32.fill(0, at / 4, at / 4 + columns);
  return at;
}

/** Opens the columns; the sums of each, and of the targets. */
function start(ctx: PhasesContext, p: number): void {
  const { arena, kernels, state, options } = ctx;
  const data = ctx.data as Samples;
  const range = partitionRows(data.rows, ctx.partitions, p);
  const columns = openColumns(ctx, data, range);
  const directory = openRows(ctx, data, range);
  const vector = () => clear(ctx, arena.allocate(columns.length * 8 + 16), columns.length + 2);
  const [y, z, column] = [vector(), vector(), vector()];
  const g = options.loss === 'square' ? z : vector();
  const weights = isWeighted(options) ? vector() : 0;
  const rows = { at: directory.at, slots: slotsOf(ctx, columns) };
  state.parts.set(p, { columns, rows, y, z, weights, g, column });
  kernels.phase_targets(data.labels === 'number' ? 1 : 0, columns.rows, directory.at, y);
  kernels.phase_square_sums(columns.rows, 0, z, y, clear(ctx, cellsOf(ctx, p), cellCount));
  moments(ctx, columns, { sums: gradientOf(ctx, p), squares: 0 });
}

/** Scores of w = 0; targets less their mean. */
function reset(ctx: PhasesContext, p: number, mean: number): void {
  const { columns, y, z } = partOf(ctx, p);
  if (ctx.options.loss === 'square') ctx.kernels.phase_residuals(columns.rows, mean, y, z);
  else clear(ctx, z, columns.rows);
}

/** The weights of both classes. */
const classWeights = (ctx: PhasesContext) => {
  const at = ctx.buffer('classWeights') / 8;
  return [ctx.arena.f64[at] ?? 1, ctx.arena.f64[at + 1] ?? 1] as const;
};

/** The weighted squares of each column about its mean. */
function squares(ctx: PhasesContext, p: number, mean: number): void {
  const { columns, weights, y } = partOf(ctx, p);
  reset(ctx, p, mean);
  const out = { centres: ctx.buffer('means'), sums: 0, squares: gradientOf(ctx, p) };
  if (weights === 0) return moments(ctx, columns, out);
  ctx.kernels.phase_row_weights(columns.rows, ...classWeights(ctx), y, weights);
  // Σ w of the rows, as a sum of slopes.
  const sums = clear(ctx, cellsOf(ctx, p), cellCount);
  ctx.kernels.phase_square_sums(columns.rows, 0, y, weights, sums);
  const total = ctx.arena.f64[sums / 8 + cell.slopes] ?? 0;
  moments(ctx, columns, { ...out, weights, total });
}

/**
 * Products of the new candidates with all: a line of `count` for each. By columns, that is every
 * candidate's entries for each new one; or by the rows in which a new one occurs, where that is
 * less: a rare column then costs nothing but its own few rows.
 */
function products(ctx: PhasesContext, p: number, { count, fresh }: Moments): void {
  const { columns, rows, column } = partOf(ctx, p);
  const { i32, f64 } = ctx.arena;
  const list = ctx.buffer('candidates');
  const out = ctx.buffer('moments') + p * fresh * count * 8;
  const entries = (k: number) => {
    const whole = { count: columns.rows, at: 0 };
    return columns.dense ? whole : columnEntries(ctx, columns, i32[list / 4 + k] ?? 0);
  };
  let all = 0;
  for (let k = 0; k < count; k++) all += entries(k).count;
  const rowLength = columns.nonzeros / Math.max(1, columns.rows);
  const one = ctx.scratch.at;
  const slots = rows.slots;
  if (!columns.dense) ctx.kernels.phase_mark(count, list, slots, 1);
  for (let k = 0; k < fresh; k++) {
    const to = out + k * count * 8;
    const own = entries(k);
    if (!columns.dense && own.count * rowLength < all) {
      ctx.kernels.phase_products(count, own.count, own.at, rows.at, slots, to);
      continue;
    }
    const alone = { list: { at: list + k * 4, count: 1 }, a: one, v: column };
    f64[one / 8] = 1;
    addColumns(ctx, columns, alone);
    dots(ctx, columns, { list: { at: list, count }, v: column, out: to });
    // x − x is 0, to the bit.
    f64[one / 8] = -1;
    addColumns(ctx, columns, alone);
  }
  if (!columns.dense) ctx.kernels.phase_mark(count, list, slots, 0);
}

const listOf = (ctx: PhasesContext, phase: number) => {
  const { list } = slotOf(ctx, phase);
  return { at: list.at + 4, count: ctx.arena.i32[list.at / 4] ?? 0 };
};

/** Takes the changes of phases in, one phase after the other. */
function takeIn(ctx: PhasesContext, { columns, z }: Part, { from, to }: Taken): void {
  for (let phase = from; phase < to; phase++) {
    const { changes } = slotOf(ctx, phase);
    addColumns(ctx, columns, { list: listOf(ctx, phase), a: changes.at, v: z });
  }
}

function slopes(ctx: PhasesContext, { columns, y, z, g }: Part, { t, s0, s1 }: At, sums: number) {
  const [c0, c1] = classWeights(ctx);
  ctx.kernels.phase_logistic_slopes(columns.rows, t, c0, c1, s0, s1, y, z, g, sums);
}

function phase(ctx: PhasesContext, p: number, work: PhaseStep & { readonly kind: 'phase' }): void {
  const part = partOf(ctx, p);
  takeIn(ctx, part, work);
  const { size } = phasesShape(ctx);
  const { at } = slotOf(ctx, work.phase).sums(p);
  const sums = clear(ctx, at + size * 8, cellCount);
  if (ctx.options.loss === 'logistic') slopes(ctx, part, { t: work.t, s0: 1, s1: 1 }, sums);
  dots(ctx, part.columns, { list: listOf(ctx, work.phase), v: part.g, out: at });
}

function measure(ctx: PhasesContext, p: number, work: At & Taken): void {
  const part = partOf(ctx, p);
  takeIn(ctx, part, work);
  const sums = clear(ctx, cellsOf(ctx, p), cellCount);
  if (ctx.options.loss === 'logistic') slopes(ctx, part, work, sums);
  else ctx.kernels.phase_square_sums(part.columns.rows, work.t, part.y, part.z, sums);
}

function gradient(ctx: PhasesContext, p: number, at: At): void {
  const part = partOf(ctx, p);
  const { loss } = ctx.options;
  if (loss === 'logistic') slopes(ctx, part, at, clear(ctx, cellsOf(ctx, p), cellCount));
  dots(ctx, part.columns, { list: 'all', v: part.g, out: gradientOf(ctx, p) });
}

function entropy(ctx: PhasesContext, p: number, s: number): void {
  const { columns, y, g } = partOf(ctx, p);
  const cells = cellsOf(ctx, p) / 8;
  const [c0, c1] = classWeights(ctx);
  ctx.arena.f64[cells] = ctx.kernels.phase_logistic_entropy(columns.rows, s, c0, c1, y, g);
}

function doStep(ctx: PhasesContext, p: number, work: PhaseWork): void {
  switch (work.kind) {
    case 'start':
      return start(ctx, p);
    case 'squares':
      return squares(ctx, p, work.mean);
    case 'reset':
      return reset(ctx, p, 0);
    case 'moments':
      return products(ctx, p, work);
    case 'audit': {
      const [list, line] = [ctx.buffer('candidates'), auditLine(phasesShape(ctx)) * 8];
      const { count, fresh } = work;
      const out = ctx.buffer('audit') + p * line;
      return measurePairs(ctx, partOf(ctx, p), { count, fresh, list, out });
    }
    case 'phase':
      return phase(ctx, p, work);
    case 'measure':
      return measure(ctx, p, work);
    case 'gradient':
      return gradient(ctx, p, work);
    case 'entropy':
      return entropy(ctx, p, work.s);
  }
}

/** Shares what a step over the partitions [first, last) has written. */
function share(ctx: PhasesContext, work: PhaseWork): void {
  const { first, last } = work;
  const { variables } = phasesShape(ctx);
  const lines = (name: string, bytes: number) =>
    ctx.share(name, first * bytes, (last - first) * bytes);
  if (work.kind === 'phase') {
    const { sums, line } = slotOf(ctx, work.phase);
    ctx.share('sums', sums(first).offset, (last - first) * line);
  } else if (work.kind === 'audit') lines('audit', auditLine(phasesShape(ctx)) * 8);
  else if (work.kind === 'moments') lines('moments', work.fresh * work.count * 8);
  else if (work.kind !== 'reset') {
    lines('cells', cellCount * 8);
    const { kind } = work;
    if (kind === 'start' || kind === 'squares' || kind === 'gradient') {
      lines('gradients', variables * 8);
    }
  }
}

export function pushPhase(ctx: PhasesContext, work: PhaseWork): void {
  for (let p = work.first; p < work.last; p++) doStep(ctx, p, work);
  if (work.first < work.last) share(ctx, work);
}
