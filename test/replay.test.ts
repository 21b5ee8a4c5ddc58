// train --record and perpetuum replay: whatever order threads and packets had, it is had again.
import { readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TrainJob } from '../src/jobs/job.ts';
import { replayJob } from '../src/jobs/replay.ts';
import { trainJob } from '../src/jobs/train.ts';
import { loadRecords } from '../src/record/directory.ts';
import { withTickets } from '../src/record/run-record.ts';
import { perpetuum, withFolder } from './helpers/command.ts';
import { exampleData } from './helpers/models.ts';
import { a9aJob, policies } from './helpers/simulate.ts';

const hooks = { onEvent: () => undefined, signal: new AbortController().signal };

const record = (directory: string, job: Partial<TrainJob> = {}) =>
  trainJob(a9aJob({ threads: 2, record: directory, ...job }), hooks);
const replay = (directory: string) => replayJob({ command: 'replay', directory }, hooks);

/** What replaying says, where it does not end well. */
const refusal = (directory: string): Promise<string> =>
  replay(directory).then(
    () => 'equal',
    (error: Error & { code?: string }) => `${error.code} ${error.message}`,
  );

type Card = { sha256: string; modelHash: string; runs: { tickets: [number, number] }[] };

/** Changes a record; its check sum is made to fit. */
function tamper(directory: string, change: (card: Card, bytes: Buffer) => void): void {
  const folder = join(directory, 'host-0');
  const card = JSON.parse(readFileSync(join(folder, 'record.json'), 'utf8')) as Card;
  const bytes = readFileSync(join(folder, 'record.bin'));
  change(card, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(folder, 'record.bin'), bytes);
  writeFileSync(join(folder, 'record.json'), JSON.stringify({ ...card, sha256 }));
}

test('replay: several recorded runs of two threads, each with its own hash', async () => {
  await withFolder(async (folder) => {
    for (let go = 0; go < 3; go++) {
      const directory = join(folder, `${go}`);
      const done = await record(directory, { consistency: 'essp', staleness: 2 });
      const again = await replay(directory);
      assert.is(again.modelHash, done.modelHash);
      assert.is(again.objective, done.objective);
      assert.equal(again.runs, { replayed: 1, plain: 1 });
    }
  });
});

test('replay: every policy on one host, with audited reads', async () => {
  for (const policy of policies('bsp ssp:1 async auto')) {
    await withFolder(async (folder) => {
      const done = await record(folder, { ...policy, threads: 3, audit: true, passes: 1 });
      const again = await replay(folder);
      assert.is(again.modelHash, done.modelHash, policy.consistency);
      assert.is(again.runs.replayed, policy.consistency === 'bsp' ? 0 : 1);
    });
  }
});

const trainLine = (folder: string, ...more: readonly string[]) => [
  ...['train', 'mlr', exampleData('a9a.gz'), '--solver', 'sgd', '--batch-size', '512'],
  ...['--passes', '1', '--threads', '2', '--record', folder, '--json', ...more],
];

test('replay: real launches of two hosts, under every policy and way of sending', async () => {
  const ways: readonly (readonly string[])[] = [
    ['--consistency', 'essp', '--staleness', '2'],
    ['--consistency', 'ssp', '--staleness', '1'],
    ['--consistency', 'auto', '--send-early', '--delta-encoding', 'bf16', '--link-rate', '20'],
    ['--consistency', 'async', '--audit'],
  ];
  for (const way of ways) {
    await withFolder(async (folder) => {
      const line = trainLine(folder, ...way);
      const launched = await perpetuum(['launch', '--local', '2', '--', ...line]);
      assert.is(launched.code, 0, launched.err);
      const hash = /"modelHash":"(\w+)"/.exec(launched.out)?.[1] ?? '';
      const again = await perpetuum(['replay', folder]);
      assert.is(again.code, 0, again.err);
      assert.match(again.out, /^mlr replayed, 2 hosts\n/);
      assert.match(again.out, new RegExp(`${hash.slice(0, 12)}, equal to the recorded one`));
      assert.match(again.out, /2 in recorded order, 2 that always end the same/);
    });
  }
});

