// Every way a launch can end, as inputs and outputs of the launcher's machine. Inputs are written
// as words, `0:ready`, so that a path reads as what happens.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FromHost } from '../src/cli/channel.ts';
import type { JobDone, JobEvent } from '../src/jobs/job.ts';
import { LauncherMachine, type LauncherConfig } from '../src/launcher/launcher-machine.ts';
import type { LauncherInput, LauncherOutput, RankEnd } from '../src/launcher/launcher-machine.ts';

const config: LauncherConfig = {
  ...{ hosts: ['a', 'b', 'c'], port: 0, deadlineMs: 5000, silentTicksMax: 3, ownProgram: false },
};

const done: JobDone = { command: 'predict', rows: 3, out: null };
const event = (found: JobEvent): FromHost => ({ kind: 'event', event: found });
const fault = (code: 'ERR_DATA' | 'ERR_PEER_LOST' | 'ERR_ABORTED', message: string): FromHost => ({
  kind: 'fault',
  fault: { code, message },
});

const messages: Readonly<Record<string, FromHost>> = {
  ...{ ready: { kind: 'ready' }, alive: { kind: 'alive' }, done: { kind: 'done', done } },
  listening: event({ kind: 'listening', host: 'a', port: 4711 }),
  loading: event({ kind: 'load', bytesDone: 1, bytesTotal: 2 }),
  loaded: event({ kind: 'load', bytesDone: 2, bytesTotal: 2 }),
  clock: event({ kind: 'progress', clock: 12, values: {} }),
  facts: event({ kind: 'facts', text: 'f' }),
  warning: event({ kind: 'warning', text: 'w' }),
  log: event({ kind: 'log', thread: 0, line: 'l' }),
  data: fault('ERR_DATA', 'a:1:1: bad'),
  lost: fault('ERR_PEER_LOST', 'rank 1 is gone'),
  aborted: fault('ERR_ABORTED', 'stopped'),
};

const ends: Readonly<Record<string, RankEnd>> = {
  exit: { code: 0, signal: null, lastWords: [] },
  exit1: { code: 1, signal: null, lastWords: ['one', 'two'] },
  sigkill: { code: null, signal: 'SIGKILL', lastWords: [] },
  sigint: { code: null, signal: 'SIGINT', lastWords: [] },
  cut: { code: 255, signal: null, lastWords: [], how: 'its connection ended' },
  nossh: {
    ...{ code: 255, signal: null, lastWords: [] },
    fault: { code: 'ERR_CONFIG', message: 'b: it refuses our key' },
  },
};

/** `1:ready` is a message of rank 1, `1:exit` its end; the others are the machine's own inputs. */
function input(word: string): LauncherInput {
  const [, digit, name = ''] = /^(\d):(\w+)$/.exec(word) ?? [];
  const rank = Number(digit);
  const [message, end] = [messages[name], ends[name]];
  if (message !== undefined) return { kind: 'message', rank, message };
  if (end !== undefined) return { kind: 'exit', rank, end };
  if (word.startsWith('SIG')) return { kind: 'signal', name: word as 'SIGINT' };
  return { kind: word as 'begin' };
}

function word(output: LauncherOutput): string {
  switch (output.kind) {
    case 'failure':
      return `failure ${output.exitCode} ${output.fault.code} ${output.fault.message}`;
    case 'exit':
      return `exit ${output.code}`;
    case 'show':
      return `show ${output.rank} ${output.event.kind}`;
    case 'sendJob':
      return `job ${output.rank} ${output.port}`;
    case 'start':
    case 'sendStop':
    case 'kill':
      return `${output.kind.replace('send', '').toLowerCase()} ${output.rank}`;
    case 'startGrace':
      return 'grace';
    case 'startCauseGrace':
      return 'causeGrace';
    case 'result':
      return output.kind;
  }
}

function run(words: string, changes: Partial<LauncherConfig> = {}): string[] {
  const machine = new LauncherMachine({ ...config, ...changes });
  const inputs = words.split(' ').filter((one) => one !== '');
  return inputs.flatMap((one) => machine.step(input(one)).map(word));
}

