// Every way a run can end, as inputs and outputs of the guardian's machine.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FromHost } from '../src/cli/channel.ts';
import { GuardianMachine } from '../src/cli/guardian-machine.ts';
import type { GuardianConfig, GuardianInput, GuardianOutput } from '../src/cli/guardian-machine.ts';
import type { JobDone, JobEvent } from '../src/jobs/job.ts';

const config: GuardianConfig = {
  ...{ deadlineMs: 5000, silentTicksMax: 3, activity: 'training', ownProgram: false },
};

const say = (message: FromHost): GuardianInput => ({ kind: 'message', message });
const tell = (event: JobEvent) => say({ kind: 'event', event });
const signal = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): GuardianInput => ({ kind: 'signal', name });
const gone = (code: number | null, by: string | null = null, ...lastWords: string[]) =>
  ({ kind: 'hostExit', code, signal: by, lastWords }) as GuardianInput;

const ready = say({ kind: 'ready' });
const alive = say({ kind: 'alive' });
const loading = tell({ kind: 'load', bytesDone: 5e5, bytesTotal: 2e6 });
const loaded = tell({ kind: 'load', bytesDone: 2e6, bytesTotal: 2e6 });
const progress = tell({
  ...{ kind: 'progress', clock: 12, values: { pass: 3, passes: 10, objective: 0.5 } },
});
const predicted: JobDone = { command: 'predict', rows: 3, out: null };
const done = say({ kind: 'done', done: predicted });
const dataFault = say({ kind: 'fault', fault: { code: 'ERR_DATA', message: 'a:1:1: bad' } });
const aborted = say({ kind: 'fault', fault: { code: 'ERR_ABORTED', message: 'stopped' } });
const deadline: GuardianInput = { kind: 'deadline' };
const graceOver: GuardianInput = { kind: 'graceOver' };
const outputClosed: GuardianInput = { kind: 'outputClosed' };
const tick: GuardianInput = { kind: 'tick' };

/** One word an output; failures with code and message, exits with the code. */
function word(output: GuardianOutput): string {
  switch (output.kind) {
    case 'failure':
      return `failure ${output.exitCode} ${output.fault.code} ${output.fault.message}`;
    case 'exit':
      return `exit ${output.code}`;
    case 'show':
      return `show ${output.event.kind}`;
    case 'sendJob':
    case 'sendStop':
    case 'kill':
    case 'startGrace':
    case 'result':
      return output.kind;
  }
}

function run(inputs: readonly GuardianInput[], changes: Partial<GuardianConfig> = {}): string[] {
  const machine = new GuardianMachine({ ...config, ...changes });
  return inputs.flatMap((input) => machine.step(input).map(word));
}

const stopping = ['sendStop', 'startGrace'];
const at12 = 'while training, at clock 12 (pass 3 of 10, objective 0.5)';
const unsaved = '; the model was not saved';
const report = 'please report this with the command line that led to it';

type Path = readonly [
  name: string,
  inputs: readonly GuardianInput[],
  outputs: readonly string[],
  config?: Partial<GuardianConfig>,
];

