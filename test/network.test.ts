// Runs of real processes over a real network: one network namespace for each host, joined by hand.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPrng } from '../src/base/prng.ts';
import { lastEvent, perpetuum, withFolder } from './helpers/command.ts';
import { whyNoNamespaces, whyNoRates, withNet, type NetHost } from './helpers/namespaces.ts';
import { digits, nothingLeft, resultOf, secretIn, startRanks } from './helpers/network-runs.ts';
import type { Result } from './helpers/network-runs.ts';

const reason = whyNoNamespaces();
if (reason !== undefined) process.stdout.write(`SKIPPED runs over a real network: ${reason}\n`);
const noRates = reason ?? whyNoRates();
if (reason === undefined && noRates !== undefined)
  process.stdout.write(`SKIPPED slow links: ${noRates}\n`);

const all = process.env['TEST_ALL'] !== undefined;

/** A network of so many hosts, and a secret of theirs. */
const withHosts = (
  size: number,
  body: (hosts: readonly NetHost[], secret: string, folder: string) => Promise<void>,
): Promise<void> =>
  withFolder((folder) =>
    withNet(size, async (hosts) => {
      await body(hosts, `--secret ${secretIn(folder)}`, folder);
      await nothingLeft(hosts);
    }),
  );

/** A run of one host, which others are compared to. */
async function alone(line: string): Promise<Result> {
  const end = await perpetuum(`train ${line} --json`.split(' '));
  assert.is(end.code, 0, end.err);
  return lastEvent(end) as unknown as Result;
}

const mlr = (consistency: string, passes: number) =>
  `mlr ${digits} --solver sgd --partitions 6 --threads 1 --consistency ${consistency} --passes ${passes}`;

for (const size of [2, 3]) {
  test(`network: mlr on ${size} hosts: bsp as on one, essp close to it`, async () => {
    if (reason !== undefined) return;
    const [bsp, essp] = [await alone(mlr('bsp', 8)), await alone(mlr('essp', 8))];
    await withHosts(size, async (hosts, secret) => {
      const same = await resultOf(startRanks(hosts, mlr('bsp', 8), secret));
      assert.is(same.modelHash, bsp.modelHash);
      // It is summed up in another order.
      assert.ok(Math.abs(same.objective / bsp.objective - 1) < 1e-12, String(same.objective));
      assert.ok(same.links.every(({ bytesSent, reconnects }) => bytesSent > 0 && reconnects === 0));
      const close = await resultOf(startRanks(hosts, mlr('essp', 8), secret));
      const off = Math.abs(close.objective - essp.objective) / essp.objective;
      assert.ok(off < 0.15, `objective ${close.objective}, on one host ${essp.objective}`);
    });
  });
}

test('network: 100 mbit and 2 % of all packets lost: the same model', async () => {
  if (noRates !== undefined) return;
  const passes = all ? 20 : 3;
  const { modelHash } = await alone(mlr('bsp', passes));
  await withHosts(2, async (hosts, secret) => {
    for (const host of hosts) {
      host.rate(100);
      host.loss(20);
    }
    assert.is((await resultOf(startRanks(hosts, mlr('bsp', passes), secret))).modelHash, modelHash);
  });
});

/** Ratings that stand on a plane of rank 2, and some noise. */
function ratings(): string {
  const prng = createPrng(3);
  const lines = Array.from({ length: 6000 }, () => {
    const [user, item] = [prng.below(200), prng.below(120)];
    return `${user}\t${item}\t${1 + ((user * item) % 5)}\t0\n`;
  });
  return [...new Set(lines)].join('');
}

test('network: mf on 2 hosts: the model of one', async () => {
  if (reason !== undefined) return;
  await withHosts(2, async (hosts, secret, folder) => {
    const path = join(folder, 'ratings.data');
    writeFileSync(path, ratings());
    const line = `mf ${path} --format ratings --rank 8 --passes 3 --threads 1 --blocks 4`;
    const { modelHash } = await alone(line);
    assert.is((await resultOf(startRanks(hosts, line, secret))).modelHash, modelHash);
  });
});

/** What a network does to a run in its middle, for a while; then all is well again. */
async function disturbed(
  size: number,
  disturb: (last: NetHost) => Promise<void>,
): Promise<Result['links']> {
  const line = mlr('bsp', 100);
  const { modelHash } = await alone(line);
  let links: Result['links'] = [];
  await withHosts(size, async (hosts, secret) => {
    const ranks = startRanks(hosts, line, secret);
    await ranks[0]!.seen('"clock":13');
    await disturb(hosts.at(-1)!);
    const result = await resultOf(ranks);
    assert.is(result.modelHash, modelHash);
    ({ links } = result);
  });
  return links;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

for (const end of all ? (['switch', 'own'] as const) : (['own'] as const)) {
  test(`network: a link cut for 2.5 s at its ${end} end: the same model`, async () => {
    if (reason !== undefined) return;
    await disturbed(3, async (last) => {
      last.cut(end);
      await pause(2500);
      last.heal();
    });
  });
}

test('network: connections that are reset come back, and are counted: the same model', async () => {
  if (reason !== undefined) return;
  const links = await disturbed(3, async (last) => {
    for (let times = 0; times < 3; times++) {
      last.reset();
      await pause(200);
      last.hearAll();
      await pause(200);
    }
  });
  assert.ok(links.at(-1)!.reconnects >= 1, `reconnects ${links.at(-1)!.reconnects}`);
  assert.is(links[0]!.reconnects, 0, 'other links stand');
});

test('network: silence that outlasts connections, and no peer: the same model', async () => {
  if (reason !== undefined || !all) return;
  const links = await disturbed(2, async (last) => {
    last.cut();
    await pause(7000);
    last.heal();
  });
  assert.ok(links[0]!.reconnects >= 1, `reconnects ${links[0]!.reconnects}`);
});

test.run();
