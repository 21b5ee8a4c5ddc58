// mf against float64: the objective and the errors that it prints are those of the tensors it
// returns, planted factors are found again, and the objective comes near the best there is.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Mf } from '../src/index.ts';
import type { Metrics, ModelOptions } from '../src/jobs/job.ts';
import { mf } from '../src/models/mf/model.ts';
import type { TrainOutcome } from '../src/models/model.ts';
import type { Host } from '../src/supervisor/host.ts';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { hashOf, placeRatings, requestOf, sessionOf, tensorOf } from './helpers/models.ts';
import {
  alternatingLeastSquares,
  objective,
  predicted,
  rmse,
  type Factors,
  type Triple,
} from './oracle/factorization.ts';

type Plant = { users: number; items: number; rank: number; noise: number; share: number };

const normal = (prng: ReturnType<typeof prngOf>) =>
  Math.sqrt(-2 * Math.log(1 - prng.uniform())) * Math.cos(2 * Math.PI * prng.uniform());

/** Ratings of planted factors around 3.5; one in five is kept for the test. */
function plant({ users, items, rank, noise, share }: Plant, seed: number) {
  const prng = prngOf(seed);
  const factors = (count: number) =>
    Array.from({ length: count }, () => Array.from({ length: rank }, () => normal(prng)));
  const [p, q] = [factors(users), factors(items)];
  const train: Triple[] = [];
  const held: Triple[] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items; i++) {
      if (prng.uniform() >= share) continue;
      const score = p[u]!.reduce((sum, value, k) => sum + value * q[i]![k]!, 0);
      const rating = Math.fround(3.5 + score / Math.sqrt(rank) + noise * normal(prng));
      (prng.uniform() < 0.2 ? held : train).push([u, i, rating]);
    }
  }
  return { train, held, known: { users, items } };
}

type Fitted = {
  readonly outcome: TrainOutcome;
  readonly factors: Factors;
  readonly evaluated: Metrics;
  readonly predictions: number[];
  readonly hash: string;
};

