// Strangers on the network of a run: what they read on the wire, and what comes of it when they
// call.
import { spawn } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { built, startScript, withFolder, type Ended } from './helpers/command.ts';
import { whyNoNamespaces, withNet, type NetHost } from './helpers/namespaces.ts';
import { digits, joining, nothingLeft, port, resultOf } from './helpers/network-runs.ts';
import { secretIn, startRank, startRanks } from './helpers/network-runs.ts';
import { pattern } from './programs/pattern-program.ts';

const reason = whyNoNamespaces();
if (reason !== undefined) process.stdout.write(`SKIPPED strangers on a network: ${reason}\n`);

type Capture = { end(): Promise<Buffer> };

/** All packets of a host, from now on; undefined where there is no tcpdump. */
function capture({ within }: NetHost): Promise<Capture | undefined> {
  const [command = '', ...words] = [...within, 'tcpdump', '-i', 'eth0', '--immediate-mode'];
  const child = spawn(command, [...words, '-s', '0', '-U', '-w', '-'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const end = async () => {
    child.kill('SIGINT');
    await closed;
    return Buffer.concat(pieces);
  };
  return new Promise((resolve) => {
    void closed.then(() => resolve(undefined));
    child.stderr.on('data', (text: Buffer) => {
      if (text.toString().includes('listening on')) resolve({ end });
    });
  });
}

for (const [way, seen] of [
  ['--insecure', true],
  ['TLS', false],
] as const) {
  test(`network: a packet capture ${seen ? 'shows' : 'does not show'} deltas (${way})`, async () => {
    if (reason !== undefined) return;
    await withFolder((folder) =>
      withNet(2, async (hosts) => {
        const found = await capture(hosts[1]!);
        if (found === undefined) {
          process.stdout.write('SKIPPED packet captures: there is no tcpdump that runs here\n');
          return;
        }
        const more = seen ? '--insecure' : `--secret ${secretIn(folder)}`;
        const line = `${built('pattern-program.js')} ${digits} --threads 1 --consistency bsp`;
        const { links } = await resultOf(startRanks(hosts, line, more));
        const bytes = await found.end();
        assert.ok(bytes.length > links[0]!.bytesSent, 'it has all that rank 0 sent');
        assert.is(bytes.includes(pattern), seen);
        await nothingLeft(hosts);
      }),
    );
  });
}

test('network: strangers are refused, the reason is said, and the run goes on', async () => {
  if (reason !== undefined) return;
  await withFolder((folder) =>
    withNet(3, async (hosts) => {
      const [secret, wrong] = [secretIn(folder), secretIn(folder, 'w')];
      const two = hosts.slice(0, 2);
      const third = hosts[2]!;
      const line = `mlr ${digits} --solver sgd --consistency bsp --threads 1`;
      const long = `${line} --passes 1000000 --deadline 50`;
      const ranks = startRanks(two, long, `--secret ${secret}`);
      await ranks[0]!.seen('"clock":13');

      const master = { host: hosts[0]!.address, port };
      const runId = `options-${master.host}:${port}`;
      const intrude = (more: object): Promise<Ended> => {
        const argument = { secret, runId, ...master, ...more };
        const words = [JSON.stringify(argument)];
        return startScript(built('intruder.js'), words, undefined, third.within).ended;
      };
      const join = (more: string): Promise<Ended> =>
        startRank(third, `${line} ${joining(two, 1, more)}`).ended;
      const running = [
        ...[
          join(`--secret ${wrong}`),
          join(''),
          join('--insecure --deadline 4'),
          join(`--secret ${secret}`),
        ],
        ...[intrude({ kind: 'mesh', version: '0.0.7' }), intrude({ kind: 'mesh', runId: 'other' })],
      ] as const;
      const [other, none, open, twice, version, run] = await Promise.all(running);
      // A crowd at the door pushes out whoever has not said yet who he is.
      const garbage = await intrude({ kind: 'garbage' });
      const silence = await intrude({ kind: 'silence' });
      assert.is(other.code, 2, other.err);
      assert.match(other.err, /ERR_CONFIG rank 1 cannot join rank 0 .* the same secret and run\?/);
      assert.is(none.code, 2, none.err);
      assert.match(none.err, /ERR_CONFIG a run of 2 hosts \(options\) needs --secret FILE/);
      assert.is(open.code, 124, open.err);
      assert.match(open.err, /has it a secret, and this end none\?/);
      assert.is(twice.code, 2, twice.err);
      assert.match(twice.err, /it refuses: rank 1 takes part already: each has its own rank/);
      assert.match(
        version.out,
        /it refuses: version 0\.0\.7 joins a run of version \d/,
        version.err,
      );
      assert.match(run.out, /the same secret and run\?/, run.err);
      assert.is(garbage.out, 'turned away\n');
      assert.is(silence.out, 'turned away\n');

      // Nothing of this stopped it: Ctrl-C at one host does.
      let clocks = 0;
      ranks[0]!.child.stdout?.on('data', () => (clocks += 1));
      const since = clocks;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      assert.ok(clocks > since, 'the run goes on');
      ranks[1]!.child.kill('SIGINT');
      const [zero, one] = await Promise.all(ranks.map(({ ended }) => ended));
      assert.is(one?.code, 130, one?.err);
      assert.is(zero?.code, 130, zero?.err);
      assert.match(zero!.err, /ERR_ABORTED rank 1: the run was stopped before its end/);
      for (const why of [
        /refused a connection from 10\.77\.0\.3:\d+: .*it has another secret or run, or none/,
        /refused a connection from 10\.77\.0\.3:\d+: version 0\.0\.7 joins a run of version/,
        /refused a connection from 10\.77\.0\.3:\d+: too many others came/,
      ])
        assert.match(zero!.err, why);
      await nothingLeft(hosts);
    }),
  );
});

test('network: hosts that were started with different options: exit code 2', async () => {
  if (reason !== undefined) return;
  await withFolder((folder) =>
    withNet(2, async (hosts) => {
      const more = `--secret ${secretIn(folder)}`;
      const ranks = hosts.map((host, rank) => {
        const line = `mlr ${digits} --solver sgd --threads ${1 + rank} --passes ${3 + rank}`;
        return startRank(host, `${line} ${joining(hosts, rank, more)}`);
      });
      for (const { code, err } of await Promise.all(ranks.map(({ ended }) => ended))) {
        assert.is(code, 2, err);
        assert.match(err, /ERR_CONFIG all hosts .*: passes is 3 on rank 0 and 4 on rank 1/);
      }
      await nothingLeft(hosts);
    }),
  );
});

test('network: rank 0 by a name that nobody knows: exit code 2', async () => {
  if (reason !== undefined || process.env['TEST_ALL'] === undefined) return;
  await withFolder((folder) =>
    withNet(2, async (hosts) => {
      const more = `--world-size 2 --master no..host:29511 --secret ${secretIn(folder)}`;
      const { code, err } = await startRank(hosts[1]!, `mlr ${digits} --host-rank 1 ${more}`).ended;
      assert.is(code, 2, err);
      assert.match(
        err,
        /ERR_CONFIG rank 1 cannot join .*\n {2}call rank 0 by a name or an address/,
      );
    }),
  );
});

test.run();
