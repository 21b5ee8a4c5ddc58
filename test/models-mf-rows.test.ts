// mf by alternating least squares and coordinate descent against float64: what is printed is what
// the tensors say, no pass goes up, and the end is near the best that an independent solver finds.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Mf } from '../src/index.ts';
import type { Metrics, ModelOptions } from '../src/jobs/job.ts';
import { mf } from '../src/models/mf/model.ts';
import type { TrainRequest, TrainOutcome } from '../src/models/model.ts';
import type { Ratings } from '../src/data/dataset.ts';
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
import { implicitMinimum, implicitObjective } from './oracle/implicit.ts';

type Shape = { readonly users: number; readonly items: number; readonly share: number };

/** Ratings of three planted factors around 3.5, skewed; one in six is kept for the test. */
function plant({ users, items, share }: Shape, seed: number) {
  const prng = prngOf(seed);
  const factors = (count: number) =>
    Array.from({ length: count }, () => [0, 1, 2].map(() => 2 * prng.uniform() - 1));
  const [p, q] = [factors(users), factors(items)];
  const train: Triple[] = [];
  const held: Triple[] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items; i++) {
      if (prng.uniform() >= share * (u % 5 === 0 ? 2 : 0.75)) continue;
      const score = p[u]!.reduce((sum, value, k) => sum + value * q[i]![k]!, 0);
      const rating = Math.fround(3.5 + 2 * score + 0.3 * prng.uniform());
      (prng.uniform() < 1 / 6 ? held : train).push([u, i, rating]);
    }
  }
  return { train, held, known: { users, items } };
}

type Rows = Factors & Readonly<Record<'users' | 'items' | 'userBias' | 'itemBias', Float32Array>>;
type Fitted = {
  readonly outcome: TrainOutcome;
  readonly factors: Rows;
  readonly hash: string;
  /** The objective after each pass. */
  readonly objectives: readonly number[];
};

