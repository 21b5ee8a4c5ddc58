import fc from 'fast-check';
import { Worker as Thread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { limits } from '../src/base/limits.ts';
import { createMemory, openArena } from '../src/memory/arena.ts';
import { planLayout, ringAt } from '../src/memory/layout.ts';
import {
  receiver,
  sender,
  type Assignment,
  type Event,
  type Report,
} from '../src/mailbox/messages.ts';
import { openRingReader, openRingWriter, resetRing, ringTail } from '../src/mailbox/ring.ts';
import { ringRecords } from './helpers/ring-records.ts';
import type { RingWriterData } from './programs/ring-writer.ts';

const layout = planLayout(1, 64 * 2 ** 20);
const memory = createMemory(layout.bytes);
const arena = openArena(memory, layout, true);
const at = ringAt(layout, 0, 'reports');
const headCell = at / 4;
const fullCell = (at + 128) / 4;

/** An empty ring whose counters have run up to `position` (a multiple of 8). */
function ringFrom(position: number) {
  resetRing(arena, at);
  arena.i32[headCell] = position | 0;
  arena.i32[ringTail(at)] = position | 0;
  return { writer: openRingWriter(arena, at), reader: openRingReader(arena, at) };
}

const nearWrap = 2 ** 32 - 40_000;

for (const [start, from] of [
  ['from 0', 0],
  ['counters pass 2^31', 2 ** 31 - 40_000],
  ['counters pass 2^32', nearWrap],
] as const) {
  test(`ring: two threads, nothing lost, reordered or changed (${start})`, async () => {
    const { reader } = ringFrom(from);
    const records = 3000;
    const workerData: RingWriterData = { memory, layout, at, seed: 5, records };
    const thread = new Thread(new URL('./ring-writer.js', import.meta.url), { workerData });
    const fullTimes = new Promise<number>((resolve, reject) => {
      thread.on('message', resolve).on('error', reject);
    });
    try {
      let number = 0;
      for (const wanted of ringRecords(5, records)) {
        let got = reader.take();
        while (got === undefined) {
          await new Promise((resolve) => setImmediate(resolve)); // lets the thread start and fail
          got = reader.take();
        }
        if (Buffer.compare(got, wanted) !== 0) {
          const have = got.length >= 4 ? new DataView(got.buffer).getUint32(0) : 'unnumbered';
          assert.unreachable(
            `record ${number} of ${wanted.length} B: got ${have}, ${got.length} B`,
          );
        }
        number += 1;
      }
      const full = await fullTimes;
      assert.is(reader.take(), undefined, 'nothing is there twice');
      assert.is(arena.i32[fullCell], full, 'every refusal was counted');
    } finally {
      await thread.terminate();
    }
  });
}

test('ring: like a queue, for any order of offers and takes, anywhere in the ring', () => {
  const sizes = fc.oneof(fc.nat(64), fc.nat(limits.messageBytesMax));
  const steps = fc.array(fc.oneof(sizes, fc.constant('take' as const)), { maxLength: 200 });
  const starts = fc.nat(2 ** 29 - 1).map((units) => units * 8);
  fc.assert(
    fc.property(starts, steps, (start, all) => {
      const { writer, reader } = ringFrom(start);
      const queue: Uint8Array[] = [];
      let number = 0;
      for (const step of all) {
        if (step === 'take') {
          const [got, wanted] = [reader.take(), queue.shift()];
          assert.is(got?.length, wanted?.length);
          if (got && wanted) assert.is(Buffer.compare(got, wanted), 0);
        } else {
          const record = new Uint8Array(step).fill(number++);
          if (writer.offer(record)) queue.push(record);
          else assert.ok(queue.length > 0, 'an empty ring takes every message');
        }
      }
      for (const wanted of queue) {
        const got = reader.take();
        assert.ok(got && Buffer.compare(got, wanted) === 0);
      }
      assert.is(reader.take(), undefined);
    }),
    { numRuns: 60 },
  );
});

test('ring: full is an answer, and a place given back is used again (counters pass 2^32)', () => {
  const { writer, reader } = ringFrom(nearWrap);
  const record = new Uint8Array(1000);
  const accepted: number[] = [];
  for (let number = 0; number < 200; number++) {
    if (writer.offer(record.fill(number))) accepted.push(number);
  }
  // 1008 bytes a record: 130 fill the ring, one less where its end falls inside a record.
  assert.ok(accepted.length >= 129 && accepted.length <= 130, `${accepted.length} accepted`);
  assert.is(arena.i32[fullCell], 200 - accepted.length);
  for (let number = 200; number < 500; number++) {
    assert.is(reader.take()?.[0], accepted.shift()! & 255, 'the oldest comes first');
    if (writer.offer(record.fill(number))) accepted.push(number);
  }
  assert.ok(accepted.length >= 128, 'a place given back is used again');
  for (const number of accepted) assert.is(reader.take()?.[0], number & 255);
  assert.is(reader.take(), undefined);
});

test('mailbox: every kind of message arrives as it was sent', () => {
  const { writer, reader } = ringFrom(0);
  const assignments: Assignment[] = [
    { kind: 'work', clock: 0, work: { kind: 'pass', first: 0, last: 3, a: 0.1, deep: [[1], []] } },
    { kind: 'work', clock: 2 ** 31, work: null },
    { kind: 'work', clock: 7, work: new Uint8Array([1, 2, 255]) },
    { kind: 'end' },
  ];
  const reports: Report[] = [
    { kind: 'report', clock: 3, partial: [1.5, -0.25, 4e9, -1e300, NaN, Infinity], pushMs: 0 },
    { kind: 'report', clock: 4, partial: 'grüße, 世界', pushMs: 0 },
    {
      kind: 'report',
      clock: 5,
      partial: { sum: Number.MAX_SAFE_INTEGER, none: null, yes: true },
      pushMs: 0,
    },
  ];
  const events: Event[] = [
    { kind: 'progress', clock: 12, values: { objective: 0.5, pass: 3, 'test.rmse': NaN } },
    { kind: 'log', line: 'a line\nand “another”' },
  ];
  const messages = [...assignments, ...reports, ...events];
  const [out, into] = [sender<unknown>(writer), receiver<unknown>(reader)];
  for (const message of messages) assert.ok(out.offer(message));
  for (const message of messages) assert.equal(into.take(), message);
  assert.is(into.take(), undefined);
});

test('mailbox: a message is at most messageBytesMax bytes, the largest still travels', () => {
  const { writer, reader } = ringFrom(0);
  const out = sender<Event>(writer);
  const overhead = 18; // MessagePack: map 1, 'kind' 5, 'log' 4, 'line' 5, length of the text 3
  const fits = 'x'.repeat(limits.messageBytesMax - overhead);
  assert.ok(out.offer({ kind: 'log', line: fits }));
  assert.equal(receiver<Event>(reader).take(), { kind: 'log', line: fits });
  assert.throws(
    () => out.offer({ kind: 'log', line: 'x'.repeat(limits.messageBytesMax) }),
    (error: unknown) =>
      error instanceof SystemError &&
      error.code === 'ERR_LIMIT' &&
      error.message.includes(`at most ${limits.messageBytesMax} bytes`),
  );
  assert.is(reader.take(), undefined, 'nothing of it was sent');
});

test.run();
