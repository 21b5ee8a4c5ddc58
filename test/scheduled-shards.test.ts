// Schedules that are planned by workers: the same picks for any workers and hosts, audited.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { createPrng } from '../src/base/prng.ts';
import { createCorrelations } from '../src/scheduler/correlations.ts';
import { createCoordinator, createShard } from '../src/scheduler/shards.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import type { ShardedOptions } from './programs/sharded-program.ts';

const program = await programOf('sharded-program');

async function planned(threads: readonly number[], options: ShardedOptions) {
  const wanted = request('sharded-program', options, { audit: true });
  let found: Readonly<Record<string, number>> = {};
  const hooks = {
    onEvent(event: { kind: string; values?: Readonly<Record<string, number>> }) {
      if (event.kind === 'progress') found = event.values ?? {};
    },
  };
  const run =
    threads.length === 1
      ? await withHost(threads[0]!, (host) => host.run(program, wanted, hooks))
      : await withCluster(threads, async (hosts) => {
          const runs = await Promise.all(hosts.map((host) => host.run(program, wanted, hooks)));
          return runs[0]!;
        });
  return { ...found, audited: run.auditedPairs ?? 0 };
}

for (const depth of [0, 2]) {
  const options = { variables: 300, schedulers: 4, depth, phases: 40 };
  test(`shards: any workers and hosts pick the same (depth ${depth})`, async () => {
    const alone = await planned([1], options);
    assert.ok(alone.audited > 100, `${alone.audited} pairs`);
    for (const threads of [[2], [4], [1, 2]]) {
      assert.equal(await planned(threads, options), alone, threads.join('+'));
    }
  });
}

test('shards: a filter that is too wide is found by the auditor', async () => {
  const options = { variables: 300, schedulers: 4, depth: 2, phases: 40, blind: true };
  const failed = await planned([2], options).catch((error: unknown) => error);
  assert.is((failed as SystemError).code, 'ERR_SCHEDULE');
  assert.match((failed as SystemError).message, /in flight at once: their correlation is 0.5/);
});

test('shards: the coordinator asks each for its range once, and tells it what became of it', () => {
  const options = { kind: 'cyclic', variables: 10, want: 2, schedulers: 2, depth: 1 } as const;
  const coordinator = createCoordinator(options);
  const shards = [0, 1].map((s) => createShard(options, s));
  const prng = createPrng(1);
  assert.is(coordinator.next(prng), undefined, 'nothing was proposed');
  const orders = coordinator.orders(prng);
  assert.equal(
    orders.map(({ shard, count }) => [shard, count]),
    [
      [0, 2],
      [1, 2],
    ],
  );
  assert.equal(coordinator.orders(prng), [], 'they are under way');
  const proposals = orders.map((order) => shards[order.shard]!.plan(order));
  assert.equal(
    proposals.map(({ candidates }) => candidates),
    [
      [0, 1],
      [5, 6],
    ],
  );
  coordinator.propose(proposals);
  const [first, second] = [coordinator.next(prng)!, coordinator.next(prng)!];
  assert.equal([...first.picked, ...second.picked], [0, 1, 5, 6]);
  coordinator.done(first.number, Float64Array.of(0.5, 0.25));
  const [again] = coordinator.orders(prng);
  assert.equal([again?.ended, again?.changes, again?.inFlight], [[0, 1], [0.5, 0.25], []]);
  assert.throws(() => coordinator.propose([...proposals, ...proposals]), /without an order/);
});

test('shards: where one range is blocked another has its turn', () => {
  const correlations = createCorrelations({ threshold: 0.2 });
  // The ranges are 0 … 3 and 4 … 7; 1, 2 and 3 have to wait for 0.
  const group = [0, 0, 0, 0, 1, 2, 3, 4];
  const all = Int32Array.from(group, (_, j) => j);
  const moment = (j: number, k: number) => (j === k ? 1 : group[j] === group[k] ? 0.5 : 0);
  correlations.note(
    all,
    [...all].flatMap((j) => Array.from(all, (k) => moment(j, k))),
  );
  const options = { kind: 'cyclic', variables: 8, want: 1, schedulers: 2, depth: 3 } as const;
  const coordinator = createCoordinator({ ...options, correlations, pool: 1 });
  const shards = [0, 1].map((s) => createShard({ ...options, pool: 1 }, s));
  const prng = createPrng(1);
  const ask = () =>
    coordinator.propose(coordinator.orders(prng).map((own) => shards[own.shard]!.plan(own)));
  const picked: number[][] = [];
  for (let i = 0; i < 3; i++) {
    ask();
    picked.push([...(coordinator.next(prng)?.picked ?? [])]);
  }
  assert.equal(picked, [[0], [4], [5]]);
});

test.run();
