// lda by rotation: model-parallel, schedule and push (STRADS, Xing et al. 2015). Objective and
// output are in model.ts.
//
//   schedule   stratum t: part a of the documents samples the words of block (a + t) mod G
//   push       collapsed Gibbs, exact but for n_k: a copy of its own, from the stratum's beginning
//   pull       n_k ← n_k + what the copies gained; Δ_t = (1/(G·M)) Σ_p ‖s̃_p − s‖₁ is how far they
//              were off, in [0, 2]
//
// The first pass gives every token its topic, from the counts of the tokens before it.
//
// What the seed fixes: random numbers come by (seed, pass, stratum, part), a part's copy sees no
// other's changes, and copies are folded in the order of parts. So the result is the same for any
// workers and hosts, and depends on G, the run's partitions.
import { assert } from '../../base/assert.ts';
import { createPrng } from '../../base/prng.ts';
import type { Range } from '../../base/ranges.ts';
import { defineProgram, type ScheduleContext } from '../../program/program.ts';
import { stepwise, type StepState, type Steps } from '../../program/steps.ts';
import { balance, ranges, stratum, type GridBlock } from '../../scheduler/rotation.ts';
import { hostParts, workerNear } from '../mf/hosts.ts';
import {
  blockStart,
  corpusOf,
  ldaBuffers,
  ldaShape,
  result,
  resultsOf,
  sumCells,
  type LdaContext,
  type LdaOptions,
  type LdaState,
} from './layout.ts';
import {
  documentSlopes,
  exportDocuments,
  exportWords,
  likelihood,
  measureBlock,
  measureDocuments,
  shareRows,
  stepPriors,
  wordSlopes,
} from './measure.ts';
import { aimPlan, clearCounts, countWords, openPriors, startWorker } from './prepare.ts';
import { samplerOf } from './sampler.ts';
import { buildPart, enterWindow, leaveWindow } from './windows.ts';

type PartPhase = keyof typeof phases;
type LdaWork =
  | { readonly kind: PartPhase; readonly parts: Range; readonly window: number }
  | {
      readonly kind: 'sample';
      readonly blocks: readonly GridBlock[];
      /** Of the random numbers: strata of windows since the beginning. */
      readonly round: number;
    };
/** Whether every count is still there. */
type Sound = boolean;
type Scheduler = ScheduleContext<LdaOptions, StepState<LdaWork, Sound>>;
type Walk<T> = Generator<readonly LdaWork[], T, readonly Sound[]>;

/** Tokens of one call of the sampler, about: a few milliseconds. */
const callTokens = 65_536;

/** Samples one block; its words go on to the host that needs them next. */
function sampleBlock(ctx: LdaContext, { row, column }: GridBlock, round: number): Sound {
  const { arena, seed, partitions: grid } = ctx;
  const { topics } = ctx.state.shape;
  const copy = ctx.buffer('copies') + row * topics * 4;
  arena.u8.copyWithin(copy, ctx.buffer('totals'), ctx.buffer('totals') + topics * 4);
  const plan = aimPlan(ctx, row, copy);
  const sampler = samplerOf(ctx);
  sampler.begin(plan);
  const prng = createPrng(seed, round * grid + row);
  const [first, last] = [blockStart(ctx, column), blockStart(ctx, column + 1)];
  const tokens = arena.i32[ctx.buffer('blockTokens') / 4 + row * grid + column] ?? 0;
  const calls = ranges(last - first, Math.max(1, Math.ceil(tokens / callTokens)));
  let sound = true;
  for (const call of calls) {
    ctx.poll();
    const [low, high] = [prng.uint32(), prng.uint32()];
    const changed = sampler.sample(first + call.first, first + call.last, low, high, plan);
    sound &&= changed >= 0;
  }
  ctx.share('copies', row * topics * 4, topics * 4);
  shareRows(ctx, column, workerNear(ctx, grid, (row + grid - 1) % grid));
  return sound;
}

/** The same phase for all parts, each on the host that has it. */
function* onParts(ctx: Scheduler, kind: PartPhase, window = 0): Walk<void> {
  const sound = yield ranges(ctx.partitions, ctx.workers).map((parts) => ({ kind, parts, window }));
  assert(!sound.includes(false), `lda: Σ_k n_dk = N_d and Σ_k n_wk = N_w (${kind})`);
}

/** Words are counted and cut into blocks, and documents built. */
function* prepare(ctx: Scheduler): Walk<void> {
  const { kernels, arena, workers, partitions: grid } = ctx;
  const { words, topics } = ldaShape(ctx);
  const at = ctx.buffer.bind(ctx);
  yield* onParts(ctx, 'count');
  arena.u8.copyWithin(at('counts'), at('workerCounts'), at('workerCounts') + words * 4);
  for (let worker = 1; worker < workers; worker++) {
    kernels.i32_add(words, at('workerCounts') + worker * words * 4, at('counts'));
  }
  kernels.lda_rows(
    ...([words, topics, grid, at('counts'), at('rows'), at('lengths'), at('blocks')] as const),
  );
  openPriors(ctx);
  ctx.share('counts', 0, words * 4);
  ctx.share('rows', 0, (words + 1) * 4);
  ctx.share('lengths', 0, words * 4);
  ctx.share('blocks', 0, (grid + 1) * 4);
  ctx.share('totals', 0, topics * 4);
  sharePriors(ctx);
  yield* onParts(ctx, 'build');
}

function sharePriors(ctx: Scheduler): void {
  const { topics, padded } = ldaShape(ctx);
  ctx.share('alpha', 0, topics * 8);
  ctx.share('alpha32', 0, padded * 4);
  ctx.share('results', 0, resultsOf(ctx).byteLength);
}

