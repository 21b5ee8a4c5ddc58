// Test thread: writes numbered records of random sizes into a ring as fast as it takes them.
import { parentPort, workerData } from 'node:worker_threads';
import { openArena } from '../../src/memory/arena.ts';
import type { Layout } from '../../src/memory/layout.ts';
import { openRingWriter } from '../../src/mailbox/ring.ts';
import { ringRecords } from '../helpers/ring-records.ts';

export type RingWriterData = {
  readonly memory: WebAssembly.Memory;
  readonly layout: Layout;
  readonly at: number;
  readonly seed: number;
  readonly records: number;
};

const { memory, layout, at, seed, records } = workerData as RingWriterData;
const ring = openRingWriter(openArena(memory, layout), at);
let full = 0;
for (const record of ringRecords(seed, records)) {
  while (!ring.offer(record)) full += 1;
}
parentPort?.postMessage(full);
