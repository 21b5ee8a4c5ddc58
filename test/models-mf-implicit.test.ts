// mf of implicit feedback against the dense form in float64, and what its users are offered.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { close, fit, neverUp, type Rows } from './helpers/mf.ts';
import { predicted, type Triple } from './oracle/factorization.ts';
import { implicitMinimum, implicitObjective } from './oracle/implicit.ts';

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

test.run();