async function fit(
  host: Host,
  ratings: { train: readonly Triple[]; held?: readonly Triple[]; known?: Known },
  options: ModelOptions,
  ask: Partial<TrainRequest<Ratings>> = {},
): Promise<Fitted> {
  const mark = host.arena.mark();
  const objectives: number[] = [];
  const session = {
    ...sessionOf(host),
    onEvent(event: { kind: string; values?: Metrics }) {
      if (event.kind === 'progress') objectives.push(event.values?.['objective'] ?? NaN);
    },
  };
  const data = placeRatings(host.arena, ratings.train, ratings.known);
  const test = ratings.held && placeRatings(host.arena, ratings.held, data);
  const outcome = await mf.train(session, requestOf('mf', data, options, { test, ...ask }));
  const [users, items, userBias, itemBias] = ['users', 'items', 'userBias', 'itemBias'].map(
    (name) => tensorOf(host, outcome, name),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const { mean, rank } = outcome.trained.facts as { mean: number; rank: number };
  const hash = hashOf(host, outcome);
  host.arena.release(mark);
  const factors = { mean, rank, users, items, userBias, itemBias };
  return { outcome, factors, hash, objectives };
}
type Known = { readonly users: number; readonly items: number };

function close(got: number | undefined, want: number, relative: number, label: string) {
  const off = Math.abs(got! - want);
  assert.ok(off <= relative * Math.abs(want), `${label}: got ${got}, want ${want}`);
}

function neverUp(objectives: readonly number[], label: string): void {
  for (const [pass, now] of objectives.entries()) {
    const before = objectives[pass - 1] ?? Infinity;
    assert.ok(now <= before * (1 + 1e-6), `${label}: pass ${pass + 1}: ${before} to ${now}`);
  }
}

const solvers = ['als', 'ccd'] as const;

for (const solver of solvers) {
  test(`mf ${solver}: prints the objective and the errors of its tensors, no pass goes up`, async () => {
    await withHost(2, async (host) => {
      const ratings = plant({ users: 70, items: 40, share: 0.5 }, 1);
      for (const bias of [true, false]) {
        for (const [rank, subspace] of [
          [1, 0],
          [2, 4],
          [6, 4],
          [13, 8],
          [30, 0],
          [30, 12],
        ] as const) {
          const label = `bias ${bias} rank ${rank} subspace ${subspace}`;
          const options = { solver, rank, subspace, bias, lambda: 0.05 };
          const { outcome, factors, objectives } = await fit(host, ratings, options, {
            passes: 12,
            tolerance: 0,
          });
          const { metrics } = outcome;
          close(outcome.objective, objective(factors, ratings.train, 0.05), 1e-6, label);
          close(metrics['trainRmse'], rmse(factors, ratings.train), 1e-6, `${label}: trainRmse`);
          close(metrics['rmse'], rmse(factors, ratings.held), 1e-6, `${label}: rmse`);
          assert.is(objectives.length, 12);
          close(objectives.at(-1), outcome.objective, 1e-5, `${label}: the last pass`);
          neverUp(objectives, label);
        }
      }
    });
  });

  test(`mf ${solver}: as low as exact alternating least squares in float64`, async () => {
    await withHost(2, async (host) => {
      for (const [seed, rank, lambda, subspace] of [
        [1, 1, 0.05, 0],
        [2, 3, 0.1, 0],
        [3, 6, 0.05, 4],
      ] as const) {
        const { train, known } = plant({ users: 50, items: 30, share: 0.6 }, seed);
        const options = { solver, rank, lambda, subspace, bias: false };
        const ask = { passes: 600, tolerance: 1e-8 };
        const { outcome } = await fit(host, { train, known }, options, ask);
        const best = alternatingLeastSquares(train, { ...known, rank, lambda }, prngOf(seed));
        const above = outcome.objective / best - 1;
        assert.ok(above <= 1e-3, `rank ${rank}: ${above} above ${best}`);
        assert.is(outcome.converged, true);
        assert.is(outcome.tolerance, 1e-8);
        assert.ok(outcome.passes < 600);
      }
    });
  });

  test(`mf ${solver}: the same bits for 1, 2 and 3 threads`, async () => {
    const ratings = plant({ users: 200, items: 90, share: 0.4 }, 4);
    const hashes = new Set<string>();
    for (const threads of [1, 2, 3, 2]) {
      await withHost(threads, async (host) => {
        const options = { solver, rank: 9, subspace: 4, schedule: 'random' };
        hashes.add((await fit(host, ratings, options, { passes: 4 })).hash);
      });
    }
    assert.is(hashes.size, 1);
  });

  test(`mf ${solver}: --non-negative keeps every factor at 0 or above`, async () => {
    await withHost(2, async (host) => {
      const ratings = plant({ users: 70, items: 40, share: 0.5 }, 7);
      for (const bias of [true, false]) {
        const options = { solver, rank: 10, bias, lambda: 0.02, 'non-negative': true };
        const ask = { passes: 15, tolerance: 0 };
        const { factors, outcome, objectives } = await fit(host, ratings, options, ask);
        for (const rows of [factors.users, factors.items]) {
          assert.ok(
            rows.every((value) => value >= 0),
            `bias ${bias}`,
          );
          assert.ok(rows.includes(0), 'some are held at 0');
        }
        neverUp(objectives, `bias ${bias}`);
        assert.ok(outcome.metrics['trainRmse']! < 0.6, `${outcome.metrics['trainRmse']}`);
      }
    });
  });

  test(`mf ${solver}: rank 1000`, async () => {
    await withHost(2, async (host) => {
      const ratings = plant({ users: 60, items: 50, share: 0.5 }, 8);
      const options = { solver, rank: 1000, lambda: 0.01, bias: false };
      const ask = { passes: 3, tolerance: 0 };
      const { outcome, factors, objectives } = await fit(host, ratings, options, ask);
      close(outcome.objective, objective(factors, ratings.train, 0.01), 1e-6, 'objective');
      neverUp(objectives, 'rank 1000');
      assert.ok(outcome.metrics['trainRmse']! < 0.2);
    });
  });

  const triples: readonly (readonly [string, readonly Triple[]])[] = [
    ['one rating', [[0, 0, 4]]],
    ['one user', [1, 2, 3, 4, 5, 5].map((r, i) => [0, i, r] as const)],
    ['one item', [1, 2, 3, 4, 5, 5].map((r, u) => [u, 0, r] as const)],
    ['constant ratings', Array.from({ length: 63 }, (_, k) => [k % 7, k % 9, 4] as const)],
    ['gaps', Array.from({ length: 80 }, (_, k) => [11 * (k % 8), 17 * (k % 10), k % 5] as const)],
    ['large', Array.from({ length: 80 }, (_, k) => [k % 8, k % 10, 1e6 * (k % 5)] as const)],
  ];
  for (const [name, train] of triples) {
    test(`mf ${solver}: ${name}, with and without penalty`, async () => {
      await withHost(2, async (host) => {
        for (const bias of [true, false]) {
          for (const lambda of [0, 0.05]) {
            const options = { solver, rank: 5, lambda, bias };
            const { factors, outcome, objectives } = await fit(host, { train }, options);
            const label = `bias ${bias} lambda ${lambda}`;
            const all = [factors.users, factors.items, factors.userBias, factors.itemBias];
            assert.ok(
              all.every((values) => values.every(Number.isFinite)),
              label,
            );
            const want = objective(factors, train, lambda);
            const size = train.reduce((sum, [, , rating]) => sum + rating * rating, 0);
            assert.ok(Math.abs(outcome.objective - want) <= 1e-6 * (want + 1e-6 * size), label);
            neverUp(
              objectives.filter((value) => value > 1e-9 * size),
              label,
            );
            if (lambda > 0) continue;
            // Rank 5 and no penalty: these are fitted without a rest, but for rounding.
            const { trainRmse = NaN } = outcome.metrics;
            const unit = Math.sqrt(size / train.length);
            assert.ok(trainRmse < 2e-2 * unit, `${label}: ${trainRmse} of ${unit}`);
          }
        }
      });
    });
  }
}

test('mf: rank 1, one item: the closed form of a ridge', async () => {
  await withHost(1, async (host) => {
    const train = [4, 2, 5, 1].map((rating, user) => [user, 0, rating] as const);
    const lambda = 0.5;
    for (const solver of solvers) {
      const options = { solver, rank: 1, lambda, bias: false };
      const ask = { passes: 200, tolerance: 0 };
      const { factors } = await fit(host, { train }, options, ask);
      const q = factors.items[0]!;
      for (const [user, , rating] of train) {
        close(factors.users[user], (rating * q) / (q * q + lambda), 1e-4, `${solver} user ${user}`);
      }
      const p = factors.users;
      const top = train.reduce((sum, [user, , rating]) => sum + rating * p[user]!, 0);
      const under = p.reduce((sum, value) => sum + value * value, 0) + lambda * train.length;
      close(q, top / under, 1e-4, `${solver} item`);
    }
  });
});

test('mf: an item that no one rated stays 0 and is predicted by what is known', async () => {
  await withHost(2, async (host) => {
    const { train, known } = plant({ users: 40, items: 30, share: 0.6 }, 3);
    const rated = train.filter(([user, item]) => user !== 7 && item !== 9);
    for (const solver of solvers) {
      const { factors } = await fit(host, { train: rated, known }, { solver, rank: 6 });
      assert.ok(factors.users.slice(42, 48).every((value) => value === 0));
      assert.ok(factors.items.slice(54, 60).every((value) => value === 0));
      assert.is(factors.userBias[7], 0);
      assert.is(factors.itemBias[9], 0);
    }
  });
});

test('mf ccd: every schedule ends near the same objective', async () => {
  await withHost(2, async (host) => {
    const ratings = plant({ users: 80, items: 60, share: 0.5 }, 11);
    const ends: number[] = [];
    for (const schedule of ['cyclic', 'static', 'random', 'dynamic']) {
      const options = { solver: 'ccd', rank: 12, subspace: 4, lambda: 0.1, schedule, bias: false };
      const ask = { passes: 300, tolerance: 1e-8, audit: true };
      const { outcome, objectives } = await fit(host, ratings, options, ask);
      neverUp(objectives, schedule);
      assert.ok((outcome.metrics['auditedPairs'] ?? 0) > 0, 'phases were audited');
      ends.push(outcome.objective);
    }
    for (const end of ends) close(end, Math.min(...ends), 5e-3, ends.join(' '));
  });
});

test('mf: a pilot over many ratings, and residuals computed anew, change no promise', async () => {
  await withHost(2, async (host) => {
    const ratings = plant({ users: 1000, items: 400, share: 1 }, 12);
    assert.ok(ratings.train.length > 200_000, 'enough for a pilot');
    for (const solver of solvers) {
      const options = { solver, rank: 8, subspace: 4, lambda: 0.05 };
      const ask = { passes: 10, tolerance: 0 };
      const { outcome, factors, objectives } = await fit(host, ratings, options, ask);
      close(outcome.objective, objective(factors, ratings.train, 0.05), 1e-6, solver);
      close(objectives.at(-1), outcome.objective, 1e-5, `${solver}: the last pass`);
      neverUp(objectives, solver);
    }
  });
});

test('mf --implicit: objective and minimum of the dense form in float64', async () => {
  await withHost(2, async (host) => {
    const prng = prngOf(5);
    const known = { users: 40, items: 25 };
    const train: Triple[] = [];
    for (let u = 0; u < known.users; u++) {
      for (let i = 0; i < known.items; i++) {
        const likes = u % 3 === i % 3 ? 0.6 : 0.1;
        if (prng.uniform() < likes) train.push([u, i, prng.below(4)]);
      }
    }
    for (const [rank, lambda, confidence, subspace] of [
      [3, 0.5, 2, 0],
      [6, 2, 10, 4],
      [9, 1, 0.5, 8],
    ] as const) {
      const options = { solver: 'als', implicit: true, rank, lambda, confidence, subspace };
      const shape = { ...known, rank, lambda, confidence };
      const ask = { passes: 800, tolerance: 1e-8 };
      const fitted = await fit(host, { train, known }, options, ask);
      const { outcome, factors, objectives } = fitted;
      assert.is(factors.userBias.length, 0, 'no biases');
      close(outcome.objective, implicitObjective(shape, train, factors), 1e-5, 'objective');
      neverUp(objectives, `rank ${rank}`);
      const start = Float64Array.from({ length: 25 * rank }, () => prng.uniform() - 0.5);
      const best = implicitMinimum(shape, train, start);
      assert.ok(outcome.objective <= best * (1 + 2e-3), `${outcome.objective}, want ${best}`);
    }
  });
});

test('mf --implicit: what users are offered is compared with what they liked', async () => {
  const known = { users: 60, items: 30 };
  const prng = prngOf(9);
  // Users like the items of their own third; a tenth of that is held back.
  const train: Triple[] = [];
  const held: Triple[] = [];
  for (let u = 0; u < 60; u++) {
    for (let i = u % 3; i < 30; i += 3) {
      (prng.uniform() < 0.1 ? held : train).push([u, i, 1 + prng.below(3)]);
    }
  }
  held.push([-1, 3, 1], [4, -1, 1], [5, 7, 0], train[0]!);
  const found: string[] = [];
  for (const threads of [1, 3]) {
    await withHost(threads, async (host) => {
      const options = { solver: 'als', implicit: true, rank: 3, lambda: 0.1 };
      const { outcome, factors } = await fit(host, { train, held, known }, options);
      const { ndcg10 = NaN, precision10 = NaN, recall10 = NaN } = outcome.metrics;
      const want = offered(factors, train, held);
      assert.equal(
        [ndcg10, precision10, recall10].map((v) => v.toFixed(9)),
        want,
      );
      assert.ok(recall10 > 0.95, `${recall10}`);
      assert.is(outcome.metrics['rmse'], undefined);
      found.push(want.join(' '));
    });
  }
  assert.is(new Set(found).size, 1);
});

/** NDCG, precision and recall of the first ten, said again. */
function offered(f: Rows, train: readonly Triple[], held: readonly Triple[]): string[] {
  const sums = [0, 0, 0];
  let users = 0;
  for (let user = 0; user < f.users.length / f.rank; user++) {
    const had = new Set(train.filter(([u]) => u === user).map(([, item]) => item));
    const liked = new Set(
      held
        .filter(([u, item, count]) => u === user && item >= 0 && count > 0 && !had.has(item))
        .map(([, item]) => item),
    );
    if (liked.size === 0) continue;
    users += 1;
    const score = (item: number) => predicted({ ...f, mean: 0 }, user, item);
    const top = Array.from({ length: f.items.length / f.rank }, (_, item) => item)
      .filter((item) => !had.has(item))
      .sort((a, b) => score(b) - score(a))
      .slice(0, 10);
    const gain = (place: number) => Math.LN2 / Math.log(place + 2);
    const most = [...liked].slice(0, 10).reduce((sum, _, place) => sum + gain(place), 0);
    const hits = top.filter((item) => liked.has(item)).length;
    const got = top.reduce((sum, item, place) => sum + (liked.has(item) ? gain(place) : 0), 0);
    sums[0]! += got / most;
    sums[1]! += hits / 10;
    sums[2]! += hits / liked.size;
  }
  return sums.map((sum) => (sum / users).toFixed(9));
}

test('mf: options that exclude each other are ERR_CONFIG, and say what to do', async () => {
  await withHost(1, async (host) => {
    const train: Triple[] = [[0, 0, -1]];
    for (const [options, words] of [
      [{ 'non-negative': true }, /--non-negative needs --solver als or ccd, got --solver sgd/],
      [{ implicit: true, solver: 'ccd' }, /--implicit needs --solver als, got --solver ccd/],
      [{ implicit: true, solver: 'als' }, /every rating must be a count, at least 0, got -1/],
      [{ solver: 'als', subspace: 6 }, /--subspace must be 0 or a multiple of 4, got 6/],
    ] as const) {
      try {
        await fit(host, { train }, options);
        assert.unreachable(`${words}`);
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        assert.is(code, 'ERR_CONFIG');
        assert.match(message, words);
      }
    }
  });
});

test('Mf: solver, nonNegative and implicit reach the solver', async () => {
  const { train } = plant({ users: 40, items: 30, share: 0.6 }, 6);
  const [users, items, ratings] = [0, 1, 2].map((side) => train.map((triple) => triple[side]!));
  const triples = { users: users!, items: items!, ratings: ratings!.map(Math.abs) };
  const positive = await new Mf({ solver: 'ccd', nonNegative: true, rank: 4 }).fit(triples);
  assert.ok(positive.tensor('users')!.every((value) => value >= 0));
  const implicit = await new Mf({ solver: 'als', implicit: true, confidence: 2 }).fit(triples);
  const [score = NaN] = await implicit.predict({ users: [0], items: [0] });
  assert.ok(score >= 0 && score <= 1, `${score}`);
});

test.run();
