// medlda by rotation, in rounds: topics, augmenting variables, weights. Objective and output are in
// model.ts.
//
//   sample    stratum t of a pass: part a of the documents draws its tokens of word block
//             (a + t) mod G; exact but for n_k, a copy of its own (as lda)
//   lambda    λ of the documents, and that no count was lost; by parts
//   weights   η_t of the classes: K × K systems over all documents (weights.ts)
//
// The first pass gives every token a topic at random. On several hosts documents stay where they
// lie and blocks of words go round.
//
// Random numbers come by (seed, round, part or class), copies are folded in the order of parts, and
// systems summed in that of documents: the result does not depend on threads or hosts.
import { assert } from '../../base/assert.ts';
import type { Range } from '../../base/ranges.ts';
import { defineProgram, type ScheduleContext } from '../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../program/steps.ts';
import { balance, ranges, stratum, type GridBlock } from '../../scheduler/rotation.ts';
import { corpusOf } from '../lda/layout.ts';
import { documentsOf } from '../lda/windows.ts';
import { hostOfWorker, hostParts, workerNear } from '../mf/hosts.ts';
import { countHere, cutWords, exportCounts, measureTopics, placeHere } from './counts.ts';
import {
  blockStart,
  callsOf,
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
import { drawWeights, weightsSteps, type WeightsWork } from './weights.ts';

type MedldaWork =
  | { readonly kind: 'count' }
  | {
      readonly kind: 'place';
      /** Of each host's first token. */ readonly places: readonly number[];
    }
  | {
      readonly kind: 'sample';
      readonly blocks: readonly GridBlock[];
      readonly opening: boolean;
      /** Of the random numbers. */
      readonly round: number;
    }
  | {
      readonly kind: 'lambda';
      readonly parts: Range;
      readonly round: number;
      /** The counts of words count for the mean. */
      readonly summed: boolean;
    }
  | WeightsWork
  | { readonly kind: 'collect'; readonly parts: Range };
/** Counted tokens; of samples those that changed their topic; of λ how often a count was lost. */
type Found = number;
type Scheduler = ScheduleContext<MedldaOptions, StepState<MedldaWork, Found>>;
type Walk<T> = Generator<readonly MedldaWork[], T, readonly Found[]>;

function sampleBlock(
  ctx: MedldaContext,
  { row, column }: GridBlock,
  work: MedldaWork & { readonly kind: 'sample' },
): Found {
  const { partitions: grid } = ctx;
  const { kernels, arena, options, state } = ctx;
  const copy = ctx.buffer('copies') + row * options.topics * 4;
  const totals = ctx.buffer('totals');
  arena.u8.copyWithin(copy, totals, totals + options.topics * 4);
  arena.i32[state.plan / 4 + planTotals] = copy;
  const prng = streamOf(ctx, work.round, row);
  const words = [blockStart(ctx, column), blockStart(ctx, column + 1)] as const;
  let changed = 0;
  for (const { first, last } of callsOf(ctx, documentsOf(ctx, row))) {
    const random = [prng.uint32(), prng.uint32()] as const;
    changed += work.opening
      ? kernels.medlda_open(first, last, ...words, ...random, state.plan)
      : kernels.medlda_sample(first, last, ...words, ...random, state.plan);
  }
  ctx.share('copies', row * options.topics * 4, options.topics * 4);
  const to = workerNear(ctx, grid, (row + grid - 1) % grid);
  shareWords(ctx, column, { name: 'wordRows', to });
  return changed;
}

/** Sends the rows of a block of words to a worker's host, or to the scheduler's. */
function shareWords(
  ctx: MedldaContext,
  block: number,
  { name, to }: { readonly name: 'wordRows' | 'meanRows'; readonly to?: number },
): void {
  const row = rowBytesOf(ctx.options);
  const [first, last] = [blockStart(ctx, block), blockStart(ctx, block + 1)];
  ctx.share(name, first * row, (last - first) * row, to);
}

/** Adds rows of a table up for the parts' totals; how many do not have the tokens they should. */
function lostRows(ctx: MedldaContext, rows: Range & { of: 'document' | 'word'; part: number }) {
  const { kernels, arena, options } = ctx;
  const { first, last, of, part } = rows;
  const skip = part * options.topics * 4;
  const totals = ctx.buffer(`${of}Totals`) + skip;
  arena.i32.fill(0, totals / 4, totals / 4 + options.topics);
  ctx.share(`${of}Totals`, skip, options.topics * 4);
  const row = rowBytesOf(options);
  const starts = ctx.buffer(of === 'document' ? 'tokenStarts' : 'wordTokens') + first * 4;
  const table = ctx.buffer(`${of}Rows`) + first * row;
  return kernels.medlda_lost(last - first, options.topics, row, starts, table, totals);
}

type Lambda = MedldaWork & { readonly kind: 'lambda' };

/** λ of a part's documents; how many of them, or of the block's words, have lost a count. */
function drawLambda(ctx: MedldaContext, part: number, { round, summed }: Lambda): Found {
  const { kernels, arena, state } = ctx;
  const sums = sumsAt(ctx, part);
  arena.f64.fill(0, sums / 8, sums / 8 + sumCells);
  ctx.share('sums', sums - ctx.buffer('sums'), sumCells * 8);
  const prng = streamOf(ctx, round, part);
  arena.i32.set([prng.uint32(), prng.uint32()], state.random / 4);
  const range = documentsOf(ctx, part);
  for (const { first, last } of callsOf(ctx, range)) {
    const right = kernels.medlda_lambda(first, last, state.plan, sums, state.random);
    arena.f64[sums / 8 + sum.right]! += right;
  }
  if (summed) addWords(ctx, part);
  const words = { first: blockStart(ctx, part), last: blockStart(ctx, part + 1) };
  const documents = lostRows(ctx, { ...range, of: 'document', part });
  return documents + lostRows(ctx, { ...words, of: 'word', part });
}

/** Adds the rows of a block of words up for the mean: after each pass it is here. */
function addWords(ctx: MedldaContext, block: number): void {
  const row = rowBytesOf(ctx.options);
  const [first, last] = [blockStart(ctx, block), blockStart(ctx, block + 1)];
  const [rows, means] = [ctx.buffer('wordRows'), ctx.buffer('meanRows')];
  ctx.kernels.i32_add(((last - first) * row) / 4, rows + first * row, means + first * row);
}

/** What is to be saved of a part's documents, and of the block of words of its number. */
function collect(ctx: MedldaContext, part: number): void {
  const row = rowBytesOf(ctx.options);
  const { first, last } = documentsOf(ctx, part);
  ctx.share('documentRows', first * row, (last - first) * row);
  for (const name of ['wordRows', 'meanRows'] as const) shareWords(ctx, part, { name });
}

/** Words are counted and cut into blocks, and tokens placed: once on each host. */
function* prepare(ctx: Scheduler): Walk<void> {
  const all = <T extends MedldaWork>(work: T): readonly T[] =>
    Array.from({ length: ctx.workers }, () => work);
  const tokens = yield all({ kind: 'count' });
  let place = 0;
  const places = ctx.hosts.map(({ first, last }) => {
    const at = place;
    place = tokens.slice(first, last).reduce((sum, own) => sum + own, at);
    return at;
  });
  assert(place === corpusOf(ctx.data).tokens, 'a corpus has as many tokens as it says');
  cutWords(ctx);
  yield all({ kind: 'place', places });
}

/** One stratum; returns how many tokens changed their topic. */
function* rotate(ctx: Scheduler, t: number, pass: number): Walk<number> {
  const { partitions: grid, clock: number } = ctx;
  const numberOf = ({ row, column }: GridBlock) => row * grid + column;
  const cost = ({ row }: GridBlock) => {
    const { first, last } = documentsOf(ctx, row);
    return tokenStart(ctx, last) - tokenStart(ctx, first);
  };
  const shares = ctx.hosts.flatMap((cast, host) => {
    const { first, last } = hostParts(ctx, grid, host);
    return balance(stratum(grid, t).slice(first, last), cast.last - cast.first, cost);
  });
  ctx.began({ number, picked: shares.flat().map(numberOf) });
  const work = { kind: 'sample', opening: pass === 1, round: roundOf(ctx, pass) + t } as const;
  const changed = yield shares.map((blocks) => ({ ...work, blocks }));
  ctx.ended(number);
  return changed.reduce((all, of) => all + of, 0);
}

/** The first round of a pass: G strata, then λ and η. */
const roundOf = ({ partitions: grid }: Scheduler, pass: number): number => (pass - 1) * (grid + 2);

/** All tokens once; returns the greatest Δ_t of the strata. */
function* sweep(ctx: Scheduler, pass: number): Walk<number> {
  const { kernels, partitions: grid, options } = ctx;
  const { tokens } = corpusOf(ctx.data);
  let [drift, topical] = [0, pass > 1 ? tokens : 0];
  for (let t = 0; t < grid; t++) {
    const changed = yield* rotate(ctx, t, pass);
    if (pass === 1) topical += changed;
    const tables = [ctx.buffer('totals'), ctx.buffer('copies')] as const;
    const distance = kernels.lda_fold(options.topics, grid, topical, ...tables);
    assert(distance >= 0, 'medlda: Σ_k n_k is the tokens that have a topic');
    ctx.share('totals', 0, options.topics * 4);
    drift = Math.max(drift, distance / (grid * tokens));
  }
  return drift;
}

/** λ of all documents; every count is where it should be. */
function* augment(ctx: Scheduler, round: number, summed: boolean): Walk<void> {
  const { kernels, partitions: grid, workers, options } = ctx;
  const lost = yield ranges(grid, workers).map((parts) => ({
    kind: 'lambda',
    parts,
    round,
    summed,
  }));
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

function* train(ctx: Scheduler): Walk<void> {
  const { kernels } = ctx;
  const { passes, samples, topics } = ctx.options;
  const results = resultsOf(ctx);
  for (let pass = 1; pass <= passes; pass++) {
    const drift = yield* sweep(ctx, pass);
    results[result.drift] = drift;
    const round = roundOf(ctx, pass) + ctx.partitions;
    const summed = pass > passes - samples;
    yield* augment(ctx, round, summed);
    if (summed) kernels.i32_add(topics, ctx.buffer('totals'), ctx.buffer('meanTotals'));
    const accuracy = sumOf(ctx, sum.right) / sumOf(ctx, sum.known);
    ctx.report({ pass, passes, drift, ...(pass > 1 && { accuracy }) });
    for (const works of weightsSteps(ctx, { round: round + 1, summed })) yield works;
  }
}

/** What is saved: by rank 0 the counts, and on all hosts what documents are read with. */
function* finish(ctx: Scheduler): Walk<void> {
  const { options, kernels, workers } = ctx;
  const { passes, samples, cost, topics } = options;
  const { classes, tokens, words } = corpusOf(ctx.data);
  const [weights, results] = [ctx.buffer('weights'), resultsOf(ctx)];
  const { plan } = openState(ctx);
  const squares = kernels.medlda_mean(samples, ctx.buffer('etaSums'), weights, plan);
  ctx.share('eta', 0, classes.length * rowBytesOf(options));
  ctx.share('weights', 0, classes.length * topics * 4);
  yield* augment(ctx, roundOf(ctx, passes + 1), false);
  yield ranges(ctx.partitions, workers).map((parts) => ({ kind: 'collect', parts }));
  exportCounts(ctx);
  results[result.accuracy] = sumOf(ctx, sum.right) / sumOf(ctx, sum.known);
  const loss = 2 * cost * sumOf(ctx, sum.hinge) + squares / 2;
  results[result.objective] = (measureTopics(ctx) - loss) / tokens;
  ctx.share('results', 0, results.byteLength);
  ctx.share('meanTotals', 0, topics * 4);
  for (const of of ['word', 'mean']) {
    const entries = ctx.arena.i32[ctx.buffer(`${of}Starts`) / 4 + words] ?? 0;
    ctx.share(`${of}Starts`, 0, (words + 1) * 4);
    for (const name of [`${of}Topics`, `${of}Counts`]) ctx.share(name, 0, entries * 4);
  }
}

function* steps(ctx: Scheduler): Steps<MedldaWork, Found> {
  yield* prepare(ctx);
  yield* train(ctx);
  yield* finish(ctx);
}

/** Is it the first worker of its host? That does what is to be done once on each. */
const isFirst = (ctx: MedldaContext) => ctx.hosts.some(({ first }) => first === ctx.worker);

const numbersOf = ({ first, last }: Range) =>
  Array.from({ length: last - first }, (_, i) => first + i);

function push(ctx: MedldaContext, work: MedldaWork): Found {
  const total = (each: readonly Found[]) => each.reduce((all, of) => all + of, 0);
  switch (work.kind) {
    case 'count':
      return isFirst(ctx) ? countHere(ctx) : 0;
    case 'place':
      if (isFirst(ctx)) placeHere(ctx, work.places[hostOfWorker(ctx, ctx.worker)] ?? 0);
      return 0;
    case 'sample':
      return total(work.blocks.map((block) => sampleBlock(ctx, block, work)));
    case 'lambda':
      return total(numbersOf(work.parts).map((part) => drawLambda(ctx, part, work)));
    case 'weights':
      numbersOf(work.classes).forEach((t) => drawWeights(ctx, t, work));
      return 0;
    case 'collect':
      numbersOf(work.parts).forEach((part) => collect(ctx, part));
      return 0;
  }
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
