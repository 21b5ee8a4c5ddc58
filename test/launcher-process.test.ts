// Launches as processes, here and through an ssh that runs its command on this machine: exit codes,
// what is said by whom, and that neither a process nor a folder is left, whatever happens.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { built, isGone, withFolder } from './helpers/command.ts';
import { startLaunch, type Launch } from './helpers/launch.ts';

/** An ssh: takes the last of its arguments for a command of this machine. */
const here = 'for last; do :; done\nexec sh -c "$last"';

type Remote = { readonly folder: string; launch(line: string): Launch };

/** A launch whose ssh is a script, and whose temporary files are in a folder of their own. */
function withRemote(script: string, body: (remote: Remote) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const ssh = join(folder, 'ssh');
    writeFileSync(ssh, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    const environment = { TMPDIR: temporary, FAKE_FOLDER: folder };
    await body({
      folder: temporary,
      launch: (line) => startLaunch(`launch --ssh ${ssh} ${line}`, environment),
    });
  });
}

/** No process of the run is left. */
async function noOrphan({ pids }: Launch, least = 1): Promise<void> {
  const found = pids();
  assert.ok(found.length >= least, `${found.length} processes said their ids`);
  for (const pid of found) assert.ok(await isGone(pid), `process ${pid} was left behind`);
}

const words = (text: string, ...expected: string[]) => {
  for (const word of expected) assert.ok(text.includes(word), `"${word}" in:\n${text}`);
};

test('--local: places, threads, prefixes, and one result', async () => {
  const run = startLaunch('launch --local 3 -- train mlr good --threads 2');
  const { code, out, err } = await run.ended;
  assert.is(code, 0, err);
  assert.is(out.match(/^mlr on 3 hosts × 2 threads/gm)?.length, 1);
  for (const rank of [0, 1, 2]) {
    words(err, `[${rank} localhost] [worker 0] all met, 2 threads\n`);
    words(err, `"rank":${rank},"size":3,"host":"localhost","rankZero":{"host":"127.0.0.1",`);
  }
  assert.is(err.match(/"bytes":32}/g)?.length, 3, 'all have the secret');
  assert.is(new Set(err.match(/"runId":"\w{16}"/g)).size, 1, 'one run');
  assert.is(err.match(/^facts of/gm)?.length, 1, 'one says it for all');
  await noOrphan(run, 3);
});

test('--local 1 is a run of one host, as without launch', async () => {
  const { code, err } = await startLaunch('launch --local 1 -- train mlr good').ended;
  assert.is(code, 0, err);
  assert.not(err.includes('place'), err);
});

/** DATA, exit code, words. */
const locally: readonly (readonly [string, number, string])[] = [
  [
    'data 1',
    3,
    'perpetuum: ERR_DATA train.csv:3:7: expected a number\n  found "x"\n  reported by rank 1',
  ],
  [
    'sigkill 1',
    4,
    'ERR_PEER_LOST rank 1 (localhost) is lost: its host process was ended by SIGKILL',
  ],
  [
    'sigkill 0',
    4,
    'ERR_PEER_LOST rank 0 (localhost) is lost: its host process was ended by SIGKILL',
  ],
];
for (const [line, exitCode, expected] of locally) {
  test(`--local: ${line}: exit ${exitCode}, no process left`, async () => {
    const run = startLaunch(`launch --local 2 -- train mlr ${line}`);
    const { code, out, err } = await run.ended;
    assert.is(code, exitCode, err);
    assert.is(out, '');
    words(err, expected);
    await noOrphan(run, 2);
  });
}

