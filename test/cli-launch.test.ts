// `perpetuum launch` as a table of lines: what they become, or the words with which they are
// refused.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { parse } from '../src/cli/arguments/parse.ts';
import { fakeModels } from './helpers/fake-models.ts';

const request = (line: string) => parse(line.split(' '), fakeModels);

function launched(line: string) {
  const found = request(line);
  if (found.kind !== 'launch') throw new Error(`${line} is ${found.kind}`);
  return found;
}

const plain = {
  ...{ port: undefined, secret: undefined, insecure: false, ssh: 'ssh', dryRun: false },
};

const valid: readonly (readonly [string, object])[] = [
  ['--local 2', { hosts: { kind: 'local', size: 2 } }],
  ['-H a:2,b:2', { hosts: { kind: 'list', text: 'a:2,b:2' } }],
  ['--host a', { hosts: { kind: 'list', text: 'a' } }],
  ['--hosts f --port 4711', { hosts: { kind: 'file', path: 'f' }, port: 4711 }],
  [
    '--local 2 --secret s --insecure --ssh rsh --dry-run',
    { hosts: { kind: 'local', size: 2 }, secret: 's', insecure: true, ssh: 'rsh', dryRun: true },
  ],
];
for (const [line, expected] of valid) {
  test(`perpetuum launch ${line} -- train mlr a`, () => {
    const { launch, train } = launched(`launch ${line} -- train mlr a --threads 3`);
    const rest = ['train', 'mlr', 'a', '--threads', '3'];
    assert.equal(launch, { ...plain, ...expected, line: rest });
    assert.equal([train.job.command, train.threads], ['train', 3]);
  });
}

test('launch: the view is of both sides, the deadline of the job', () => {
  const { train } = launched('--quiet launch --local 2 -- train mlr a --json --deadline 2');
  assert.equal(train.view, { json: true, quiet: true, verbose: false, noColor: false });
  assert.is(train.deadlineMs, 2000);
});

test('train: what was said of other hosts', () => {
  const line = 'train mlr a --host-rank 1 --world-size 2 --master h:9 --secret f --insecure';
  const found = request(line);
  assert.equal(found.kind === 'job' && found.join, {
    ...{ rank: 1, size: 2, master: 'h:9', secret: 'f', insecure: true },
  });
});

const example = 'for example perpetuum launch --local 2 -- train mlr data.csv';
const one = 'perpetuum launch needs one of --local N, -H a:2,b:2 and --hosts FILE';
const elsewhere = `${example}; other commands work on one machine, without launch`;
const invalid: readonly (readonly [string, string, string])[] = [
  ['launch', 'perpetuum launch needs a train line behind --', example],
  ['launch --local 2', 'perpetuum launch needs a train line behind --', example],
  ['launch --local 2 --', 'perpetuum launch needs a train line behind --', example],
  ['launch train mlr a', 'perpetuum launch takes no arguments before --, got "train"', example],
  ['launch -- train mlr a', `${one}, got none`, example],
  ['launch --local 2 -H a -- train mlr a', `${one}, got 2`, example],
  ['launch --local 2 -- predict m a', 'perpetuum launch launches train, got "predict"', elsewhere],
  [
    'launch --local 2 -- evaluate m a',
    'perpetuum launch launches train, got "evaluate"',
    elsewhere,
  ],
  [
    'launch --local 0 -- train mlr a',
    '--local must be an integer from 1 to 64, got "0"',
    'perpetuum launch --help explains all options',
  ],
  [
    'launch --local 2 --port 70000 -- train mlr a',
    '--port must be an integer from 1 to 65535, got "70000"',
    'perpetuum launch --help explains all options',
  ],
  [
    'launch --slurm -- train mlr a',
    '--slurm is not in this version: under srun, perpetuum train joins by itself',
    'leave it out',
  ],
  [
    'launch --locl 2 -- train mlr a',
    'perpetuum launch has no option --locl: did you mean --local?',
    'perpetuum launch --help lists the options',
  ],
  [
    'launch --local 2 -- train mlr a --host-rank 1',
    '--host-rank is given by launch itself',
    'leave out --host-rank',
  ],
  [
    'launch --local 2 -- train mlr a --secret s',
    '--secret is an option of launch',
    'write it before --',
  ],
  [
    'launch --local 2 -- train mrl a',
    'there is no model "mrl": did you mean mlr?',
    'perpetuum models lists the models; a program of your own is a path that ends in .js or .mjs',
  ],
];
for (const [line, wrong, next] of invalid) {
  test(`perpetuum ${line}: refused`, () => {
    try {
      request(line);
    } catch (thrown) {
      assert.ok(thrown instanceof SystemError && thrown.code === 'ERR_CONFIG', String(thrown));
      assert.is(thrown.message, `${wrong}\n${next}`);
      return;
    }
    assert.unreachable('it was accepted');
  });
}

test.run();
