// The relay alone, over rings and links of this test: what is passed on, in which order, and what
// it waits for.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../src/base/limits.ts';
import type { RelayMessage, RelayMessageBody } from '../src/cluster/messages.ts';
import { Relay } from '../src/cluster/relay.ts';
import type { Assignment, Order, Reported, Said } from '../src/mailbox/messages.ts';

const hosts = [
  { first: 0, last: 1 },
  { first: 1, last: 3 },
  { first: 3, last: 4 },
];

/** A relay on `rank` of three hosts; what it gives out is in the lists. */
function open(rank: number) {
  const memory = new Uint8Array(4 * limits.wireBytes);
  const own = hosts[rank]!;
  const said = Array.from({ length: own.last - own.first }, (): Said[] => []);
  const handed = said.map((): Assignment[] => []);
  const orders: Order[] = [];
  const reported: Reported[] = [];
  const sent: { to: number; header: RelayMessage; payload: Uint8Array }[] = [];
  const room = { links: true, ring: true, inbox: true };
  const relay = new Relay({
    cluster: {
      ...{ rank, size: 3, run: 7, firstWorker: own.first, workers: 4, hosts, clocks: 0 },
      sending: { bytesPerSecond: undefined, early: false, order: 'first', encoding: 'full' },
      replicas: [],
    },
    outbox: {
      send: (to, { header, payload }) => {
        sent.push({ to, header: header as RelayMessage, payload });
      },
      hasRoom: () => room.links,
      waitMs: undefined,
    },
    memory,
    exclusively: (write) => write(),
    // Space s is the bytes from 1000 s on; the first is a table.
    spaces: {
      numberOf: () => 0,
      logOf: () => 0,
      at: ({ space, from }) => space * 1000 + from,
    },
    tables: 1,
    workers: said.map((list, worker) => ({
      said: { take: () => list.shift() },
      inbox: { offer: (message) => room.inbox && (handed[worker]?.push(message) ?? 0) > 0 },
    })),
    scheduler:
      rank === 0
        ? {
            orders: { take: () => orders.shift() },
            inbox: { offer: (message) => room.ring && reported.push(message) > 0 },
          }
        : undefined,
    wake: () => undefined,
  });
  const packet = (from: number, body: RelayMessageBody, payload = new Uint8Array(0)) =>
    relay.packet(from, { header: { ...body, run: 7 }, payload });
  /** What was sent since it was last asked: rank and kind. */
  const news = () => sent.splice(0).map(({ to, header }) => `${to} ${header.kind}`);
  return { relay, memory, said, handed, orders, reported, sent, room, packet, news };
}

const report = { kind: 'report', clock: 5, partial: 'p', pushMs: 1 } as const;

test('relay: work goes to the host of its worker, behind what was shared', () => {
  const { relay, memory, orders, handed, sent, news } = open(0);
  memory.set([1, 2, 3, 4, 5, 6], 1000);
  orders.push({ kind: 'shared', to: -1, parts: [1, 4, 2, 1, 0, 1] });
  for (let worker = 0; worker < 4; worker++) {
    orders.push({ kind: 'work', worker, clock: 2, work: worker * 10 });
  }
  relay.pump();
  assert.equal(sent[0]?.header, { kind: 'shared', parts: [1, 4, 2, 1, 0, 1], run: 7 });
  assert.equal([...(sent[0]?.payload ?? [])], [5, 6, 1]);
  assert.equal(news(), ['1 shared', '2 shared', '1 work', '1 work', '2 work']);
  assert.equal(handed, [[{ kind: 'work', clock: 2, work: 0 }]]);
  assert.match(relay.waitingFor, /^the report of worker 0 on rank 0 at clock 2$/);
  orders.push({ kind: 'end', clocks: 3 });
  relay.pump();
  assert.equal(news(), ['1 end', '2 end']);
  assert.equal(handed[0]?.at(-1), { kind: 'end' });
  assert.ok(relay.finished);
  assert.is(relay.clocks, 3);
});

test('relay: bytes are put where their places are on this host', () => {
  const { memory, handed, packet } = open(1);
  const parts = [2, 7, 2, 3, 0, 1];
  packet(0, { kind: 'shared', parts }, Uint8Array.of(8, 9, 10));
  assert.equal([...memory.subarray(2006, 2010)], [0, 8, 9, 0]);
  assert.is(memory[3000], 10);
  packet(0, { kind: 'work', worker: 2, clock: 4, work: 'w' });
  assert.equal(handed, [[], [{ kind: 'work', clock: 4, work: 'w' }]]);
  assert.throws(() => packet(0, { kind: 'shared', parts: [2, 0, 4] }, Uint8Array.of(1, 2, 3)));
});

