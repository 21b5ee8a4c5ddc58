// The command line as a table: what it becomes, or the exact words with which it is refused.
import { availableParallelism } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { limits } from '../src/base/limits.ts';
import { nearest } from '../src/cli/arguments/suggest.ts';
import { parse, type JobRequest } from '../src/cli/arguments/parse.ts';
import { commandNames } from '../src/cli/arguments/options.ts';
import { fakeModels } from './helpers/fake-models.ts';

/** Splits on spaces; no argument of these tests has one. */
const request = (line: string) => parse(line === '' ? [] : line.split(' '), fakeModels);

function job(line: string): JobRequest {
  const found = request(line);
  if (found.kind !== 'job') throw new Error(`${line} is ${found.kind}`);
  return found;
}

const threads = Math.min(availableParallelism(), limits.workersMax);
const input = { format: undefined, label: 'last', delimiter: undefined, header: undefined };
const train = {
  ...{ command: 'train', model: 'mlr', data: ['a'], test: [], out: undefined, threads },
  ...{ consistency: 'essp', staleness: 1, partitions: undefined, passes: undefined },
  ...{ tolerance: undefined, seed: 1, audit: false, pushTimeoutMs: limits.pushTimeoutMs, input },
  options: { lambda: 1e-4, solver: 'sgd', intercept: true },
  sending: { bytesPerSecond: undefined, early: false, order: 'magnitude', encoding: 'full' },
};
const own = { ...train, model: './p.mjs', options: {} };
const mlr = (options: object) => ({ ...train, options: { ...train.options, ...options } });
const reads = (corpus: object) => ({ ...train, input: { ...input, corpus } });
const predict = {
  ...{ command: 'predict', modelDirectory: 'm', data: ['a'], out: undefined },
  ...{ probabilities: false, threads, input },
};
const evaluate = { command: 'evaluate', modelDirectory: 'm', data: ['a'], threads, input };
const topics = {
  ...{ command: 'topics', modelDirectory: 'm', data: [], threads: 1, input, page: undefined },
  ask: { by: 'relevance', show: 20, words: 12, topic: undefined },
};

