// A host process for the tests of the command line: the real serving side with jobs that end in
// every way a job can (the kind is the first DATA argument), and hosts that keep to no protocol.
import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { SystemError } from '../../src/base/errors.ts';
import { serveGuardian } from '../../src/cli/host-process.ts';
import type { Job, JobDone, JobEvent, JobHooks, TrainDone } from '../../src/jobs/job.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const forever = () => new Promise<never>(() => setInterval(() => undefined, 1000));
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function trained(job: Job): JobDone {
  if (job.command === 'evaluate') {
    return {
      command: 'evaluate',
      model: 'mlr',
      rows: 10,
      metrics: { accuracy: 0.9, logLoss: 0.25 },
    };
  }
  if (job.command === 'predict') return { command: 'predict', rows: 10, out: job.out ?? null };
  if (job.command !== 'train') throw new Error(`no fake ${job.command}`);
  const result: TrainDone = {
    ...{ model: job.model, objective: 0.32451234, metrics: { accuracy: 0.8493, testError: 0.31 } },
    ...{ converged: false, gap: 0.0031, tolerance: 0.001, clocks: 40, passes: 10 },
    ...{ threads: job.threads, hosts: 1, consistency: job.consistency, staleness: job.staleness },
    ...{ seed: job.seed, seconds: { load: 0.1, train: 0.4, total: 0.5 }, memoryBytesMax: 12.5e6 },
    ...{ bytesSent: 0, links: [], stalenessHistogram: [75, 25], modelHash: 'ab12cd34ef56ab12cd34' },
    ...{ eventLoopLagP99Ms: 1.5, out: job.out ?? null },
  };
  return { command: 'train', result };
}

function events(hooks: JobHooks, clocks: number): void {
  const onEvent = (event: JobEvent) => hooks.onEvent(event);
  onEvent({ kind: 'load', bytesDone: 500_000, bytesTotal: 1_000_000 });
  onEvent({ kind: 'load', bytesDone: 1_000_000, bytesTotal: 1_000_000 });
  onEvent({ kind: 'facts', text: '10 rows, 3 columns, 2 classes' });
  for (let clock = 1; clock <= clocks; clock++) {
    onEvent({ kind: 'progress', clock, values: { pass: clock, passes: 10, objective: 1 / clock } });
  }
}

const jobs: Readonly<Record<string, (job: Job, hooks: JobHooks) => Promise<JobDone>>> = {
  async good(job, hooks) {
    events(hooks, 3);
    hooks.onEvent({ kind: 'warning', text: 'two rows are alike' });
    hooks.onEvent({ kind: 'log', thread: 1, line: 'hello from a program' });
    console.log('a print on standard output'); // eslint-disable-line no-console
    await wait(50);
    return trained(job);
  },
  /** Ends promptly when it is asked to. */
  async endless(_job, hooks) {
    events(hooks, 3);
    await new Promise((resolve) => hooks.signal.addEventListener('abort', resolve));
    throw new SystemError('ERR_ABORTED', 'the run was stopped before its end');
  },
  /** Loading that never ends. */
  async loading(_job, hooks) {
    hooks.onEvent({ kind: 'load', bytesDone: 500_000, bytesTotal: 1_000_000 });
    await forever();
    throw new Error('not reached');
  },
  /** Does not look at the abort signal: serveGuardian ends the process. */
  async deaf(_job, hooks) {
    events(hooks, 2);
    return forever();
  },
  /** Blocks the host's main thread: nothing but SIGKILL ends it. */
  blocked(_job, hooks) {
    events(hooks, 1);
    // The event above must leave first.
    return wait(300).then(() => {
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    });
  },
  async exit3() {
    writeSync(2, 'something went wrong here\n');
    await wait(20);
    process.exit(3);
  },
  async sigkill() {
    process.kill(process.pid, 'SIGKILL');
    return forever();
  },
  data() {
    const message = 'train.csv:3:7: expected a number\nfound "x"';
    return Promise.reject(new SystemError('ERR_DATA', message));
  },
  bug() {
    return Promise.reject(new TypeError('undefined is not a function'));
  },
  rejects() {
    void Promise.reject(new Error('nobody waits for this'));
    return forever();
  },
  /** Writes without end on both streams. */
  async flood() {
    const line = 'x'.repeat(1000) + '\n';
    const more = () => {
      for (let n = 0; n < 50; n++) {
        process.stdout.write(line);
        process.stderr.write(line);
      }
      setTimeout(more, 5);
    };
    more();
    return forever();
  },
  /** Predictions without end. */
  async predictions(_job, hooks) {
    while (!hooks.signal.aborted) {
      hooks.onEvent({ kind: 'output', text: '1\n'.repeat(10_000) });
      await wait(1);
    }
    throw new SystemError('ERR_ABORTED', 'stopped');
  },
  /** What the demo asks for. */
  async 'sotu.tsv.gz'(job) {
    await wait(1);
    return trained(job);
  },
  async predict10(job, hooks) {
    for (let n = 0; n < 10; n++) hooks.onEvent({ kind: 'output', text: `${n}\n` });
    await wait(1);
    return trained(job);
  },
};

function runJob(job: Job, hooks: JobHooks): Promise<JobDone> {
  // The test finds the process by this line.
  writeSync(2, `pid ${process.pid}\n`);
  const [name = ''] = 'data' in job ? job.data : [];
  const run = jobs[basename(name)];
  if (!run) throw new Error(`no such fake job: ${name}`);
  return run(job, hooks);
}

const fake = process.env['FAKE_HOST'];
if (fake === 'mute') {
  writeSync(2, `pid ${process.pid}\n`);
  setInterval(() => undefined, 1000);
} else if (fake === 'dies') {
  // Ends before it is ready.
  writeSync(2, 'cannot load a library\n');
  process.exitCode = 7;
} else {
  serveGuardian({
    channel: process,
    exit: (code) => process.exit(code),
    runJob,
    folder: undefined,
  });
}