test('relay: a report waits until third hosts have what its worker shared', () => {
  const { relay, said, packet, news } = open(1);
  said[1]!.push({ kind: 'shared', to: 0, parts: [1, 0, 1] });
  said[1]!.push({ kind: 'shared', to: 2, parts: [1, 0, 1] }, report);
  said[0]!.push({ kind: 'shared', to: 0, parts: [1, 0, 1] }, report);
  relay.pump();
  assert.equal(news(), ['0 shared', '0 report', '0 shared', '2 shared', '2 flush']);
  assert.match(relay.waitingFor, /^rank 2 to take what worker 2 shared at clock 0$/);
  relay.pump();
  packet(2, { kind: 'flushed', worker: 1 });
  assert.equal(news(), [], 'that was the answer to another');
  packet(2, { kind: 'flushed', worker: 2 });
  assert.equal(news(), ['0 report']);
  said[1]!.push(report);
  relay.pump();
  assert.equal(news(), ['0 report'], 'nothing is owed any more');
});

test('relay: a report to the scheduler of this host waits, too', () => {
  const { relay, said, reported, packet, news } = open(0);
  said[0]!.push({ kind: 'shared', to: 2, parts: [1, 0, 1] }, report);
  relay.pump();
  assert.equal(reported, []);
  packet(1, { kind: 'report', worker: 2, clock: 5, partial: 'q', pushMs: 2 });
  assert.equal(reported, [{ worker: 2, clock: 5, partial: 'q', pushMs: 2 }]);
  packet(2, { kind: 'flushed', worker: 0 });
  assert.equal(reported[1], { worker: 0, clock: 5, partial: 'p', pushMs: 1 });
  assert.equal(news(), ['2 shared', '2 flush']);
});

test('relay: flushes are answered when what came before is in place', () => {
  const { packet, news } = open(2);
  packet(1, { kind: 'flush', worker: 1 });
  assert.equal(news(), ['1 flushed']);
});

test('relay: large parts go in pieces, as links have room', () => {
  const { relay, memory, said, sent, room } = open(1);
  const bytes = 2 * limits.wireBytes + 5;
  memory.forEach((_, i) => (memory[i] = i % 251));
  said[0]!.push({ kind: 'shared', to: 0, parts: [0, 3, bytes, 1, 0, 2] }, report);
  room.links = false;
  relay.pump();
  relay.pump();
  assert.is(sent.length, 0);
  room.links = true;
  relay.pump();
  assert.equal(
    sent.map(({ header, payload }) => [header.kind, payload.length]),
    [
      ['shared', limits.wireBytes],
      ['shared', limits.wireBytes],
      ['shared', 7],
      ['report', 0],
    ],
  );
  const other = new Uint8Array(memory.length);
  for (const { header, payload } of sent) {
    if (header.kind !== 'shared') continue;
    let at = 0;
    for (let i = 0; i < header.parts.length; i += 3) {
      const [space = 0, from = 0, size = 0] = header.parts.slice(i, i + 3);
      other.set(payload.subarray(at, at + size), space * 1000 + from);
      at += size;
    }
  }
  assert.equal(Buffer.compare(other.subarray(3, 3 + bytes), memory.subarray(3, 3 + bytes)), 0);
  assert.equal(relay.bytesSent, [bytes], 'bytes of tables are counted');
});

test('relay: reports wait for room in the ring of the scheduler', () => {
  const { relay, reported, room, packet } = open(0);
  room.ring = false;
  packet(1, { kind: 'report', worker: 1, clock: 0, partial: 1, pushMs: 0 });
  packet(2, { kind: 'report', worker: 3, clock: 0, partial: 3, pushMs: 0 });
  assert.equal(reported, []);
  room.ring = true;
  relay.pump();
  assert.equal(
    reported.map(({ worker }) => worker),
    [1, 3],
  );
});

test('relay: several works are under way, and a full inbox gets them later, in order', () => {
  const { relay, orders, handed, room, packet } = open(0);
  room.inbox = false;
  for (const clock of [4, 5]) {
    for (const worker of [0, 2]) orders.push({ kind: 'work', worker, clock, work: clock });
  }
  orders.push({ kind: 'end', clocks: 6 });
  relay.pump();
  assert.equal(handed, [[]]);
  assert.not(relay.finished, 'the end has not been handed out');
  const waits = (worker: number, clock: number) =>
    new RegExp(`report of worker ${worker} on rank ${worker} at clock ${clock}$`);
  assert.match(relay.waitingFor, /^the report of worker 0 on rank 0 at clock 4$/);
  room.inbox = true;
  relay.pump();
  assert.equal(
    handed[0]?.map((message) => (message.kind === 'work' ? message.clock : 'end')),
    [4, 5, 'end'],
  );
  assert.ok(relay.finished);
  const said = { kind: 'report', partial: 0, pushMs: 0 } as const;
  packet(0, { ...said, worker: 0, clock: 4 });
  assert.match(relay.waitingFor, waits(0, 5));
  packet(0, { ...said, worker: 0, clock: 5 });
  assert.match(relay.waitingFor, /worker 2 on rank 1 at clock 4$/);
});

test.run();