/** One stratum of a window, the `round`-th since the beginning; returns Δ_t. */
function* rotate(ctx: Scheduler, t: number, round: number): Walk<number> {
  const { kernels, arena, partitions: grid } = ctx;
  const { topics } = ldaShape(ctx);
  const { tokens } = corpusOf(ctx.data);
  const numberOf = ({ row, column }: GridBlock) => row * grid + column;
  const cost = (block: GridBlock) =>
    arena.i32[ctx.buffer('blockTokens') / 4 + numberOf(block)] ?? 0;
  const shares = ctx.hosts.flatMap((cast, host) => {
    const { first, last } = hostParts(ctx, grid, host);
    return balance(stratum(grid, t).slice(first, last), cast.last - cast.first, cost);
  });
  const number = ctx.clock;
  ctx.began({ number, picked: shares.flat().map(numberOf) });
  const sound = yield shares.map((blocks) => ({ kind: 'sample', blocks, round }));
  ctx.ended(number);
  assert(!sound.includes(false), 'lda: Σ_k n_wk = N_w after a stratum');
  const [totals, copies] = [ctx.buffer('totals'), ctx.buffer('copies')];
  const results = resultsOf(ctx);
  results[result.sampled] = Math.min(tokens, results[result.sampled]! + tokensOf(shares, cost));
  const distance = kernels.lda_fold(topics, grid, results[result.sampled]!, totals, copies);
  assert(distance >= 0, 'lda: Σ_k n_k is the tokens that have a topic');
  ctx.share('totals', 0, topics * 4);
  return distance / (grid * tokens);
}

const tokensOf = (shares: readonly GridBlock[][], cost: (block: GridBlock) => number) =>
  shares.flat().reduce((all, block) => all + cost(block), 0);

/** All windows once, and what is asked of their documents afterwards. Returns the largest Δ_t. */
function* sweep(ctx: Scheduler, pass: number, asked: readonly PartPhase[]): Walk<number> {
  const { options, partitions: grid } = ctx;
  const { windows } = options;
  const spilled = corpusOf(ctx.data).spill !== undefined;
  let drift = 0;
  for (let window = 0; window < windows; window++) {
    if (windows > 1 || spilled || pass === 1) yield* onParts(ctx, 'enter', window);
    const rounds = ((pass - 1) * windows + window) * grid;
    for (let t = 0; t < grid; t++) drift = Math.max(drift, yield* rotate(ctx, t, rounds + t));
    for (const phase of asked) yield* onParts(ctx, phase, window);
    if (spilled) yield* onParts(ctx, 'leave', window);
  }
  return drift;
}

function* passes(ctx: Scheduler): Walk<void> {
  const { passes: all, evaluateInterval, optimizeInterval } = ctx.options;
  const results = resultsOf(ctx);
  for (let pass = 1; pass <= all; pass++) {
    const measured = pass % evaluateInterval === 0 || pass === all;
    const fitted = optimizeInterval > 0 && pass % optimizeInterval === 0 && pass < all;
    const drift = yield* sweep(ctx, pass, [
      ...(measured ? (['documents'] as const) : []),
      ...(fitted ? (['documentSlopes'] as const) : []),
    ]);
    results[result.drift] = drift;
    if (measured) yield* onParts(ctx, 'words');
    const logLikelihood = measured ? likelihood(ctx) : undefined;
    if (fitted) {
      yield* onParts(ctx, 'wordSlopes');
      stepPriors(ctx);
      sharePriors(ctx);
    }
    const progress = { pass, passes: all, drift };
    ctx.report({ ...progress, ...(logLikelihood !== undefined && { logLikelihood }) });
  }
}

function* steps(ctx: Scheduler): Steps<LdaWork, Sound> {
  yield* prepare(ctx);
  yield* passes(ctx);
  ctx.share('sums', 0, ctx.partitions * sumCells * 8);
  yield* onParts(ctx, 'export');
  exportWords(ctx);
  ctx.share('results', 0, resultsOf(ctx).byteLength);
}

type Phase = (ctx: LdaContext, part: number, window: number) => boolean | void;

const phases = {
  count: countWords,
  build: buildPart,
  enter: enterWindow,
  documents: measureDocuments,
  documentSlopes,
  leave: leaveWindow,
  words: measureBlock,
  wordSlopes,
  export(ctx, part) {
    if (corpusOf(ctx.data).spill === undefined) exportDocuments(ctx, part);
    else if (part === 0) ctx.arena.i32[ctx.buffer('docStarts') / 4] = 0;
    shareRows(ctx, part);
  },
} as const satisfies Readonly<Record<string, Phase>>;

function push(ctx: LdaContext, work: LdaWork): Sound {
  if (work.kind === 'sample') {
    return work.blocks.map((block) => sampleBlock(ctx, block, work.round)).every(Boolean);
  }
  if (work.kind === 'count') clearCounts(ctx);
  let sound = true;
  for (let part = work.parts.first; part < work.parts.last; part++) {
    ctx.poll();
    const phase: Phase = phases[work.kind];
    sound = phase(ctx, part, work.window) !== false && sound;
  }
  return sound;
}

export const ldaRotation = defineProgram<
  LdaOptions,
  LdaWork,
  LdaState,
  StepState<LdaWork, Sound>,
  Sound
>({
  name: 'lda-rotation',
  tables: () => [],
  buffers: ldaBuffers,
  deltaBytes: () => 0,
  start: startWorker,
  conflict(ctx, a, b) {
    const grid = ctx.partitions;
    if (Math.floor(a / grid) === Math.floor(b / grid)) {
      return `they are blocks of the same documents, part ${Math.floor(a / grid)}`;
    }
    return a % grid === b % grid ? `they are blocks of the same words, ${a % grid}` : undefined;
  },
  push,
  ...stepwise<LdaOptions, LdaWork, Sound>(steps),
});
