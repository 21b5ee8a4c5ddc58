// A host process for the tests of the launcher: the real serving side, and jobs that find each
// other at the place that they were told: rank 0 listens, the others connect and show the secret.
// What a job then does is the first DATA argument, and which rank does it the second.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { basename } from 'node:path';
import { SystemError } from '../../src/base/errors.ts';
import type { ClusterPlace } from '../../src/base/place.ts';
import { serveGuardian } from '../../src/cli/host-process.ts';
import type { Job, JobDone, JobHooks, TrainDone } from '../../src/jobs/job.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
const [, , folder] = process.argv;

const say = (text: string) => void writeSync(2, `${text}\n`);
const forever = () => new Promise<never>(() => setInterval(() => undefined, 1000));
const digest = (place: ClusterPlace) =>
  createHash('sha256')
    .update(place.secret ?? 'none')
    .digest('hex')
    .slice(0, 8);

/** Resolves when all hosts have met, with the connections to the others. */
async function meet(place: ClusterPlace, hooks: JobHooks): Promise<readonly Socket[]> {
  const word = `${place.runId} ${digest(place)}`;
  if (place.rank > 0) {
    const { host, port } = place.rankZero;
    const socket = connect({ host, port });
    socket.write(word);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (answer.toString() !== 'welcome') throw new Error(`refused: ${answer.toString()}`);
    return [socket];
  }
  const sockets: Socket[] = [];
  let allMet = (): void => undefined;
  const all = new Promise<void>((resolve) => (allMet = resolve));
  const server = createServer((socket) => {
    socket.once('data', (said) => {
      socket.write(said.toString() === word ? 'welcome' : 'who are you?');
      if (sockets.push(socket) === place.size - 1) allMet();
    });
  });
  server.listen(place.rankZero.port, place.bind);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  hooks.onEvent({ kind: 'listening', host: place.rankZero.host, port });
  await all;
  server.close();
  return sockets;
}

function trained(job: Job): JobDone {
  if (job.command !== 'train') throw new Error('only train is launched');
  const { threads, consistency, staleness, seed, model } = job;
  const result: TrainDone = {
    ...{ model, objective: 0.5, metrics: {}, converged: true, gap: 0, tolerance: 0.1 },
    ...{ clocks: 4, passes: 2, threads, hosts: job.cluster?.size ?? 1, consistency, staleness },
    ...{ seed, seconds: { load: 0, train: 0, total: 0 }, memoryBytesMax: 1, bytesSent: 0 },
    links: [],
    ...{ stalenessHistogram: [], modelHash: 'ab12', eventLoopLagP99Ms: 0, out: null },
  };
  return { command: 'train', result };
}

/** What the chosen rank does; the others wait for their connections to end. */
const acts: Readonly<Record<string, (hooks: JobHooks) => Promise<void>>> = {
  /** For hosts whose names only ssh knows: they do not meet. */
  async apart({ signal, onEvent }) {
    onEvent({ kind: 'log', thread: 0, line: 'waiting' });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw new SystemError('ERR_ABORTED', 'stopped');
  },
  async endless({ signal, onEvent }) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    onEvent({ kind: 'log', thread: 0, line: 'asked to stop' });
    throw new SystemError('ERR_ABORTED', 'stopped');
  },
  deaf: forever,
  /** Blocks the main thread: nothing but SIGKILL ends it. */
  async blocked() {
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  },
  sigkill() {
    process.kill(process.pid, 'SIGKILL');
    return forever();
  },
  relaykill() {
    process.kill(process.ppid, 'SIGKILL');
    return forever();
  },
  data() {
    const fault = new SystemError('ERR_DATA', 'train.csv:3:7: expected a number\nfound "x"');
    // The others see it first: their connections end.
    for (const socket of open) socket.destroy();
    return new Promise((_, reject) => setTimeout(() => reject(fault), 200));
  },
};

let open: readonly Socket[] = [];

async function runJob(job: Job, hooks: JobHooks): Promise<JobDone> {
  const place = job.command === 'train' ? job.cluster : undefined;
  const data = 'data' in job ? job.data : [];
  const threads = 'threads' in job ? job.threads : 0;
  const rank = place?.rank ?? 0;
  say(`pid ${rank} ${process.pid} ${process.ppid}`);
  hooks.onEvent({ kind: 'facts', text: `facts of ${rank}` });
  if (place !== undefined) {
    const { secret, ...told } = place;
    const bytes = secret?.length ?? 0;
    hooks.onEvent({ kind: 'warning', text: `place ${JSON.stringify({ ...told, bytes })}` });
    if (data[0] !== 'alone' && data[0] !== 'apart') open = await meet(place, hooks);
  }
  hooks.onEvent({ kind: 'progress', clock: 7, values: { objective: 0.5 } });
  hooks.onEvent({ kind: 'log', thread: 0, line: `all met, ${threads} threads` });
  const [what = '', who] = data.map((path) => basename(path));
  const act = acts[what];
  if (act === undefined) return trained(job);
  if (who !== undefined && Number(who) !== rank) {
    const lost = open.map((socket) => once(socket, 'close'));
    for (const socket of open) socket.resume().on('error', () => undefined);
    const aborted = once(hooks.signal, 'abort');
    await new Promise<void>((resolve) =>
      [...lost, aborted].forEach((one) => void one.then(() => resolve())),
    );
    throw new SystemError('ERR_PEER_LOST', `a peer of rank ${rank} is lost`);
  }
  await act(hooks);
  return trained(job);
}

serveGuardian({ channel: process, exit: (code) => process.exit(code), runJob, folder });
