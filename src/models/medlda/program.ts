// medlda by rotation, in rounds: topics, augmenting variables, weights. Objective and output are in
// model.ts.
//
//   sample    stratum t of a pass: part a of the documents draws its tokens of word block
//             (a + t) mod G; exact but for n_k, a copy of its own (as lda)
//   lambda    λ of the documents, and that no count was lost; by parts
//   weights   η_t of the classes: K × K systems over all documents, a class a worker at a time
//
// The first pass gives every token a topic at random.
// Random numbers come by (seed, clock, part or class): the result does not depend on threads.
import { assert } from '../../base/assert.ts';
import type { Range } from '../../base/ranges.ts';
import { defineProgram, type ScheduleContext } from '../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../program/steps.ts';
import { balance, ranges, stratum, type GridBlock } from '../../scheduler/rotation.ts';
import { corpusOf } from '../lda/layout.ts';
import { documentsOf } from '../lda/windows.ts';
import { exportCounts, measureTopics, prepare } from './counts.ts';
import {
  blockStart,
  medldaBuffers,
  openState,
  planTotals,
  result,
  resultsOf,
  rowBytesOf,
  streamOf,
  sum,
  sumCells,
  sumsAt,
  tokenStart,
  type MedldaContext,
  type MedldaOptions,
  type MedldaState,
} from './layout.ts';

type MedldaWork = { /** Of the random numbers. */ readonly clock: number } & (
  | { readonly kind: 'sample'; readonly blocks: readonly GridBlock[]; readonly opening: boolean }
  | { readonly kind: 'lambda'; readonly parts: Range }
  | { readonly kind: 'weights'; readonly classes: Range; readonly summed: boolean }
);
/** Of samples: tokens that changed their topic; of λ: how often a count was lost. */
type Found = number;
type Scheduler = ScheduleContext<MedldaOptions, StepState<MedldaWork, Found>>;
type Walk<T> = Generator<readonly MedldaWork[], T, readonly Found[]>;

/** Topics × classes × tokens of one call of a kernel, about: a few milliseconds. */
const callCells = 1 << 24;

/** The calls for documents [first, last), none of more than some milliseconds. */
function* callsOf(ctx: MedldaContext, { first, last }: Range): Generator<Range> {
  const tokens = tokenStart(ctx, last) - tokenStart(ctx, first);
  const cells = (tokens + last - first) * ctx.options.topics * corpusOf(ctx.data).classes.length;
  for (const call of ranges(last - first, Math.max(1, Math.ceil(cells / callCells)))) {
    ctx.poll();
    yield { first: first + call.first, last: first + call.last };
  }
}

function sampleBlock(
  ctx: MedldaContext,
  { row, column }: GridBlock,
  work: MedldaWork & { readonly kind: 'sample' },
): Found {
  const { kernels, arena, options, state } = ctx;
  const copy = ctx.buffer('copies') + row * options.topics * 4;
  const totals = ctx.buffer('totals');
  arena.u8.copyWithin(copy, totals, totals + options.topics * 4);
  arena.i32[state.plan / 4 + planTotals] = copy;
  const prng = streamOf(ctx, work.clock, row);
  const words = [blockStart(ctx, column), blockStart(ctx, column + 1)] as const;
  let changed = 0;
  for (const { first, last } of callsOf(ctx, documentsOf(ctx, row))) {
    const random = [prng.uint32(), prng.uint32()] as const;
    changed += work.opening
      ? kernels.medlda_open(first, last, ...words, ...random, state.plan)
      : kernels.medlda_sample(first, last, ...words, ...random, state.plan);
  }
  return changed;
}

/** Adds rows of a table up for the parts' totals; how many do not have the tokens they should. */
function lostRows(ctx: MedldaContext, rows: Range & { of: 'document' | 'word'; part: number }) {
  const { kernels, arena, options } = ctx;
  const { first, last, of, part } = rows;
  const totals = ctx.buffer(`${of}Totals`) + part * options.topics * 4;
  arena.i32.fill(0, totals / 4, totals / 4 + options.topics);
  const row = rowBytesOf(options);
  const starts = ctx.buffer(of === 'document' ? 'tokenStarts' : 'wordTokens') + first * 4;
  const table = ctx.buffer(`${of}Rows`) + first * row;
  return kernels.medlda_lost(last - first, options.topics, row, starts, table, totals);
}

/** λ of a part's documents; how many of them, or of the block's words, have lost a count. */
function drawLambda(ctx: MedldaContext, part: number, clock: number): Found {
  const { kernels, arena, state } = ctx;
  const sums = sumsAt(ctx, part);
  arena.f64.fill(0, sums / 8, sums / 8 + sumCells);
  const prng = streamOf(ctx, clock, part);
  arena.i32.set([prng.uint32(), prng.uint32()], state.random / 4);
  const range = documentsOf(ctx, part);
  for (const { first, last } of callsOf(ctx, range)) {
    const right = kernels.medlda_lambda(first, last, state.plan, sums, state.random);
    arena.f64[sums / 8 + sum.right]! += right;
  }
  const words = { first: blockStart(ctx, part), last: blockStart(ctx, part + 1) };
  const documents = lostRows(ctx, { ...range, of: 'document', part });
  return documents + lostRows(ctx, { ...words, of: 'word', part });
}

type Weights = MedldaWork & { readonly kind: 'weights' };