test('--local: Ctrl-C, twice for one that does not listen; and SIGKILL of the launcher', async () => {
  const once = startLaunch('launch --local 2 -- train mlr endless');
  await once.seen('[0 localhost] [worker 0] all met');
  once.child.kill('SIGINT');
  const first = await once.ended;
  assert.is(first.code, 130, first.err);
  words(first.err, 'ERR_ABORTED stopped by SIGINT while training, at clock 7');
  await noOrphan(once, 2);

  const twice = startLaunch('launch --local 2 -- train mlr blocked');
  await twice.seen('[1 localhost] [worker 0] all met');
  twice.child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 50));
  twice.child.kill('SIGTERM');
  assert.is((await twice.ended).code, 143);
  await noOrphan(twice, 2);

  const killed = startLaunch('launch --local 2 -- train mlr deaf');
  await killed.seen('[1 localhost] [worker 0] all met');
  killed.child.kill('SIGKILL');
  await killed.ended;
  await noOrphan(killed, 2);
});

test('--local: the deadline', async () => {
  const run = startLaunch('launch --local 2 -- train mlr deaf --deadline 1');
  const { code, err } = await run.ended;
  assert.is(code, 124, err);
  words(err, 'ERR_DEADLINE --deadline 1 s passed');
  await noOrphan(run, 0);
});

test('--dry-run: the plan, and nothing starts', async () => {
  const line = 'launch -H a:2,b --port 4711 --dry-run -- train mlr x --passes 3';
  const { code, out, err } = await startLaunch(line).ended;
  assert.equal([code, err], [0, '']);
  words(
    out,
    '2 hosts; rank 0 listens on a, port 4711\n',
    'job: perpetuum train mlr x --passes 3\n',
  );
  words(
    out,
    'rank 0  a  threads: 2\n  ssh -T -o BatchMode=yes',
    'rank 1  b  threads: one per core',
  );
});

const hosts = '-H 127.0.0.2:2,127.0.0.3:1';

