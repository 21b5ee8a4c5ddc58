// `perpetuum launch` over a real network as a new user does it: from one host to two others, which
// ssh reaches, each with its own sshd.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { built, lastEvent, packageFolder, perpetuum } from './helpers/command.ts';
import { startScript, withFolder, type Ended, type Started } from './helpers/command.ts';
import { pidsIn, whyNoNamespaces, withNet, type NetHost } from './helpers/namespaces.ts';
import { digits, endless } from './helpers/network-runs.ts';
import { startSshds, whyNoSshd } from './helpers/sshd.ts';

const reason = whyNoNamespaces() ?? whyNoSshd();
if (reason !== undefined) process.stdout.write(`SKIPPED launches over a network: ${reason}\n`);
const all = process.env['TEST_ALL'] !== undefined;

type Scene = {
  readonly hosts: readonly NetHost[];
  /** A path that has the digits on host 0, and nothing on the others. */
  readonly own: string;
  launch(line: string): Started;
  /** Nothing that a launch has started is left on any host. */
  clean(): Promise<void>;
};

/** Two hosts behind sshd, and the launcher's. */
function withSshds(body: (scene: Scene) => Promise<void>): Promise<void> {
  return withFolder((folder) =>
    withNet(3, async (hosts) => {
      const [own, tmp] = [join(folder, 'own'), join(folder, 'tmp')];
      for (const made of [own, tmp]) mkdirSync(made);
      const script = `mount -t tmpfs none ${own} && cp ${digits} ${own}/digits.csv.gz && exec "$@"`;
      const mounted = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
      const daemons = hosts.slice(0, 2).map(({ address, within }, rank) => ({
        ...{ address, tmp, within: rank === 0 ? [...within, ...mounted] : within },
      }));
      const { ssh, end } = await startSshds(folder, daemons);
      const running = () => hosts.map(({ name }) => pidsIn(name).length);
      const before = running();
      const launch = (line: string) => {
        const to = hosts.slice(0, 2).map(({ address }) => `${address}:1`);
        const words = [
          'launch',
          '--ssh',
          ssh,
          '-H',
          to.join(','),
          '--',
          'train',
          ...line.split(' '),
        ];
        return startScript(built('cli.js'), words, packageFolder, hosts[2]!.within);
      };
      const clean = async () => {
        for (let waited = 0; waited < 5000; waited += 50) {
          if (String(running()) === String(before) && readdirSync(tmp).length === 0) return;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.equal([running(), readdirSync(tmp)], [before, []], 'what is left');
      };
      try {
        await body({ hosts, own: join(own, 'digits.csv.gz'), launch, clean });
      } finally {
        await end();
      }
    }),
  );
}

const hashOf = (end: Ended): unknown => {
  assert.is(end.code, 0, end.err);
  return lastEvent(end)['modelHash'];
};

test('launch: two hosts of a network, data on both or on rank 0 alone: one model', async () => {
  if (reason !== undefined) return;
  const line = (data: string) =>
    `mlr ${data} --solver sgd --consistency bsp --partitions 6 --threads 1 --passes 3 --json`;
  const hash = hashOf(await perpetuum(`train ${line(digits)}`.split(' ')));
  await withSshds(async ({ own, launch, clean }) => {
    assert.is(hashOf(await launch(line(digits)).ended), hash);
    await clean();
    assert.is(hashOf(await launch(line(own)).ended), hash);
    await clean();
  });
});

test('launch: Ctrl-C, and the end of the launcher: nothing is left on any host', async () => {
  if (reason !== undefined) return;
  await withSshds(async ({ launch, clean }) => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGKILL', null],
    ] as const) {
      const run = launch(`${endless} --json`);
      await run.seen('"clock":13');
      run.child.kill(signal);
      const end = await run.ended;
      assert.is(end.code, code, end.err);
      await clean();
    }
  });
});

test('launch: a host is cut off: it is named, and it ends by itself', async () => {
  if (reason !== undefined || !all) return;
  await withSshds(async ({ hosts, launch, clean }) => {
    const run = launch(`${endless} --json`);
    await run.seen('"clock":13');
    hosts[1]!.cut();
    const { code, err } = await run.ended;
    assert.is(code, 4, err);
    assert.match(err, /ERR_PEER_LOST rank 0 lost rank 1 at 10\.77\.0\.2: .*\n.*reported by rank 0/);
    // The sshd there notices nothing of it: our own processes end, its session stays.
    hosts[1]!.heal();
    await clean();
  });
});

test.run();
