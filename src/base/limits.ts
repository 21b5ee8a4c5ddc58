// Every limit of the system, in one place, with the relations between them asserted below.
import { assert } from './assert.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Worker actors of one host. */
  workersMax: 64,
  /** Partitions of a data-parallel run. */
  partitionsMax: 1000,
  /** Threads of the loader pool; parsing is memory-bound beyond this. */
  loadersMax: 16,
  /** Tables of one run. */
  tablesMax: 32,
  /** Bytes of one wasm32 memory: the most a host process can address. */
  memoryBytes: 4096 * MiB,
  /** Text of one parse task. Also the grain of the data blocks, so it fixes their number. */
  chunkBytes: 1 * MiB,
  /** Longest line of a text file. */
  lineBytesMax: 8 * MiB,
  /** Private scratch of one thread: text, parsed output, temporaries of kernels. Pages are lazy. */
  scratchBytes: 40 * MiB,
  /** One direction of a shared-memory mailbox; half of it is slots. */
  ringBytes: 256 * KiB,
  /** Largest single message in a mailbox. */
  messageBytesMax: 32 * KiB,
  /** Classes of a classification problem. */
  classesMax: 4096,
  /** Longest label text. */
  labelBytesMax: 256,
  /** Columns of a data set: indices are i32 and tables address rows × columns in 4 GiB. */
  columnsMax: 100_000_000,
  /** A push that neither returns nor polls for so long is taken for an endless loop. */
  pushTimeoutMs: 30_000,
  /** From a stop request until threads that do not answer are terminated. */
  stopGraceMs: 100,
  /** From a stop request until the host process exits with its job unfinished. */
  hostExitMs: 150,
  /** From a stop request until the guardian kills the host process. */
  killGraceMs: 1_500,
  /** Beat of a host process, and of the guardian or launcher that listens for it. */
  aliveMs: 1_000,
  /** A host process that says nothing for so long is taken for frozen, and killed. */
  hostSilenceMs: 30_000,
  /** Hosts of one run. */
  hostsMax: 1024,
  /** From the first host that lost another one, until that is taken for the cause of the end. */
  causeGraceMs: 1_000,
  /** A host waits so long for all others to join. */
  joinTimeoutMs: 60_000,
  /** Longest single futex wait: bounds how late a stop request is seen. */
  gateWaitMs: 20,
} as const;

// A parse task holds its chunk and the rest of its last line, and its output is at most 4 times
// the text (an entry " 1:1" of 4 bytes becomes 8 bytes, an empty line of 2 bytes 16).
assert(
  limits.scratchBytes >= 4 * (limits.chunkBytes + limits.lineBytesMax),
  'scratch holds one parse task',
);
// A ring drops nothing: it has room for several of the largest messages.
assert(limits.ringBytes / 2 >= 4 * limits.messageBytesMax, 'a ring holds several messages');
// A waiting thread must see a stop request well inside the grace it is given.
assert(limits.gateWaitMs * 4 <= limits.stopGraceMs, 'a waiter wakes inside the grace');
// Threads are terminated, the host exits, the guardian kills: each only when the one before failed.
assert(limits.stopGraceMs < limits.hostExitMs, 'the host waits for its threads');
assert(limits.hostExitMs < limits.killGraceMs, 'the guardian waits for its host');
assert(limits.aliveMs * 4 <= limits.hostSilenceMs, 'one lost beat is not silence');