const valid: readonly (readonly [string, object])[] = [
  ['train mlr a', train],
  ['train mlr a b', { ...train, data: ['a', 'b'] }],
  [
    'train mlr a --documents lines --stop-words none --min-df 3 --max-df .5 --min-length 1',
    reads({ documents: 'lines', stopWords: 'none', minDocuments: 3, maxShare: 0.5, minLength: 1 }),
  ],
  [
    'train mlr a --vocabulary v --text-column t --date-column d --name-column 2',
    reads({ vocabulary: 'v', textColumn: 't', dateColumn: 'd', nameColumn: '2' }),
  ],
  ['train mlr a --test t', { ...train, test: ['t'] }],
  ['train mlr a --test t --test u', { ...train, test: ['t', 'u'] }],
  ['train mlr a --out m', { ...train, out: 'm' }],
  ['train mlr a --out=m', { ...train, out: 'm' }],
  ['train mlr a --out=a=b', { ...train, out: 'a=b' }],
  ['train --threads 3 mlr a', { ...train, threads: 3 }],
  ['train --lambda 0.5 mlr a', mlr({ lambda: 0.5 })],
  ['train --no-intercept mlr a', mlr({ intercept: false })],
  ['--quiet train mlr a', train],
  ['train mlr a --consistency bsp', { ...train, consistency: 'bsp', staleness: 0 }],
  ['train mlr a --consistency bsp --staleness 0', { ...train, consistency: 'bsp', staleness: 0 }],
  ['train mlr a --consistency ssp --staleness 4', { ...train, consistency: 'ssp', staleness: 4 }],
  ['train mlr a --consistency auto', { ...train, consistency: 'auto', staleness: 8 }],
  [
    'train mlr a --link-rate 40 --send-early --send-order first --delta-encoding bf16',
    {
      ...train,
      sending: { bytesPerSecond: 5e6, early: true, order: 'first', encoding: 'bf16' },
    },
  ],
  ['train mlr a --consistency async', { ...train, consistency: 'async' }],
  ['train mlr a --staleness 0', { ...train, staleness: 0 }],
  ['train mlr a --passes 7 --tolerance 1e-3', { ...train, passes: 7, tolerance: 1e-3 }],
  ['train mlr a --passes 1e2', { ...train, passes: 100 }],
  ['train mlr a --seed 0', { ...train, seed: 0 }],
  ['train mlr a --seed 4294967295', { ...train, seed: 4294967295 }],
  ['train mlr a --audit --partitions 9', { ...train, audit: true, partitions: 9 }],
  ['train mlr a --push-timeout 0.5', { ...train, pushTimeoutMs: 500 }],
  ['train mlr a --threads 2 --threads 2', { ...train, threads: 2 }],
  ['train mlr -- --odd', { ...train, data: ['--odd'] }],
  [
    'train mlr a --format csv --label y',
    { ...train, input: { ...input, format: 'csv', label: 'y' } },
  ],
  ['train mlr a --delimiter ;', { ...train, input: { ...input, delimiter: ';' } }],
  ['train mlr a --delimiter tab', { ...train, input: { ...input, delimiter: '\t' } }],
  ['train mlr a --header', { ...train, input: { ...input, header: true } }],
  ['train mlr a --no-header', { ...train, input: { ...input, header: false } }],
  ['train mlr a --lambda 0 --solver batch', mlr({ lambda: 0, solver: 'batch' })],
  ['train mlr a --learning-rate .5', mlr({ 'learning-rate': 0.5 })],
  ['train mf a --rank 8 --no-bias', { ...train, model: 'mf', options: { rank: 8, bias: false } }],
  ['train ./p.mjs a', own],
  ['train p/q.js a --passes 2', { ...own, model: 'p/q.js', passes: 2 }],
  [
    'train ./p.mjs a --set rate=0.1 --set name=x --set fast=true --set n=-3 --set e=',
    { ...own, options: { rate: 0.1, name: 'x', fast: true, n: -3, e: '' } },
  ],
  ['predict m a', predict],
  ['predict m a b --out p', { ...predict, data: ['a', 'b'], out: 'p' }],
  ['predict m a --probabilities --threads 1', { ...predict, probabilities: true, threads: 1 }],
  ['evaluate m a', evaluate],
  ['evaluate m a --format idx', { ...evaluate, input: { ...input, format: 'idx' } }],
  ['train mlr a --spill big/disk', { ...train, spill: 'big/disk' }],
  ['topics m', topics],
  [
    'topics m a b --by lift --show 3 --words 4 --topic 0',
    { ...topics, data: ['a', 'b'], ask: { by: 'lift', show: 3, words: 4, topic: 0 } },
  ],
  ['topics m --page p --title T', { ...topics, page: { file: 'p', title: 'T' } }],
];

for (const [line, expected] of valid) {
  test(`perpetuum ${line}`, () => assert.equal(job(line).job, expected));
}

const explains = 'explains all options';
const trainHelp = `perpetuum train mlr --help ${explains}`;
const ownPath = 'a program of your own is a path that ends in .js or .mjs';
const lists = 'perpetuum --help lists the commands';

