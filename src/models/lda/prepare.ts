// What a worker of lda has of its own, how often words occur, and the priors as they begin.
import type { Context } from '../../program/program.ts';
import {
  corpusOf,
  ldaShape,
  line,
  lineOf,
  result,
  resultsOf,
  type LdaContext,
  type LdaOptions,
  type LdaState,
} from './layout.ts';
import { openPlan } from './sampler.ts';
import { sizePart, stagingBytes } from './windows.ts';

export function startWorker(ctx: Context<LdaOptions>): LdaState {
  const shape = ldaShape(ctx);
  const cursors = ctx.arena.allocate(shape.words * 4);
  const staging = ctx.arena.allocate(stagingBytes(corpusOf(ctx.data)));
  return { shape, plan: openPlan(ctx, shape), cursors, staging };
}

const countsAt = (ctx: LdaContext) =>
  ctx.buffer('workerCounts') + ctx.worker * ctx.state.shape.words * 4;

/** Before a worker counts. */
export function clearCounts(ctx: LdaContext): void {
  const bytes = ctx.state.shape.words * 4;
  ctx.arena.u8.fill(0, countsAt(ctx), countsAt(ctx) + bytes);
  ctx.share('workerCounts', ctx.worker * bytes, bytes);
}

/** Sizes the windows of part `part` and adds to this worker's counts of words. */
export const countWords = (ctx: LdaContext, part: number): void =>
  sizePart(ctx, part, countsAt(ctx));

/** Counts of no topics yet, α and β as they begin. */
export function openPriors(
  ctx: Pick<Context<LdaOptions>, 'arena' | 'buffer' | 'options' | 'data'>,
) {
  const { arena, options } = ctx;
  const { topics, padded } = ldaShape(ctx);
  const [totals, alpha32, alpha] = ['totals', 'alpha32', 'alpha'].map((name) => ctx.buffer(name));
  arena.i32.fill(0, totals! / 4, totals! / 4 + topics);
  arena.f32.fill(0, alpha32! / 4, alpha32! / 4 + padded);
  arena.f32.fill(options.alpha, alpha32! / 4, alpha32! / 4 + topics);
  arena.f64.fill(options.alpha, alpha! / 8, alpha! / 8 + topics);
  const results = resultsOf(ctx).fill(0);
  results[result.beta] = options.beta;
  results[result.alphaSum] = options.alpha * topics;
}

/** Points the sampler's plan at a part's tokens and its copy of the totals. */
export function aimPlan(ctx: LdaContext, part: number, totals: number): number {
  const { state, arena } = ctx;
  const { plan, shape } = state;
  const own = lineOf(ctx, part);
  const words = plan / 4;
  arena.i32.set([own[line.places]!, own[line.topics]!, own[line.starts]!], words + 2);
  arena.i32[words + 9] = totals;
  arena.i32[words + 17] = own[line.documents]!;
  const beta = resultsOf(ctx)[result.beta]!;
  arena.f64.set([beta, beta * shape.words], plan / 8 + 9);
  return plan;
}
