// Random samples of two classes, trained on by logistic, and what holds of any result.
import * as assert from 'uvu/assert';
import type { Storage } from '../../src/data/dataset.ts';
import { logistic } from '../../src/models/logistic/model.ts';
import type { Host } from '../../src/supervisor/host.ts';
import { objective, type LogisticProblem } from '../oracle/logistic.ts';
import { prngOf } from './lab.ts';
import {
  hashOf,
  pairsOf,
  placeSamples,
  requestOf,
  sessionOf,
  tensorOf,
  type PlainSamples,
} from './models.ts';

type Shape = { storage: Storage; columns: number; rows: number; seed: number };

/** Rows about two centres that overlap; one label in ten is wrong. */
export function randomSamples({ storage, columns, rows, seed }: Shape): PlainSamples {
  const prng = prngOf(seed);
  const centre = Array.from({ length: columns }, () => prng.uniform() - 0.5);
  const targets = Array.from({ length: rows }, (_, i) => i % 2);
  const values = targets.map((k) =>
    centre.map((c) => {
      const x = (k === 1 ? c : -c) * 0.3 + prng.uniform();
      if (storage === 'u8') return Math.max(0, Math.floor(180 * x));
      if (storage === 'csr' && prng.uniform() < 0.6) return 0;
      return Math.fround(2 * x - 1);
    }),
  );
  const noisy = targets.map((k) => (prng.uniform() < 0.1 ? 1 - k : k));
  const scale = storage === 'u8' ? Math.fround(1 / 255) : 1;
  return { storage, values, targets: noisy, columns, classes: 2, scale };
}

type Ask = {
  lambda: number;
  ratio?: number;
  intercept?: boolean;
  tolerance?: number;
  passes?: number;
  balanced?: boolean;
  positive?: number;
  path?: number;
  schedule?: string;
};

export async function solve(host: Host, samples: PlainSamples, ask: Ask) {
  const { lambda, ratio = 0, intercept = true, tolerance = 1e-6, balanced, positive = 1 } = ask;
  const { path = 0, schedule = 'dynamic' } = ask;
  const mark = host.arena.mark();
  const data = placeSamples(host.arena, samples);
  const options = {
    ...(path === 0 ? { lambda } : { path, 'path-ratio': lambda }),
    ...{ 'l1-ratio': ratio, intercept, 'positive-weight': positive, schedule },
    'class-weight': balanced === true ? 'balanced' : 'none',
  };
  const request = requestOf('logistic', data, options, { tolerance, passes: ask.passes });
  const outcome = await logistic.train(sessionOf(host), request);
  const weights = [...tensorOf(host, outcome, 'weights'), ...tensorOf(host, outcome, 'intercept')];
  const hash = hashOf(host, outcome);
  host.arena.release(mark);
  return { outcome, weights, hash };
}

export function problemOf(samples: PlainSamples, ask: Ask): LogisticProblem {
  const { targets, columns } = samples;
  const { lambda, ratio = 0, intercept = true, positive = 1 } = ask;
  const rows = pairsOf(samples);
  const ones = targets.filter((target) => target === 1).length;
  const n = targets.length;
  const weights: [number, number] =
    ask.balanced === true ? [n / (2 * (n - ones)), n / (2 * ones)] : [1, positive];
  return { rows, targets, columns, intercept, lambda, ratio, weights };
}

type Solved = Awaited<ReturnType<typeof solve>>;

/** What holds of any end: the objective is that of the weights, and the gap bounds the distance. */
export function checkCertificate(
  problem: LogisticProblem,
  solved: Solved,
  least: number,
  label: string,
) {
  const { outcome, weights } = solved;
  const at = objective(problem, weights);
  const off = Math.abs(outcome.objective - at) / at;
  assert.ok(off <= 1e-10, `${label}: printed ${outcome.objective}, is ${at}`);
  assert.ok(outcome.objective >= least * (1 - 1e-10), `${label}: below the optimum ${least}`);
  const bound = outcome.objective * (1 - (outcome.gap ?? NaN));
  assert.ok(bound <= least * (1 + 1e-10), `${label}: gap ${outcome.gap}, bound ${bound}, ${least}`);
}