/** The line, and both lines of the message. */
const invalid: readonly (readonly [string, string, string])[] = [
  ['', 'a command is missing', `perpetuum demo is a first run; ${lists}`],
  ['tran mlr a', 'there is no command "tran": did you mean train?', lists],
  ['xyzzy', 'there is no command "xyzzy"', lists],
  [
    'status',
    'the command "status" is not in this version',
    `this version has ${commandNames.join(', ')}`,
  ],
  [
    '--threads 2 train mlr a',
    'perpetuum has no option --threads',
    'options of a command stand after it: perpetuum train MODEL DATA --threads 2',
  ],
  ['train', 'perpetuum train needs MODEL and DATA', 'perpetuum models lists the models'],
  [
    'train mrl a',
    'there is no model "mrl": did you mean mlr?',
    `perpetuum models lists the models; ${ownPath}`,
  ],
  [
    'train data.csv',
    'there is no model "data.csv"',
    `perpetuum models lists the models; ${ownPath}`,
  ],
  [
    'train p.ts a',
    'a program of your own must be JavaScript, got "p.ts"',
    'compile it to a .js or .mjs file',
  ],
  [
    'train mlr',
    'perpetuum train mlr needs DATA',
    'name one or more files: perpetuum train mlr DATA …',
  ],
  ['train mlr -', 'DATA must be files, got "-"', 'save standard input to a file first'],
  [
    'train mlr a --lamda 1',
    'perpetuum train mlr has no option --lamda: did you mean --lambda?',
    'perpetuum train mlr --help lists the options',
  ],
  [
    'train --lamda 1 mlr a',
    'perpetuum train has no option --lamda: did you mean --lambda?',
    'perpetuum train --help lists the options',
  ],
  [
    'train mlr a --rank 3',
    'perpetuum train mlr has no option --rank',
    'perpetuum train mlr --help lists the options',
  ],
  [
    'train mlr a -x',
    'perpetuum train mlr has no option -x',
    'perpetuum train mlr --help lists the options',
  ],
  [
    'train ./p.mjs a --lambda 1',
    'perpetuum train ./p.mjs has no option --lambda',
    "a program's own options are given as --set NAME=VALUE",
  ],
  [
    'train mlr a --set x=1',
    '--set is for programs of your own, got "x=1"',
    'perpetuum train mlr --help lists the options of mlr',
  ],
  ['train ./p.mjs a --set x', '--set must be NAME=VALUE, got "x"', 'for example --set lambda=0.1'],
  ['train ./p.mjs a --set x=1 --set x=2', '--set x must be given once', 'leave one of them out'],
  ['train mlr a --threads 0', '--threads must be an integer from 1 to 64, got "0"', trainHelp],
  ['train mlr a --threads 65', '--threads must be an integer from 1 to 64, got "65"', trainHelp],
  ['train mlr a --threads two', '--threads must be an integer from 1 to 64, got "two"', trainHelp],
  ['train mlr a --threads 1.5', '--threads must be an integer from 1 to 64, got "1.5"', trainHelp],
  ['train mlr a --threads -1', '--threads must be an integer from 1 to 64, got "-1"', trainHelp],
  [
    'train mlr a --threads',
    '--threads needs a value, got the end of the line',
    'write --threads N',
  ],
  ['train mlr a --out --json', '--out needs a value, got "--json"', 'write --out DIR'],
  ['train mlr a --out=', '--out needs a value, got ""', 'write --out DIR'],
  [
    'train mlr a --threads 2 --threads 3',
    '--threads must be given once, got 2 and 3',
    'leave one of them out',
  ],
  [
    'train mlr a --intercept --no-intercept',
    '--intercept must be given once, got yes and no',
    'leave one of them out',
  ],
  ['train mlr a --json=yes', '--json takes no value, got "yes"', 'write --json alone'],
  [
    'train mlr a --intercept=no',
    '--intercept takes no value, got "no"',
    'write --intercept or --no-intercept',
  ],
  ['train mlr a --passes 0', '--passes must be an integer >= 1, got "0"', trainHelp],
  ['train mlr a --tolerance nan', '--tolerance must be a number >= 0, got "nan"', trainHelp],
  ['train mlr a --seed -1', '--seed must be an integer from 0 to 4294967295, got "-1"', trainHelp],
  ['train mlr a --partitions 0', '--partitions must be an integer >= 1, got "0"', trainHelp],
  [
    'train mlr a --deadline 0',
    '--deadline must be a number above 0, at most 2000000, got "0"',
    trainHelp,
  ],
  ['train mlr a --staleness -1', '--staleness must be an integer >= 0, got "-1"', trainHelp],
  [
    'train mlr a --consistency bsp --staleness 2',
    '--staleness must be 0 with --consistency bsp, got 2',
    'leave it out, or use --consistency ssp or essp',
  ],
  [
    'train mlr a --consistency esp',
    '--consistency must be one of bsp, ssp, essp, async, auto, got "esp": did you mean bsp?',
    trainHelp,
  ],
  [
    'train mlr a --format parquet',
    '--format must be one of libsvm, mtx, csv, ratings, idx, bow, lda-c, text, got "parquet"',
    trainHelp,
  ],
  [
    'train mlr a --checkpoint d',
    '--checkpoint arrives with fault tolerance: this version saves the model at the end, with --out',
    'leave it out',
  ],
  [
    'train mlr a --delimiter 5',
    '--delimiter must be one character that no number has, or tab, got "5"',
    "for example --delimiter ';'",
  ],
  ['train mlr a --lambda -1', '--lambda must be a number >= 0, got "-1"', trainHelp],
  ['train mlr a --learning-rate 0', '--learning-rate must be a number > 0, got "0"', trainHelp],
  [
    'train mlr a --solver bach',
    '--solver must be one of sgd, batch, got "bach": did you mean batch?',
    trainHelp,
  ],
  [
    'train mf a --rank 513',
    '--rank must be an integer from 1 to 512, got "513"',
    `perpetuum train mf --help ${explains}`,
  ],
  [
    'predict',
    'perpetuum predict needs MODELDIR and DATA',
    'MODELDIR is the folder that perpetuum train --out wrote',
  ],
  [
    'predict m',
    'perpetuum predict m needs DATA',
    'name one or more files: perpetuum predict m DATA …',
  ],
  [
    'predict m a --probabilites',
    'perpetuum predict has no option --probabilites: did you mean --probabilities?',
    'perpetuum predict --help lists the options',
  ],
  [
    'evaluate m a --out x',
    'perpetuum evaluate has no option --out',
    'perpetuum evaluate --help lists the options',
  ],
  [
    'topics',
    'perpetuum topics needs MODELDIR',
    'MODELDIR is the folder that perpetuum train lda --out wrote',
  ],
  ['models x', 'perpetuum models takes no arguments, got "x"', 'write perpetuum models'],
  [
    'doctor --fast',
    'perpetuum doctor has no option --fast',
    'perpetuum doctor --help lists the options',
  ],
];