const paths: readonly Path[] = [
  [
    'done: the result at once, the exit when the host is gone',
    [ready, progress, done, gone(0)],
    ['sendJob', 'show progress', 'result', 'startGrace', 'exit 0'],
  ],
  [
    'done, and the host fails at its end: the work was complete',
    [ready, done, gone(1)],
    ['sendJob', 'result', 'startGrace', 'exit 0'],
  ],
  [
    'done, but the host stays: killed after the grace',
    [ready, done, graceOver, gone(null, 'SIGKILL')],
    ['sendJob', 'result', 'startGrace', 'kill', 'startGrace', 'exit 0'],
  ],
  [
    'fault: its code is the exit code',
    [ready, dataFault, gone(1)],
    ['sendJob', 'startGrace', 'failure 3 ERR_DATA a:1:1: bad', 'exit 3'],
  ],
  [
    'Ctrl-C while training',
    [ready, progress, signal('SIGINT'), aborted, gone(1)],
    [
      ...['sendJob', 'show progress', ...stopping, 'startGrace'],
      ...[`failure 130 ERR_ABORTED stopped by SIGINT ${at12}${unsaved}`, 'exit 130'],
    ],
  ],
  [
    'SIGTERM while loading',
    [ready, loading, signal('SIGTERM'), gone(1)],
    [
      ...['sendJob', 'show load', ...stopping],
      `failure 143 ERR_ABORTED stopped by SIGTERM while loading, 500.0 kB of 2.0 MB read${unsaved}`,
      'exit 143',
    ],
  ],
  [
    'SIGHUP before the host is ready: no job is sent any more',
    [signal('SIGHUP'), ready, gone(0)],
    [...stopping, `failure 129 ERR_ABORTED stopped by SIGHUP while starting${unsaved}`, 'exit 129'],
  ],
  [
    'Ctrl-C twice: kills at once',
    [ready, loaded, signal('SIGINT'), signal('SIGINT'), gone(null, 'SIGKILL')],
    [
      ...['sendJob', 'show load', ...stopping, 'kill', 'startGrace'],
      `failure 130 ERR_ABORTED stopped by SIGINT while training, before its first clock${unsaved}`,
      'exit 130',
    ],
  ],
  [
    'Ctrl-C, and the host does not stop: killed after the grace',
    [ready, signal('SIGINT'), graceOver, gone(null, 'SIGKILL')],
    [
      ...['sendJob', ...stopping, 'kill', 'startGrace'],
      `failure 130 ERR_ABORTED stopped by SIGINT while loading${unsaved}`,
      'exit 130',
    ],
  ],
  [
    'not even SIGKILL ends the host: the guardian ends all the same',
    [ready, signal('SIGINT'), graceOver, graceOver],
    [
      ...['sendJob', ...stopping, 'kill', 'startGrace'],
      `failure 130 ERR_ABORTED stopped by SIGINT while loading${unsaved}`,
      'exit 130',
    ],
  ],
  [
    'Ctrl-C, but the result was under way: it counts',
    [ready, signal('SIGINT'), done, gone(0)],
    ['sendJob', ...stopping, 'result', 'startGrace', 'exit 0'],
  ],
  [
    'Ctrl-C, and then another fault: the stop was first',
    [ready, signal('SIGINT'), dataFault, gone(1)],
    [
      ...['sendJob', ...stopping, 'startGrace'],
      `failure 130 ERR_ABORTED stopped by SIGINT while loading${unsaved}`,
      'exit 130',
    ],
  ],
  [
    'Ctrl-C reached the host before it could ignore it',
    [gone(null, 'SIGINT')],
    [`failure 130 ERR_ABORTED stopped by SIGINT while starting${unsaved}`, 'exit 130'],
  ],
  [
    'the deadline: says how far training was',
    [ready, progress, deadline, aborted, gone(1)],
    [
      ...['sendJob', 'show progress', ...stopping, 'startGrace'],
      `failure 124 ERR_DEADLINE --deadline 5 s passed ${at12}${unsaved}\n` +
        'allow more seconds or fewer --passes',
      'exit 124',
    ],
  ],
  [
    'the deadline of an evaluation: nothing is said of saving',
    [ready, loaded, deadline, gone(1)],
    [
      ...['sendJob', 'show load', ...stopping],
      'failure 124 ERR_DEADLINE --deadline 5 s passed while evaluating, before its first clock\n' +
        'allow more seconds, or use more --threads',
      'exit 124',
    ],
    { activity: 'evaluating' },
  ],
  [
    'the deadline after a Ctrl-C: the first reason stays',
    [ready, signal('SIGINT'), deadline, gone(1)],
    [
      ...['sendJob', ...stopping],
      `failure 130 ERR_ABORTED stopped by SIGINT while loading${unsaved}`,
      'exit 130',
    ],
  ],
  [
    'nobody reads the output: ends without a word, as by SIGPIPE',
    [ready, outputClosed, aborted, gone(1)],
    ['sendJob', ...stopping, 'startGrace', 'exit 141'],
  ],
  [
    'nobody reads the result of a finished job: it is done',
    [ready, done, outputClosed, gone(0)],
    ['sendJob', 'result', 'startGrace', 'exit 0'],
  ],
  [
    'while it stops: warnings and logs are shown, progress is not',
    [
      ready,
      outputClosed,
      progress,
      tell({ kind: 'warning', text: 'w' }),
      tell({ kind: 'log', thread: 0, line: 'l' }),
      gone(0),
    ],
    ['sendJob', ...stopping, 'show warning', 'show log', 'exit 141'],
  ],
  [
    'the host is killed from outside',
    [ready, progress, gone(null, 'SIGKILL')],
    [
      ...['sendJob', 'show progress'],
      `failure 1 ERR_INTERNAL the host process was ended by SIGKILL ${at12}\n` +
        'was it the out-of-memory killer? perpetuum doctor shows memory',
      'exit 1',
    ],
  ],
  [
    'the host runs out of heap',
    [ready, gone(null, 'SIGABRT', 'FATAL ERROR: JavaScript heap out of memory')],
    [
      'sendJob',
      'failure 1 ERR_INTERNAL the host process was ended by SIGABRT while loading; ' +
        'it last wrote: FATAL ERROR: JavaScript heap out of memory\n' +
        'a thread ran out of JavaScript heap: NODE_OPTIONS=--max-old-space-size=8192',
      'exit 1',
    ],
  ],
  [
    'the host exits before it is ready: its last words are in the message',
    [gone(7, null, 'one', 'two')],
    [
      'failure 1 ERR_INTERNAL the host process exited with code 7 while starting; ' +
        `it last wrote: one | two\n${report}`,
      'exit 1',
    ],
  ],
  [
    'a program calls process.exit(0): not a success',
    [ready, gone(0)],
    [
      'sendJob',
      'failure 1 ERR_PROGRAM the host process exited with code 0 while loading\n' +
        'a program must not call process.exit; it ends a run by returning',
      'exit 1',
    ],
    { ownProgram: true },
  ],
  [
    'the host cannot be started',
    [{ kind: 'spawnFailed', message: 'EAGAIN' }],
    ['failure 1 ERR_INTERNAL the host process could not be started: EAGAIN', 'exit 1'],
  ],
  [
    'silence: killed after so many ticks without a message',
    [ready, tick, tick, alive, tick, tick, tick, gone(null, 'SIGKILL')],
    [
      ...['sendJob', 'kill', 'startGrace'],
      'failure 1 ERR_TIMEOUT the host process has not answered for 3 s while loading; it was killed',
      'exit 1',
    ],
  ],
  [
    'silence before the host is ready',
    [tick, tick, tick, gone(null, 'SIGKILL')],
    [
      ...['kill', 'startGrace'],
      'failure 1 ERR_TIMEOUT the host process has not answered for 3 s while starting; it was killed',
      'exit 1',
    ],
  ],
  [
    'after the end nothing happens',
    [ready, done, gone(0), signal('SIGINT'), graceOver, deadline, gone(1), tick],
    ['sendJob', 'result', 'startGrace', 'exit 0'],
  ],
];

for (const [name, inputs, outputs, changes] of paths) {
  test(`guardian: ${name}`, () => assert.equal(run(inputs, changes), [...outputs]));
}

// From ground truth, not from the machine's own state: counts of what it put out.
test('guardian: in every order of inputs it exits at most once, and last', () => {
  const inputs = [ready, progress, done, dataFault, signal('SIGINT'), deadline, outputClosed];
  const all = [...inputs, graceOver, tick, gone(0), gone(null, 'SIGKILL')];
  let state = 1;
  const below = (n: number) => (state = (state * 48271) % 2147483647) % n;
  for (let round = 0; round < 3000; round++) {
    const order = Array.from({ length: 12 }, () => all[below(all.length)] ?? tick);
    const words = run([...order, gone(1)]);
    const exits = words.filter((output) => output.startsWith('exit'));
    assert.is(exits.length, 1, words.join('; '));
    assert.is(words.at(-1), exits[0]);
    assert.ok(words.filter((output) => output === 'sendJob').length <= 1);
    const failed = words.some((output) => output.startsWith('failure'));
    if (failed) assert.is.not(exits[0], 'exit 0', words.join('; '));
  }
});

test.run();