const starts = ['start 0', 'start 1', 'start 2'];
const jobs = ['job 0 0', 'job 1 4711', 'job 2 4711'];
const going = [...starts, ...jobs];
/** All of them have started, met and got their jobs. */
const go = 'begin 0:ready 1:ready 2:ready 0:listening';
const gone = '0:exit 1:exit 2:exit';
const stops = ['stop 0', 'stop 1', 'stop 2', 'grace'];
const kills = ['kill 0', 'kill 1', 'kill 2', 'grace'];
const unsaved = '; the model was not saved';
const killer = 'was it the out-of-memory killer? perpetuum doctor shows memory';
const report = 'please report this with the command line that led to it';

type Path = readonly [
  name: string,
  inputs: string,
  outputs: readonly string[],
  config?: Partial<LauncherConfig>,
];

const paths: readonly Path[] = [
  [
    'rank 0 has its job at once, the others when it listens, in whatever order they are ready',
    'begin 1:ready 0:ready 0:listening 2:ready',
    [...starts, 'job 0 0', 'job 1 4711', 'job 2 4711'],
  ],
  ['a port that was asked for', 'begin 0:ready', [...starts, 'job 0 9'], { port: 9 }],
  [
    'only rank 0 listens for the others',
    'begin 0:ready 1:ready 1:listening 2:ready',
    [...starts, 'job 0 0'],
  ],
  [
    'done: the result at once, the exit when all are gone',
    `${go} 0:clock 2:done 2:exit 0:done 0:exit 1:done 1:exit`,
    [...going, 'show 0 progress', 'result', 'grace', 'exit 0'],
  ],
  [
    'done, and another fails or dies behind it: the work was complete',
    `${go} 0:done 1:data 1:exit 2:sigkill 0:exit`,
    [...going, 'result', 'grace', 'exit 0'],
  ],
  [
    'done, and one stays: killed after the grace',
    `${go} 0:done 0:exit 1:done 1:exit graceOver 2:sigkill`,
    [...going, 'result', 'grace', 'kill 2', 'grace', 'exit 0'],
  ],
  [
    'done before the others had a job: they are stopped',
    'begin 0:ready 1:ready 0:done 0:exit 1:aborted 1:exit 2:exit',
    [...starts, 'job 0 0', 'result', 'stop 1', 'stop 2', 'grace', 'exit 0'],
  ],
  [
    'a run of one host',
    'begin 0:ready 0:done 0:exit',
    ['start 0', 'job 0 0', 'result', 'grace', 'exit 0'],
    { hosts: ['a'] },
  ],
  [
    'rank 0 speaks for all; warnings and lines are everyone’s',
    `${go} 0:facts 1:facts 0:loading 1:loading 1:clock 1:warning 2:log 0:log`,
    [...going, 'show 0 facts', 'show 0 load', 'show 1 warning', 'show 2 log', 'show 0 log'],
  ],
  [
    'a fault with a cause: stops all, and says who',
    `${go} 1:data 1:exit 0:aborted 0:exit 2:exit`,
    [
      ...[...going, 'stop 0', 'stop 2', 'grace'],
      ...['failure 3 ERR_DATA a:1:1: bad\nreported by rank 1 (b)', 'exit 3'],
    ],
  ],
  [
    'a loss is a symptom: a cause within its grace wins',
    `${go} 0:lost 2:lost 1:data causeOver ${gone}`,
    [
      ...[...going, 'causeGrace', 'grace'],
      ...['failure 3 ERR_DATA a:1:1: bad\nreported by rank 1 (b)', 'exit 3'],
    ],
  ],
  [
    'a loss is a symptom: a host that is dead wins',
    `${go} 0:lost 1:clock 1:sigkill 0:exit 2:exit`,
    [
      ...[...going, 'causeGrace', 'stop 2', 'grace'],
      'failure 4 ERR_PEER_LOST rank 1 (b) is lost: its host process was ended by SIGKILL ' +
        `while training, at clock 12\n${killer}`,
      'exit 4',
    ],
  ],
  [
    'a loss without a cause: after its grace it counts',
    `${go} 0:lost 0:exit causeOver 1:exit 2:exit`,
    [
      ...[...going, 'causeGrace', 'stop 1', 'stop 2', 'grace'],
      ...['failure 4 ERR_PEER_LOST rank 1 is gone\nreported by rank 0 (a)', 'exit 4'],
    ],
  ],
  [
    'a loss of all: they are gone before the grace is over',
    `${go} 0:lost 1:lost 2:lost ${gone} causeOver`,
    [
      ...[...going, 'causeGrace'],
      ...['failure 4 ERR_PEER_LOST rank 1 is gone\nreported by rank 0 (a)', 'exit 4'],
    ],
  ],
  [
    'a signal while a loss waits for its cause: the loss was first',
    `${go} 0:lost SIGINT ${gone}`,
    [
      ...[...going, 'causeGrace', 'stop 1', 'stop 2', 'grace'],
      ...['failure 4 ERR_PEER_LOST rank 1 is gone\nreported by rank 0 (a)', 'exit 4'],
    ],
  ],
  [
    'the first of two causes',
    `${go} 2:sigkill 1:data ${gone}`,
    [
      ...[...going, 'stop 0', 'stop 1', 'grace'],
      'failure 4 ERR_PEER_LOST rank 2 (c) is lost: its host process was ended by SIGKILL ' +
        `before its first clock\n${killer}`,
      'exit 4',
    ],
  ],
  [
    'a host exits while it loads: its last words',
    `${go} 1:loading 1:exit1 0:exit 2:exit`,
    [
      ...[...going, 'stop 0', 'stop 2', 'grace'],
      'failure 4 ERR_PEER_LOST rank 1 (b) is lost: its host process exited with code 1 ' +
        `while loading; it last wrote: one | two\n${report}`,
      'exit 4',
    ],
  ],
  [
    'a program of the user’s exits: it is the program',
    `${go} 1:exit 0:exit 2:exit`,
    [
      ...[...going, 'stop 0', 'stop 2', 'grace'],
      'failure 1 ERR_PROGRAM rank 1 (b) is lost: its host process exited with code 0 before its ' +
        'first clock\na program must not call process.exit; it ends a run by returning',
      'exit 1',
    ],
    { ownProgram: true },
  ],
  [
    'a connection breaks',
    `${go} 2:clock 2:cut 0:exit 1:exit`,
    [
      ...[...going, 'stop 0', 'stop 1', 'grace'],
      'failure 4 ERR_PEER_LOST rank 2 (c) is lost: its connection ended while training, ' +
        'at clock 12\nis its network up?',
      'exit 4',
    ],
  ],
  [
    'a host cannot be reached: the others are stopped before they have a job',
    'begin 0:ready 1:nossh 2:exit 0:exit',
    [
      ...[...starts, 'job 0 0', 'stop 0', 'stop 2', 'grace'],
      ...['failure 2 ERR_CONFIG b: it refuses our key', 'exit 2'],
    ],
  ],
  [
    'Ctrl-C while training',
    `${go} 0:clock SIGINT 0:aborted 1:aborted 2:aborted ${gone}`,
    [
      ...[...going, 'show 0 progress', ...stops],
      `failure 130 ERR_ABORTED stopped by SIGINT while training, at clock 12${unsaved}`,
      'exit 130',
    ],
  ],
  [
    'SIGTERM while starting: no job is dealt any more',
    `begin 0:ready SIGTERM 1:ready 0:listening ${gone}`,
    [
      ...[...starts, 'job 0 0', ...stops],
      `failure 143 ERR_ABORTED stopped by SIGTERM before its first clock${unsaved}`,
      'exit 143',
    ],
  ],
  [
    'Ctrl-C twice: all are killed',
    `${go} SIGINT 1:exit SIGINT 0:sigkill 2:sigkill`,
    [
      ...[...going, ...stops, 'kill 0', 'kill 2', 'grace'],
      `failure 130 ERR_ABORTED stopped by SIGINT before its first clock${unsaved}`,
      'exit 130',
    ],
  ],
  [
    'Ctrl-C, and they do not stop: killed; and not even that ends them: we end',
    `${go} SIGHUP graceOver graceOver`,
    [
      ...[...going, ...stops, ...kills],
      `failure 129 ERR_ABORTED stopped by SIGHUP before its first clock${unsaved}`,
      'exit 129',
    ],
  ],
  [
    'Ctrl-C, but the result was under way: it counts',
    `${go} SIGINT 0:done ${gone}`,
    [...going, ...stops, 'result', 'grace', 'exit 0'],
  ],
  [
    'Ctrl-C reached a host before it could ignore it',
    'begin 1:sigint 0:exit 2:exit',
    [
      ...[...starts, 'stop 0', 'stop 2', 'grace'],
      `failure 130 ERR_ABORTED stopped by SIGINT while starting${unsaved}`,
      'exit 130',
    ],
  ],
  [
    'the deadline, and later a fault: the first reason stays',
    `${go} 0:clock deadline 1:data ${gone}`,
    [
      ...[...going, 'show 0 progress', ...stops],
      `failure 124 ERR_DEADLINE --deadline 5 s passed while training, at clock 12${unsaved}\n` +
        'allow more seconds or fewer --passes',
      'exit 124',
    ],
  ],
  [
    'nobody reads the output: ends without a word',
    `${go} outputClosed ${gone}`,
    [...going, ...stops, 'exit 141'],
  ],
  [
    'while it stops: warnings and lines are shown, progress is not',
    `${go} outputClosed 0:clock 1:warning 0:log ${gone}`,
    [...going, ...stops, 'show 1 warning', 'show 0 log', 'exit 141'],
  ],
  [
    'silence of one: it is killed, the others are stopped',
    `${go} tick tick 0:alive 2:alive tick 0:exit 2:exit 1:sigkill`,
    [
      ...[...going, 'kill 1', ...stops],
      'failure 4 ERR_PEER_LOST rank 1 (b) has not answered for 3 s, before its first clock; ' +
        'it was killed\nis its machine up and reachable?',
      'exit 4',
    ],
  ],
  [
    'silence of one that is over is none',
    `${go} 1:done tick 0:alive 2:alive tick 0:alive 2:alive tick tick`,
    going,
  ],
  [
    'after the end nothing happens',
    `${go} 0:done ${gone} SIGINT graceOver causeOver deadline 1:data tick outputClosed`,
    [...going, 'result', 'grace', 'exit 0'],
  ],
];

