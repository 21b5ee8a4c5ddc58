// The outbox of a host: packets wait for the budget in order, and who waits for room is told of it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Outbox } from '../src/cluster/outbox.ts';
import type { Network } from '../src/mailbox/network.ts';

/** An outbox for one peer with 1000 bytes a second and a burst of 200, on a clock of ours. */
function openOutbox() {
  const sent: unknown[] = [];
  const at = { nowMs: 0 };
  const network: Network = {
    ...{ rank: 0, size: 2, hasRoom: () => true, statistics: () => [] },
    send: (_, { header }) => sent.push(header),
  };
  const nowMs = () => at.nowMs;
  const outbox = new Outbox(network, { bytesPerSecond: 1000, burstBytes: 200, nowMs });
  const send = (header: string) => outbox.send(1, { header, payload: new Uint8Array(4) });
  return { outbox, send, sent, at };
}

test('outbox: budget: packets wait in order', () => {
  const { outbox, send, sent, at } = openOutbox();
  for (const name of ['a', 'b', 'c', 'd']) send(name);
  assert.equal(sent, ['a', 'b']);
  assert.not(outbox.hasRoom(1));
  assert.not(outbox.isEmpty);
  assert.is(outbox.waitMs, 100);
  at.nowMs = 100;
  assert.equal(outbox.tick(), []);
  assert.equal(sent, ['a', 'b', 'c']);
  at.nowMs = 200;
  assert.equal(outbox.tick(), [1]);
  assert.equal(sent, ['a', 'b', 'c', 'd']);
  assert.ok(outbox.hasRoom(1));
  assert.ok(outbox.isEmpty);
  assert.is(outbox.waitMs, undefined);
});

test('outbox: room: a send that takes along what waited leaves room, and tick says so', () => {
  const { outbox, send, sent, at } = openOutbox();
  for (const name of ['a', 'b', 'c']) send(name);
  assert.not(outbox.hasRoom(1));
  at.nowMs = 500;
  send('d');
  assert.equal(sent, ['a', 'b', 'c', 'd']);
  assert.equal(outbox.tick(), [1]);
  assert.equal(outbox.tick(), []);
});

test.run();