/** Everything that others on this machine could see of the processes and in the folders. */
function visible(pids: readonly number[], folders: readonly string[]): string {
  const about = pids.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return [...about.filter((path) => existsSync(path)), ...files]
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

test('ssh: the secret is in no command line, no environment, no file and no message', () =>
  withRemote(here, async ({ folder, launch }) => {
    const path = join(folder, '../secret');
    writeFileSync(path, 'sixteen bytes ok', { mode: 0o600 });
    const run = launch(`--secret ${path} ${hosts} -- train mlr endless`);
    await run.seen('[1 127.0.0.3] [worker 0] all met');
    const seen = visible([...run.pids(), run.child.pid ?? 0], [folder]);
    const readable = existsSync('/proc/self/cmdline');
    if (readable) assert.ok(seen.includes('perpetuum-host 1 '), 'command lines were read');
    run.child.kill('SIGINT');
    const { out, err } = await run.ended;
    const secret = createHash('sha256').update('sixteen bytes ok').digest();
    for (const form of ['hex', 'base64', 'latin1'] as const) {
      assert.not((seen + out + err).includes(secret.toString(form)), form);
    }
    assert.not((seen + out + err).includes('sixteen bytes ok'));
  }));

test('ssh: the package is unpacked in a private folder, used and removed', () =>
  withRemote(here, async ({ folder, launch }) => {
    const run = launch(`${hosts} -- train mlr endless`);
    await run.seen('[1 127.0.0.3] [worker 0] all met, 1 threads');
    const folders = readdirSync(folder);
    assert.is(folders.length, 2, folders.join(' '));
    for (const name of folders) {
      assert.is(statSync(join(folder, name)).mode & 0o777, 0o700);
      assert.ok(existsSync(join(folder, name, 'build/dist/relay-actor.js')));
      assert.not(existsSync(join(folder, name, 'build/dist/tidy.test.js')));
    }
    run.child.kill('SIGINT');
    const { code, err } = await run.ended;
    assert.is(code, 130, err);
    words(err, '"host":"127.0.0.3","rankZero":{"host":"127.0.0.2",', '"bind":"127.0.0.3"');
    await noOrphan(run, 4);
    assert.equal(readdirSync(folder), []);
  }));

test('ssh: Ctrl-C to the whole group: nothing but the launcher listens', () =>
  withRemote(here, async ({ folder }) => {
    const ssh = join(folder, '../ssh');
    const line = `launch --ssh ${ssh} -H 127.0.0.1,127.0.0.3 -- train mlr endless`;
    const run = startLaunch(line, { TMPDIR: folder }, undefined, true);
    await run.seen('[0 127.0.0.1] [worker 0] all met');
    await run.seen('[1 127.0.0.3] [worker 0] all met');
    process.kill(-(run.child.pid ?? 0), 'SIGINT');
    const { code, err } = await run.ended;
    assert.is(code, 130, err);
    words(err, '[1 127.0.0.3] [worker 0] asked to stop');
    words(err, 'ERR_ABORTED stopped by SIGINT while training, at clock 7');
    await noOrphan(run, 3);
    assert.equal(readdirSync(folder), []);
  }));

/** The script of ssh, DATA, exit code, words. */
const remotely: readonly (readonly [string, string, number, string])[] = [
  [here, 'good', 0, '[0 127.0.0.2] [worker 0] all met, 2 threads'],
  [`echo Welcome; echo to us\n${here}`, 'good', 0, '[1 127.0.0.3] [worker 0] all met, 1 threads'],
  [here, 'data 1', 3, 'found "x"\n  reported by rank 1 (127.0.0.3)'],
  [here, 'sigkill 1', 4, 'ERR_PEER_LOST rank 1 (127.0.0.3) is lost: its host process was ended by'],
  [here, 'relaykill 1', 4, 'ERR_PEER_LOST rank 1 (127.0.0.3) is lost: its connection ended'],
];
for (const [script, line, exitCode, expected] of remotely) {
  const name = script === here ? '' : ', behind a banner';
  test(`ssh: ${line}${name}: exit ${exitCode}, no process and no folder left`, () =>
    withRemote(script, async ({ folder, launch }) => {
      const run = launch(`${hosts} -- train mlr ${line}`);
      const { code, err } = await run.ended;
      assert.is(code, exitCode, err);
      words(err, expected);
      await noOrphan(run, 4);
      assert.equal(readdirSync(folder), []);
    }));
}

test('ssh: SIGKILL of the launcher: hosts that do not listen go, and their folders', () =>
  withRemote(here, async ({ folder, launch }) => {
    const run = launch(`${hosts} -- train mlr blocked 1`);
    await run.seen('[0 127.0.0.2] [worker 0] all met');
    await run.seen('[1 127.0.0.3] [worker 0] all met');
    run.child.kill('SIGKILL');
    await run.ended;
    await noOrphan(run, 4);
    // A relay ends after it has removed its folder.
    assert.equal(readdirSync(folder), []);
  }));

test('ssh: Ctrl-C, and a host that does not listen: killed after its grace', () =>
  withRemote(here, async ({ folder, launch }) => {
    const run = launch(`${hosts} -- train mlr blocked 1`);
    await run.seen('[0 127.0.0.2] [worker 0] all met');
    await run.seen('[1 127.0.0.3] [worker 0] all met');
    run.child.kill('SIGINT');
    const { code, err } = await run.ended;
    assert.is(code, 130, err);
    await noOrphan(run, 4);
    assert.equal(readdirSync(folder), []);
  }));

/** For rank 1 only: `$*` has the host. */
const onlyThird = (what: string) => `case "$*" in *127.0.0.3*) ${what};; esac\n${here}`;

/** How reaching rank 1 fails, exit code, words. */
const unreached: readonly (readonly [string, number, string])[] = [
  [
    'echo "ssh: connect to host 127.0.0.3 port 22: Connection refused" >&2; exit 255',
    4,
    'ERR_PEER_LOST 127.0.0.3: it cannot be reached',
  ],
  [
    'echo "Host key verification failed." >&2; exit 255',
    2,
    'ERR_CONFIG 127.0.0.3: its host key is not known',
  ],
  [
    'echo "me@127.0.0.3: Permission denied (publickey)." >&2; exit 255',
    2,
    'ssh 127.0.0.3 true must work without a password',
  ],
  ['PATH=/nowhere; export PATH', 2, 'ERR_CONFIG 127.0.0.3: it has no Node.js'],
  [
    `echo; echo 'perpetuum-host 1 {"node":"18.20.4","cores":2}'; exec sleep 60`,
    2,
    'ERR_CONFIG 127.0.0.3: Node must be 20.19 or newer, found 18.20.4',
  ],
  [
    `echo; echo 'perpetuum-host 1 {"node":"20.20.2","cores":2}'; echo And hello; exec sleep 60`,
    4,
    'ERR_PEER_LOST 127.0.0.3: no answer of ours',
  ],
];
for (const [what, exitCode, expected] of unreached) {
  test(`ssh: ${expected}: exit ${exitCode}, the others are stopped`, () =>
    // `here` needs its sh whatever PATH is.
    withRemote(onlyThird(what).replace('exec sh', 'exec /bin/sh'), async ({ folder, launch }) => {
      const run = launch(`${hosts} -- train mlr endless`);
      const { code, err } = await run.ended;
      assert.is(code, exitCode, err);
      words(err, expected);
      for (const pid of run.pids()) assert.ok(await isGone(pid), `process ${pid}`);
      assert.equal(readdirSync(folder), []);
    }));
}

test('ssh: Ctrl-C while a host is still being reached', () =>
  withRemote(
    onlyThird('echo $$ > "$FAKE_FOLDER/pid"; exec sleep 60'),
    async ({ folder, launch }) => {
      const run = launch(`${hosts} -- train mlr endless`);
      await run.seen('pid 0');
      run.child.kill('SIGINT');
      const { code, err } = await run.ended;
      assert.is(code, 130, err);
      for (const pid of run.pids()) assert.ok(await isGone(pid), `process ${pid}`);
      assert.equal(readdirSync(folder), []);
    },
  ));

test('ssh: the command is not there', async () => {
  const { code, err } = await startLaunch(`launch --ssh no-such-ssh ${hosts} -- train mlr good`)
    .ended;
  assert.is(code, 2, err);
  words(err, 'ERR_CONFIG the command "no-such-ssh" cannot be started: ', 'or give --ssh');
});

test('joining by variables: each is one host, and rank 0 speaks for all', () =>
  withFolder(async (folder) => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'a secret of 16 b', { mode: 0o600 });
    const port = String(15_000 + (process.pid % 15_000));
    const of = (rank: number) =>
      startLaunch(`train mlr good --secret ${secret} --json`, {
        ...{ RANK: String(rank), WORLD_SIZE: '2', LOCAL_WORLD_SIZE: '2' },
        ...{ MASTER_ADDR: '127.0.0.1', MASTER_PORT: port },
      });
    const first = of(0);
    // Real hosts try again until rank 0 is there; these do not.
    await first.seen('"rank":0');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const second = of(1);
    const [zero, one] = [await first.ended, await second.ended];
    assert.equal([zero.code, one.code], [0, 0], zero.err + one.err);
    assert.ok(zero.out.includes('"hosts":2'), zero.out);
    assert.is(one.out, '');
    await noOrphan(first);
    await noOrphan(second);
  }));

test('joining by options: rank 0 alone, on loopback', async () => {
  const line = 'train mlr good --host-rank 0 --world-size 1 --master 127.0.0.1:4711';
  const { code, err } = await startLaunch(line).ended;
  assert.is(code, 0, err);
  assert.not(err.includes('place'), 'a run of one host has no places');
});

test('the package itself: a host of build/dist runs behind ssh', () =>
  withRemote(here, async ({ folder }) => {
    const ssh = join(folder, '../ssh');
    const line = `launch --ssh ${ssh} -H 127.0.0.2 -- train mlr no-such-data --threads 1`;
    const run = startLaunch(line, { TMPDIR: folder }, built('../dist/cli.js'));
    const { code, err } = await run.ended;
    assert.is(code, 3, err);
    words(err, 'ERR_DATA', 'no-such-data', 'reported by rank 0 (127.0.0.2)');
    assert.equal(readdirSync(folder), []);
  }));

test.run();