/** Draws η of class t; `summed`: its mean counts for what is saved. */
function drawWeights(ctx: MedldaContext, t: number, { clock, summed }: Weights): void {
  const { kernels, arena, state, options } = ctx;
  const { plan, system, side, work, random } = state;
  const { topics } = options;
  const all = { first: 0, last: corpusOf(ctx.data).documents };
  for (const { first, last } of callsOf(ctx, all)) {
    kernels.medlda_system(t, first, last, plan, system, side, work);
  }
  assert(kernels.cholesky(topics, system) === 0, 'medlda: I + Σ z̄ z̄ᵀ c² / λ is positive');
  const prng = streamOf(ctx, clock, t);
  arena.i32.set([prng.uint32(), prng.uint32()], random / 4);
  const sums = summed ? ctx.buffer('etaSums') + t * topics * 8 : 0;
  kernels.medlda_weights(t, plan, system, side, sums, work, random);
}

/** One stratum; returns how many tokens changed their topic. */
function* rotate(ctx: Scheduler, t: number, opening: boolean): Walk<number> {
  const { partitions: grid, clock } = ctx;
  const numberOf = ({ row, column }: GridBlock) => row * grid + column;
  const cost = ({ row }: GridBlock) => {
    const { first, last } = documentsOf(ctx, row);
    return tokenStart(ctx, last) - tokenStart(ctx, first);
  };
  const shares = balance(stratum(grid, t), ctx.workers, cost);
  ctx.began({ number: clock, picked: shares.flat().map(numberOf) });
  const changed = yield shares.map((blocks) => ({ kind: 'sample', blocks, clock, opening }));
  ctx.ended(clock);
  return changed.reduce((all, of) => all + of, 0);
}

/** All tokens once; returns the greatest Δ_t of the strata. */
function* sweep(ctx: Scheduler, pass: number): Walk<number> {
  const { kernels, partitions: grid, options } = ctx;
  const { tokens } = corpusOf(ctx.data);
  let [drift, topical] = [0, pass > 1 ? tokens : 0];
  for (let t = 0; t < grid; t++) {
    const changed = yield* rotate(ctx, t, pass === 1);
    if (pass === 1) topical += changed;
    const tables = [ctx.buffer('totals'), ctx.buffer('copies')] as const;
    const distance = kernels.lda_fold(options.topics, grid, topical, ...tables);
    assert(distance >= 0, 'medlda: Σ_k n_k is the tokens that have a topic');
    drift = Math.max(drift, distance / (grid * tokens));
  }
  return drift;
}

/** λ of all documents; every count is where it should be. */
function* augment(ctx: Scheduler): Walk<void> {
  const { kernels, partitions: grid, workers, clock, options } = ctx;
  const lost = yield ranges(grid, workers).map((parts) => ({ kind: 'lambda', parts, clock }));
  assert(
    lost.every((rows) => rows === 0),
    'medlda: Σ_k n_dk = N_d and Σ_k n_kw = N_w',
  );
  for (const name of ['documentTotals', 'wordTotals']) {
    const wrong = kernels.lda_lost(options.topics, grid, ctx.buffer('totals'), ctx.buffer(name));
    assert(wrong === 0, `medlda: ${name} of ${wrong} topics add up to n_k`);
  }
}

/** A sum over the parts, in their order. */
function sumOf(ctx: Scheduler, cell: number): number {
  let all = 0;
  for (let part = 0; part < ctx.partitions; part++) {
    all += ctx.arena.f64[sumsAt(ctx, part) / 8 + cell] ?? 0;
  }
  return all;
}

function* steps(ctx: Scheduler): Steps<MedldaWork, Found> {
  const { options, kernels, workers } = ctx;
  const { passes, samples, cost } = options;
  const { classes, tokens } = corpusOf(ctx.data);
  const results = resultsOf(ctx);
  prepare(ctx);
  for (let pass = 1; pass <= passes; pass++) {
    const drift = yield* sweep(ctx, pass);
    results[result.drift] = drift;
    yield* augment(ctx);
    const accuracy = sumOf(ctx, sum.right) / sumOf(ctx, sum.known);
    ctx.report({ pass, passes, drift, ...(pass > 1 && { accuracy }) });
    const summed = pass > passes - samples;
    const work = { kind: 'weights', summed, clock: ctx.clock } as const;
    yield ranges(classes.length, workers).map((own) => ({ ...work, classes: own }));
  }
  const { plan } = openState(ctx);
  const weights = ctx.buffer('weights');
  const squares = kernels.medlda_mean(samples, ctx.buffer('etaSums'), weights, plan);
  yield* augment(ctx);
  exportCounts(ctx);
  results[result.accuracy] = sumOf(ctx, sum.right) / sumOf(ctx, sum.known);
  const loss = 2 * cost * sumOf(ctx, sum.hinge) + squares / 2;
  results[result.objective] = (measureTopics(ctx) - loss) / tokens;
}

function push(ctx: MedldaContext, work: MedldaWork): Found {
  let found = 0;
  if (work.kind === 'sample') {
    for (const block of work.blocks) found += sampleBlock(ctx, block, work);
  } else if (work.kind === 'weights') {
    for (let t = work.classes.first; t < work.classes.last; t++) drawWeights(ctx, t, work);
  } else {
    for (let part = work.parts.first; part < work.parts.last; part++) {
      found += drawLambda(ctx, part, work.clock);
    }
  }
  return found;
}

export const medldaRotation = defineProgram<
  MedldaOptions,
  MedldaWork,
  MedldaState,
  StepState<MedldaWork, Found>,
  Found
>({
  name: 'medlda-rotation',
  tables: () => [],
  buffers: medldaBuffers,
  deltaBytes: () => 0,
  start: openState,
  conflict(ctx, a, b) {
    const grid = ctx.partitions;
    if (Math.floor(a / grid) === Math.floor(b / grid)) return 'they are of the same documents';
    return a % grid === b % grid ? 'they are of the same words' : undefined;
  },
  push,
  ...stepwise<MedldaOptions, MedldaWork, Found>(steps),
});
