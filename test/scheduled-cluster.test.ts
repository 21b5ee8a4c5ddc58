// Scheduled programs over several hosts, each with its own memory and threads, joined by real
// meshes in this process.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRatings } from '../src/data/load-ratings.ts';
import type { ModelOptions } from '../src/jobs/job.ts';
import { logistic } from '../src/models/logistic/model.ts';
import { mf } from '../src/models/mf/model.ts';
import { mlr } from '../src/models/mlr/model.ts';
import { fitSamples, withPool, type Fitted } from './helpers/fit-cluster.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { programOf, request } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { exampleData, hashOf, requestOf, sessionOf } from './helpers/models.ts';
import type { SharingOptions } from './programs/sharing-program.ts';

const program = await programOf('sharing-program');

for (const threads of [[2], [1, 1], [2, 1, 1], [1, 2, 1, 3]]) {
  test(`scheduled: what is shared is there in time (threads ${threads.join('+')})`, async () => {
    const options: SharingOptions = { clocks: 12, bulk: 2_500_000 };
    await withCluster(threads, async (hosts) => {
      const runs = await Promise.all(
        hosts.map((host) => host.run(program, request('sharing-program', options))),
      );
      for (const [rank, { plan, clocks, tableBytes }] of runs.entries()) {
        const { arena } = hosts[rank]!;
        assert.is(arena.i32[(plan.buffers['result'] ?? 0) / 4], 13_007, `result on rank ${rank}`);
        assert.is(clocks, 12);
        if (threads.length > 1) assert.ok((tableBytes[2] ?? 0) > 0, 'rows have travelled');
      }
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-scheduled-'));
test.after(() => rmSync(folder, { recursive: true }));

function put(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Sparse rows over so many columns that only a diagonal preconditions them. */
function wideText(rows: number): string {
  const prng = prngOf(5);
  const line = () => {
    const label = prng.below(3);
    const columns = [1, 2, 3, 4, 5].map((n) => n * 300 - prng.below(280) + label);
    return `${label} ${columns.map((j) => `${j}:${prng.uniform() + 0.2}`).join(' ')}\n`;
  };
  return Array.from({ length: rows }, line).join('');
}

test('mlr batch: several hosts find the same bits as one (digits)', async () => {
  const data = exampleData('digits.csv.gz');
  const options = { lambda: 0.001, method: 'descent' };
  const alone = await fitSamples(mlr, [2], { data, test: data, options });
  for (const threads of [
    [1, 1],
    [1, 1, 2],
    [1, 1, 1, 1],
  ]) {
    assert.equal(
      await fitSamples(mlr, threads, { data, test: data, options }),
      alone,
      threads.join('+'),
    );
  }
  assert.is(alone.objective.toFixed(4), '0.0139');
});

test('mlr batch: several hosts find the same bits as one (wide, sparse)', async () => {
  const data = put('wide', wideText(900));
  const options = { lambda: 0.01, method: 'descent' };
  const alone = await fitSamples(mlr, [1], { data, options, partitions: 7 });
  for (const threads of [
    [1, 1],
    [2, 1, 2],
  ]) {
    assert.equal(
      await fitSamples(mlr, threads, { data, options, partitions: 7 }),
      alone,
      threads.join('+'),
    );
  }
});

for (const ratio of [0, 0.5, 1]) {
  test(`logistic: several hosts find the same bits as one (l1-ratio ${ratio})`, async () => {
    const data = put('binary', wideText(600).replace(/^2/gm, '1'));
    for (const partitions of [5, 16]) {
      const asked = { data, options: { lambda: 0.003, 'l1-ratio': ratio }, partitions };
      const alone = await fitSamples(logistic, [2], asked);
      for (const threads of [
        [1, 1],
        [1, 1, 1, 1],
      ]) {
        assert.equal(await fitSamples(logistic, threads, asked), alone, threads.join('+'));
      }
    }
  });
}

test('logistic: held-out rows of several hosts are measured together', async () => {
  const data = put('binary', wideText(300).replace(/^2/gm, '1'));
  const asked = { data, test: data, options: { lambda: 0.01 }, partitions: 5 };
  const metricsOn = async (threads: number[]) =>
    (await fitSamples(logistic, threads, asked)).metrics as Record<string, number>;
  const { logLoss: loss = NaN, ...alone } = await metricsOn([1]);
  const { logLoss: other = NaN, ...together } = await metricsOn([1, 2]);
  assert.equal(together, alone);
  assert.ok(Math.abs(other / loss - 1) < 1e-12, 'sums of the hosts are added in another order');
  assert.is(alone['accuracy'], alone['trainAccuracy']);
});

test('mlr batch: several hosts do not ascend', async () => {
  const data = put('few', wideText(40));
  const failed = await fitSamples(mlr, [1, 1], { data, options: { method: 'ascent' } }).catch(
    (e: Error) => e,
  );
  assert.match((failed as Error).message, /--method ascent needs all rows on one host/);
});

/** Ratings of planted biases, some users with many, ids in no order. */
function ratingText(users: number, items: number, count: number, seed: number): string {
  const prng = prngOf(seed);
  const line = () => {
    const user = Math.floor(users * prng.uniform() ** 2);
    const item = Math.floor(items * prng.uniform() ** 1.5);
    const rating = 1 + ((user * 7 + item * 3 + prng.below(3)) % 5);
    return `${(user * 37) % users} ${(item * 11) % items} ${rating}\n`;
  };
  return Array.from({ length: count }, line).join('');
}

async function fitMf(
  threads: readonly number[],
  paths: { readonly data: string; readonly test?: string },
  options: ModelOptions,
): Promise<Fitted> {
  return withCluster(threads, async (hosts) => {
    const fitted = await Promise.all(
      hosts.map(async (host): Promise<Fitted> => {
        const { world, arena } = host;
        const [data, held] = await withPool(host, 5_000, async (pool) => {
          const place = { arena, pool, world };
          const train = await loadRatings([paths.data], {}, place);
          if (paths.test === undefined) return [train, undefined];
          return [train, await loadRatings([paths.test], { like: train }, place)];
        });
        const session = { ...sessionOf(host), world };
        const asked = { audit: false, test: held, passes: 4 };
        const outcome = await mf.train(session, requestOf('mf', data, options, asked));
        const { objective, metrics } = outcome;
        // Rank 0 alone has the factors: it is the one that saves them.
        const hash = world.rank === 0 ? hashOf(host, outcome) : '';
        return { hash, objective, metrics, clocks: 0 };
      }),
    );
    const [first] = fitted;
    for (const other of fitted) {
      assert.equal({ ...other, hash: '' }, { ...first, hash: '' }, 'all hosts have the result');
    }
    return first!;
  });
}

for (const [what, options] of [
  ['biases', { rank: 6, lambda: 0.05 }],
  ['no biases', { rank: 5, lambda: 0.02, bias: false }],
  ['a grid of 3', { rank: 3, blocks: 3 }],
] as const) {
  test(`mf: several hosts find the same bits as one (${what})`, async () => {
    const data = put('ratings', ratingText(311, 97, 6000, 1));
    const held = put('held', `${ratingText(311, 97, 700, 2)}9999 3 2\n4 5555 1\n`);
    const alone = await fitMf([2], { data, test: held }, options);
    for (const threads of [
      [1, 1],
      [1, 2, 1],
      [1, 1, 1, 1],
    ]) {
      const fitted = await fitMf(threads, { data, test: held }, options);
      assert.equal(fitted, alone, threads.join('+'));
    }
    assert.ok(alone.objective > 0);
  });
}

test.run();
