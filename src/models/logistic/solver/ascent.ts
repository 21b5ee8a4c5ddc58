// L2 on wide, sparse data begins with a dual ascent (assembly/logistic/ascent.ts): a handful of
// passes are worth what Newton's method needs some thirty for.
//
//   pass:  some rounds; in each, the lanes, a partition each, ascend over part of their rows on
//          copies of w, in an order that is new each pass; w ← w + (1/σ) Σ_p Δw_p     (CoCoA+)
//
// It ends where the rows, as they were met, promise that the gap is small enough, or where a pass
// no longer changes much: then Newton's steps go on from its w.
//
// The intercept's value B has a ridge that pulls towards a moving centre (method of multipliers),
// so that in the end it is not penalized.
import { onEveryPartition } from '../../phases.ts';
import {
  cell,
  send,
  shapeOf,
  sumCell,
  type Answer,
  type Phase,
  type Phases,
  type Scheduler,
} from './layout.ts';
import { penaltyAt, type Line } from './line.ts';

/** Copies that meet often may be less careful than their number, which is always safe. Measured. */
const careful = 0.75;
/** Rounds of a pass for each lane beyond the first; rows that make a round worth its meeting. */
const rounds = { perLane: 4, most: 32, rows: 1024 } as const;
/** The first passes meet rows of which they know nothing. */
const early = 3;
/** A pass more costs less than a step of Newton's for what the estimate got wrong. */
const margin = 0.2;
const passesMax = 30;
/** A pass that lowers the gap by less than this share is worth less than Newton's. */
const stalled = 0.5;

function roundsOf(ctx: Scheduler): number {
  const { partitions: lanes } = ctx;
  const worth = Math.floor(shapeOf(ctx).n / (lanes * rounds.rows));
  return Math.max(1, Math.min(rounds.perLane * (lanes - 1), rounds.most, worth));
}

/** v.direction ← from w = 0, and the intercept that it has, to the duals' weights, in f32. */
export function* ascend(line: Line): Phases<void> {
  const { ctx, v, l2, c0, c1 } = line;
  const { arena, kernels, options, partitions: lanes } = ctx;
  const { n, d, length, bytes } = shapeOf(ctx);
  yield* onEveryPartition<Phase, Answer>(ctx, { kind: 'norms' });
  // B² of the intercept's value: measured to be fast within a factor of a few either way.
  const boost = options.intercept ? (0.09 * sumCell(ctx, cell.norms)) / n || 1 : 0;
  const sigma = lanes === 1 ? 1 : careful * lanes;
  const w = ctx.buffer('vector');
  const of = { rounds: roundsOf(ctx), c0, c1, inverse: 1 / l2, boost, lanes: sigma } as const;
  send(ctx, v.direction);
  let centre = arena.f64[v.direction / 8 + d] ?? 0;
  let multiplier = 0;
  let last = Infinity;
  for (let pass = 1; pass <= Math.min(passesMax, options.passes); pass++) {
    const started = centre + boost * multiplier;
    arena.f64[w / 8 + d] = started;
    for (let round = 0; round < of.rounds; round++) {
      ctx.share('vector', 0, bytes);
      yield* onEveryPartition<Phase, Answer>(ctx, { kind: 'round', ...of, pass, round });
      kernels.f64_merge(length, lanes, 1 / sigma, ctx.buffer('parts'), w);
    }
    line.passes += 1;
    if (boost > 0) multiplier += ((arena.f64[w / 8 + d] ?? 0) - started) / boost;
    centre += boost * multiplier;
    const met = sumCell(ctx, cell.met);
    const value = sumCell(ctx, cell.metLoss) + penaltyAt(line, w);
    ctx.report({ pass: line.passes, gapMet: met / value });
    // The next pass would meet what this one has left.
    const left = last === Infinity ? met : met * Math.min(1, met / last);
    if (left <= margin * options.tolerance * value || (pass > early && met > stalled * last)) break;
    last = met;
  }
  arena.u8.copyWithin(v.direction, w, w + bytes);
  kernels.f64_round_step(length, v.w, v.direction);
}
