// Scores samples with a logistic model: as mlr does with two classes, the first of weight 0, and
// the area under the ROC curve.
import { together } from '../../base/together.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Metrics } from '../../jobs/job.ts';
import type { RunResult } from '../../supervisor/host.ts';
import { metricsOf, scoreHere, totalOf, type ClassFacts, type Scoring } from '../mlr/scoring.ts';
import type { Session, TrainedModel } from '../model.ts';
import { areaUnderCurve } from './auc.ts';

/** Bytes of a padded row of two classes' weights, and where the second's is. */
const row = { bytes: 16, second: 4 } as const;

/** Weights as the softmax's kernels read them. */
export function scoringOf(session: Session, trained: TrainedModel): Scoring {
  const { arena, kernels } = session.host;
  const { features, intercept, classes } = trained.facts as ClassFacts;
  const bytes = (features + 1) * row.bytes;
  const at = arena.allocate(bytes);
  arena.u8.fill(0, at, at + bytes);
  for (const { name, shape, at: from } of trained.tensors) {
    const first = name === 'intercept' ? features : 0;
    const to = at + first * row.bytes + row.second;
    kernels.rows_repack(shape[0] ?? 0, 4, 4, row.bytes, from, to);
  }
  return { weights: at, intercept, classes };
}

/** ln(p / (1 − p)) of the rows here of one class. */
function oddsOf(session: Session, data: Samples, run: RunResult, wanted: number): Float64Array {
  const { f32, i32 } = session.host.arena;
  const table = (run.plan.buffers['probabilities'] ?? 0) / 4;
  const odds = new Float64Array(data.rows);
  let found = 0;
  let row = 0;
  for (const block of data.blocks) {
    for (let i = 0; i < block.rows; i++, row++) {
      if (i32[block.target / 4 + i] !== wanted) continue;
      odds[found++] = Math.log((f32[table + 2 * row + 1] ?? 0) / (f32[table + 2 * row] ?? 0));
    }
  }
  return odds.slice(0, found);
}

function joined(parts: readonly Uint8Array[]): Float64Array {
  const all = parts.map((part) => new Float64Array(part.slice().buffer)); // a copy is aligned
  const whole = new Float64Array(all.reduce((sum, { length }) => sum + length, 0));
  all.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

/** Accuracy, log-loss and the area under the curve, of the rows of all hosts. */
export async function measure(session: Session, data: Samples, scoring: Scoring): Promise<Metrics> {
  return together(session.world, 'scores', async (talk) => {
    const { run, sums } = await scoreHere(session, data, { ...scoring, probabilities: true });
    const scores = totalOf(await talk.exchange(sums));
    const sides: Float64Array[] = [];
    for (const wanted of [0, 1]) {
      const odds = oddsOf(session, data, run, wanted);
      sides.push(joined(await talk.gather(new Uint8Array(odds.buffer))));
    }
    const [negatives = new Float64Array(0), positives = new Float64Array(0)] = sides;
    const auc = areaUnderCurve(positives, negatives);
    return { ...metricsOf(scores, data.rows), ...(auc !== undefined && { auc }) };
  });
}
