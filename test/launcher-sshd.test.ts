// Launches over a real ssh to a real sshd on this machine.
import { readdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { built, isGone, withFolder } from './helpers/command.ts';
import { startLaunch, type Launch } from './helpers/launch.ts';
import { until } from './helpers/meshes.ts';
import { startSshd, whyNoSshd, type Sshd } from './helpers/sshd.ts';

const reason = whyNoSshd();
if (reason !== undefined) process.stdout.write(`SKIPPED launches over a real sshd: ${reason}\n`);

// `one` and `two` are names of ssh alone: rank 0 is met at 127.0.0.1 by a port of its own.
const hosts = '-H one:1,two:1';
/**
 * What is left of hosts, once it is nothing or after a while: one that was cut off in the middle of
 * its start goes a moment after the launcher.
 */
async function leftIn(tmp: string): Promise<readonly string[]> {
  for (let waited = 0; waited < 5000 && readdirSync(tmp).length > 0; waited += 20) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return readdirSync(tmp);
}

function withSshd(body: (sshd: Sshd) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sshd = await startSshd(folder);
    try {
      await body(sshd);
    } finally {
      await sshd.end();
    }
  });
}

/** `--ssh COMMAND` is one argument. */
function launch(ssh: string, line: string, script?: string, to = hosts): Launch {
  const [command = '', ...words] = `launch ${to} -- ${line}`.split(' ');
  return startLaunch([command, '--ssh', ssh, ...words], {}, script);
}

test('sshd: a host behind it does its job, and leaves nothing', async () => {
  if (reason !== undefined) return;
  await withSshd(async ({ ssh, refused, unknown, tmp }) => {
    const run = launch(ssh, 'train mlr alone');
    const { code, out, err } = await run.ended;
    assert.is(code, 0, err);
    assert.ok(out.startsWith('mlr on 2 hosts × 1 thread'), out);
    assert.ok(err.includes('"rank":0,"size":2,"host":"one"'), err);
    for (const pid of run.pids()) assert.ok(await isGone(pid), `process ${pid}`);

    const stopped = launch(ssh, 'train mlr apart');
    await stopped.seen('[0 one] [worker 0] waiting');
    await until('both have their folder', () => readdirSync(tmp).length === 2);
    stopped.child.kill('SIGINT');
    assert.is((await stopped.ended).code, 130);
    for (const pid of stopped.pids()) assert.ok(await isGone(pid), `process ${pid}`);
    assert.equal(await leftIn(tmp), []);

    const killed = launch(ssh, 'train mlr apart');
    await killed.seen('[0 one] [worker 0] waiting');
    killed.child.kill('SIGKILL');
    await killed.ended;
    for (const pid of killed.pids()) assert.ok(await isGone(pid), `process ${pid}`);
    assert.equal(await leftIn(tmp), []);

    const noKey = await launch(refused, 'train mlr alone').ended;
    assert.is(noKey.code, 2, noKey.err);
    assert.match(noKey.err, /ERR_CONFIG (one|two): it refuses our key/);
    const noHost = await launch(unknown, 'train mlr alone').ended;
    assert.is(noHost.code, 2, noHost.err);
    assert.match(noHost.err, /ERR_CONFIG (one|two): its host key is not known/);
    // Hosts that find each other need addresses.
    const addresses = '-H 127.0.0.2:1,127.0.0.3:1';
    const real = await launch(ssh, 'train mlr no-such-data', built('../dist/cli.js'), addresses)
      .ended;
    assert.is(real.code, 3, real.err);
    assert.equal(await leftIn(tmp), []);
  });
});

test.run();
