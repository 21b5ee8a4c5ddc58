// mf by alternating least squares and coordinate descent against float64: what is printed is what
// the tensors say, no pass goes up, and the end is near the best that an independent solver finds.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Ratings } from '../src/data/dataset.ts';
import { Mf } from '../src/index.ts';
import { noisePenalty, penaltyOf } from '../src/models/mf/rows/penalty.ts';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { close, fit, neverUp, plant } from './helpers/mf.ts';
import { alternatingLeastSquares, objective, rmse, type Triple } from './oracle/factorization.ts';

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
      const options = { solver, rank: 1000, lambda: 0.01, bias: false, continuation: false };
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

test('mf: the first penalty is that of noise, and falls to the one asked for', () => {
  // 0.6 · deviation · (√(users/ratings) + √(items/ratings)); a fourth of the users, of the ratings.
  const data = { users: 400, items: 100, count: 10_000 } as Ratings;
  close(noisePenalty(data, 2, 1), 0.6 * 2 * (0.2 + 0.1), 1e-12, 'all');
  close(noisePenalty(data, 2, 4), 0.6 * 2 * (0.2 + 0.2), 1e-12, 'a fourth of the users');
  const course = (noise: number, lambda: number) =>
    [0, 1, 2, 3, 4, 5].map((pass) => Number(penaltyOf(pass, noise, lambda).toFixed(6)));
  assert.equal(course(1, 0.3), [1, 0.6, 0.3, 0.3, 0.3, 0.3]);
  assert.equal(course(1, 0), [1, 0.6, 0.36, 0.216, 0, 0], 'it ends, also where λ is 0');
  assert.equal(course(0.04, 0.05), [0.05, 0.05, 0.05, 0.05, 0.05, 0.05]);
  assert.equal(course(0.06, 0.05), [0.05, 0.05, 0.05, 0.05, 0.05, 0.05], 'near is as good');
});

for (const solver of solvers) {
  test(`mf ${solver}: to begin with the penalty of noise predicts better, ends as low`, async () => {
    await withHost(2, async (host) => {
      const { train, held, known } = plant({ users: 300, items: 200, share: 0.3 }, 5);
      const prng = prngOf(9);
      const noisy = (triples: readonly Triple[]) =>
        triples.map(([u, i, r]) => [u, i, r + 3 * (prng.uniform() - 0.5)] as const);
      const ratings = { train: noisy(train), held: noisy(held), known };
      const options = { solver, rank: 24, lambda: 0.02, bias: false };
      const after = async (passes: number, continuation: boolean) =>
        (await fit(host, ratings, { ...options, continuation }, { passes, tolerance: 0 })).outcome;
      const without: number[] = [];
      for (let pass = 1; pass <= 6; pass++) {
        without.push((await after(pass, false)).metrics['rmse'] ?? NaN);
      }
      const { metrics } = await after(3, true);
      const best = Math.min(...without);
      assert.ok(metrics['rmse']! < 0.97 * best, `${metrics['rmse']} against ${best}`);
      const [ended, plain] = [await after(60, true), await after(60, false)];
      close(ended.objective, plain.objective, 0.02, 'the objective in the end');
    });
  });
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
