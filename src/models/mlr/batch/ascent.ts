// mlr by dual coordinate ascent, the scheduler's side.
//
//   pass:   some rounds; in each, each of P lanes ascends the dual of its share of the round's rows
//           on its own copy of W, in an order that is new each pass; W ← W + (1/σ) Σ_p ΔW_p with
//           subproblems made σ times as curved (CoCoA+, Ma et al. 2015: σ = P is safe; 0.625 P is
//           enough when copies are merged often, and is raised to P if the gap does not fall)
//   certificate, when the gap that the pass met is small enough
import type { Samples } from '../../../data/dataset.ts';
import { drawOrder } from '../../orders.ts';
import type { Steps } from '../../../program/steps.ts';
import { batchShape, cell, sumCell } from './layout.ts';
import { everyLane, type MlrBatchWork, type Scheduler } from './work.ts';
import { certifyDuals } from './certificate.ts';

/**
 * Rounds of a pass. Copies that merge often need a smaller σ (0.625 P, measured; stable above P/2),
 * but a round must be worth its meeting: a good fraction of a millisecond, and several times the
 * copying of the weights. A lane's share of a round is at most an eighth of all rows.
 */
function roundsOf(ctx: Scheduler): number {
  const { lanes } = ctx.options;
  if (lanes === 1) return 1;
  const { features, rowBytes } = batchShape(ctx);
  const { rows: n, storage, nonzeros, columns } = ctx.data as Samples;
  const entries = storage === 'csr' ? nonzeros / n : columns / 2;
  const rowUnits = ((entries + 16) * rowBytes) / 4;
  const rowsMin = Math.max(4e6 / rowUnits, (3 * features * rowBytes) / rowUnits);
  const rows = Math.min(Math.ceil(n / 8), Math.ceil(rowsMin));
  return Math.max(1, Math.round(n / (lanes * rows)));
}

/** Ascends from α = e_y; M = ‖x̄‖², meanNorm = the rows' mean ‖x − x̄‖². */
export function* ascend(ctx: Scheduler, M: number, meanNorm: number): Steps<MlrBatchWork, void> {
  const { arena, options } = ctx;
  const { lanes } = options;
  const { classes: K } = batchShape(ctx);
  const { rows: n } = ctx.data as Samples;
  // B² of the intercept's value: measured to be fast within a factor of a few either way.
  const boost = options.intercept ? 0.09 * meanNorm || 1 : 0;
  const shared = ctx.table('state');
  const centre = new Float64Array(K);
  const multiplier = new Float64Array(K);
  const bias = arena.f32.subarray(shared.at / 4, shared.at / 4 + K);
  const rounds = roundsOf(ctx);
  let sigma = lanes === 1 ? 1 : 0.625 * lanes;
  let least = Infinity;
  let certifyAfter = 0;
  for (let pass = 1; pass <= options.passes; pass++) {
    const before = centre.map((value, k) => value + boost * (multiplier[k] ?? 0));
    bias.set(before);
    const started = bias.slice();
    const order = drawOrder(ctx.prng, n);
    for (let round = 0; round < rounds; round++) {
      const [from, to] = [round, round + 1].map((r) => Math.floor((n * r) / rounds)) as [
        number,
        number,
      ];
      yield* everyLane(ctx, { kind: 'round', ...order, from, to, sigma, M, boost });
    }
    const reached = Float64Array.from(bias);
    for (let k = 0; boost > 0 && k < K; k++) {
      multiplier[k] = (multiplier[k] ?? 0) + ((reached[k] ?? 0) - (started[k] ?? 0)) / boost;
      centre[k] = (centre[k] ?? 0) + boost * (multiplier[k] ?? 0);
    }
    const met = sumCell(ctx, cell.gap) / n;
    const loss = sumCell(ctx, cell.loss) / n;
    // Partitions that step over each other keep the gap from falling: back to the safe σ = P.
    if (met > 0.98 * least) sigma = Math.min(lanes, 1.25 * sigma);
    least = Math.min(least, met);
    const last = pass === options.passes;
    if (!last && (met > options.tolerance * loss || pass < certifyAfter)) {
      ctx.report({ pass, loss, gapMet: met / loss });
      continue;
    }
    if (yield* certifyDuals(ctx, reached, pass)) return;
    certifyAfter = pass + 2;
  }
}