for (const [name, inputs, outputs, changes] of paths) {
  test(`launcher: ${name}`, () => assert.equal(run(inputs, changes), [...outputs]));
}

test('launcher: its state in a line', () => {
  const machine = new LauncherMachine(config);
  `${go} 1:lost`.split(' ').forEach((one) => machine.step(input(one)));
  assert.is(machine.toString(), 'failing code=? [working over working]');
});

// From ground truth, not from the machine's own state: counts of what it put out.
test('launcher: in every order of inputs it exits once, last, and leaves no rank unended', () => {
  const names = [...Object.keys(messages), ...Object.keys(ends)];
  const own = ['SIGINT', 'deadline', 'outputClosed', 'graceOver', 'causeOver', 'tick'];
  const all = [...own, ...[0, 1, 2].flatMap((rank) => names.map((name) => `${rank}:${name}`))];
  let state = 7;
  const below = (n: number) => (state = (state * 48271) % 2147483647) % n;
  for (let round = 0; round < 5000; round++) {
    const order = Array.from({ length: 20 }, () => all[below(all.length)] ?? 'tick');
    const trace = ['begin', ...order, gone].join(' ');
    const words = run(trace);
    const exits = words.filter((output) => output.startsWith('exit'));
    assert.is(exits.length, 1, trace);
    assert.is(words.at(-1), exits[0], trace);
    for (const rank of [0, 1, 2]) {
      assert.ok(words.filter((output) => output.startsWith(`job ${rank}`)).length <= 1, trace);
    }
    const failures = words.filter((output) => output.startsWith('failure'));
    assert.ok(failures.length <= 1, trace);
    if (failures.length === 1) assert.is.not(exits[0], 'exit 0', trace);
    assert.is(exits[0] === 'exit 0', words.includes('result') && failures.length === 0, trace);
  }
});

test('launcher: whatever happens, a rank that does not end by itself is killed', () => {
  const own = ['SIGINT', 'deadline', 'causeOver', 'tick'];
  const all = [...own, ...Object.keys(messages).map((name) => `1:${name}`), '0:ready', '2:sigkill'];
  let state = 11;
  const below = (n: number) => (state = (state * 48271) % 2147483647) % n;
  for (let round = 0; round < 2000; round++) {
    const order = Array.from({ length: 12 }, () => all[below(all.length)] ?? 'tick');
    // Neither rank 0 nor rank 1 ever ends.
    const trace = ['begin', ...order, 'causeOver', 'SIGINT', 'graceOver', 'graceOver'].join(' ');
    const words = run(trace);
    assert.ok(words.includes('kill 0') && words.includes('kill 1'), trace);
    assert.ok(words.at(-1)?.startsWith('exit'), trace);
  }
});

test.run();
