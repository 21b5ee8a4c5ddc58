// lda on the parameter server over hosts that get lost, over hosts on virtual time, and recorded:
// it ends with the usual error, and loses no count unseen.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import type { AnyProgram, PartitionWork, PushContext } from '../src/program/program.ts';
import { noFaults } from '../src/sim/faults.ts';
import type { Host } from '../src/supervisor/host.ts';
import { lastEvent, perpetuum, withFolder } from './helpers/command.ts';
import { prngOf } from './helpers/lab.ts';
import { libsvmOf, plantTopics } from './helpers/lda.ts';
import { fitLda } from './helpers/lda-fits.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { trainOn } from './helpers/models.ts';
import { openProxy } from './helpers/proxy.ts';
import { a9aJob, policies, simulate, trainSimulated } from './helpers/simulate.ts';

const known = plantTopics(prngOf(5), { topics: 6, documents: 150, length: 20 });
const folder = mkdtempSync(join(tmpdir(), 'perpetuum-lda-server-'));
const data = join(folder, 'train.svm');
test.before(() => writeFileSync(data, libsvmOf(known.documents)));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const options = { topics: 7, parallel: 'server', 'evaluate-interval': 2 };
const jobOf = (passes: number, text: string) => ({
  ...a9aJob({ model: 'lda', options, data: [data], passes }),
  ...policies(text)[0],
});

test('lda on the parameter server: a host that goes away ends all, with the usual error', async () => {
  for (const text of ['bsp', 'ssp:2', 'essp:2']) {
    const open = { proxy: undefined as Awaited<ReturnType<typeof openProxy>> | undefined };
    const through = async (port: number) => {
      open.proxy = await openProxy(port);
      return open.proxy.port;
    };
    const [policy] = policies(text);
    const endless = { passes: 1_000_000, audit: false, ...(policy && { policy }) };
    const failureOf = async (host: Host) => {
      const during = { onProgress: () => open.proxy?.block(true) };
      const found = await fitLda(host, known, options, endless, during).catch(
        (error: unknown) => error,
      );
      assert.instance(found, SystemError, text);
      return found as SystemError;
    };
    const failures = await withCluster(
      [1, 1],
      (hosts) => Promise.all(hosts.map(failureOf)),
      through,
    );
    open.proxy?.close();
    for (const [rank, { code, message }] of failures.entries()) {
      assert.is(code, 'ERR_PEER_LOST', `${text}: ${message}`);
      assert.match(message, new RegExp(`rank ${1 - rank}.*waited for clock \\d+ of rank`), text);
    }
  }
});

test('lda on the parameter server: simulated hosts find the bits of one real one', async () => {
  const real = await trainOn('lda', { data, options, passes: 4, partitions: 16, audit: false });
  const network = { latency: '1ms', jitter: '2ms', loss: '1%', straggler: '3x' };
  const train = jobOf(4, 'bsp');
  const done = await simulate({ hosts: 3, network, train, policies: policies('bsp ssp:2 async') });
  const [bsp, ...others] = done.policies;
  assert.is(bsp?.modelHash, real.modelHash);
  assert.is(bsp?.objective, real.objective);
  assert.is(others.length, 2);
  for (const { seconds } of others) assert.ok(seconds < bsp!.seconds, 'less is waited for');
});

/** What a push does besides, on the second of three hosts in the middle of the run. */
const planted: Readonly<Record<string, (ctx: PushContext<unknown, unknown>) => void>> = {
  'a total too many': (ctx) => ctx.table('totals').incColumns(0, [3], [1]),
  'a token of no document': (ctx) => {
    ctx.table('totals').incColumns(0, [3], [1]);
    ctx.table('words').incColumns(5, [3], [1]);
  },
  'a token of another topic': (ctx) => ctx.table('words').incColumns(5, [3, 4], [1, -1]),
  'a word for another': (ctx) => {
    ctx.table('words').incColumns(5, [3], [1]);
    ctx.table('words').incColumns(6, [3], [-1]);
  },
};

test('lda on the parameter server: a count that goes wrong on one host is found', async () => {
  for (const text of ['bsp', 'ssp:2']) {
    for (const [name, act] of Object.entries(planted)) {
      const change = (program: AnyProgram, rank: number): AnyProgram => ({
        ...program,
        push(ctx: PushContext<unknown, unknown>, work: PartitionWork): unknown {
          const pushed: unknown = program.push(ctx, work);
          if (program.name === 'lda-server' && rank === 1 && ctx.clock === 11) act(ctx);
          return pushed;
        },
      });
      const found = await trainSimulated(jobOf(3, text), [1, 1, 1], noFaults, change).catch(
        (error: unknown) => error,
      );
      assert.match(String(found), /invariant broken: lda: /, `${name}, ${text}: ${String(found)}`);
    }
  }
});

test('lda on the parameter server: a launch that was recorded is replayed', async () => {
  for (const policy of [
    ['--consistency', 'ssp', '--staleness', '2'],
    ['--consistency', 'async'],
    ['--consistency', 'bsp'],
  ]) {
    await withFolder(async (records) => {
      const line = ['train', 'lda', data, '--topics', '7', '--parallel', 'server', '--json'];
      const more = ['--passes', '5', '--optimize-interval', '2', '--threads', '1'];
      const launched = await perpetuum([
        ...['launch', '--local', '2', '--', ...line, ...more, ...policy, '--record', records],
      ]);
      assert.is(launched.code, 0, launched.err);
      const hash = String(lastEvent(launched)['modelHash']);
      const again = await perpetuum(['replay', records]);
      assert.is(again.code, 0, again.err);
      assert.match(again.out, new RegExp(`${hash.slice(0, 12)}, equal to the recorded one`));
    });
  }
});

test.run();
