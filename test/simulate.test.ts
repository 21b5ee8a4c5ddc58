// perpetuum simulate: the job's real code on simulated hosts. Nothing here depends on real time.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobEvent } from '../src/jobs/job.ts';
import { lastEvent, perpetuum } from './helpers/command.ts';
import { exampleData, trainOn } from './helpers/models.ts';
import { a9aJob, policies, shortSgd, simulate } from './helpers/simulate.ts';

const rowNamed = (done: Awaited<ReturnType<typeof simulate>>, name: string, staleness: number) => {
  const row = done.policies.find(
    (each) => each.consistency === name && each.staleness === staleness,
  );
  assert.ok(row, `${name} ${staleness}`);
  return row;
};

test('simulate: the same seed gives the same trace, another seed another', async () => {
  const network = { latency: '1ms', jitter: '1ms', loss: '1%', bandwidth: '1gbit' };
  const job = {
    network,
    hosts: 3,
    train: a9aJob({ passes: 1 }),
    policies: policies('essp:2 auto'),
  };
  const [first, again, other] = [
    await simulate(job),
    await simulate(job),
    await simulate({ ...job, seed: 2 }),
  ];
  assert.equal({ ...again, measuredPushMs: 0 }, { ...first, measuredPushMs: 0 });
  assert.is.not(other.traceHash, first.traceHash);
});

test('simulate: bsp reaches the model of one real host, whatever the hosts', async () => {
  const real = await trainOn('mlr', {
    ...{ data: exampleData('a9a.gz'), options: shortSgd, passes: 2, threads: 2, audit: false },
  });
  for (const hosts of [2, 5]) {
    const network = { latency: '2ms', jitter: '5ms', straggler: '3x' };
    const done = await simulate({ hosts, network, policies: policies('bsp') });
    assert.is(rowNamed(done, 'bsp', 0).modelHash, real.modelHash, `${hosts} hosts`);
    // Summed in another order.
    const share = rowNamed(done, 'bsp', 0).objective / real.objective;
    assert.ok(Math.abs(share - 1) < 1e-12, `${share}`);
    assert.is(rowNamed(done, 'bsp', 0).clocks, real.clocks);
  }
});

test('simulate: with transient stragglers essp s=4 needs at most 0.7 of the time of bsp', async () => {
  const network = { straggler: 'transient:4clocks:50%', latency: '100us', bandwidth: '1gbit' };
  for (const seed of [1, 2]) {
    const done = await simulate({ network, seed, train: a9aJob({ passes: 3 }) });
    const bsp = rowNamed(done, 'bsp', 0).secondsToObjective;
    const essp = rowNamed(done, 'essp', 4).secondsToObjective;
    assert.ok(bsp !== null && essp !== null, 'both reach the objective');
    assert.ok(essp <= 0.7 * bsp, `seed ${seed}: ${essp} of ${bsp}`);
  }
});

test('simulate: without stragglers essp is not slower than bsp by more than 5 %', async () => {
  for (const network of [{}, { latency: '1ms', jitter: '200us', bandwidth: '1gbit' }]) {
    const done = await simulate({ network, policies: policies('bsp essp:1 essp:4') });
    const bsp = rowNamed(done, 'bsp', 0).secondsToObjective ?? 0;
    for (const staleness of [1, 4]) {
      const essp = rowNamed(done, 'essp', staleness).secondsToObjective;
      assert.ok(essp !== null && essp <= 1.05 * bsp, `s ${staleness}: ${essp} of ${bsp}`);
    }
  }
});

test('simulate: times are those of pushes and stragglers', async () => {
  const job = { hosts: 2, train: a9aJob({ passes: 1 }), policies: policies('bsp') };
  const plain = rowNamed(await simulate(job), 'bsp', 0);
  // 64 clocks of 8 pushes a worker.
  assert.ok(Math.abs(plain.seconds - 64 * 8 * 0.005) < 0.05, `${plain.seconds} s`);
  assert.is(plain.clocks, 64);
  const slow = rowNamed(await simulate({ ...job, network: { straggler: '3x' } }), 'bsp', 0);
  assert.ok(Math.abs(slow.seconds / plain.seconds - 3) < 0.02, `${slow.seconds} s`);
  assert.ok(Math.abs(slow.waited - 1 / 3) < 0.02, `waited ${slow.waited}`);
  const frozen = { straggler: 'frozen:4clocks:50%' };
  const stalled = rowNamed(await simulate({ ...job, network: frozen }), 'bsp', 0);
  assert.ok(stalled.seconds > 1.5 * plain.seconds, `${stalled.seconds} s`);
});

