// The conversation with a host that ssh reaches: frames, the remote command, what ssh's failures
// mean.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packCode, remoteCommand } from '../src/launcher/remote/bootstrap.ts';
import { encodeFrame, FrameReader } from '../src/launcher/remote/frames.ts';
import {
  nodeFault,
  noSshFault,
  sshCommand,
  sshFault,
  wordsOf,
} from '../src/launcher/remote/ssh.ts';
import { withFolder } from './helpers/command.ts';

const messages: readonly unknown[] = [
  { kind: 'ready' },
  {
    kind: 'job',
    job: { secret: new Uint8Array([0, 1, 255]), text: 'ä\n\u2028"', list: [1, null] },
  },
  { kind: 'event', values: { loss: NaN, up: Infinity, down: -Infinity, zero: 0, e: 1e-300 } },
  'text',
  { kind: 'output', text: 'x'.repeat(100_000) },
];

test('frames: messages come back, in pieces of any size', () => {
  const bytes = Buffer.concat(messages.map(encodeFrame));
  for (const size of [1, 3, 4, 5, 7, 1000, bytes.length]) {
    const reader = new FrameReader();
    const found: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...reader.push(bytes.subarray(at, at + size)));
    }
    assert.equal(found, messages, `pieces of ${size}`);
  }
});

test('frames: a Buffer arrives as plain bytes, what is undefined not at all', () => {
  const [found] = new FrameReader().push(
    encodeFrame({ secret: Buffer.from('abc'), out: undefined }),
  );
  assert.equal(found, { secret: new Uint8Array([97, 98, 99]) });
});

test('frames: what is none is refused', () => {
  const other = Buffer.from('Welcome to the machine\n');
  assert.throws(
    () => new FrameReader().push(other),
    /frames of perpetuum, got a frame of \d+ bytes/,
  );
  const body = Buffer.from('{"kind":');
  const cut = Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body]);
  assert.throws(() => new FrameReader().push(cut), /frames of perpetuum, got "\{"kind":"/);
});

test('ssh: the remote command goes through every shell', () => {
  const inner = remoteCommand.slice("node -e '".length, -1);
  assert.is(remoteCommand, `node -e '${inner}'`);
  // Single quotes end it, ! is history to csh, a line ends a command in some, \ differs in fish.
  assert.not.match(inner, /['!\\\n]/);
});

test('ssh: words of --ssh', () => {
  assert.equal(wordsOf('ssh'), ['ssh']);
  assert.equal(wordsOf(' ssh  -p 22 -o "A B" -i \'my key\' -x="y z" '), [
    ...['ssh', '-p', '22', '-o', 'A B', '-i', 'my key', '-x=y z'],
  ]);
  assert.equal(sshCommand(['ssh', '-p', '1'], 'h', 'true').slice(-2), ['h', 'true']);
  assert.ok(sshCommand(['ssh'], 'h').includes('BatchMode=yes'), 'it never asks');
});

/** What ssh wrote, the code, and words of the message. */
const failures: readonly (readonly [string, string, string, string])[] = [
  [
    'Host key verification failed.',
    'ERR_CONFIG',
    'its host key is not known',
    "run ssh h once by hand and compare the key's fingerprint",
  ],
  [
    'root@h: Permission denied (publickey).',
    'ERR_CONFIG',
    'it refuses our key: root@h: Permission denied',
    'ssh h true must work without a password: ssh-copy-id h',
  ],
  [
    'ssh: Could not resolve hostname h: Name or service not known',
    'ERR_CONFIG',
    'its name is not known',
    'correct the name, or add it to ~/.ssh/config',
  ],
  [
    'bash: line 1: node: command not found',
    'ERR_CONFIG',
    'it has no Node.js where ssh looks for commands',
    'ssh h node --version must print 20.19 or newer',
  ],
  ['sh: 1: node: not found', 'ERR_CONFIG', 'it has no Node.js', 'ssh h node --version must'],
  ['zsh:1: command not found: node', 'ERR_CONFIG', 'it has no Node.js', 'ssh h node --version'],
  [
    'ssh: connect to host h port 22: Connection refused',
    'ERR_PEER_LOST',
    'it cannot be reached',
    'is it up, and does sshd run there? try ssh h true',
  ],
  ['ssh: connect to host h port 22: Connection timed out', 'ERR_PEER_LOST', 'reached', 'is it up'],
  ['ssh: connect to host h: No route to host', 'ERR_PEER_LOST', 'reached', 'is it up'],
  [
    '',
    'ERR_PEER_LOST',
    'ssh ended with code 255 before a host process',
    'try ssh h node --version',
  ],
];
for (const [text, code, what, next] of failures) {
  test(`ssh: ${text || 'nothing'}: ${code}`, () => {
    const fault = sshFault('h', 255, text === '' ? [] : [text]);
    assert.is(fault.code, code);
    const [first = '', second = ''] = fault.message.split('\n');
    assert.ok(first.startsWith('h: ') && first.includes(what), first);
    assert.ok(second.includes(next), second);
  });
}

test('ssh: versions of Node', () => {
  for (const version of ['20.19.0', '20.20.2', '21.0.0', '26.1.0']) {
    assert.is(nodeFault('h', version), undefined, version);
  }
  for (const version of ['20.18.3', '18.20.4', '9.0.0']) {
    const fault = nodeFault('h', version);
    assert.is(fault?.code, 'ERR_CONFIG', version);
    assert.ok(fault?.message.startsWith(`h: Node must be 20.19 or newer, found ${version}\n`));
  }
  assert.is(noSshFault('ssh', 'ENOENT').code, 'ERR_CONFIG');
});

test('package: the code, the kernels and package.json; no tests, no maps', () =>
  withFolder((folder) => {
    const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
    for (const name of ['build', 'build/dist', 'build/wasm']) mkdirSync(join(folder, name));
    put('package.json', '{}');
    for (const name of ['host-actor.js', 'a.cjs', 'x.test.js', 'x.bench.js', 'a.js.map', 'T.txt']) {
      put(`build/dist/${name}`, name);
    }
    put('build/wasm/kernels.wasm', 'wasm');
    put('build/wasm/kernels.wat', 'wat');
    const block = packCode(pathToFileURL(join(folder, 'build/dist/host-actor.js')));
    assert.is(block.readUInt32LE(0), block.length - 4);
    const end = 8 + block.readUInt32LE(4);
    const list = JSON.parse(block.subarray(8, end).toString()) as [string, number][];
    assert.equal(list, [
      ...[
        ['package.json', 2],
        ['build/dist/a.cjs', 5],
        ['build/dist/host-actor.js', 13],
      ],
      ['build/wasm/kernels.wasm', 4],
    ]);
    assert.is(block.subarray(end).toString(), '{}a.cjshost-actor.jswasm');
  }));

test('package: one that is not there', () => {
  const nowhere = new URL('file:///nowhere/build/dist/host-actor.js');
  assert.throws(() => packCode(nowhere), /the package cannot be read: ENOENT/);
});

test.run();
