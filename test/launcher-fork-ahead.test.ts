// A host process that is forked before anyone knows its job (src/launcher/fork-host.ts).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { serveGuardian } from '../src/cli/host-process.ts';
import { forkAhead, forkHost } from '../src/launcher/fork-host.ts';

const entry = new URL('./fake-host.js', import.meta.url);

/** Forks fake hosts; the first may be one that keeps to no protocol. */
function forking(first?: 'mute' | 'dies') {
  const hosts: ChildProcess[] = [];
  const fork = () => {
    if (first !== undefined && hosts.length === 0) process.env['FAKE_HOST'] = first;
    const host = forkHost(entry);
    delete process.env['FAKE_HOST'];
    hosts.push(host);
    return host;
  };
  return { hosts, fork };
}

async function end(host: ChildProcess): Promise<void> {
  host.kill('SIGKILL');
  await once(host, 'exit');
}

const firstWord = async (host: ChildProcess) => {
  const [message] = (await once(host, 'message')) as [{ kind: string }];
  return message.kind;
};

test('fork ahead: whoever takes it hears what it said before', async () => {
  const { hosts, fork } = forking();
  const ahead = forkAhead(fork);
  // Its first word comes now, and nobody listens.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const host = ahead.take();
  assert.is(host, hosts[0]);
  assert.is(await firstWord(host), 'ready');
  ahead.drop();
  assert.is(host.killed, false, 'one that is taken is not dropped');
  const other = ahead.take();
  assert.is(other, hosts[1], 'a second job has a process of its own');
  await Promise.all([end(host), end(other)]);
});

test('fork ahead: one that has ended is replaced', async () => {
  const { hosts, fork } = forking('dies');
  const ahead = forkAhead(fork);
  await once(hosts[0]!, 'exit');
  const host = ahead.take();
  assert.is(await firstWord(host), 'ready');
  await end(host);
});

test('fork ahead: one that cannot be started is no crash, and replaced', async () => {
  const none = forkHost(new URL('file:///'));
  const { hosts, fork } = forking();
  const queue = [spawn('no-such-program'), none];
  const ahead = forkAhead(() => queue.shift() ?? fork());
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(ahead.take(), none, 'the second, whatever it is');
  await end(none);
  assert.is(hosts.length, 0);
});

test('fork ahead: one that nobody takes is ended', async () => {
  const { hosts, fork } = forking('mute');
  forkAhead(fork).drop();
  await once(hosts[0]!, 'exit');
  assert.is(hosts[0]?.signalCode, 'SIGKILL');
});

test('fork ahead: a host whose guardian has gone while it started ends', () => {
  const said: unknown[] = [];
  const codes: number[] = [];
  const channel = {
    connected: false,
    on: () => channel as never,
    send: (message: unknown) => Boolean(said.push(message)),
  };
  serveGuardian({
    channel: channel,
    exit: (code) => void codes.push(code),
    runJob: () => Promise.reject(new Error('no job')),
    folder: undefined,
  });
  assert.equal([codes, said], [[1], []]);
});

test.run();
