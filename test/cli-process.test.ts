// The command line as processes: exit codes, what is printed where, and that no process is left.
// Nothing here depends on tight timing: a limit is only there so that no test hangs.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const limitMs = 30_000;
const file = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));

type Ended = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
};

type Run = {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr contains `text`; rejects when the process ends before it does. */
  seen(text: string): Promise<void>;
  /** The host's process id, as the fake host printed it. */
  hostPid(): number;
};

/** Starts a command line; it is killed when it does not end within the limit. */
function start(program: string, line: string, environment: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, [file(program), ...line.split(' ')], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  let over = false;
  const waiting = new Set<() => void>();
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => {
    // A flood must not fill our memory.
    if (err.length < 1e6) err += text.toString();
    for (const look of waiting) look();
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      over = true;
      for (const look of waiting) look();
      resolve({ code, signal, out, err });
    });
  });
  const seen = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!err.includes(text) && !over) return;
        waiting.delete(look);
        if (err.includes(text)) resolve();
        else reject(new Error(`ended without "${text}": ${err.slice(0, 2000)}`));
      };
      waiting.add(look);
      look();
    });
  return { child, ended, seen, hostPid: () => Number(/^pid (\d+)$/m.exec(err)?.[1]) };
}

const fake = (line: string, environment?: NodeJS.ProcessEnv) =>
  start('fake-cli.js', line, environment);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for a process to be gone; kills it and fails when it is not. */
async function noOrphan(pid: number): Promise<void> {
  assert.ok(pid > 0, 'the host said its pid');
  for (let waited = 0; waited < 5000; waited += 20) {
    if (!isAlive(pid)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  process.kill(pid, 'SIGKILL');
  assert.unreachable(`process ${pid} was left behind`);
}

test('a job that succeeds: result on stdout, everything else on stderr', async () => {
  const run = fake('train mlr good --out model --threads 2');
  const { code, out, err } = await run.ended;
  assert.is(code, 0, err);
  assert.ok(out.startsWith('mlr on 2 threads, essp, staleness 1, seed 1\n'), out);
  assert.ok(out.includes('accuracy      84.93 %'));
  assert.ok(out.endsWith('next: perpetuum evaluate model good\n'));
  for (const words of ['10 rows, 3 columns', 'warning: two rows', '[worker 1] hello', 'a print']) {
    assert.ok(err.includes(words), `${words} in ${err}`);
  }
  assert.not(out.includes('\x1b') || err.includes('\x1b'), 'no escape codes on a pipe');
  await noOrphan(run.hostPid());
});

test('--json: stdout is JSON lines, the last is done', async () => {
  const { code, out } = await fake('train mlr good --json --threads 1').ended;
  assert.is(code, 0);
  const events = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; threads?: number });
  assert.equal(
    events.map(({ event }) => event),
    ['clock', 'clock', 'clock', 'done'],
  );
  assert.is(events.at(-1)?.threads, 1);
});

test('predictions without --out are the output', async () => {
  const { code, out } = await fake('predict m predict10').ended;
  assert.is(code, 0);
  assert.is(out, '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
});

/** The job, the exit code, and words of the message. */
const ends: readonly (readonly [string, number, string])[] = [
  ['train mlr data', 3, 'perpetuum: ERR_DATA train.csv:3:7: expected a number\n  found "x"\n'],
  ['train mlr bug', 1, 'perpetuum: ERR_INTERNAL undefined is not a function\n    at '],
  ['train ./p.mjs bug', 1, 'perpetuum: ERR_PROGRAM undefined is not a function\n'],
  ['train mlr rejects', 1, 'perpetuum: ERR_INTERNAL nobody waits for this\n'],
  ['train mlr exit3', 1, 'perpetuum: ERR_INTERNAL the host process exited with code 3'],
  ['train mlr exit3', 1, 'something went wrong here\n  please report'],
  ['train ./p.mjs exit3', 1, 'a program must not call process.exit'],
  ['train mlr sigkill', 1, 'ERR_INTERNAL the host process was ended by SIGKILL'],
  [
    'train mlr endless --deadline 2',
    124,
    'ERR_DEADLINE --deadline 2 s passed while training, at clo',
  ],
  ['train mlr loading --deadline 2', 124, 'while loading, 500.0 kB of 1.0 MB read'],
  ['train mlr deaf --deadline 2', 124, 'at clock 2 (pass 2 of 10, objective 0.5)'],
  ['train mlr blocked --deadline 2', 124, 'ERR_DEADLINE --deadline 2 s passed'],
  [
    'evaluate m flood --deadline 2 --quiet',
    124,
    'ERR_DEADLINE --deadline 2 s passed while loading',
  ],
];

for (const [line, exitCode, words] of ends) {
  test(`perpetuum ${line}: exit ${exitCode}, no process left`, async () => {
    const run = fake(line);
    const { code, out, err } = await run.ended;
    assert.is(code, exitCode, err.slice(-2000));
    // Of a flood only the beginning is kept.
    if (err.length < 1e6) assert.ok(err.includes(words), err.slice(-2000));
    assert.is(out, '');
    await noOrphan(run.hostPid());
  });
}

test('a host that dies before it is ready', async () => {
  const { code, err } = await fake('train mlr good', { FAKE_HOST: 'dies' }).ended;
  assert.is(code, 1);
  const words = 'exited with code 7 while starting; it last wrote: cannot load a library';
  assert.ok(err.includes(words), err);
});

for (const [name, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  for (const job of ['endless', 'deaf', 'blocked']) {
    test(`${name} to the guardian (${job}): exit ${exitCode}, no process left`, async () => {
      const run = fake(`train mlr ${job} --json`);
      await run.seen('10 rows');
      run.child.kill(name);
      const { code, out, err } = await run.ended;
      assert.is(code, exitCode, err);
      assert.ok(err.includes(`perpetuum: ERR_ABORTED stopped by ${name} while training`), err);
      const last = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as object;
      assert.is((last as { exitCode: number }).exitCode, exitCode);
      await noOrphan(run.hostPid());
    });
  }
}

test('a second Ctrl-C kills a host that does not listen', async () => {
  const run = fake('train mlr blocked');
  await run.seen('10 rows');
  run.child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 100));
  run.child.kill('SIGINT');
  const { code } = await run.ended;
  assert.is(code, 130);
  await noOrphan(run.hostPid());
});