test('replay: a scheduled program is run again', async () => {
  await withFolder(async (folder) => {
    const done = await record(folder, { options: { solver: 'batch' }, passes: 3 });
    assert.is((await replay(folder)).modelHash, done.modelHash);
  });
});

test('replay: a scheduled program of two hosts is run again in one process', async () => {
  await withFolder(async (folder) => {
    const train = ['train', 'mlr', exampleData('digits.csv.gz'), '--lambda', '0.01'];
    const line = [...train, '--threads', '2', '--record', folder, '--json'];
    const launched = await perpetuum(['launch', '--local', '2', '--', ...line]);
    assert.is(launched.code, 0, launched.err);
    const hash = /"modelHash":"(\w+)"/.exec(launched.out)?.[1] ?? '';
    const again = await replay(folder);
    assert.is(again.modelHash, hash);
    assert.is(again.hosts, 2);
  });
});

test('replay: a record that was changed is refused, or diverges where it was changed', async () => {
  await withFolder(async (folder) => {
    await record(folder, { consistency: 'essp', staleness: 2, passes: 1 });
    const bin = join(folder, 'host-0', 'record.bin');
    const bytes = readFileSync(bin);
    writeFileSync(
      bin,
      bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)),
    );
    assert.match(await refusal(folder), /^ERR_DATA .*its check sum differs/);
    writeFileSync(bin, bytes);

    tamper(folder, (card, all) => {
      const [from, to] = card.runs.find((run) => 'tickets' in run)?.tickets ?? [0, 0];
      all.subarray(from, to).sort();
    });
    const other = /^ERR_PROGRAM the replay diverged at rank 0, worker [01], clock \d+: its deltas/;
    assert.match(await refusal(folder), other);

    tamper(folder, (card, all) => {
      bytes.copy(all);
      const [from] = card.runs.find((run) => 'tickets' in run)?.tickets ?? [0, 0];
      all[from] = 7;
    });
    assert.match(await refusal(folder), /^ERR_PROGRAM the replay diverged at rank 0/);

    tamper(folder, (card, all) => {
      bytes.copy(all);
      card.modelHash = 'f'.repeat(64);
    });
    const cli = await perpetuum(['replay', folder]);
    assert.is(cli.code, 1);
    assert.match(cli.err, /the replay diverged at its end, .*recorded ffff/);
  });
});

test('replay: other data, a missing host and no record are refused', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'rows.csv');
    const rows = Array.from({ length: 64 }, (_, i) => `${i % 7},${i % 5},${i % 2}`);
    writeFileSync(data, rows.join('\n'));
    const directory = join(folder, 'record');
    const options = { solver: 'sgd', 'batch-size': 16 };
    await record(directory, { data: [data], options, consistency: 'essp' });
    assert.is(await refusal(directory), 'equal');
    writeFileSync(data, rows.slice(1).join('\n'));
    assert.match(await refusal(directory), /^ERR_DATA .*rows.csv must have \d+ bytes, as when/);
    tamper(directory, (card) => Object.assign(card, { threads: [2, 2] }));
    assert.match(await refusal(directory), /^ERR_DATA .*needs the records of all 2 hosts/);
    assert.match(await refusal(join(folder, 'none')), /^ERR_DATA .*cannot be read/);
    assert.match(await refusal(folder), /^ERR_DATA .*has no folder host-0/);
  });
});

test('replay: the secret of a launch is not written down', async () => {
  await withFolder(async (folder) => {
    const line = trainLine(folder);
    assert.is((await perpetuum(['launch', '--local', '2', '--', ...line])).code, 0);
    for (const { job } of await loadRecords<TrainJob>(folder)) assert.is(job.cluster, undefined);
  });
});

test('replay: programs whose caches depend on more than the record has are refused', () => {
  type Arguments = Parameters<typeof withTickets>;
  const program = { name: 'ahead', prefetch: () => ({}) } as unknown as Arguments[1];
  const plan = { lockStep: false, tables: [] } as unknown as Arguments[2];
  const arena = { allocate: () => 64 } as unknown as Arguments[0];
  assert.throws(() => withTickets(arena, program, plan), /--record works without row caches/);
  const plain = { name: 'plain' } as unknown as Arguments[1];
  assert.is(withTickets(arena, plain, plan).tickets?.at, 64);
});

test.run();