for (const [line, wrong, next] of invalid) {
  test(`perpetuum ${line || '(nothing)'}: refused`, () => {
    try {
      request(line);
    } catch (error) {
      assert.instance(error, SystemError);
      assert.is((error as SystemError).code, 'ERR_CONFIG');
      assert.is((error as SystemError).message, `${wrong}\n${next}`);
      return;
    }
    assert.unreachable('it was accepted');
  });
}

test('a job: deadline and view', () => {
  const line = 'train mlr a --deadline 2.5 --json --quiet --verbose --no-color';
  const { deadlineMs, view } = job(line);
  assert.is(deadlineMs, 2500);
  assert.equal(view, { json: true, quiet: true, verbose: true, noColor: true });
  assert.is(job('predict m a').deadlineMs, undefined);
});

test('the demo: hands its options on to train', () => {
  assert.equal(request('demo'), { kind: 'demo', extra: [], out: './model' });
  assert.equal(request('demo --out x --passes 3 --json'), {
    ...{ kind: 'demo', extra: ['--passes', '3', '--json'], out: 'x' },
  });
});

test('--version and --help win over the rest of the line', () => {
  assert.is(request('--version').kind, 'version');
  assert.is(request('train --version').kind, 'version');
  assert.is(request('train mlr --threads none --help').kind, 'help');
});

const helps: readonly (readonly [string, readonly string[]])[] = [
  [
    '--help',
    [
      'Usage: perpetuum COMMAND',
      'doctor',
      'mlr',
      'launch HOSTS -- train …',
      'Not in this version: profile',
    ],
  ],
  ['help', ['Usage: perpetuum COMMAND']],
  ['-h', ['Usage: perpetuum COMMAND']],
  ['train --help', ['MODEL is one of', '--set NAME=VALUE', '--push-timeout SECONDS', '--label']],
  ['help train', ['MODEL is one of']],
  ['train mlr --help', ['--lambda X', 'default: 0.0001', '--no-intercept', '(default: sgd)']],
  ['train --threads 2 mf -h', ['--rank N', 'an integer from 1 to 512; default: 32']],
  ['predict --help', ['MODELDIR', '--probabilities']],
  ['evaluate --help', ['MODELDIR', '--json']],
  ['topics --help', ['MODELDIR [DATA…]', '--by relevance|weight|lift', 'default: Topics']],
  ['models --help', ['perpetuum models']],
  ['doctor --help', ['exit code 1']],
  ['demo --help', ['--out DIR', './model']],
  ['launch --help', ['--local N', '-H, --host a:2,b:2', 'Bösen', '--dry-run', '--ssh COMMAND']],
  ['launch --local 2 -- train mlr --help', ['--lambda X', '--host-rank R', '--master HOST:PORT']],
];

for (const [line, words] of helps) {
  test(`perpetuum ${line}: help`, () => {
    const found = request(line);
    const text = found.kind === 'help' ? found.text : '';
    for (const word of words) assert.ok(text.includes(word), `"${word}" in:\n${text}`);
    for (const row of text.split('\n')) assert.ok(row.length <= 100, `too long: ${row}`);
  });
}

test('did you mean: the nearest word, and none when nothing is near', () => {
  assert.is(nearest('tarin', ['train', 'models']), 'train');
  assert.is(nearest('pred', ['predict', 'models']), 'predict');
  assert.is(nearest('zzz', ['train', 'models']), undefined);
});

test.run();