test('simulate: bounds hold under every policy, and reads are audited', async () => {
  const said: JobEvent[] = [];
  const done = await simulate(
    {
      ...{ hosts: 3, threads: 2, train: a9aJob({ passes: 1, audit: true }) },
      network: { straggler: 'transient:4clocks:50%', latency: '1ms', loss: '1%' },
      policies: policies('bsp ssp:1 ssp:4 essp:1 essp:4 async auto'),
    },
    (event) => said.push(event),
  );
  assert.is(done.policies.length, 7);
  for (const { meanStaleness, consistency, staleness, passes } of done.policies) {
    assert.ok(meanStaleness <= staleness || consistency === 'async', consistency);
    assert.is(passes.length, 1, consistency);
  }
  assert.ok(said.some((event) => event.kind === 'facts' && event.text.startsWith('essp:4: ')));
});

test('simulate: a program with a schedule finds the same bits on any hosts, late or lost', async () => {
  const data = exampleData('digits.csv.gz');
  const options = { solver: 'batch', lambda: 0.01, method: 'descent' };
  const train = a9aJob({ data: [data], options, passes: 1000 });
  const real = await trainOn('mlr', { data, options, passes: 1000, threads: 2, audit: false });
  const times: number[] = [];
  for (const network of [
    {},
    { latency: '2ms', jitter: '5ms', loss: '2%' },
    { latency: '2ms', straggler: '3x' },
  ]) {
    for (const hosts of [2, 4]) {
      const done = await simulate({ train, hosts, network });
      assert.is(done.policies.length, 1, 'it is simulated once');
      const [row] = done.policies;
      assert.is(row?.modelHash, real.modelHash, `${hosts} hosts`);
      assert.is(row?.clocks, real.clocks);
      times.push(row?.seconds ?? 0);
      const again = await simulate({ train, hosts, network });
      assert.is(again.traceHash, done.traceHash);
    }
  }
  const [quick = 0, , late = 0, , slow = 0] = times;
  assert.ok(late > quick && slow > 2 * quick, times.join(' '));
});

test('simulate: matrix factorization, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'perpetuum-simulate-'));
  try {
    const path = join(folder, 'ratings');
    const line = (i: number) => `${(i * 37) % 61} ${(i * i) % 23} ${1 + ((i * 7) % 5)}\n`;
    writeFileSync(path, Array.from({ length: 900 }, (_, i) => line(i)).join(''));
    const train = a9aJob({ model: 'mf', data: [path], options: { rank: 4 }, passes: 2 });
    const hashes = new Set<string>();
    for (const hosts of [2, 3]) {
      const { policies: rows } = await simulate({ train, hosts, network: { latency: '1ms' } });
      rows.forEach(({ modelHash }) => hashes.add(modelHash));
    }
    assert.is(hashes.size, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('simulate: a host that fails ends all, with its own error', async () => {
  const options = { ...shortSgd, 'learning-rate': 1e30 };
  await simulate({ train: a9aJob({ options }) }).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /not finite/),
  );
});

test('simulate: the command prints a table, or a line of JSON for each policy', async () => {
  const options = ['--hosts', '2', '--only', 'essp:2', '--push', '1ms'];
  const job = ['train', 'mlr', exampleData('a9a.gz'), '--solver', 'sgd', '--passes', '1'];
  const batch = ['--batch-size', '512'];
  const line = ['simulate', ...options, '--', ...job, ...batch];
  const [text, json] = await Promise.all([
    perpetuum(line),
    perpetuum(['simulate', '--json', ...options, '--', ...job, ...batch]),
  ]);
  assert.is(text.code, 0, text.err);
  assert.match(text.out, /^mlr on 2 simulated hosts × 1 thread, seed 1/);
  assert.match(text.out, /\n {2}bsp .*\n {2}essp s=2 /);
  assert.match(text.out, /a push takes 1 ms, one really took [\d.e-]+ ms here/);
  assert.is(json.code, 0, json.err);
  assert.is(json.out.match(/^{"event":"policy",/gm)?.length, 2);
  assert.is(lastEvent(json)['event'], 'done');
  assert.match(text.out, new RegExp(`trace ${String(lastEvent(json)['traceHash'])}`));
});

test('simulate: wrong options are refused before anything is read', async () => {
  const job = ['--', 'train', 'mlr', 'none.csv', '--solver', 'sgd'];
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--latency', '1parsec', ...job], /--latency must be a time/],
    [['--straggler', 'transient:4clocks', ...job], /--straggler transient needs a length/],
    [['--push', '0ms', ...job], /--push must be a time from 1us on/],
    [['--only', 'ezsp', ...job], /--only must be of bsp/],
    [['--hosts', '1', ...job], /--hosts must be an integer from 2 to 64/],
    [[...job, '--out', 'model'], /saves no model/],
    [['--hosts', '2'], /needs a train line behind --/],
  ];
  for (const [args, rule] of wrong) {
    const { code, err } = await perpetuum(['simulate', ...args]);
    assert.is(code, 2, err);
    assert.match(err, rule);
  }
});

test.run();
