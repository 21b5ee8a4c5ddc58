// The rendezvous: who is let in, who is not and why, and what happens when somebody does not come.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseJoin, Rendezvous, type Join } from '../src/mailbox/rendezvous.ts';

const joinOf = (rank: number, changes: Partial<Join> = {}): Join => ({
  ...{ rank, size: 3, version: '1', runId: 'r', threads: rank + 1, incarnation: 10 + rank },
  ...{ host: `h${rank}`, port: 100 + rank, ...changes },
});

const start = (size = 3) => new Rendezvous({ self: joinOf(0, { size }), deadlineMs: 1000 });
const join = (link: number, from: Join) => ({ kind: 'join', link, join: from }) as const;

test('rendezvous: when all are there, everyone is told about everyone, once', () => {
  const machine = start();
  assert.equal(machine.step(join(7, joinOf(2)), 1), []);
  assert.is(String(machine), '0 - 2');
  const [done, ...more] = machine.step(join(8, joinOf(1)), 2);
  assert.equal(more, []);
  if (done?.kind !== 'complete') throw new Error(`${done?.kind}`);
  assert.equal(done.links, [undefined, 8, 7]);
  const learned = done.members.map(({ threads, port }) => `${threads} ${port}`);
  assert.equal(learned, ['1 100', '2 101', '3 102']);
  assert.equal(machine.step(join(9, joinOf(1)), 3), []);
  assert.equal(machine.step({ kind: 'tick' }, 5000), []);
});

const refusals: readonly (readonly [string, Join, RegExp])[] = [
  ['version', joinOf(1, { version: '2' }), /version 2 joins a run of version 1/],
  ['run', joinOf(1, { runId: 'q' }), /run q joins run r/],
  ['size', joinOf(1, { size: 4 }), /it counts 4 hosts, this run has 3/],
  ['rank out of range', joinOf(3), /rank 3 is out of range: this run has 3 hosts/],
  ['rank 0', joinOf(0), /rank 0 has joined already/],
  ['a rank twice', joinOf(2, { incarnation: 99 }), /rank 2 has joined already/],
];

for (const [name, wrong, reason] of refusals) {
  test(`rendezvous: refused, and nobody is disturbed: ${name}`, () => {
    const machine = start();
    machine.step(join(1, joinOf(2)), 1);
    const [refused, ...more] = machine.step(join(2, wrong), 2);
    assert.equal(more, []);
    if (refused?.kind !== 'refuse') throw new Error(`${refused?.kind}`);
    assert.is(refused.link, 2);
    assert.match(refused.reason, reason);
    assert.is(machine.step(join(3, joinOf(1)), 3)[0]?.kind, 'complete');
  });
}

test('rendezvous: a broken link frees its rank; the same process may knock again', () => {
  const machine = start();
  machine.step(join(1, joinOf(2)), 1);
  machine.step({ kind: 'unlinked', link: 1 }, 2);
  assert.equal(machine.step(join(2, joinOf(2, { incarnation: 99 })), 3), []);
  assert.equal(machine.step(join(3, joinOf(2, { incarnation: 99 })), 4), []);
  machine.step({ kind: 'unlinked', link: 2 }, 5); // the older of its links
  const [done] = machine.step(join(4, joinOf(1)), 6);
  assert.equal(done?.kind === 'complete' && done.links, [undefined, 4, 3]);
});

test('rendezvous: who did not come in time is named', () => {
  const machine = start(4);
  machine.step(join(1, joinOf(2, { size: 4 })), 1);
  assert.equal(machine.step({ kind: 'tick' }, 999), []);
  const [failed] = machine.step({ kind: 'tick' }, 1000);
  if (failed?.kind !== 'failed') throw new Error(`${failed?.kind}`);
  assert.is(failed.fault.code, 'ERR_PEER_LOST');
  assert.match(failed.fault.message, /ranks 1, 3 of 4 hosts did not join in time/);
});

test('rendezvous: what is no join is not taken for one', () => {
  assert.equal(parseJoin(joinOf(1)), joinOf(1));
  const wrong: readonly unknown[] = [
    ...[null, 7, 'join', [], { ...joinOf(1), rank: -1 }, { ...joinOf(1), rank: 1.5 }],
    ...[
      { ...joinOf(1), port: 70_000 },
      { ...joinOf(1), host: 5 },
      { ...joinOf(1), threads: '2' },
    ],
    ...[
      { ...joinOf(1), version: 'x'.repeat(300) },
      { ...joinOf(1), incarnation: NaN },
    ],
  ];
  for (const header of wrong) assert.type(parseJoin(header), 'string', JSON.stringify(header));
});

test.run();
