// How the real command line ends when something is wrong: the exit code, the message, and that
// nothing is left behind, neither files nor processes.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { childrenOf, isGone, lastEvent, perpetuum, start, withFolder } from './helpers/command.ts';
import { exampleData } from './helpers/models.ts';

const a9a = exampleData('a9a.gz');

const thrower = `export const program = {
  name: 'thrower',
  tables: () => [{ name: 'w', rows: 1, columns: 4 }],
  clocks: () => 5,
  start: () => undefined,
  push(ctx, { clock }) { if (clock === 2) throw new Error('my own mistake'); },
};`;

/** Files, the command, the exit code, and the message. */
const failures: readonly (readonly [
  Readonly<Record<string, string | Buffer>>,
  string,
  number,
  RegExp,
])[] = [
  [
    { 'p.mjs': thrower, 'd.csv': '1,a\n2,b\n' },
    'train ./p.mjs d.csv',
    1,
    /ERR_PROGRAM my own mistake/,
  ],
  [{ 'd.csv': '1,a\n2,b\n' }, 'train mlr d.csv --lambda 0', 2, /ERR_CONFIG .*--lambda > 0, got 0/],
  [{ 'd.csv': '1,a\n2,b\n' }, 'train mlr d.csv --lambda -1', 2, /ERR_CONFIG .*lambda.*-1/],
  [
    { 'd.csv': '1,a\n2,b\n', 'o/mine': 'x' },
    'train mlr d.csv --out o',
    2,
    /ERR_CONFIG --out .*o must be/,
  ],
  [{ 'd.csv': '1,2,a\n3,x7,b\n' }, 'train mlr d.csv', 3, /ERR_DATA d\.csv:2:3: .*found "x7"/],
  [
    { 'd.svm': '+1 1:0.5 3:1\n-1 2:abc\n' },
    'train mlr d.svm',
    3,
    /ERR_DATA d\.svm:2:6: .*found "abc"/,
  ],
  [
    { 'd.gz': gzipSync('+1 1:0.5 3:1\n-1 3:1 2:1\n') },
    'train mlr d.gz',
    3,
    /ERR_DATA d\.gz:2:8: .*found/,
  ],
  [{ 'd.txt': '1 2 3\n4 5 five\n' }, 'train mf d.txt', 3, /ERR_DATA d\.txt:2:5: .*found "five"/],
  [{}, 'train mlr none.csv', 3, /ERR_DATA none\.csv: cannot be read/],
  [{ 'd.csv': '1,a\n2,a\n' }, 'train mlr d.csv', 3, /ERR_DATA mlr needs at least 2 classes/],
  [
    { 'd.csv': '1,a\n2,b\n3,a\n' },
    'train mlr d.csv --solver sgd --learning-rate 1e38',
    5,
    /ERR_NOT_FINITE table "weights".*smaller --learning-rate/,
  ],
  [
    { 'd.txt': '1 2 3\n4 5 1\n1 5 2\n' },
    'train mf d.txt --learning-rate 1e30',
    5,
    /ERR_NOT_FINITE tables "users" and "items".*--learning-rate below/,
  ],
  [
    { 'd.csv': '1,a\n' },
    'evaluate none d.csv',
    7,
    /ERR_CHECKPOINT none.model\.json cannot be read/,
  ],
  [
    { 'd.csv': '1,a\n', 'm/model.json': '{"format": 1, ' },
    'predict m d.csv',
    7,
    /ERR_CHECKPOINT m.model\.json is not JSON/,
  ],
];

for (const [files, command, exitCode, words] of failures) {
  test(`perpetuum ${command}: exit ${exitCode} with ${words.source}`, async () => {
    await withFolder(async (folder) => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(join(folder, name, '..'), { recursive: true });
        writeFileSync(join(folder, name), content);
      }
      const before = readdirSync(folder);
      const run = await perpetuum([...command.split(' '), '--json'], folder);
      assert.is(run.code, exitCode, run.err);
      assert.match(run.err, words);
      const { event, exitCode: said } = lastEvent(run);
      assert.equal([event, said], ['error', exitCode]);
      assert.equal(readdirSync(folder), before, 'nothing is left behind');
    });
  });
}

const endless = ['train', 'mlr', a9a, '--solver', 'sgd', '--passes', '1000000', '--json'];

test('--deadline ends a long run with 124, and no process is left', async () => {
  const run = start([...endless, '--deadline', '3']);
  await run.seen('"clock"');
  const hosts = childrenOf(run.child.pid ?? 0);
  const ended = await run.ended;
  assert.is(ended.code, 124, ended.err);
  assert.match(ended.err, /ERR_DEADLINE --deadline 3 s passed/);
  assert.is(lastEvent(ended)['exitCode'], 124);
  for (const pid of hosts) assert.ok(await isGone(pid), `host ${pid} is gone`);
});

test('Ctrl-C while training ends with 130, saves nothing, and no process is left', async () => {
  await withFolder(async (folder) => {
    const out = join(folder, 'm');
    const run = start([...endless, '--out', out]);
    await run.seen('"clock"');
    const hosts = childrenOf(run.child.pid ?? 0);
    if (existsSync('/proc/self')) assert.is(hosts.length, 1, 'one host process');
    run.child.kill('SIGINT');
    const ended = await run.ended;
    assert.is(ended.code, 130, ended.err);
    assert.match(ended.err, /ERR_ABORTED stopped by SIGINT while training/);
    for (const pid of hosts) assert.ok(await isGone(pid), `host ${pid} is gone`);
    assert.equal(readdirSync(folder), [], 'no half of a model');
  });
});

test.run();