/** Trains on `train`, then evaluates and predicts `held`. */
async function fit(
  host: Host,
  ratings: { train: readonly Triple[]; held: readonly Triple[]; known?: Known },
  options: ModelOptions,
  ask: { passes?: number; seed?: number } = {},
): Promise<Fitted> {
  const { train, held, known } = ratings;
  const mark = host.arena.mark();
  const session = sessionOf(host);
  const data = placeRatings(host.arena, train, known);
  const place = () => placeRatings(host.arena, held, data);
  const request = requestOf('mf', data, options, { test: place(), ...ask });
  const outcome = await mf.train(session, request);
  const [users, items, userBias, itemBias] = ['users', 'items', 'userBias', 'itemBias'].map(
    (name) => tensorOf(host, outcome, name),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const { mean, rank } = outcome.trained.facts as { mean: number; rank: number };
  const hash = hashOf(host, outcome);
  const evaluated = await mf.evaluate(session, outcome.trained, place());
  const { lines } = await mf.predict(session, outcome.trained, place(), { probabilities: false });
  const predictions = Array.from(lines, Number);
  host.arena.release(mark);
  const factors = { mean, rank, users, items, userBias, itemBias };
  return { outcome, factors, evaluated, predictions, hash };
}
type Known = { readonly users: number; readonly items: number };

function close(got: number | undefined, want: number, relative: number, label: string) {
  assert.ok(
    Math.abs(got! - want) <= relative * Math.abs(want),
    `${label}: got ${got}, want ${want}`,
  );
}

/** What is printed is what the tensors say. */
function checkReport(
  fitted: Fitted,
  train: readonly Triple[],
  held: readonly Triple[],
  lambda: number,
  label: string,
) {
  const { outcome, factors, evaluated, predictions } = fitted;
  const { metrics } = outcome;
  close(outcome.objective, objective(factors, train, lambda), 1e-6, `${label}: objective`);
  close(metrics['trainRmse'], rmse(factors, train), 1e-6, `${label}: trainRmse`);
  close(metrics['rmse'], rmse(factors, held), 1e-6, `${label}: rmse`);
  close(evaluated['rmse'], rmse(factors, held), 1e-6, `${label}: evaluate's rmse`);
  const { minimum, maximum } = outcome.trained.facts as { minimum: number; maximum: number };
  predictions.forEach((prediction, k) => {
    const [user, item] = held[k]!;
    const want = Math.min(maximum, Math.max(minimum, predicted(factors, user, item)));
    assert.ok(Math.abs(prediction - want) <= 2e-5 * Math.abs(want), `${label}: line ${k}`);
  });
  assert.is(predictions.length, held.length);
}

for (const bias of [true, false]) {
  test(`mf: prints the objective and the errors of its tensors (bias ${bias})`, async () => {
    await withHost(2, async (host) => {
      for (const rank of [1, 3, 4, 6, 13]) {
        const lambda = 0.01 * rank;
        const shape = { users: 60, items: 40, rank: 3, noise: 0.3, share: 0.5 };
        const ratings = plant(shape, rank);
        const fitted = await fit(host, ratings, { rank, lambda, bias });
        assert.is(fitted.factors.users.length, 60 * rank);
        assert.is(fitted.factors.userBias.length, bias ? 60 : 0);
        if (!bias) assert.is(fitted.factors.mean, 0, 'without biases there is no mean');
        checkReport(fitted, ratings.train, ratings.held, lambda, `rank ${rank}`);
      }
    });
  });
}

test('mf: planted factors are found: the error on held-out ratings is near the noise', async () => {
  await withHost(2, async (host) => {
    const noise = 0.1;
    const ratings = plant({ users: 300, items: 120, rank: 4, noise, share: 0.4 }, 1);
    for (const bias of [true, false]) {
      const options = { rank: bias ? 4 : 5, lambda: 0.002, shrinkage: 0, bias };
      const { outcome } = await fit(host, ratings, options, { passes: 80 });
      const { rmse = NaN } = outcome.metrics;
      assert.ok(rmse < 1.3 * noise, `bias ${bias}: ${rmse}, noise ${noise}`);
      assert.ok(rmse > 0.95 * noise, `bias ${bias}: ${rmse} is below the noise`);
    }
  });
});

test('mf: within 1 % of the best that alternating least squares finds', async () => {
  await withHost(2, async (host) => {
    for (const [seed, rank, lambda] of [
      [1, 2, 0.05],
      [2, 3, 0.1],
      [3, 5, 0.2],
    ] as const) {
      const shape = { users: 50, items: 30, rank: 3, noise: 0.5, share: 0.7 };
      const ratings = plant(shape, seed);
      const options = { rank, lambda, shrinkage: 0, bias: false };
      const { outcome } = await fit(host, ratings, options, { passes: 400 });
      const best = alternatingLeastSquares(
        ratings.train,
        { users: 50, items: 30, rank, lambda },
        prngOf(seed),
      );
      const above = outcome.objective / best - 1;
      assert.ok(above <= 0.01, `rank ${rank} lambda ${lambda}: ${above} above ${best}`);
      assert.ok(above >= -0.01, `rank ${rank} lambda ${lambda}: the oracle missed: ${above}`);
    }
  });
});

test('mf: the same bits for 1, 2 and 4 threads, others for another seed', async () => {
  const ratings = plant({ users: 200, items: 90, rank: 3, noise: 0.3, share: 0.4 }, 4);
  for (const bias of [true, false]) {
    const hashes: string[] = [];
    for (const [threads, seed] of [
      [1, 1],
      [2, 1],
      [2, 1],
      [4, 1],
      [2, 7],
    ] as const) {
      await withHost(threads, async (host) => {
        const { hash } = await fit(host, ratings, { rank: 6, bias }, { seed, passes: 4 });
        hashes.push(hash);
      });
    }
    const other = hashes.pop();
    assert.is(new Set(hashes).size, 1, hashes.join(' '));
    assert.is.not(other, hashes[0]);
  }
});

const cases: readonly (readonly [string, readonly Triple[], readonly Triple[]])[] = [
  ['one user', [1, 2, 3, 4, 5, 5].map((r, i) => [0, i, r] as const), [[0, 2, 3]]],
  ['one item', [1, 2, 3, 4, 5, 5].map((r, u) => [u, 0, r] as const), [[3, 0, 4]]],
  ['one rating', [[0, 0, 4]], [[0, 0, 4.5]]],
  [
    'constant ratings',
    Array.from({ length: 60 }, (_, k) => [k % 7, k % 9, 4] as const),
    [[2, 2, 3.5]],
  ],
  [
    'ids with gaps',
    Array.from({ length: 80 }, (_, k) => [11 * (k % 8), 17 * (k % 10), 1 + (k % 5)] as const),
    [[11, 34, 2]],
  ],
];

for (const [name, train, held] of cases) {
  test(`mf: ${name}`, async () => {
    await withHost(2, async (host) => {
      for (const bias of [true, false]) {
        const fitted = await fit(host, { train, held }, { rank: 5, lambda: 0.05, bias });
        checkReport(fitted, train, held, 0.05, `bias ${bias}`);
        for (const name of ['users', 'items', 'userBias', 'itemBias'] as const) {
          assert.ok(Array.from(fitted.factors[name]).every(Number.isFinite), name);
        }
        if (name === 'constant ratings' && bias) {
          assert.ok(Math.abs(fitted.predictions[0]! - 4) < 1e-3, `${fitted.predictions[0]}`);
        }
      }
    });
  });
}

test('mf: an unknown user or item is predicted by what is known', async () => {
  await withHost(2, async (host) => {
    const { train, known } = plant({ users: 60, items: 40, rank: 2, noise: 0.2, share: 0.5 }, 6);
    const held: Triple[] = [
      [-1, 3, 4],
      [5, -1, 3],
      [-1, -1, 2],
      [5, 3, 3],
    ];
    for (const bias of [true, false]) {
      const fitted = await fit(host, { train, held, known }, { rank: 4, bias });
      checkReport(fitted, train, held, 0.02, `bias ${bias}`);
      if (!bias) continue;
      const { factors, predictions } = fitted;
      close(predictions[0], factors.mean + factors.itemBias[3]!, 1e-5, 'unknown user');
      close(predictions[1], factors.mean + factors.userBias[5]!, 1e-5, 'unknown item');
      close(predictions[2], factors.mean, 1e-5, 'both unknown');
    }
  });
});

test('mf: an id in a gap of the training ids is predicted by what is known', async () => {
  await withHost(2, async (host) => {
    const all = plant({ users: 60, items: 40, rank: 2, noise: 0.2, share: 0.6 }, 9);
    const train = all.train.filter(([user, item]) => user !== 7 && item !== 9);
    const held: Triple[] = [
      [7, 3, 4],
      [5, 9, 3],
    ];
    const { known } = all;
    for (const shrinkage of [0, 5]) {
      const fitted = await fit(host, { train, held, known }, { rank: 4, shrinkage });
      const { factors, predictions } = fitted;
      const [user, item] = [factors.itemBias[3]!, factors.userBias[5]!];
      close(predictions[0], factors.mean + user, 0.02, 'a user of no ratings');
      close(predictions[1], factors.mean + item, 0.02, 'an item of no ratings');
    }
  });
});

test('Mf: a default rate that diverges is halved until it does not', async () => {
  const { train } = plant({ users: 60, items: 40, rank: 2, noise: 0.2, share: 0.5 }, 6);
  // Without biases the factors must carry a mean of a hundred deviations.
  const ratings = train.map(([, , rating]) => 100 + rating);
  const [users, items] = [0, 1].map((side) => train.map((triple) => triple[side]!));
  const triples = { users: users!, items: items!, ratings };
  const { summary } = await new Mf({ bias: false, rank: 4, threads: 2 }).fit(triples);
  const { trainRmse = NaN } = summary.metrics;
  assert.ok(trainRmse < 10, `training error ${trainRmse} around a mean of 100`);
});

test('Mf: an absurd learning rate is ERR_NOT_FINITE, and says what to do', async () => {
  const { train } = plant({ users: 60, items: 40, rank: 2, noise: 0.2, share: 0.5 }, 6);
  const [users, items, ratings] = [0, 1, 2].map((side) => train.map((triple) => triple[side]!));
  const triples = { users: users!, items: items!, ratings: ratings! };
  try {
    await new Mf({ learningRate: 1e9, threads: 2 }).fit(triples);
    assert.unreachable();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    assert.is(code, 'ERR_NOT_FINITE');
    assert.match(message, /--learning-rate below 1000000000/);
  }
});

test.run();