test('a host that says nothing is killed, too', async () => {
  const run = fake('train mlr good', { FAKE_HOST: 'mute' });
  await run.seen('pid ');
  run.child.kill('SIGTERM');
  const { code } = await run.ended;
  assert.is(code, 143);
  await noOrphan(run.hostPid());
});

for (const job of ['endless', 'deaf', 'flood']) {
  test(`the guardian is killed by SIGKILL (${job}): the host goes, too`, async () => {
    const run = fake(`train mlr ${job}`);
    // Two ways to standard error: either may come first.
    await run.seen('pid ');
    await run.seen(job === 'flood' ? 'xxx' : '10 rows');
    run.child.kill('SIGKILL');
    await run.ended;
    await noOrphan(run.hostPid());
  });
}

test('Ctrl-C to the whole group: the guardian decides', async () => {
  const run = fake('train mlr endless');
  await run.seen('pid ');
  await run.seen('10 rows');
  process.kill(run.hostPid(), 'SIGINT');
  run.child.kill('SIGINT');
  const { code, err } = await run.ended;
  assert.is(code, 130, err);
  assert.ok(err.includes('ERR_ABORTED stopped by SIGINT while training'), err);
  await noOrphan(run.hostPid());
});

test('| head: a reader that goes away ends the run without a word', async () => {
  const run = fake('predict m predictions --quiet');
  run.child.stdout?.once('data', () => run.child.stdout?.destroy());
  const { code, err } = await run.ended;
  assert.is(code, 141, err);
  assert.is(err, `pid ${run.hostPid()}\n`);
  await noOrphan(run.hostPid());
});

test('usage errors: exit 2, on stderr; with --json on stdout, too', async () => {
  const wrong = 'there is no model "mrl": did you mean mlr?';
  const { code, out, err } = await fake('train mrl a').ended;
  assert.is(code, 2);
  assert.is(out, '');
  assert.ok(err.startsWith(`perpetuum: ERR_CONFIG ${wrong}\n  `), err);
  const json = await fake('train mrl a --json').ended;
  const event = JSON.parse(json.out) as { event: string; exitCode: number; code: string };
  assert.equal([event.event, event.code, event.exitCode], ['error', 'ERR_CONFIG', 2]);
});

test('help, version and models: stdout, exit 0, no process', async () => {
  for (const [line, word] of [
    ['--help', 'Usage: perpetuum COMMAND'],
    ['train mlr --help', '--lambda X'],
    ['--version', 'perpetuum '],
    ['models', 'matrix factorization'],
    ['doctor', 'This machine can run perpetuum.'],
  ] as const) {
    const { code, out, err } = await fake(line).ended;
    assert.is(code, 0, err);
    assert.ok(out.includes(word), out);
    assert.is(err, '');
  }
});

test('demo: prints the train line first and what to try next', async () => {
  const { code, out, err } = await fake('demo --out m --threads 2').ended;
  if (!existsSync(new URL('../../examples/data/sotu.tsv.gz', import.meta.url))) {
    assert.is(code, 3);
    assert.match(err, /ERR_DATA .*the demo's data is missing/);
    return;
  }
  assert.is(code, 0, err);
  assert.match(err, /^perpetuum train lda \S*sotu\.tsv\.gz --topics 20 .* --out m --threads 2\n/);
  assert.match(err, /What to try next:\n {2}perpetuum topics m \S*sotu\.tsv\.gz --topic 0\n/);
  assert.match(out, / on 2 threads, /);
});

test('the command itself: its host answers with an error of the world, not a crash', async () => {
  const { code, out, err } = await start('cli.js', 'predict no-such-model no-such-data --json')
    .ended;
  assert.ok(code !== null && code > 0 && code < 124, `exit ${code}`);
  assert.match(err, /^perpetuum: ERR_/m);
  const event = JSON.parse(out) as { event: string; exitCode: number };
  assert.equal([event.event, event.exitCode], ['error', code]);
});

test.run();
